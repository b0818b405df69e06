"""The exchange shuts out the server's address: every bot says until when, asks nothing, and goes on by itself."""

import itertools
import threading
import time
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests

from blitz.bots.driver import Driver
from blitz.core.bot import REQUESTS_PAUSED
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange.budget import Priority, RateBudget
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from tests.bots.stage import Stage, Trader, until
from tests.exchange.budget.course import limits

LADDER = {
    "tp": ("0.016", "60300"),
    "leg_1": ("0.016", "59400"),
    "leg_2": ("0.034", "58806"),
    "leg_3": ("0.069", "57629.9"),
}


def requests_seen(stage: Stage) -> int:
    seen = requests.get(f"{stage.url}/__paper/limits", timeout=10).json()
    return int(seen["requests"] if "requests" in seen else seen["addresses"][0]["requests"])


def attention_of(trader: Trader) -> Any:
    return trader.status().get("attention")


def is_calm(trader: Trader) -> bool:
    return bool(trader.status()["message"] == "Bot is running")


def test_a_pause_of_the_address_stops_every_bot_and_ends_by_itself(stage):
    alice, bob = stage.trader(), stage.trader("bob")
    for trader in (alice, bob):
        trader.start()
        trader.wait_for_ladder(LADDER)
    stage.fault("http_status", status="429", endpoint="order/realtime", count="1")
    for trader in (alice, bob):
        attention = until(partial(attention_of, trader), "both to be told")
        assert attention["code"] == REQUESTS_PAUSED
        assert "has shut out this server's address until" in attention["message"]
        assert trader.status()["status"] == "needs_attention"
    before = requests_seen(stage)
    stage.price("59400")  # a leg of each fills meanwhile
    time.sleep(2)
    assert requests_seen(stage) == before, "nobody asks while it holds"
    for trader in (alice, bob):
        trader.wait_for_names("tp", "leg_2", "leg_3")
        until(partial(is_calm, trader), "calm again")
        assert Decimal(trader.named()["tp"].quantity) == trader.size()
        trader.assert_books_agree()


def test_a_bot_that_is_shut_out_can_be_stopped(stage):
    alice = stage.trader()
    alice.start()
    alice.wait_for_ladder(LADDER)
    stage.fault("http_status", status="429", endpoint="order/realtime", count="1")
    until(partial(attention_of, alice), "to be told")
    began = time.monotonic()
    answer = alice.stop()
    assert time.monotonic() - began < 2.5
    assert answer["status"] in {"stopping", "stopped"}
    until(lambda: alice.status()["status"] in {"stopped", "not_running"}, "the end, once the exchange answers", 20)
    assert set(alice.named()) == {"tp"}


@pytest.mark.parametrize("exchange", ["bingx"], indirect=True)
def test_a_key_that_is_kept_out_of_an_endpoint_waits_until_the_moment_named_and_nobody_else_does(hurried):
    """Where the exchange shuts out a key instead of the address, and says until when."""
    alice, bob = hurried.trader(), hurried.trader("bob")
    for trader in (alice, bob):
        trader.start()
        trader.wait_for_ladder(LADDER)
    words = f"over 1 error code occur in 1s, please unblock after {hurried.venue_ms() + 6_500}"
    hurried.fault("ret_code", code="100410", message=words, account=alice.key, endpoint="order/realtime", count="1")
    attention = until(partial(attention_of, alice), "her to be told")
    assert attention["code"] == REQUESTS_PAUSED
    assert "takes no more requests of this kind under this key until" in attention["message"]
    hurried.price("59400")
    bob.wait_for_names("tp", "leg_2", "leg_3")
    until(lambda: Decimal(bob.named()["tp"].quantity) == bob.size(), "his take-profit to follow", 1.0)
    assert attention_of(alice), "she still waits"
    until(partial(is_calm, alice), "calm again")
    until(lambda: Decimal(alice.named()["tp"].quantity) == alice.size(), "her take-profit to follow", 1.0)
    for trader in (alice, bob):
        trader.assert_books_agree()


def test_a_bot_that_waits_for_its_turn_is_said_to_wait_and_not_to_hang(stage):
    venue = Venue(exchange=ExchangeName.BYBIT, mode=Mode.PAPER, base_url=stage.url)
    budget = RateBudget()
    budget.turnstile(venue, "Bybit", limits(address=40, window_ms=9_000))  # routine reads may use 24 of them
    stage.manager = stage.new_manager(exchanges=Exchanges(stage.clock, clients=Clients(budget, paper_counts=True)))
    alice = stage.trader()
    alice.start()
    alice.wait_for_ladder(LADDER, 25)
    until(lambda: alice.status()["protected"]["cause"] == "in_line", "the wait to be told", 15)


def test_what_a_bare_position_waits_for_goes_before_what_everybody_else_reads(stage):
    venue = Venue(exchange=ExchangeName.BYBIT, mode=Mode.PAPER, base_url=stage.url)
    budget = RateBudget()
    turnstile = budget.turnstile(venue, "Bybit", limits(address=20, window_ms=1_000))
    stage.manager = stage.new_manager(exchanges=Exchanges(stage.clock, clients=Clients(budget, paper_counts=True)))
    over, others = threading.Event(), itertools.count()

    def read_on(number: int) -> None:
        while not over.is_set():
            with turnstile.turn(f"reader {number}", "GET v5/order/realtime", Priority.FOLLOW, 20_000):
                next(others)

    readers = [threading.Thread(target=read_on, args=(number,)) for number in range(20)]
    alice = stage.trader()
    # She is told late that her entry was taken: meanwhile the others fill the window and its line.
    stage.fault("delay_response", endpoint="order/create", delay_ms="1500", count="1")
    stage.store.set_desired(alice.id, "running")
    stage.manager.resume_all()
    until(alice.size, "the entry", 20)
    try:
        for reader in readers:
            reader.start()
        until(lambda: turnstile.standing().waiting[Priority.FOLLOW] > 10, "the line to be long")
        assert "tp" not in alice.named()
        before = next(others)
        until(lambda: "tp" in alice.named(), "the take-profit", 60)
        # In rotation with twenty others three reads lie so far apart that they never tell one story.
        assert next(others) - before < 300
    finally:
        over.set()
        for reader in readers:
            reader.join()


def test_a_told_fill_hurries_a_look_only_where_an_exit_rests_that_could_move(stage, monkeypatch):
    hurried: list[Driver] = []
    monkeypatch.setattr(Driver, "hurry", lambda driver: hurried.append(driver))
    alice = stage.trader()
    stage.fault("delay_response", endpoint="order/create", delay_ms="1500", count="1")
    stage.store.set_desired(alice.id, "running")
    stage.manager.resume_all()
    until(alice.size, "the entry", 20)
    bot = stage.manager.managed_bots[alice.id]["bot"]
    bot._hurry()
    assert hurried == []
    alice.wait_for_ladder(LADDER)
    until(lambda: alice.status()["protected"]["yes"], "the bot to know it")
    bot._hurry()
    assert len(hurried) == 1
