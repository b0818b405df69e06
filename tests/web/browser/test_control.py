"""The control page in a real browser, on a real server: what text alone cannot show."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from blitz.core.ladder_settings import parse_settings
from tests.web.browser.conftest import sign_in
from tests.web.browser.truth import stop_by
from tests.web.conftest import World

pytestmark = pytest.mark.browser


def test_a_cycle_is_watched_from_start_to_profit_without_a_reload(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()

    expect(page.locator("#state-word")).to_have_text("Running")
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes")
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)
    expect(page.locator("#position")).to_have_text("0.016 BTC")

    world.move_price("59399")
    expect(page.locator("#position")).to_have_text("0.032 BTC")
    expect(page.locator("#feed")).to_contain_text("Leg 1 filled: 0.016 at 59,400.")

    world.move_price("60100")
    expect(page.locator("#feed")).to_contain_text("Cycle 1 closed: take-profit filled")
    expect(page.locator("#cycle")).to_have_text("#2")
    expect(page.locator("#net")).to_have_attribute("data-tone", "gain")


def test_a_take_profit_that_cannot_rest_turns_the_page_red_with_its_cause_and_back(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#protection-word")).to_have_text(re.compile(r"^Protected since \d"))
    refusal = {"fault": "ret_code", "endpoint": "order/create", "code": "10006", "message": "too many visits"}
    world.control("faults", refusal)

    world.cancel_by_hand(world.trader, f"sm_tp_{world.trader.id}_BTCUSDTUSDT")

    expect(page.locator("#protection-word")).to_have_text(re.compile(r"^UNPROTECTED since \d"))
    expect(page.locator("#protection-why")).to_contain_text("refuses the take-profit (10006: too many visits)")
    expect(page.locator("#protection")).to_have_attribute("data-state", "no")
    expect(page.locator("#feed .bad")).to_contain_text("UNPROTECTED since", timeout=15_000)
    expect(page.locator("#protection")).to_have_attribute("data-incident", "")

    world.lift_faults()

    expect(page.locator("#protection-word")).to_have_text(re.compile(r"^Protected since \d"), timeout=15_000)
    expect(page.locator("#feed")).to_contain_text("Protected again after")


def test_a_press_of_a_button_carries_the_pages_csrf_token(page: Page):
    token = page.locator("meta[name=csrf-token]").get_attribute("content")

    with page.expect_request("**/api/bot/start") as pressed:
        page.get_by_role("button", name="🚀 Start Bot").click()

    assert token
    assert pressed.value.method == "POST"
    assert pressed.value.headers["x-csrftoken"] == token
    expect(page.locator("#state-word")).to_have_text("Running")


def test_get_status_tells_the_status_and_how_long_the_bot_is_up(page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#uptime")).to_have_text(re.compile("^up [1-9]"))

    page.get_by_role("button", name="📊 Get Status").click()

    expect(page.locator("#answer p")).to_have_text(re.compile(r"^Running, up [1-9]\d* ?s\. Bot is running$"))


def test_closing_the_position_asks_first(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#position")).to_have_text("0.016 BTC")
    stop_by(page, "close")
    page.get_by_role("button", name="Keep the position").click()
    expect(page.locator("#state-word")).to_have_text("Running")
    stop_by(page, "close")
    page.get_by_role("button", name="Close position and stop").click()

    expect(page.locator("#state-word")).to_have_text("Stopped")
    assert all(account["positions"] == [] for account in world.exchange_state()["accounts"])


def test_a_cycle_that_is_open_elsewhere_is_told_and_given_up_only_after_its_warning(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)
    expect(page.locator("#unfinished")).to_be_hidden()
    settings = parse_settings({"exchange": "bingx"}, base=world.trader.settings)
    world.parts.users.save_settings(world.trader.id, settings)

    told = "Cycle 1 is still open on Bybit (paper) and is finished first; your settings (BingX, paper) take effect"
    expect(page.locator("#unfinished-words")).to_contain_text(told)
    expect(page.locator("#give-up")).to_be_hidden()
    stop_by(page, "keep")
    page.get_by_role("button", name="Give up this cycle…").click()

    dialog = page.get_by_role("dialog", name="Give up cycle 1?")
    expect(dialog).to_contain_text("Nothing is cancelled or closed at Bybit.")
    expect(dialog).to_contain_text("Close the position and cancel the orders there yourself.")
    dialog.get_by_role("button", name="Keep the cycle").click()
    expect(page.locator("#cycle")).to_have_text("#1")
    page.get_by_role("button", name="Give up this cycle…").click()
    dialog.get_by_role("button", name="Give up cycle 1").click()

    expect(page.locator("#answer")).to_contain_text("Cycle 1 on Bybit (paper) was given up.")
    expect(page.locator("#unfinished")).to_be_hidden()
    expect(page.locator("#cycle")).to_have_text("–")
    expect(page.locator("#market-line")).to_contain_text("BingX")
    expect(page.locator("#feed .bad")).to_contain_text("Nothing is cancelled or closed at Bybit.")
    open_orders = [row for each in world.exchange_state()["accounts"] for row in each["open_orders"]]
    assert len(open_orders) == 4


def test_recover_tells_its_actions_in_words(page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)

    page.get_by_role("button", name="🔧 Recover Orders").click()

    expect(page.locator("#answer p")).to_have_text("Recovery process completed")
    expect(page.locator("#answer li")).to_have_text(["looked at the position", "nothing was missing"])


def test_settings_show_a_fault_at_its_field_and_the_preview_once_it_is_mended(page: Page):
    page.goto("/settings")
    expect(page.locator("#preview tr")).to_have_count(4)

    page.get_by_label("Amount of leg 2").fill("0.01")
    expect(page.locator("[data-fault=grids]")).to_contain_text("Leg 2")
    expect(page.locator("#grid tr.wrong")).to_have_count(1)
    page.get_by_label("Amount of leg 2").fill("300")
    page.get_by_role("button", name="Add leg").click()
    expect(page.locator("#preview tr")).to_have_count(5)
    page.get_by_role("button", name="Save settings").click()

    expect(page.locator("#saved")).to_have_text("Saved.")


def test_live_money_asks_first(world: World, page: Page):
    page.route("**/api/bot/preview", lambda route: route.abort())  # no exchange is asked
    page.goto("/settings")
    page.get_by_role("radio", name="Live").check()

    page.get_by_role("button", name="Save settings").click()
    page.get_by_role("button", name="Not now").click()

    expect(page.locator("#mode-strip")).to_have_attribute("data-mode", "paper")
    user = world.parts.users.by_id(world.trader.id)
    assert user is not None
    assert user.settings.mode == "paper"


def test_an_administrator_starts_somebodys_bot_and_sees_it_run(world: World, browser: Browser, address: str):
    context = browser.new_context(base_url=address)
    page = context.new_page()
    sign_in(page, "admin@admin.com")
    page.goto("/admin/console")
    row = page.get_by_role("row").filter(has_text="stranger@example.org")

    row.get_by_role("button", name="Force Start").click()

    expect(row.locator(".pill")).to_have_text("Running")
    context.close()


def test_the_theme_that_was_chosen_stays(page: Page):
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Switch between light and dark").click()

    page.reload()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
