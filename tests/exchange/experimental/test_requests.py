"""What would be sent, down to the body, as ccxt builds and signs it. Nothing leaves this machine."""

import json
from decimal import Decimal

import pytest

from blitz.core.ladder_settings import ExchangeName, MarginMode
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, DesiredOrder, OrderType, Side, leg
from blitz.exchange.experimental.binance import BINANCE
from blitz.exchange.experimental.bitget import BITGET
from blitz.exchange.experimental.gate import GATE
from blitz.exchange.experimental.okx import OKX
from blitz.exchange.experimental.profile import Terms
from blitz.exchange.profiles import PROFILES
from tests.exchange.experimental.venues import ALL, NOW_MS, SYMBOL, Wire

QUANTITY = Decimal("0.016")
TAGS = {
    "leg_0": "sm_leg_0_7_BTCUSDT",
    "leg_1": "sm_leg_1_7_BTCUSDT",
    "tp": "sm_tp_7_BTCUSDT",
    "sl": "sm_sl_7_BTCUSDT",
}
NAMES = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


def order(name, side):
    """An order of a ladder on that side, by the name of its place."""
    key = {"leg_0": leg(0), "leg_1": leg(1), "tp": TAKE_PROFIT, "sl": STOP_LOSS}[name]
    kind = {"leg_0": OrderType.MARKET, "sl": OrderType.STOP_MARKET}.get(name, OrderType.LIMIT)
    return DesiredOrder(
        key=key,
        type=kind,
        direction=key.direction(side),
        quantity=QUANTITY,
        price=Decimal("59400.1") if kind is OrderType.LIMIT else None,
        trigger=Decimal("57600.5") if kind is OrderType.STOP_MARKET else None,
    )


def terms(side=Side.LONG, *, hedged=False, margin_mode=MarginMode.CROSS):
    return Terms(symbol=SYMBOL, side=side, hedged=hedged, margin_mode=margin_mode)


def sent(profile, name, side=Side.LONG, *, hedged=False, margin_mode=MarginMode.CROSS):
    """Path and body of one order."""
    wire = Wire(profile)
    given = terms(side, hedged=hedged, margin_mode=margin_mode)
    request = wire.carry_out(profile.order(wire.client, order(name, side), TAGS[name], given))
    assert request.method == "POST"
    return request.path, request.query if profile is BINANCE else json.loads(request.body)


# OKX: contracts of 0.01 BTC, the margin mode in every order, no reduce-only on a hedge account


def okx(name, side=Side.LONG, **how):
    path, body = sent(OKX, name, side, **how)
    assert (body["instId"], body["sz"]) == ("BTC-USDT-SWAP", "1.6")
    return path.removeprefix("/api/v5/trade/"), body


@pytest.mark.parametrize(
    ("name", "hedged", "side", "expected"),
    [
        ("leg_1", False, Side.LONG, {"side": "buy", "posSide": "net", "reduceOnly": None}),
        ("leg_1", True, Side.LONG, {"side": "buy", "posSide": "long", "reduceOnly": None}),
        ("tp", False, Side.LONG, {"side": "sell", "posSide": "net", "reduceOnly": True}),
        ("tp", True, Side.LONG, {"side": "sell", "posSide": "long", "reduceOnly": None}),
        ("leg_1", True, Side.SHORT, {"side": "sell", "posSide": "short", "reduceOnly": None}),
        ("tp", True, Side.SHORT, {"side": "buy", "posSide": "short", "reduceOnly": None}),
    ],
)
def test_a_limit_order_of_okx(name, hedged, side, expected):
    path, body = okx(name, side, hedged=hedged, margin_mode=MarginMode.ISOLATED)

    assert path == "order"
    assert {field: body.get(field) for field in expected} == expected
    assert (body["ordType"], body["px"], body["tdMode"]) == ("limit", "59400.1", "isolated")
    assert body["clOrdId"] == TAGS[name].replace("_", "x")
    assert "tag" not in body  # ccxt's own broker


def test_a_market_entry_of_okx():
    path, body = okx("leg_0")

    assert (path, body["ordType"], body["tdMode"]) == ("order", "market", "cross")
    assert "px" not in body


@pytest.mark.parametrize("hedged", [False, True])
@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_a_stop_of_okx_is_an_algo_order_with_an_id_of_its_own(side, hedged):
    path, body = okx("sl", side, hedged=hedged)

    assert (path, body["ordType"]) == ("order-algo", "conditional")
    assert (body["slTriggerPx"], body["slOrdPx"], body["slTriggerPxType"]) == ("57600.5", "-1", "last")
    assert body["algoClOrdId"] == "smxslx7xBTCUSDT"
    assert "clOrdId" not in body
    assert body["side"] == side.closing.value
    assert body.get("reduceOnly") == (None if hedged else True)
    assert body["posSide"] == (side.value if hedged else "net")


