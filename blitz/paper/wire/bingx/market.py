"""Answers of the public endpoints `quote/…` and `server/time`. They read the venue and change nothing."""

from decimal import Decimal
from typing import Any

from blitz.paper.engine import BINGX, Kline, VenueRefusal
from blitz.paper.wire.bingx.envelope import PARAMETERS
from blitz.paper.wire.bingx.market_rows import (
    contract_row,
    depth_row,
    funding_row,
    kline_row,
    premium_row,
    ticker_row,
    trade_row,
)
from blitz.paper.wire.bingx.rows import number
from blitz.paper.wire.bingx.symbols import needed_symbol, on_the_wire, wanted_symbol
from blitz.paper.wire.calls import Call
from blitz.paper.wire.text import JsonObject, plain

INTERVALS = {
    "1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "2h": "120", "4h": "240", "6h": "360",
    "12h": "720", "1d": "D", "1w": "W", "1M": "M",
}  # fmt: skip
"""BingX's words for the engine's."""


def server_time(call: Call) -> JsonObject:
    """GET server/time."""
    return {"serverTime": call.now_ms}


def contracts(call: Call) -> list[JsonObject]:
    """GET quote/contracts: every pair, or one."""
    rows = [contract_row(BINGX.terms(market), place) for place, market in enumerate(call.venue.instruments.values())]
    wanted = wanted_symbol(call)
    return [row for row in rows if not wanted or row["symbol"] == on_the_wire(wanted)]


def nothing_listed(_call: Call) -> list[JsonObject]:
    """GET cswap/v1/market/contracts: no coin-margined contracts are listed here."""
    return []


def no_spot_pairs(_call: Call) -> JsonObject:
    """GET spot/v1/common/symbols: no spot market either."""
    return {"symbols": []}


def coins(call: Call) -> list[JsonObject]:
    """GET wallets/v1/capital/config/getall: every coin that is listed. Nothing can be deposited or withdrawn."""
    names = dict.fromkeys(["USDT", *(market.base_coin for market in call.venue.instruments.values())])
    wanted = call.params.text("coin")
    return [_coin(name) for name in names if wanted in ("", name)]


def _coin(name: str) -> JsonObject:
    network = {
        "name": name,
        "network": name,
        "isDefault": True,
        "minConfirm": 1,
        "withdrawEnable": False,
        "depositEnable": False,
        "withdrawFee": "0",
        "withdrawMax": "0",
        "withdrawMin": "0",
        "depositMin": "0",
    }
    return {"coin": name, "name": name, "networkList": [network]}


def ticker(call: Call) -> Any:
    """GET quote/ticker: an object for one pair, a list for all."""
    return _one_or_all(call, lambda symbol: ticker_row(call.venue.ticker(symbol, call.now_ms), *_last(call, symbol)))


def _last(call: Call, symbol: str) -> tuple[Decimal, int]:
    trades = call.venue.recent_trades(symbol, 1)
    return (trades[0].size if trades else Decimal(0)), call.now_ms


def premium_index(call: Call) -> Any:
    """GET quote/premiumIndex: mark price and coming funding, of one pair or of all."""

    def row(symbol: str) -> JsonObject:
        minutes = call.venue.instruments[symbol].funding_interval_minutes
        return premium_row(call.venue.ticker(symbol, call.now_ms), minutes)

    return _one_or_all(call, row)


def price(call: Call) -> Any:
    """GET quote/price: the last price, of one pair or of all."""
    return _one_or_all(
        call,
        lambda symbol: {
            "symbol": on_the_wire(symbol), "price": plain(call.venue.last_price(symbol)), "time": call.now_ms,
        },
    )  # fmt: skip


def _one_or_all(call: Call, row: Any) -> Any:
    symbol = wanted_symbol(call)
    return row(symbol) if symbol else [row(listed) for listed in call.venue.instruments]


def depth(call: Call) -> JsonObject:
    """GET quote/depth: 20 levels unless asked, 1000 at most."""
    limit = _limit(call, 20, 1000)
    return depth_row(call.venue.book(needed_symbol(call), limit, call.now_ms), limit, call.now_ms)


def book_ticker(call: Call) -> JsonObject:
    """GET quote/bookTicker."""
    best = call.venue.ticker(needed_symbol(call), call.now_ms)
    return {
        "book_ticker": {
            "symbol": on_the_wire(best.symbol),
            "bid_price": number(best.bid_price),
            "bid_qty": number(best.bid_size),
            "ask_price": number(best.ask_price),
            "ask_qty": number(best.ask_size),
        }
    }


def trades(call: Call) -> list[JsonObject]:
    """GET quote/trades: newest first, 500 unless asked, 1000 at most."""
    return [trade_row(trade) for trade in call.venue.recent_trades(needed_symbol(call), _limit(call, 500, 1000))]


def klines(call: Call) -> list[JsonObject]:
    """GET quote/klines: newest first, 500 rows unless asked."""
    return [kline_row(bar) for bar in _bars(call)]


def _bars(call: Call) -> list[Kline]:
    interval = INTERVALS.get(call.params.text("interval"))
    if interval is None:
        raise VenueRefusal(PARAMETERS, f"Invalid parameters, err:interval: must be one of {', '.join(INTERVALS)}")
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    return call.venue.klines(needed_symbol(call), interval, start_ms, end_ms, _limit(call, 500, 1440), call.now_ms)


def mark_klines(call: Call) -> list[JsonObject]:
    """GET market/markPriceKlines: bars of the mark price, which follows last."""
    rows = []
    for bar in _bars(call):
        row = kline_row(bar)
        rows.append({**row, "openTime": row.pop("time"), "closeTime": bar.end_ms - 1})
    return rows


def old_trades(call: Call) -> list[JsonObject]:
    """GET market/historicalTrades: the tape with ids, newest first, as far as it goes back."""
    found = call.venue.recent_trades(needed_symbol(call), _limit(call, 20, 100))
    return [{**trade_row(trade), "id": str(trade.sequence)} for trade in found]


def funding_rates(call: Call) -> list[JsonObject]:
    """GET quote/fundingRate: newest first, 100 unless asked, 1000 at most."""
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    rates = call.venue.funding_history(needed_symbol(call), start_ms, end_ms, _limit(call, 100, 1000))
    return [funding_row(rate) for rate in rates]


def open_interest(call: Call) -> JsonObject:
    """GET quote/openInterest."""
    symbol = needed_symbol(call)
    value = call.venue.ticker(symbol, call.now_ms).open_interest_value
    return {"openInterest": plain(value), "symbol": on_the_wire(symbol), "time": call.now_ms}


def _limit(call: Call, usual: int, largest: int) -> int:
    asked = call.params.integer("limit")
    if asked is None:
        return usual
    if asked <= 0:
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:limit: must be above 0")
    return min(asked, largest)
