"""The account page in a real browser: what is entered there, what is said about it, and what stays secret."""

import re

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.web.browser.conftest import axe_faults, sign_in, visitor
from tests.web.conftest import PASSWORD, World

pytestmark = pytest.mark.browser

KEY, SECRET = "liveKey12345wxyz", "live-secret-0123456789abcdef"
OTHER_PASSWORD = "copper violin meadow 58"
TELEGRAM = "123456789:AAabcdefghijklmnopqrstuvwxyz-_0123"


@pytest.fixture
def page(signed_in: Page) -> Page:
    """The trader, who opens the account page first of all."""
    return signed_in


def enter_keys(page: Page, key: str = KEY, secret: str = SECRET) -> None:
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_label("API secret").fill(secret)
    page.get_by_role("button", name="Save and test").click()


def choose(world: World, **settings: str) -> None:
    client = world.signed_in(world.trader)
    assert client.put("/api/bot/settings", json=settings).status_code == 200


def let_the_key_withdraw(world: World) -> None:
    """As its owner could set it at the live exchange."""
    rights = {"Wallet": ["Withdraw"], "ContractTrade": ["Order", "Position"]}
    body = {"key": KEY, "secret": SECRET, "permissions": rights}
    url = f"{world.parts.settings.rehearsal_url}/__paper/accounts"
    requests.post(url, json=body, timeout=5).raise_for_status()


# Keys


def test_keys_are_tested_when_they_are_saved_and_never_shown_again(world: World, page: Page):
    choose(world, mode="live")
    page.goto("/account")
    expect(page.locator("#keys-state")).to_have_text("Not set")

    enter_keys(page)

    expect(page.locator("#keys-verdict")).to_have_text("The key works")
    expect(page.locator("#keys-balance")).to_contain_text("1,000 USDT")
    expect(page.locator("#keys-findings")).to_contain_text("works from every address")
    expect(page.locator("#keys-state")).to_have_text("Stored")
    expect(page.get_by_label("API key", exact=True)).to_have_value("")
    expect(page.locator("#api_key-stored")).to_contain_text("***wxyz")
    page.reload()
    assert SECRET not in page.content()
    assert KEY not in page.content()


def test_a_key_that_can_withdraw_is_told_as_loudly_as_can_be(world: World, page: Page):
    choose(world, mode="live")
    let_the_key_withdraw(world)
    page.goto("/account")

    enter_keys(page)

    expect(page.locator("#keys-verdict")).to_have_text("DANGER: do not use this key")
    expect(page.locator("#keys-message")).to_contain_text("may withdraw")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert axe_faults(page) == []


def test_a_key_that_the_exchange_does_not_know_stays_stored_and_is_said(world: World, page: Page):
    choose(world, mode="live")
    page.goto("/account")

    enter_keys(page, key="nobodysKey0000abcd")

    expect(page.locator("#keys-verdict")).to_have_text("The key does not work")
    expect(page.locator("#keys-message")).to_contain_text("does not know this key")
    expect(page.locator("#keys-words")).to_contain_text("10003")
    expect(page.locator("#keys-state")).to_have_text("Stored")


def test_keys_on_paper_are_said_to_be_paper_keys_and_are_removed_after_a_question(world: World, page: Page):
    page.goto("/account")
    enter_keys(page, key="myPaperKey123456")
    expect(page.locator("#keys-message")).to_contain_text("built-in paper exchange. No real exchange was asked")
    expect(page.locator("#keys-balance")).to_contain_text("10,000 USDT")

    page.get_by_role("button", name="Remove keys…").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#keys-state")).to_have_text("Stored")
    page.get_by_role("button", name="Remove keys…").click()
    page.get_by_role("button", name="Remove keys", exact=True).click()

    expect(page.locator("#keys-said")).to_have_text("The keys are removed.")
    expect(page.locator("#keys-state")).to_have_text("Not set")
    assert world.parts.users.credentials(world.trader.id) is None


def test_half_a_pair_and_an_empty_form_are_refused_at_the_field(page: Page):
    page.goto("/account")

    page.get_by_role("button", name="Save and test").click()
    expect(page.locator("#api_key-fault")).to_have_text("Enter API key and API secret.")
    page.get_by_label("API key", exact=True).fill(KEY)
    page.get_by_role("button", name="Save and test").click()

    expect(page.locator("#api_secret-fault")).to_contain_text("is missing")
    expect(page.get_by_label("API secret")).to_be_focused()


