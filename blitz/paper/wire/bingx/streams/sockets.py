"""The one websocket path: with a listen key it is an account's stream, without one it takes subscriptions.

The server asks `Ping` every five seconds, inside gzip as everything else, and drops a link that does not answer.
"""

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from blitz.paper.engine import HouseName, VenueRefusal
from blitz.paper.wire.bingx.listen_keys import ListenKeys
from blitz.paper.wire.bingx.streams.frames import PING, zipped
from blitz.paper.wire.bingx.streams.private import BingxPrivateStreams
from blitz.paper.wire.bingx.streams.public import BingxPublicStreams
from blitz.paper.wire.bingx.streams.rows import expiry_event
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.params import parse_object
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.departures import Departures
from blitz.paper.wire.text import JsonObject

log = logging.getLogger(__name__)

PATH = "/swap-market"
PING_EVERY_MS = 5_000
BEATS = 100
"""Links are pinged and pushed in so many groups, one after the other: all at once would hold up everybody's fills."""
EXPIRY_EVERY_BEATS = 20
UNANSWERED_MAX = 3
"""A link that leaves so many pings without an answer is dropped."""
TOPICS_MAX = 200
SOCKETS_MAX = 60
"""Links of one address at once, while limits are enforced."""
TOO_MANY_TOPICS = 80403
WRONG_TOPIC = 80015


@dataclass(slots=True)
class _Link:
    connection: Connection
    address: str
    group: int
    listen_key: str = ""
    unanswered: int = 0


class BingxSockets:
    """Accepts websocket links, keeps them alive, and ends them with their listen keys."""

    def __init__(self, host: VenueHost, listen_keys: ListenKeys) -> None:
        self._host = host
        self._listen_keys = listen_keys
        self.public = BingxPublicStreams(host)
        self.private = BingxPrivateStreams(host)
        self._departures = Departures()
        self._open: dict[Connection, _Link] = {}
        self._accepted = 0
        host.attach(self.private)
        host.attach(self.public)

    def serves(self, path: str) -> bool:
        """Whether a path is the websocket's."""
        return path == PATH

    async def accept(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one link until it closes. A listen key that is not in force is HTTP 401, too many links are 429."""
        address = request.remote or ""
        if not self._has_room(address):
            return web.Response(status=429, text="429, too many connections")
        listen_key = request.query.get("listenKey", "")
        owner = self._listen_keys.owner(listen_key) if listen_key else ""
        if owner is None:
            return web.Response(status=401, text="401, listen key is not valid")
        self._accepted += 1
        group = self._accepted % BEATS
        link = _Link(connection=Connection(self._departures), address=address, group=group, listen_key=listen_key)
        writer = await link.connection.open(request)
        self._open[link.connection] = link
        if owner:
            self._greet(link.connection, owner)
        try:
            async for frame in link.connection.socket:
                if frame.type is WSMsgType.TEXT:
                    self._read(link, frame.data)
        except TimeoutError:
            log.debug("%s was silent for too long", link.connection.identity)
        finally:
            self._open.pop(link.connection, None)
            self.public.forget(link.connection)
            self.private.forget(link.connection)
            link.connection.finish()
            await writer
        return link.connection.socket

    def _has_room(self, address: str) -> bool:
        limits = self._host.limits_of(HouseName.BINGX)
        fresh = limits.admit_socket(address, self._host.clock.wall_ms())
        crowded = sum(link.address == address for link in self._open.values()) >= SOCKETS_MAX
        return fresh and not (limits.enforced and crowded)

    def _greet(self, connection: Connection, owner: str) -> None:
        self.private.admit(connection, owner)
        account = self._host.venue.account(owner)
        assert account is not None, "a listen key speaks for an account"
        self.private.push_account(account, connection)

    async def close(self) -> None:
        """Close every link: the server stops."""
        await asyncio.gather(*(connection.close() for connection in self._open), return_exceptions=True)

    async def keep_alive(self) -> None:
        """Every five seconds ask each link for a pong and show each account; end what has expired within a second."""
        beat = 0
        while True:
            await asyncio.sleep(PING_EVERY_MS / BEATS / 1000)
            beat += 1
            if beat % EXPIRY_EVERY_BEATS == 0:
                self._end_links(self._listen_keys.drop_expired())
            for link in [link for link in self._open.values() if link.group == beat % BEATS]:
                self._beat(link)

    def expire_listen_keys(self, account: str) -> int:
        """Let the listen keys of an account, or all, end now; returns how many."""
        ended = self._listen_keys.expire(account)
        self._end_links(ended)
        return len(ended)

    def _end_links(self, listen_keys: list[str]) -> None:
        """Say that a listen key has ended, and close what it opened once that is said."""
        ended = frozenset(listen_keys)
        for link in [link for link in self._open.values() if link.listen_key in ended]:
            self.private.forget(link.connection)
            link.connection.send_bytes(zipped(expiry_event(link.listen_key, self._host.clock.now_ms())))
            link.connection.hang_up()

    def _beat(self, link: _Link) -> None:
        connection = link.connection
        if connection.frozen:
            return
        if link.unanswered >= UNANSWERED_MAX:
            connection.abort()
            return
        link.unanswered += 1
        connection.send_bytes(PING)
        account = self._host.venue.account(connection.key) if connection.key else None
        if account is not None:
            self.private.push_account(account, connection)

    def _read(self, link: _Link, text: str) -> None:
        if text == "Pong":
            link.unanswered = 0
            return
        try:
            message = parse_object(text)
        except VenueRefusal:
            link.connection.send_bytes(zipped(_reply({}, WRONG_TOPIC, "the frame is not JSON")))
            return
        self._answer(link.connection, message)

    def _answer(self, connection: Connection, message: JsonObject) -> None:
        """Say yes or no; after a yes comes the present state."""
        name, ask = str(message.get("dataType", "")), message.get("reqType")
        crowded = len(connection.topics) >= TOPICS_MAX and name not in connection.topics
        if ask == "unsub":
            self.public.unsubscribe(connection, name)
            connection.send_bytes(zipped(_reply(message)))
        elif ask != "sub" or not self.public.knows(name):
            connection.send_bytes(zipped(_reply(message, WRONG_TOPIC, f"dataType {name} not supported")))
        elif crowded:
            text = f"the number of subscriptions exceeds the limit of {TOPICS_MAX}"
            connection.send_bytes(zipped(_reply(message, TOO_MANY_TOPICS, text)))
        else:
            connection.send_bytes(zipped(_reply(message)))
            self.public.subscribe(connection, name)


def _reply(message: JsonObject, code: int = 0, text: str = "") -> JsonObject:
    return {"id": str(message.get("id", "")), "code": code, "msg": text, "dataType": "", "data": None}
