"""The history page in a real browser: figures, tables, filters, pages, files, phones and keys."""

import csv
import io
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.orders import Side
from blitz.core.records import BotEvent, Change, Cycle, CycleEnd, CycleSaved, EventKind, EventNoted
from blitz.storage.journal import BotJournal
from blitz.web import history_range
from tests.web.browser.conftest import bring_session, sign_in, visitor
from tests.web.conftest import World
from tests.web.test_bot_api import wait_for

pytestmark = pytest.mark.browser

MARCH = 1_772_323_200_000
"""2026-03-01T00:00 UTC."""
HOUR = 3_600_000
SEOUL: dict[str, Any] = {"timezone_id": "Asia/Seoul", "locale": "en-GB"}


def cycle(number: int, profit: str = "1", *, ended_ms: int | None = None, **words) -> CycleSaved:
    end = MARCH + number * HOUR if ended_ms is None else ended_ms
    settings = replace(DEFAULT_SETTINGS, **words)
    return CycleSaved(
        cycle=Cycle(
            number=number,
            settings=settings,
            started_ms=end - HOUR // 2,
            ended_ms=end,
            end=CycleEnd.STOP_LOSS if profit.startswith("-") else CycleEnd.TAKE_PROFIT,
            realised=Decimal(profit) + Decimal("0.528"),
            fees=Decimal("0.5"),
            funding=Decimal("0.028"),
            legs_filled=number % 4 + 1,
        )
    )


def write(world: World, changes: list[Change], account: str = "bybit:paper") -> None:
    BotJournal(world.parts.database, world.trader.id, account).save(changes, durable=True)


@pytest.fixture
def page(world: World, browser: Browser, address: str):
    """The trader, signed in, in Seoul."""
    with visitor(browser, address, **SEOUL) as page:
        bring_session(page, world, world.trader)
        yield page


def rows(page: Page):
    return page.locator("#rows tbody tr")


def trade_one_cycle(world: World, page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)
    world.move_price("60301")
    expect(page.locator("#cycle")).to_have_text("#2")
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)


def test_who_has_not_traded_is_told_where_to_begin(page: Page):
    page.goto("/")
    page.get_by_role("link", name="History").click()

    expect(page.locator("#nothing")).to_contain_text("Nothing has been traded on this account yet")
    page.get_by_role("link", name="Go to Control").click()
    expect(page.locator("#state-word")).to_be_visible()


def test_what_a_bot_traded_stands_in_figures_and_tables(world: World, page: Page):
    trade_one_cycle(world, page)
    page.goto("/history")

    expect(rows(page)).to_have_count(2)
    expect(rows(page).nth(0)).to_contain_text("running")
    expect(rows(page).nth(1)).to_contain_text("take-profit filled")
    earned = world.parts.history.cycles(world.trader.id)[1].profit
    assert re.fullmatch(r"\d\.\d{4,}", str(earned))
    expect(page.locator("#net")).to_have_text(f"+{str(earned)[:4]}")  # cut, not rounded
    expect(page.locator("#running")).to_contain_text("Cycle #2")
    expect(page.locator("#win-rate")).to_have_text("100 %")
    expect(page.locator("#equity-chart canvas").first).to_be_visible()
    expect(page.locator("#day-chart canvas").first).to_be_visible()

    rows(page).nth(1).get_by_role("link", name="Cycle 1").click()

    expect(page).to_have_url(re.compile(r"/history\?account=bybit%3Apaper&cycle=1$"))
    expect(page.locator("#one-title")).to_have_text("Cycle 1")
    expect(rows(page)).to_have_count(2)
    expect(page.locator("#rows")).to_contain_text("Take-profit")
    expect(page.locator("#event-rows")).to_contain_text("Cycle 1 closed: take-profit filled")
    page.go_back()
    expect(page.locator("#figures")).to_be_visible()


def test_a_view_is_filtered_kept_in_its_address_and_cleared(world: World, page: Page):
    write(world, [cycle(1), cycle(2, "-3", side=Side.SHORT), cycle(3, symbol="ETH/USDT:USDT")])
    page.goto("/history")
    expect(rows(page)).to_have_count(3)

    page.get_by_label("Outcome").select_option("lost")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("#2")
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Clear filters").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Market").select_option("ETH/USDT:USDT")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("#3")
    page.get_by_label(re.compile("^Side")).select_option("short")
    expect(page.locator("#rows-empty")).to_contain_text("Nothing matches these filters")