def test_keys_wait_for_the_end_of_a_cycle_on_paper(world: World, browser: Browser, address: str):
    with visitor(browser, address, may_refuse=(409,)) as page:
        sign_in(page, "trader@example.org")
        page.get_by_role("button", name="🚀 Start Bot").click()
        expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)
        page.goto("/account")
        expect(page.locator("#keys-frozen")).to_be_visible()

        enter_keys(page)

        expect(page.locator("#api_key-fault")).to_contain_text("A cycle is open on the account of the present API key.")
    assert world.parts.users.credentials(world.trader.id) is None


def test_going_live_is_a_second_step_after_the_keys_are_entered_and_is_seen_on_every_page(world: World, page: Page):
    page.goto("/settings")
    page.get_by_role("radio", name="Live").check()
    page.get_by_role("button", name="Save settings").click()
    page.get_by_role("button", name="Save for live trading").click()
    expect(page.locator("#mode-words")).to_contain_text("nothing is placed with real money")
    page.goto("/account")
    enter_keys(page)
    expect(page.locator("#keys-verdict")).to_have_text("The key works")
    page.goto("/settings")

    page.get_by_role("button", name="Check the key and go live…").click()
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_label("I have seen what will be placed.").check()
    page.get_by_label("Your password, again").fill(PASSWORD)
    page.get_by_role("button", name="Go live").click()

    expect(page.locator("#armed")).to_contain_text("You are live since")
    for path in ("/", "/settings", "/api/docs", "/account"):
        page.goto(path)
        expect(page.locator("#mode-strip")).to_have_attribute("data-mode", "live")
        expect(page.locator("#mode-words")).to_contain_text("real money")
        assert page.locator("#mode-strip").evaluate("strip => getComputedStyle(strip).position") == "sticky"
    page.get_by_role("button", name="Remove keys…").click()
    expect(page.get_by_role("dialog")).to_contain_text("going live is taken back")
    page.get_by_role("button", name="Remove keys", exact=True).click()
    expect(page.locator("#mode-words")).to_contain_text("nothing is placed with real money")


# Telegram, password


def test_telegram_is_stored_and_promises_nothing(world: World, page: Page):
    page.goto("/account")
    page.get_by_label("Bot token").fill(TELEGRAM)
    page.get_by_role("button", name="Save Telegram").click()
    expect(page.locator("#telegram_chat_id-fault")).to_have_text("Enter bot token and chat id.")

    page.get_by_label("Chat id").fill("12345678901")
    page.get_by_role("button", name="Save Telegram").click()

    expect(page.locator("#telegram-said")).to_have_text("Stored. Nothing is sent yet.")
    assert TELEGRAM not in page.content()
    page.get_by_role("button", name="Remove Telegram…").click()
    page.get_by_role("button", name="Remove Telegram", exact=True).click()
    expect(page.locator("#telegram-state")).to_have_text("Not set")
    assert world.parts.users.telegram(world.trader.id) is None


def test_a_new_password_keeps_this_sign_in_and_ends_the_others(world: World, page: Page):
    other = world.signed_in(world.trader)
    page.goto("/account")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password, again").fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#new_password-fault")).to_have_text("Use at least 12 characters.")

    page.get_by_label("New password", exact=True).fill(OTHER_PASSWORD)
    page.get_by_role("button", name="Change password").click()

    expect(page.locator("#password-said")).to_have_text("The password is changed. Every other sign-in has ended.")
    assert other.get("/api/bot/status").status_code == 401
    page.goto("/")
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#state-word")).to_have_text("Running")
    assert world.parts.users.check_password("trader@example.org", OTHER_PASSWORD) is not None


# Sign-ins, tokens


def test_sign_ins_are_listed_and_ended_one_by_one_or_all(world: World, page: Page):
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    lost = world.parts.sessions.create(world.trader.id, "192.0.2.7", agent)
    world.parts.sessions.create(world.trader.id, "192.0.2.8", "curl/8.14")
    world.parts.sessions.create(world.trader.id, "192.0.2.9", "")
    page.goto("/account")
    rows = page.locator("#sign-ins li")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="This one")).to_contain_text("Chrome on Linux")
    expect(rows.filter(has_text="192.0.2.8")).to_contain_text("curl")
    expect(rows.filter(has_text="192.0.2.9")).to_contain_text("Unknown browser")

    page.get_by_role("button", name="End the sign-in of Firefox on Windows, 192.0.2.7").click()
    expect(rows).to_have_count(3)
    assert world.parts.sessions.lookup(lost) is None
    expect(page.locator("#sign-ins-title")).to_be_focused()
    page.get_by_role("button", name="End all others…").click()
    page.get_by_role("button", name="End all others", exact=True).click()

    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("This one")
    expect(page.locator("#end-others")).to_be_hidden()


