from decimal import Decimal

import ccxt
import pytest
import requests

SYMBOL = "BTC/USDT:USDT"
ONE_WAY = {"positionIdx": 0}


def buy(client, quantity="0.01", price="59000", **params):
    return client.create_order(SYMBOL, "limit", "buy", quantity, price, {**ONE_WAY, **params})


def test_ccxt_loads_markets_with_and_without_currencies(paper):
    full = ccxt.bybit(paper.settings(options={"defaultType": "swap"}))
    markets = full.load_markets()
    assert markets[SYMBOL]["linear"] is True
    assert markets[SYMBOL]["limits"]["leverage"]["max"] == 100
    assert len(markets) >= 12


def test_an_ordinary_client_finds_out_its_account_type_by_itself(paper):
    plain = ccxt.bybit(paper.settings(options={"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}}))
    assert plain.fetch_balance()["USDT"]["total"] == 10_000
    assert plain.options["enableUnifiedAccount"] is True


def test_fetch_time_is_the_venue_clock(alice):
    assert abs(alice.fetch_time() - alice.milliseconds()) < 2_000


def test_an_order_rests_is_amended_and_fills_at_its_own_price_as_maker(paper, alice):
    order = buy(alice, clientOrderId="leg_0_BTC")
    alice.edit_order(order["id"], SYMBOL, "limit", "buy", "0.02", "59100")
    [resting] = alice.fetch_open_orders(SYMBOL)
    assert (resting["clientOrderId"], resting["amount"], resting["price"]) == ("leg_0_BTC", "0.02", "59100")
    paper.price("58000")
    [trade] = alice.fetch_my_trades(SYMBOL)
    assert (trade["price"], trade["takerOrMaker"], trade["info"]["orderLinkId"]) == ("59100", "maker", "leg_0_BTC")
    assert Decimal(trade["fee"]["cost"]) == Decimal(59100) * Decimal("0.02") * Decimal("0.0002")
    [position] = alice.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"]) == ("long", "0.02")
    assert alice.fetch_closed_orders(SYMBOL)[0]["status"] == "closed"


def test_cancelling_by_link_id_leaves_other_orders_alone(alice):
    buy(alice, clientOrderId="ours")
    buy(alice, price="58000", clientOrderId="theirs")
    alice.cancel_order(None, SYMBOL, {"orderLinkId": "ours"})
    assert [order["clientOrderId"] for order in alice.fetch_open_orders(SYMBOL)] == ["theirs"]
    with pytest.raises(ccxt.OrderNotFound):
        alice.cancel_order(None, SYMBOL, {"orderLinkId": "ours"})


def test_cancel_all_takes_conditional_orders_too(alice):
    buy(alice)
    alice.create_order(
        SYMBOL, "market", "sell", "0.01", None, {**ONE_WAY, "triggerPrice": "55000", "triggerDirection": "descending"}
    )
    assert len(alice.fetch_open_orders(SYMBOL)) == 2
    alice.cancel_all_orders(SYMBOL)
    assert alice.fetch_open_orders(SYMBOL) == []


def test_an_ended_order_is_still_found_by_its_id(alice):
    order = alice.create_order(SYMBOL, "market", "buy", "0.01", None, ONE_WAY)
    assert alice.fetch_order(order["id"], SYMBOL, {"acknowledged": True})["status"] == "closed"


def test_hedge_mode_lists_both_sides_of_a_symbol(alice):
    alice.set_position_mode(True, SYMBOL)
    alice.create_order(SYMBOL, "market", "sell", "0.01", None, {"positionIdx": 2})
    rows = alice.private_get_v5_position_list({"category": "linear", "symbol": "BTCUSDT"})["result"]["list"]
    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [(1, "", "0"), (2, "Sell", "0.01")]
    with pytest.raises(ccxt.BadRequest, match="position idx not match"):
        alice.create_order(SYMBOL, "market", "sell", "0.01", None, ONE_WAY)


def test_settings_that_change_nothing_are_refused_with_their_codes(alice):
    alice.set_leverage(20, SYMBOL)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        alice.set_leverage(20, SYMBOL)
    with pytest.raises(ccxt.NoChange):
        alice.set_position_mode(False, SYMBOL)
    alice.set_margin_mode("isolated")
    with pytest.raises(ccxt.MarginModeAlreadySet):
        alice.set_margin_mode("isolated")


def test_a_position_stop_is_set_shown_as_a_child_order_and_cleared(alice):
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, ONE_WAY)
    stop = {"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "tpslMode": "Full"}
    alice.private_post_v5_position_trading_stop({**stop, "stopLoss": "55000"})
    [child] = alice.fetch_open_orders(SYMBOL)
    assert (child["info"]["stopOrderType"], child["clientOrderId"]) == ("StopLoss", None)
    alice.private_post_v5_position_trading_stop({**stop, "stopLoss": "0"})
    assert alice.fetch_open_orders(SYMBOL) == []


@pytest.mark.parametrize(("regime", "refused"), [("never", True), ("reusable", False), ("unenforced", False)])
def test_the_id_regime_decides_whether_an_ended_id_may_come_again(paper, alice, regime, refused):
    paper.post("rules", id_regime=regime)
    alice.cancel_order(buy(alice, clientOrderId="twice")["id"], SYMBOL)
    if refused:
        with pytest.raises(ccxt.InvalidOrder, match="110072"):
            buy(alice, clientOrderId="twice")
    else:
        assert buy(alice, clientOrderId="twice")["clientOrderId"] == "twice"


def test_two_accounts_do_not_see_each_other(paper, alice):
    buy(alice)
    assert paper.client("bob").fetch_open_orders(SYMBOL) == []


def test_market_data_reads_as_ccxt_expects(paper, alice):
    paper.price("60100")
    ticker = alice.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == ("60100", "60100.0", "60100.0")
    assert alice.fetch_ohlcv(SYMBOL, "1m")[-1][4] == "60100"
    assert alice.fetch_funding_rate(SYMBOL)["fundingRate"]
    assert alice.fetch_order_book(SYMBOL)["asks"][0][0] == 60100
    assert alice.fetch_trades(SYMBOL)[-1]["price"] == "60100"
    assert alice.fetch_trading_fee(SYMBOL)["taker"] == "0.00055"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qty": "0.0005"}, 10001),
        ({"qty": "NaN"}, 10001),
        ({"qty": "1e999"}, 10001),
        ({"qty": "-1"}, 10001),
        ({"price": "59000.05"}, 10001),
        ({"side": "Hold"}, 10001),
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"category": "spot"}, 10001),
        ({"timeInForce": "Whenever"}, 10001),
        ({"orderLinkId": "ü" * 3}, 10001),
        ({"qty": "90"}, 110007),
        ({"reduceOnly": True}, 110017),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_its_code(alice, change, code):
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01"}
    with pytest.raises(ccxt.BaseError, match=f'"retCode":{code}'):
        alice.private_post_v5_order_create({**order, "price": "59000", "positionIdx": 0, **change})
    assert alice.fetch_open_orders(SYMBOL) == []


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"qty": NaN}', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_parameter_error(paper, alice, body):
    headers = alice.sign("v5/order/create", ["private"], "POST", {})["headers"]
    stamp, key = headers["X-BAPI-TIMESTAMP"], headers["X-BAPI-API-KEY"]
    from blitz.paper.wire.bybit.signing import hex_signature

    headers["X-BAPI-SIGN"] = hex_signature("alice-secret", f"{stamp}{key}5000".encode() + body)
    answer = requests.post(f"{paper.url}/v5/order/create", data=body, headers=headers, timeout=5)
    assert answer.json()["retCode"] == 10001


def test_another_category_is_empty_rather_than_an_error(alice):
    answer = alice.private_get_v5_position_list({"category": "inverse", "settleCoin": "BTC"})
    assert answer["result"]["list"] == []
