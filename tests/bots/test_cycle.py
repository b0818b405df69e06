"""Whole cycles: every leg, the take-profit and the next cycle, as an independent ccxt client sees them."""

from decimal import Decimal

import pytest

from tests.bots.both import BOTH
from tests.bots.stage import SYMBOL, until

pytestmark = BOTH

LONG = [
    ("60000", {"tp": ("0.016", "60300"), "leg_1": ("0.016", "59400"), "leg_2": ("0.034", "58806"),
               "leg_3": ("0.069", "57629.9")}),
    ("59400", {"tp": ("0.032", "59998.5"), "leg_2": ("0.034", "58806"), "leg_3": ("0.069", "57629.9")}),
    ("58806", {"tp": ("0.066", "59535.7"), "leg_3": ("0.069", "57629.9")}),
    ("57629.9", {"tp": ("0.135", "58708.9")}),
]  # fmt: skip
"""The worked check, rounded to the real tick and step: price → what rests."""

SHORT = [
    ("60000", {"tp": ("0.016", "59700"), "leg_1": ("0.016", "60600"), "leg_2": ("0.032", "61206"),
               "leg_3": ("0.064", "62430.1")}),
    ("60600", {"tp": ("0.032", "59998.5"), "leg_2": ("0.032", "61206"), "leg_3": ("0.064", "62430.1")}),
    ("61206", {"tp": ("0.064", "60449.2"), "leg_3": ("0.064", "62430.1")}),
    ("62430.1", {"tp": ("0.128", "61283.5")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("side", "steps", "after"), [("long", LONG, "58709"), ("short", SHORT, "61283")], ids=["long", "short"]
)
def test_the_worked_check_rests_leg_by_leg_and_the_next_cycle_starts(stage, side, steps, after):
    alice = stage.trader(side=side)
    alice.start()
    for price, ladder in steps:
        stage.price(price)
        alice.wait_for_ladder(ladder)
    stage.price(after)
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    assert alice.status()["cycle"]["number"] == 2
    assert alice.status()["profit"]["cycles"] == 1
    alice.assert_books_agree()


@pytest.mark.parametrize(
    ("side", "steps", "after"), [("long", LONG, "58709"), ("short", SHORT, "61283")], ids=["long", "short"]
)
def test_an_account_with_one_position_trades_the_same_ladder(stage, side, steps, after):
    alice = stage.trader(side=side, stop_loss="40")
    alice.keep_one_position()
    alice.start()
    for price, ladder in steps:
        stage.price(price)
        alice.wait_for_part(ladder)
        until(lambda: alice.ladder()["sl"][0] == alice.ladder()["tp"][0], "a stop for the whole position")
    stage.price(after)
    alice.wait_for_names("tp", "sl", "leg_1", "leg_2", "leg_3")
    assert {order["positionIdx"] for order in alice.account()["open_orders"]} == {"0"}
    assert alice.status()["cycle"]["number"] == 2
    alice.assert_books_agree()


def test_the_first_orders_carry_exactly_the_documented_tags(alice):
    alice.start()
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    documented = {alice.tag(name) for name in ("tp", "leg_1", "leg_2", "leg_3")}
    assert set(alice.resting()) == documented
    fills = [row["orderLinkId"] for row in alice.account()["executions"]]
    assert fills == [alice.tag("leg_0")]


def test_exits_are_reduce_only_and_entries_are_not(alice):
    alice.choose(stop_loss="40")
    alice.start()
    alice.wait_for_names("tp", "sl", "leg_1", "leg_2", "leg_3")
    closing = {name: order.closes for name, order in alice.named().items()}
    assert closing == {"tp": True, "sl": True, "leg_1": False, "leg_2": False, "leg_3": False}


@pytest.mark.parametrize(
    ("side", "target", "stop", "leg", "next_stop", "through"),
    [("long", "60300", "57600", "59400", "57312", "57000"), ("short", "59700", "62400", "60600", "62712", "63000")],
    ids=["long", "short"],
)
def test_the_stop_loss_follows_the_average_and_ends_the_cycle(stage, side, target, stop, leg, next_stop, through):
    alice = stage.trader(side=side, stop_loss="40", repeat=False, rounds=2)
    alice.start()
    alice.wait_for_ladder({"tp": ("0.016", target), "sl": ("0.016", stop), "leg_1": ("0.016", leg)})
    stage.price(leg)
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "sl": ("0.032", next_stop)})
    stage.price(through, sweep="true")
    alice.wait_for_status("stopped")
    assert alice.ladder() == {}
    assert stage.history.cycles(alice.id)[0].end == "stop_loss"
    alice.assert_books_agree()


