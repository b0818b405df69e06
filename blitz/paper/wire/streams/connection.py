"""One websocket and its outgoing queue. Slow readers are cut off rather than allowed to hold anything up."""

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
from aiohttp import WSCloseCode, web

from blitz.paper.wire.streams.departures import Departures

log = logging.getLogger(__name__)

QUEUE_MAX = 20_000
FRAME_MAX_BYTES = 65_536
SILENCE_MAX_SECONDS = 600
"""The venue closes a link that says nothing for ten minutes."""
CLOSE_SECONDS = 2.0
"""How long a link that is being closed may take to say goodbye."""
_numbers = count(1)


class Connection:
    """A websocket with subscriptions. `key` is set once the link has authenticated."""

    def __init__(self, departures: Departures) -> None:
        self.identity = f"paper-{next(_numbers)}"
        self.socket = web.WebSocketResponse(
            receive_timeout=SILENCE_MAX_SECONDS, max_msg_size=FRAME_MAX_BYTES, timeout=CLOSE_SECONDS
        )
        self.topics: dict[str, None] = {}
        self.key = ""
        self.frozen = False
        """A frozen link stays open and says nothing: an injected fault."""
        self._outgoing: asyncio.Queue[str | bytes | Callable[[], None] | None] = asyncio.Queue(maxsize=QUEUE_MAX)
        self._departures = departures
        self._hang_up = False
        self._request: web.BaseRequest | None = None

    async def open(self, request: web.BaseRequest) -> asyncio.Task[None]:
        """Accept the link; the returned task writes frames until `finish`."""
        self._request = request
        await self.socket.prepare(request)
        return asyncio.create_task(self._write(), name=f"{self.identity} writer")

    def send(self, message: dict[str, Any]) -> None:
        """Queue a message."""
        self.send_text(orjson.dumps(message).decode())

    def send_text(self, text: str) -> None:
        """Queue a text frame as it is."""
        self._queue(text)

    def send_bytes(self, frame: bytes) -> None:
        """Queue a binary frame as it is."""
        self._queue(frame)

    def when_reached(self, work: Callable[[], None]) -> None:
        """Have `work` done when everything before it was handed to the network and what comes next is about to be."""
        self._queue(work)

    def _queue(self, frame: str | bytes | Callable[[], None]) -> None:
        """A reader that is `QUEUE_MAX` frames behind loses the link."""
        if self.frozen:
            return
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        """Break the TCP link without a closing handshake."""
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()

    def finish(self) -> None:
        """Let the writer end after what is queued."""
        try:
            self._outgoing.put_nowait(None)
        except asyncio.QueueFull:
            self.abort()

    def hang_up(self) -> None:
        """Close the link politely after what is queued, without waiting for it."""
        self._hang_up = True
        self.finish()

    async def close(self) -> None:
        """Close politely: the server stops."""
        await self.socket.close(code=WSCloseCode.GOING_AWAY)

    async def _next(self) -> str | bytes | Callable[[], None] | None:
        """What comes next in the queue, when it is this link's turn: with it goes all that is queued by then."""
        if not self._outgoing.empty():
            return self._outgoing.get_nowait()
        frame = await self._outgoing.get()
        await self._departures.turn()
        return frame

    async def _write(self) -> None:
        try:
            while (frame := await self._next()) is not None:
                if isinstance(frame, str):
                    await self.socket.send_str(frame)
                elif callable(frame):
                    frame()
                else:
                    await self.socket.send_bytes(frame)
            if self._hang_up:
                await self.socket.close()
        except ConnectionError:
            log.debug("%s: the reader left", self.identity)
