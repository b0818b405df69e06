"""Answers of `/v5/order/…` and `/v5/execution/list`: reads parameters, calls the engine, writes rows.

The rules are the engine's; what is decided here is only which rows a query may see and in which pages.
"""

from collections.abc import Iterator, Sequence

from blitz.paper.engine import (
    AmendRequest,
    ExecType,
    Execution,
    Lookup,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StopMode,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    VenueRefusal,
)
from blitz.paper.wire.bybit.paging import EXECUTIONS, ORDER_HISTORY, REALTIME, PageRule, page_of
from blitz.paper.wire.bybit.queries import empty_listing, is_linear, listing, require_linear, week_of
from blitz.paper.wire.bybit.rows import execution_row, order_row
from blitz.paper.wire.calls import Call, word_of
from blitz.paper.wire.params import Params, invalid
from blitz.paper.wire.text import JsonObject

RECENT_CLOSED_MAX = 500
CANCELLED_KEPT_MS = 86_400_000
ENDED_WITHOUT_FILL = frozenset({OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.DEACTIVATED})


def create(call: Call) -> JsonObject:
    """POST /v5/order/create."""
    require_linear(call)
    return _reference(call.venue.place_order(call.account, order_request(call.params), call.now_ms))


def order_request(params: Params) -> OrderRequest:
    """Read the parameters of order/create. Raises 10001 for those that cannot be read."""
    direction = params.integer("triggerDirection") or 0
    if direction not in (0, 1, 2):
        raise invalid("triggerDirection")
    quantity = params.decimal("qty")
    if quantity is None:
        raise VenueRefusal(10001, "params error: qty is required")
    order_type = word_of(params, "orderType", OrderType, OrderType.LIMIT)
    usual_time_in_force = TimeInForce.IOC if order_type is OrderType.MARKET else TimeInForce.GTC
    return OrderRequest(
        symbol=params.required("symbol"),
        side=_side(params),
        order_type=order_type,
        quantity=quantity,
        price=params.decimal("price"),
        time_in_force=word_of(params, "timeInForce", TimeInForce, usual_time_in_force),
        link_id=params.text("orderLinkId"),
        position_idx=params.integer("positionIdx") or 0,
        reduce_only=params.flag("reduceOnly"),
        close_on_trigger=params.flag("closeOnTrigger"),
        trigger_price=params.decimal("triggerPrice"),
        trigger_direction=TriggerDirection(direction),
        trigger_by=word_of(params, "triggerBy", TriggerBy, TriggerBy.LAST),
        take_profit=params.decimal("takeProfit"),
        stop_loss=params.decimal("stopLoss"),
        tp_trigger_by=word_of(params, "tpTriggerBy", TriggerBy, TriggerBy.LAST),
        sl_trigger_by=word_of(params, "slTriggerBy", TriggerBy, TriggerBy.LAST),
        tpsl_mode=word_of(params, "tpslMode", StopMode, StopMode.FULL),
    )


def _side(params: Params) -> Side:
    side = params.required("side")
    if side not in (Side.BUY, Side.SELL):
        raise VenueRefusal(10001, "params error: side invalid")
    return Side(side)


def amend(call: Call) -> JsonObject:
    """POST /v5/order/amend. A value that is absent stays; 0 removes a take-profit or stop-loss."""
    require_linear(call)
    params = call.params
    order_id, link_id = _identity(params)
    request = AmendRequest(
        symbol=params.required("symbol"),
        order_id=order_id,
        link_id=link_id,
        quantity=params.decimal("qty"),
        price=params.decimal("price"),
        trigger_price=params.decimal("triggerPrice"),
        trigger_by=word_of(params, "triggerBy", TriggerBy, TriggerBy.LAST) if params.text("triggerBy") else None,
        take_profit=params.decimal("takeProfit"),
        stop_loss=params.decimal("stopLoss"),
    )
    return _reference(call.venue.amend_order(call.account, request, call.now_ms))


def cancel(call: Call) -> JsonObject:
    """POST /v5/order/cancel."""
    require_linear(call)
    order_id, link_id = _identity(call.params)
    symbol = call.params.required("symbol")
    return _reference(call.venue.cancel_order(call.account, symbol, order_id or None, link_id or None, call.now_ms))


def _identity(params: Params) -> tuple[str, str]:
    order_id, link_id = params.text("orderId"), params.text("orderLinkId")
    if not order_id and not link_id:
        raise VenueRefusal(10001, "params error: orderId or orderLinkId is required")
    return order_id, link_id


