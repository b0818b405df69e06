"""Putting a paper exchange together: state file, venue, host, sockets, feed, listening port. And taking it apart."""

import asyncio
import errno
import logging
import ssl
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from blitz.clock import Clock
from blitz.paper.config import AccountSpec, FeedSpec, PaperConfig, PaperStartError, parse_speed
from blitz.paper.engine import HOUSES, HouseName, IdRegime, SnapshotProblem, Venue, VenueRefusal, default_instruments
from blitz.paper.wire.control import PREFIX, Control
from blitz.paper.wire.doors import Doors
from blitz.paper.wire.feeds.candles import Candle, CandleFileError, read_candles
from blitz.paper.wire.feeds.live import LiveSource, run_live
from blitz.paper.wire.feeds.replay import Replay
from blitz.paper.wire.feeds.synthetic import SyntheticMarket, run_synthetic
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.paper_clock import PaperClock
from blitz.paper.wire.state_file import StateFile

log = logging.getLogger(__name__)

BODY_MAX_BYTES = 1_048_576
CLOSE_SECONDS = 2.0
PRICES_SAVED_EVERY_SECONDS = 30.0
FUNDING_CHECK_SECONDS = 1.0


@dataclass(slots=True)
class Exchange:
    """A running paper exchange."""

    host: VenueHost
    doors: Doors
    runner: web.ServerRunner
    store: StateFile | None
    url: str = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def account_keys(self) -> list[str]:
        """Keys of the accounts, in opening order."""
        return list(self.host.venue.accounts)

    async def close(self) -> None:
        """Stop prices, close links and port, write the last prices."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.doors.close()
        await self.runner.cleanup()
        if self.store is not None:
            # Bars are much; they are kept over a stop, not over a kill.
            self.host.save([], with_bars=True)
            self.store.close()


async def open_exchange(config: PaperConfig, clock: Clock) -> Exchange:
    """Build and start everything. Raises `PaperStartError`; nothing is left open then."""
    feed = FeedSpec.parse(config.feed)
    bars = _bars(config, feed)
    source = _live_source(feed)
    store = StateFile(config.state_path) if config.state_path is not None else None
    try:
        return await _open(config, clock, feed, bars, source, store)
    except BaseException:  # also a cancelled start must let go of the lock on its state file
        if store is not None:
            store.close()
        raise


async def _open(
    config: PaperConfig,
    clock: Clock,
    feed: FeedSpec,
    bars: Iterable[Candle] | None,
    source: LiveSource | None,
    store: StateFile | None,
) -> Exchange:
    paper_clock = PaperClock(clock)
    venue, cursor = _venue(config, paper_clock, store)
    host = VenueHost(venue, paper_clock, enforce_limits=config.enforce_limits, store=store)
    replay = None if bars is None else _replay(host, config, bars, cursor)
    _open_accounts(host, config.accounts)
    # From here on funding counts; without a first look nobody would know which charge is the first.
    host.pass_time()
    doors = Doors(host)
    control = Control(host, doors, replay)
    runner = web.ServerRunner(
        web.Server(_Dispatch(doors, control).answer, access_log=None), shutdown_timeout=CLOSE_SECONDS
    )
    exchange = Exchange(host=host, doors=doors, runner=runner, store=store)
    exchange.tasks.append(asyncio.create_task(_guarded(doors.keep_alive())))
    exchange.url = await _listen(runner, config)
    for work in _work(host, config, feed, replay, source, store):
        exchange.tasks.append(asyncio.create_task(_guarded(work)))
    return exchange


class _Dispatch:
    """Sends a request to the part that answers its path."""

    def __init__(self, doors: Doors, control: Control) -> None:
        self._doors = doors
        self._control = control

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await self._control.answer(request)
        return await self._doors.answer(request)


def _bars(config: PaperConfig, feed: FeedSpec) -> Iterable[Candle] | None:
    """The bars to replay; None when the feed is not made of bars."""
    listed = {instrument.symbol: instrument for instrument in default_instruments()}
    if config.symbol not in listed:
        raise PaperStartError(f"The symbol {config.symbol!r} is not listed; choose one of {', '.join(listed)}.")
    if feed.kind == "candles":
        try:
            return read_candles(Path(feed.argument))
        except CandleFileError as problem:
            raise PaperStartError(str(problem)) from None
    if feed.kind == "synthetic" and parse_speed(config.speed) is None:
        return SyntheticMarket(listed[config.symbol], _seed(config, feed)).bars()
    return None


def _live_source(feed: FeedSpec) -> LiveSource | None:
    if feed.kind != "live":
        return None
    name, _, url = feed.argument.partition("@")
    return LiveSource(name, url)


def _seed(config: PaperConfig, feed: FeedSpec) -> int:
    return int(feed.argument) if feed.argument else config.seed


def _venue(config: PaperConfig, clock: PaperClock, store: StateFile | None) -> tuple[Venue, int]:
    """The venue as it was saved, or a new one; and how far a replay had come."""
    saved = store.load() if store is not None else None
    if saved is None:
        return Venue(default_instruments(), id_regime=IdRegime(config.id_regime), seed=config.seed), 0
    snapshot, now_ms, cursor = saved
    try:
        venue = Venue.restore(snapshot, default_instruments())
    except SnapshotProblem as problem:
        raise PaperStartError(f"The state file {config.state_path} cannot be read back: {problem}.") from None
    venue.id_regime = IdRegime(config.id_regime)
    for account in venue.accounts.values():
        # Fault rules end with the process; what a partial_fill rule had set in the venue ends with them.
        venue.set_max_fill(account, None)
    if clock.manual and now_ms > clock.now_ms():
        clock.set(now_ms)
    return venue, cursor


def _replay(host: VenueHost, config: PaperConfig, bars: Iterable[Candle], cursor: int) -> Replay:
    if not host.clock.manual:
        raise PaperStartError("A replay needs a clock that it can move (a ManualClock).")
    replay = Replay(host, config.symbol, bars, cursor)
    replay.open_market()
    return replay


def _open_accounts(host: VenueHost, accounts: Iterable[AccountSpec]) -> None:
    for account in accounts:
        try:
            host.venue.open_account(account.key, account.secret, account.balance, HOUSES[HouseName(account.exchange)])
        except VenueRefusal as no:
            raise PaperStartError(f"The account {account.key} cannot be opened: {no.message}.") from None
    host.publish(host.settle())


async def _listen(runner: web.ServerRunner, config: PaperConfig) -> str:
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, ssl_context=_tls(config))
    try:
        await site.start()
    except OSError as problem:
        await runner.cleanup()
        if problem.errno == errno.EADDRINUSE:
            raise PaperStartError(f"Port {config.port} is in use; choose another one, or 0 for any free one.") from None
        raise PaperStartError(f"Cannot listen on {config.host}:{config.port}: {problem.strerror}.") from None
    port = next(iter(islice((address[1] for address in runner.addresses), 1)), config.port)
    return f"{'https' if config.tls_certificate else 'http'}://{config.host}:{port}"


def _tls(config: PaperConfig) -> ssl.SSLContext | None:
    if config.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(config.tls_certificate)
    except (OSError, ssl.SSLError) as problem:
        raise PaperStartError(
            f"{config.tls_certificate} is not a PEM file with certificate and key: {problem}."
        ) from None
    return context


def _work(
    host: VenueHost,
    config: PaperConfig,
    feed: FeedSpec,
    replay: Replay | None,
    source: LiveSource | None,
    store: StateFile | None,
) -> list[Coroutine[Any, Any, None]]:
    """What goes on by itself, besides answering requests."""
    speed = parse_speed(config.speed)
    work: list[Coroutine[Any, Any, None]] = []
    if replay is not None and speed is not None:
        work.append(replay.run_paced(speed))
    elif source is not None:
        work.append(run_live(host, source))
    elif feed.kind == "synthetic" and replay is None:
        work.append(run_synthetic(host, _seed(config, feed), speed or Decimal(1)))
    if not host.clock.manual:
        work.append(_watch_funding(host))
    if store is not None:
        work.append(_save_prices(host))
    return work


async def _watch_funding(host: VenueHost) -> None:
    """Charge funding when it falls due although no price moves."""
    while True:
        await asyncio.sleep(FUNDING_CHECK_SECONDS)
        host.pass_time()


async def _save_prices(host: VenueHost) -> None:
    """Write prices now and then; those between two saves may be lost, accounts never are."""
    while True:
        await asyncio.sleep(PRICES_SAVED_EVERY_SECONDS)
        host.save([])


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # the top of a background task: say so, keep answering requests
        log.exception("a background part of the paper exchange ended")
