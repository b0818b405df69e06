"""Every request of every client waits for its turn: limits hold at the exchange, and bans are kept by everybody."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from blitz.clock import SystemClock
from blitz.core.calls import (
    Accepted,
    CancelOrder,
    NotSent,
    OpenOrdersRead,
    PositionRead,
    ReadOpenOrders,
    ReadPosition,
    Rejected,
    Unknown,
)
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.errors import GatewayProblem
from blitz.exchange.budget import NoTurn, Priority
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from tests.exchange.world import SYMBOL, World, limit, send, target


def counted(world: World) -> dict[str, Any]:
    return dict(requests.get(f"{world.url}/__paper/limits", timeout=10).json())


def exchanges_that_count(world: World) -> Exchanges:
    """What this server would be towards an exchange with limits."""
    world.post("rules", enforce_limits="true")
    return Exchanges(SystemClock(), clients=Clients(paper_counts=True))


def gateway_of(world: World, exchanges: Exchanges, user: str) -> Any:
    world.post("accounts", key=user, secret=f"{user}-secret")
    credentials = Credentials(api_key=user, api_secret=f"{user}-secret")
    return exchanges.gateway(world.venue, credentials, DEFAULT_SETTINGS)


def test_many_bots_stay_within_the_limits_of_an_address(world):
    exchanges = exchanges_that_count(world)
    gateways = [gateway_of(world, exchanges, f"user{number}") for number in range(20)]

    def read(gateway: Any) -> list[object]:
        return [gateway.execute(ReadPosition()) for _ in range(30)]

    with ThreadPoolExecutor(20) as pool:
        replies = [reply for answered in pool.map(read, gateways) for reply in answered]
    assert all(isinstance(reply, PositionRead) for reply in replies)
    seen = counted(world)
    assert (seen["breaches"], seen["bans"]) == (0, [])
    assert 400 <= seen["addresses"][0]["peak"] <= 480, "reads leave a fifth of the window to what protects"


def test_one_user_stays_within_the_limit_of_an_endpoint(world):
    gateway = gateway_of(world, exchanges_that_count(world), "ann")
    gateway.execute(ReadPosition())
    for number in range(12):
        assert isinstance(gateway.execute(send(limit(price=f"{50_000 + number}"), f"leg{number}")), Accepted)
    seen = counted(world)
    assert seen["breaches"] == 0
    assert seen["users"]["/v5/order/create"]["peak"] == 8


def test_a_shut_out_address_asks_nothing_more_and_says_until_when(world):
    gateway, other = world.gateway(), gateway_of(world, world.exchanges, "other")
    other.execute(ReadPosition())
    world.fault("http_status", status="403", endpoint="order/realtime")
    assert isinstance(gateway.execute(ReadOpenOrders()), Unknown)
    before = counted(world)["addresses"][0]["peak"]
    paused = other.execute(ReadPosition())
    assert isinstance(paused, Unknown)
    assert 590_000 < paused.wait_ms < 603_000
    assert "shut out this server's address until" in paused.reason
    unsent = other.execute(send(target(), "tp"))
    assert isinstance(unsent, NotSent)
    assert not unsent.in_line
    assert isinstance(other.execute(CancelOrder(order_id="x")), Unknown)
    with pytest.raises(GatewayProblem):
        world.exchanges.last_price(world.venue, SYMBOL)
    assert counted(world)["addresses"][0]["peak"] == before
    assert world.exchanges.standings()[0].banned_until_ms is not None


def test_10006_keeps_a_user_from_that_endpoint_and_nobody_else(world):
    gateway, other = world.gateway(), gateway_of(world, world.exchanges, "other")
    world.fault("ret_code", code="10006", account="adapter-key", endpoint="order/realtime", count="1")
    assert isinstance(gateway.execute(ReadOpenOrders()), Rejected)
    began = time.monotonic()
    assert isinstance(other.execute(ReadOpenOrders()), OpenOrdersRead)
    assert isinstance(gateway.execute(ReadPosition()), PositionRead)
    assert time.monotonic() - began < 0.8
    assert isinstance(gateway.execute(ReadOpenOrders()), OpenOrdersRead)
    assert time.monotonic() - began >= 0.8, "the window of that endpoint had to pass"


def test_a_request_is_signed_when_its_turn_has_come(world):
    gateway = world.gateway()
    turnstile = world.exchanges._clients.turnstile(world.venue)
    signed_ms: list[int] = []
    nonce = gateway._client.nonce

    def noted_nonce() -> int:
        signed_ms.append(SystemClock().now_ms())
        return int(nonce())

    gateway._client.nonce = noted_nonce
    gate = range(turnstile.limits.in_flight_max)
    turns = [turnstile.turn(f"user{number}", "GET x", Priority.PROTECT, 5_000) for number in gate]
    for turn in turns:
        turn.__enter__()
    asking = threading.Thread(target=gateway.execute, args=[ReadPosition()])
    asking.start()
    while not any(turnstile.standing().waiting.values()):
        time.sleep(0.001)
    free_ms = SystemClock().now_ms()
    for turn in turns:
        turn.__exit__(None, None, None)
    asking.join(5)
    assert signed_ms
    assert signed_ms[0] >= free_ms


def test_what_a_clients_answer_says_is_left_reaches_the_budget(world):
    gateway = gateway_of(world, exchanges_that_count(world), "ann")
    gateway.execute(ReadPosition())
    other_program = world.other_client("ann")
    for number in range(9):
        other_program.create_order(SYMBOL, "limit", "buy", "0.001", f"{40_000 + number}", {"positionIdx": 0})
    for number in range(3):
        assert isinstance(gateway.execute(send(limit(price=f"{50_000 + number}"), f"leg{number}")), Accepted)
    assert counted(world)["breaches"] == 0


def test_a_turn_that_does_not_come_is_no_market_table(world):
    exchanges = Exchanges(SystemClock())
    turnstile = exchanges._clients.turnstile(world.venue)
    with turnstile.turn("ann", "GET x", Priority.PROTECT, 1_000) as turn:
        turnstile._line.shut_address(turn, 600_000, SystemClock().monotonic_ms())
    with pytest.raises(GatewayProblem, match="nothing is sent before"):
        exchanges.instrument(world.venue, SYMBOL)
    assert issubclass(NoTurn, GatewayProblem)
