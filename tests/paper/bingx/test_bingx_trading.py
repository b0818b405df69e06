"""An unmodified ccxt client trades on the BingX door: the rows of its table, one after the other."""

from decimal import Decimal

import ccxt
import pytest
import requests

SYMBOL = "BTC/USDT:USDT"
LONG = {"positionSide": "LONG"}


def buy(client, quantity="0.01", price="59000", **params):
    return client.create_order(SYMBOL, "limit", "buy", quantity, price, {**LONG, **params})


def enter(client, quantity="0.01", side="LONG"):
    way = "buy" if side == "LONG" else "sell"
    return client.create_order(SYMBOL, "market", way, quantity, None, {"positionSide": side})


def take_profit(client, quantity="0.01", price="61000", **params):
    return client.create_order(SYMBOL, "limit", "sell", quantity, price, {**LONG, **params})


def code(refused):
    return int(str(refused.value).partition('"code":')[2].partition(",")[0])


def test_one_request_loads_the_markets(alice):
    market = alice.market(SYMBOL)
    assert (market["id"], market["taker"], market["maker"]) == ("BTC-USDT", "0.0005", "0.0002")
    assert market["limits"]["amount"]["min"] == "0.001"
    assert len(alice.markets) >= 12


def test_a_client_that_asks_for_everything_loads_its_four_lists(paper):
    client = ccxt.bingx(paper.settings(options={"defaultType": "swap"}))
    markets = client.load_markets()
    assert {market["type"] for market in markets.values()} == {"swap"}
    assert client.currencies["USDT"]["code"] == "USDT"


def test_fetch_time_is_the_venue_clock(alice):
    assert abs(alice.fetch_time() - alice.milliseconds()) < 2_000


def test_an_order_rests_and_fills_at_its_own_price_as_maker(paper, alice):
    order = buy(alice, clientOrderId="SM_Leg_0")
    [resting] = alice.fetch_open_orders(SYMBOL)
    assert (resting["id"], resting["clientOrderId"]) == (order["id"], "sm_leg_0")
    assert (resting["amount"], resting["price"], resting["status"]) == ("0.01", "59000", "open")
    paper.price("58000")
    assert alice.fetch_open_orders(SYMBOL) == []
    answer = alice.swap_v2_private_get_trade_fillhistory({"symbol": "BTC-USDT"})
    [fill] = answer["data"]["fill_history_orders"]
    assert (fill["price"], fill["role"], fill["orderId"]) == ("59000", "maker", order["id"])
    assert Decimal(fill["commission"]) == -Decimal(59000) * Decimal("0.01") * Decimal("0.0002")
    [position] = alice.fetch_positions()
    assert (position["side"], position["contracts"], position["marginMode"]) == ("long", "0.01", "cross")
    assert alice.fetch_order(order["id"], SYMBOL)["status"] == "closed"
    assert [row["status"] for row in alice.fetch_closed_orders(SYMBOL)] == ["closed"]
    assert [row["id"] for row in alice.fetch_orders(SYMBOL)] == [order["id"]]


def test_a_ccxt_trade_has_no_id_and_no_role_and_a_time_eight_hours_off(alice):
    enter(alice)
    [trade] = alice.fetch_my_trades(SYMBOL)
    assert (trade["id"], trade["takerOrMaker"], trade["price"]) == (None, None, "60000.0")
    ahead_ms = trade["timestamp"] - alice.milliseconds()
    assert abs(ahead_ms - 8 * 3_600_000) < 5_000


def test_long_and_short_stand_side_by_side(alice):
    enter(alice, "0.02")
    enter(alice, "0.01", "SHORT")
    assert {row["side"]: row["contracts"] for row in alice.fetch_positions()} == {"long": "0.02", "short": "0.01"}


def test_an_order_is_found_and_cancelled_by_client_id_in_any_case(alice):
    buy(alice, clientOrderId="Mine_1")
    buy(alice, clientOrderId="theirs", price="58000")
    found = alice.fetch_order(None, SYMBOL, {"clientOrderId": "MINE_1"})
    assert found["clientOrderId"] == "mine_1"
    alice.cancel_order(None, SYMBOL, {"clientOrderId": "MINE_1"})
    assert [row["clientOrderId"] for row in alice.fetch_open_orders(SYMBOL)] == ["theirs"]
    assert alice.fetch_order(found["id"], SYMBOL)["status"] == "canceled"


def test_a_client_id_stays_taken_for_ever_in_every_case(alice):
    alice.cancel_order(buy(alice, clientOrderId="once")["id"], SYMBOL)
    with pytest.raises(ccxt.DuplicateOrderId) as refused:
        buy(alice, clientOrderId="ONCE")
    assert code(refused) == 101481


