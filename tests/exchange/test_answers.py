"""What an answer is worth: complete envelopes are believed, the venue's own codes decide, the rest is unknown."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
import requests

from blitz.clock import SystemClock
from blitz.core.calls import (
    Accepted,
    AmendOrder,
    CancelOrder,
    FillsRead,
    OpenOrdersRead,
    PrepareAccount,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    Refusal,
    Rejected,
    Unknown,
)
from tests.bots.both import BOTH
from tests.exchange.world import limit, lying_server, market, send

RECENTLY_MS = SystemClock().now_ms() - 60_000
CALLS = {
    "orders": ReadOpenOrders(),
    "position": ReadPosition(),
    "fills": ReadFills(since_ms=RECENTLY_MS),
    "order": ReadOrder(order_id="", client_id="x"),
    "price": ReadPrice(),
    "prepare": PrepareAccount(),
    "send": send(limit()),
    "amend": AmendOrder(order_id="x", quantity=Decimal("0.02"), price=None, trigger=None),
    "cancel": CancelOrder(order_id="x"),
}
ENDPOINTS = {
    "bybit": {
        "orders": "order/realtime", "position": "position/list", "fills": "execution/list", "order": "order/realtime",
        "price": "market/tickers", "prepare": "account/info", "send": "order/create", "amend": "order/amend",
        "cancel": "order/cancel",
    },
    "bingx": {
        "orders": "order/realtime", "position": "position/list", "fills": "execution/list",
        "order": "swap/v2/trade/order", "price": "swap/v2/quote/ticker", "prepare": "swap/v2/trade/marginType",
        "send": "order/create", "amend": "order/amend", "cancel": "order/cancel",
    },
}  # fmt: skip
WRECKS = [
    {"fault": "drop_request"},
    {"fault": "drop_response"},
    {"fault": "http_status", "status": "500"},
    {"fault": "http_status", "status": "503"},
]
BUSY = [("bybit", "10016"), ("bybit", "10000"), ("bybit", "10429")]
BUSY += [("bingx", "100500"), ("bingx", "109500"), ("bingx", "110500"), ("bingx", "80012")]
REFUSALS = {
    10002: Refusal.CLOCK,
    10003: Refusal.KEY,
    10004: Refusal.KEY,
    10005: Refusal.KEY,
    10006: Refusal.LIMIT,
    10010: Refusal.KEY,
    10018: Refusal.LIMIT,
    10028: Refusal.ACCOUNT,
    33004: Refusal.KEY,
    110001: Refusal.GONE,
    110003: Refusal.FILTER,
    110007: Refusal.MARGIN,
    110009: Refusal.FILTER,
    110017: Refusal.NO_POSITION,
    110020: Refusal.FILTER,
    110064: Refusal.GONE,
    110072: Refusal.TAKEN,
    110093: Refusal.TRIGGER_PASSED,
    110094: Refusal.FILTER,
    40004: Refusal.OTHER,
    999999: Refusal.OTHER,
}


@pytest.fixture
def sight(world, liar):
    """A gateway that talks to the lying server, having seen the account's true position mode."""
    gateway = world.gateway_at(liar.url)
    gateway._hedged = False
    return gateway


@BOTH
@pytest.mark.parametrize("wreck", WRECKS, ids=lambda rule: "-".join(rule.values()))
def test_a_wrecked_answer_is_unknown_whatever_was_asked(world, wreck):
    gateway = world.gateway()
    for name, endpoint in ENDPOINTS[world.exchange].items():
        world.fault(endpoint=endpoint, **wreck)
        assert isinstance(gateway.execute(CALLS[name]), Unknown), name


@pytest.mark.parametrize(("exchange", "code"), BUSY, indirect=["exchange"])
def test_a_venue_that_is_busy_may_have_acted(world, code):
    gateway = world.gateway()
    for name, endpoint in ENDPOINTS[world.exchange].items():
        world.fault("ret_code", endpoint=endpoint, code=code)
        assert isinstance(gateway.execute(CALLS[name]), Unknown), name


@BOTH
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("fault", ["empty_body", "garbage_body"])
def test_a_success_without_an_envelope_is_unknown(world, name, fault):
    call = CALLS[name]
    gateway = world.gateway()
    resting = gateway.execute(send(limit(price="59300"), "resting")).order_id
    if isinstance(call, AmendOrder | CancelOrder):
        call = replace(call, order_id=resting)
    world.fault(fault, endpoint=ENDPOINTS[world.exchange][name])
    assert isinstance(gateway.execute(call), Unknown)