def test_days_are_those_of_the_readers_zone(world: World, page: Page):
    # 2026-03-01T14:30 UTC is 23:30 in Seoul; an hour later there it is the second of March
    write(
        world,
        [cycle(1, "5", ended_ms=MARCH + 14 * HOUR + HOUR // 2), cycle(2, "7", ended_ms=MARCH + 15 * HOUR + HOUR // 2)],
    )
    page.goto("/history?from=2026-03-02&to=2026-03-02")

    expect(page.locator("#net")).to_have_text("+7.00")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#zone-note")).to_have_text("Times in Asia/Seoul")
    expect(rows(page)).to_contain_text(re.compile("Mar 2, (2026, )?00:30:00"))
    page.get_by_role("button", name="Everything").click()
    expect(page.locator("#net")).to_have_text("+12.00")
    page.locator("#day-details summary").click()
    expect(page.locator("#day-rows tr")).to_have_text([re.compile("^2026-03-02"), re.compile("^2026-03-01")])


def test_many_rows_come_page_by_page_in_both_directions(world: World, page: Page):
    write(world, [cycle(number) for number in range(1, 121)])
    page.goto("/history")
    expect(rows(page)).to_have_count(50)
    expect(rows(page).first).to_contain_text("#120")
    expect(page.get_by_role("button", name="Newer")).to_be_disabled()

    page.get_by_role("button", name="Older").click()
    expect(rows(page).first).to_contain_text("#70")
    page.reload()
    expect(rows(page).first).to_contain_text("#70")
    page.get_by_role("button", name="Older").click()
    expect(rows(page)).to_have_count(20)
    expect(rows(page).last).to_contain_text("#1")
    page.get_by_role("button", name="Newer").click()
    expect(rows(page).first).to_contain_text("#70")
    page.get_by_role("button", name="Newer").click()
    expect(rows(page).first).to_contain_text("#120")
    expect(page.get_by_role("button", name="Newer")).to_be_disabled()


def test_the_file_holds_what_is_filtered_whole(world: World, page: Page):
    write(world, [cycle(number, "-1.25" if number % 2 else "2.123456789") for number in range(1, 121)])
    page.goto("/history?outcome=won")
    expect(rows(page)).to_have_count(50)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()

    text = download.value.path().read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    told = page.request.get("/api/bot/cycles?outcome=won&limit=500").json()["rows"]
    assert [line["profit"] for line in lines] == [row["profit"] for row in told] == ["2.123456789"] * 60
    assert [line["ended_at_utc"] for line in lines] == [row["ended_at"] for row in told]


def test_only_problems_are_found_among_many_events(world: World, page: Page):
    noise = [
        EventNoted(event=BotEvent(kind=EventKind.ORDER_PLACED, at_ms=MARCH + n, data={"order": "tp"}))
        for n in range(80)
    ]
    problem = EventNoted(event=BotEvent(kind=EventKind.ATTENTION, at_ms=MARCH, cycle=4, data={"message": "Look here."}))
    write(world, [problem, *noise])
    page.goto("/history")
    page.get_by_role("navigation", name="Tables").get_by_role("link", name="Events").click()
    expect(rows(page)).to_have_count(50)

    page.get_by_label("About").select_option("problems")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Needs attention: Look here.")


def test_money_of_another_account_is_reached_and_never_mixed(world: World, page: Page):
    write(world, [cycle(1, "5")])
    write(world, [cycle(2, "-3")], account="bybit:live")
    page.goto("/history")
    expect(page.locator("#net")).to_have_text("+5.00")

    page.get_by_label("Account").select_option("bybit:live")

    expect(page.locator("#net")).to_have_text("−3.00")
    expect(page.locator(".page-head .mode-badge")).to_have_text("LIVE")
    expect(rows(page)).to_have_count(1)
    page.goto("/history?account=bingx:live")
    expect(page.locator(".notice.warn")).to_contain_text("You have not traded on the account of this link")


def test_a_wrong_address_is_answered_with_a_sentence(world: World, browser: Browser, address: str):
    write(world, [cycle(1, "5")])
    with visitor(browser, address) as page:
        sign_in(page, "trader@example.org")
        page.goto("/history?from=2026-03-09&to=2026-03-01")
        expect(page.locator("#fault")).to_contain_text("to: this day is before the first one.")


def test_keys_alone_are_enough(world: World, page: Page):
    write(world, [cycle(number) for number in range(1, 61)])
    page.goto("/history")
    expect(rows(page)).to_have_count(50)

    page.get_by_role("button", name="Older").focus()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(10)
    expect(page.locator("#rows")).to_be_focused()
    page.keyboard.press("Tab")
    expect(rows(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#one-title")).to_have_text("Cycle 10")


def test_a_page_that_lies_open_shows_when_a_cycle_ends(world: World, page: Page):
    trade_one_cycle(world, page)
    page.clock.install()
    page.goto("/history")
    expect(rows(page)).to_have_count(2)
    with page.expect_response("**/api/bot/cycles?*limit=1"):  # what it compares with later
        page.clock.run_for(100)

    world.move_price("60700")
    wait_for(lambda: len(world.parts.history.cycles(world.trader.id)) == 3)
    page.clock.run_for(16_000)

    expect(page.locator("#running-title")).to_have_text("Cycle #3")
    expect(rows(page)).to_have_count(3)


def test_a_zone_that_the_server_does_not_know_is_said_so(world: World, page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history_range, "zone_names", lambda: frozenset({"UTC"}))
    write(world, [cycle(1, "5")])
    page.goto("/history")

    expect(page.locator("#net")).to_have_text("+5.00")
    expect(page.locator("#zone-note")).to_contain_text("which this server does not know: days are those of UTC")