@pytest.mark.parametrize(("regime", "refused"), [("never", True), ("reusable", False), ("unenforced", False)])
def test_the_id_regime_decides_here_too(paper, alice, regime, refused):
    paper.post("rules", id_regime=regime)
    alice.cancel_order(buy(alice, clientOrderId="twice")["id"], SYMBOL)
    if refused:
        with pytest.raises(ccxt.DuplicateOrderId):
            buy(alice, clientOrderId="twice")
    else:
        assert buy(alice, clientOrderId="twice")["id"]


def test_cancel_all_without_a_symbol_wipes_the_account(paper, alice):
    buy(alice)
    alice.create_order("ETH/USDT:USDT", "limit", "buy", "0.1", "2900", LONG)
    assert len(alice.fetch_open_orders()) == 2
    alice.cancel_all_orders(SYMBOL)
    assert [row["symbol"] for row in alice.fetch_open_orders()] == ["ETH/USDT:USDT"]
    alice.cancel_all_orders()
    assert alice.fetch_open_orders() == []


def test_closing_needs_a_position_and_what_others_leave_over(alice):
    with pytest.raises(ccxt.InvalidOrder) as refused:
        take_profit(alice)
    assert code(refused) == 101205
    enter(alice, "0.03")
    take_profit(alice, "0.02")
    [position] = alice.fetch_positions()
    assert (position["info"]["positionAmt"], position["info"]["availableAmt"]) == ("0.03", "0.01")
    with pytest.raises(ccxt.ExchangeError) as refused:
        take_profit(alice, "0.02", "62000")
    assert code(refused) == 110424
    assert take_profit(alice, "0.01", "62000")["id"]


def test_a_hedged_account_refuses_reduce_only(alice):
    enter(alice)
    with pytest.raises(ccxt.BadRequest) as refused:
        take_profit(alice, reduceOnly=True)
    assert code(refused) == 109400
    hedged = alice.create_order(SYMBOL, "limit", "sell", "0.01", "61000", {"hedged": True, "reduceOnly": True})
    assert hedged["info"]["positionSide"] == "LONG"


def test_the_position_side_has_to_fit_the_mode(alice):
    with pytest.raises(ccxt.BadRequest, match="Hedge mode"):
        alice.create_order(SYMBOL, "market", "buy", "0.01")
    alice.set_position_mode(False)
    with pytest.raises(ccxt.BadRequest, match="One-way mode"):
        enter(alice)
    alice.create_order(SYMBOL, "market", "buy", "0.01")
    [position] = alice.fetch_positions()
    assert position["info"]["onlyOnePosition"] is True


def test_the_mode_is_the_accounts_and_switches_only_when_nothing_is_open(alice):
    assert alice.fetch_position_mode()["hedged"] is True
    alice.set_position_mode(True)
    order = buy(alice)
    with pytest.raises(ccxt.BadRequest) as refused:
        alice.set_position_mode(False)
    assert code(refused) == 109400
    alice.cancel_order(order["id"], SYMBOL)
    alice.set_position_mode(False)
    assert alice.fetch_position_mode("ETH/USDT:USDT")["hedged"] is False


def test_leverage_is_set_for_each_side_and_again_without_complaint(alice):
    alice.set_leverage(20, SYMBOL, {"side": "LONG"})
    alice.set_leverage(20, SYMBOL, {"side": "LONG"})
    alice.set_leverage(5, SYMBOL, {"side": "SHORT"})
    found = alice.fetch_leverage(SYMBOL)
    assert (found["longLeverage"], found["shortLeverage"]) == (20, 5)
    with pytest.raises(ccxt.BadRequest):
        alice.set_leverage(101, SYMBOL, {"side": "LONG"})


def test_margin_mode_is_set_for_each_pair(alice):
    alice.set_margin_mode("isolated", SYMBOL)
    alice.set_margin_mode("isolated", SYMBOL)
    assert alice.fetch_margin_mode(SYMBOL)["marginMode"] == "isolated"
    assert alice.fetch_margin_mode("ETH/USDT:USDT")["marginMode"] == "cross"
    enter(alice)
    assert alice.fetch_positions()[0]["marginMode"] == "isolated"