@pytest.mark.parametrize(("code", "refusal"), REFUSALS.items())
def test_the_code_decides_and_never_the_class_of_the_error(world, code, refusal):
    gateway = world.gateway()
    for name, endpoint in ENDPOINTS["bybit"].items():
        if name == "price":
            continue
        world.fault("ret_code", endpoint=endpoint, code=str(code), count="1")
        reply = gateway.execute(CALLS[name])
        assert isinstance(reply, Rejected), name
        assert (reply.refusal, reply.code) == (refusal, str(code)), name
        if code == 10018:
            return  # it holds for the address, and the next request would wait until it is over


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("position idx not match position mode", Refusal.ACCOUNT),
        ("order not modified", Refusal.UNCHANGED),
        ("Qty invalid", Refusal.FILTER),
    ],
)
def test_the_code_for_bad_parameters_is_told_apart_by_its_words(world, message, refusal):
    gateway = world.gateway()
    world.fault("ret_code", endpoint="order/create", code="10001", message=message)
    assert gateway.execute(send(limit())).refusal is refusal


BODIES = [
    b"", b"null", b"[]", b"{}", b"7", b'"text"', b"true", b"{", b"\xff\xfe\x00", b"<html>busy</html>",
    b'{"retCode":0}', b'{"retCode":0,"result":null}', b'{"retCode":0,"result":[]}', b'{"retCode":0,"result":"x"}',
    b'{"retCode":0,"result":{}}', b'{"retCode":0,"result":{"list":null}}', b'{"retCode":0,"result":{"list":{}}}',
    b'{"retCode":0,"result":{"list":[null]}}', b'{"retCode":0,"result":{"list":[7]}}',
    b'{"retCode":0,"result":{"list":[{}]}}', b'{"retCode":0,"result":{"list":[{"orderId":7,"positionIdx":[]}]}}',
    b'{"retCode":null,"result":{"list":[]}}', b'{"retCode":"zero","result":{"list":[]}}', b'{"result":{"list":[]}}',
    b'{"retCode":{"a":1},"result":{"list":[]}}', b'[{"retCode":0,"result":{"list":[]}}]',
    b'{"retCode":0,"result":{"list":[{"positionIdx":0,"size":"NaN","side":""}]}}',
    b'{"retCode":0,"result":{"list":[{"positionIdx":"x","size":"0","side":""}]}}',
    b'{"retCode":0,"result":{"orderId":""}}', b'{"retCode":0,"result":{"orderId":7}}',
    b'{"retCode":0,"result":{"list":[{"lastPrice":"0"}]}}',
    b"[" * 3000, b'{"retCode":0,"result":{"list":[{"lastPrice":"Infinity"}]}}',
]  # fmt: skip
"""None of these is an answer to anything, on any exchange."""
BODIES += [
    b'{"code":0}', b'{"code":0,"data":null}', b'{"code":0,"data":"x"}', b'{"code":0,"data":{}}', b'{"data":{}}',
    b'{"code":0,"data":[null]}', b'{"code":0,"data":[7]}', b'{"code":null,"data":[]}', b'{"code":"zero","data":[]}',
    b'{"code":0,"data":{"orders":null}}', b'{"code":0,"data":{"orders":[{}]}}', b'{"code":0,"data":{"order":null}}',
    b'{"code":0,"data":{"order":{}}}', b'{"code":0,"data":{"order":{"orderId":""}}}', b'{"code":{"a":1},"data":[]}',
    b'{"code":0,"data":{"fill_history_orders":[],"total":3}}', b'{"code":0,"data":{"lastPrice":"0"}}',
    b'{"code":0,"data":{"lastPrice":"NaN","total":"Infinity"}}', b'{"code":0,"data":[{"symbol":"BTC-USDT"}]}',
    b'{"code":0,"data":{"marginType":7,"longLeverage":"many"}}', b'{"code":true,"data":[]}',
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("body", BODIES)
def test_no_body_makes_the_gateway_raise_or_believe(sight, liar, body):
    liar.body = body
    for name, call in CALLS.items():
        reply = sight.execute(call)
        assert isinstance(reply, Unknown), (name, reply)


@BOTH
@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 418, 429, 500, 502, 504])
def test_an_http_status_alone_is_no_refusal(sight, liar, status):
    liar.status = status
    liar.body = b"" if status == 204 else b"<html>no</html>"
    for call in CALLS.values():
        assert isinstance(sight.execute(call), Unknown)


