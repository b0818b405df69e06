"""Recover: creates exactly what is missing, with the bot running or stopped, and nothing the second time."""

import pytest
import requests

from blitz.bots import user_bot
from tests.bots.both import BOTH, BOTH_SIDES
from tests.bots.conftest import HURRY

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")
THREE = ["checked_positions", "created_tp", "created_leg_1", "created_leg_3"]


@pytest.fixture
def laddered(alice, side):
    """Alice with her first ladder at rest."""
    return laid(alice, side)


def laid(trader, side):
    trader.choose(side=side)
    trader.start()
    trader.wait_for_names(*NAMES)
    return trader


def cancel_three(trader):
    trader.cancel(*(trader.tag(name) for name in ("tp", "leg_1", "leg_3")))


@BOTH_SIDES
def test_recover_of_a_running_bot_creates_exactly_the_three_that_are_missing(laddered):
    before = laddered.ladder()
    cancel_three(laddered)
    told = laddered.recover()
    assert told == {
        "success": True, "status": "recovered", "message": "Recovery process completed", "actions": THREE,
    }  # fmt: skip
    assert laddered.ladder() == before
    assert laddered.recover()["actions"] == ["checked_positions", "no_missing_orders"]


@BOTH_SIDES
def test_recover_of_a_stopped_bot_does_the_same_and_says_that_nobody_watches(laddered):
    before = laddered.ladder()
    laddered.stop(legs="keep")
    cancel_three(laddered)
    told = laddered.recover()
    assert told["success"]
    assert told["actions"] == THREE
    assert "The bot is stopped" in told["message"]
    assert laddered.ladder() == before
    assert laddered.recover()["actions"] == ["checked_positions", "no_missing_orders"]


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_dry_run_names_what_is_missing_and_sends_nothing(laddered, running):
    if not running:
        laddered.stop(legs="keep")
    cancel_three(laddered)
    told = laddered.recover(dry_run=True)
    assert told["dry_run"] is True
    assert told["actions"] == THREE
    assert laddered.account()["counts"]["order_history"] == "4"  # leg 0 and the three that were cancelled
    assert laddered.recover()["actions"] == THREE


def test_recover_never_cancels_amends_or_enters(stage, laddered):
    laddered.stop(legs="keep")
    resting = {tag: laddered.order_id(tag) for tag in laddered.resting()}
    stage.price("59400")  # leg 1 fills and nobody moves the take-profit
    told = laddered.recover()
    assert told["success"]
    assert {tag: laddered.order_id(tag) for tag in laddered.resting()}.items() <= resting.items()
    assert laddered.cancelled_by_us() == []


def test_recover_without_a_position_has_nothing_to_do(alice):
    assert alice.recover()["actions"] == ["checked_positions", "no_missing_orders"]
    assert alice.size() == 0


def test_a_bot_puts_back_by_itself_what_somebody_cancelled(hurried):
    alice = hurried.trader()
    alice.start()
    before = alice.wait_for_names(*NAMES)
    cancel_three(alice)
    alice.wait_for_ladder(before)


def test_recover_while_the_exchange_is_down_says_so_soon(stage, laddered):
    laddered.stop()
    stage.exchange_down()
    told = laddered.recover()
    assert not told["success"]
    assert told["actions"] == []
    assert "exchange" in told["message"]


def test_recover_of_a_bot_that_waits_for_its_exchange_is_answered_at_once(stage, alice):
    stage.exchange_down()
    alice.start()
    told = alice.recover()
    assert not told["success"]
    assert "cannot be reached" in told["message"]


def test_recover_does_not_touch_a_foreign_position(stage, alice):
    alice.place("buy", "0.05", None)
    assert alice.recover()["actions"] == ["checked_positions", "no_missing_orders"]
    assert alice.resting() == {}


@BOTH_SIDES
def test_recover_adopts_a_position_whose_journal_is_lost(hurried, side, monkeypatch):
    monkeypatch.setattr(user_bot, "RECOVER_WAIT_SECONDS", user_bot.RECOVER_WAIT_SECONDS / HURRY)
    alice = laid(hurried.trader(), side)
    alice.stop()
    with hurried.db.write() as connection:
        for table in ("order_slots", "cycles", "fills"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE user_id = {alice.id}")
    told = alice.recover()
    assert told["success"], told
    assert "adopted_cycle" in told["actions"]
    assert {"created_leg_1", "created_leg_2", "created_leg_3"} <= set(told["actions"])
    alice.wait_for_names(*NAMES)


def test_two_recovers_at_once_create_each_order_once(laddered):
    from concurrent.futures import ThreadPoolExecutor

    before = laddered.ladder()
    cancel_three(laddered)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: laddered.recover(), range(8)))
    created = [word for one in told for word in one["actions"] if word.startswith("created")]
    assert sorted(created) == sorted(THREE[1:])
    assert laddered.ladder() == before


def test_the_control_interface_is_not_needed_to_see_it(laddered, stage):
    """The exchange's own list agrees with what the plain client reads."""
    state = requests.get(f"{stage.url}/__paper/state", params={"key": laddered.key}, timeout=10).json()
    assert {row["orderLinkId"] for row in state["accounts"][0]["open_orders"]} == set(laddered.resting())
