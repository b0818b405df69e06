"""The venue's clock over real HTTP: the fastest answer counts, nobody asks in a storm, and doubt is told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from blitz.bots.driver import Driver
from blitz.clock import SystemClock
from blitz.core.calls import ClockRead, PositionRead, ReadClock, ReadPosition, Rejected
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName
from blitz.exchange import venue_clock
from blitz.exchange.budget import Priority
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.profiles import PROFILES
from blitz.exchange.venue_clock import EVERY_MS, VenueClock
from tests.exchange.world import CREDENTIALS, Liar, World, venue_at

TIME = "/v5/market/time"
AN_HOUR_MS = 3_600_000


class Machine(SystemClock):
    """This machine, whose monotonic clock a test may move ahead."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms

    def monotonic_ms(self) -> int:
        return super().monotonic_ms() + self.ahead_ms


def clock_of(machine: SystemClock) -> VenueClock:
    return VenueClock(machine, PROFILES[ExchangeName.BYBIT].server_time_ms)


def listening(world: World, liar: Liar, machine: SystemClock) -> tuple[Exchanges, Any]:
    """A server that talks to the paper exchange through one that writes down what is asked."""
    liar.behind, liar.edit = world.url, lambda path, body: body
    exchanges = Exchanges(machine)
    return exchanges, exchanges.gateway(venue_at(liar.url), CREDENTIALS, DEFAULT_SETTINGS)


def test_of_slow_and_fast_answers_the_fastest_counts(world):
    world.post("clock", advance_ms="5000")
    world.fault("delay_response", endpoint="market/time", delay_ms="400", count="2")
    clock = clock_of(SystemClock())
    clock.measure(Clients().client(world.venue, SystemClock()))
    assert abs(clock.offset_ms - 5_000) < 50
    assert clock.unsure_ms is not None
    assert clock.unsure_ms < 50


def test_an_exchange_that_is_always_slow_is_asked_three_times_and_is_off_by_half_of_that_at_most(world, liar):
    liar.behind, liar.edit = world.url, lambda path, body: body
    world.fault("delay_response", endpoint="market/time", delay_ms="300")
    clock = clock_of(SystemClock())
    clock.measure(Clients().client(venue_at(liar.url), SystemClock()))
    assert len(liar.asked) == 3
    assert clock.unsure_ms is not None
    assert abs(clock.offset_ms) <= clock.unsure_ms <= 250


def test_what_the_question_waits_in_line_says_nothing_about_the_clock(world):
    clients = Clients()
    turnstile = clients.turnstile(world.venue)
    gate = [turnstile.turn(f"u{n}", "GET x", Priority.PROTECT, 5_000) for n in range(turnstile.limits.in_flight_max)]
    for turn in gate:
        turn.__enter__()
    clock = clock_of(SystemClock())
    asking = threading.Thread(target=clock.measure, args=[clients.client(world.venue, SystemClock())])
    asking.start()
    time.sleep(0.15)
    for turn in gate:
        turn.__exit__(None, None, None)
    asking.join(5)
    assert clock.unsure_ms is not None
    assert clock.unsure_ms < 50
    assert abs(clock.offset_ms) < 50


def test_whoever_looks_next_asks_anew_when_it_is_time_and_only_one_does(world, liar):
    machine = Machine()
    exchanges, first = listening(world, liar, machine)
    others = [exchanges.gateway(venue_at(liar.url), CREDENTIALS, DEFAULT_SETTINGS) for _ in range(9)]
    assert liar.asked.count(TIME) == 1
    first.execute(ReadPosition())
    assert liar.asked.count(TIME) == 1
    machine.ahead_ms += EVERY_MS
    world.post("clock", advance_ms=str(EVERY_MS))
    with ThreadPoolExecutor(10) as pool:
        assert all(isinstance(reply, PositionRead) for reply in pool.map(look, [first, *others]))
    assert liar.asked.count(TIME) == 2


def look(gateway: Any) -> object:
    return gateway.execute(ReadPosition())