def cancel_all(call: Call) -> JsonObject:
    """POST /v5/order/cancel-all: of one symbol, or of all that settle in a coin."""
    if not is_linear(call):
        return {"list": [], "success": "1"}
    params = call.params
    _require_market(params)
    settle = params.text("settleCoin") or None
    symbol = params.text("symbol") or (f"{params.text('baseCoin')}USDT" if params.text("baseCoin") else None)
    gone = call.venue.cancel_all(call.account, symbol, settle, params.text("orderFilter") or None, call.now_ms)
    return {"list": [_reference(order) for order in gone], "success": "1"}


def _reference(order: Order) -> JsonObject:
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def realtime(call: Call) -> JsonObject:
    """GET /v5/order/realtime: open orders, newest first.

    Asked by id, or with openOnly=1, it also knows the last 500 ended ones.
    """
    if not is_linear(call):
        return empty_listing(call)
    _require_market(call.params)
    lookup = _lookup(call.params)
    found = [order for order in call.seen.open_orders if lookup.matches_order(order)]
    only_open = (call.params.integer("openOnly") or 0) == 0
    if lookup.order_id or lookup.link_id or not only_open:
        recent = call.seen.closed_orders[-RECENT_CLOSED_MAX:]
        found += [order for order in recent if lookup.matches_order(order)]
    return _order_listing(found, call.params, REALTIME)


def history(call: Call) -> JsonObject:
    """GET /v5/order/history: ended orders of at most seven days, newest first. Cancelled ones are kept for a day."""
    if not is_linear(call):
        return empty_listing(call)
    start_ms, end_ms = week_of(call)
    status = _status(call.params)
    lookup = _lookup(call.params, start_ms=start_ms, end_ms=end_ms, status=status)
    found = list(_ended_since(call.seen.closed_orders, lookup, start_ms, call.now_ms - CANCELLED_KEPT_MS))
    return _order_listing(found, call.params, ORDER_HISTORY)


def _ended_since(orders: Sequence[Order], lookup: Lookup, start_ms: int, forgotten_ms: int) -> Iterator[Order]:
    # In the order they ended: once one ended before the window, all earlier ones did, and began before it too.
    for order in reversed(orders):
        if order.updated_ms < start_ms:
            return
        if lookup.matches_order(order) and not _is_forgotten(order, forgotten_ms):
            yield order


def _is_forgotten(order: Order, forgotten_ms: int) -> bool:
    return order.updated_ms < forgotten_ms and order.status in ENDED_WITHOUT_FILL and not order.filled_quantity


def _order_listing(orders: list[Order], params: Params, rule: PageRule) -> JsonObject:
    newest_first = sorted(orders, key=_sequence, reverse=True)
    page = page_of(newest_first, params, rule, _sequence)
    return listing([order_row(order) for order in page.rows], page.cursor)


def _sequence(row: Order | Execution) -> int:
    return row.sequence


def executions(call: Call) -> JsonObject:
    """GET /v5/execution/list: fills, funding and forced trades of at most seven days, newest first."""
    if not is_linear(call):
        return empty_listing(call)
    start_ms, end_ms = week_of(call)
    lookup = _lookup(call.params, start_ms=start_ms, end_ms=end_ms)
    wanted = word_of(call.params, "execType", ExecType, ExecType.TRADE) if call.params.text("execType") else None
    found = list(_executions_since(call.seen.executions, lookup, wanted, start_ms))
    page = page_of(found, call.params, EXECUTIONS, _sequence)
    return listing([execution_row(execution) for execution in page.rows], page.cursor)


def _executions_since(
    executions: Sequence[Execution], lookup: Lookup, wanted: ExecType | None, start_ms: int
) -> Iterator[Execution]:
    for execution in reversed(executions):
        if execution.at_ms < start_ms:
            return
        if (
            (wanted is None or execution.exec_type is wanted)
            and lookup.matches_time(execution.at_ms)
            and lookup.matches_market(execution.symbol)
            and lookup.matches_ids(execution.order_id, execution.link_id)
        ):
            yield execution


def _lookup(
    params: Params, *, start_ms: int | None = None, end_ms: int | None = None, status: OrderStatus | None = None
) -> Lookup:
    return Lookup(
        symbol=params.text("symbol"),
        settle_coin=params.text("settleCoin"),
        base_coin=params.text("baseCoin"),
        order_id=params.text("orderId"),
        link_id=params.text("orderLinkId"),
        order_filter=params.text("orderFilter"),
        status=status,
        start_ms=start_ms,
        end_ms=end_ms,
    )


def _status(params: Params) -> OrderStatus | None:
    if not params.text("orderStatus"):
        return None
    return word_of(params, "orderStatus", OrderStatus, OrderStatus.FILLED)


def _require_market(params: Params) -> None:
    if not any(params.text(name) for name in ("symbol", "settleCoin", "baseCoin")):
        raise VenueRefusal(10001, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")
