"""Answers of `trade/order` (POST, DELETE, GET), `trade/openOrders` and `trade/allOpenOrders`."""

from collections.abc import Iterable
from decimal import Decimal

from blitz.paper.engine import Order, OrderStatus, VenueRefusal
from blitz.paper.wire.bingx.envelope import ORDER_FILLED, ORDER_UNKNOWN, PARAMETERS, message_of
from blitz.paper.wire.bingx.order_requests import order_request
from blitz.paper.wire.bingx.rows import order_row, placed_row, profits
from blitz.paper.wire.bingx.symbols import needed_symbol, wanted_symbol
from blitz.paper.wire.calls import Call
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject


def place(call: Call) -> JsonObject:
    """POST trade/order."""
    return {"order": placed_row(call.venue.place_order(call.account, order_request(call), call.now_ms))}


def cancel(call: Call) -> JsonObject:
    """DELETE trade/order: by order id or client id. One that is filled already is 80018, one that is unknown 109421."""
    symbol = needed_symbol(call)
    return {"order": rows_of(call, [cancelled(call, symbol, *identity(call.params))])[0]}


def cancelled(call: Call, symbol: str, order_id: str, link_id: str) -> Order:
    """End an open order of the account, or refuse with BingX's reason."""
    account = call.account
    if order_id not in account.open and link_id not in account.open_link_ids:
        ended = find(account.closed, symbol, order_id, link_id)
        if ended is not None and ended.status is OrderStatus.FILLED:
            raise VenueRefusal(ORDER_FILLED, message_of(ORDER_FILLED))
    return call.venue.cancel_order(account, symbol, order_id or None, link_id or None, call.now_ms)


def identity(params: Params, prefix: str = "") -> tuple[str, str]:
    """(order id, client id) a request names; a client id is folded as the exchange folds it.

    Raises 109400 when both are missing. An order id that is no number (a client wrote its own word for nothing) counts
    as none.
    """
    order_id, link_id = identity_or_none(params, prefix)
    if not order_id and not link_id:
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:orderId or clientOrderId is required")
    return order_id, link_id


def identity_or_none(params: Params, prefix: str = "") -> tuple[str, str]:
    """The same, both empty when neither is there."""
    own = (lambda name: f"{prefix}{name[0].upper()}{name[1:]}") if prefix else str
    order_id = params.text(own("orderId"))
    link_id = params.text(own("clientOrderID")) or params.text(own("clientOrderId"))
    return (order_id if order_id.isdecimal() else ""), link_id.lower()


def find(orders: Iterable[Order], symbol: str, order_id: str, link_id: str) -> Order | None:
    """The newest order of a list, oldest first, that goes by this id."""
    found = None
    for order in orders:
        if order.symbol == symbol and (order.order_id == order_id if order_id else order.link_id == link_id):
            found = order
    return found


def query(call: Call) -> JsonObject:
    """GET trade/order: open or ended, by order id or client id."""
    symbol = needed_symbol(call)
    order_id, link_id = identity(call.params)
    order = find(call.seen.open_orders, symbol, order_id, link_id)
    order = order or find(call.seen.closed_orders, symbol, order_id, link_id)
    if order is None:
        raise VenueRefusal(ORDER_UNKNOWN, message_of(ORDER_UNKNOWN))
    return {"order": rows_of(call, [order])[0]}


def open_orders(call: Call) -> JsonObject:
    """GET trade/openOrders: every open order of a pair or of the account, of all kinds, newest first, in one page."""
    symbol = wanted_symbol(call)
    found = [order for order in call.seen.open_orders if symbol in ("", order.symbol)]
    return {"orders": rows_of(call, found[::-1])}


def cancel_all(call: Call) -> JsonObject:
    """DELETE trade/allOpenOrders: of one pair, or, without a symbol, of the whole account."""
    symbol = wanted_symbol(call)
    gone = call.venue.cancel_all(call.account, symbol or None, "USDT", None, call.now_ms)
    return {"success": rows_of(call, gone), "failed": None}


def rows_of(call: Call, orders: list[Order]) -> list[JsonObject]:
    """Orders as rows, each with the leverage of its side and what its fills have realised."""
    executions = call.view.executions if call.view is not None else call.account.executions
    realised = profits(orders, executions)
    rows = []
    for order in orders:
        settings = call.venue.settings(call.account, order.symbol)
        leverage = settings.sell_leverage if order.position_idx == 2 else settings.buy_leverage
        rows.append(order_row(order, leverage, realised.get(order.order_id, Decimal(0))))
    return rows
