"""Answers of the public endpoints `/v5/market/…`. They read the venue and change nothing."""

from decimal import Decimal

from blitz.paper.engine import INTERVALS_MS, Instrument, Kline, VenueRefusal
from blitz.paper.wire.bybit.market_rows import (
    book_row,
    funding_row,
    instrument_row,
    kline_row,
    recent_trade_row,
    risk_limit_rows,
    ticker_row,
)
from blitz.paper.wire.bybit.paging import FUNDING_HISTORY, INSTRUMENTS, PageRule, page_of, page_size
from blitz.paper.wire.bybit.queries import empty_listing, instrument_of, is_linear, listing
from blitz.paper.wire.calls import Call
from blitz.paper.wire.params import invalid
from blitz.paper.wire.text import JsonObject, plain

KLINES = PageRule(default=200, largest=1000)
BOOK_LEVELS = PageRule(default=25, largest=500)
RECENT_TRADES = PageRule(default=500, largest=1000)


def server_time(call: Call) -> JsonObject:
    """GET /v5/market/time."""
    return {"timeSecond": str(call.now_ms // 1000), "timeNano": str(call.now_ms * 1_000_000)}


def instruments_info(call: Call) -> JsonObject:
    """GET /v5/market/instruments-info: by symbol, base coin and status, in pages. Nothing is in PreLaunch."""
    if not is_linear(call):
        return empty_listing(call)
    chosen = _chosen(call)
    if call.params.text("status", "Trading") != "Trading":
        chosen = []
    ranks = {instrument.symbol: -rank for rank, instrument in enumerate(chosen)}
    page = page_of(chosen, call.params, INSTRUMENTS, lambda instrument: ranks[instrument.symbol])
    return listing([instrument_row(instrument) for instrument in page.rows], page.cursor)


def tickers(call: Call) -> JsonObject:
    """GET /v5/market/tickers: one symbol or all."""
    if not is_linear(call):
        return empty_listing(call)
    rows = [
        ticker_row(call.venue.ticker(instrument.symbol, call.now_ms), instrument.funding_interval_minutes)
        for instrument in _chosen(call)
    ]
    return {"category": "linear", "list": rows}


def _chosen(call: Call) -> list[Instrument]:
    if call.params.text("symbol"):
        return [instrument_of(call)]
    base, settle = call.params.text("baseCoin"), call.params.text("settleCoin")
    return [
        instrument
        for instrument in call.venue.instruments.values()
        if base in ("", instrument.base_coin) and settle in ("", instrument.settle_coin)
    ]


def kline(call: Call) -> JsonObject:
    """GET /v5/market/kline: newest first, 200 rows unless asked, 1000 at most."""
    if not is_linear(call):
        return empty_listing(call)
    return _kline_listing(call, [kline_row(bar) for bar in _klines(call)])


def price_kline(call: Call) -> JsonObject:
    """GET /v5/market/mark-price-kline and index-price-kline: rows of five. Mark and index follow last."""
    if not is_linear(call):
        return empty_listing(call)
    return _kline_listing(call, [kline_row(bar)[:5] for bar in _klines(call)])


def _klines(call: Call) -> list[Kline]:
    instrument = instrument_of(call)
    interval = call.params.required("interval")
    if interval not in INTERVALS_MS:
        raise invalid("interval")
    start_ms, end_ms = call.params.integer("start"), call.params.integer("end")
    limit = page_size(call.params, KLINES)
    return call.venue.klines(instrument.symbol, interval, start_ms, end_ms, limit, call.now_ms)


def _kline_listing(call: Call, rows: list[list[str]]) -> JsonObject:
    return {"category": "linear", "symbol": call.params.text("symbol"), "list": rows}


def orderbook(call: Call) -> JsonObject:
    """GET /v5/market/orderbook."""
    if not is_linear(call):
        raise VenueRefusal(10001, "params error: symbol invalid")
    depth = page_size(call.params, BOOK_LEVELS)
    book = call.venue.book(instrument_of(call).symbol, depth, call.now_ms)
    return book_row(book, depth, call.now_ms)


def recent_trade(call: Call) -> JsonObject:
    """GET /v5/market/recent-trade: newest first."""
    if not is_linear(call):
        return empty_listing(call)
    trades = call.venue.recent_trades(instrument_of(call).symbol, page_size(call.params, RECENT_TRADES))
    return {"category": "linear", "list": [recent_trade_row(trade) for trade in trades]}


def funding_history(call: Call) -> JsonObject:
    """GET /v5/market/funding/history: newest first."""
    if not is_linear(call):
        return empty_listing(call)
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    limit = page_size(call.params, FUNDING_HISTORY)
    rates = call.venue.funding_history(instrument_of(call).symbol, start_ms, end_ms, limit)
    return {"category": "linear", "list": [funding_row(rate) for rate in rates]}


def risk_limit(call: Call) -> JsonObject:
    """GET /v5/market/risk-limit: the margin tiers."""
    if not is_linear(call):
        return empty_listing(call)
    return listing([row for instrument in _chosen(call) for row in risk_limit_rows(instrument)])


def open_interest(call: Call) -> JsonObject:
    """GET /v5/market/open-interest: the present figure as the only row."""
    if not is_linear(call):
        return empty_listing(call)
    ticker = call.venue.ticker(instrument_of(call).symbol, call.now_ms)
    row = {"openInterest": plain(ticker.open_interest), "timestamp": str(call.now_ms)}
    return {**listing([row]), "symbol": ticker.symbol}


def price_limit(call: Call) -> JsonObject:
    """GET /v5/market/price-limit: the instrument's own price range."""
    instrument = instrument_of(call)
    highest, lowest = instrument.max_price, max(instrument.min_price, Decimal(0))
    return {"symbol": instrument.symbol, "buyLmt": plain(highest), "sellLmt": plain(lowest), "ts": str(call.now_ms)}
