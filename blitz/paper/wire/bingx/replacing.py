"""Answers of `trade/amend` and `trade/cancelReplace`: changing an order by its quantity alone, or by another order."""

from blitz.paper.engine import AmendRequest, Order, VenueRefusal
from blitz.paper.wire.bingx.envelope import PARAMETERS, code_of, message_of, refusal
from blitz.paper.wire.bingx.order_requests import order_request
from blitz.paper.wire.bingx.orders import cancelled, find, identity, rows_of
from blitz.paper.wire.bingx.rows import SIDES, number, type_of, working_type
from blitz.paper.wire.bingx.symbols import SIDE_NAMES, needed_symbol, on_the_wire
from blitz.paper.wire.calls import Call
from blitz.paper.wire.text import JsonObject

MODES = ("STOP_ON_FAILURE", "ALLOW_FAILURE")


def amend(call: Call) -> JsonObject:
    """POST trade/amend: a new quantity, nothing else. Ids and price survive. The same quantity again is fine."""
    symbol, quantity = needed_symbol(call), call.params.decimal("quantity")
    if quantity is None:
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:quantity: This field is required")
    order_id, link_id = identity(call.params)
    order = find(call.account.open_orders(), symbol, order_id, link_id)
    if order is None or order.quantity != quantity:
        request = AmendRequest(symbol=symbol, order_id=order_id, link_id=link_id, quantity=quantity)
        order = call.venue.amend_order(call.account, request, call.now_ms)
    return {
        "orderId": int(order.order_id),
        "clientOrderId": order.link_id,
        "symbol": on_the_wire(symbol),
        "quantity": number(order.quantity),
    }


def cancel_replace(call: Call) -> JsonObject:
    """POST trade/cancelReplace: cancel one order, then place another, each half with an outcome of its own.

    Parameters that cannot be read refuse the whole. After that the halves part: with STOP_ON_FAILURE a cancel that
    fails ends it; a new order that is refused after the cancel leaves no order at all. The envelope is a success
    either way.
    """
    symbol, request = needed_symbol(call), order_request(call)
    order_id, link_id = identity(call.params, "cancel")
    mode = call.params.text("cancelReplaceMode")
    if mode not in MODES:
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:cancelReplaceMode: must be one of {', '.join(MODES)}")
    old = find(call.account.open_orders(), symbol, order_id, link_id)
    answer: JsonObject = {
        "cancelResult": "true",
        "cancelMsg": "",
        "cancelResponse": None if old is None else _cancel_row(call, old, link_id),
        "replaceResult": "false",
        "replaceMsg": "",
        "newOrderResponse": None,
    }
    try:
        cancelled(call, symbol, order_id, link_id)
    except VenueRefusal as no:
        answer |= {"cancelResult": "false", "cancelMsg": _words(no)}
        if mode == "STOP_ON_FAILURE":
            return answer
    try:
        if call.fault is not None:
            raise VenueRefusal(code_of(call.fault.code), call.fault.message or message_of(code_of(call.fault.code)))
        placed = call.venue.place_order(call.account, request, call.now_ms)
    except VenueRefusal as no:
        return answer | {"replaceMsg": _words(no)}
    return answer | {"replaceResult": "true", "newOrderResponse": _new_row(call, placed)}


def _words(no: VenueRefusal) -> str:
    """A refusal inside a half: its number is part of the text."""
    said = refusal(no)
    return f"code:{said['code']}, msg:{said['msg']}"


def _cancel_row(call: Call, order: Order, link_id: str) -> JsonObject:
    """The old order as it was before the cancel."""
    return {"cancelClientOrderId": link_id, "cancelOrderId": int(order.order_id), **rows_of(call, [order])[0]}


def _new_row(call: Call, order: Order) -> JsonObject:
    """The new order as it was asked for. What it carries stays the text that came."""
    return {
        "orderId": int(order.order_id),
        "symbol": on_the_wire(order.symbol),
        "positionSide": SIDE_NAMES[order.position_idx],
        "side": SIDES[order.side],
        "type": type_of(order),
        "price": number(order.price),
        "quantity": number(order.quantity),
        "stopPrice": number(order.trigger_price),
        "workingType": working_type(order),
        "clientOrderId": order.link_id,
        "timeInForce": order.time_in_force.value,
        "priceRate": 0,
        "stopLoss": call.params.text("stopLoss"),
        "takeProfit": call.params.text("takeProfit"),
        "reduceOnly": order.reduce_only and not order.position_idx,
    }
