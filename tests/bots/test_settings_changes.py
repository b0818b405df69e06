"""Settings take effect with the next cycle, also across a stop and a restart; they never switch an account early."""

from tests.bots.both import BOTH
from tests.bots.stage import until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def test_settings_saved_while_the_bot_rests_in_mid_cycle_come_with_the_next_cycle(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    alice.stop(legs="keep")
    alice.choose(take_profit="10")

    alice.start()
    until(lambda: alice.status()["looked_at"], "a first look")
    assert alice.resting()[alice.tag("tp")].price == "60300"
    stage.price("60300")

    until(lambda: (alice.status()["cycle"] or {}).get("number") == 2, "the second cycle")
    until(lambda: any(row["key"] == "tp" and row["resting"] for row in alice.status()["orders"]), "its take-profit")
    target = next(row for row in alice.status()["orders"] if row["key"] == "tp")
    assert target["resting"]["price"] == "60903"  # 1 % above 60,300: the new 10 % of margin at leverage 10


def test_a_restart_goes_on_with_the_open_cycle_though_another_mode_was_saved(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    alice.choose(mode="live")

    stage.restart()

    until(lambda: alice.status()["looked_at"], "a first look")
    assert (alice.status()["mode"], alice.status()["status"]) == ("paper", "running")
    assert set(alice.resting()) == {alice.tag(name) for name in NAMES}
    assert alice.stop()["status"] == "stopped"  # before the next cycle, which would be live
