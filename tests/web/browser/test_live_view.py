"""What somebody sees who leaves the control page open: always the truth, or how old it is."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from blitz.core.ladder_settings import parse_settings
from blitz.server import Running
from blitz.settings import Settings
from tests.web.browser.conftest import POLL_SECONDS, axe_faults, serving, sign_in, visitor
from tests.web.browser.truth import start, wait_until_they_agree
from tests.web.conftest import PASSWORD, World
from tests.web.test_bot_api import wait_for

pytestmark = pytest.mark.browser

WALK = ("59900", "59399", "59600", "58805", "59100", "59800", "60500", "59900", "59000", "57900", "60400")
"""Through legs, take-profits, a stop-loss and new cycles."""
STOPPED_OUT = "57900"
MARKETS = [
    ("bybit", "long", False),
    ("bybit", "short", True),
    ("bingx", "long", True),
    ("bingx", "short", False),
]
"""Exchange, side, and whether the bot is told by streams or polls."""


def mirrored(price: str) -> str:
    """The same move in the eyes of who sold at 60,000."""
    return str(120_000 - int(price))


@pytest.mark.parametrize(("exchange", "side", "is_told"), MARKETS)
def test_the_page_says_what_the_exchange_says_at_every_step(
    make_world: Callable[..., World], browser: Browser, exchange: str, side: str, is_told: bool
):
    world = make_world(is_told=is_told, poll_seconds=POLL_SECONDS)
    settings = parse_settings({"exchange": exchange, "side": side, "stop_loss": "30"}, base=world.trader.settings)
    world.parts.users.save_settings(world.trader.id, settings)
    with serving(world) as address, visitor(browser, address) as page:
        sign_in(page, "trader@example.org")
        start(page)
        if is_told:
            wait_for(lambda: world.manager.get_bot_status(world.trader.id).get("stream") == {"live": True, "why": None})
        held = {None, wait_until_they_agree(world, page, "at the start").position}
        for price in WALK:
            world.move_price(price if side == "long" else mirrored(price))
            # Where a leg and the stop-loss fill in one move, what was held in between is seen by chance alone.
            known = None if price == STOPPED_OUT else held
            held = {None, wait_until_they_agree(world, page, f"at {price}", known).position}
        expect(page.locator("#cycle")).to_have_text(re.compile(r"^#[3-9]$"))


def test_a_fill_is_shown_before_the_bot_has_looked(make_world: Callable[..., World], browser: Browser):
    world = make_world(is_told=True)
    with serving(world) as address, visitor(browser, address) as page:
        sign_in(page, "trader@example.org")
        start(page)
        wait_for(lambda: world.manager.get_bot_status(world.trader.id).get("stream") == {"live": True, "why": None})
        wait_until_they_agree(world, page, "at the start")
        no_look = {"fault": "delay_response", "endpoint": "position/list", "delay_ms": "20000"}
        world.control("faults", no_look)

        world.move_price("59399")

        expect(page.locator("#position")).to_have_text("0.032 BTC", timeout=10_000)
        assert world.manager.get_bot_status(world.trader.id)["cycle"]["legs_filled"] == 2
        world.lift_faults()


def test_two_tabs_show_the_same_and_a_command_in_one_is_seen_in_the_other(world: World, page: Page):
    start(page)
    other = page.context.new_page()
    other.goto("/")
    expect(other.locator("#state-word")).to_have_text("Running")

    other.get_by_role("button", name="🛑 Stop Bot").first.click()
    other.get_by_role("dialog").get_by_role("button", name="🛑 Stop Bot").click()

    for tab in (page, other):
        expect(tab.locator("#state-word")).to_have_text("Stopped")
        expect(tab.locator("#start")).to_be_enabled()
        expect(tab.locator("#stop")).to_be_disabled()


def test_an_expired_sign_in_is_said_and_the_way_back_leads_here(world: World, browser: Browser, address: str):
    with visitor(browser, address, may_refuse=(401,)) as page:
        sign_in(page, "trader@example.org")
        start(page)

        world.parts.sessions.revoke_all(world.trader.id)

        expect(page.locator("#stale")).to_contain_text("Your sign-in has expired. Your bot goes on", timeout=15_000)
        expect(page.locator("#position")).to_have_text("0.016 BTC")
        page.get_by_role("link", name="Sign in again").click()
        page.get_by_label("E-mail address").fill("trader@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#state-word")).to_have_text("Running")


class Wire:
    """A stretch of network between browser and server that can be cut."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(address: str) -> Iterator[Wire]:
    wire = Wire(address)
    yield wire
    wire.close()


