"""One connection's life: opened, ready, silent, broken. Everything happens on the loop thread.

The hub opens and reopens it; the dialect reads it; the listener hears what it tells. A frame that cannot be read ends
nothing. A link on which nothing arrives is broken off, because TCP may keep a dead one open for hours (B3).
"""

import logging
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from blitz.exchange.answers import Malformed
from blitz.exchange.streams.dialect import Dialect, Told
from blitz.exchange.streams.hand_over import HandOver
from blitz.exchange.streams.happenings import FillSeen, Happening, Heard, LinkDown, LinkUp, Unread

log = logging.getLogger(__name__)

Listener = Callable[[Heard], None]
"""Called on the loop thread with each news. It must not wait for anything."""

READY_SECONDS = 10.0
"""A link that was opened and is not ready by then is broken off."""
STEADY_SECONDS = 30.0
"""A link that breaks sooner than this after it was ready has failed like one that was never ready: one that comes and
goes must not use up everybody's new connections."""
TEXT, BINARY, CONTINUATION, CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION, WSMsgType.CLOSE
"""Looking one up in its class takes longer than comparing it, and a fill brings seven frames."""


class LinkState(StrEnum):
    """Where a link is in its life."""

    WAITING = "waiting"
    """For its turn: after a failure, or because the venue counts new connections."""
    OPENING = "opening"
    READY = "ready"
    CLOSED = "closed"


READY = LinkState.READY


class Link(WSListener):
    """A connection that is kept up until it is closed. Reads of `state` and `reason` are safe in any thread."""

    __slots__ = (
        "_closed_by",
        "_hand_over",
        "_on_end",
        "_parts",
        "_transport",
        "dialect",
        "failures",
        "for_prices",
        "heard",
        "listener",
        "opened",
        "pinged",
        "ready_at",
        "reason",
        "renew_due",
        "state",
        "unreadable",
        "venue",
    )

    def __init__(
        self,
        venue: str,
        dialect: Dialect,
        listener: Listener,
        on_end: Callable[["Link"], None],
        hand_over: HandOver,
        *,
        for_prices: bool = False,
    ) -> None:
        """`on_end` is called once whenever an open connection has ended."""
        self.for_prices = for_prices
        self.venue = venue
        self.dialect = dialect
        self.listener = listener
        self.state = LinkState.WAITING
        self.reason = "The stream is being opened."
        """Why it is not ready, as a sentence; empty while it is."""
        self.failures = 0
        """In a row."""
        self.unreadable = 0
        """Frames that could not be read, since the process started."""
        self.opened = self.heard = self.pinged = self.ready_at = self.renew_due = 0.0
        """Moments of the monotonic clock, seconds; `renew_due` 0: never."""
        self._on_end = on_end
        self._hand_over = hand_over
        self._transport: WSTransport | None = None
        self._parts: list[bytes] = []
        """The pieces of a message that comes in several frames."""
        self._closed_by = ""

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The connection stands: say what has to be said first."""
        self._transport = transport
        self._parts.clear()
        self._closed_by = ""
        if self.state is LinkState.CLOSED:
            transport.disconnect(graceful=False)
            return
        for frame in self.dialect.greeting():
            self._send(frame)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Something arrived."""
        self._hand_over.reads(self)
        self.heard = time.monotonic()
        kind = frame.msg_type
        if kind is TEXT or kind is BINARY or kind is CONTINUATION:
            self._take(frame.get_payload_as_bytes(), is_last=frame.fin)
        elif kind is CLOSE:
            self._closed_by = self._closed_by or "The exchange closed the stream."
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone, whoever ended it."""
        del transport
        self._transport = None
        self._parts.clear()
        was_ready = self.state is LinkState.READY
        is_steady = was_ready and time.monotonic() - self.ready_at >= STEADY_SECONDS
        self.failures = 0 if is_steady else self.failures + 1
        if self.state is not LinkState.CLOSED:
            self.state = LinkState.WAITING
            self.reason = self._closed_by or "The connection to the exchange's stream broke."
        try:
            if was_ready and self.state is not LinkState.CLOSED:
                self.listener(LinkDown(reason=self.reason))
        finally:
            self._on_end(self)  # whatever the listener makes of it

    # What the hub calls

    def opening(self, now: float) -> None:
        """A connection is being made. One that was given up meanwhile stays closed."""
        if self.state is LinkState.CLOSED:
            return
        self.state = LinkState.OPENING
        self.opened = self.heard = self.pinged = now
        every = self.dialect.renew_seconds()
        self.renew_due = 0.0 if every is None else now + every

    def failed(self, reason: str) -> None:
        """No connection could be made."""
        self.failures += 1
        self.reason = reason
        if self.state is not LinkState.CLOSED:
            self.state = LinkState.WAITING

    def waits(self, reason: str) -> None:
        """It has to wait for its turn; whoever listens is told why."""
        if self.reason != reason:
            self.reason = reason
            self.listener(LinkDown(reason=reason))

    def check(self, now: float) -> None:
        """Keep the link alive, or break it off when it is dead."""
        if self._transport is None:
            return
        limits = self.dialect.limits
        if now - self.heard > limits.silence_seconds:
            self._break_off("Nothing was heard from the exchange's stream.")
        elif self.state is LinkState.OPENING and now - self.opened > READY_SECONDS:
            self._break_off("The exchange did not confirm the stream.")
        elif now - self.pinged >= limits.ping_seconds:
            self.pinged = now
            ping = self.dialect.ping()
            if ping is not None:
                self._send(ping)

    def say(self, frame: str | bytes) -> None:
        """Send a frame if the connection stands; otherwise the next greeting says it."""
        if self._transport is not None:
            self._send(frame)

    def close(self) -> None:
        """End it for good. Nothing is told any more."""
        self.state = LinkState.CLOSED
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    # Inside

    def _take(self, piece: bytes, *, is_last: bool) -> None:
        if not is_last:
            self._parts.append(piece)
        elif self._parts:
            whole = b"".join([*self._parts, piece])
            self._parts.clear()
            self._read(whole)
        else:
            self._read(piece)

    def _read(self, frame: bytes) -> None:
        if self.state is READY and self.dialect.can_wait(frame):
            self.listener(Unread(frame, self._read_later))
            return
        try:
            told = self.dialect.read(frame)
        except Malformed as problem:
            self._leave_aside(problem)
            return
        for answer in told.answers:
            self._send(answer)
        if self.state is LinkState.CLOSED:
            return
        self._tell(told)

    def _tell(self, told: Told) -> None:
        if told.refused:
            self._break_off(told.refused)
            return
        if told.is_ready and self.state is LinkState.OPENING:
            self.state, self.reason, self.ready_at = LinkState.READY, "", time.monotonic()
            self.listener(LinkUp())
        for happening in told.happenings:
            self.listener(happening)
            if type(happening) is FillSeen:
                self._hand_over.told(self)

    def _read_later(self, frame: bytes) -> Sequence[Happening]:
        """Called by whoever needs it, on any thread."""
        try:
            return self.dialect.read(frame).happenings
        except Malformed as problem:
            self._leave_aside(problem)
            return ()

    def _leave_aside(self, problem: Malformed) -> None:
        self.unreadable += 1
        log.debug("%s sent a frame that cannot be read: %s", self.dialect.name, problem)

    def _send(self, frame: str | bytes) -> None:
        assert self._transport is not None
        if isinstance(frame, str):
            self._transport.send(TEXT, frame.encode())
        else:
            self._transport.send(BINARY, frame)

    def _break_off(self, reason: str) -> None:
        self._closed_by = reason
        if self._transport is not None:
            self._transport.disconnect(graceful=False)