def test_a_refusal_in_an_http_error_is_still_a_refusal(sight, liar):
    liar.status = 401
    liar.says({"retCode": 10007, "retMsg": "User authentication failed."})
    assert sight.execute(ReadPosition()).refusal is Refusal.KEY


def test_a_list_that_never_ends_is_not_believed(sight, liar):
    liar.says({"retCode": 0, "result": {"list": [], "nextPageCursor": "more"}})
    assert isinstance(sight.execute(ReadOpenOrders()), Unknown)
    assert 5 < len(liar.asked) < 100


def test_a_page_without_a_cursor_is_not_the_last_page(sight, liar):
    liar.says({"retCode": 0, "result": {"list": []}})
    assert isinstance(sight.execute(ReadOpenOrders()), Unknown)
    liar.says({"retCode": 0, "result": {"list": [], "nextPageCursor": ""}})
    assert sight.execute(ReadOpenOrders()) == OpenOrdersRead(orders=())
    assert sight.execute(ReadFills(since_ms=sight._clock.now_ms())) == FillsRead(fills=())


def test_a_page_that_fails_in_the_middle_makes_the_whole_list_unknown(world):
    gateway = world.gateway()
    for number in range(60):
        gateway.execute(send(limit("0.001", str(50_000 + number)), f"tag-{number}"))
    world.fault("http_status", endpoint="order/realtime", status="503", skip="1", count="1")
    assert isinstance(gateway.execute(ReadOpenOrders()), Unknown)
    assert len(gateway.execute(ReadOpenOrders()).orders) == 60


@BOTH
def test_a_redirect_is_not_followed(sight, liar):
    with lying_server() as elsewhere:
        elsewhere.says({"retCode": 0, "result": {"list": [], "nextPageCursor": "", "orderId": "x"}})
        liar.status = 307
        liar.headers = {"Location": f"{elsewhere.url}/v5/order/create"}
        for call in CALLS.values():
            assert isinstance(sight.execute(call), Unknown)
        assert elsewhere.asked == []


SWAP = "/openApi/swap"


@pytest.mark.parametrize(
    ("exchange", "call", "endpoint", "fields"),
    [
        ("bybit", ReadOpenOrders(), "/v5/order/realtime", (
            "orderId", "orderLinkId", "symbol", "side", "orderType", "qty", "cumExecQty", "price", "reduceOnly",
            "positionIdx", "createdTime")),
        ("bybit", ReadOrder(order_id="", client_id="resting"), "/v5/order/realtime", (
            "orderStatus", "cumExecQty", "orderId")),
        ("bybit", ReadPosition(), "/v5/position/list", ("positionIdx", "size", "side")),
        ("bybit", ReadFills(since_ms=RECENTLY_MS), "/v5/execution/list", (
            "execId", "orderId", "orderLinkId", "symbol", "side", "execType", "execQty", "execPrice", "execFee",
            "execTime")),
        ("bybit", ReadPrice(), "/v5/market/tickers", ("lastPrice",)),
        ("bingx", ReadOpenOrders(), f"{SWAP}/v2/trade/openOrders", (
            "orderId", "clientOrderId", "symbol", "side", "positionSide", "type", "origQty", "executedQty", "price",
            "reduceOnly", "time")),
        ("bingx", ReadOrder(order_id="", client_id="resting"), f"{SWAP}/v2/trade/order", (
            "status", "executedQty", "orderId", "order")),
        ("bingx", ReadPosition(), f"{SWAP}/v2/user/positions", (
            "symbol", "positionAmt", "positionSide", "avgPrice", "leverage")),
        ("bingx", ReadFills(since_ms=RECENTLY_MS), f"{SWAP}/v2/trade/fillHistory", (
            "tradeId", "orderId", "symbol", "side", "qty", "price", "commission", "filledTime", "role", "total")),
        ("bingx", ReadPrice(), f"{SWAP}/v2/quote/ticker", ("lastPrice",)),
    ],
    indirect=["exchange"],
)  # fmt: skip
def test_a_row_without_a_field_that_matters_is_unknown(world, liar, call, endpoint, fields):
    true = world.gateway()
    true.execute(send(market(), "entry"))
    true.execute(send(limit(), "resting"))
    gateway = world.gateway_at(liar.url)
    liar.behind = world.url
    for missing in fields:
        liar.edit = without(endpoint, missing)
        assert isinstance(gateway.execute(call), Unknown), missing
    liar.edit = without(endpoint, "nothing")
    assert what_was_read(gateway.execute(call)) == what_was_read(true.execute(call))


