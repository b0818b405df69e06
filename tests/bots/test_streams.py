"""A bot that is told answers at once and looks seldom; what a stream gets wrong changes nothing but the delay."""

import time
from decimal import Decimal
from typing import Any

import pytest
import requests

from blitz.bots import listening, unshown
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange.budget import NoTurn, Priority, Turnstile
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.streams import hand_over
from tests.bots.both import BOTH
from tests.bots.plain import place_of
from tests.bots.stage import EIGHT_HOURS_MS, Stage, Trader, until

LADDER: dict[str, Any] = {
    "grids": [{"amount": 100, "gap": 0}, {"amount": 100, "gap": 1}, {"amount": 200, "gap": 1}],
    "rounds": 3,
    "take_profit": "5",
    "stop_loss": "0",
    "repeat": True,
}
AFTER_LEG_1 = {"tp": ("0.032", "59998.5"), "leg_2": ("0.034", "58806")}
SHORT_AFTER_LEG_1 = {"tp": ("0.032", "59998.5"), "leg_2": ("0.032", "61206")}
LOOK = {"bybit": {3}, "bingx": {3, 4}}
"""Requests of a look while a position is held: orders, fills, position; at BingX funding once an hour has passed."""
A_WHILE_MS = 300_000
PUSH_SECONDS = 5.0
"""BingX pushes the whole account so often, whether anything has changed or not."""


def trader_who_is_told(stage: Stage) -> Trader:
    """A trader whose bot runs, is told by its stream, and has laid its ladder. Nothing happened before it was up."""
    stage.stream()
    trader = stage.trader(**LADDER)
    trader.start()
    until_told(trader)
    trader.wait_for_names("tp", "leg_1", "leg_2")
    quiet(stage)
    return trader


def until_told(trader: Trader) -> None:
    until(lambda: trader.status().get("stream") == {"live": True, "why": None}, "the stream to be up")


@pytest.fixture
def reads_without_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot does not look a second time behind what it was told."""
    monkeypatch.setattr(unshown, "LAG_SECONDS", 0.0)


@pytest.fixture
def told(stage: Stage, reads_without_lag: None) -> Trader:
    return trader_who_is_told(stage)


def requests_seen(stage: Stage) -> int:
    """How many requests the exchange has answered, by its own count; each house counts its own."""
    counted: dict[str, Any] = requests.get(f"{stage.url}/__paper/limits", timeout=10).json()
    return int((counted["bingx"] if stage.exchange == "bingx" else counted)["requests"])


def quiet(stage: Stage) -> int:
    """Wait until the bot asks nothing any more; answers how many requests there were."""
    before, since = requests_seen(stage), time.monotonic()
    while time.monotonic() - since < 0.5:
        time.sleep(0.05)
        now = requests_seen(stage)
        if now != before:
            before, since = now, time.monotonic()
    return before


def assert_looked_once(stage: Stage, before: int, within: float = 3.0) -> None:
    """Since there were `before` requests, a take-profit was moved and the bot has looked, once."""
    until(lambda: requests_seen(stage) - before > 1, "the look", within)
    assert quiet(stage) - before - 1 in LOOK[stage.exchange]


@BOTH
def test_the_take_profit_follows_a_fill_without_anybody_polling(stage, told):
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=1.0)
    stage.price("60100")
    until(lambda: (told.status()["cycle"] or {}).get("number") == 2, "the next cycle")
    told.wait_for_names("tp", "leg_1", "leg_2")
    told.assert_books_agree()


def others_read(turnstile: Turnstile) -> None:
    """Use up what the window has for reads."""
    for number in range(600):
        with turnstile.turn(f"reader {number}", "GET v5/order/realtime", Priority.FOLLOW, 100):
            pass


def test_a_look_that_waits_in_line_does_not_hold_up_the_exits(stage):
    """Reads have used up their share of the window: the bot's own look waits for seconds, its exits do not."""
    clients = Clients(paper_counts=True)
    stage.stream(clients)
    trader = stage.trader(**LADDER)
    trader.start()
    trader.wait_for_names("tp", "leg_1", "leg_2", seconds=15.0)
    until_told(trader)
    quiet(stage)
    turnstile = clients.turnstile(Venue(exchange=ExchangeName.BYBIT, mode=Mode.PAPER, base_url=stage.url))
    with pytest.raises(NoTurn):
        others_read(turnstile)
    stage.manager.wake(trader.id)
    until(lambda: turnstile.standing().waiting[Priority.FOLLOW], "the look to wait in line", 2.0)
    stage.price("59400")
    until(lambda: trader.ladder() == AFTER_LEG_1, "the take-profit to follow", 1.0)


