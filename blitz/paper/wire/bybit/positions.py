"""Answers of `/v5/position/…`: positions, leverage, position mode, position stops, closed profit."""

from decimal import Decimal

from blitz.paper.engine import StopMode, TradingStopRequest, TriggerBy, VenueRefusal
from blitz.paper.wire.bybit.paging import CLOSED_PNL, POSITIONS, page_of
from blitz.paper.wire.bybit.queries import empty_listing, is_linear, listing, require_linear, week_of
from blitz.paper.wire.bybit.rows import closed_pnl_row, position_row
from blitz.paper.wire.calls import Call, word_of
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject

HEDGE_MODE = 3
ONE_WAY_MODE = 0


def position_list(call: Call) -> JsonObject:
    """GET /v5/position/list: every side of one symbol, flat ones too; by settle coin only open ones."""
    if not is_linear(call):
        return empty_listing(call)
    symbol, settle = call.params.text("symbol"), call.params.text("settleCoin")
    if not symbol and not settle:
        raise VenueRefusal(10001, "Missing some parameters that must be filled in, symbol or settleCoin")
    if symbol and symbol not in call.venue.instruments:
        raise VenueRefusal(10001, "params error: symbol invalid")
    if not symbol and settle != "USDT":
        return empty_listing(call)
    found = call.seen.positions(call.venue, call.account, symbol)
    ranks = {(position.symbol, position.position_idx): -rank for rank, position in enumerate(found)}
    page = page_of(found, call.params, POSITIONS, lambda row: ranks[(row.symbol, row.position_idx)])
    return listing([position_row(position) for position in page.rows], page.cursor)


def set_leverage(call: Call) -> JsonObject:
    """POST /v5/position/set-leverage."""
    require_linear(call)
    buy, sell = _leverage(call.params, "buyLeverage"), _leverage(call.params, "sellLeverage")
    call.venue.set_leverage(call.account, call.params.required("symbol"), buy, sell, call.now_ms)
    return {}


def _leverage(params: Params, name: str) -> Decimal:
    leverage = params.decimal(name)
    if leverage is None:
        raise VenueRefusal(10001, f"params error: {name} is required")
    return leverage


def switch_mode(call: Call) -> JsonObject:
    """POST /v5/position/switch-mode: mode 0 one-way, 3 hedge; for a symbol, or for a coin."""
    require_linear(call)
    mode = call.params.integer("mode")
    if mode not in (ONE_WAY_MODE, HEDGE_MODE):
        raise VenueRefusal(10001, "params error: mode invalid")
    symbol, coin = call.params.text("symbol") or None, call.params.text("coin") or None
    if symbol is None and coin is None:
        raise VenueRefusal(10001, "params error: symbol or coin is required")
    call.venue.switch_position_mode(
        call.account, symbol=symbol, coin=coin, hedge=mode == HEDGE_MODE, now_ms=call.now_ms
    )
    return {}


def trading_stop(call: Call) -> JsonObject:
    """POST /v5/position/trading-stop: absent stays, 0 removes."""
    require_linear(call)
    params = call.params
    if params.decimal("trailingStop"):
        raise VenueRefusal(10001, "params error: trailingStop is not offered by this paper exchange")
    request = TradingStopRequest(
        symbol=params.required("symbol"),
        position_idx=params.integer("positionIdx") or 0,
        take_profit=params.decimal("takeProfit"),
        stop_loss=params.decimal("stopLoss"),
        tp_trigger_by=word_of(params, "tpTriggerBy", TriggerBy, TriggerBy.LAST),
        sl_trigger_by=word_of(params, "slTriggerBy", TriggerBy, TriggerBy.LAST),
        tpsl_mode=word_of(params, "tpslMode", StopMode, StopMode.FULL),
        tp_size=params.decimal("tpSize"),
        sl_size=params.decimal("slSize"),
        tp_limit_price=params.decimal("tpLimitPrice"),
        sl_limit_price=params.decimal("slLimitPrice"),
    )
    call.venue.set_trading_stop(call.account, request, call.now_ms)
    return {}


def closed_pnl(call: Call) -> JsonObject:
    """GET /v5/position/closed-pnl: reductions of at most seven days, newest first."""
    if not is_linear(call):
        return empty_listing(call)
    start_ms, end_ms = week_of(call)
    symbol = call.params.text("symbol")
    found = [
        (rank, closed)
        for rank, closed in enumerate(call.seen.closed_pnl)
        if start_ms <= closed.at_ms <= end_ms and symbol in ("", closed.symbol)
    ]
    page = page_of(found[::-1], call.params, CLOSED_PNL, lambda ranked: ranked[0])
    return listing([closed_pnl_row(closed) for _, closed in page.rows], page.cursor)
