"""Whatever is sent, the venue answers in its own envelope, and its books stay as they are."""

import json
import logging
import random
import socket
import struct
import time
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from blitz.paper.wire.bybit.routes import ROUTES
from blitz.paper.wire.bybit.signing import hex_signature

NAMES = [
    "category",
    "symbol",
    "side",
    "orderType",
    "qty",
    "price",
    "triggerPrice",
    "triggerDirection",
    "positionIdx",
    "orderLinkId",
    "orderId",
    "limit",
    "cursor",
    "startTime",
    "endTime",
    "settleCoin",
    "baseCoin",
    "interval",
    "start",
    "end",
    "mode",
    "buyLeverage",
    "sellLeverage",
    "stopLoss",
    "takeProfit",
    "tpslMode",
    "tpSize",
    "reduceOnly",
    "closeOnTrigger",
    "timeInForce",
    "orderFilter",
    "orderStatus",
    "execType",
    "openOnly",
    "setMarginMode",
    "accountType",
    "coin",
]
NASTY = [
    "", "0", "-0", "-1", "1", "0.01", "1e308", "1E-400", "NaN", "Infinity", "60000", "9" * 60, "\x00", "ü", "a" * 500,
    "true", "linear", "inverse", "BTCUSDT", "Buy", "Sell", "Limit", "Market", "D", "7", "USDT", "Full", "Partial",
    "99999999999999999999", "2", "3", "GTC", "StopOrder", "Filled", "Trade", "' OR 1=1", "{}", "[]",
]  # fmt: skip
USUAL = {"category": "linear", "symbol": "BTCUSDT"}


def ask(session, url, route, params):
    body = json.dumps(params)
    query = urlencode(params)
    payload = body if route.method == "POST" else query
    stamp = str(int(time.time() * 1000))
    headers = {
        "X-BAPI-API-KEY": "alice",
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": hex_signature("alice-secret", f"{stamp}alice5000{payload}".encode()),
    }
    if route.method == "POST":
        return session.post(f"{url}{route.path}", data=body, headers=headers, timeout=10)
    return session.get(f"{url}{route.path}?{query}", headers=headers, timeout=10)


def made_up(generator):
    names = generator.sample(NAMES, generator.randint(0, 9))
    values = {name: generator.choice(NASTY) for name in names}
    return {**USUAL, **values} if generator.random() < 0.8 else values


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.path)
def test_no_parameters_break_an_endpoint(paper, route):
    generator = random.Random(route.path)
    with requests.Session() as session:
        for _ in range(60):
            params = made_up(generator)
            answer = ask(session, paper.url, route, params)
            assert answer.status_code == 200, params
            assert isinstance(answer.json()["retCode"], int)


@pytest.mark.parametrize("value", [1, 1.5, None, True, [1], {"a": 1}, [[[]]], "x"])
@pytest.mark.parametrize("name", ["qty", "price", "symbol", "orderLinkId", "reduceOnly"])
def test_values_of_the_wrong_kind_are_answered(paper, name, value):
    order = {**USUAL, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "59000", name: value}
    with requests.Session() as session:
        answer = ask(session, paper.url, ROUTES["POST", "/v5/order/create"], order)
    assert isinstance(answer.json()["retCode"], int)


@pytest.mark.parametrize(
    "what", ["accounts", "deposit", "price", "mark", "funding", "book", "adl", "faults", "clock", "rules"]
)
def test_no_control_request_breaks_the_control(paper, what):
    generator = random.Random(what)
    names = [
        "key",
        "secret",
        "balance",
        "amount",
        "symbol",
        "price",
        "mark",
        "rate",
        "spread_ticks",
        "quantity",
        "position_idx",
        "fault",
        "count",
        "seed",
    ]
    names += [
        "probability",
        "delay_ms",
        "advance_ms",
        "first_level_notional",
        "id_regime",
        "enforce_limits",
        "sweep",
        "ban_ms",
    ]
    fixed = {"key": "alice", "symbol": "BTCUSDT", "fault": "http_status", "endpoint": "nothing"}
    with requests.Session() as session:
        for _ in range(80):
            body = {name: generator.choice(NASTY) for name in generator.sample(names, generator.randint(0, 6))}
            if what == "clock":
                body.pop("advance_ms", None)
            answer = session.post(f"{paper.url}/__paper/{what}", json={**fixed, **body}, timeout=10)
            assert answer.status_code in (200, 400, 404), (body, answer.text)
    assert paper.get("state", brief="1")["prices"]["ETHUSDT"] == "3000"


def test_a_client_that_is_killed_in_the_middle_of_its_request_is_no_error(paper, caplog):
    address = urlsplit(paper.url)
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(b"POST /v5/order/create HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{")
            time.sleep(0.05)
            # Closed with a reset, as a killed process leaves its connections.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert paper.get("state")["accounts"]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
