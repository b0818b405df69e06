"""A trader who reads Korean, in a real browser: from the sign-in page through a cycle to the end of the session."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from blitz.storage.preferences import Preferences
from tests.web.browser.conftest import visitor
from tests.web.conftest import PASSWORD, World
from tests.web.test_bot_api import wait_for

pytestmark = pytest.mark.browser


def korean_visitor(browser: Browser, address: str, **context_words: Any):
    return visitor(browser, address, locale="ko-KR", timezone_id="Asia/Seoul", **context_words)


def sign_in(page: Page, address: str, password: str, button: str, email: str = "trader@example.org") -> None:
    page.goto("/login")
    page.get_by_label(address).fill(email)
    page.get_by_label(password).fill(PASSWORD)
    page.get_by_role("button", name=button).click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#state-word")).to_have_text(re.compile("[가-힣]"))


def test_a_cycle_is_told_in_korean_from_start_to_profit(world: World, browser: Browser, address: str):
    with korean_visitor(browser, address) as page:
        sign_in(page, "이메일 주소", "비밀번호", "로그인")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("#mode-strip")).to_contain_text("내장 모의 거래소의 가상 자금")

        page.locator("#start").click()
        expect(page.locator("#state-word")).to_have_text("실행 중")
        expect(page.locator("#state-message")).to_have_text(
            re.compile(r"익절\([\d,.]+\)을 기다립니다\. 다음 레그는 59,400\S* 체결됩니다\.")
        )
        expect(page.locator("#protection-why")).to_contain_text("모든 익절·손절 주문이 전체 포지션을 지키고 있습니다.")
        expect(page.locator("#feed")).to_contain_text("레그 0 체결: 60,000에 0.016.")

        world.move_price("59399")
        expect(page.locator("#feed")).to_contain_text("레그 1 체결: 59,400에 0.016.")
        world.move_price("60100")
        expect(page.locator("#feed")).to_contain_text(re.compile(r"사이클 1 종료: 익절 체결, \+\d+\.\d\d USDT\."))
        expect(page.locator("#feed")).not_to_contain_text(re.compile("filled|placed|began|closed"))


def test_a_choice_of_language_is_kept_against_the_browsers(world: World, browser: Browser, address: str):
    world.parts.preferences.save(world.trader.id, Preferences(language="ko"))
    with visitor(browser, address) as page:
        sign_in(page, "E-mail address", "Password", "Sign in")
        expect(page.locator("html")).to_have_attribute("lang", "ko")

        page.locator("form[action='/logout'] button").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")


NAMES = {
    "3Commas", "ADL", "API", "BTC", "BingX", "Blitz", "Bybit", "Charts", "Chrome", "CSV", "DEMO", "English", "ID",
    "JSON", "Lightweight", "Linux", "LIVE", "MB", "PAPER", "ROE", "Telegram", "TradingView", "USDT", "UTC",
}  # fmt: skip
"""What a Korean trader writes as it is."""
SIGNS = re.compile(r"\S+@\S+|\w+/\w+(:\w+)?|\b[A-Z]+USDT\b|\bsm_\w+|\*{3}\w*|끝 네 자리 \S+")
"""Addresses, time zones, markets, tags of orders, ends of keys and tokens."""
SEEN = """() => {
  const left = "script, style, code, pre, datalist";
  const found = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(left)) found.push(walk.currentNode.data);
  const names = ["title", "aria-label", "placeholder", "alt"];
  for (const one of document.querySelectorAll(names.map((name) => `[${name}]`)))
    found.push(...names.map((name) => one.getAttribute(name) ?? ""));
  return found;
}"""
"""Every text of a page, of what is hidden until it is asked for too; not code."""


def is_too_wide(page: Page) -> bool:
    """Whether the page has to be scrolled sideways."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def english_on(page: Page) -> list[str]:
    """The texts of a page that hold a word which should have been put in Korean."""
    found = {" ".join(text.split()) for text in page.evaluate(SEEN)}
    return sorted(text for text in found if set(re.findall(r"[\dA-Za-z]*[A-Za-z]{2,}", SIGNS.sub("", text))) - NAMES)


def as_json(client: FlaskClient, path: str) -> dict[str, Any]:
    return json.loads(client.get(path).text)


@pytest.fixture
def link(world: World) -> str:
    """The token of an invitation, to a server on which every list has something to show."""
    trader, admin = world.signed_in(world.trader), world.signed_in(world.admin)
    trader.post("/api/account/tokens", json={"name": "표", "scope": "read"})
    admin.post("/admin/users/invitations", json={"email": "new@example.org", "role": "trader"})
    admin.put("/admin/server/notices/banner", json={"message": "오늘 밤 업데이트합니다."})
    trader.post("/api/bot/start")
    wait_for(lambda: as_json(trader, "/api/bot/status")["protected"]["state"] == "protected")
    world.move_price("60300")
    wait_for(lambda: as_json(trader, "/api/bot/cycles")["rows"])
    admin.post(f"/admin/users/{world.stranger.id}/stop")
    return world.parts.invitations.invite("guest@example.org", "trader")


PHONE = {"width": 390, "height": 844}
SETTLED_MS = 700
"""By then a page has drawn what it asked for."""
STRANGERS_PAGES = ("/login", "/setup?token=none", "/invite?token=none", "/nowhere")
HISTORY = ("", "?table=fills", "?table=orders", "?table=events", "?table=days", "?cycle=1", "?account=none")
TRADERS_PAGES = (
    "/", "/settings", "/settings/live", "/account", *(f"/history{words}" for words in HISTORY), "/logout", "/nowhere",
)  # fmt: skip
VIEWS = ("users", "people", "problems", "exchanges", "maintenance", "record")


def test_no_page_shows_english_to_a_korean(world: World, link: str, browser: Browser, address: str):
    with korean_visitor(browser, address, may_refuse=(403, 404), viewport=PHONE) as page:
        for path in (*STRANGERS_PAGES, f"/invite?token={link}"):
            page.goto(path)
            assert english_on(page) == [], path
            assert not is_too_wide(page), path
        sign_in(page, "이메일 주소", "비밀번호", "로그인")
        for path in TRADERS_PAGES:
            page.goto(path)
            page.wait_for_timeout(SETTLED_MS)
            assert english_on(page) == [], path
            assert not is_too_wide(page), path


def test_no_page_of_an_administrator_shows_english_to_a_korean(world: World, link: str, browser: Browser, address: str):
    with korean_visitor(browser, address, viewport=PHONE) as page:
        sign_in(page, "이메일 주소", "비밀번호", "로그인", email="admin@admin.com")
        for path in (f"/admin/console/{world.trader.id}", *(f"/admin/console#{view}" for view in VIEWS)):
            page.goto(path)
            page.wait_for_timeout(SETTLED_MS)
            assert english_on(page) == [], path
            assert not is_too_wide(page), path