@BOTH
def test_a_short_position_is_followed_too(stage):
    stage.stream()
    trader = stage.trader(**LADDER, side="short")
    trader.start()
    until_told(trader)
    trader.wait_for_names("tp", "leg_1", "leg_2")
    before = quiet(stage)
    stage.price("60600")
    until(lambda: trader.ladder() == SHORT_AFTER_LEG_1, "the take-profit to follow", 1.0)
    assert_looked_once(stage, before)
    trader.assert_books_agree()


@BOTH
def test_a_bot_that_is_told_asks_nothing_while_nothing_happens(stage, told):
    before = requests_seen(stage)
    time.sleep(PUSH_SECONDS + 0.5 if stage.exchange == "bingx" else 2.0)
    assert requests_seen(stage) == before


@BOTH
def test_what_the_bot_did_itself_wakes_it_no_further(stage, told):
    """One fill: one amend and one look; the echoes of both cost nothing."""
    before = quiet(stage)
    stage.price("59400")
    until(lambda: told.ladder() == AFTER_LEG_1, "the take-profit to follow", 1.0)
    assert_looked_once(stage, before)


@BOTH
def test_nobody_looks_while_others_may_still_wait_for_their_exits(stage, told):
    """When everybody is filled at once: neither what goes with the fill nor the price that made it is a reason."""
    before, filled = quiet(stage), time.monotonic()
    stage.price("59400")
    until(lambda: requests_seen(stage) - before > 1, "the look", 3.0)
    assert time.monotonic() - filled >= listening.FOLLOWED_SECONDS


@pytest.fixture
def one_is_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_over, "CROWD", 1)


@BOTH
def test_a_look_that_is_due_gives_way_to_a_crowd(stage, one_is_a_crowd, told, monkeypatch):
    monkeypatch.setattr(hand_over, "CROWD_SECONDS", 3.0)
    before, filled = quiet(stage), time.monotonic()
    stage.price("59400")
    until(lambda: requests_seen(stage) - before > 1, "the look", 7.0)
    assert time.monotonic() - filled >= 3.0


def test_a_crowd_that_never_ends_does_not_put_the_look_off_for_ever(stage, one_is_a_crowd, told, monkeypatch):
    monkeypatch.setattr(hand_over, "CROWD_SECONDS", 600.0)
    monkeypatch.setattr(listening, "GIVES_WAY_SECONDS", 1.0)
    before = quiet(stage)
    stage.price("59400")
    assert_looked_once(stage, before, within=7.0)


@pytest.mark.parametrize("exchange", ["bingx"], indirect=True)
def test_a_listen_key_that_expires_is_replaced_and_what_happened_meanwhile_is_found(stage, told):
    assert stage.control("faults", fault="expire_listen_key", account=told.key)["expired"] == 1
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=3.0)
    until(lambda: told.status()["stream"]["live"], "the stream to be up again")
    before = quiet(stage)
    stage.price("58806")
    until(lambda: told.ladder()["tp"][0] == "0.066", "the take-profit for all of it", 1.0)
    assert_looked_once(stage, before)


@pytest.mark.parametrize("exchange", ["bingx"], indirect=True)
def test_a_fill_in_an_event_with_an_unknown_status_and_no_time_is_followed(stage, told):
    stage.fault("odd_event")
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=1.0)
    stage.lift_faults()
    told.assert_books_agree()


@BOTH
def test_an_order_cancelled_by_hand_comes_back_without_polling(stage, told):
    told.cancel(next(tag for tag in told.truth() if tag.startswith("sm_tp")))
    told.wait_for_names("tp", "leg_1", "leg_2", seconds=5.0)


def test_a_leg_that_fills_in_drips_does_not_put_the_look_off(stage, told):
    """Each drip is followed by one request; the look that the first made due comes when it would have come."""
    stage.fault("partial_fill", quantity="0.001", account=told.key)
    before, drips, began = quiet(stage), 0, time.monotonic()
    while time.monotonic() - began < 2 * listening.FOLLOWED_SECONDS + 0.5:
        drips += 1
        stage.price("59400" if drips % 2 else "59399")
        time.sleep(0.4)
    assert requests_seen(stage) - before >= drips + min(LOOK[stage.exchange])


@BOTH
def test_an_exit_that_is_cancelled_right_behind_a_fill_does_not_wait_for_the_look_that_is_due(stage, told):
    stage.price("59400")
    until(lambda: told.ladder() == AFTER_LEG_1, "the take-profit to follow", 1.0)
    told.cancel(next(tag for tag in told.truth() if tag.startswith("sm_tp")))
    before = requests_seen(stage)
    until(lambda: requests_seen(stage) > before, "the look", listening.FOLLOWED_SECONDS * 0.8)
    told.wait_for_ladder(AFTER_LEG_1, seconds=5.0)


