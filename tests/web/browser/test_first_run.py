"""From the printed setup link to a paper bot that trades on the screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from blitz.server import Running
from blitz.settings import Settings
from tests.web.browser.conftest import axe_faults, visitor
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.browser
CLICKS_MAX = 5


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Running]:
    """A server that starts for the first time, with the market that it comes with."""
    running = Running(Settings(home=tmp_path, WEB_PORT=0, BLITZ_DB_PATH=tmp_path / "users.db"))
    running.start()
    yield running
    running.stop()


def count_clicks(page: Page) -> None:
    """Have each page remember over navigations how often a mouse was pressed."""
    page.add_init_script(
        "addEventListener('click', () => sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1, true)"
    )


def test_a_newcomer_watches_a_paper_bot_trade_after_a_few_clicks(fresh: Running, browser: Browser):
    link = f"{fresh.url}/setup?token={fresh.services.setup.issue()}"
    with visitor(browser, fresh.url) as page:
        count_clicks(page)
        page.goto(link)
        page.get_by_label("E-mail address").click()
        page.keyboard.type("first@example.org")
        page.get_by_label("Password").click()
        page.keyboard.type(PASSWORD)
        page.get_by_role("button", name="Make administrator").click()

        expect(page.get_by_role("heading", name="Your server is ready")).to_be_visible()
        page.get_by_role("button", name="🚀 Start Bot").click()

        expect(page.locator("#state-word")).to_have_text("Running")
        expect(page.locator("#protection-word")).to_contain_text("Protected since")
        expect(page.locator("#ladder .pill[data-state=resting]").first).to_be_visible()
        expect(page.locator("#mode-strip")).to_contain_text("PAPER")
        assert int(page.evaluate("sessionStorage.clicks")) <= CLICKS_MAX


def test_without_a_valid_link_it_is_said_where_one_comes_from(fresh: Running, browser: Browser):
    with visitor(browser, fresh.url, may_refuse=(403,)) as page:
        page.goto("/")
        expect(page.locator("main")).to_contain_text("setup link")
        assert axe_faults(page) == []

        page.goto("/setup?token=made-up")
        expect(page.get_by_role("heading", name="Not possible")).to_be_visible()
        expect(page.locator("main")).to_contain_text("the server prints a new one at its start")
