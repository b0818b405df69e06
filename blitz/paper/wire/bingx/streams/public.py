"""The public topics: ticker, trades, price bars, order book, best prices, last and mark price of one pair each.

A subscriber gets the present state at once (trades apart), and the whole of it again whenever it changes: BingX knows
no deltas here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from blitz.paper.engine import PublicTrade
from blitz.paper.wire.bingx.market import INTERVALS
from blitz.paper.wire.bingx.streams.frames import zipped
from blitz.paper.wire.bingx.streams.market_rows import (
    best_event,
    depth_event,
    kline_event_row,
    price_event,
    ticker_event,
    trade_event_row,
)
from blitz.paper.wire.bingx.symbols import in_the_engine
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.topics import Channel, PublicTopics
from blitz.paper.wire.text import JsonObject

DEPTH = re.compile(r"depth(5|10|20|50|100)(@\d+ms)?")
PLAIN_KINDS = frozenset({"ticker", "trade", "bookTicker", "lastPrice", "markPrice"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A parsed topic such as `BTC-USDT@kline_1m`."""

    name: str
    symbol: str
    kind: str
    argument: str = ""

    @classmethod
    def parse(cls, name: str, symbols: Sequence[str]) -> "Topic | None":
        """Read a topic name; None when there is no such topic."""
        pair, _, rest = name.partition("@")
        symbol = in_the_engine(pair)
        if symbol not in symbols:
            return None
        if rest in PLAIN_KINDS:
            return cls(name=name, symbol=symbol, kind=rest)
        depth = DEPTH.fullmatch(rest)
        if depth is not None:
            return cls(name=name, symbol=symbol, kind="depth", argument=depth.group(1))
        word, _, interval = rest.partition("_")
        if word == "kline" and interval in INTERVALS:
            return cls(name=name, symbol=symbol, kind="kline", argument=INTERVALS[interval])
        return None


class _Channel(Channel):
    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic

    def tell(self, message: JsonObject) -> None:
        frame = zipped(message)
        for reader in self.readers:
            reader.send_bytes(frame)


class BingxPublicStreams(PublicTopics[_Channel]):
    """Everybody's subscriptions to market data."""

    def open_channel(self, name: str) -> _Channel | None:
        """The channel of a topic, new; None when there is no such topic."""
        topic = Topic.parse(name, tuple(self.host.venue.instruments))
        return None if topic is None else _Channel(topic)

    def join(self, channel: _Channel, connection: Connection) -> None:
        """Add a reader and send it the present state."""
        channel.readers[connection] = None
        state = self._state(channel.topic)
        if state is not None:
            connection.send_bytes(zipped(state))

    def refresh(self, symbol: str) -> None:
        """Send every topic of a pair as it stands."""
        for channel in list(self.channels.values()):
            state = self._state(channel.topic) if channel.topic.symbol == symbol else None
            if state is not None:
                channel.tell(state)

    def tell_trades(self, symbol: str, trades: list[PublicTrade]) -> None:
        """Send these trades of a pair, newest first."""
        rows = [trade_event_row(trade) for trade in reversed(trades)]
        for channel in list(self.channels.values()):
            if channel.topic.symbol == symbol and channel.topic.kind == "trade":
                channel.tell({"code": 0, "dataType": channel.topic.name, "data": rows})

    def _state(self, topic: Topic) -> JsonObject | None:
        """The topic as it stands; None for trades, which have no standing, and before the first bar."""
        venue, now_ms = self.host.venue, self.host.clock.now_ms()
        head: JsonObject = {"code": 0, "dataType": topic.name}
        match topic.kind:
            case "trade":
                return None
            case "kline":
                bars = venue.klines(topic.symbol, topic.argument, None, None, 1, now_ms)
                rows = [kline_event_row(bar) for bar in bars]
                return {**head, "s": topic.name.partition("@")[0], "data": rows} if rows else None
            case "depth":
                depth = int(topic.argument)
                book = venue.book(topic.symbol, depth, now_ms)
                return {**head, "ts": now_ms, "data": depth_event(book, depth)}
            case "ticker":
                trades = venue.recent_trades(topic.symbol, 1)
                last_size = trades[0].size if trades else Decimal(0)
                return {**head, "data": ticker_event(venue.ticker(topic.symbol, now_ms), last_size, now_ms)}
            case "bookTicker":
                return {**head, "data": best_event(venue.ticker(topic.symbol, now_ms), now_ms)}
            case _:
                is_mark = topic.kind == "markPrice"
                price = venue.mark_price(topic.symbol) if is_mark else venue.last_price(topic.symbol)
                return {**head, "data": price_event(topic.symbol, price, is_mark=is_mark, now_ms=now_ms)}
