"""What the page says when the server does not do what was asked: the reason in words, and nothing is lost."""

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from blitz.bots import manager
from blitz.core.ladder_settings import parse_settings
from blitz.web.stream import StreamBudget
from tests.web.browser.conftest import axe_faults, sign_in, visitor
from tests.web.browser.truth import start, stop_by, wait_until_they_agree
from tests.web.conftest import PASSWORD, World

pytestmark = pytest.mark.browser

LIVE_KEY, LIVE_SECRET = "liveKey12345wxyz", "live-secret-0123456789abcdef"
REFERENCE = re.compile(r"^Something went wrong here\. Reference: [0-9a-f]{8}\.$")


def choose(world: World, **settings: Any) -> None:
    """As if saved earlier; what cannot trade could be saved when the market was another."""
    world.parts.users.save_settings(world.trader.id, parse_settings(settings, base=world.trader.settings))


def choose_live(world: World) -> None:
    choose(world, mode="live")
    world.parts.users.save_credentials(world.trader.id, LIVE_KEY, LIVE_SECRET)


def live_account(world: World) -> dict[str, Any]:
    state = requests.get(f"{world.parts.settings.rehearsal_url}/__paper/state", timeout=5).json()
    return dict(state["accounts"][0])


def in_cents(amount: str) -> str:
    """As pages show it: cut, and without zeros that say nothing."""
    return re.sub(r"(\.\d\d)\d+$", r"\1", amount)


def press(page: Page, button: str) -> None:
    """Press a button that the page, which knows the bot, would not let one press: another tab was quicker."""
    page.locator(button).evaluate("button => { button.disabled = false; button.click(); }")


def break_down(*_args: Any, **_words: Any) -> None:
    raise RuntimeError("a fault of ours")


def test_a_start_with_real_money_asks_first_and_says_what_enters(world: World, page: Page):
    choose_live(world)
    client = world.signed_in(world.trader)
    assert client.post("/api/bot/live", json={"password": PASSWORD, "confirm": "live"}).status_code == 200
    plan: Any = client.post("/api/bot/preview", json={}).json
    page.goto("/")
    expect(page.locator("#ladder tr")).to_have_count(4)
    dialog = page.get_by_role("dialog", name="Start with real money?")

    page.locator("#start").click()
    expect(dialog).to_contain_text("Leg 0 enters BTC/USDT:USDT at market at once: 0.016, about 96 USDT of margin.")
    expect(dialog).to_contain_text(f"With all legs filled the ladder takes {in_cents(plan['total']['margin'])} USDT.")
    expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    assert axe_faults(page) == []
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert world.manager.overview() == {}

    page.locator("#start").click()
    dialog.get_by_role("button", name="Start with real money").click()

    expect(page.locator("#position")).to_have_text("0.016 BTC")
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes")
    assert [row["size"] for row in live_account(world)["positions"]] == ["0.016"]
    page.locator("#stop").click()
    page.keyboard.press("Escape")
    stop_by(page, "close")
    page.get_by_role("button", name="Close position and stop").click()
    expect(page.locator("#state-word")).to_have_text("Stopped")
    assert (live_account(world)["positions"], live_account(world)["open_orders"]) == ([], [])


def test_what_cannot_begin_is_said_in_words(
    world: World, browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(manager, "VERDICT_SECONDS", 10.0)  # what it says is tested here, not how soon
    with visitor(browser, address, may_refuse=(409,)) as page:
        sign_in(page, "trader@example.org")
        answer = page.locator("#answer p")
        choose(world, mode="demo")
        page.locator("#start").click()
        expect(page.locator("#answer")).to_have_class("answer bad")
        expect(answer).to_contain_text("API key")

        choose(world, grids=[{"amount": "0.01", "gap": "0"}], rounds="1")
        page.locator("#start").click()
        expect(answer).to_contain_text("the smallest amount that works is")
        expect(page.locator("#answer")).to_have_class("answer bad")

        choose_live(world)
        page.goto("/")
        page.locator("#start").click()
        page.get_by_role("button", name="Start with real money").click()
        expect(page.locator("#answer")).to_have_class("answer bad")
        expect(answer).to_contain_text("live")
        expect(page.locator("#start")).to_be_enabled()
        assert not world.manager.get_bot_status(world.trader.id)["running"]


def test_a_command_that_came_too_late_is_said_and_changes_nothing(world: World, browser: Browser, address: str):
    with visitor(browser, address, may_refuse=(409,)) as page:
        sign_in(page, "trader@example.org")
        press(page, "#stop")
        page.get_by_role("dialog").get_by_role("button", name="🛑 Stop Bot").click()
        expect(page.locator("#answer p")).to_have_text("Bot is not running")
        start(page)

        press(page, "#start")

        expect(page.locator("#answer p")).to_have_text("Bot is already running")
        expect(page.locator("#start")).to_be_disabled()
        wait_until_they_agree(world, page, "after a second start")


def test_a_fault_of_the_server_shows_its_reference_and_loses_nothing(
    world: World, browser: Browser, address: str, monkeypatch: pytest.MonkeyPatch
):
    with visitor(browser, address, may_refuse=(500,)) as page:
        sign_in(page, "trader@example.org")
        answer = page.locator("#answer p")
        with monkeypatch.context() as broken:
            broken.setattr(world.manager, "start_bot_for_user", break_down)
            page.locator("#start").click()
            expect(answer).to_have_text(REFERENCE)
            expect(page.locator("#state-word")).to_have_text("Not running")
        start(page)
        with monkeypatch.context() as broken:
            broken.setattr(world.manager, "stop_bot_for_user", break_down)
            broken.setattr(world.manager, "recover_orders_for_user", break_down)
            for act in (lambda: stop_by(page, "pull"), page.locator("#recover").click):
                act()
                expect(answer).to_have_text(REFERENCE)
                expect(page.locator("#state-word")).to_have_text("Running")
        wait_until_they_agree(world, page, "after the faults")

        page.goto("/settings")
        page.locator("[name=take_profit]").fill("7")
        with monkeypatch.context() as broken:
            broken.setattr(type(world.parts.users), "save_settings", break_down)
            page.get_by_role("button", name="Save settings").click()
            expect(page.get_by_text("Something went wrong here. Reference:").first).to_be_visible()
        expect(page.locator("[name=take_profit]")).to_have_value("7")
        expect(page.locator("#unsaved")).to_contain_text("Unsaved changes.")
        page.get_by_role("button", name="Save settings").click()
        expect(page.locator("#saved")).to_contain_text("Saved.")


def test_without_a_stream_the_page_asks_and_says_so(world: World, browser: Browser, address: str):
    usual = world.app.extensions["blitz_streams"]
    world.app.extensions["blitz_streams"] = StreamBudget(per_user=0)
    with visitor(browser, address, may_refuse=(503,)) as page:
        sign_in(page, "trader@example.org")
        expect(page.locator("#live")).to_have_text("asking every 3 s")
        expect(page.locator("#stale")).to_be_hidden()
        start(page)

        world.move_price("59399")

        expect(page.locator("#position")).to_have_text("0.032 BTC")
        expect(page.locator("#feed")).to_contain_text("Leg 1 filled: 0.016 at 59,400.")
        wait_until_they_agree(world, page, "while it asks")
        world.app.extensions["blitz_streams"] = usual
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator("#live")).to_have_text("live")
