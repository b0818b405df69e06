"""The public topics: ticker, trades, price bars, order book, best prices, last and mark price of one pair each.

A subscriber gets the present state at once (trades apart), and the whole of it again whenever it changes: BingX knows
no deltas here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.paper.engine import EventKind, PriceChange, PublicTrade, VenueEvent
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
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.streams.connection import Connection
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


@dataclass(slots=True)
class _Channel:
    topic: Topic
    readers: dict[Connection, None] = field(default_factory=dict)

    def tell(self, message: JsonObject) -> None:
        frame = zipped(message)
        for reader in self.readers:
            reader.send_bytes(frame)


class BingxPublicStreams:
    """Everybody's subscriptions to market data."""

    def __init__(self, host: VenueHost) -> None:
        self._host = host
        self._channels: dict[str, _Channel] = {}

    def knows(self, name: str) -> bool:
        """Whether there is such a topic."""
        return Topic.parse(name, tuple(self._host.venue.instruments)) is not None

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a subscription to a known topic and send the present state."""
        topic = Topic.parse(name, tuple(self._host.venue.instruments))
        assert topic is not None, f"{name} was not checked before"
        channel = self._channels.setdefault(name, _Channel(topic))
        channel.readers[connection] = None
        connection.topics[name] = None
        state = self._state(topic)
        if state is not None:
            connection.send_bytes(zipped(state))

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Drop one subscription."""
        connection.topics.pop(name, None)
        channel = self._channels.get(name)
        if channel is not None:
            channel.readers.pop(connection, None)
            if not channel.readers:
                del self._channels[name]

    def forget(self, connection: Connection) -> None:
        """Drop all subscriptions of a link that closed."""
        for name in list(connection.topics):
            self.unsubscribe(connection, name)

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Tell subscribers of every pair whose price or tape moved."""
        if not self._channels:
            return
        trades: dict[str, list[PublicTrade]] = {}
        moved: dict[str, None] = {}
        for event in events:
            if event.kind is EventKind.TRADE and isinstance(event.row, PublicTrade):
                trades.setdefault(event.row.symbol, []).append(event.row)
            elif event.kind is EventKind.TICKER and isinstance(event.row, PriceChange):
                moved[event.row.symbol] = None
        for symbol, prints in trades.items():
            self._tell_trades(symbol, prints)
        for symbol in moved:
            self.refresh(symbol)

    def listens(self, account: str) -> bool:
        """Public topics tell of no account."""
        del account
        return False

    def refresh(self, symbol: str) -> None:
        """Send every topic of a pair as it stands."""
        for channel in list(self._channels.values()):
            state = self._state(channel.topic) if channel.topic.symbol == symbol else None
            if state is not None:
                channel.tell(state)

    def _tell_trades(self, symbol: str, prints: list[PublicTrade]) -> None:
        rows = [trade_event_row(trade) for trade in reversed(prints)]
        for channel in list(self._channels.values()):
            if channel.topic.symbol == symbol and channel.topic.kind == "trade":
                channel.tell({"code": 0, "dataType": channel.topic.name, "data": rows})

    def _state(self, topic: Topic) -> JsonObject | None:
        """The topic as it stands; None for trades, which have no standing, and before the first bar."""
        venue, now_ms = self._host.venue, self._host.clock.now_ms()
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