def test_when_a_clock_jumps_everybody_is_refused_and_one_of_them_measures(world, liar):
    exchanges, first = listening(world, liar, SystemClock())
    gateways = [first, *(exchanges.gateway(venue_at(liar.url), CREDENTIALS, DEFAULT_SETTINGS) for _ in range(9))]
    world.post("clock", advance_ms="60000")
    with ThreadPoolExecutor(10) as pool:
        refused = list(pool.map(look, gateways))
    assert any(isinstance(reply, Rejected) for reply in refused)
    # Once for the jump, once more to believe it; whoever was refused before that asks no more.
    assert liar.asked.count(TIME) <= 1 + 2
    assert all(isinstance(look(gateway), PositionRead) for gateway in gateways)
    assert exchanges.clock(venue_at(liar.url)).doubt() == ""


def test_a_try_that_failed_is_not_repeated_with_every_look(world, liar):
    machine = Machine()
    _, gateway = listening(world, liar, machine)
    liar.edit = lambda path, body: b"" if path == TIME else body
    machine.ahead_ms += EVERY_MS
    world.post("clock", advance_ms=str(EVERY_MS))
    for _ in range(5):
        assert isinstance(look(gateway), PositionRead)
    assert liar.asked.count(TIME) == 2


def test_a_pass_after_a_long_silence_asks_for_the_time_before_it_doubts_it(world, liar):
    machine = Machine()
    exchanges, gateway = listening(world, liar, machine)
    clock = exchanges.clock(venue_at(liar.url))
    driver = Driver(gateway, None, clock)  # type: ignore[arg-type]  # no pass of this test saves anything
    machine.ahead_ms += AN_HOUR_MS
    world.post("clock", advance_ms=str(AN_HOUR_MS))
    assert "has not told it for 60 minutes" in driver.run(time_and_doubt())[1]
    liar.edit = lambda path, body: b"" if path == TIME else body
    for _ in range(3):
        assert driver.run(time_and_doubt(ask_in_doubt=True))[1]
    assert liar.asked.count(TIME) == 2, "once when it was opened, and once in vain"
    machine.ahead_ms += venue_clock.AGAIN_MS
    world.post("clock", advance_ms=str(venue_clock.AGAIN_MS))
    liar.edit = lambda path, body: body
    assert driver.run(time_and_doubt(ask_in_doubt=True))[1] == ""


def test_a_server_that_cannot_compare_clocks_says_so_with_every_answer_about_time(world, liar, monkeypatch):
    machine = Machine()
    exchanges, gateway = listening(world, liar, machine)
    clock = exchanges.clock(venue_at(liar.url))
    driver = Driver(gateway, None, clock)  # type: ignore[arg-type]  # no pass of this test saves anything
    assert driver.run(time_and_doubt())[1] == ""
    liar.edit = lambda path, body: b"" if path == TIME else body
    machine.ahead_ms += AN_HOUR_MS
    world.post("clock", advance_ms=str(AN_HOUR_MS))
    look(gateway)
    assert "known only to 1.8 s" in driver.run(time_and_doubt())[1]
    liar.edit = lambda path, body: body
    monkeypatch.setattr(venue_clock, "AGAIN_MS", 0)
    look(gateway)
    assert driver.run(time_and_doubt())[1] == ""


def time_and_doubt(*, ask_in_doubt: bool = False) -> Any:
    reply = yield ReadClock(ask_in_doubt=ask_in_doubt)
    assert isinstance(reply, ClockRead)
    return reply.now_ms, reply.doubt


@pytest.mark.parametrize("error_ms", [-3_600_000, 3_600_000])
def test_a_wrong_wall_clock_of_ours_holds_nothing_back(world, error_ms):
    class Wrong(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() + error_ms

    exchanges = Exchanges(Wrong())
    gateway = exchanges.gateway(world.venue, CREDENTIALS, DEFAULT_SETTINGS)
    assert isinstance(look(gateway), PositionRead)
    assert exchanges.clock(world.venue).doubt() == ""
