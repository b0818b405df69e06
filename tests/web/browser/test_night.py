"""What somebody sees at night who looks because something is wrong: what happened, and what to do."""

import re

from playwright.sync_api import Page, expect

from tests.web.conftest import World


def test_a_bare_position_comes_with_what_to_do(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes")
    expect(page.locator("#protection-do")).to_be_empty()
    world.control("faults", {"fault": "ret_code", "endpoint": "order/create", "code": "10006", "message": "too many"})

    world.cancel_by_hand(world.trader, f"sm_tp_{world.trader.id}_BTCUSDTUSDT")

    expect(page.locator("#protection")).to_have_attribute("data-state", "no")
    expect(page.locator("#protection-do")).to_contain_text("close the position there")


def test_a_liquidation_does_not_look_like_a_plain_stop(world: World, page: Page):
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes")
    (account,) = [each for each in world.exchange_state()["accounts"] if each["positions"]]
    world.control("deposit", {"key": account["key"], "amount": "-9000"})

    world.move_price("40000")

    expect(page.locator("#state-word")).to_have_text("Stopped")
    expect(page.locator("#state-message")).to_contain_text("LIQUIDATED")
    expect(page.locator("#state-message")).to_have_class(re.compile("bad-text"))
    page.reload()
    expect(page.locator("#state-dot")).to_have_attribute("data-status", "error")
