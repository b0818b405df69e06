"""The admin console in a real browser: a crowd at a glance, commands for many, people, notices, the record."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from blitz.core.records import EventKind
from tests.web.browser.conftest import axe_faults, bring_session, sign_in, visitor
from tests.web.conftest import PASSWORD, World
from tests.web.crowd import insert_people, seat

ROWS = "#people-rows tr"


@pytest.fixture
def crowd(world: World):
    """120 more users; the first 60 of them with a bot that runs."""
    ids = insert_people(world.parts.database, 120)
    for place, user_id in enumerate(ids[:60]):
        seat(world.manager, user_id, place)
    yield ids
    for user_id in ids:
        world.manager.managed_bots.pop(user_id, None)


@pytest.fixture
def console(world: World, browser: Browser, address: str):
    """The administrator, at the console."""
    with visitor(browser, address) as page:
        bring_session(page, world, world.admin)
        page.goto("/admin/console")
        expect(page.locator(ROWS).first).to_be_visible()
        yield page


def row_of(page: Page, email: str):
    return page.locator(ROWS, has_text=email)


def view(page: Page, words: str):
    page.get_by_role("navigation", name="Views of the console").get_by_role("link", name=words).click()


def shown_link(page: Page) -> str:
    field = page.get_by_label("Link", exact=True)
    expect(field).to_have_value(re.compile("/invite"))
    return field.input_value()


def watch_polls(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/admin/users" in request.url else None)
    return asked


def test_search_and_filters_narrow_the_list_and_the_tiles_lead_there(crowd, console):
    expect(console.locator(ROWS)).to_have_count(50)
    console.get_by_label("Find a user").fill("trader0001")
    expect(console.locator(ROWS)).to_have_count(10)
    expect(console.locator("#found")).to_have_text("10 users found.")
    console.locator("#filters").get_by_label("Mode").select_option("live")
    expect(console.locator(ROWS)).to_have_count(1)
    console.get_by_role("button", name="Clear").click()
    expect(console.locator("#found")).to_have_text("123 users found.")

    expect(console.locator("#total-unprotected")).to_have_text("2")
    expect(console.locator("#tile-unprotected")).to_have_attribute("data-alarm", "true")
    console.locator("#tile-unprotected").click()
    expect(console.locator(ROWS)).to_have_count(2)
    expect(console.locator(ROWS).first).to_contain_text("UNPROTECTED")
    console.locator("#tile-attention").click()
    expect(console.locator(ROWS).first).to_contain_text("Enter a valid key")


def test_nobody_who_matches_is_said_with_what_to_do(console):
    console.get_by_label("Find a user").fill("nobody-at-all")

    expect(console.locator("#nobody")).to_be_visible()
    expect(console.locator("#nobody")).to_contain_text("Add people")


def test_the_list_is_sorted_and_paged_on_the_server(crowd, console):
    console.get_by_role("button", name="User", exact=True).click()
    expect(console.locator(ROWS).first).to_contain_text("admin@admin.com")
    console.get_by_role("button", name="User", exact=True).click()
    expect(console.locator(ROWS).first).to_contain_text("trader@example.org")
    expect(console.locator("th[aria-sort=descending]")).to_have_text("User")
    console.get_by_role("button", name="Next page").click()
    expect(console.locator("#page-now")).to_have_text("Page 2 of 3")
    console.get_by_role("button", name="Next page").click()
    expect(console.locator(ROWS)).to_have_count(23)
    expect(console.get_by_role("button", name="Next page")).to_be_disabled()


def test_five_thousand_users_send_one_page_and_the_poll_keeps_what_is_at_hand(
    world: World, browser: Browser, address: str
):
    insert_people(world.parts.database, 5_000)
    with visitor(browser, address) as page:
        sign_in(page, "admin@admin.com")
        page.goto("/admin/console")
        expect(page.locator("#total-users")).to_have_text("5003")
        expect(page.locator(ROWS)).to_have_count(50)
        assert page.evaluate("document.querySelectorAll('*').length") < 2500
        asked = watch_polls(page)
        tick = row_of(page, "trader@example.org").get_by_role("checkbox")
        tick.focus()
        tick.check()
        page.evaluate("window.row = document.querySelector('#people-rows tr')")
        page.locator("#view-users .scroll").evaluate("box => box.scrollLeft = 7")

        world.manager.start_bot_for_user(world.trader.id)

        expect(row_of(page, "trader@example.org").locator(".pill")).to_have_text("Running", timeout=15_000)
        expect(page.locator("#total-running")).to_have_text("1")
        expect(tick).to_be_focused()
        expect(tick).to_be_checked()
        assert page.evaluate("window.row === document.querySelector('#people-rows tr')")
        assert asked
        assert [url for url in asked if "/admin/users/live?ids=" not in url] == []

        page.get_by_role("button", name="Select all 5003 found").click()
        expect(page.locator("#selected")).to_have_text("5003 users are selected.")
        expect(page.locator(ROWS)).to_have_count(50)


def test_a_selection_is_started_and_stopped_with_results_in_words(world: World, console):
    for email in ("trader@example.org", "stranger@example.org"):
        row_of(console, email).get_by_role("checkbox").check()
    console.get_by_role("button", name="Force Start selected").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("Start the bots of 2 users?")
    dialog.get_by_role("button", name="Force Start").click()
    expect(console.locator("#results-title")).to_have_text("Force Start: 2 done, 0 not.")
    expect(console.locator("#results-list")).to_contain_text("Bot started successfully")
    expect(console.locator("#results-list")).to_contain_text("trader@example.org, stranger@example.org")
    expect(row_of(console, "stranger@example.org")).to_contain_text("protected", timeout=15_000)

    console.get_by_role("button", name="Reconcile selected").click()
    expect(console.locator("#results-title")).to_have_text("Reconcile: 2 done, 0 not.", timeout=20_000)

    console.get_by_role("button", name="Force Stop selected").click()
    expect(dialog).to_contain_text("2 of them run, 2 have a position open.")
    dialog.get_by_label("Close the position at market now, and stop").check()
    expect(dialog.get_by_role("alert")).to_contain_text("2 positions are closed at the market price")
    for theme in ("light", "dark"):
        console.emulate_media(color_scheme=theme)
        assert axe_faults(console) == []
    dialog.get_by_role("button", name="Close 2 positions and stop").click()
    expect(console.locator("#results-title")).to_have_text("Force Stop: 2 done, 0 not.", timeout=20_000)
    expect(row_of(console, "trader@example.org")).to_contain_text("no position", timeout=15_000)
    assert not world.manager.get_bot_status(world.trader.id)["running"]


def test_a_whole_page_is_ticked_and_kept_over_pages(crowd, console):
    console.get_by_label("Select everybody on this page").check()
    expect(console.locator("#selected")).to_have_text("50 users are selected.")
    console.get_by_role("button", name="Next page").click()
    expect(console.locator("#page-now")).to_have_text("Page 2 of 3")
    expect(console.get_by_label("Select everybody on this page")).not_to_be_checked()
    console.get_by_label("Select everybody on this page").check()
    console.get_by_label("Select everybody on this page").uncheck()
    expect(console.locator("#selected")).to_have_text("50 users are selected.")
    console.get_by_role("button", name="Select nobody").click()
    expect(console.locator("#selected")).to_have_text("Nobody is selected.")
    expect(console.get_by_role("button", name="Force Stop selected")).to_be_disabled()


def test_one_bot_is_commanded_from_its_row_and_a_dialog_can_be_declined(world: World, console):
    row = row_of(console, "trader@example.org")
    row.get_by_role("button", name="Force Start").click()
    expect(console.locator("#toasts")).to_contain_text("Force Start, trader@example.org: Bot started successfully")
    row.get_by_role("button", name="Force Stop").click()
    console.get_by_role("button", name="Let it run").click()
    assert world.manager.get_bot_status(world.trader.id)["running"]
    row.get_by_role("button", name="Reconcile").click()
    expect(console.locator("#toasts")).to_contain_text("Reconcile, trader@example.org", timeout=15_000)


def test_a_user_is_created_and_a_fault_stands_at_its_field(console):
    view(console, "Add people")
    form = console.locator("#create-form")
    form.get_by_label("E-mail address").fill("carol@example.org")
    form.get_by_label("First password").fill("short")
    form.get_by_role("button", name="Create user").click()
    expect(form.locator(".fault")).to_be_visible()
    expect(form.get_by_label("First password")).to_be_focused()
    form.get_by_label("First password").fill(PASSWORD)
    form.get_by_role("button", name="Create user").click()
    expect(console.locator("#toasts")).to_contain_text("carol@example.org can sign in now.")
    expect(form.locator(".fault")).to_have_count(0)

    view(console, "Users")
    console.get_by_label("Find a user").fill("carol")
    expect(console.locator(ROWS)).to_have_count(1)


def test_an_invited_person_opens_the_link_once_and_is_signed_in(browser: Browser, address: str, console):
    view(console, "Add people")
    form = console.locator("#invite-form")
    form.get_by_label("E-mail address").fill("carol@example.org")
    form.get_by_role("button", name="Make the link").click()
    link = shown_link(console)
    console.get_by_role("button", name="Done").click()
    expect(console.locator("#links")).to_contain_text("carol@example.org invited as a trader")

    with visitor(browser, address) as person:
        person.goto(link)
        expect(person.get_by_role("heading", name="Welcome to Blitz")).to_be_visible()
        assert axe_faults(person) == []
        person.get_by_label("Password").fill(PASSWORD)
        person.get_by_role("button", name="Set password and sign in").click()
        expect(person.locator("#state-word")).to_have_text(re.compile(r"\w"))

    view(console, "Users")
    view(console, "Add people")
    expect(console.locator("#no-links")).to_be_visible()


def test_a_link_can_be_taken_back(console):
    view(console, "Add people")
    console.locator("#invite-form").get_by_label("E-mail address").fill("carol@example.org")
    console.locator("#invite-form").get_by_role("button", name="Make the link").click()
    console.get_by_role("button", name="Done").click()
    console.get_by_role("button", name="Take back the link of carol@example.org").click()

    expect(console.locator("#no-links")).to_be_visible()


def test_disabling_ends_the_session_at_once(world: World, page: Page, console):
    world.manager.start_bot_for_user(world.trader.id)
    row_of(console, "trader@example.org").get_by_role("link").click()
    expect(console.locator("#orders tr")).to_have_count(5)  # the page has come to life
    console.get_by_role("button", name="Disable…").click()
    expect(console.locator("#disable-words")).to_contain_text("The bot goes on and keeps its position protected")
    console.get_by_role("button", name="Disable", exact=True).click()
    expect(console.locator("#answer")).to_contain_text("is signed out everywhere")

    page.goto("/settings")
    expect(page).to_have_url(re.compile("/login"))
    assert world.manager.get_bot_status(world.trader.id)["running"]

    console.get_by_role("button", name="Enable").click()
    expect(console.locator("#answer")).to_contain_text("may sign in again")
    expect(console.get_by_role("button", name="Disable…")).to_be_visible()


def test_the_page_of_a_user_shows_orders_feed_and_settings_but_no_secret(world: World, console):
    world.parts.users.save_credentials(world.stranger.id, "KEYKEYKEY1234", "secret-secret-9876")
    world.manager.start_bot_for_user(world.trader.id)
    console.goto(f"/admin/console/{world.trader.id}")
    expect(console.locator("#orders tr")).to_have_count(5, timeout=15_000)
    expect(console.locator("#feed")).to_contain_text("Bot started.")
    expect(console.locator("#protection")).to_contain_text("protected · since", timeout=15_000)
    console.goto(f"/admin/console/{world.stranger.id}")
    expect(console.locator("#settings")).to_contain_text("***1234")
    assert "secret-secret-9876" not in console.content()
    console.get_by_role("button", name="Link for a lost password").click()
    assert "/invite?token=" in shown_link(console)


def test_maintenance_is_seen_by_a_trader_and_start_is_refused(world: World, browser: Browser, address: str, console):
    view(console, "Maintenance and banner")
    form = console.locator("#maintenance-form")
    form.get_by_label("Why, and until when").fill("Back at 18:00.")
    form.get_by_role("button", name="Begin maintenance").click()
    expect(form.get_by_role("status")).to_contain_text("Back at 18:00.")
    expect(console.locator("#notices")).to_contain_text("No bot can be started until it is over")

    with visitor(browser, address, may_refuse=(503,)) as page:
        sign_in(page, "trader@example.org")
        expect(page.locator("#notices")).to_contain_text("Back at 18:00. No bot can be started until it is over")
        page.get_by_role("button", name="Start Bot").click()
        expect(page.get_by_text("No bot can be started now: Back at 18:00.").first).to_be_visible()
        assert world.manager.overview() == {}

        form.get_by_role("button", name="End maintenance").click()
        expect(console.locator("#notices p")).to_have_count(0)
        page.reload()
        expect(page.locator("#notices p")).to_have_count(0)


def test_a_banner_is_seen_by_everybody_without_a_reload(page: Page, console):
    view(console, "Maintenance and banner")
    form = console.locator("#banner-form")
    form.get_by_label("Sentence").fill("Party on Friday.")
    form.get_by_role("button", name="Show the banner").click()
    expect(form.get_by_role("status")).to_contain_text("Party on Friday.")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#notices")).to_have_text("Party on Friday.")
    form.get_by_role("button", name="Take it away").click()
    expect(form.get_by_role("status")).to_have_text("No banner is shown.")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#notices p")).to_have_count(0)


def test_the_record_and_the_problems_are_told_with_links(world: World, console):
    row_of(console, "trader@example.org").get_by_role("button", name="Force Start").click()
    expect(console.locator("#toasts")).to_contain_text("started")
    view(console, "What administrators did")
    expect(console.locator("#act-rows tr").first).to_contain_text("admin@admin.comForce Starttrader@example.org")

    view(console, "Recent problems")
    expect(console.locator("#no-problems")).to_be_visible()
    world.manager._tell_feed(world.stranger.id, EventKind.ATTENTION, {"message": "Look at the key."})
    view(console, "Users")
    view(console, "Recent problems")
    expect(console.locator("#problem-lines")).to_contain_text("Needs attention: Look at the key.")
    console.locator("#problem-lines a").click()
    expect(console.get_by_role("heading", name="stranger@example.org")).to_be_visible()


def test_each_exchange_is_shown_with_its_budget(world: World, console):
    view(console, "Exchanges")
    world.manager.start_bot_for_user(world.trader.id)
    expect(console.locator("#venues")).to_contain_text("Bybit (paper)", timeout=15_000)
    expect(console.locator("#venues")).to_contain_text("Lets this server in")
    expect(console.locator("#streams")).to_contain_text("This server has no streams")


def test_everything_is_done_by_keyboard(world: World, console):
    console.get_by_label("Find a user").focus()
    console.keyboard.type("trader@example.org")
    expect(console.locator(ROWS)).to_have_count(1)
    for _ in range(40):
        console.keyboard.press("Tab")
        if console.evaluate("document.activeElement.dataset.command") == "start":
            break
    console.keyboard.press("Enter")
    expect(console.locator("#toasts")).to_contain_text("Bot started successfully")
    console.keyboard.press("Tab")
    console.keyboard.press("Enter")
    expect(console.get_by_role("dialog")).to_be_visible()
    console.keyboard.press("ArrowDown")
    expect(console.get_by_label("Leave entry legs and exits resting")).to_be_checked()
    console.keyboard.press("Tab")
    console.keyboard.press("Tab")
    console.keyboard.press("Enter")
    expect(console.locator("#toasts")).to_contain_text("Force Stop, trader@example.org", timeout=15_000)
    assert not world.manager.get_bot_status(world.trader.id)["running"]
