"""Every way to stop a bot, and what a stop leaves at the exchange."""

from decimal import Decimal

import pytest

from tests.bots.both import BOTH, BOTH_SIDES
from tests.bots.stage import until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


@pytest.fixture
def laddered(alice, side):
    alice.choose(side=side, stop_loss="40")
    alice.start()
    alice.wait_for_names(*NAMES, "sl")
    return alice


def test_stop_pulls_the_legs_keeps_the_exits_and_says_what_is_left(stage, laddered):
    told = laddered.stop()
    assert told["success"]
    assert told["status"] == "stopped"
    assert "the take-profit" in told["message"]
    assert "the stop-loss" in told["message"]
    assert set(laddered.ladder()) == {"tp", "sl"}
    assert laddered.size() == Decimal("0.016")
    status = laddered.status()
    assert status["running"] is False
    states = {row["key"]: row["state"] for row in status["orders"]}
    assert states == dict.fromkeys(NAMES, "planned") | {"leg_0": "filled", "tp": "resting", "sl": "resting"}
    assert stage.manager.managed_bots == {}
    assert stage.store.desired(laddered.id) == "stopped"


def test_stop_keeping_the_legs_leaves_everything_resting(laddered):
    before = {tag: laddered.order_id(tag) for tag in laddered.resting()}
    told = laddered.stop(legs="keep")
    assert told["status"] == "stopped"
    assert "3 ladder legs" in told["message"]
    assert {tag: laddered.order_id(tag) for tag in laddered.resting()} == before


@BOTH_SIDES
def test_stop_closing_the_position_leaves_nothing(stage, laddered):
    told = laddered.stop(position="close")
    assert told["status"] == "stopped"
    assert "closed at market" in told["message"]
    assert laddered.resting() == {}
    assert laddered.size() == 0
    assert stage.history.cycles(laddered.id)[0].end == "closed_by_trader"
    laddered.assert_books_agree()


def test_stop_after_the_cycle_finishes_it_and_starts_no_other(stage, laddered):
    told = laddered.stop(when="after_cycle")
    assert told["status"] == "stopping_after_cycle"
    assert laddered.status()["running"] is True
    stage.price("60300")
    laddered.wait_for_status("stopped")
    assert laddered.resting() == {}
    assert laddered.size() == 0
    assert stage.store.desired(laddered.id) == "stopped"


def test_stop_after_the_cycle_is_remembered_over_a_restart(stage, laddered):
    laddered.stop(when="after_cycle")
    stage.restart()
    laddered.wait_for_status("running")
    stage.price("60300")
    laddered.wait_for_status("stopped")
    assert laddered.size() == 0
    assert stage.history.totals(laddered.id).cycles == 1


def test_a_stop_after_the_cycle_can_still_become_a_stop_now(laddered):
    laddered.stop(when="after_cycle")
    assert laddered.stop()["status"] == "stopped"
    assert set(laddered.ladder()) == {"tp", "sl"}


def test_a_bot_that_is_not_running_cannot_be_stopped(alice):
    assert alice.stop() == {"success": False, "status": "not_running", "message": "Bot is not running"}


def test_a_stopped_position_is_adopted_by_the_next_start(stage, laddered):
    laddered.stop()
    exits = {tag: laddered.order_id(tag) for tag in laddered.resting()}
    laddered.start()
    laddered.wait_for_names(*NAMES, "sl")
    assert exits.items() <= {tag: laddered.order_id(tag) for tag in laddered.resting()}.items()
    assert laddered.status()["cycle"]["number"] == 1
    stage.price("60300")
    until(lambda: (laddered.status()["cycle"] or {}).get("number") == 2, "the second cycle")
    laddered.assert_books_agree()


def test_a_take_profit_that_filled_while_stopped_is_booked_by_the_next_start(stage, laddered):
    laddered.stop()
    stage.price("60300")
    laddered.start()
    laddered.wait_for_names(*NAMES, "sl")
    assert stage.history.cycles(laddered.id)[1].end == "take_profit"
    assert laddered.status()["cycle"]["number"] == 2
    laddered.assert_books_agree()


def test_stop_while_the_exchange_is_down_ends_the_bot(stage, alice):
    stage.exchange_down()
    alice.start()
    assert alice.stop()["status"] in {"stopped", "stopping"}
    alice.wait_for_status("stopped")


def test_stop_waits_for_an_entry_whose_answer_was_lost(hurried):
    alice = hurried.trader()
    hurried.fault("drop_response", endpoint="order/create", count="1")
    hurried.fault("vanish_ms", delay_ms="1500", count="10")
    alice.start()
    alice.stop()
    alice.wait_for_status("stopped", 20)
    assert set(alice.ladder()) <= {"tp"}
    assert all("leg" not in tag for tag in alice.resting())
