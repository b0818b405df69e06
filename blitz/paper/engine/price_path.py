"""Moving a price: everything that waits between the old and the new price happens, nearest first.

A sweep trades every price on the way (a bar's walk): a stop fires at its trigger and fills there. A jump (a gap)
reaches the new price at once: resting limits still fill at their own price, stops fire and fill at the new price.
Orders, triggers and liquidation alerts are found through the market's indexes, never by visiting accounts.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.admission import check_margin
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.events import EventKind
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.followers import closable, make_room
from blitz.paper.engine.levels import Level, LevelIndex
from blitz.paper.engine.liquidation import Liquidation
from blitz.paper.engine.market import Market
from blitz.paper.engine.matching import Matcher
from blitz.paper.engine.orders import Order, OrderStatus
from blitz.paper.engine.refusals import VenueRefusal
from blitz.paper.engine.registry import Registry

STEPS_MAX = 1_000_000
"""No single move may set off more than this; reaching it means the engine itself is wrong."""


class Waiting(IntEnum):
    """What waits at a level; at the same price the lower number goes first."""

    ORDER = 0
    TRIGGER = 1
    ALERT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next thing to happen on the way."""

    at: Decimal
    kind: Waiting
    level: Level


@dataclass(slots=True, kw_only=True)
class Path:
    """One move under way. `cursor` is how far it has come."""

    market: Market
    cursor: Decimal
    target: Decimal
    sweep: bool
    watches: list[tuple[Waiting, LevelIndex]]
    touched: set[str] = field(default_factory=set)
    """Orders that had their touch in this move and still rest."""

    def next_step(self) -> Step | None:
        """The nearest thing the rest of the way reaches, or None."""
        best: Step | None = None
        best_rank: tuple[Decimal, int, int] | None = None
        for kind, index in self.watches:
            level = index.first(self.touched)
            if level is None:
                continue
            at = self._reached_at(index, level)
            if at is None:
                continue
            rank = (abs(at - self.cursor), int(kind), level.sequence)
            if best_rank is None or rank < best_rank:
                best, best_rank = Step(at=at, kind=kind, level=level), rank
        return best

    def _reached_at(self, index: LevelIndex, level: Level) -> Decimal | None:
        # A jump has left the cursor's price behind: it only says how far the order of events has come, and what
        # was put there on the way (at the new price) must not be held against a price that is gone.
        if self.sweep and index.is_reached(level, self.cursor):
            return self.cursor
        if not index.is_reached(level, self.target):
            return None
        return self.cursor if index.is_reached(level, self.cursor) else index.price_of(level)


class PriceMover:
    """Walks paths and carries out what they reach."""

    def __init__(self, floor: Floor, registry: Registry, matcher: Matcher, liquidation: Liquidation) -> None:
        self._floor = floor
        self._registry = registry
        self._matcher = matcher
        self._liquidation = liquidation

    def move_last(self, market: Market, target: Decimal, now_ms: int, *, sweep: bool) -> None:
        """Bring the last price (and the mark, unless it is set apart) to `target`."""
        path = Path(market=market, cursor=market.last, target=target, sweep=sweep, watches=_last_watches(market))
        if not sweep:
            market.last = target
        self._walk(path, now_ms)
        market.last = target
        market.update_id += 1
        self.settle(market, now_ms)

    def move_mark(self, market: Market, target: Decimal | None, now_ms: int) -> None:
        """Set the mark apart from last, or let it follow again (None); what waits on the mark happens."""
        cursor = market.mark
        market.mark_apart = target
        path = Path(market=market, cursor=cursor, target=market.mark, sweep=False, watches=_mark_watches(market))
        self._walk(path, now_ms)
        self.settle(market, now_ms)

    def settle(self, market: Market, now_ms: int) -> None:
        """Carry out what the prices already reach, after something other than a move has changed.

        Resting orders are left out: they fill when a move touches them.
        """
        triggers = [(Waiting.TRIGGER, market.last_fall), (Waiting.TRIGGER, market.last_rise)]
        for price, watches in ((market.last, triggers), (market.mark, _mark_watches(market))):
            self._walk(Path(market=market, cursor=price, target=price, sweep=False, watches=watches), now_ms)
        self._rescue(now_ms)

    def _rescue(self, now_ms: int) -> None:
        """Look at accounts that something else than this market's price brought into danger, in other markets too."""
        for _ in range(STEPS_MAX):
            key = next(iter(self._floor.endangered), None)
            if key is None:
                return
            symbol = self._floor.endangered.pop(key)
            self._liquidation.look_at(self._floor.accounts[key], symbol, now_ms)
        raise AssertionError("liquidation does not end")

    def _walk(self, path: Path, now_ms: int) -> None:
        for _ in range(STEPS_MAX):
            step = path.next_step()
            if step is None:
                return
            path.cursor = step.at
            if path.sweep:
                path.market.last = step.at
            self._carry_out(path, step, now_ms)
        raise AssertionError(f"a move of {path.market.instrument.symbol} does not end")

    def _carry_out(self, path: Path, step: Step, now_ms: int) -> None:
        account = self._floor.accounts[step.level.key]
        if step.kind is Waiting.ALERT:
            self._liquidation.look_at(account, path.market.instrument.symbol, now_ms)
            return
        order = account.open[step.level.order_id]
        if step.kind is Waiting.TRIGGER:
            # A gap may have gone past bankruptcy. No stop can save such an account: it would end below zero.
            if not path.sweep and self._liquidation.is_bankrupt(account, order.symbol):
                self._liquidation.look_at(account, order.symbol, now_ms)
            if order.order_id in account.open:
                self.trigger(account, order, now_ms)
            return
        after = self._matcher.touch(account, order, now_ms)
        if after.status.is_open:
            path.touched.add(after.order_id)

    def trigger(self, account: Account, order: Order, now_ms: int) -> None:
        """Turn a conditional order into an active one: Untriggered, Triggered, then New or whatever it meets."""
        self._registry.take_out(account, order.order_id)
        quantity = order.quantity or closable(account, order.symbol, order.position_idx, order.side)
        triggered = replace(order, status=OrderStatus.TRIGGERED, updated_ms=now_ms, quantity=quantity)
        self._floor.tell(account, EventKind.ORDER, triggered, now_ms)
        active = replace(triggered, status=OrderStatus.NEW)
        if account.house.reserves and order.stop_order_type.is_position_stop:
            make_room(self._registry, account, active, now_ms)
        try:
            check_margin(self._floor, account, active)
        except VenueRefusal:
            rejected = replace(active, status=OrderStatus.REJECTED, reject_reason="EC_Others")
            self._registry.put(account, rejected, now_ms)
            return
        self._matcher.enter(account, active, now_ms)
        if account.house.freezes:
            rearm(self._floor, account)


def _last_watches(market: Market) -> list[tuple[Waiting, LevelIndex]]:
    watches = [
        (Waiting.ORDER, market.bids),
        (Waiting.ORDER, market.asks),
        (Waiting.TRIGGER, market.last_fall),
        (Waiting.TRIGGER, market.last_rise),
    ]
    return watches + _mark_watches(market) if market.mark_apart is None else watches


def _mark_watches(market: Market) -> list[tuple[Waiting, LevelIndex]]:
    return [
        (Waiting.TRIGGER, market.mark_fall),
        (Waiting.TRIGGER, market.mark_rise),
        (Waiting.ALERT, market.alerts_below),
        (Waiting.ALERT, market.alerts_above),
    ]