def test_a_lost_connection_says_how_old_the_data_is_and_comes_back(browser: Browser, wire: Wire):
    cut = ("ERR_EMPTY_RESPONSE", "ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_SOCKET")
    with visitor(browser, wire.address, may_refuse=cut) as page:
        sign_in(page, "trader@example.org")
        expect(page.locator("#live")).to_have_text("live")

        wire.cut()
        expect(page.locator("#stale")).to_contain_text(
            re.compile(r"connection to the server is lost.* \d+ s old"), timeout=20_000
        )
        expect(page.locator("#live")).to_contain_text("connection lost")

        wire.mend()
        expect(page.locator("#live")).to_have_text("live", timeout=20_000)
        expect(page.locator("#stale")).to_be_hidden()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """A whole server with its own paper exchange, at one address however often it starts."""
    running: list[Running] = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def up() -> Running:
        settings = Settings(
            home=tmp_path, WEB_PORT=port, BLITZ_DB_PATH=tmp_path / "users.db", BLITZ_PAPER_FEED="manual"
        )
        running.append(Running(settings))
        running[-1].start()
        return running[-1]

    yield up
    running[-1].stop()


GOING_DOWN = ("ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", 503)


def test_a_restart_of_the_server_in_mid_view_is_said_and_the_page_goes_on(
    server: Callable[[], Running], browser: Browser
):
    first = server()
    first.services.users.create("trader@example.org", PASSWORD)
    with visitor(
        browser,
        first.url,
        may_refuse=GOING_DOWN,
    ) as page:
        sign_in(page, "trader@example.org")
        start(page)

        first.stop()
        expect(page.locator("#stale")).to_contain_text(
            "The server is restarting. Your orders stay at the exchange", timeout=15_000
        )
        second = server()

        expect(page.locator("#live")).to_have_text("live", timeout=30_000)
        expect(page.locator("#stale")).to_be_hidden()
        expect(page.locator("#state-word")).to_have_text("Running", timeout=15_000)
        expect(page.locator("#feed")).to_contain_text("Bot resumed after the server started again.", timeout=15_000)
        body = {"symbol": "BTCUSDT", "price": "59399"}
        requests.post(f"{second.paper_url}/__paper/price", json=body, timeout=10).raise_for_status()
        expect(page.locator("#position")).to_have_text("0.032 BTC", timeout=15_000)


def test_axe_finds_nothing_wrong_with_the_welcome_and_the_dialog(page: Page):
    page.goto("/?welcome=1")
    start(page)
    page.locator("#stop").click()

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert axe_faults(page) == []


def test_the_keyboard_alone_starts_watches_and_stops(page: Page):
    page.locator("#start").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes")

    page.locator("[data-frame='5m']").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-frame='5m']")).to_have_attribute("aria-pressed", "true")
    page.locator("#chart").focus()
    for key in ("ArrowLeft", "+", "-", "Home", "End"):
        page.keyboard.press(key)

    page.locator("#stop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="How should the bot stop?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#state-word")).to_have_text("Running")
    page.keyboard.press("Enter")
    expect(page.locator("input[value=pull]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("input[value=after_cycle]")).to_be_checked()
    page.keyboard.press("Enter")

    expect(page.locator("#answer")).to_contain_text("Bot stops when this cycle is finished")
    expect(page.locator("#state-word")).to_have_text("Stopping after this cycle")


def test_a_dialog_that_is_opened_again_at_once_still_asks(page: Page):
    start(page)
    page.evaluate("""() => {
        const [stop, dialog] = [document.getElementById("stop"), document.getElementById("stop-dialog")];
        stop.click();
        dialog.close();
        stop.click();
    }""")
    page.wait_for_timeout(100)  # for the browser to tell of the close

    page.locator("input[value=after_cycle]").check()
    page.locator("#stop-yes").click()

    expect(page.locator("#answer")).to_contain_text("Bot stops when this cycle is finished")


def test_before_the_first_start_the_page_shows_what_would_be_placed(page: Page):
    expect(page.locator("#ladder tr")).to_have_count(4)
    expect(page.locator("#ladder .pill").first).to_have_text("at Start")
    expect(page.locator("#ladder-note")).to_contain_text("Nothing rests yet.")
    expect(page.locator("#chart-words")).to_contain_text("Leg 1 59,400, Leg 2 58,806")


def test_the_chart_names_what_rests_the_average_and_the_exits(world: World, page: Page):
    start(page)
    world.move_price("59399")
    expect(page.locator("#position")).to_have_text("0.032 BTC")

    expect(page.locator("#chart canvas").first).to_be_visible()
    words = page.locator("#chart-words")
    expect(words).to_contain_text("Leg 2 58,806")
    expect(words).to_contain_text("Take-profit 59,9")
    expect(words).to_contain_text("Average 59,7")
    expect(words).not_to_contain_text("Leg 1 59,400")


def test_the_page_says_what_the_bot_waits_for(world: World, page: Page):
    start(page)
    expect(page.locator("#state-message")).to_have_text(
        "Waits for the take-profit at 60,300; the next leg fills at 59,400."
    )

    world.move_price("57000")

    expect(page.locator("#state-message")).to_contain_text("Every leg is filled. Waits for the take-profit at")


def test_the_title_of_the_tab_tells_state_price_and_mode(page: Page):
    start(page)
    expect(page).to_have_title(re.compile(r"^Running · BTC 60,000 · PAPER · Blitz$"))
