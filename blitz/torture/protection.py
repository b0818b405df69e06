"""Measures how long positions stay without their exits (L1).

Pure: it is told what was seen when. A fault that hits an account, a dead server or a dead exchange stops the watch; it
begins anew when they are over, because nobody can protect a position on an exchange that does not answer.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.torture.ladder import Ladder
from blitz.torture.options import RESTART_SECONDS, RUNNING_SECONDS
from blitz.torture.tags import tag_of
from blitz.torture.truth import BUY, ZERO, AccountTruth


def is_exposed(account: AccountTruth, user_id: int, ladder: Ladder) -> bool:
    """Whether a position lacks a live reduce-only take-profit, or the stop that is set, for its whole quantity."""
    size = account.positions.get(ladder.market.venue_symbol, ZERO)
    if size == 0:
        return False
    covered: dict[str, Decimal] = {"tp": ZERO, "sl": ZERO}
    for order in account.orders:
        tag = tag_of(order, user_id, ladder.market.symbol)
        closes = (order.side == BUY) == (size < 0) and order.symbol == ladder.market.venue_symbol
        if tag is not None and tag.role in covered and closes and order.is_reduce_only:
            covered[tag.role] += order.leaves
    needed = ["tp"] + (["sl"] if ladder.stop_loss else [])
    return any(covered[role] < abs(size) for role in needed)


@dataclass(slots=True)
class _Exposure:
    clock_from: float = 0.0
    """Moment before which nobody could have done anything: a launch, the end of a fault."""
    last_seen: float = 0.0
    since: float | None = None
    after_restart: bool = True
    is_told: bool = False


@dataclass(slots=True)
class ProtectionWatch:
    """Every bot's position, by account key. Times are monotonic seconds."""

    keys: Collection[str]
    longest_running: float = 0.0
    longest_after_restart: float = 0.0
    _exposures: dict[str, _Exposure] = field(default_factory=dict)
    _is_on: bool = False
    _has_resumed: bool = False

    def __post_init__(self) -> None:
        self._exposures = {key: _Exposure() for key in self.keys}

    def stop(self) -> None:
        """Server or exchange are away: nothing counts until `begin`."""
        self._is_on = False

    def begin(self, at: float, *, restarted: bool) -> None:
        """Server and exchange are there from `at` on.

        After a restart the longer bound holds until the bots have resumed and all is well once.
        """
        self._is_on = True
        self._has_resumed = self._has_resumed and not restarted
        for exposure in self._exposures.values():
            exposure.clock_from = exposure.last_seen = at
            exposure.after_restart = exposure.after_restart or restarted
            exposure.is_told = False

    def resumed(self) -> None:
        """All bots run again: what still rested from before the restart is no longer mere luck."""
        self._has_resumed = True

    def fault(self, key: str, until: float) -> None:
        """A fault hit this account's requests; it may act until `until`."""
        if key in self._exposures:
            exposure = self._exposures[key]
            exposure.clock_from = max(exposure.clock_from, until)

    def observe(self, key: str, at: float, *, is_exposed: bool) -> str | None:
        """Take down what was seen at `at`; a sentence when it lasts too long, told once."""
        exposure = self._exposures[key]
        before, exposure.last_seen = exposure.last_seen, at
        if not self._is_on:
            return None
        if not is_exposed:
            exposure.since, exposure.is_told = None, False
            exposure.after_restart = exposure.after_restart and not self._has_resumed
            return None
        if exposure.since is None:
            exposure.since = before  # it may have begun right after the last look
        seconds = at - max(exposure.since, exposure.clock_from)
        if exposure.after_restart:
            self.longest_after_restart = max(self.longest_after_restart, seconds)
        else:
            self.longest_running = max(self.longest_running, seconds)
        bound = RESTART_SECONDS if exposure.after_restart else RUNNING_SECONDS
        if seconds <= bound or exposure.is_told:
            return None
        exposure.is_told = True
        when = "after a restart" if exposure.after_restart else "while its bot ran"
        return f"account {key}: a position had no exits for {seconds:.1f} s {when}; {bound:.0f} s are allowed"