# Bitget: base units; a hedge account's close names the position's direction


@pytest.mark.parametrize(
    ("name", "hedged", "side", "expected"),
    [
        ("leg_1", False, Side.LONG, {"side": "buy", "tradeSide": None, "reduceOnly": None}),
        ("leg_1", True, Side.LONG, {"side": "buy", "tradeSide": "Open", "reduceOnly": None}),
        ("tp", False, Side.LONG, {"side": "sell", "tradeSide": None, "reduceOnly": "YES"}),
        ("tp", True, Side.LONG, {"side": "buy", "tradeSide": "Close", "reduceOnly": None}),
        ("leg_1", True, Side.SHORT, {"side": "sell", "tradeSide": "Open", "reduceOnly": None}),
        ("tp", True, Side.SHORT, {"side": "sell", "tradeSide": "Close", "reduceOnly": None}),
    ],
)
def test_a_limit_order_of_bitget(name, hedged, side, expected):
    path, body = sent(BITGET, name, side, hedged=hedged)

    assert path == "/api/v2/mix/order/place-order"
    assert {field: body.get(field) for field in expected} == expected
    assert (body["size"], body["price"], body["marginMode"]) == ("0.016", "59400.1", "crossed")
    assert (body["clientOid"], body["productType"], body["marginCoin"]) == (TAGS[name], "USDT-FUTURES", "USDT")


@pytest.mark.parametrize(
    ("hedged", "side", "held"),
    [(False, Side.LONG, "buy"), (False, Side.SHORT, "sell"), (True, Side.LONG, "long"), (True, Side.SHORT, "short")],
)
def test_a_stop_of_bitget_belongs_to_the_position(hedged, side, held):
    path, body = sent(BITGET, "sl", side, hedged=hedged)

    assert path == "/api/v2/mix/order/place-tpsl-order"
    assert (body["planType"], body["holdSide"], body["triggerPrice"]) == ("pos_loss", held, "57600.5")
    assert (body["triggerType"], body["clientOid"]) == ("fill_price", "sm_sl_7_BTCUSDT")
    assert "executePrice" not in body


# Gate: signed contracts of 0.0001 BTC; reduce-only in both modes; no id on a stop


@pytest.mark.parametrize("hedged", [False, True])
@pytest.mark.parametrize(
    ("name", "side", "size", "reduces"),
    [
        ("leg_1", Side.LONG, 160, None),
        ("tp", Side.LONG, -160, True),
        ("leg_1", Side.SHORT, -160, None),
        ("tp", Side.SHORT, 160, True),
    ],
)
def test_a_limit_order_of_gate(hedged, name, side, size, reduces):
    path, body = sent(GATE, name, side, hedged=hedged)

    assert path == "/api/v4/futures/usdt/orders"
    assert (body["contract"], body["size"], body["price"]) == ("BTC_USDT", size, "59400.1")
    assert body.get("reduce_only") is reduces
    assert body["text"] == f"t-{TAGS[name]}"


def test_a_market_entry_of_gate_has_a_price_of_zero_and_never_rests():
    _, body = sent(GATE, "leg_0")

    assert (body["price"], body["tif"]) == ("0", "ioc")


@pytest.mark.parametrize(("side", "size", "rule"), [(Side.LONG, -160, 2), (Side.SHORT, 160, 1)])
def test_a_stop_of_gate_waits_on_the_right_side_of_the_price(side, size, rule):
    path, body = sent(GATE, "sl", side)

    assert path == "/api/v4/futures/usdt/price_orders"
    assert body["trigger"] == {"price_type": 0, "price": "57600.5", "rule": rule}
    assert (body["initial"]["size"], body["initial"]["price"]) == (size, "0")
    assert body["initial"]["reduce_only"] is True
    assert "text" not in body["initial"]


# Binance: the side of a hedge account instead of reduce-only; stops by the algo endpoint


