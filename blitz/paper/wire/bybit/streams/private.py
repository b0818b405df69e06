"""The private topics: order, execution, position and wallet events of one account."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from blitz.paper.engine import EventKind, Execution, Order, Position, VenueEvent, Wallet
from blitz.paper.wire.bybit.rows import (
    execution_event_row,
    fast_execution_row,
    order_event_row,
    position_event_row,
    wallet_event_row,
)
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.links import PrivateLinks

TOPICS = frozenset({"order", "execution", "execution.fast", "position", "wallet"})
FAST_TYPES = frozenset({"Trade", "AdlTrade", "BustTrade"})


def topic_of(name: str) -> str | None:
    """`order` and `order.linear` are the same topic; None when there is no such topic."""
    plain_name = name.removesuffix(".linear")
    return plain_name if plain_name in TOPICS else None


class PrivateStreams(PrivateLinks):
    """The authenticated links and what they subscribed to."""

    garbage = '{"topic":"order","data":[{"orderId"'

    def __init__(self, host: VenueHost) -> None:
        super().__init__(host)
        self._number = 0

    def knows(self, name: str) -> bool:
        """Whether there is such a topic."""
        return topic_of(name) is not None

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a subscription to a known topic. Nothing is sent until something happens."""
        connection.topics[name] = None

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Send each account its events, in order."""
        if not self.links:
            return
        for event in events:
            key = event.account
            if key is not None and key in self.links:
                symbol = getattr(event.row, "symbol", "")
                self.deliver(key, (event.kind.value,), symbol, partial(self._send, event, key))

    def _send(self, event: VenueEvent, key: str) -> None:
        for link in self.links.get(key, ()):
            for name in link.topics:
                row = _row(event, topic_of(name))
                if row is not None:
                    self._number += 1
                    message = {"topic": name, "id": f"{key}-{self._number}", "creationTime": event.at_ms}
                    link.send({**message, "data": [row]})


def _row(event: VenueEvent, topic: str | None) -> dict[str, Any] | None:
    """The event as a row of the topic; None when it is none of the topic's business."""
    match topic, event.kind, event.row:
        case "order", EventKind.ORDER, Order() as order:
            return order_event_row(order)
        case "execution", EventKind.EXECUTION, Execution() as execution:
            return execution_event_row(execution)
        case "execution.fast", EventKind.EXECUTION, Execution() as execution:
            return fast_execution_row(execution) if execution.exec_type.value in FAST_TYPES else None
        case "position", EventKind.POSITION, Position() as position:
            return position_event_row(position)
        case "wallet", EventKind.WALLET, Wallet() as wallet:
            return wallet_event_row(wallet)
        case _:
            return None