def test_a_stop_that_fired_before_it_could_grow_leaves_the_rest_covered(stage, alice):
    alice.choose(stop_loss="40")
    alice.start()
    alice.wait_for_names("tp", "sl", "leg_1", "leg_2", "leg_3")
    stage.price("57500", sweep="true")  # through all legs and the stop of the first, faster than any bot
    alice.wait_for_ladder({"tp": ("0.119", "58708.9"), "sl": ("0.119", "56080.2")})
    alice.assert_books_agree()


def test_without_repeat_the_bot_ends_after_one_cycle(stage, alice):
    alice.choose(repeat=False)
    alice.start()
    alice.wait_for_ladder(LONG[0][1])
    stage.price("60300")
    alice.wait_for_status("stopped")
    assert alice.resting() == {}
    assert stage.store.desired(alice.id) == "stopped"
    alice.assert_books_agree()


def test_a_gap_through_all_legs_and_back_over_the_target_is_one_clean_cycle(stage, alice):
    alice.start()
    alice.wait_for_ladder(LONG[0][1])
    stage.price("57000")
    stage.price("60000")
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    alice.assert_books_agree()
    legs = [order.tag for name, order in alice.named().items() if name.startswith("leg")]
    assert {tag.rsplit("_", 1)[-1].upper() for tag in legs} <= {"1", "BTCUSDTUSDT"}


def test_partial_fills_of_a_leg_and_of_the_take_profit_stay_covered(stage, alice):
    alice.start()
    alice.wait_for_ladder(LONG[0][1])
    stage.fault("partial_fill", account=alice.key, quantity="0.01")
    stage.price("59400")
    alice.wait_for_ladder(LONG[0][1] | {"tp": ("0.026", "60068.1")} | {"leg_1": ("0.016", "59400")})
    stage.price("60068.1")
    alice.wait_for_status("running")
    assert alice.size() == Decimal("0.016")
    stage.price("60069")
    stage.price("60068")
    stage.lift_faults()
    stage.price("60100")
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    alice.assert_books_agree()


def test_settings_edited_during_a_cycle_wait_for_the_next_one(stage, alice):
    alice.start()
    alice.wait_for_ladder(LONG[0][1])
    alice.choose(grids=[{"amount": "300"}, {"amount": "300", "gap": "2"}], take_profit="10")
    stage.price("59400")
    alice.wait_for_ladder(LONG[1][1])
    stage.price("60000")
    alice.wait_for_ladder({"tp": ("0.05", "60600"), "leg_1": ("0.051", "58800")})


def test_a_side_changed_during_a_cycle_waits_for_the_next_one(stage, alice):
    alice.start()
    alice.wait_for_ladder(LONG[0][1])
    alice.choose(side="short")
    stage.price("60300")
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    assert alice.size() < 0


@pytest.mark.parametrize(("side", "steps"), [("long", LONG), ("short", SHORT)], ids=["long", "short"])
def test_foreign_orders_survive_a_whole_life(stage, side, steps):
    alice = stage.trader(side=side)
    foreign = {
        alice.place("buy", "0.01", "40000"),
        alice.place("sell", "0.01", "90000", clientOrderId="mine_alone"),
        alice.place("buy", "0.01", "41000", clientOrderId=alice.tag("leg_1", alice.id + 70)),
    }

    def foreign_rest():
        return {str(row["id"]) for row in alice.client.fetch_open_orders(SYMBOL)} >= foreign

    alice.start()
    for price, ladder in steps:
        stage.price(price)
        alice.wait_for_ladder(ladder)
        assert foreign_rest()
    alice.recover()
    assert foreign_rest()
    assert len(alice.status()["foreign_orders"]) == 3
    alice.stop(position="close")
    alice.wait_for_status("stopped")
    assert foreign_rest()
    assert all(tag.startswith("sm_") and f"_{alice.id}_" in tag for tag in alice.cancelled_by_us())
