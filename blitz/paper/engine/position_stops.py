"""Take-profit and stop-loss of a position: set, changed and removed by trading-stop or by an order that carried them.

Each is a child order of the position: untriggered, reduce-only, close-on-trigger, without a client id. In Full
mode there is at most one of each kind and it covers the whole position; Partial ones state a size and add up.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.events import EventKind
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.followers import position_stops
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.margin import position_report
from blitz.paper.engine.orders import (
    ZERO,
    Order,
    OrderStatus,
    OrderType,
    Side,
    StopMode,
    StopOrderType,
    TimeInForce,
    TradingStopRequest,
    TriggerBy,
    TriggerDirection,
)
from blitz.paper.engine.refusals import PARAMETER_ERROR, STOP_UNCHANGED, TOO_MANY_PARTIAL_STOPS, VenueRefusal
from blitz.paper.engine.registry import Registry

PARTIAL_STOPS_MAX = 20
"""Partial take-profits and stop-losses one position may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWish:
    """One child somebody wants. `trigger_price` 0 removes the full one of its kind."""

    kind: StopOrderType
    trigger_price: Decimal
    trigger_by: TriggerBy
    size: Decimal | None = None
    limit_price: Decimal | None = None

    @property
    def is_profit(self) -> bool:
        """Whether it takes profit rather than stops a loss."""
        return self.kind.takes_profit


def check_stop_side(name: str, price: Decimal, base: Decimal, *, above: bool, position: Side) -> None:
    """Refuse (10001) a take-profit or stop-loss on the wrong side of `base`; 0 means none."""
    if price and (price <= base if above else price >= base):
        relation = "higher" if above else "lower"
        message = f"{name}:{price} set for {position.value} position should be {relation} than base_price:{base}"
        raise VenueRefusal(PARAMETER_ERROR, message)


def check_stop_price(instrument: Instrument, name: str, price: Decimal) -> None:
    """Refuse (10001) a stop price that is off the tick or out of range; 0 means none."""
    if not price.is_finite():
        raise VenueRefusal(PARAMETER_ERROR, f"params error: {name} invalid")
    if price and not (instrument.min_price <= price <= instrument.max_price and instrument.is_on_tick(price)):
        raise VenueRefusal(PARAMETER_ERROR, f"params error: {name} invalid")


