"""Turns for threads: windows hold under real concurrency, waiting costs nothing, and refusals are sentences."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from blitz.clock import SystemClock
from blitz.exchange.budget import NoTurn, Priority, RateBudget, Told, Turn, Turnstile
from blitz.exchange.budget.answers import Scope
from tests.exchange.budget.course import limits

ORDER = "POST /order"
CLOCK = SystemClock()


def turnstile(*, address: int = 10_000, window_ms: int = 5_000, in_flight: int = 10_000) -> Turnstile:
    return Turnstile("Bybit", limits(address=address, window_ms=window_ms, in_flight=in_flight), CLOCK)


def pass_through(stile: Turnstile, user: str, priority: Priority = Priority.PROTECT, within_ms: int = 20_000) -> int:
    """Send one request; answers the moment it was at the exchange."""
    with stile.turn(user, ORDER, priority, within_ms):
        return CLOCK.monotonic_ms()


def test_many_threads_never_exceed_a_window_and_all_get_through():
    stile = turnstile(address=60, window_ms=200, in_flight=8)
    with ThreadPoolExecutor(100) as pool:
        moments = sorted(pool.map(lambda number: pass_through(stile, f"user{number % 40}"), range(300)))
    for first, beyond in zip(moments, moments[60:], strict=False):
        assert beyond - first >= 200
    assert moments[-1] - moments[0] <= 4 * (200 + stile.limits.margin_ms) + 500
    assert stile.standing().in_flight == 0


def test_only_so_many_are_under_way_at_once():
    stile, under_way, most = turnstile(in_flight=4), 0, 0
    guard = threading.Lock()

    def send(number: int) -> None:
        nonlocal under_way, most
        with stile.turn(f"user{number}", ORDER, Priority.PROTECT, 20_000):
            with guard:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.002)
            with guard:
                under_way -= 1

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(send, range(200)))
    assert most == 4


def test_who_cannot_wait_is_told_so_in_a_sentence():
    stile = turnstile(in_flight=1)
    with stile.turn("ann", ORDER, Priority.PROTECT, 1_000), pytest.raises(NoTurn, match="limit of requests at Bybit"):
        pass_through(stile, "bob", within_ms=30)
    assert stile.standing().waiting[Priority.PROTECT] == 0


def test_a_shut_out_address_sends_nothing_and_everybody_is_told_until_when():
    stile = turnstile(in_flight=1)
    told: list[NoTurn] = []

    def wait() -> None:
        with pytest.raises(NoTurn) as refused:
            pass_through(stile, "bob", within_ms=30_000)
        told.append(refused.value)

    with stile.turn("ann", ORDER, Priority.PROTECT, 1_000) as turn:
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not stile.standing().waiting[Priority.PROTECT]:
            time.sleep(0.001)
        stile.heard(turn, Told(shut=Scope.ADDRESS, shut_ms=600_000))
        waiting.join(5)
    assert "shut out this server's address until 20" in str(told[0])
    assert 590_000 < told[0].wait_ms < 603_000
    banned_until_ms = stile.standing().banned_until_ms
    assert banned_until_ms is not None
    assert abs(banned_until_ms - CLOCK.now_ms() - 602_000) < 2_000
    with pytest.raises(NoTurn, match="nothing is sent before"):
        pass_through(stile, "ann")


def test_a_short_ban_ends_by_itself_and_lets_those_through_who_waited():
    stile = turnstile()
    with stile.turn("ann", ORDER, Priority.PROTECT, 1_000) as turn:
        stile.heard(turn, Told(shut=Scope.ADDRESS, shut_ms=-stile.limits.ban_margin_ms + 150))
    began_ms = CLOCK.monotonic_ms()
    assert pass_through(stile, "bob", within_ms=5_000) - began_ms >= 140


def test_the_extra_thread_is_gone_when_nobody_waits_for_a_moment(monkeypatch):
    monkeypatch.setattr("blitz.exchange.budget.rate.LINGER_SECONDS", 0.02)
    stile = Turnstile("Lonely", limits(address=1, window_ms=50), CLOCK)
    for _ in range(3):
        pass_through(stile, "ann")
    threads = [thread for thread in threading.enumerate() if thread.name == "budget_Lonely"]
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)
    pass_through(stile, "ann")


def test_each_venue_has_one_turnstile_for_the_whole_process():
    budget = RateBudget(CLOCK)
    first = budget.turnstile("bybit:live", "Bybit", limits())
    assert budget.turnstile("bybit:live", "Bybit", limits()) is first
    assert budget.turnstile("bybit:demo", "Bybit", limits()) is not first
    assert len(budget.standings()) == 2


def test_a_turn_that_is_given_up_ends_its_waiting_at_once():
    stile = turnstile(in_flight=1)
    asked: list[Turn] = []
    told = threading.Event()

    def wait() -> None:
        with pytest.raises(NoTurn, match="more urgent"):
            stile.take("bob", ORDER, Priority.FOLLOW, 20_000, asked.append)
        told.set()

    with stile.turn("ann", ORDER, Priority.PROTECT, 1_000):
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not asked:
            time.sleep(0.001)
        stile.give_up(asked[0])
        assert told.wait(1.0)
    waiting.join()
    assert stile.standing().waiting[Priority.FOLLOW] == 0


def test_giving_up_a_turn_that_has_come_changes_nothing():
    stile = turnstile()
    asked: list[Turn] = []
    turn = stile.take("ann", ORDER, Priority.FOLLOW, 1_000, asked.append)
    stile.give_up(asked[0])
    assert stile.standing().in_flight == 1
    with stile.held(turn):
        pass
    assert stile.standing().in_flight == 0