@pytest.mark.parametrize(
    ("name", "hedged", "side", "expected"),
    [
        ("leg_1", False, Side.LONG, {"side": "BUY", "positionSide": None, "reduceOnly": None}),
        ("leg_1", True, Side.LONG, {"side": "BUY", "positionSide": "LONG", "reduceOnly": None}),
        ("tp", False, Side.LONG, {"side": "SELL", "positionSide": None, "reduceOnly": "true"}),
        ("tp", True, Side.LONG, {"side": "SELL", "positionSide": "LONG", "reduceOnly": None}),
        ("leg_1", True, Side.SHORT, {"side": "SELL", "positionSide": "SHORT", "reduceOnly": None}),
        ("tp", True, Side.SHORT, {"side": "BUY", "positionSide": "SHORT", "reduceOnly": None}),
    ],
)
def test_a_limit_order_of_binance(name, hedged, side, expected):
    path, query = sent(BINANCE, name, side, hedged=hedged)

    assert path == "/fapi/v1/order"
    assert {field: query.get(field) for field in expected} == expected
    assert (query["symbol"], query["quantity"], query["price"]) == ("BTCUSDT", "0.016", "59400.1")
    assert (query["type"], query["timeInForce"], query["newClientOrderId"]) == ("LIMIT", "GTC", TAGS[name])


@pytest.mark.parametrize("hedged", [False, True])
def test_a_stop_of_binance_goes_to_the_algo_endpoint(hedged):
    path, query = sent(BINANCE, "sl", hedged=hedged)

    assert path == "/fapi/v1/algoOrder"
    assert (query["type"], query["algoType"], query["triggerPrice"]) == ("STOP_MARKET", "CONDITIONAL", "57600.5")
    assert (query["clientAlgoId"], query["workingType"]) == ("sm_sl_7_BTCUSDT", "CONTRACT_PRICE")
    assert "newClientOrderId" not in query
    assert (query.get("reduceOnly"), query.get("positionSide")) == ((None, "LONG") if hedged else ("true", None))


def test_a_request_of_binance_is_valid_as_long_as_the_fence_believes():
    wire = Wire(BINANCE)
    request = wire.carry_out(BINANCE.order(wire.client, order("leg_1", Side.LONG), TAGS["leg_1"], terms()))

    assert f"recvWindow={BINANCE.traits.receive_window_ms}" in request.body
    assert f"timestamp={NOW_MS}" in request.body


# All of them


@NAMES
@pytest.mark.parametrize("name", TAGS)
def test_an_order_carries_its_tag_where_the_profile_says_and_nowhere_else(profile, name):
    wire = Wire(profile)

    body = profile.order(wire.client, order(name, Side.LONG), TAGS[name], terms()).body

    field = profile.stop_id_field if name == "sl" else profile.id_field
    read = {key: profile.ids.decode(str(value)) for key, value in body.items()}
    assert {key: tag for key, tag in read.items() if tag} == ({field: TAGS[name]} if field else {})
    assert profile.traits.carries_id(OrderType.STOP_MARKET) == bool(profile.stop_id_field)


@NAMES
@pytest.mark.parametrize("broken", [{"price": Decimal("59400.123")}, {"quantity": Decimal("0.01612345")}])
def test_a_number_that_ccxt_would_round_is_not_sent(profile, broken):
    wire = Wire(profile)
    given = {"key": leg(1), "type": OrderType.LIMIT, "direction": Side.LONG.opening, "quantity": QUANTITY}

    with pytest.raises(ValueError, match=r"fit|contracts"):
        profile.order(wire.client, DesiredOrder(**(given | {"price": Decimal(59400)} | broken)), TAGS["leg_1"], terms())


AMENDED: dict[str, tuple[str, str, dict[str, object]]] = {
    "okx": ("POST", "/api/v5/trade/amend-order", {"ordId": "123", "newSz": "1.6", "newPx": "59400.1"}),
    "bitget": (
        "POST",
        "/api/v2/mix/order/modify-order",
        {"orderId": "123", "newSize": "0.016", "newPrice": "59400.1", "newClientOid": "sm_tp_7_BTCUSDT_1"},
    ),
    "gate": ("PUT", "/api/v4/futures/usdt/orders/123", {"size": -160, "price": "59400.1"}),
    "binance": ("PUT", "/fapi/v1/order", {"orderId": "123", "quantity": "0.016", "price": "59400.1", "side": "SELL"}),
}


@NAMES
def test_a_price_is_amended_in_place(profile):
    wire = Wire(profile)
    built = profile.amend(wire.client, order("tp", Side.LONG), "123", "sm_tp_7_BTCUSDT_1", terms())

    request = wire.carry_out(built)

    method, path, expected = AMENDED[profile.name]
    body = request.query if profile is BINANCE else json.loads(request.body)
    assert (request.method, request.path) == (method, path)
    assert {field: body.get(field) for field in expected} == expected
    assert profile.traits.amends_price
    assert profile.amend_renews_id == ("newClientOid" in body)


