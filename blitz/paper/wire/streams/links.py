"""The authenticated links of one exchange, by account, and what injected faults do to their events.

Each exchange has a subclass that turns the engine's events into messages. No snapshot, no history: an event that
nobody listened to is gone, as on the real venues.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from blitz.paper.wire.faults import FaultKind, FaultRule
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.streams.connection import Connection

log = logging.getLogger(__name__)

EVENT_FAULTS = frozenset({
    FaultKind.DROP_SOCKET, FaultKind.DUPLICATE_EVENT, FaultKind.DROP_EVENT, FaultKind.DELAY_EVENT,
    FaultKind.GARBAGE_FRAME, FaultKind.ODD_EVENT, FaultKind.FREEZE_SOCKET,
})  # fmt: skip


class PrivateLinks:
    """Who listens to which account."""

    garbage = ""
    """A frame of this exchange that broke off."""

    def __init__(self, host: VenueHost) -> None:
        self.host = host
        self.links: dict[str, dict[Connection, None]] = {}

    def admit(self, connection: Connection, key: str) -> None:
        """Take in a link that has authenticated as `key`."""
        connection.key = key
        self.links.setdefault(key, {})[connection] = None

    def forget(self, connection: Connection) -> None:
        """Drop a link that closed."""
        links = self.links.get(connection.key)
        if links is not None:
            links.pop(connection, None)
            if not links:
                del self.links[connection.key]

    def break_links(self, key: str = "") -> int:
        """Break the links of an account, or all; returns how many."""
        broken = [link for account, links in self.links.items() if key in ("", account) for link in links]
        for link in broken:
            link.abort()
        return len(broken)

    def listens(self, account: str) -> bool:
        """Whether the account has a link."""
        return account in self.links

    def refresh(self, symbol: str) -> None:
        """Nothing: private topics carry events only."""

    def deliver(
        self,
        key: str,
        names: tuple[str, ...],
        symbol: str,
        send: Callable[[], None],
        send_odd: Callable[[], None] | None = None,
    ) -> None:
        """Send an event to an account's links, or do what a fault rule for one of its names says instead.

        `send_odd` sends the event as the venue sometimes garbles it, where that is known.
        """
        if "execution" in names and self.host.stopwatch.runs:
            for link in self.links.get(key, ()):
                link.when_reached(partial(self.host.stopwatch.told, key))
        fault = self.host.faults.strike(EVENT_FAULTS, key, names, symbol)
        if fault is None:
            send()
        else:
            self._deliver_faulty(key, fault, send, send_odd)

    def _deliver_faulty(
        self, key: str, fault: FaultRule, send: Callable[[], None], send_odd: Callable[[], None] | None
    ) -> None:
        match fault.fault:
            case FaultKind.DROP_SOCKET:
                self.break_links(key)
            case FaultKind.DROP_EVENT:
                log.debug("an event of %s was dropped", key)
            case FaultKind.DUPLICATE_EVENT:
                send()
                send()
            case FaultKind.DELAY_EVENT:
                asyncio.get_running_loop().call_later(fault.delay_ms / 1000, send)
            case FaultKind.GARBAGE_FRAME:
                for link in self.links[key]:
                    link.send_text(self.garbage)
                send()
            case FaultKind.ODD_EVENT:
                if send_odd is not None:
                    send_odd()
                send()
            case FaultKind.FREEZE_SOCKET:
                for link in self.links[key]:
                    link.frozen = True
