"""The hub: one loop thread that keeps every stream of the server up.

Any thread may ask for a stream and close it; everything else happens on the loop thread. A stream that breaks comes
back by itself, with growing, scattered pauses, within the venue's limit on new connections. Nobody needs one: while it
is down its bot polls.
"""

import asyncio
import logging
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from picows import WSError, WSListener, ws_connect

from blitz.errors import GatewayProblem
from blitz.event_loop import new_event_loop
from blitz.exchange.streams.dialect import Dialect
from blitz.exchange.streams.hand_over import HandOver
from blitz.exchange.streams.link import Link, LinkState, Listener
from blitz.exchange.streams.pacing import ConnectionPace
from blitz.exchange.trust import tls_context

log = logging.getLogger(__name__)
WIRE_LOG = logging.LoggerAdapter(logging.getLogger("picows"))
"""One for all connections: of a plain logger the library makes a child for each."""

CHECK_SECONDS = 0.5
"""How often each link is looked over for silence and a due ping."""
CHECKED_AT_ONCE = 50
"""Looking over a thousand would hold up a fill for ten milliseconds."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
OPENING_MAX = 16
"""Handshakes at a time: a thousand at once would hold up the streams that stand."""
HANDSHAKE_SECONDS = 8.0
FRAME_MAX_BYTES = 4 * 1_048_576
READ_BUFFER_BYTES = 1_024
"""Most frames are a kilobyte; the buffer grows when one is not."""
RENEW_AGAIN_SECONDS = 60.0
"""After a renewal that failed; it is asked for long before it is needed."""
HELPERS = 4
"""Threads for what a dialect has to ask over HTTP."""
STOP_SECONDS = 5.0
_JITTER = secrets.SystemRandom()


@dataclass(slots=True)
class _Queue:
    """The links of one venue that wait for a connection."""

    pace: ConnectionPace
    waiting: deque[Link] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


class StreamHandle:
    """A stream that somebody asked for. Safe to use from any thread."""

    def __init__(self, hub: "StreamHub", link: Link) -> None:
        self._hub = hub
        self._link = link

    @property
    def is_up(self) -> bool:
        """Whether the stream tells of everything right now."""
        return self._link.state is LinkState.READY

    @property
    def reason(self) -> str:
        """Why it is not up, as a sentence; empty while it is."""
        return self._link.reason

    def close(self) -> None:
        """Give the stream up; nothing is told after a moment."""
        self._hub.close(self._link)

    def say(self, frame: str | bytes) -> None:
        """Send a frame, if the connection stands. Call it on the loop thread."""
        self._link.say(frame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the streams are, in figures."""

    ready: int
    waiting: int
    reconnects: int
    unreadable: int


