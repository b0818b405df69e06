"""S6: the bot's books against the venue's, execution by execution and to the last digit.

Only what is stored counts, never what the bot holds in memory. A database that was lost or restored is held to what
the bot saw since; a cycle that the trader gave up is held to what it could know.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.core.orders import ZERO, BookedFill, Direction, Fill, FillKind, Role, Side
from blitz.core.records import Cycle, CycleEnd
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.checks.violations import Violations
from blitz.simulation.journals import Kept
from blitz.simulation.tags import parsed
from blitz.simulation.venue_orders import Owner


@dataclass(slots=True)
class Segment:
    """A cycle as the venue saw it: everything from flat to flat."""

    fills: list[Fill] = field(default_factory=list)
    opened_by_bot: bool = False
    flat: bool = False


def segments(account: SimulatedAccount) -> Iterator[Segment]:
    """Cut the venue's executions into what happened from flat to flat."""
    venue = account.venue
    sign = 1 if venue.side is Side.LONG else -1
    held = ZERO
    current = Segment()
    for fill in venue.fills:
        if held < 0:
            # Somebody turned the position round: what points the other way is theirs.
            if fill.kind is not FillKind.FUNDING:
                held += sign * (fill.quantity if fill.direction is Direction.BUY else -fill.quantity)
            continue
        if not current.fills and fill.kind is FillKind.FUNDING:
            continue
        if not current.fills:
            tag = parsed(fill.client_id)
            bot = venue.orders[fill.order_id].owner is Owner.BOT
            current.opened_by_bot = bot and tag is not None and tag.role is Role.LEG
        current.fills.append(fill)
        if fill.kind is not FillKind.FUNDING:
            held += sign * (fill.quantity if fill.direction is Direction.BUY else -fill.quantity)
        if held <= 0:
            current.flat = True
            yield current
            current = Segment()
    if current.fills:
        yield current


def check_books(account: SimulatedAccount, violations: Violations) -> None:
    """Compare everything that is stored with everything that happened."""
    books = account.bot.server.store.books(account.user_id)
    checker = BooksCheck(account, violations, books)
    checker.check_rows()
    checker.check_segments()
    checker.check_cycles()


@dataclass(slots=True)
class BooksCheck:
    """One account's books."""

    account: SimulatedAccount
    violations: Violations
    books: Kept

    def check_rows(self) -> None:
        """No booked fill that did not happen, and each exactly as it did."""
        true = {fill.exec_id: fill for fill in self.account.venue.fills}
        for exec_id, booked in self.books.fills.items():
            if exec_id not in true:
                self._wrong(f"booked {exec_id}, which never happened")
            elif booked.fill != true[exec_id]:
                self._wrong(f"booked {exec_id} otherwise than it happened: {booked.fill} for {true[exec_id]}")

    def check_segments(self) -> None:
        """Every execution of the bot's own cycles is booked."""
        given_up = any(cycle.end is CycleEnd.GIVEN_UP for cycle in self.books.cycles.values())
        for segment in segments(self.account):
            if not segment.opened_by_bot or segment.fills[0].at_ms <= self.account.rolled_back_ms or given_up:
                continue
            if self._was_over_unseen(segment):
                continue
            missing = [fill.exec_id for fill in segment.fills if fill.exec_id not in self.books.fills]
            if missing:
                self._wrong(f"{len(missing)} of {len(segment.fills)} executions of a cycle are missing: {missing[:3]}")

    def _was_over_unseen(self, segment: Segment) -> bool:
        """An order of a lost journal filled and was closed again before the bot first looked: nobody's cycle now."""
        account = self.account
        sent_ms = account.venue.orders[segment.fills[0].order_id].shown.created_ms
        looked_ms = account.looked_back_ms
        over = segment.flat and (looked_ms is None or segment.fills[-1].at_ms <= looked_ms)
        return sent_ms <= account.rolled_back_ms and over

    def check_cycles(self) -> None:
        """The figures of each ended cycle are those of its executions."""
        by_cycle: dict[int, list[BookedFill]] = {}
        for booked in self.books.fills.values():
            by_cycle.setdefault(booked.cycle, []).append(booked)
        for number, cycle in self.books.cycles.items():
            if cycle.ended_ms is None or cycle.end is CycleEnd.GIVEN_UP:
                continue
            self._check_cycle(cycle, [booked.fill for booked in by_cycle.get(number, [])])

    def _check_cycle(self, cycle: Cycle, fills: Sequence[Fill]) -> None:
        trades = [fill for fill in fills if fill.kind is not FillKind.FUNDING]
        opening = Direction.BUY if cycle.settings.side is Side.LONG else Direction.SELL
        net = sum((fill.quantity if fill.direction is opening else -fill.quantity for fill in trades), ZERO)
        proceeds = sum(
            (fill.quantity * fill.price * (1 if fill.direction is Direction.SELL else -1) for fill in trades), ZERO
        )
        fees = sum((fill.fee for fill in trades), ZERO)
        funding = sum((fill.fee for fill in fills if fill.kind is FillKind.FUNDING), ZERO)
        if net == 0:
            self._same(cycle.number, "realised", cycle.realised, proceeds)
        elif net > 0:
            self._wrong(f"cycle {cycle.number} was booked as over with {net} open")
        self._same(cycle.number, "fees", cycle.fees, fees)
        self._same(cycle.number, "funding", cycle.funding, funding)

    def _same(self, number: int, name: str, booked: Decimal, true: Decimal) -> None:
        if booked != true:
            self._wrong(f"{name} of cycle {number} is booked as {booked}, the executions make {true}")

    def _wrong(self, what: str) -> None:
        self.violations.add("S6", self.account.user_id, what)
