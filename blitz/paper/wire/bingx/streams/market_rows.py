"""Engine values as BingX's public topics write them. Pure."""

from decimal import Decimal

from blitz.paper.engine import Book, Kline, PublicTrade, Side, Ticker
from blitz.paper.wire.bingx.market_rows import HUNDRED, level_rows
from blitz.paper.wire.bingx.symbols import on_the_wire
from blitz.paper.wire.text import JsonObject, average, plain

DAY_MS = 86_400_000


def ticker_event(ticker: Ticker, last_size: Decimal, now_ms: int) -> JsonObject:
    """The data of `@ticker`. `L` is the size of the last trade; `l` is the day's low."""
    return {
        "e": "24hTicker",
        "E": now_ms,
        "s": on_the_wire(ticker.symbol),
        "p": plain(ticker.last_price - ticker.previous_price_24h),
        "P": average(ticker.change_24h * HUNDRED),
        "c": plain(ticker.last_price),
        "L": plain(last_size),
        "h": plain(ticker.high_24h),
        "l": plain(ticker.low_24h),
        "v": plain(ticker.volume_24h),
        "q": plain(ticker.turnover_24h),
        "o": plain(ticker.previous_price_24h),
        "O": now_ms - DAY_MS,
        "C": now_ms,
        "A": plain(ticker.ask_price),
        "a": plain(ticker.ask_size),
        "B": plain(ticker.bid_price),
        "b": plain(ticker.bid_size),
    }


def trade_event_row(trade: PublicTrade) -> JsonObject:
    """A row of `@trade`. `m`: the buyer was the maker."""
    return {
        "q": plain(trade.size),
        "p": plain(trade.price),
        "T": trade.at_ms,
        "m": trade.side is Side.SELL,
        "s": on_the_wire(trade.symbol),
    }


def kline_event_row(bar: Kline) -> JsonObject:
    """A row of `@kline_…`. `T` is when the bar opened; nothing says whether it has ended."""
    return {
        "c": plain(bar.close),
        "o": plain(bar.open),
        "h": plain(bar.high),
        "l": plain(bar.low),
        "v": plain(bar.volume),
        "T": bar.start_ms,
    }


def depth_event(book: Book, depth: int) -> JsonObject:
    """The data of `@depth…`: bids fall, and so do asks."""
    return {"bids": level_rows(book.bids[:depth]), "asks": level_rows(book.asks[:depth])[::-1]}


def best_event(ticker: Ticker, now_ms: int) -> JsonObject:
    """The data of `@bookTicker`."""
    return {
        "e": "bookTicker",
        "u": now_ms,
        "E": now_ms,
        "T": now_ms,
        "s": on_the_wire(ticker.symbol),
        "b": plain(ticker.bid_price),
        "B": plain(ticker.bid_size),
        "a": plain(ticker.ask_price),
        "A": plain(ticker.ask_size),
    }


def price_event(symbol: str, price: Decimal, *, is_mark: bool, now_ms: int) -> JsonObject:
    """The data of `@lastPrice` (`c`) and `@markPrice` (`p`)."""
    kind, name = ("markPriceUpdate", "p") if is_mark else ("lastPriceUpdate", "c")
    return {"e": kind, "E": now_ms, "s": on_the_wire(symbol), name: plain(price)}