class StreamHub:
    """Keeps streams up. `start` before the first one; `stop` closes them all."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="streams", daemon=True)
        self._started = threading.Event()
        self._links: set[Link] = set()
        """Every link that was not given up."""
        self._queues: dict[str, _Queue] = {}
        self._opening: asyncio.Semaphore | None = None
        self._helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="streams_helper")
        self._hand_over = HandOver(self._soon)
        self._reconnects = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticks: list[Callable[[], None]] = []
        self._unchecked: list[Link] = []
        """Those of this round that were not looked over yet."""
        self._pause = CHECK_SECONDS
        """Between two parts of a round."""

    # Any thread

    def start(self) -> None:
        """Start the loop thread; returns when it runs."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Close every stream and end the thread."""
        loop = self._loop
        if loop is None or not self._thread.is_alive():
            return
        loop.call_soon_threadsafe(self._close_all)
        self._thread.join(STOP_SECONDS)
        self._helpers.shutdown(wait=False, cancel_futures=True)

    def open(
        self, venue: str, dialect: Dialect, listener: Listener, *, counts: bool = True, for_prices: bool = False
    ) -> StreamHandle:
        """Keep a stream up from now on. Streams of one `venue` share its limit on connections, if it counts any.

        One `for_prices` waits in front of all others, and for places that are kept for its like.
        """
        link = Link(venue, dialect, listener, self._ended, self._hand_over, for_prices=for_prices)
        self.call(lambda: self._enlist(link, counts))
        return StreamHandle(self, link)

    def close(self, link: Link) -> None:
        """Give a stream up."""
        self.call(lambda: self._forget(link))

    def call(self, work: Callable[[], None]) -> None:
        """Have `work` done on the loop thread, soon. Dropped once the hub has stopped."""
        loop = self._loop
        assert loop is not None, "the hub was not started"
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(work)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Have `work` done after this long. Call it on the loop thread."""
        assert self._loop is not None
        self._loop.call_later(seconds, work)

    def every_tick(self, work: Callable[[], None]) -> None:
        """Have `work` done on the loop thread every half second or so."""
        self.call(lambda: self._ticks.append(work))

    def links(self) -> list[Link]:
        """Every stream that was not given up."""
        return list(self._links)

    @property
    def is_crowded(self) -> bool:
        """Whether so many were just told of fills that the machine is busy with their exits."""
        return self._hand_over.is_crowded

    def standing(self) -> Standing:
        """Count the streams."""
        links = self.links()
        ready = sum(1 for link in links if link.state is LinkState.READY)
        unreadable = sum(link.unreadable for link in links)
        return Standing(ready=ready, waiting=len(links) - ready, reconnects=self._reconnects, unreadable=unreadable)

    # The loop thread

    def _run(self) -> None:
        loop = new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop, self._opening = loop, asyncio.Semaphore(OPENING_MAX)
        loop.call_soon(self._started.set)
        loop.call_later(CHECK_SECONDS, self._tick)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _soon(self, work: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_soon(work)

    def _close_all(self) -> None:
        assert self._loop is not None
        for link in list(self._links):
            link.close()
        for task in self._tasks:
            task.cancel()
        self._loop.call_later(0.05, self._loop.stop)

    def _enlist(self, link: Link, counts: bool) -> None:
        if link.venue not in self._queues:
            limits = link.dialect.limits
            self._queues[link.venue] = _Queue(pace=ConnectionPace(limits if counts else limits.lifted()))
        self._links.add(link)
        self._line_up(link)

    def _forget(self, link: Link) -> None:
        self._links.discard(link)
        link.close()

    def _line_up(self, link: Link) -> None:
        if link.state is not LinkState.CLOSED:
            queue = self._queues[link.venue]
            if link.for_prices:
                queue.waiting.appendleft(link)
            else:
                queue.waiting.append(link)
            self._serve(queue)

    def _serve(self, queue: _Queue) -> None:
        """Open as many connections as the venue allows now; come back for the others."""
        now = time.monotonic()
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        while queue.waiting:
            wait = queue.pace.wait_seconds(now, for_prices=queue.waiting[0].for_prices)
            if wait > 0:
                self._hold_up(queue, wait)
                return
            link = queue.waiting.popleft()
            if link.state is LinkState.CLOSED:
                continue
            queue.pace.opened()
            link.opening(now)
            self._spawn(self._open(queue, link))

    def _hold_up(self, queue: _Queue, wait: float) -> None:
        assert self._loop is not None
        full = queue.pace.is_full(for_prices=queue.waiting[0].for_prices)
        why = "as many streams are open" if full else "as many streams were opened lately"
        for link in queue.waiting:
            link.waits(f"The stream waits for its turn: {why} as the exchange allows. The bot polls meanwhile.")
        queue.timer = self._loop.call_later(wait, self._serve, queue)

    async def _open(self, queue: _Queue, link: Link) -> None:
        assert self._loop is not None
        assert self._opening is not None
        try:
            async with self._opening:
                address = await self._loop.run_in_executor(self._helpers, link.dialect.address)
                if link.state is LinkState.CLOSED:  # given up while it stood in line or asked for its address
                    self._failed(queue, link, link.reason)
                    return
                link.opening(time.monotonic())
                _, told = await ws_connect(
                    lambda: link,
                    address,
                    ssl_context=tls_context(),
                    websocket_handshake_timeout=HANDSHAKE_SECONDS,
                    max_frame_size=FRAME_MAX_BYTES,
                    max_redirects=0,  # a signed greeting must never follow one
                    read_buffer_init_size=READ_BUFFER_BYTES,
                    logger_name=WIRE_LOG,
                    use_aiofastnet=False,  # its own buffers cost more than its speed is worth here
                )
            if cast("WSListener | None", told) is None:  # closed in mid-handshake: the library does not say so
                raise GatewayProblem("The exchange's stream was closed before it was opened.")
        except GatewayProblem as problem:
            self._failed(queue, link, str(problem))
        except (WSError, OSError, TimeoutError) as problem:
            self._failed(queue, link, f"The exchange's stream cannot be reached ({type(problem).__name__}).")
        except Exception as fault:  # nobody awaits this: a fault would leave a link that is never opened again
            log.exception("%s could not be opened because of a fault.", link.dialect.name)
            self._failed(queue, link, f"The stream met a fault in the server ({type(fault).__name__}).")
        else:
            queue.pace.tried(time.monotonic())
            self._serve(queue)

    def _failed(self, queue: _Queue, link: Link, reason: str) -> None:
        queue.pace.tried(time.monotonic())
        queue.pace.closed()
        link.failed(reason)
        self._come_back(link)
        self._serve(queue)

    def _ended(self, link: Link) -> None:
        """An open connection has ended."""
        queue = self._queues[link.venue]
        queue.pace.closed()
        self._come_back(link)
        self._serve(queue)

    def _come_back(self, link: Link) -> None:
        """Line up again after a pause that grows with each failure, never at the same moment as the others."""
        assert self._loop is not None
        if link.state is LinkState.CLOSED:
            return
        self._reconnects += 1
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(link.failures, 10))
        self._loop.call_later(_JITTER.uniform(longest / 2, longest), self._line_up, link)

    def _tick(self) -> None:
        assert self._loop is not None
        if begins := not self._unchecked:
            self._unchecked = list(self._links)
            self._pause = CHECK_SECONDS / max(1, math.ceil(len(self._unchecked) / CHECKED_AT_ONCE))
        part, self._unchecked = self._unchecked[:CHECKED_AT_ONCE], self._unchecked[CHECKED_AT_ONCE:]
        self._loop.call_later(self._pause, self._tick)  # before the work: whatever goes wrong, there is a next time
        now = time.monotonic()
        for link in part:
            try:
                self._look_over(link, now)
            except Exception:  # one dialect's fault: the others must still be found dead when they are
                log.exception("%s could not be looked over because of a fault.", link.dialect.name)
        if begins:
            for work in self._ticks:
                work()

    def _look_over(self, link: Link, now: float) -> None:
        link.check(now)
        if link.state is LinkState.READY and 0 < link.renew_due <= now:
            link.renew_due = 0.0
            self._spawn(self._renew(link))

    async def _renew(self, link: Link) -> None:
        assert self._loop is not None
        try:
            await self._loop.run_in_executor(self._helpers, link.dialect.renew)
        except GatewayProblem as problem:
            # Should it end before that is made up for, opening it anew makes a new address.
            log.info("%s could not be renewed: %s", link.dialect.name, problem)
            link.renew_due = time.monotonic() + RENEW_AGAIN_SECONDS
            return
        link.renew_due = time.monotonic() + (link.dialect.renew_seconds() or 0.0)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
