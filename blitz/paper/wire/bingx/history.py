"""Answers about what has ended: `trade/allOrders`, `trade/fullOrder`, `trade/allFillOrders`, `trade/fillHistory`, and
`user/income`. Windows and page sizes are BingX's."""

from collections.abc import Sequence
from dataclasses import dataclass

from blitz.paper.engine import ExecType, Execution, Order, VenueRefusal
from blitz.paper.wire.bingx.envelope import PARAMETERS
from blitz.paper.wire.bingx.orders import rows_of
from blitz.paper.wire.bingx.rows import fill_history_row, fill_row
from blitz.paper.wire.bingx.symbols import needed_symbol, on_the_wire, wanted_symbol
from blitz.paper.wire.calls import Call
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject, plain

DAY_MS = 86_400_000
ORDERS_WINDOW_MS = 7 * DAY_MS
FILL_ORDERS_WINDOW_MS = 30 * DAY_MS
FILL_HISTORY_WINDOW_MS = 7 * DAY_MS
INCOME_WINDOW_MS = 90 * DAY_MS
FORCED = {"LIQUIDATION": "CreateByLiq", "ADL": "CreateByAdl_PassThrough"}
"""BingX's words for why the venue closed, and what the engine calls orders made for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time, both ends included."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.start_ms <= at_ms <= self.end_ms


def window_of(call: Call, start_name: str, end_name: str, longest_ms: int, *, needed: bool = False) -> Window:
    """The window a query asks for, the latest one when it asks for none. Raises 109400 beyond the longest."""
    start_ms, end_ms = call.params.integer(start_name), call.params.integer(end_name)
    if needed and start_ms is None:
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:{start_name}: This field is required")
    end_ms = call.now_ms if end_ms is None else end_ms
    start_ms = end_ms - longest_ms if start_ms is None else start_ms
    if end_ms < start_ms or end_ms - start_ms > longest_ms:
        days = longest_ms // DAY_MS
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:{start_name}: the window is 0 to {days} days")
    return Window(start_ms=start_ms, end_ms=end_ms)


def _size(params: Params, name: str, usual: int, largest: int) -> int:
    asked = params.integer(name)
    if asked is None:
        return usual
    if asked <= 0:
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:{name}: must be above 0")
    return min(asked, largest)


def all_orders(call: Call) -> JsonObject:
    """GET trade/allOrders: ended orders of at most seven days, newest first, 500 unless asked, 1000 at most."""
    return _orders(call, call.seen.closed_orders)


def full_order(call: Call) -> JsonObject:
    """GET trade/fullOrder: open and ended ones together."""
    found = _orders(call, [*call.seen.closed_orders, *call.seen.open_orders])
    for row in found["orders"]:
        row.update({"isTwap": False, "mainOrderId": ""})
    return found


def _orders(call: Call, orders: Sequence[Order]) -> JsonObject:
    symbol = wanted_symbol(call)
    window = window_of(call, "startTime", "endTime", ORDERS_WINDOW_MS)
    from_id = call.params.integer("orderId") or 0
    found = [
        order
        for order in orders
        if symbol in ("", order.symbol) and window.holds(order.updated_ms) and int(order.order_id) >= from_id
    ]
    found.sort(key=lambda order: -order.sequence)
    return {"orders": rows_of(call, found[: _size(call.params, "limit", 500, 1000)])}


def force_orders(call: Call) -> JsonObject:
    """GET trade/forceOrders: orders by which the venue itself closed, for one reason (`autoCloseType`) or for both."""
    wanted = call.params.text("autoCloseType")
    if wanted and wanted not in FORCED:
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:autoCloseType: must be one of {', '.join(FORCED)}")
    kinds = [FORCED[wanted]] if wanted else list(FORCED.values())
    symbol = wanted_symbol(call)
    window = window_of(call, "startTime", "endTime", ORDERS_WINDOW_MS)
    found = [
        order
        for order in reversed(call.seen.closed_orders)
        if order.create_type in kinds and symbol in ("", order.symbol) and window.holds(order.updated_ms)
    ]
    return {"orders": rows_of(call, found[: _size(call.params, "limit", 50, 100)])}


def all_fill_orders(call: Call) -> JsonObject:
    """GET trade/allFillOrders: fills of one pair, newest first; `startTs` and `tradingUnit` are needed."""
    window = window_of(call, "startTs", "endTs", FILL_ORDERS_WINDOW_MS, needed=True)
    if call.params.text("tradingUnit") not in ("COIN", "CONT"):
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:tradingUnit: must be one of COIN, CONT")
    found = _fills(call, needed_symbol(call), window)
    return {"fill_orders": [fill_row(execution) for execution in found]}


def fill_history(call: Call) -> JsonObject:
    """GET trade/fillHistory: fills of at most seven days with trade id and role, newest first.

    Pages hold `pageSize` rows, 50 unless asked, 1000 at most; `total` counts all of them.
    """
    window = window_of(call, "startTs", "endTs", FILL_HISTORY_WINDOW_MS)
    size = _size(call.params, "pageSize", 50, 1000)
    page = _size(call.params, "pageIndex", 1, 1_000_000)
    after = call.params.integer("lastFillId")
    found = _fills(call, wanted_symbol(call), window)
    if after is not None:
        found = [execution for execution in found if int(execution.exec_id) > after]
    cut = found[(page - 1) * size : page * size]
    return {"fill_history_orders": [fill_history_row(execution) for execution in cut], "total": len(found)}


def _fills(call: Call, symbol: str, window: Window) -> list[Execution]:
    order_id = call.params.text("orderId")
    found = []
    # In the order they happened: once one is older than the window, all earlier ones are.
    for execution in reversed(call.seen.executions):
        if execution.at_ms < window.start_ms:
            break
        wanted = execution.exec_type is not ExecType.FUNDING and execution.at_ms <= window.end_ms
        if wanted and symbol in ("", execution.symbol) and order_id in ("", execution.order_id):
            found.append(execution)
    return found


def income(call: Call) -> list[JsonObject]:
    """GET user/income: funding, fees and realised profit, newest first, 100 rows unless asked, 1000 at most."""
    symbol, kind = wanted_symbol(call), call.params.text("incomeType")
    window = window_of(call, "startTime", "endTime", INCOME_WINDOW_MS)
    rows: list[JsonObject] = []
    for execution in reversed(call.seen.executions):
        if window.holds(execution.at_ms) and symbol in ("", execution.symbol):
            rows += [row for row in _income_rows(execution) if kind in ("", row["incomeType"])]
    return rows[: _size(call.params, "limit", 100, 1000)]


def _income_rows(execution: Execution) -> list[JsonObject]:
    """What one execution did to the balance: up to two rows, none for what is zero."""
    if execution.exec_type is ExecType.FUNDING:
        parts = [("FUNDING_FEE", -execution.fee, "Funding Fee")]
    else:
        parts = [
            ("REALIZED_PNL", execution.realised, "Sell to Close" if execution.side == "Sell" else "Buy to Close"),
            ("TRADING_FEE", -execution.fee, f"Position {'closing' if execution.closed_size else 'opening'} fee"),
        ]
    return [
        {
            "symbol": on_the_wire(execution.symbol),
            "incomeType": kind,
            "income": plain(amount),
            "asset": "USDT",
            "info": info,
            "time": execution.at_ms,
            "tranId": f"{execution.exec_id}_{number}",
            "tradeId": execution.exec_id,
        }
        for number, (kind, amount, info) in enumerate(parts)
        if amount
    ]
