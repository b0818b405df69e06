"""Looks at the exchange's books again and again, and hands what it sees to every check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from blitz.torture.exchange import ExchangeControl
from blitz.torture.legs import LegBook
from blitz.torture.protection import ProtectionWatch, is_exposed
from blitz.torture.server import Trader
from blitz.torture.strangers import StrangerWatch, foreign_cancel
from blitz.torture.tally import Story, Tally
from blitz.torture.truth import AccountTruth, Execution, LiveOrder
from blitz.torture.twins import TwinWatch

Standing = frozenset[tuple[str, str, str, str]]
"""Live orders as far as a stop of the server may not change them: id, price, trigger, quantity."""


@dataclass(slots=True)
class Watched:
    """Everything that is known of one account."""

    trader: Trader
    twins: TwinWatch
    strangers: StrangerWatch
    legs: LegBook
    executions: list[Execution] = field(default_factory=list)
    last: AccountTruth | None = None
    standing: Standing = frozenset()
    unchanged_since: float = 0.0
    fault_at: float = 0.0
    """When the last fault that struck it was over."""

    @classmethod
    def of(cls, trader: Trader) -> "Watched":
        """The checks of one trader, knowing nothing yet."""
        user_id, ladder = trader.user_id, trader.ladder
        return cls(
            trader=trader,
            twins=TwinWatch(user_id, ladder),
            strangers=StrangerWatch(user_id, ladder),
            legs=LegBook(user_id, ladder),
        )


def standing_of(orders: Sequence[LiveOrder]) -> Standing:
    """The live orders in a form that can be compared."""
    return frozenset((order.order_id, str(order.price), order.trigger, str(order.quantity)) for order in orders)


class Watch:
    """The eyes of a run. Counts and tells; changes nothing anywhere."""

    def __init__(self, exchange: ExchangeControl, traders: Sequence[Trader], tally: Tally, story: Story) -> None:
        self.accounts: Mapping[str, Watched] = {trader.key: Watched.of(trader) for trader in traders}
        self.protection = ProtectionWatch(list(self.accounts))
        self._exchange = exchange
        self._tally = tally
        self._story = story
        self.ids_enforced = True
        """Whether the exchange refuses a second live order of one id at the moment."""
        self._hits: dict[str, int] = {}

    def violation(self, sentence: str) -> None:
        """Something happened that must never happen."""
        told = f"round {self._tally.rounds}: {sentence}"
        self._tally.violations.append(told)
        self._story.tell(f"VIOLATION {sentence}")

    def look(self, at: float) -> None:
        """Look once at faults and live orders."""
        self._note_faults(at)
        for account in self._exchange.accounts():
            watched = self.accounts.get(account.key)
            if watched is not None:
                self._look_at(watched, account, at)
        self._tally.resent_exits = sum(watched.twins.resent_exits for watched in self.accounts.values())
        self._tally.unprotected_max_seconds = self.protection.longest_running
        self._tally.unprotected_after_restart_max_seconds = self.protection.longest_after_restart

    def read_executions(self) -> None:
        """Fetch what was executed since the last call and follow it cycle by cycle."""
        for key, watched in self.accounts.items():
            fresh = self._exchange.account(key, executions_from=len(watched.executions)).executions
            watched.executions.extend(fresh)
            self._tally.fills += len(fresh)
            for sentence in watched.legs.follow(fresh):
                self._tally.duplicates += 1
                self.violation(sentence)

    def forget_faults(self) -> None:
        """The rules are lifted; new ones count from nothing."""
        self._hits = {}

    def _note_faults(self, at: float) -> None:
        for rule in self._exchange.fault_hits():
            fresh = rule.hits - self._hits.get(rule.number, 0)
            self._hits[rule.number] = rule.hits
            if fresh <= 0:
                continue
            self._tally.faults += fresh
            self.protection.fault(rule.account, at + rule.delay_seconds)
            if rule.account in self.accounts:
                self.accounts[rule.account].fault_at = at + rule.delay_seconds

    def _look_at(self, watched: Watched, account: AccountTruth, at: float) -> None:
        trader = watched.trader
        standing = standing_of(account.orders)
        if standing != watched.standing:
            watched.standing, watched.unchanged_since = standing, at
        watched.last = account
        for sentence in watched.twins.observe(account, ids_enforced=self.ids_enforced):
            self._tally.duplicates += 1
            self.violation(sentence)
        for order in watched.strangers.observe(account):
            said = foreign_cancel(order, self._exchange.order_history(account.key), trader.user_id)
            if said is not None:
                self._tally.foreign_cancels += 1
                self.violation(said)
        exposed = is_exposed(account, trader.user_id, trader.ladder)
        too_long = self.protection.observe(account.key, at, is_exposed=exposed)
        if too_long is not None:
            self.violation(too_long)
