"""Joins the parts and serves: database, paper exchange, bots, pages. Called by `run.py serve` and by `create_app()`.

`build_services` only builds; `Running` starts and stops things in the right order. Stopping cancels no order: bots that
should run are recorded as such and resume at the next start.
"""

import errno
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog
from cheroot.wsgi import Server as WsgiServer

from blitz.allocator import Tidying, give_back
from blitz.app import create_app
from blitz.bots.going_live import GoingLive
from blitz.bots.key_check import KeyDesk
from blitz.bots.manager import SimpleBotManager
from blitz.bots.markets import MarketDesk
from blitz.bots.opening import BotParts
from blitz.bots.venues import Venues
from blitz.clock import Clock, SystemClock
from blitz.errors import ConfigurationProblem
from blitz.exchange.budget import RateBudget
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams.hub import StreamHub
from blitz.paper.server import PaperConfig, PaperServer, PaperStartError
from blitz.redaction import register_secret
from blitz.settings import Settings
from blitz.storage.admin_acts import ActStore
from blitz.storage.api_tokens import ApiTokenStore
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.invitations import Invitations
from blitz.storage.notices import NoticeStore
from blitz.storage.people import People
from blitz.storage.preferences import PreferenceStore
from blitz.storage.profits import Profits
from blitz.storage.secrets import SecretBox, cookie_key, load_or_create_key
from blitz.storage.sessions import SessionStore
from blitz.storage.setup import SetupTokens
from blitz.storage.throttle import SignInThrottle
from blitz.storage.users import UserStore
from blitz.web.services import Services
from blitz.web.stream import STREAMS_MAX

log = structlog.get_logger(__name__)

WEB_THREADS = STREAMS_MAX + 16
"""An open event stream holds a thread of the web server; these are on top of all that may be open."""
TIDY_SECONDS = 1.0
"""How often garbage is seen to."""
REQUEST_SECONDS = 10
"""A connection that says nothing for this long is closed: it holds a thread until then."""
HEADER_BYTES_MAX = 32 * 1024
USUAL_SPEED = "1"
"""Of the embedded paper exchange's market: the machine's own time, and a step a second where it is made up."""
NO_PAPER = "http://127.0.0.1:9"
"""Where nothing listens: the address of a paper exchange that was not started."""


def build_services(
    settings: Settings,
    *,
    paper_url: str | None = None,
    clock: Clock | None = None,
    poll_seconds: float | None = 1.0,
    hub: StreamHub | None = None,
    budget: RateBudget | None = None,
) -> Services:
    """Build every part over a migrated database, without starting a bot or a server. Without a `hub` bots poll.

    Without a `budget` another server is taken to have run here until now: a deploy, or a crash.
    Raises `ConfigurationProblem` with a sentence when a folder, the key file or the database is unusable.
    """
    clock = clock or SystemClock()
    database = Database.open(settings.database)
    database.migrate()
    key = load_or_create_key(settings.key_path, settings.secret_key)
    users = UserStore(database, SecretBox(key, on_open=register_secret), clock)
    history, notices = History(database), NoticeStore(database, clock)
    budget = budget or RateBudget(after_another=True)
    exchanges = Exchanges(clock, hub, clients=Clients(budget, paper_counts=settings.has_paper_limits))
    paper_url = (paper_url or settings.paper_url or NO_PAPER).rstrip("/")
    venues = Venues(paper_url=paper_url, users=users, rehearsal_url=settings.rehearsal_url or "")
    parts = BotParts(
        clock=clock,
        database=database,
        users=users,
        store=BotStore(database, clock),
        exchanges=exchanges,
        venues=venues,
        poll_seconds=poll_seconds,
    )
    return _services(settings, parts, history, notices, cookie_key(key))


