"""Events by hand and by the exchange through the real paper exchange (docs/events.md): what rests and what is told."""

from decimal import Decimal

import pytest
import requests

from tests.bots.both import BOTH
from tests.bots.stage import EIGHT_HOURS_MS, until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


@pytest.fixture
def laddered(alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    return alice


def feed(stage, trader):
    """The kinds of the feed's lines."""
    return [line.event.kind.value for line in stage.history.events(trader.id)]


def wait_for_attention(trader, code):
    def told():
        attention = trader.status()["attention"]
        return attention is not None and attention["code"] == code

    until(told, f"attention {code}; {trader.said()}")


def test_leverage_changed_by_hand_keeps_legs_back_and_moves_exits_until_it_is_set_back(stage, laddered):
    laddered.set_leverage(25)
    wait_for_attention(laddered, "leverage_changed")
    laddered.cancel(laddered.tag("leg_3"))
    stage.price("59400")
    until(lambda: laddered.ladder().get("tp", ("",))[0] == "0.032", "a larger take-profit")
    assert set(laddered.ladder()) == {"tp", "leg_2"}
    laddered.set_leverage(10)
    laddered.wait_for_status("running")
    laddered.wait_for_names("tp", "leg_2", "leg_3")


def test_each_cycle_sets_its_own_leverage(stage, laddered):
    laddered.set_leverage(25)
    wait_for_attention(laddered, "leverage_changed")
    stage.price("60300")
    until(lambda: stage.history.totals(laddered.id).cycles == 1, "a closed cycle")
    laddered.wait_for_names(*NAMES)
    until(lambda: laddered.status()["attention"] is None, "the attention to end")
    assert laddered.account()["positions"][0]["leverage"] == "10"


def test_an_auto_deleveraging_and_a_trade_by_hand_are_told_apart(stage, laddered):
    stage.control("adl", key=laddered.key, symbol="BTCUSDT", quantity="0.006", position_idx=stage.long_index)
    until(lambda: laddered.ladder()["tp"][0] == "0.01", "a smaller take-profit")
    laddered.place("buy", "0.005", None)
    until(lambda: laddered.ladder()["tp"][0] == "0.015", "a larger take-profit")
    told = feed(stage, laddered)
    assert (told.count("deleveraged"), told.count("traded_by_hand")) == (1, 1)
    laddered.assert_books_agree()


def test_margin_withdrawn_holds_legs_back_and_keeps_the_take_profit_following(stage, laddered):
    laddered.cancel(laddered.tag("leg_3"))
    stage.control("deposit", key=laddered.key, amount="-9300")
    wait_for_attention(laddered, "insufficient_margin")
    stage.price("59400")
    until(lambda: laddered.ladder()["tp"][0] == "0.032", "a larger take-profit")
    assert feed(stage, laddered).count("order_rejected") == 1
    stage.control("deposit", key=laddered.key, amount="9300")


def test_funding_listed_after_its_cycle_was_booked_is_added_to_it(hurried):
    alice = hurried.trader()
    alice.start()
    alice.wait_for_names(*NAMES)
    hurried.control("funding", symbol="BTCUSDT", rate="0.000123")
    silent = hurried.control("faults", fault="http_status", account=alice.key, endpoint="execution/list", status="503")
    if hurried.exchange == "bybit":  # of a list of three, newest first, the cut one shows the take-profit alone
        hurried.fault("truncated_page", account=alice.key, endpoint="execution/list")
    else:  # payments are a list of their own
        hurried.fault("empty_list", account=alice.key, endpoint="swap/v2/user/income")
    hurried.move_time(EIGHT_HOURS_MS - hurried.venue_ms() % EIGHT_HOURS_MS + 100)
    hurried.price("60300")
    number = silent["id"]
    requests.delete(f"{hurried.url}/__paper/faults", params={"id": number}, timeout=10)
    until(lambda: hurried.history.totals(alice.id).cycles == 1, "a closed cycle")
    charged = Decimal(alice.account()["funding"])
    assert charged > 0
    assert hurried.history.totals(alice.id).funding == 0
    hurried.lift_faults()
    until(lambda: hurried.history.totals(alice.id).funding == charged, "the late funding")
    assert hurried.history.cycles(alice.id)[-1].funding == charged
    assert feed(hurried, alice).count("cycle_corrected") == 1


def test_executions_that_the_exchange_forgot_leave_the_whole_position_covered(hurried):
    alice = hurried.trader()
    alice.start()
    alice.wait_for_names(*NAMES)
    hurried.fault("empty_list", account=alice.key, endpoint="execution/list")
    hurried.price("59400")
    wait_for_attention(alice, "books_differ")
    until(lambda: alice.ladder()["tp"][0] == "0.032", "a take-profit for all that is held", 20)
    assert set(alice.ladder()) == {"tp", "leg_2", "leg_3"}
    hurried.lift_faults()
    alice.wait_for_status("running")
    alice.assert_books_agree()