@BOTH
def test_what_was_told_is_looked_for_until_reads_show_it(stage, told):
    """Reads trail events: the look after one may show what was before it, and nobody tells a second time."""
    stage.fault("lag", delay_ms="1500")
    told.cancel(next(tag for tag in told.truth() if tag.startswith("sm_tp")))
    told.wait_for_names("tp", "leg_1", "leg_2", seconds=6.0)


@BOTH
def test_what_happened_while_the_link_was_down_is_found_behind_the_lag_of_reads(stage, told, monkeypatch):
    monkeypatch.setattr(unshown, "LAG_SECONDS", 3.0)
    stage.fault("lag", delay_ms="1500")
    stage.fault("drop_socket", count="1")
    told.cancel(next(tag for tag in told.truth() if tag.startswith("sm_tp")))
    told.wait_for_names("tp", "leg_1", "leg_2", seconds=8.0)


@BOTH
def test_a_take_profit_that_a_stale_look_shrank_again_is_mended(stage, told):
    stage.fault("lag", delay_ms="1500")
    stage.price("59400")
    until(lambda: "leg_1" not in told.ladder(), "the fill")
    time.sleep(4.0)
    told.wait_for_ladder(AFTER_LEG_1, seconds=2.0)
    told.assert_books_agree()


@BOTH
@pytest.mark.parametrize("fault", ["duplicate_event", "garbage_frame"])
def test_events_sent_twice_or_garbled_change_nothing(stage, told, fault):
    stage.fault(fault)
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=2.0)
    stage.lift_faults()
    told.assert_books_agree()


@BOTH
def test_events_that_come_late_and_behind_younger_ones_change_only_the_delay(stage, told):
    stage.fault("delay_event", delay_ms="700", probability="0.5", seed="3")
    for price, names in (("59400", {"tp", "leg_2"}), ("58806", {"tp"})):
        stage.price(price)
        told.wait_for_names(*names, seconds=5.0)
    until(lambda: told.ladder()["tp"][0] == "0.066", "the take-profit for all of it", 5.0)
    stage.lift_faults()
    told.assert_books_agree()


@BOTH
def test_a_fill_nobody_tells_of_is_found_by_the_price(stage, told):
    """The event is lost, the link stands: the price stream knows that something must have happened."""
    stage.fault("drop_event")
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=3.0)


def test_a_machine_that_is_always_late_finds_it_all_the_same(stage, told, monkeypatch):
    """What is late may be behind its frames, but not for ever."""
    monkeypatch.setattr(listening, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(listening, "REACHED_SECONDS", 0.2)
    stage.fault("drop_event")
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=5.0)


@BOTH
def test_a_fill_that_neither_event_nor_the_first_look_shows_is_found_by_the_price(stage, told, monkeypatch):
    monkeypatch.setattr(listening, "FRUITLESS_SECONDS", 1.0)
    stage.fault("drop_event")
    stage.fault("lag", delay_ms="1500")
    stage.price("59400")
    time.sleep(1.2)
    stage.price("59399")  # it lingers below the level
    told.wait_for_ladder(AFTER_LEG_1, seconds=6.0)


@BOTH
def test_a_link_that_is_dead_without_knowing_is_made_up_for_by_the_price(stage, told):
    stage.fault("freeze_socket", count="1")
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=3.0)


@BOTH
def test_a_broken_link_is_bridged_by_polling_and_says_so(stage, told, monkeypatch):
    stage.fault("drop_socket")
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=3.0)
    stage.price("58806")
    until(lambda: told.ladder()["tp"][0] == "0.066", "the take-profit for all of it", 5.0)
    stage.lift_faults()
    until(lambda: told.status()["stream"]["live"], "the stream to be up again")


@BOTH
def test_an_exchange_that_restarts_is_looked_at_whole(stage, told):
    stage.exchange_down()
    until(lambda: not told.status()["stream"]["live"], "the status to say so")
    assert told.status()["stream"]["why"]
    stage.exchange_up()
    stage.price("59400")
    told.wait_for_ladder(AFTER_LEG_1, seconds=8.0)
    until(lambda: told.status()["stream"]["live"], "the stream to be up again")


@BOTH
def test_a_price_that_lingers_at_a_level_is_no_busy_loop(stage, told, monkeypatch):
    """Somebody else's order rests at the level of ours: the price stays there and nothing of ours happens."""
    monkeypatch.setattr(listening, "FRUITLESS_SECONDS", 5.0)
    stage.fault("partial_fill", quantity="0.001", account=told.key)
    before = quiet(stage)
    stage.price("59400")
    until(lambda: told.ladder()["tp"][0] == "0.017", "the part that filled")
    assert quiet(stage) - before <= 12


