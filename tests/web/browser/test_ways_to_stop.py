"""Each way to stop, from the dialog: what rests afterwards is what it promised, and Start goes on from there."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from blitz.core.ladder_settings import parse_settings
from tests.web.browser.truth import Picture, start, stop_by, wait_until_they_agree
from tests.web.conftest import World

pytestmark = pytest.mark.browser


@pytest.fixture
def trading(world: World, page: Page) -> Page:
    """Leg 1 is filled, the stop-loss rests too."""
    settings = parse_settings({"stop_loss": "40"}, base=world.trader.settings)
    world.parts.users.save_settings(world.trader.id, settings)
    page.reload()
    start(page)
    world.move_price("59399")
    expect(page.locator("#position")).to_have_text("0.032 BTC")
    return page


def resting_names(world: World) -> list[str]:
    """What rests by name, without user and market."""
    orders: list[dict[str, Any]] = [row for each in world.exchange_state()["accounts"] for row in each["open_orders"]]
    return sorted(row["orderLinkId"].removeprefix("sm_").partition(f"_{world.trader.id}_")[0] for row in orders)


def agreed(world: World, page: Page) -> Picture:
    """What page and exchange say once they say the same, and say it of the trader who looks as well."""
    return wait_until_they_agree(world, page, "after the stop")


def test_taking_back_the_legs_leaves_the_exits_for_the_whole_position(world: World, trading: Page):
    stop_by(trading, "pull")

    expect(trading.locator("#state-word")).to_have_text("Stopped")
    expect(trading.locator("#answer")).to_have_class("answer good")
    seen = agreed(world, trading)
    assert resting_names(world) == ["sl", "tp"]
    assert seen.position is not None
    assert [quantity for _, quantity in seen.resting] == [seen.position.quantity] * 2

    trading.locator("#start").click()

    expect(trading.locator("#ladder tr[data-state=resting]")).to_have_count(4)
    expect(trading.locator("#cycle")).to_have_text("#1")
    assert resting_names(world) == ["leg_2", "leg_3", "sl", "tp"]
    agreed(world, trading)


def test_leaving_everything_leaves_everything(world: World, trading: Page):
    before = agreed(world, trading)

    stop_by(trading, "keep")

    expect(trading.locator("#state-word")).to_have_text("Stopped")
    assert agreed(world, trading) == before
    assert resting_names(world) == ["leg_2", "leg_3", "sl", "tp"]

    trading.locator("#start").click()

    expect(trading.locator("#state-word")).to_have_text("Running")
    expect(trading.locator("#cycle")).to_have_text("#1")
    assert agreed(world, trading) == before


def starts_a_second_cycle(world: World, page: Page) -> None:
    page.locator("#start").click()

    expect(page.locator("#cycle")).to_have_text("#2")
    expect(page.locator("#ladder tr[data-state=resting]")).to_have_count(5)
    agreed(world, page)


def test_a_last_cycle_is_finished_and_no_further_one_begins(world: World, trading: Page):
    stop_by(trading, "after_cycle")

    expect(trading.locator("#state-message")).to_contain_text("it stops when this cycle is finished")
    expect(trading.locator("#stop")).to_be_enabled()
    assert resting_names(world) == ["leg_2", "leg_3", "sl", "tp"]
    agreed(world, trading)
    world.move_price("60500")
    expect(trading.locator("#state-word")).to_have_text("Stopped")
    assert agreed(world, trading) == Picture(None, [])
    expect(trading.locator("#protection-word")).to_have_text("No position")
    expect(trading.locator("#feed")).to_contain_text("Cycle 1 closed: take-profit filled")

    starts_a_second_cycle(world, trading)


def test_closing_leaves_nothing_at_all(world: World, trading: Page):
    stop_by(trading, "close")
    trading.get_by_role("button", name="Close position and stop").click()

    expect(trading.locator("#state-word")).to_have_text("Stopped")
    assert agreed(world, trading) == Picture(None, [])
    expect(trading.locator("#protection-word")).to_have_text("No position")
    expect(trading.locator("#cycle-sub")).to_have_text("no open cycle")

    starts_a_second_cycle(world, trading)


def test_a_last_cycle_can_still_be_stopped_now(world: World, trading: Page):
    stop_by(trading, "after_cycle")
    expect(trading.locator("#state-message")).to_contain_text("it stops when this cycle is finished")

    stop_by(trading, "pull")

    expect(trading.locator("#state-word")).to_have_text("Stopped")
    assert resting_names(world) == ["sl", "tp"]
    agreed(world, trading)
