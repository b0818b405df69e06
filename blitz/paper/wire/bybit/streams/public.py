"""The public topics: tickers, trades, order books and price bars.

A subscriber gets a snapshot, then changes. What was last sent is kept per topic, and brought up to date before
somebody joins, so that everybody's changes apply to what they have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from blitz.paper.engine import INTERVALS_MS, PublicTrade
from blitz.paper.wire.bybit.market_rows import kline_event_row, level_rows, ticker_row, trade_event_row
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.topics import Channel, PublicTopics

BOOK_DEPTHS = ("1", "50", "200", "500")
Levels = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A parsed topic name such as `kline.1.BTCUSDT`."""

    name: str
    kind: str
    argument: str
    symbol: str

    @classmethod
    def parse(cls, name: str, symbols: Sequence[str]) -> "Topic | None":
        """Read a topic name; None when there is no such topic."""
        match name.split("."):
            case ["tickers" | "publicTrade" as kind, symbol] if symbol in symbols:
                return cls(name=name, kind=kind, argument="", symbol=symbol)
            case ["orderbook", depth, symbol] if depth in BOOK_DEPTHS and symbol in symbols:
                return cls(name=name, kind="orderbook", argument=depth, symbol=symbol)
            case ["kline", interval, symbol] if interval in INTERVALS_MS and symbol in symbols:
                return cls(name=name, kind="kline", argument=interval, symbol=symbol)
            case _:
                return None


class _Channel(Channel):
    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic
        self.ticker: dict[str, Any] = {}
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.bar_start_ms = 0

    def tell(self, message: dict[str, Any]) -> None:
        for reader in self.readers:
            reader.send(message)


class PublicStreams(PublicTopics[_Channel]):
    """Everybody's subscriptions to market data."""

    def open_channel(self, name: str) -> _Channel | None:
        """The channel of a topic, new; None when there is no such topic."""
        topic = Topic.parse(name, tuple(self.host.venue.instruments))
        return None if topic is None else _Channel(topic)

    def join(self, channel: _Channel, connection: Connection) -> None:
        """Bring the others up to date, add a reader and send it a snapshot: all have the same then."""
        self._update(channel)
        channel.readers[connection] = None
        self._send_snapshot(channel, connection)

    def refresh(self, symbol: str) -> None:
        """Bring every topic of a symbol up to date with the venue."""
        for channel in list(self.channels.values()):
            if channel.topic.symbol == symbol:
                self._update(channel)

    def tell_trades(self, symbol: str, trades: list[PublicTrade]) -> None:
        """Send these trades of a symbol, oldest first."""
        channel = self.channels.get(f"publicTrade.{symbol}")
        if channel is not None:
            rows = [trade_event_row(trade) for trade in trades]
            channel.tell(self._message(channel, "snapshot", rows))

    def _send_snapshot(self, channel: _Channel, connection: Connection) -> None:
        match channel.topic.kind:
            case "tickers":
                connection.send(self._message(channel, "snapshot", channel.ticker, cs=True))
            case "orderbook":
                connection.send(self._message(channel, "snapshot", self._book(channel, channel.bids, channel.asks)))
            case "kline":
                bars = self._bars(channel, 1)
                if bars:
                    connection.send(self._message(channel, "snapshot", bars))

    def _update(self, channel: _Channel) -> None:
        match channel.topic.kind:
            case "tickers":
                self._update_ticker(channel)
            case "orderbook":
                self._update_book(channel)
            case "kline":
                self._update_bars(channel)

    def _update_ticker(self, channel: _Channel) -> None:
        venue, symbol = self.host.venue, channel.topic.symbol
        minutes = venue.instruments[symbol].funding_interval_minutes
        now = ticker_row(venue.ticker(symbol, self.host.clock.now_ms()), minutes)
        changed = {name: value for name, value in now.items() if channel.ticker.get(name) != value}
        channel.ticker = now
        if changed:
            # openInterestValue is always there: by it clients tell a contract's ticker from a spot one.
            always = {"symbol": symbol, "openInterestValue": now["openInterestValue"]}
            channel.tell(self._message(channel, "delta", {**always, **changed}, cs=True))

    def _update_book(self, channel: _Channel) -> None:
        depth = int(channel.topic.argument)
        book = self.host.venue.book(channel.topic.symbol, depth, self.host.clock.now_ms())
        bids = dict(level_rows(book.bids[:depth]))
        asks = dict(level_rows(book.asks[:depth]))
        changed_bids, changed_asks = _difference(channel.bids, bids), _difference(channel.asks, asks)
        channel.bids, channel.asks = bids, asks
        if changed_bids or changed_asks:
            channel.tell(self._message(channel, "delta", self._book(channel, changed_bids, changed_asks)))

    def _book(self, channel: _Channel, bids: Levels, asks: Levels) -> dict[str, Any]:
        now_ms = self.host.clock.now_ms()
        update = self.host.venue.book(channel.topic.symbol, 1, now_ms).update_id
        sides = {"b": [list(level) for level in bids.items()], "a": [list(level) for level in asks.items()]}
        return {"s": channel.topic.symbol, **sides, "u": update, "seq": update}

    def _update_bars(self, channel: _Channel) -> None:
        rows = self._bars(channel, 2)
        if not rows:
            return
        newest = rows[-1]
        if 0 < channel.bar_start_ms < newest["start"] and len(rows) > 1:
            # The bar that was running has ended: its last word carries confirm true.
            channel.tell(self._message(channel, "snapshot", rows[:1]))
        channel.bar_start_ms = newest["start"]
        channel.tell(self._message(channel, "snapshot", [newest]))

    def _bars(self, channel: _Channel, limit: int) -> list[dict[str, Any]]:
        now_ms = self.host.clock.now_ms()
        topic = channel.topic
        bars = self.host.venue.klines(topic.symbol, topic.argument, None, None, limit, now_ms)
        return [kline_event_row(bar, now_ms) for bar in reversed(bars)]

    def _message(self, channel: _Channel, kind: str, data: object, *, cs: bool = False) -> dict[str, Any]:
        now_ms = self.host.clock.now_ms()
        message = {"topic": channel.topic.name, "type": kind, "data": data, "ts": now_ms}
        return {**message, "cs": now_ms} if cs else {**message, "cts": now_ms}


def _difference(before: Levels, after: Levels) -> Levels:
    """Changed and new levels; a level that went has size 0."""
    gone = {price: "0" for price in before if price not in after}
    return {**gone, **{price: size for price, size in after.items() if before.get(price) != size}}