def test_a_token_is_shown_once_copied_and_revoked(world: World, page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account")
    expect(page.locator("#no-tokens")).to_be_visible()
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#name-fault")).to_contain_text("Give the token a name")
    page.get_by_label("Name", exact=True).fill("dashboard <b>")
    page.keyboard.press("Enter")

    expect(page.locator("#raw-token")).to_have_value(re.compile("^blitz_"))
    raw = page.locator("#raw-token").input_value()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#tokens-said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == raw
    program = world.visitor()
    headers = {"Authorization": f"Bearer {raw}"}
    assert program.get("/api/bot/status", headers=headers).status_code == 200
    assert program.post("/api/bot/start", headers=headers).status_code == 403

    page.reload()
    assert raw not in page.content()
    row = page.locator("#token-list li")
    expect(row).to_contain_text("dashboard <b>")
    expect(row).to_contain_text(f"Ends in {raw[-4:]}")
    expect(row).to_contain_text("Last used")
    page.get_by_role("button", name="Revoke dashboard <b>").click()
    page.get_by_role("button", name="Revoke", exact=True).click()

    expect(page.locator("#no-tokens")).to_be_visible()
    assert program.get("/api/bot/status", headers=headers).status_code == 401


# Preferences


def test_the_language_changes_at_once_and_stays_on_another_browser(browser: Browser, address: str, page: Page):
    page.goto("/account")
    page.get_by_label("Language", exact=True).select_option("ko")
    page.locator("#preferences button[type=submit]").click()

    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#preferences-said")).not_to_be_empty()
    with visitor(browser, address, locale="en-GB") as elsewhere:
        sign_in_quietly(elsewhere)
        expect(elsewhere.locator("html")).to_have_attribute("lang", "ko")


def test_the_theme_is_kept_in_the_account_by_page_and_bar(world: World, browser: Browser, address: str, page: Page):
    page.emulate_media(color_scheme="light")
    page.goto("/account")
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.locator("#preferences-said")).to_have_text("Saved.")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    with visitor(browser, address, color_scheme="light") as elsewhere:
        sign_in_quietly(elsewhere)
        expect(elsewhere.locator("html")).to_have_attribute("data-theme", "dark")
        elsewhere.evaluate("localStorage.setItem('blitz-theme', 'light')")
        elsewhere.reload()
        expect(elsewhere.locator("html")).to_have_attribute("data-theme", "dark")
        with elsewhere.expect_response("**/api/account/preferences") as stored:
            elsewhere.locator("#theme-switch").click()
        assert stored.value.ok

    assert world.parts.preferences.of(world.trader.id).theme == "light"
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_label("Theme", exact=True).select_option("")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.locator("#preferences-said")).to_have_text("Saved.")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_the_time_zone_changes_the_times_that_are_shown(browser: Browser, address: str):
    with visitor(browser, address, timezone_id="UTC", locale="en-GB") as page:
        sign_in(page, "trader@example.org")
        page.goto("/account")
        since = page.locator("#sign-ins li").filter(has_text="This one")
        expect(since).to_contain_text("12:00:00")

        page.get_by_label("Time zone", exact=True).fill("Middle-Earth/Shire")
        expect(page.locator("#zone-now")).to_contain_text("does not know that zone")
        page.get_by_role("button", name="Save preferences").click()
        expect(page.locator("#time_zone-fault")).to_contain_text("is not a time zone")
        page.get_by_label("Time zone", exact=True).fill("Asia/Kathmandu")
        expect(page.locator("#zone-now")).to_contain_text("in Asia/Kathmandu")
        page.get_by_role("button", name="Save preferences").click()

        expect(since).to_contain_text("17:45:00")


def sign_in_quietly(page: Page) -> None:
    """Sign in on a page of whatever language."""
    page.goto("/login")
    page.locator("input[name=email]").fill("trader@example.org")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#state-word")).not_to_have_text("…")


# Everybody


def show_everything(world: World, page: Page) -> None:
    """Every part of the page at once: a token just made, a test of the keys, faults and sign-ins."""
    world.parts.tokens.create(
        world.trader.id, "a script of mine with quite a long name, as long as they get", "control"
    )
    world.parts.sessions.create(world.trader.id, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "curl/8.14")
    choose(world, mode="live")
    page.goto("/account")
    enter_keys(page)
    expect(page.locator("#keys-verdict")).to_have_text("The key works")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#new_password-fault")).not_to_be_empty()
    page.get_by_label("Name", exact=True).fill("dashboard")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#new-token")).to_be_visible()


def test_with_everything_open_at_once_the_page_has_no_fault_and_fits_a_phone(world: World, page: Page):
    show_everything(world, page)

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert axe_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