def test_digits_beyond_the_precision_are_cut_off(alice):
    order = {"symbol": "BTC-USDT", "type": "LIMIT", "side": "BUY", "positionSide": "LONG"}
    alice.swap_v2_private_post_trade_order({**order, "quantity": "0.01299", "price": "59000.19"})
    [resting] = alice.fetch_open_orders(SYMBOL)
    assert (resting["amount"], resting["price"]) == ("0.012", "59000.1")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"quantity": "0.0005"}, 101400),
        ({"quantity": "0.001", "price": "1000"}, 110425),
        ({"quantity": "NaN"}, 109400),
        ({"quantity": "-1"}, 101400),
        ({"quantity": ""}, 109400),
        ({"quantity": "90"}, 101204),
        ({"side": "HOLD"}, 109400),
        ({"type": "TRAILING_STOP_MARKET"}, 109400),
        ({"symbol": "NOPE-USDT"}, 109425),
        ({"symbol": "BTCUSDT"}, 109425),
        ({"positionSide": "UP"}, 109400),
        ({"timeInForce": "Whenever"}, 109400),
        ({"clientOrderID": "x" * 41}, 109400),
        ({"timeInForce": "PostOnly", "price": "61000"}, 101215),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_bingx_numbers(alice, change, expected):
    order = {"symbol": "BTC-USDT", "type": "LIMIT", "side": "BUY", "positionSide": "LONG", "quantity": "0.01"}
    with pytest.raises(ccxt.BaseError) as refused:
        alice.swap_v2_private_post_trade_order({**order, "price": "59000", **change})
    assert code(refused) == expected
    assert alice.fetch_open_orders() == []


def test_orders_that_are_gone_say_how(paper, alice):
    filled = enter(alice)
    with pytest.raises(ccxt.ExchangeError) as refused:
        alice.cancel_order(filled["id"], SYMBOL)
    assert code(refused) == 80018
    for ask in (alice.cancel_order, alice.fetch_order):
        with pytest.raises(ccxt.OrderNotFound) as refused:
            ask("1899999999999999999", SYMBOL)
        assert code(refused) == 109421


def test_the_balance_shows_margin_in_use_and_frozen(alice):
    enter(alice, "0.1")
    buy(alice, "0.1", "50000")
    [usdt, _usdc] = alice.swap_v3_private_get_user_balance()["data"]
    assert Decimal(usdt["usedMargin"]) == 600
    assert Decimal(usdt["freezedMargin"]) == 500 + Decimal("2.5")
    assert Decimal(usdt["availableMargin"]) == Decimal(usdt["equity"]) - 600 - Decimal("502.5")
    assert alice.fetch_balance()["USDT"]["free"] == usdt["availableMargin"]


def test_funding_and_fees_are_in_the_income(paper, alice):
    enter(alice, "0.1")
    paper.post("clock", advance_ms=8 * 3_600_000)
    client = paper.client("alice")
    client.nonce = lambda: client.milliseconds() + 8 * 3_600_000
    [funding] = client.fetch_funding_history(SYMBOL)
    assert funding["amount"] == "-0.60000000"
    kinds = [row["incomeType"] for row in client.swap_v2_private_get_user_income({"symbol": "BTC-USDT"})["data"]]
    assert kinds == ["FUNDING_FEE", "TRADING_FEE"]


def test_market_data_reads_as_ccxt_expects(paper, alice):
    paper.price("60100")
    ticker = alice.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == ("60100", "60100.0", "60100.0")
    assert alice.fetch_ohlcv(SYMBOL, "1m")[-1][4] == "60100"
    assert alice.fetch_funding_rate(SYMBOL)["markPrice"] == "60100"
    assert alice.fetch_order_book(SYMBOL)["asks"][0][0] == 60100
    assert alice.fetch_trades(SYMBOL)[-1]["price"] == "60100"
    assert alice.fetch_trading_fee(SYMBOL)["taker"] == "0.0005"


def test_a_key_of_one_exchange_is_unknown_to_the_others_door(paper):
    with pytest.raises(ccxt.AuthenticationError, match="100413"):
        paper.client("carol").fetch_balance()
    bybit = ccxt.bybit({"apiKey": "alice", "secret": "alice-secret", "urls": {"api": {"private": paper.url}}})
    with pytest.raises(ccxt.AuthenticationError, match="10003"):
        bybit.private_get_v5_account_info()


def test_an_account_is_opened_for_one_exchange(paper):
    opened = paper.post("accounts", key="dave", secret="dave-secret", exchange="bingx")
    assert (opened["created"], opened["exchange"]) == (True, "bingx")
    assert paper.client("dave").fetch_balance()["USDT"]["free"] == "10000.00000000"
    answer = requests.post(f"{paper.url}/__paper/accounts", json={"key": "dave", "secret": "dave-secret"}, timeout=5)
    assert answer.status_code == 400
