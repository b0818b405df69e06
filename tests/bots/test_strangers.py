"""What other hands do on the account: closing, trading, cancelling, refusing keys. The bot tells, and never guesses."""

from decimal import Decimal

import pytest

from tests.bots.both import BOTH, BOTH_SIDES
from tests.bots.stage import SYMBOL, until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


@pytest.fixture
def laddered(alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    return alice


def test_a_position_closed_by_hand_ends_the_cycle_and_the_bot(stage, laddered):
    laddered.close_by_hand("0.016")
    laddered.wait_for_status("stopped")
    assert "closed outside this bot" in laddered.status()["message"]
    assert laddered.ladder() == {}
    assert laddered.size() == 0
    assert stage.history.cycles(laddered.id)[0].end == "closed_externally"
    assert stage.store.desired(laddered.id) == "stopped"
    laddered.assert_books_agree()


def test_after_a_close_by_hand_start_begins_the_next_cycle(laddered):
    laddered.close_by_hand("0.016")
    laddered.wait_for_status("stopped")
    assert laddered.start()["status"] == "started"
    laddered.wait_for_names(*NAMES)
    assert laddered.status()["cycle"]["number"] == 2


def test_a_part_closed_by_hand_shrinks_the_exits(laddered):
    laddered.close_by_hand("0.006")
    until(lambda: laddered.ladder().get("tp", ("",))[0] == "0.01", "a smaller take-profit")
    laddered.wait_for_names(*NAMES)


def test_a_position_added_to_by_hand_is_covered_too(laddered):
    laddered.place("buy", "0.01", None)
    until(lambda: laddered.ladder()["tp"][0] == "0.026", "a larger take-profit")
    until(lambda: laddered.status()["protected"]["yes"], "the status to say so")


@pytest.mark.parametrize(("direction", "words"), [("buy", "did not open"), ("sell", "in the other direction")])
def test_a_start_beside_a_foreign_position_is_refused_and_sends_nothing(stage, alice, direction, words):
    alice.keep_one_position()
    alice.place(direction, "0.05", None)
    told = alice.start()
    assert told["success"] is False
    assert told["status"] == "refused"
    assert words in told["message"]
    assert alice.resting() == {}
    assert abs(alice.size()) == Decimal("0.05")
    assert alice.status()["running"] is False
    until(lambda: stage.store.desired(alice.id) == "stopped", "the wish to run to be withdrawn")


def test_a_wrong_secret_is_refused_by_the_start(stage, alice):
    stage.users.save_credentials(alice.id, alice.key, "another-secret")
    told = alice.start()
    assert told["status"] == "missing_credentials"
    assert "another secret" in told["message"]
    assert alice.recover()["status"] == "missing_credentials"
    assert alice.status()["running"] is False


def test_a_key_refused_at_the_first_look_is_named(stage, alice):
    stage.fault("ret_code", account=alice.key, code="10003")
    told = alice.start()
    assert told["status"] == "missing_credentials"
    assert "API key" in told["message"]
    assert alice.truth() == {}


def test_a_key_revoked_while_running_blocks_entries_and_leaves_orders_alone(hurried):
    alice = hurried.trader()
    alice.start()
    before = alice.wait_for_names(*NAMES)
    hurried.fault("ret_code", account=alice.key, endpoint="order/realtime", code="33004")
    alice.wait_for_status("needs_attention")
    assert alice.status()["attention"]["code"] == "key_rejected"
    assert alice.status()["running"]
    hurried.lift_faults()
    assert alice.ladder() == before
    alice.wait_for_status("running")


def test_settings_that_the_market_refuses_are_refused_by_the_start(alice):
    alice.choose(grids=[{"amount": "100"}, {"amount": "0.3", "gap": "1"}])
    told = alice.start()
    assert told["status"] == "invalid_settings"
    assert "Leg 1" in told["message"] or "leg 1" in told["message"]
    assert alice.size() == 0


def test_a_first_look_that_could_decide_nothing_is_no_start(stage, alice):
    alice.choose(leverage=7, grids=[{"amount": "100"}, {"amount": "0.3", "gap": "1"}])
    stage.fault("http_status", account=alice.key, endpoint="position/set-leverage", status="503", count="1")
    assert alice.start()["status"] == "invalid_settings"
    assert stage.hits() == 1


def test_too_little_margin_for_a_leg_leaves_the_take_profit_standing(stage):
    poor = stage.trader(grids=[{"amount": "4000"}, {"amount": "9000", "gap": "1"}])
    poor.start()
    poor.wait_for_names("tp")
    poor.wait_for_status("needs_attention")
    assert poor.status()["attention"]["code"] == "insufficient_margin"
    until(lambda: poor.status()["protected"]["yes"], "the status to say so")


def test_two_users_do_not_see_each_other(stage):
    alice, bob = stage.trader("alice"), stage.trader("bob", side="short")
    alice.start()
    bob.start()
    alice.wait_for_names(*NAMES)
    bob.wait_for_names(*NAMES)
    alice.stop(position="close")
    assert alice.resting() == {}
    assert set(bob.ladder()) == set(NAMES)
    assert set(stage.manager.managed_bots) == {bob.id}
    stage.price("59700")
    until(lambda: stage.history.totals(bob.id).cycles == 1, "the other one's take-profit")
    bob.assert_books_agree()
    alice.assert_books_agree()


@BOTH_SIDES
def test_a_hedge_account_trades_its_side_beside_a_foreign_position_on_the_other(stage, side):
    alice = stage.trader(side=side, stop_loss="40")
    alice.client.set_position_mode(True, SYMBOL)
    other = "sell" if side == "long" else "buy"
    alice.place(other, "0.07", None, slot="short" if side == "long" else "long")
    alice.start()
    alice.wait_for_names(*NAMES, "sl")
    stage.price("59400" if side == "long" else "60600")
    alice.wait_for_names("tp", "sl", "leg_2", "leg_3")
    stage.price("60100" if side == "long" else "59900")
    until(lambda: stage.history.totals(alice.id).cycles == 1, "a closed cycle")
    alice.wait_for_names(*NAMES, "sl")
    sizes = {row["positionIdx"]: row["size"] for row in alice.account()["positions"]}
    assert sizes["2" if side == "long" else "1"] == "0.07"


def test_a_liquidated_position_ends_the_bot(stage):
    alice = stage.trader(leverage="50", margin_mode="isolated", grids=[{"amount": "500"}], rounds=1)
    alice.start()
    alice.wait_for_names("tp")
    stage.price("57000")
    alice.wait_for_status("stopped")
    assert "LIQUIDATED" in alice.status()["message"]
    assert stage.history.cycles(alice.id)[0].end == "liquidated"
    assert alice.size() == 0
    alice.assert_books_agree()


def test_an_auto_deleveraged_part_shrinks_the_take_profit(stage, laddered):
    stage.control("adl", key=laddered.key, symbol="BTCUSDT", quantity="0.006", position_idx=stage.long_index)
    until(lambda: laddered.ladder()["tp"][0] == "0.01", "a smaller take-profit")
    laddered.assert_books_agree()


@BOTH_SIDES
def test_funding_is_booked_to_the_last_digit(hurried, side):
    alice = hurried.trader(side=side)
    alice.start()
    alice.wait_for_names(*NAMES)
    hurried.control("funding", symbol="BTCUSDT", rate="0.000123")
    hurried.move_time(9 * 3_600_000)
    charged = Decimal(alice.account()["funding"])
    assert charged > 0 if side == "long" else charged < 0
    until(lambda: hurried.history.totals(alice.id).funding == charged, "the funding to be booked")
