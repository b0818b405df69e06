"""What happens to an order that enters the market, and to a resting one that the price touches.

`Matcher.enter` takes what the synthetic book offers and lets the rest wait or end, as type and time in force say.
Called by the order desk, the price path (triggers) and the position stops. Whether the order is allowed at all was
decided before (`admission.py`).
"""

from dataclasses import replace
from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.book import walk
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.followers import closable, reserved
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, OrderType, TimeInForce
from blitz.paper.engine.position_stops import PositionStops
from blitz.paper.engine.registry import Registry
from blitz.paper.engine.settlement import Fill, Settlement

Slices = list[tuple[Decimal, Decimal]]


class Matcher:
    """Executes orders against the synthetic book and the moving price."""

    def __init__(self, floor: Floor, registry: Registry, settlement: Settlement, stops: PositionStops) -> None:
        self._floor = floor
        self._registry = registry
        self._settlement = settlement
        self._stops = stops

    def slices(self, order: Order) -> Slices:
        """What the book offers the order now."""
        market = self._floor.market(order.symbol)
        limit = order.price if order.order_type is OrderType.LIMIT else None
        left = order.leaves_quantity
        return walk(market.shape, market.instrument, market.last, order.side, left, limit)

    def fitted(self, account: Account, order: Order, *, stays: bool = False) -> Order | None:
        """Cut a reduce-only order to what it can close, or None when that is nothing.

        The part that trades at once may use the whole position. The part that would rest gets what other
        resting reduce-only orders leave over. `stays`: the order rests already and will not take.
        """
        if not order.reduce_only:
            return order
        size = closable(account, order.symbol, order.position_idx, order.side)
        takeable = min(order.leaves_quantity, size)
        if not takeable:
            return None
        cut = _with_left(order, takeable)
        if not _may_rest(order):
            return cut
        taken = ZERO if stays else sum((quantity for _, quantity in self.slices(cut)), ZERO)
        if order.time_in_force is TimeInForce.POST_ONLY and taken:
            return cut
        others = reserved(account, order.symbol, order.position_idx, except_id=order.order_id)
        resting = min(takeable - taken, max(ZERO, size - taken - others))
        return _with_left(order, taken + resting) if taken + resting else None

    def enter(self, account: Account, order: Order, now_ms: int) -> Order:
        """Trade what trades at once; rest, end or refuse the remainder. The order must not be registered as open."""
        fitted = self.fitted(account, order)
        if fitted is None:
            return self._end(account, order, now_ms, "CancelByReduceOnly", "EC_NoError")
        slices = self.slices(fitted)
        if fitted.time_in_force is TimeInForce.POST_ONLY and slices:
            return self._end(account, fitted, now_ms, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
        offered = sum((quantity for _, quantity in slices), ZERO)
        if fitted.time_in_force is TimeInForce.FOK and offered < fitted.leaves_quantity:
            return self._end(account, fitted, now_ms, "UNKNOWN", "EC_NoEnoughQtyToFill")
        entered = fitted
        for price, quantity in slices:
            entered = self._settlement.fill(account, entered, Fill(price=price, quantity=quantity), now_ms)
        return self._finish(account, fitted, entered, now_ms)

    def touch(self, account: Account, order: Order, now_ms: int) -> Order:
        """Fill a resting order at its own price as maker, as far as one touch may."""
        quantity = min(order.leaves_quantity, self._floor.max_fills.get(account.key, order.leaves_quantity))
        if order.reduce_only:
            quantity = min(quantity, closable(account, order.symbol, order.position_idx, order.side))
        fill = Fill(price=order.price, quantity=quantity, is_maker=True)
        self._registry.take_out(account, order.order_id)
        return self._finish(account, order, self._settlement.fill(account, order, fill, now_ms), now_ms)

    def _finish(self, account: Account, before: Order, after: Order, now_ms: int) -> Order:
        if after.status is not OrderStatus.FILLED and not _may_rest(after):
            after = replace(
                after, status=OrderStatus.CANCELLED, cancel_type="UNKNOWN", reject_reason="EC_NoImmediateQtyToFill"
            )
        stored = self._registry.put(account, after, now_ms)
        if after.filled_quantity > before.filled_quantity:
            if not before.filled_quantity:
                self._stops.attach(account, stored, now_ms)
            self._settlement.after_fill(account, stored.symbol, stored.position_idx, now_ms)
        return account.open.get(stored.order_id, stored)

    def _end(self, account: Account, order: Order, now_ms: int, cancel_type: str, reason: str) -> Order:
        active = replace(order, status=OrderStatus.NEW)
        return self._registry.cancel(account, active, now_ms, cancel_type=cancel_type, reason=reason)


def _with_left(order: Order, left: Decimal) -> Order:
    """The order with so much of it left to fill."""
    quantity = order.filled_quantity + left
    return order if quantity == order.quantity else replace(order, quantity=quantity)


def _may_rest(order: Order) -> bool:
    waits = order.time_in_force in (TimeInForce.GTC, TimeInForce.POST_ONLY)
    return order.order_type is OrderType.LIMIT and waits
