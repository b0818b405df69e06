"""A trader who reads Korean, in a real browser: from the sign-in page through a cycle to the end of the session."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from blitz.storage.preferences import Preferences
from tests.web.browser.conftest import visitor
from tests.web.conftest import PASSWORD, World

pytestmark = pytest.mark.browser


def korean_visitor(browser: Browser, address: str, **context_words: Any):
    return visitor(browser, address, locale="ko-KR", timezone_id="Asia/Seoul", **context_words)


def sign_in(page: Page, address: str, password: str, button: str) -> None:
    page.goto("/login")
    page.get_by_label(address).fill("trader@example.org")
    page.get_by_label(password).fill(PASSWORD)
    page.get_by_role("button", name=button).click()
    expect(page.locator("#state-word")).to_have_text("실행 안 됨")


def test_a_cycle_is_told_in_korean_from_start_to_profit(world: World, browser: Browser, address: str):
    with korean_visitor(browser, address) as page:
        sign_in(page, "이메일 주소", "비밀번호", "로그인")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator("#mode-strip")).to_contain_text("내장 모의 거래소의 가상 자금")

        page.locator("#start").click()
        expect(page.locator("#state-word")).to_have_text("실행 중")
        expect(page.locator("#state-message")).to_have_text("봇이 실행 중입니다")
        expect(page.locator("#protection-why")).to_contain_text("모든 익절·손절 주문이 전체 포지션을 지키고 있습니다.")
        expect(page.locator("#feed")).to_contain_text("레그 0 체결: 60000에 0.016.")

        world.move_price("59399")
        expect(page.locator("#feed")).to_contain_text("레그 1 체결: 59400에 0.016.")
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
