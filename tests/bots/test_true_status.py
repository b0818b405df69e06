"""What the status says right after a button was pressed, and while nobody watches, is true."""

from tests.bots.both import BOTH
from tests.bots.stage import until

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def states(trader):
    return {row["key"]: row["state"] for row in trader.status()["orders"]}


@BOTH
def test_start_answers_with_the_ladder_laid(alice):
    alice.start()

    assert states(alice) == {
        "leg_0": "filled",
        "leg_1": "resting",
        "leg_2": "resting",
        "leg_3": "resting",
        "tp": "resting",
    }
    assert alice.status()["protected"]["yes"] is True


@BOTH
def test_a_stopped_bot_whose_exits_rest_alone_is_protected(alice):
    alice.start()
    alice.wait_for_names(*NAMES)

    alice.stop()

    assert alice.status()["status"] == "stopped"
    assert alice.status()["protected"]["yes"] is True


@BOTH
def test_a_stopped_bot_with_resting_legs_does_not_claim_protection(alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    alice.stop()

    alice.recover()

    assert states(alice)["leg_1"] == "resting"
    assert alice.status()["status"] == "stopped"
    assert alice.status()["protected"]["yes"] is False
    assert "nobody moves the exits" in alice.status()["protected"]["why"]


def test_a_stop_that_waits_for_a_slow_exchange_shows_at_once(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.fault("delay_response", endpoint="/v5/position/list", delay_ms="2500")

    assert alice.stop()["status"] == "stopping"
    assert alice.status()["status"] == "stopping"

    stage.lift_faults()
    until(lambda: alice.status()["status"] == "stopped", "the bot to stop")
