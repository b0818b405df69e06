"""Take the pictures of docs/images, and write docs/pages.md around them.

Run `python tools/screenshots.py` in an environment with the development packages, on a machine with Debian's chromium
and an emoji font. Words behind it choose pictures by name; `--into FOLDER` puts everything elsewhere, to look first.

Two servers are looked at: the lively demo, and a quiet one whose market is moved by hand, for what must not depend on
chance: a first start, an unprotected position, going live. Nothing here waits for time to pass: each picture names what
has to be on the page first.
"""

import argparse
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, expect  # noqa: E402

from blitz.bench.browser import chromium  # noqa: E402
from blitz.demo.stage import own_settings  # noqa: E402
from blitz.logs import configure_logging  # noqa: E402
from blitz.paper.server import AccountSpec, PaperConfig, PaperServer  # noqa: E402
from blitz.server import Running  # noqa: E402
from blitz.torture.processes import Program  # noqa: E402

WAIT_MS = 15_000
DEMO_SECONDS = 180
THEMES = ("light", "dark")
SIZES = {"": {"width": 1280, "height": 860}, "-phone": {"width": 390, "height": 844}}
WORDS = {"locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}
LIVE_KEY = AccountSpec(
    key="liveKey12345wxyz", secret="a-secret-of-a-paper-exchange", balance=Decimal(1000)  # noqa: S106
)  # fmt: skip
STREAM = "/api/bot/events"
QUIET_ROUNDS = 10
FRAME = """async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
}"""
"""Lets one frame be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page to take a picture of."""

    name: str
    says: str
    """One sentence under it."""
    path: str
    who: str = ""
    """Of `Scene.people`; empty is a visitor who is not signed in."""
    waits: tuple[tuple[str, str], ...] = (("main h1", r"\w"),)
    """CSS selector of what has to be seen, and the pattern of its text; an empty one asks for no text."""


LIVELY = (
    Picture(
        name="control", path="/", who="trader",
        says="The control page of a running bot in the middle of a cycle: what it does, whether the position is "
        "protected, the market with everything that rests in it, and the ladder as planned beside what rests.",
        waits=(("#state-word", "Running"), ("#position", r"\d"), ("#ladder", r"\w"), ("#chart canvas", "")),
    ),
    Picture(
        name="history", path="/history", who="trader",
        says="The history: what the bot earned and paid, cycle by cycle.",
        waits=(("main h1", r"\w"), ("main", r"\d")),
    ),
    Picture(
        name="settings", path="/settings", who="trader",
        says="The settings, with a preview of the ladder that shows every order before it is sent.",
        waits=(("main h1", r"\w"), ("main table", r"\w")),
    ),
    Picture(
        name="account", path="/account", who="trader",
        says="The account: keys, sign-ins, and how the pages speak to this person.",
    ),
    Picture(
        name="admin", path="/admin/console", who="admin",
        says="The admin console: every trader's bot at a glance, and whoever needs help.",
        waits=(("main h1", r"\w"), ("main", r"felix@example\.com")),
    ),
    Picture(
        name="error", path="/nowhere", who="trader",
        says="An address that leads nowhere, said in a sentence, with the way back.",
    ),
    Picture(name="login", path="/login", says="Signing in."),
)  # fmt: skip
FIRST = (
    Picture(
        name="setup", path="/setup?token={token}",
        says="The first start: the link that the server prints opens this page, once.",
    ),
)  # fmt: skip
QUIET = (
    Picture(
        name="control-empty", path="/?welcome=1", who="new",
        says="The control page before anything was traded, with what to do next.",
        waits=(("#state-word", r"\w"), ("#start", "Start Bot"), ("#price", r"\d|–")),
    ),
    Picture(
        name="control-unprotected", path="/", who="bare",
        says="An unprotected position: since when, why, and what the bot does about it.",
        waits=(("#protection-word", r"^UNPROTECTED since \d"), ("#feed .bad", r"\w"), ("#position", r"\d")),
    ),
    Picture(
        name="live", path="/settings/live", who="live",
        says="Going live: what was found about the key, what will be placed, and the password again.",
        waits=(("main h1", r"\w"), ("main", "1000")),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A server to look at."""

    url: str
    people: dict[str, tuple[str, str]]
    """Address and password, by role."""
    token: str = ""
    """Of the setup link."""


def main() -> None:
    """Take every picture, or those that were named."""
    words = argparse.ArgumentParser(description="Take the pictures of the documents.")
    words.add_argument("names", nargs="*", help="pictures to take; all of them without a name")
    words.add_argument("--into", type=Path, default=ROOT / "docs", help="the folder of pages.md and images/")
    chosen = words.parse_args()
    images = chosen.into / "images"
    images.mkdir(parents=True, exist_ok=True)
    configure_logging("CRITICAL")
    missing: list[str] = []
    with chromium() as browser:
        for pictures, scene in ((LIVELY, lively), (FIRST, first_start), (QUIET, quiet)):
            wanted = [one for one in pictures if not chosen.names or one.name in chosen.names]
            if wanted:
                with scene() as shown:
                    missing += take_all(browser, shown, wanted, images)
    (chosen.into / "pages.md").write_text(document(), "utf-8")
    if missing:
        raise SystemExit("\n".join(["These pictures could not be taken:", *missing]))


def document() -> str:
    """The page that shows them all."""
    lines = ["# The pages", "", "Each of them in both themes, on a desk and on a phone.", ""]
    for one in (*LIVELY, *QUIET, *FIRST):
        lines += [f"## {one.name.replace('-', ', ').capitalize()}", "", one.says, ""]
        lines += ["| light | dark |", "|---|---|"]
        for size in SIZES:
            cells = (f"![{one.name}, {theme}](images/{one.name}{size}-{theme}.png)" for theme in THEMES)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


# The servers


@contextmanager
def lively() -> Iterator[Scene]:
    """The demo that is left running."""
    with tempfile.TemporaryDirectory(prefix="blitz-pictures-") as folder:
        log = Path(folder) / "demo.log"
        words = ["demo", "--serve", "--home", str(Path(folder) / "home"), "--port", "0"]
        program = Program("the demo", words, {"PYTHONUNBUFFERED": "1"}, log)
        program.launch()
        try:
            wait(lambda: "Ctrl+C" in log.read_text() or not program.is_alive, "the demo", DEMO_SECONDS)
            said = log.read_text()
            found = re.search(r"Blitz is at (\S+)", said)
            if found is None:
                raise SystemExit(f"The demo did not start: {said}")
            signs = re.findall(r"(\w+)@example\.com +password +(\S+)", said)
            people = {who: (f"{who}@example.com", password) for who, password in signs}
            yield Scene(url=found[1], people=people)
        finally:
            program.end()


@contextmanager
def standing(rehearsal_url: str | None = None) -> Iterator[Running]:
    """A server whose market is moved by hand."""
    with tempfile.TemporaryDirectory(prefix="blitz-pictures-") as folder:
        settings = own_settings(
            Path(folder), BLITZ_PAPER_FEED="manual", BLITZ_REHEARSAL_URL=rehearsal_url, LOG_LEVEL="ERROR"
        )
        server = Running(settings)
        server.start()
        try:
            control(server, "price", symbol="BTCUSDT", price="60000")
            yield server
        finally:
            server.stop()


@contextmanager
def first_start() -> Iterator[Scene]:
    """A server that has no administrator yet."""
    with standing() as server:
        yield Scene(url=server.url, people={}, token=server.services.setup.issue())


@contextmanager
def quiet() -> Iterator[Scene]:
    """Somebody new, somebody without protection, and somebody about to go live."""
    live = PaperServer(PaperConfig(feed="manual", enforce_limits=False, accounts=(LIVE_KEY,)))
    live.start()
    try:
        with standing(live.url) as server:
            people = {who: (f"{who}@example.com", secrets.token_urlsafe(16)) for who in ("new", "bare", "live")}
            ids = {
                who: server.services.users.create(*given, role="admin" if who == "new" else "trader").id
                for who, given in people.items()
            }
            choose_live(server, people["live"])
            lose_protection(server, ids["bare"])
            yield Scene(url=server.url, people=people)
    finally:
        live.stop()


def choose_live(server: Running, given: tuple[str, str]) -> None:
    """Save live with a key, as on the settings page."""
    session = requests.Session()
    form = {"email": given[0], "password": given[1]}
    session.post(f"{server.url}/login", data=form, timeout=10, allow_redirects=False).raise_for_status()
    settings = {"mode": "live", "api_key": LIVE_KEY.key, "api_secret": LIVE_KEY.secret}
    session.put(f"{server.url}/api/bot/settings", json=settings, timeout=10).raise_for_status()


def lose_protection(server: Running, user_id: int) -> None:
    """Let a leg fill, then take the take-profit away by hand while the exchange refuses new orders."""
    import ccxt

    def state() -> dict[str, Any]:
        told: dict[str, Any] = server.manager.get_bot_status(user_id)
        return told

    server.manager.start_bot_for_user(user_id)
    wait(lambda: state()["protected"]["yes"], "a protected position")
    control(server, "price", symbol="BTCUSDT", price="59400")
    wait(lambda: state()["cycle"]["legs_filled"] > 1 and state()["protected"]["yes"], "a filled leg")
    control(server, "faults", fault="ret_code", endpoint="order/create", code="10006", message="too many visits")
    keys = server.services.users.paper_credentials(user_id)
    urls: dict[str, Any] = {"api": {"public": server.paper_url, "private": server.paper_url}}
    client = ccxt.bybit({"apiKey": keys.api_key, "secret": keys.api_secret, "urls": urls})
    exits = [order for order in client.fetch_open_orders("BTC/USDT:USDT") if "sm_tp" in (order["clientOrderId"] or "")]
    for order in exits:
        client.cancel_order(order["id"], "BTC/USDT:USDT")
    wait(lambda: state()["protected"]["incident"], "the incident")


def control(server: Running, what: str, **body: str) -> None:
    """One request to the paper exchange's control interface."""
    requests.post(f"{server.paper_url}/__paper/{what}", json=body, timeout=10).raise_for_status()


def wait(condition: Callable[[], Any], what: str, seconds: float = 30) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited in vain for {what}.")
        time.sleep(0.1)


# The pictures


def take_all(browser: Browser, scene: Scene, pictures: list[Picture], images: Path) -> list[str]:
    """Each picture in both themes and both sizes; answers what is missing, and why."""
    cookies = {who: signed_in(browser, scene, who) for who in {one.who for one in pictures} if who}
    missing = []
    for one in pictures:
        try:
            for size, viewport in SIZES.items():
                for theme in THEMES:
                    words = {"viewport": viewport, "color_scheme": theme, **WORDS}
                    state = cookies.get(one.who)
                    with closing(browser.new_context(base_url=scene.url, storage_state=state, **words)) as context:
                        take(context.new_page(), scene, one, images / f"{one.name}{size}-{theme}.png")
        except AssertionError as problem:
            missing.append(f"{one.name}: {' '.join(str(problem).split())[:300]}")
    return missing


def take(page: Page, scene: Scene, one: Picture, file: Path) -> None:
    """Open a page, wait for what has to be on it, and take what fits the window. Raises `AssertionError`."""
    traffic = Traffic(page)
    page.goto(one.path.format(token=scene.token))
    for selector, pattern in one.waits:
        place = page.locator(selector).first
        expect(place).to_be_visible(timeout=WAIT_MS)
        if pattern:
            expect(place).to_have_text(re.compile(pattern), timeout=WAIT_MS)
    traffic.wait()
    page.screenshot(path=file)
    sys.stdout.write(f"{file.name}: {file.stat().st_size // 1024} KiB\n")
    sys.stdout.flush()


def signed_in(browser: Browser, scene: Scene, who: str) -> Any:
    """The cookies of somebody who has signed in."""
    context = browser.new_context(base_url=scene.url, **WORDS)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/login")
    page.fill("input[name=email]", scene.people[who][0])
    page.fill("input[name=password]", scene.people[who][1])
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")
    state = context.storage_state()
    context.close()
    return state


class Traffic:
    """What a page is waiting for from the server, its stream aside."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._open: set[Any] = set()
        page.on("request", lambda asked: None if STREAM in asked.url else self._open.add(asked))
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def _answered(self, asked: Any) -> None:
        self._open.discard(asked)

    def wait(self) -> None:
        """Until everything has been answered for some frames in a row, and fonts and drawings are there."""
        calm = 0
        deadline = time.monotonic() + WAIT_MS / 1000
        while calm < QUIET_ROUNDS and time.monotonic() < deadline:
            self._page.evaluate(FRAME)
            calm = 0 if self._open else calm + 1


if __name__ == "__main__":
    main()