def what_was_read(reply):
    """Two questions leave at two moments."""
    return replace(reply, left_ms=None) if isinstance(reply, OpenOrdersRead) else reply


def without(endpoint, field):
    def edit(path, body):
        answer = json.loads(body)
        if path == endpoint:
            for row in dictionaries(answer.get("result", answer.get("data"))):
                row.pop(field, None)
        return json.dumps(answer).encode()

    return edit


def dictionaries(part):
    """Every dictionary of an answer's payload."""
    if isinstance(part, dict):
        yield part
    for each in list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from dictionaries(each)


@pytest.mark.parametrize(
    ("exchange", "call", "endpoint", "change"),
    [
        ("bybit", ReadFills(since_ms=RECENTLY_MS), "/v5/execution/list", {"execType": "SomethingNew"}),
        ("bybit", ReadOrder(order_id="", client_id="resting"), "/v5/order/realtime", {"orderStatus": "SomethingNew"}),
        ("bybit", ReadOpenOrders(), "/v5/order/realtime", {"side": "Both"}),
        ("bybit", ReadOpenOrders(), "/v5/order/realtime", {"qty": "many"}),
        ("bybit", ReadPosition(), "/v5/position/list", {"positionIdx": 3}),
        ("bingx", ReadFills(since_ms=RECENTLY_MS), f"{SWAP}/v2/trade/fillHistory", {"filledTime": "at noon"}),
        ("bingx", ReadFills(since_ms=RECENTLY_MS), f"{SWAP}/v2/trade/fillHistory", {"role": "somebody"}),
        ("bingx", ReadOrder(order_id="", client_id="resting"), f"{SWAP}/v2/trade/order", {"status": "SomethingNew"}),
        ("bingx", ReadOpenOrders(), f"{SWAP}/v2/trade/openOrders", {"side": "BOTH"}),
        ("bingx", ReadOpenOrders(), f"{SWAP}/v2/trade/openOrders", {"origQty": "many"}),
        ("bingx", ReadPosition(), f"{SWAP}/v2/user/positions", {"positionSide": "NEITHER"}),
    ],
    indirect=["exchange"],
)
def test_a_value_nobody_told_us_of_is_unknown(world, liar, call, endpoint, change):
    true = world.gateway()
    true.execute(send(market(), "entry"))
    true.execute(send(limit(), "resting"))
    liar.behind = world.url

    def edit(path, body):
        answer = json.loads(body)
        if path == endpoint:
            for row in dictionaries(answer.get("result", answer.get("data"))):
                row.update({name: value for name, value in change.items() if name in row})
        return json.dumps(answer).encode()

    liar.edit = edit
    assert isinstance(world.gateway_at(liar.url).execute(call), Unknown)


def test_a_hedge_fill_that_does_not_say_what_it_closed_is_unknown(world, liar):
    world.keep_both_sides()
    world.foreign("buy", "0.05", slot="long")
    liar.behind, liar.edit = world.url, without("/v5/execution/list", "closedSize")
    gateway = world.gateway_at(liar.url)
    gateway.execute(ReadPosition())
    assert isinstance(gateway.execute(ReadFills(since_ms=RECENTLY_MS)), Unknown)


@BOTH
def test_a_lost_answer_leaves_the_order_standing_and_a_lost_request_does_not(world):
    gateway = world.gateway()
    world.fault("drop_response", endpoint="order/create", count="1")
    assert isinstance(gateway.execute(send(limit(), "arrived")), Unknown)
    world.fault("drop_request", endpoint="order/create", count="1")
    assert isinstance(gateway.execute(send(limit(), "lost")), Unknown)
    assert [row["orderLinkId"] for row in world.account()["open_orders"]] == ["arrived"]


@BOTH
def test_what_ccxt_refuses_to_build_never_left(world):
    gateway = world.gateway()
    gateway._client.markets = {}
    gateway._client.markets_by_id = {}
    reply = gateway.execute(send(limit()))
    assert isinstance(reply, Rejected)
    assert (reply.refusal, reply.code) == (Refusal.FILTER, "not sent")
    assert world.account()["counts"]["open_orders"] == "0"


@BOTH
def test_an_exchange_that_is_gone_is_unknown_and_comes_back(world):
    gateway = world.gateway()
    world.fault("drop_request")
    assert isinstance(gateway.execute(ReadOpenOrders()), Unknown)
    world.post("rules")
    requests.delete(f"{world.url}/__paper/faults", timeout=5)
    assert isinstance(gateway.execute(send(limit())), Accepted)