class PositionStops:
    """Creates and changes the children of positions."""

    def __init__(self, floor: Floor, registry: Registry) -> None:
        self._floor = floor
        self._registry = registry

    def set(self, account: Account, request: TradingStopRequest, now_ms: int) -> None:
        """Carry out position/trading-stop."""
        market = self._floor.market(request.symbol)
        holding = account.holding(request.symbol, request.position_idx)
        if not holding.size:
            raise VenueRefusal(PARAMETER_ERROR, "can not set tp/sl/ts for zero position")
        wishes = wishes_of(request)
        for wish in wishes:
            name = "TakeProfit" if wish.is_profit else "StopLoss"
            check_stop_price(market.instrument, name, wish.trigger_price)
            if wish.limit_price is not None:
                check_stop_price(market.instrument, f"{name} limit price", wish.limit_price)
            above = wish.is_profit is (holding.side is Side.BUY)
            check_stop_side(name, wish.trigger_price, market.price(wish.trigger_by), above=above, position=holding.side)
            self._check_size(account, request, wish, holding.size)
        changes = [wish for wish in wishes if self._changes(account, request.symbol, request.position_idx, wish)]
        if not changes:
            raise VenueRefusal(STOP_UNCHANGED, "not modified")
        account.stop_modes[request.symbol, request.position_idx] = request.tpsl_mode
        for wish in changes:
            self._apply(account, request.symbol, request.position_idx, wish, now_ms)
        report = position_report(self._floor, account, request.symbol, request.position_idx)
        self._floor.tell(account, EventKind.POSITION, report, now_ms)

    def attach(self, account: Account, order: Order, now_ms: int) -> None:
        """Give the position an order has opened the take-profit and stop-loss the order carried."""
        holding = account.holding(order.symbol, order.position_idx)
        if holding.side is not order.side:
            return
        for kind, price, trigger_by in (
            (StopOrderType.TAKE_PROFIT, order.take_profit, order.tp_trigger_by),
            (StopOrderType.STOP_LOSS, order.stop_loss, order.sl_trigger_by),
        ):
            wish = StopWish(kind=kind, trigger_price=price, trigger_by=trigger_by)
            if price and self._changes(account, order.symbol, order.position_idx, wish):
                self._apply(account, order.symbol, order.position_idx, wish, now_ms)

    def _check_size(self, account: Account, request: TradingStopRequest, wish: StopWish, held: Decimal) -> None:
        if wish.size is None:
            return
        instrument = self._floor.market(request.symbol).instrument
        if wish.size <= 0 or wish.size > held or not instrument.is_on_step(wish.size):
            raise VenueRefusal(PARAMETER_ERROR, "params error: tpSize or slSize invalid")
        children = position_stops(account, request.symbol, request.position_idx)
        if sum(child.tpsl_mode is StopMode.PARTIAL for child in children) >= PARTIAL_STOPS_MAX:
            raise VenueRefusal(TOO_MANY_PARTIAL_STOPS, "You can set up to 20 partial take-profit and stop-loss orders")

    def _changes(self, account: Account, symbol: str, position_idx: int, wish: StopWish) -> bool:
        if wish.size is not None:
            return True
        current = self._current(account, symbol, position_idx, wish.kind)
        if current is None:
            return bool(wish.trigger_price)
        return (current.trigger_price, current.trigger_by) != (wish.trigger_price, wish.trigger_by)

    def _current(self, account: Account, symbol: str, position_idx: int, kind: StopOrderType) -> Order | None:
        for child in position_stops(account, symbol, position_idx):
            if child.stop_order_type is kind:
                return child
        return None

    def _apply(self, account: Account, symbol: str, position_idx: int, wish: StopWish, now_ms: int) -> None:
        current = None if wish.size is not None else self._current(account, symbol, position_idx, wish.kind)
        if current is not None and wish.trigger_price:
            moved = replace(current, trigger_price=wish.trigger_price, trigger_by=wish.trigger_by)
            self._registry.put(account, moved, now_ms)
        elif current is not None:
            self._registry.cancel(account, current, now_ms, cancel_type="CancelByTpSlTsClear", reason="EC_NoError")
        elif wish.trigger_price:
            self._registry.put(account, self._child(account, symbol, position_idx, wish, now_ms), now_ms)

    def _child(self, account: Account, symbol: str, position_idx: int, wish: StopWish, now_ms: int) -> Order:
        holding = account.holding(symbol, position_idx)
        rises = wish.is_profit is (holding.side is Side.BUY)
        sequence = self._floor.ids.sequence()
        limited = wish.limit_price is not None and wish.limit_price > 0
        return Order(
            order_id=self._floor.new_id(account, "order", sequence),
            sequence=sequence,
            symbol=symbol,
            side=holding.side.opposite,
            order_type=OrderType.LIMIT if limited else OrderType.MARKET,
            quantity=holding.size if wish.size is None else wish.size,
            price=wish.limit_price or ZERO,
            status=OrderStatus.UNTRIGGERED,
            created_ms=now_ms,
            updated_ms=now_ms,
            time_in_force=TimeInForce.GTC if limited else TimeInForce.IOC,
            position_idx=position_idx,
            reduce_only=True,
            close_on_trigger=True,
            trigger_price=wish.trigger_price,
            trigger_direction=TriggerDirection.RISE if rises else TriggerDirection.FALL,
            trigger_by=wish.trigger_by,
            stop_order_type=wish.kind,
            tpsl_mode=StopMode.FULL if wish.size is None else StopMode.PARTIAL,
            create_type=f"CreateBy{wish.kind.value}",
            last_price_on_created=self._floor.market(symbol).last,
        )


def wishes_of(request: TradingStopRequest) -> list[StopWish]:
    """Split a trading-stop request into the children it asks for. Partial mode needs a size for each price."""
    partial = request.tpsl_mode is StopMode.PARTIAL
    rows = (
        (request.take_profit, request.tp_trigger_by, request.tp_size, request.tp_limit_price,
         StopOrderType.PARTIAL_TAKE_PROFIT if partial else StopOrderType.TAKE_PROFIT),
        (request.stop_loss, request.sl_trigger_by, request.sl_size, request.sl_limit_price,
         StopOrderType.PARTIAL_STOP_LOSS if partial else StopOrderType.STOP_LOSS),
    )  # fmt: skip
    wishes: list[StopWish] = []
    for price, trigger_by, size, limit_price, kind in rows:
        if price is None:
            continue
        if not price.is_finite() or price < 0 or (partial and size is None):
            raise VenueRefusal(PARAMETER_ERROR, "params error: take profit or stop loss invalid")
        wishes.append(
            StopWish(
                kind=kind,
                trigger_price=price,
                trigger_by=trigger_by,
                size=size if partial else None,
                limit_price=limit_price if partial else None,
            )
        )
    return wishes