@BOTH
def test_funding_is_booked_without_polling(hurried, reads_without_lag):
    trader = trader_who_is_told(hurried)
    left_ms = EIGHT_HOURS_MS - hurried.venue_ms() % EIGHT_HOURS_MS
    hurried.move_time(left_ms - A_WHILE_MS + (EIGHT_HOURS_MS if left_ms < 2 * A_WHILE_MS else 0))
    time.sleep(1.0)  # a listen key that is as old as that ends its link, and behind a new one the bot looks
    until_told(trader)
    quiet(hurried)
    hurried.control("funding", symbol="BTCUSDT", rate="0.000123")
    hurried.move_time(A_WHILE_MS + 100)
    charged = Decimal(trader.account()["funding"])
    assert charged > 0
    until(lambda: hurried.history.totals(trader.id).funding == charged, "the funding to be booked", 5.0)


@BOTH
def test_the_page_shows_the_present_price_while_the_bot_looks_at_nothing(stage, told):
    before = quiet(stage)
    stage.price("59900")
    until(lambda: told.status()["position"]["last_price"] == "59900", "the price as it was pushed", 3.0)
    position = told.status()["position"]
    gained = (Decimal(59900) - Decimal(position["average"])) * Decimal(position["quantity"])
    assert Decimal(position["unrealised"]) == gained
    assert requests_seen(stage) == before


@BOTH
def test_what_the_trader_sets_right_is_found_though_nobody_tells_of_it(stage, told, monkeypatch):
    monkeypatch.setattr(listening, "TROUBLED_LOOK_SECONDS", 0.5)
    monkeypatch.setattr(unshown, "GIVEN_UP_SECONDS", 2.0)
    leverage = int(Decimal(told.status()["position"]["leverage"]))
    told.set_leverage(leverage + 1)
    told.place("buy", "0.01", "50000")  # whatever the exchange tells of the leverage, of this it tells
    told.wait_for_status("needs_attention")
    quiet_since = time.monotonic()
    until(lambda: time.monotonic() - quiet_since > unshown.GIVEN_UP_SECONDS, "what was told to be shown or given up")
    stage.fault("drop_event")
    told.set_leverage(leverage)
    told.wait_for_status("running", seconds=4.0)


@BOTH
def test_the_stream_is_given_up_when_the_bot_stops(stage, told):
    told.stop()
    until(lambda: stage.stream_count() == 0, "the stream to be closed")
    assert "stream" not in told.status()


@BOTH
def test_another_symbols_events_are_none_of_the_bots_business(stage, told):
    client = told.client
    stage.control("price", symbol="ETHUSDT", price="3000")
    where = place_of(client, "buy")
    before = quiet(stage)
    client.create_order("ETH/USDT:USDT", "limit", "buy", "0.1", "2500", where)
    assert quiet(stage) - before == 1


@BOTH
def test_a_foreign_order_on_the_market_is_shown_at_once(stage, told):
    placed = told.place("buy", "0.01", "50000")
    until(lambda: [o for o in told.status()["foreign_orders"] if o["order_id"] == placed], "it to be shown", 2.0)


def figures(status: dict[str, Any]) -> tuple[Any, ...]:
    """What a page shows of a position and its ladder."""
    position, rows = status["position"], status["orders"]
    levels = [(row["resting"] or {}).get("price") for row in rows]
    sizes = [(row["resting"] or {}).get("quantity") for row in rows]
    planned = [(row["planned"]["price"], row["planned"]["quantity"]) for row in rows]
    held = (position["quantity"], position["average"], position["margin"])
    return held, [row["state"] for row in rows], [row["filled"] for row in rows], levels, sizes, planned


@BOTH
def test_a_fill_is_seen_before_the_look_that_books_it_and_that_look_changes_nothing(stage, told, monkeypatch):
    monkeypatch.setattr("blitz.bots.user_bot.looks_after", lambda _user_id: 4.0)
    told.wait_for_names("tp", "leg_1", "leg_2")
    quiet(stage)

    stage.price("59400")
    until(lambda: told.status()["cycle"]["legs_filled"] == 2, "the fill in the status", 2.0)
    before, booked = told.status(), stage.history.fills(told.id)

    assert len(booked) == 1
    assert Decimal(before["position"]["quantity"]) > Decimal(booked[0].booked.fill.quantity)
    until(lambda: len(stage.history.fills(told.id)) == 2, "the look", 10.0)
    until(lambda: stage.manager.managed_bots[told.id]["bot"].snapshot.cycle["legs_filled"] == 2, "its picture", 5.0)
    assert figures(told.status()) == figures(before)