@NAMES
def test_amending_is_what_ccxt_would_send_for_it(profile):
    ours, theirs = Wire(profile), Wire(profile)
    built = profile.amend(ours.client, order("tp", Side.LONG), "123", "sm_tp_7_BTCUSDT_1", terms())
    params = {"newClientOid": "sm_tp_7_BTCUSDT_1"} if profile is BITGET else {}
    theirs.client.options["unifiedAccount"] = False  # Gate would ask which kind of account this is
    theirs.client.parse_order = lambda *_: {}

    request = ours.carry_out(built)
    theirs.client.edit_order("123", SYMBOL, "limit", "sell", *amounts(profile), params)

    assert same(request) == same(theirs.sent[-1], without={"currency_pair", "account"})


def amounts(profile):
    """Quantity as the venue counts it, and the price."""
    return {"okx": "1.6", "gate": "160"}.get(profile.name, "0.016"), "59400.1"


def same(request, without=frozenset()):
    """What two requests have to have in common."""
    body = request.query if not (request.body or "").startswith("{") else json.loads(request.body)
    return request.method, request.path, {field: value for field, value in body.items() if field not in without}


@NAMES
@pytest.mark.parametrize("hedged", [False, True])
def test_the_position_mode_is_set_as_ccxt_sets_it(profile, hedged):
    ours, theirs = Wire(profile), Wire(profile)

    request = ours.carry_out(profile.set_modes(ours.client, Decimal(10), terms(hedged=hedged))[0])
    theirs.client.set_position_mode(hedged, SYMBOL)

    assert same(request) == same(theirs.sent[-1], without={"contract"})  # which Gate does not read here


MODES: dict[tuple[str, MarginMode], list[dict[str, str | None]]] = {
    ("okx", MarginMode.CROSS): [{"lever": "10", "mgnMode": "cross", "posSide": None}],
    ("okx", MarginMode.ISOLATED): [{"lever": "10", "mgnMode": "isolated", "posSide": "long"}],
    ("bitget", MarginMode.CROSS): [{"marginMode": "crossed"}, {"leverage": "10", "holdSide": None}],
    ("bitget", MarginMode.ISOLATED): [{"marginMode": "isolated"}, {"leverage": "10", "holdSide": "long"}],
    ("gate", MarginMode.CROSS): [{"leverage": "0", "cross_leverage_limit": "10"}],
    ("gate", MarginMode.ISOLATED): [{"leverage": "10", "cross_leverage_limit": None}],
    ("binance", MarginMode.CROSS): [{"marginType": "CROSSED"}, {"leverage": "10"}],
    ("binance", MarginMode.ISOLATED): [{"marginType": "ISOLATED"}, {"leverage": "10"}],
}


@NAMES
@pytest.mark.parametrize("margin_mode", MarginMode)
def test_margin_mode_and_leverage_are_set_for_the_side_that_trades(profile, margin_mode):
    wire = Wire(profile)

    requests = profile.set_modes(wire.client, Decimal(10), terms(hedged=True, margin_mode=margin_mode))
    bodies = [same(wire.carry_out(request))[2] for request in requests[1:]]

    expected = MODES[(profile.name, margin_mode)]
    assert len(bodies) == len(expected)
    for body, wanted in zip(bodies, expected, strict=True):
        assert {field: body.get(field) for field in wanted} == wanted


def test_a_hedge_account_of_gate_has_an_endpoint_of_its_own_for_leverage():
    wire = Wire(GATE)

    built = [GATE.set_modes(wire.client, Decimal(10), terms(hedged=hedged))[1] for hedged in (False, True)]
    paths = [wire.carry_out(each).path for each in built]

    assert paths == [
        "/api/v4/futures/usdt/positions/BTC_USDT/leverage",
        "/api/v4/futures/usdt/dual_comp/positions/BTC_USDT/leverage",
    ]


DEMO = {
    "okx": ("www.okx.com", "x-simulated-trading"),
    "bitget": ("api.bitget.com", "PAPTRADING"),
    "gate": ("api-testnet.gateapi.io", None),
    "binance": ("demo-fapi.binance.com", None),
}


@NAMES
def test_demo_is_another_address_or_a_header(profile):
    wire, live = Wire(profile, demo=True), Wire(profile)
    given = (order("leg_1", Side.LONG), TAGS["leg_1"], terms())

    request = wire.carry_out(profile.order(wire.client, *given))
    real = live.carry_out(profile.order(live.client, *given))

    host, header = DEMO[profile.name]
    assert request.host == host
    if header is None:
        assert real.host != host
    else:
        assert {**wire.client.headers, **request.headers}[header] == "1"
        assert header not in {**live.client.headers, **real.headers}


def test_none_of_them_can_be_chosen_by_a_trader():
    offered = {name.value for name in ExchangeName} | {name.value for name in PROFILES}

    assert not offered & {profile.name for profile in ALL}
