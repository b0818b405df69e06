"""The private topics: order, execution, position and wallet events of one account."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from blitz.paper.engine import EventKind, Execution, VenueEvent
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

FAST_TYPES = frozenset({"Trade", "AdlTrade", "BustTrade"})


def _fast_row(execution: Execution) -> dict[str, Any] | None:
    return fast_execution_row(execution) if execution.exec_type.value in FAST_TYPES else None


TOPICS: dict[str, tuple[EventKind, Callable[[Any], dict[str, Any] | None]]] = {
    "order": (EventKind.ORDER, order_event_row),
    "execution": (EventKind.EXECUTION, execution_event_row),
    "execution.fast": (EventKind.EXECUTION, _fast_row),
    "position": (EventKind.POSITION, position_event_row),
    "wallet": (EventKind.WALLET, wallet_event_row),
}
"""Which events a topic tells of, and in what row; `order` and `order.linear` are the same topic."""


class PrivateStreams(PrivateLinks):
    """The authenticated links and what they subscribed to."""

    garbage = '{"topic":"order","data":[{"orderId"'

    def __init__(self, host: VenueHost) -> None:
        super().__init__(host)
        self._number = 0

    def knows(self, name: str) -> bool:
        """Whether there is such a topic."""
        return name.removesuffix(".linear") in TOPICS

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
                kind, row_of = TOPICS[name.removesuffix(".linear")]
                row = row_of(event.row) if event.kind is kind else None
                if row is not None:
                    self._number += 1
                    message = {"topic": name, "id": f"{key}-{self._number}", "creationTime": event.at_ms}
                    link.send({**message, "data": [row]})
