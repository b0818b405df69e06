"""The page bench: how soon a fill shows on the page, how soon a page can be used, how smoothly the chart moves.

Bots trade on a paper exchange in processes of their own, as in the reaction bench; one trader's page is open in a real
browser. All of them watch the same market, and the fills are the watched trader's.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from blitz.bench.browser import LOCALE, SIZE, USABLE, WATCH, chromium, signed_in
from blitz.bench.chart import CANDLES, pan
from blitz.bench.exchange import BenchExchange, BenchProblem
from blitz.bench.figures import machine
from blitz.bench.ladders import ENTRY, settings_of, watched_settings
from blitz.bench.page_figures import Load, PageFigures, Shown, print_page
from blitz.bench.past import state_with_candles
from blitz.bench.server import BenchServer, email_of, password_of
from blitz.clock import SystemClock

PAST_MINUTES = CANDLES + 1_000
EXCHANGE = "bybit"
FIGURE_SECONDS = 5.0
PAUSES_SECONDS = (0.2, 1.2)
"""Between two fills, so that they keep step with nothing that is done every second."""
USABLE_SECONDS = 10.0
SETTLE_SECONDS = 1.0
"""What a page asks for within this time of being usable counts as loaded with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page, and by what one sees that it can be used."""

    name: str
    path: str
    shown: tuple[str, ...] = ("main h1, main h2",)
    """CSS selectors of what has to be there with a text that says something."""
    enabled: tuple[str, ...] = ()
    """CSS selectors of buttons that have to take a click."""
    is_public: bool = False


PLACES = (
    Place(name="control", path="/", shown=("#state-word", "#position", "#price"), enabled=("#stop", "#status")),
    Place(name="history", path="/history"),
    Place(name="settings", path="/settings", enabled=("main button[type=submit]",)),
    Place(name="account", path="/account"),
    Place(name="admin", path="/admin/console"),
    Place(name="going live", path="/settings/live"),
    Place(name="sign in", path="/login", enabled=("main button",), is_public=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What is measured."""

    bots: int = 100
    samples: int = 40
    as_json: bool = False


def run_page(options: PageOptions) -> int:
    """Run it and print what was found. Answers the exit code."""
    try:
        with chromium() as browser, tempfile.TemporaryDirectory(prefix="blitz-bench-") as folder:
            found = _Run(options, Path(folder), browser, Console(stderr=True)).measured()
    except BenchProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if options.as_json:
        sys.stdout.write(json.dumps(found.to_json()) + "\n")
    else:
        print_page(found)
    return 0


class _Run:
    """An exchange, a server, and a browser that looks at it."""

    def __init__(self, options: PageOptions, folder: Path, browser: Any, progress: Console) -> None:
        self._options = options
        self._folder = folder
        self._browser = browser
        self._progress = progress

    def measured(self) -> PageFigures:
        """Run it from beginning to end."""
        self._tell(f"playing {PAST_MINUTES:,} minutes of market")
        state = state_with_candles(self._folder, PAST_MINUTES, SystemClock().now_ms())
        exchange = BenchExchange(self._folder, EXCHANGE, tls=False, limits=False, state=state)
        server: BenchServer | None = None
        try:
            exchange.start()
            exchange.price(str(ENTRY))
            server = BenchServer(self._folder / "server", exchange, self._options.bots, self._ladder)
            self._tell(f"starting {self._options.bots} bots")
            server.start()
            return self._figures(exchange, server)
        finally:
            if server is not None:
                server.stop()
            exchange.program.kill()

    def _ladder(self, number: int) -> Any:
        return settings_of(number, self._options.bots, EXCHANGE) if number else watched_settings(EXCHANGE)

    def _figures(self, exchange: BenchExchange, server: BenchServer) -> PageFigures:
        context = signed_in(self._browser, server.url, email_of(0), password_of(0))
        loads = tuple(self._load(context, server.url, place) for place in PLACES)
        page = context.new_page()
        page.goto("/")
        shown = self._fills(exchange, page)
        self._tell("panning the chart")
        panned = pan(page)
        context.close()
        return PageFigures(bots=self._options.bots, shown=shown, loads=loads, panned=panned, machine=machine())

    # Fills

    def _fills(self, exchange: BenchExchange, page: Any) -> Shown:
        """Let the price fall from leg to leg, and wait each time until the page shows the larger position."""
        self._tell(f"{self._options.samples} fills under an open page")
        page.wait_for_selector("#position")
        page.evaluate(WATCH)
        pauses, took_ms, unseen = random.Random(1), [], 0  # noqa: S311 - when to wait is no secret
        for _ in range(self._options.samples):
            time.sleep(pauses.uniform(*PAUSES_SECONDS))
            price = _next_leg(page)
            if price is None:
                break
            page.evaluate("() => { window.seen = []; }")
            began_ms = time.time_ns() / 1e6
            exchange.price(price)
            seen_ms = _first_seen(page)
            if seen_ms is None:
                unseen += 1
            else:
                took_ms.append(seen_ms - began_ms)
        return Shown.of(took_ms, unseen)

    # Loads

    def _load(self, signed: Any, url: str, place: Place) -> Load:
        """Open a page as somebody whose browser has never been here, apart from the cookie."""
        self._tell(f"loading {place.name}")
        cookies = None if place.is_public else signed.storage_state()
        context = self._browser.new_context(base_url=url, storage_state=cookies, viewport=SIZE, locale=LOCALE)
        page = context.new_page()
        wire = _Wire(context.new_cdp_session(page))
        words = json.dumps({"shown": place.shown, "enabled": place.enabled})
        page.add_init_script(USABLE.replace("PLACE", words, 1))
        page.goto(place.path, wait_until="commit")
        usable_ms = _until(lambda: page.evaluate("() => window.usableAt ?? null"), USABLE_SECONDS)
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        context.close()
        return Load(
            page=place.name,
            usable_ms=None if usable_ms is None else round(usable_ms, 1),
            kib=round(wire.bytes / 1024, 1),
        )

    def _tell(self, words: str) -> None:
        self._progress.print(f"page: {words}", style="dim")


class _Wire:
    """Counts what comes over the wire for one page, as the browser's own tools do."""

    def __init__(self, session: Any) -> None:
        self._open: dict[str, int] = {}
        self._finished = 0
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._over)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    @property
    def bytes(self) -> int:
        """So far, also of streams that do not end."""
        return self._finished + sum(self._open.values())

    def _received(self, told: dict[str, Any]) -> None:
        number = told["requestId"]
        self._open[number] = self._open.get(number, 0) + int(told["encodedDataLength"])

    def _over(self, told: dict[str, Any]) -> None:
        self._open.pop(told["requestId"], None)
        self._finished += int(told["encodedDataLength"])


def _next_leg(page: Any) -> str | None:
    """The price of the nearest leg that rests; None when all have filled."""
    status = page.request.get("/api/bot/status").json()
    resting = [one["resting"]["price"] for one in status["orders"] if one["key"].startswith("leg_") and one["resting"]]
    return max(resting, key=Decimal, default=None)


def _first_seen(page: Any) -> float | None:
    """When the figure changed, in milliseconds since the epoch; None when it did not."""
    told = _until(lambda: page.evaluate("() => window.seen[0] ?? null"), FIGURE_SECONDS)
    return None if told is None else float(told[0])


def _until(look: Callable[[], Any], seconds: float) -> Any:
    """What `look` answers once it is something; None after so many seconds."""
    deadline = time.monotonic() + seconds
    while (seen := look()) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen
