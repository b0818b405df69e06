"""Our answers beside payloads recorded from BingX: every recorded field is there, and is of the recorded type."""

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest
import requests

from blitz.paper.wire.bingx.signing import signature_of
from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, buy, enter

DAY_MS = 86_400_000
PAIR = {"symbol": "BTC-USDT"}
NOT_OFFERED = {
    "Account_AdjustIsolatedMargin", "Account_GetIsolatedMarginChangeHistory", "Trading_CancelMultipleOrder",
    "Trading_ClosePosition", "Trading_GetPositionHistory", "Trading_PlaceMultipleOrder",
}  # fmt: skip
"""Endpoints that this paper exchange does not have: nothing of ours asks them."""

READS: dict[str, dict[str, Any]] = {
    "Account_GetBalances": {},
    "Account_GetBalances2": {},
    "Account_GetLeverage": PAIR,
    "Account_GetMarginMode": PAIR,
    "Account_GetPositionMode": {},
    "Account_GetTradingFees": {},
    "Account_SetLeverage": PAIR | {"side": "LONG", "leverage": "8"},
    "Account_SetMarginMode": PAIR | {"marginType": "CROSSED"},
    "Account_SetPositionMode": {"dualSidePosition": "true"},
    "ExchangeData_GetBookTicker": PAIR,
    "ExchangeData_GetContracts": {},
    "ExchangeData_GetFundingRate": PAIR,
    "ExchangeData_GetFundingRateHistory": PAIR,
    "ExchangeData_GetKlines": PAIR | {"interval": "1h"},
    "ExchangeData_GetLastTradePrice": PAIR,
    "ExchangeData_GetMarkPriceKlines": PAIR | {"interval": "1h"},
    "ExchangeData_GetOpenInterest": PAIR,
    "ExchangeData_GetOrderBook": PAIR,
    "ExchangeData_GetRecentTrades": PAIR,
    "ExchangeData_GetTicker": PAIR,
    "ExchangeData_GetTradeHistory": PAIR,
    "Trading_CancelAllOrder": PAIR,
    "Trading_GetClosedOrders": PAIR,
    "Trading_GetLiquidationOrders": {},
    "Trading_GetOpenOrders": PAIR,
    "Trading_GetOrders": PAIR,
    "Trading_GetPositionAndMarginInfo": PAIR,
    "Trading_GetPositions": {},
    "Trading_GetUserTrades": PAIR | {"tradingUnit": "CONT"},
    "Trading_PlaceOrder": PAIR | {"type": "MARKET", "side": "BUY", "positionSide": "LONG", "quantity": "0.001"},
}
OF_AN_ORDER = ("Trading_CancelOrder", "Trading_CancelReplaceOrder", "Trading_EditOrder", "Trading_GetOrder")
STREAMS = ("BookPrice", "Klines", "MarkPrice", "PartialBook", "Price", "Ticker", "Trades")


@pytest.fixture
def recorded(shared_data):
    def parts(name):
        """Method, path and body of a recorded answer."""
        method, path, _signed, body = shared_data(f"bingx-recorded/{name}.txt").read_text().split("\n", 3)
        return method.strip(), path.strip(), body

    return parts


@pytest.fixture
def traded(paper, alice):
    """An account that has traded, was deleveraged, paid funding and has orders at rest."""
    enter(alice, "0.1")
    buy(alice)
    paper.post("adl", key="alice", symbol="BTCUSDT", quantity="0.01", position_idx="1")
    paper.post("clock", advance_ms=9 * 3_600_000)
    paper.price("60010")
    alice.nonce = lambda: int(alice.milliseconds()) + 9 * 3_600_000
    return alice


def ask(paper, client, method, path, params):
    if path.endswith("allFillOrders"):
        params = {**params, "startTs": str(client.nonce() - DAY_MS)}
    pairs = sorted({**params, "timestamp": str(client.nonce())}.items())
    signed = [*pairs, ("signature", signature_of("alice-secret", pairs))]
    answer = requests.request(method, f"{paper.url}{path}", params=signed, headers={"X-BX-APIKEY": "alice"}, timeout=5)
    return answer.json()


def differences(theirs, ours, where="data"):
    """Where our answer lacks a recorded field or gives it another JSON type. A recorded null may be anything."""
    if theirs is None:
        return []
    if kind(theirs) != kind(ours):
        return [f"{where} is {kind(ours)}, recorded {kind(theirs)}"]
    if isinstance(theirs, dict):
        found = [f"{where}.{name} is missing" for name in theirs if name not in ours]
        both = [name for name in theirs if name in ours]
        return found + [line for name in both for line in differences(theirs[name], ours[name], f"{where}.{name}")]
    if isinstance(theirs, list) and theirs:
        return differences(theirs[0], ours[0], f"{where}[0]") if ours else [f"{where} is empty"]
    return []


def kind(value):
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize("name", sorted(READS))
def test_an_answer_has_the_recorded_fields_and_types(paper, traded, recorded, name):
    method, path, body = recorded(name)
    theirs, ours = json.loads(body), ask(paper, traded, method, path, READS[name])
    assert ours["code"] == 0, ours
    assert differences(theirs.get("data"), ours.get("data")) == []
    assert set(theirs) - {"timestamp"} <= set(ours)


@pytest.mark.parametrize("name", OF_AN_ORDER)
def test_an_answer_about_one_order_has_the_recorded_fields_and_types(paper, traded, recorded, name):
    method, path, body = recorded(name)
    [order] = traded.fetch_open_orders(SYMBOL)
    wanted = {**PAIR, "orderId": order["id"], "cancelOrderId": order["id"], "cancelReplaceMode": "STOP_ON_FAILURE",
              "type": "LIMIT", "side": "BUY", "positionSide": "LONG", "quantity": "0.02", "price": "58000"}  # fmt: skip
    ours = ask(paper, traded, method, path, wanted)
    assert differences(json.loads(body)["data"], ours.get("data")) == []


def test_the_listen_key_has_no_envelope(paper, recorded):
    method, path, body = recorded("Account_StartUserStream")
    answer = requests.request(method, f"{paper.url}{path}", headers={"X-BX-APIKEY": "alice"}, timeout=5).json()
    assert set(answer) == set(json.loads(body))
    assert len(answer["listenKey"]) == len(json.loads(body)["listenKey"])


@pytest.mark.parametrize("name", STREAMS)
def test_a_pushed_frame_has_the_recorded_fields_and_types(paper, shared_data, name):
    text = shared_data(f"bingx-recorded/ws_{name}.txt").read_text()
    theirs = json.loads(text.partition("=")[2])
    asked = json.loads(text.partition(">")[2].partition("\n")[0])
    acked = json.loads(text.partition("<")[2].partition("\n")[0])

    async def run():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{paper.url}/swap-market") as socket,
        ):
            await socket.send_str(json.dumps(asked))
            frames = [json.loads(gzip.decompress((await socket.receive()).data))]
            await asyncio.to_thread(paper.price, "3010", symbol="ETHUSDT")
            frames.append(json.loads(gzip.decompress((await socket.receive()).data)))
            return frames

    ack, ours = asyncio.run(asyncio.wait_for(run(), 10))
    assert (ack["id"], ack["code"]) == (asked["id"], 0)
    assert set(acked) <= set(ack)
    assert differences(theirs, ours, "frame") == []


def test_every_recorded_file_is_compared_or_named_as_not_offered(shared_data):
    folder = shared_data("bingx-recorded")
    names = {path.stem for path in folder.glob("*.txt")}
    known = {*READS, *OF_AN_ORDER, *NOT_OFFERED, "Account_StartUserStream", "Account_KeepAliveUserStream"}
    assert names == known | {f"ws_{name}" for name in STREAMS}


def test_a_hedge_position_beside_another_has_fields_of_its_own(traded):
    traded.create_order(SYMBOL, "market", "sell", "0.02", None, {"positionSide": "SHORT"})
    rows = {row["positionSide"]: row for row in traded.swap_v2_private_get_user_positions()["data"]}
    assert set(rows["LONG"]) == set(rows["SHORT"])
    assert rows["LONG"]["positionId"] != rows["SHORT"]["positionId"]
    assert LONG["positionSide"] in rows
