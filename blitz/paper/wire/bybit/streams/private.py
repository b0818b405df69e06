"""The private topics: order, execution, position and wallet events of one account, with injected faults.

No snapshot, no history: an event that nobody listened to is gone, as on the real venue.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from blitz.paper.engine import EventKind, Execution, Order, Position, VenueEvent, Wallet
from blitz.paper.wire.bybit.rows import (
    execution_event_row,
    fast_execution_row,
    order_event_row,
    position_event_row,
    wallet_event_row,
)
from blitz.paper.wire.faults import FaultKind, FaultRule
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.streams.connection import Connection

log = logging.getLogger(__name__)

TOPICS = frozenset({"order", "execution", "execution.fast", "position", "wallet"})
EVENT_FAULTS = frozenset({
    FaultKind.DROP_SOCKET, FaultKind.DUPLICATE_EVENT, FaultKind.DROP_EVENT, FaultKind.DELAY_EVENT,
    FaultKind.GARBAGE_FRAME, FaultKind.FREEZE_SOCKET,
})  # fmt: skip
FAST_TYPES = frozenset({"Trade", "AdlTrade", "BustTrade"})


def topic_of(name: str) -> str | None:
    """`order` and `order.linear` are the same topic; None when there is no such topic."""
    plain_name = name.removesuffix(".linear")
    return plain_name if plain_name in TOPICS else None


class PrivateStreams:
    """The authenticated links and what they subscribed to."""

    def __init__(self, host: VenueHost) -> None:
        self._host = host
        self._links: dict[str, dict[Connection, None]] = {}
        self._number = 0

    def admit(self, connection: Connection, key: str) -> None:
        """Take in a link that has authenticated as `key`."""
        connection.key = key
        self._links.setdefault(key, {})[connection] = None

    def knows(self, name: str) -> bool:
        """Whether there is such a topic."""
        return topic_of(name) is not None

    def subscribe(self, connection: Connection, name: str) -> None:
        """Add a subscription to a known topic. Nothing is sent until something happens."""
        connection.topics[name] = None

    def forget(self, connection: Connection) -> None:
        """Drop a link that closed."""
        links = self._links.get(connection.key)
        if links is not None:
            links.pop(connection, None)
            if not links:
                del self._links[connection.key]

    def break_links(self, key: str = "") -> int:
        """Break the links of an account, or all; returns how many."""
        broken = [link for account, links in self._links.items() if key in ("", account) for link in links]
        for link in broken:
            link.abort()
        return len(broken)

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Send each account its events, in order."""
        if not self._links:
            return
        for event in events:
            if event.account is not None and event.account in self._links:
                self._publish_one(event, event.account)

    def refresh(self, symbol: str) -> None:
        """Nothing: private topics carry events only."""

    def _publish_one(self, event: VenueEvent, key: str) -> None:
        symbol = getattr(event.row, "symbol", "")
        fault = self._host.faults.strike(EVENT_FAULTS, key, event.kind.value, symbol)
        if fault is None:
            self._send(event, key)
            return
        self._send_faulty(event, key, fault)

    def _send_faulty(self, event: VenueEvent, key: str, fault: FaultRule) -> None:
        match fault.fault:
            case FaultKind.DROP_SOCKET:
                self.break_links(key)
            case FaultKind.DROP_EVENT:
                log.debug("an event of %s was dropped", key)
            case FaultKind.DUPLICATE_EVENT:
                self._send(event, key)
                self._send(event, key)
            case FaultKind.DELAY_EVENT:
                asyncio.get_running_loop().call_later(fault.delay_ms / 1000, self._send, event, key)
            case FaultKind.GARBAGE_FRAME:
                for link in self._links[key]:
                    link.send_text('{"topic":"order","data":[{"orderId"')
                self._send(event, key)
            case FaultKind.FREEZE_SOCKET:
                for link in self._links[key]:
                    link.frozen = True

    def _send(self, event: VenueEvent, key: str) -> None:
        for link in self._links.get(key, ()):
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
