"""A trader who trades by hand beside the bot, and what the bot then says and does."""

import time
from typing import Any

from tests.bots.both import BOTH
from tests.bots.stage import Stage, until

LADDER: dict[str, Any] = {
    "symbol": "BTC/USDT:USDT",
    "side": "long",
    "leverage": "10",
    "grids": [{"amount": "100"}, {"amount": "100", "gap": "1"}],
    "rounds": 2,
    "take_profit": "5",
    "stop_loss": "40",
}


@BOTH
def test_a_trade_by_hand_from_just_before_the_start_is_not_booked_after_a_restart(stage: Stage) -> None:
    # Given a position that was opened by hand a while ago and closed right before the bot started
    alice = stage.trader(**LADDER)
    alice.keep_one_position()
    alice.place("sell", "0.006", None)
    time.sleep(1.5)
    alice.place("buy", "0.006", None, reduceOnly=True)
    assert alice.start()["status"] == "started"
    alice.wait_for_names("leg_1", "tp", "sl")

    # When the server restarts
    stage.restart()

    # Then the bot goes on with its cycle: a leg that fills gets its take-profit
    alice.wait_for_status("running")
    stage.price("59400")
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "sl": ("0.032", "57312")})


@BOTH
def test_a_position_that_the_bot_did_not_open_is_never_called_protected(stage: Stage) -> None:
    alice = stage.trader(**LADDER)
    alice.place("buy", "0.003", None)

    assert alice.start()["status"] == "refused"

    assert alice.status()["protected"] == {
        "yes": False,
        "since": alice.status()["protected"]["since"],
        "why": "This bot did not open the position and does not protect it.",
        "state": "unprotected",
        "cause": "not_ours",
        "incident": None,
    }


def test_a_bot_that_has_not_looked_yet_does_not_claim_that_there_is_no_position(stage: Stage) -> None:
    # Given a bot with a position, and an exchange that is away when the server starts again
    alice = stage.trader(**LADDER)
    alice.start()
    alice.wait_for_names("leg_1", "tp", "sl")
    stage.exchange_down()

    stage.restart()

    assert alice.status()["protected"]["why"] == "The exchange has not been read yet."


def test_a_bot_in_its_last_cycle_says_so(stage: Stage) -> None:
    alice = stage.trader(**LADDER)
    alice.start()
    alice.wait_for_names("leg_1", "tp", "sl")

    assert alice.stop(when="after_cycle")["status"] == "stopping_after_cycle"

    until(lambda: "stops when this cycle is finished" in alice.status()["message"], "the status to tell")


def test_a_dry_recover_that_could_not_look_does_not_say_that_nothing_is_missing(stage: Stage) -> None:
    alice = stage.trader(**LADDER)
    alice.start()
    alice.wait_for_names("leg_1", "tp", "sl")
    stage.fault("ret_code", code="10016", endpoint="/v5/position/list")

    answer = alice.recover(dry_run=True)

    assert not answer["success"]
    assert "no_missing_orders" not in answer["actions"]


@BOTH
def test_an_exchange_that_is_away_is_told_without_its_address(stage: Stage) -> None:
    alice = stage.trader(**LADDER)
    alice.start()
    alice.wait_for_names("leg_1", "tp", "sl")

    stage.exchange_down()

    until(lambda: "does not answer" in alice.status()["message"], f"the status to tell; {alice.said()}")
    assert "http" not in alice.status()["message"]