def _services(settings: Settings, parts: BotParts, history: History, notices: NoticeStore, cookie_key: str) -> Services:
    """What the web works with, over the parts that bots work with."""
    clock, database, users = parts.clock, parts.database, parts.users
    exchanges, venues = parts.exchanges, parts.venues
    return Services(
        settings=settings,
        database=database,
        users=users,
        preferences=PreferenceStore(database),
        sessions=SessionStore(database, clock),
        tokens=ApiTokenStore(database, clock, on_new=register_secret),
        setup=SetupTokens(database, clock),
        throttle=SignInThrottle(database, clock),
        bots=parts.store,
        history=history,
        desk=MarketDesk(exchanges, venues, clock),
        live=GoingLive(clock=clock, users=users, exchanges=exchanges, venues=venues),
        keys=KeyDesk(users=users, exchanges=exchanges, venues=venues),
        manager=SimpleBotManager(parts, history, notices.maintenance),
        people=People(database),
        profits=Profits(database, history),
        invitations=Invitations(database, users, clock),
        notices=notices,
        acts=ActStore(database, clock),
        clock=clock,
        cookie_key=cookie_key,
        facts={
            "paper_feed": "external" if settings.paper_url else settings.paper_feed,
            "rehearsal": settings.rehearsal_url or "",
        },
    )


def open_paper(settings: Settings, speed: str = USUAL_SPEED) -> PaperServer | None:
    """Start the embedded paper exchange, unless the settings name one that runs elsewhere."""
    if settings.paper_url:
        return None
    _make_private_folder(settings.instance_path)
    # One address for all bots: the venue's limit per address would meet traders who each have their own in real life.
    config = PaperConfig(
        port=settings.paper_port,
        feed=_feed(settings),
        speed=speed,
        state_path=settings.instance_path / "paper.db",
        enforce_limits=bool(settings.paper_limits),
    )
    paper = PaperServer(config)
    try:
        paper.start()
    except PaperStartError as problem:
        raise ConfigurationProblem(f"The paper exchange cannot start. {problem} {_paper_remedy(settings)}") from problem
    return paper


def _paper_remedy(settings: Settings) -> str:
    """What to do when the embedded paper exchange does not start. Nothing of demo or live is in its file."""
    return (
        f"Its market is BLITZ_PAPER_FEED, its port BLITZ_PAPER_PORT. If {settings.instance_path / 'paper.db'} is "
        "damaged, move it away: paper accounts begin anew, demo and live are not affected."
    )


def _make_private_folder(path: Path) -> None:
    """The folder of everything private to this server; nobody else may look in. Raises `ConfigurationProblem`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise ConfigurationProblem(
            f"The folder {path} cannot be made ({problem.strerror}). Change its owner or set BLITZ_HOME."
        ) from problem


def _feed(settings: Settings) -> str:
    """The feed with a candle file found from the project's folder."""
    kind, _, name = settings.paper_feed.partition(":")
    return f"candles:{settings.home / name}" if kind == "candles" else settings.paper_feed


class WebServer:
    """The pages and the API on their port. Raises `ConfigurationProblem` when the port cannot be had."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._server = WsgiServer(
            (settings.web_host, settings.web_port),
            create_app(services),
            numthreads=WEB_THREADS,  # all at once: the pool does not grow by itself
            request_queue_size=128,
            timeout=REQUEST_SECONDS,
            server_name="blitz",
        )
        self._server.shutdown_timeout = 3
        self._server.max_request_header_size = HEADER_BYTES_MAX
        try:
            self._server.prepare()
        except OSError as problem:
            raise ConfigurationProblem(_why_not_bound(settings, str(problem))) from problem
        host, port = self._server.bind_addr
        self.url = f"http://{_shown_host(host)}:{port}"
        self._thread = threading.Thread(target=self._server.serve, name="web", daemon=True)

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; requests that are being answered get a moment."""
        self._server.stop()


