"""Who listens to which public topic of one exchange, and whom a moment of the market concerns.

Each exchange has a subclass that knows its topics and what stands in their messages.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from blitz.paper.engine import EventKind, PriceChange, PublicTrade, VenueEvent
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.streams.connection import Connection


class Channel:
    """One topic and its readers. A subclass keeps what was last sent, where changes are sent."""

    def __init__(self) -> None:
        self.readers: dict[Connection, None] = {}


AnyChannel = TypeVar("AnyChannel", bound=Channel)


class PublicTopics(ABC, Generic[AnyChannel]):
    """Everybody's subscriptions to market data."""

    def __init__(self, host: VenueHost) -> None:
        self.host = host
        self.channels: dict[str, AnyChannel] = {}

    @abstractmethod
    def open_channel(self, name: str) -> AnyChannel | None:
        """The channel of a topic, new; None when there is no such topic."""

    @abstractmethod
    def join(self, channel: AnyChannel, connection: Connection) -> None:
        """Add a reader and send it the present state."""

    @abstractmethod
    def tell_trades(self, symbol: str, trades: list[PublicTrade]) -> None:
        """Send these trades of a market, which come oldest first, in the exchange's own order."""

    @abstractmethod
    def refresh(self, symbol: str) -> None:
        """Send every topic of a market as it stands now."""

    def knows(self, name: str) -> bool:
        """Whether there is such a topic."""
        return name in self.channels or self.open_channel(name) is not None

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a subscription to a known topic and send the present state."""
        channel = self.channels.get(name) or self.open_channel(name)
        assert channel is not None, f"{name} was not checked before"
        self.channels[name] = channel
        connection.topics[name] = None
        self.join(channel, connection)

    def unsubscribe(self, connection: Connection, name: str) -> None:
        """Drop one subscription."""
        connection.topics.pop(name, None)
        channel = self.channels.get(name)
        if channel is not None:
            channel.readers.pop(connection, None)
            if not channel.readers:
                del self.channels[name]

    def forget(self, connection: Connection) -> None:
        """Drop all subscriptions of a link that closed."""
        for name in list(connection.topics):
            self.unsubscribe(connection, name)

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Tell subscribers of every market whose price or tape moved."""
        if not self.channels:
            return
        trades: dict[str, list[PublicTrade]] = {}
        moved: dict[str, None] = {}
        for event in events:
            if event.kind is EventKind.TRADE and isinstance(event.row, PublicTrade):
                trades.setdefault(event.row.symbol, []).append(event.row)
            elif event.kind is EventKind.TICKER and isinstance(event.row, PriceChange):
                moved[event.row.symbol] = None
        for symbol, prints in trades.items():
            self.tell_trades(symbol, prints)
        for symbol in moved:
            self.refresh(symbol)

    def listens(self, account: str) -> bool:
        """Public topics tell of no account."""
        del account
        return False
