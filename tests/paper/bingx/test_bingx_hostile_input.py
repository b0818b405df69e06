"""Whatever is sent to the BingX door, it answers; and nothing of it reaches somebody else."""

import random
import time

import aiohttp
import pytest
import requests

from blitz.paper.wire.bingx.routes import ROUTES
from blitz.paper.wire.bingx.signing import signature_of
from tests.paper.bingx.test_bingx_streams import talk

NASTY = [
    "", "0", "-1", "NaN", "Infinity", "1e999", "1e-999", "9" * 60, "9" * 500, "0.0000000000000001", "²", "null",
    "true", "[]", "{}", "{", "[" * 500, "BTC-USDT", "btc-usdt", "BTC-USDC", "-USDT", "../..", "%00", "\x00", "😀", "'",
    "a b+c&d=e", "LIMIT", "MARKET", "STOP_MARKET", "TRIGGER_LIMIT", "BUY", "SELL", "LONG", "SHORT", "BOTH",
    "STOP_ON_FAILURE", '{"stopPrice": "x"}', '{"type": "STOP", "stopPrice": 1}',
]  # fmt: skip
NAMES = [
    "symbol", "type", "side", "positionSide", "quantity", "quoteOrderQty", "price", "stopPrice", "timeInForce",
    "clientOrderID", "clientOrderId", "orderId", "cancelOrderId", "cancelClientOrderID", "cancelReplaceMode",
    "reduceOnly", "closePosition", "workingType", "stopLoss", "takeProfit", "leverage", "marginType",
    "dualSidePosition", "startTime", "endTime", "startTs", "endTs", "tradingUnit", "limit", "pageIndex", "pageSize",
    "lastFillId", "interval", "incomeType", "autoCloseType", "recvWindow", "listenKey",
]  # fmt: skip
USUAL = {"symbol": "BTC-USDT", "type": "LIMIT", "side": "BUY", "positionSide": "LONG", "quantity": "0.01",
         "price": "59000", "interval": "1m", "tradingUnit": "CONT", "cancelReplaceMode": "ALLOW_FAILURE",
         "orderId": "1900000000000000001", "leverage": "5", "marginType": "CROSSED"}  # fmt: skip


def ask(session, url, route, params):
    pairs = sorted({**params, "timestamp": str(int(time.time() * 1000))}.items())
    signed = [*pairs, ("signature", signature_of("alice-secret", pairs))]
    return session.request(
        route.method, f"{url}{route.path}", params=signed, headers={"X-BX-APIKEY": "alice"}, timeout=10
    )


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: f"{route.method} {route.path}")
def test_no_parameters_break_an_endpoint(paper, route):
    generator = random.Random(f"{route.method} {route.path}")
    with requests.Session() as session:
        for _ in range(60):
            names = generator.sample(NAMES, generator.randint(0, 8))
            params = {name: generator.choice(NASTY) for name in names}
            if generator.random() < 0.8:
                params = {**USUAL, **params}
            answer = ask(session, paper.url, route, params)
            assert answer.status_code == 200, params
            assert isinstance(answer.json()["code"], int), params


@pytest.mark.parametrize("query", ["", "timestamp", "timestamp=²&signature=x", f"timestamp={'9' * 5000}&signature=x",
                                   "%ff=%fe&signature=x", "signature=x&signature=y&timestamp=1"])  # fmt: skip
def test_no_query_breaks_the_signature_check(paper, query):
    url = f"{paper.url}/openApi/swap/v3/user/balance?{query}"
    answer = requests.get(url, headers={"X-BX-APIKEY": "alice"}, timeout=5)
    assert answer.json()["code"] in (100001, 100412, 100421)


def test_an_unknown_path_is_not_found(paper):
    assert requests.get(f"{paper.url}/openApi/swap/v9/nothing", timeout=5).status_code == 404
    assert requests.put(f"{paper.url}/openApi/swap/v2/trade/order", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "frame",
    [
        *("", "[]", "null", "{", "Pong", '{"reqType": []}', '{"reqType": "sub", "dataType": {}}'),
        '{"id": [], "reqType": "unsub", "dataType": null}',
    ],
)
def test_no_frame_breaks_a_link(paper, frame):
    async def story(line):
        await line.socket.send_str(frame)
        await line.socket.send_bytes(b"\x00\xff")
        await line.socket.send_str('{"id": "1", "reqType": "sub", "dataType": "BTC-USDT@ticker"}')
        while (answer := await line.next()).get("id") != "1":
            assert answer["code"] in (0, 80015)
        assert answer["code"] == 0

    talk(paper, story, query="")


@pytest.mark.parametrize("key", ["", "%00", "😀", "a" * 5000])
def test_no_listen_key_breaks_the_door(paper, key):
    async def story(line):
        assert line

    if key:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            talk(paper, story, query=f"?listenKey={key}")
    else:
        talk(paper, story, query="?listenKey=")


@pytest.mark.parametrize("name", ["permissions", "ips", "exchange", "readOnly"])
def test_no_facts_of_a_key_break_the_control(paper, name):
    values: list[object] = [*NASTY, None, 1, [], {}, ["²"], [[]], {"a": 1}, [5]]
    with requests.Session() as session:
        for value in values:
            body = {"key": "alice", "secret": "alice-secret", "exchange": "bingx", name: value}
            answer = session.post(f"{paper.url}/__paper/accounts", json=body, timeout=10)
            assert answer.status_code in (200, 400), value
    assert paper.client("alice").account_v1_private_get_account_apipermissions()["code"] == 0
