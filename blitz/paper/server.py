"""The paper exchange as a server: embedded in a thread (`PaperServer`) or alone in the foreground (`run_paper`).

The application and the tests embed it; `run.py paper` runs it alone. Everything happens on one asyncio loop; other
threads only start it, stop it and read its address.
"""

import asyncio
import logging
import signal
import sys
import threading
import time
from contextlib import suppress

from blitz import event_loop
from blitz.allocator import Tidying
from blitz.clock import Clock, ManualClock, SystemClock
from blitz.paper.config import AccountSpec, FeedSpec, PaperConfig, PaperStartError, parse_balance, parse_speed
from blitz.paper.wire.assembly import Exchange, open_exchange

__all__ = ["AccountSpec", "FeedSpec", "PaperConfig", "PaperServer", "PaperStartError", "parse_balance", "run_paper"]

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
START_SECONDS = 60.0
TIDY_SECONDS = 1.0
"""How often an exchange with a process of its own sees to its garbage."""
LOCK_STEP_NOTE = "At speed max time moves only by POST /__paper/advance."


class PaperServer:
    """A paper exchange in a thread of its own, named `paper_exchange`."""

    def __init__(self, config: PaperConfig, clock: Clock | None = None) -> None:
        """Nothing happens yet. Without a clock a replay gets a `ManualClock`, everything else the machine's time."""
        self._config = config
        self.clock: Clock = clock or usual_clock(config)
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens, for example `http://127.0.0.1:41234`. Empty before `start`."""
        return self._url

    def start(self) -> None:
        """Start serving; returns when requests are answered. Raises `PaperStartError` with one clear sentence."""
        if self._thread is not None:
            raise PaperStartError("This paper exchange was started already.")
        self._thread = threading.Thread(target=self._run, name="paper_exchange", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise PaperStartError(f"The paper exchange did not start within {START_SECONDS:.0f} seconds.")
        if self._failure is not None:
            self._thread.join(STOP_SECONDS)
            raise self._failure

    def stop(self) -> None:
        """Close links, write the state, end the thread. Harmless when it is not running."""
        loop, stop = self._loop, self._stop
        if self._thread is None or loop is None or stop is None:
            return
        with suppress(RuntimeError):  # the loop may just have ended by itself
            loop.call_soon_threadsafe(stop.set)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        try:
            event_loop.run(self._serve())
        except Exception as problem:  # the top of the thread: nobody above it could tell `start` or the log
            if self._ready.is_set():
                log.exception("the paper exchange ended by an error")
            self._failure = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        exchange = await open_exchange(self._config, self.clock)
        self._url = exchange.url
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await exchange.close()


def usual_clock(config: PaperConfig) -> Clock:
    """The clock a configuration needs: a manual one when bars are replayed, else the machine's."""
    replayed = FeedSpec.parse(config.feed).kind == "candles" or in_lock_step(config)
    return ManualClock() if replayed else SystemClock()


def in_lock_step(config: PaperConfig) -> bool:
    """Whether time stands still until somebody asks for more: bars at the speed `max`."""
    return parse_speed(config.speed) is None and FeedSpec.parse(config.feed).kind in ("candles", "synthetic")


def run_paper(config: PaperConfig) -> int:
    """Serve in the foreground until SIGINT or SIGTERM. Returns the exit code."""
    try:
        event_loop.run(_run_until_signal(config))
    except PaperStartError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


async def _run_until_signal(config: PaperConfig) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    exchange = await open_exchange(config, usual_clock(config))
    sys.stdout.write(f"{_announcement(exchange, config)}\n")
    sys.stdout.flush()
    tidying = asyncio.create_task(_tidy())
    try:
        await stop.wait()
    finally:
        tidying.cancel()
        await exchange.close()


async def _tidy() -> None:
    """Keep searches for garbage short: what accounts and orders are made of stays, and there may be thousands."""
    tidying = Tidying(time.monotonic())
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        tidying.tick(time.monotonic())


def _announcement(exchange: Exchange, config: PaperConfig) -> str:
    keys = ", ".join(exchange.account_keys()) or "none yet"
    first = f"Paper exchange at {exchange.url} · feed {config.feed} · accounts: {keys}"
    return f"{first}\n{LOCK_STEP_NOTE}" if in_lock_step(config) else first
