"""Orders that follow a position: resting reduce-only orders and the take-profit and stop-loss children.

Called by the settlement after each fill. Reduce-only orders are trimmed newest first, so that together they never
exceed the position; position stops cover exactly the position (Full) or at most it (Partial), and go when it goes.
"""

from dataclasses import replace
from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, Side, StopOrderType
from blitz.paper.engine.registry import Registry

FULL_STOPS = (StopOrderType.TAKE_PROFIT, StopOrderType.STOP_LOSS)


def closable(account: Account, symbol: str, position_idx: int, side: Side) -> Decimal:
    """How much an order of `side` could close in the slot."""
    holding = account.holding(symbol, position_idx)
    return holding.size if holding.side is side.opposite else ZERO


def resting_reduce_only(account: Account, symbol: str, position_idx: int, except_id: str = "") -> list[Order]:
    """Active reduce-only orders of the slot, newest first. Untriggered ones do not count: they hold nothing yet."""
    found = [
        order
        for order in account.open.values()
        if order.reduce_only
        and order.symbol == symbol
        and order.position_idx == position_idx
        and order.order_id != except_id
        and order.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    ]
    found.sort(key=lambda order: -order.sequence)
    return found


def reserved(account: Account, symbol: str, position_idx: int, except_id: str = "") -> Decimal:
    """Open quantity of the slot's resting reduce-only orders."""
    orders = resting_reduce_only(account, symbol, position_idx, except_id)
    return sum((order.leaves_quantity for order in orders), ZERO)


def stopped(account: Account, order: Order) -> Decimal:
    """Quantity of the other untriggered stops of the order's kind, in its slot and direction."""
    others = position_stops(account, order.symbol, order.position_idx)
    return sum(
        (
            other.quantity
            for other in others
            if other.side is order.side
            and other.order_id != order.order_id
            and other.stop_order_type.takes_profit is order.stop_order_type.takes_profit
        ),
        ZERO,
    )


def fit_reduce_only(registry: Registry, account: Account, symbol: str, position_idx: int, now_ms: int) -> None:
    """Trim or cancel resting reduce-only orders until they fit the position."""
    orders = resting_reduce_only(account, symbol, position_idx)
    for side in (Side.BUY, Side.SELL):
        size = closable(account, symbol, position_idx, side)
        _trim(registry, account, [order for order in orders if order.side is side], size, now_ms)


def make_room(registry: Registry, account: Account, stop: Order, now_ms: int) -> None:
    """Let resting closing orders give way to a stop that has triggered, as far as it needs to close."""
    size = closable(account, stop.symbol, stop.position_idx, stop.side)
    orders = [
        order for order in resting_reduce_only(account, stop.symbol, stop.position_idx) if order.side is stop.side
    ]
    _trim(registry, account, orders, max(ZERO, size - stop.leaves_quantity), now_ms)


def _trim(registry: Registry, account: Account, newest_first: list[Order], size: Decimal, now_ms: int) -> None:
    """Cut orders until together they hold no more than `size`."""
    excess = sum((order.leaves_quantity for order in newest_first), ZERO) - size
    for order in newest_first:
        if excess <= 0:
            return
        cut = min(excess, order.leaves_quantity)
        excess -= cut
        if cut == order.leaves_quantity:
            registry.cancel(account, order, now_ms, cancel_type="CancelByReduceOnly", reason="EC_NoError")
        else:
            registry.put(account, replace(order, quantity=order.quantity - cut), now_ms)


def position_stops(account: Account, symbol: str, position_idx: int) -> list[Order]:
    """Untriggered take-profit and stop-loss children of the slot, oldest first."""
    found = [
        order
        for order in account.open.values()
        if order.status is OrderStatus.UNTRIGGERED
        and order.stop_order_type.is_position_stop
        and order.symbol == symbol
        and order.position_idx == position_idx
    ]
    found.sort(key=lambda order: order.sequence)
    return found


def fit_position_stops(registry: Registry, account: Account, symbol: str, position_idx: int, now_ms: int) -> None:
    """Let the children cover the position as it is now."""
    for order in position_stops(account, symbol, position_idx):
        size = closable(account, symbol, position_idx, order.side)
        wanted = size if order.stop_order_type in FULL_STOPS else min(size, order.quantity)
        if not wanted:
            registry.cancel(account, order, now_ms, cancel_type="CancelByTpSlTsClear", reason="EC_NoError")
        elif wanted != order.quantity:
            registry.put(account, replace(order, quantity=wanted), now_ms)