class Running:
    """A running server: paper exchange, services, web, bots; stopped in reverse."""

    def __init__(self, settings: Settings, *, paper_speed: str = USUAL_SPEED) -> None:
        self._paper = open_paper(settings, paper_speed)
        self._hub = StreamHub()
        try:
            paper_url = self._paper.url if self._paper else None
            self.services = build_services(settings, paper_url=paper_url, hub=self._hub)
            self._web = WebServer(self.services)
        except ConfigurationProblem:
            self._stop_paper()
            raise
        self.url = self._web.url
        self.paper_url = self._paper.url if self._paper else settings.paper_url

    @property
    def manager(self) -> SimpleBotManager:
        """The bots' manager."""
        manager = self.services.manager
        assert isinstance(manager, SimpleBotManager)
        return manager

    def start(self) -> int:
        """Answer requests and resume the bots that should run; answers how many."""
        self._hub.start()
        self._web.start()
        return self.manager.resume_all()

    def stop(self) -> None:
        """End streams, bots, web and paper exchange. Sends and cancels nothing."""
        self.services.closing.set()
        self.manager.shut_down()
        self._hub.stop()
        self._web.stop()
        self._stop_paper()
        self.services.database.close()

    def _stop_paper(self) -> None:
        if self._paper is not None:
            self._paper.stop()


def _why_not_bound(settings: Settings, said: str) -> str:
    """What the web server's library said about its address, as a sentence with the remedy."""
    port, host = settings.web_port, settings.web_host
    if f"[Errno {errno.EADDRINUSE}]" in said:
        return (
            f"Port {port} on {host} cannot be used (another program listens there). Stop the other program or set "
            "WEB_PORT in .env."
        )
    if f"[Errno {errno.EACCES}]" in said:
        return f"Port {port} on {host} needs more rights than this user has. Set WEB_PORT in .env to 1024 or above."
    return (
        f"{host} is not an address of this machine. Set WEB_HOST in .env to 127.0.0.1, or to 0.0.0.0 for all of them."
    )


def _shown_host(host: str) -> str:
    """A host that a person can open in a browser on this machine."""
    return "localhost" if host in {"0.0.0.0", "::", "127.0.0.1", "::1"} else host  # noqa: S104 - compared, not bound


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Hold the lock that keeps a second server off this database (D7). Raises `ConfigurationProblem`."""
    path = Path(f"{settings.db_path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise ConfigurationProblem(
            f"The folder {path.parent} cannot be written ({problem.strerror}). Change its owner or set BLITZ_DB_PATH."
        ) from problem
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(handle)
        raise ConfigurationProblem(
            "Another Blitz server runs on this database: two would trade the same accounts twice. Stop it first."
        ) from problem
    try:
        yield
    finally:
        os.close(handle)  # closing gives the lock up; the file stays, so that nobody locks another one


def serve(
    settings: Settings, *, paper_speed: str = USUAL_SPEED, welcome: Callable[[Running, int], None] | None = None
) -> int:
    """Serve until SIGINT or SIGTERM. Answers the exit code.

    `welcome` is called once it serves, with the number of bots that went on; without one the usual words are printed.
    """
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, ask_to_stop)
    with only_server(settings):
        tidying = Tidying(time.monotonic())
        running = Running(settings, paper_speed=paper_speed)
        try:
            resumed = running.start()
            (welcome or _welcome)(running, resumed)
            while not stop.wait(TIDY_SECONDS):
                if tidying.tick(time.monotonic()):
                    give_back()
            log.info("The server is shutting down; every order stays where it is.")
        finally:
            running.stop()
    return 0


def _welcome(running: Running, resumed: int) -> None:
    """Say where the pages are and, at the first start, how to become the administrator."""
    services = running.services
    feed = services.facts["paper_feed"]
    lines = [f"Blitz is at {running.url}", f"Paper exchange: {running.paper_url} (feed: {feed})"]
    if services.facts["rehearsal"]:
        lines.append(f"Rehearsal: demo and live trade at {services.facts['rehearsal']}, and nothing there is real")
    if resumed:
        lines.append(f"Bots resumed: {resumed}")
    if services.setup.needed():
        lines += [
            "",
            "First start: open this link to become the administrator (valid 24 hours, works once):",
            f"  {running.url}/setup?token={services.setup.issue()}",
        ]
    lines += ["", "Press Ctrl+C to stop. Stopping cancels no order; the bots go on at the next start."]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
