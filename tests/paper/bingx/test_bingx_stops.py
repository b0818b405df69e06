"""Conditional orders at BingX: what they are called, which price they watch, what they close and who gives way."""

import ccxt
import pytest

from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, code, enter, take_profit


def stop(client, quantity="0.01", price="55000", **params):
    return client.create_order(SYMBOL, "market", "sell", quantity, None, {**LONG, "stopLossPrice": price, **params})


def types(client):
    return sorted(row["info"]["type"] for row in client.fetch_open_orders(SYMBOL))


def held(client):
    return {row["side"]: row["contracts"] for row in client.fetch_positions()}


@pytest.mark.parametrize(
    ("kind", "side", "params", "name"),
    [
        ("market", "sell", {"stopLossPrice": "55000"}, "STOP_MARKET"),
        ("limit", "sell", {"stopLossPrice": "55000"}, "STOP"),
        ("market", "sell", {"takeProfitPrice": "65000"}, "TAKE_PROFIT_MARKET"),
        ("limit", "sell", {"takeProfitPrice": "65000"}, "TAKE_PROFIT"),
        ("market", "buy", {"triggerPrice": "61000"}, "TRIGGER_MARKET"),
        ("limit", "buy", {"triggerPrice": "58000"}, "TRIGGER_LIMIT"),
    ],
)
def test_every_conditional_type_rests_under_its_name_and_without_a_client_id(alice, kind, side, params, name):
    enter(alice)
    price = "59000" if kind == "limit" else None
    alice.create_order(SYMBOL, kind, side, "0.01", price, {**LONG, **params, "clientOrderId": "mine"})
    [order] = alice.fetch_open_orders(SYMBOL)
    assert (order["info"]["type"], order["info"]["status"], order["clientOrderId"]) == (name, "NEW", None)
    assert order["info"]["workingType"] == "MARK_PRICE"


def test_a_stop_watches_the_mark_price_unless_told_otherwise(paper, alice):
    enter(alice, "0.02")
    stop(alice)
    paper.post("mark", symbol="BTCUSDT", mark="60000")
    paper.price("54000")
    assert types(alice) == ["STOP_MARKET"]
    paper.post("mark", symbol="BTCUSDT", mark="54000")
    assert types(alice) == []
    assert held(alice) == {"long": "0.01"}


def test_a_stop_on_the_last_price_ignores_the_mark(paper, alice):
    enter(alice)
    stop(alice, workingType="CONTRACT_PRICE")
    paper.post("mark", symbol="BTCUSDT", mark="54000")
    assert types(alice) == ["STOP_MARKET"]
    paper.price("54900")
    assert held(alice) == {}


def test_a_stop_reserves_nothing_and_a_triggered_one_makes_the_take_profit_give_way(paper, alice):
    enter(alice, "0.02")
    order = take_profit(alice, "0.02")
    stop(alice, "0.02")
    assert alice.fetch_positions()[0]["info"]["availableAmt"] == "0"
    paper.price("54000")
    assert held(alice) == {}
    assert alice.fetch_order(order["id"], SYMBOL)["status"] == "canceled"


def test_a_triggered_stop_cuts_resting_closing_orders_only_as_far_as_it_needs(paper, alice):
    enter(alice, "0.03")
    take_profit(alice, "0.03")
    stop(alice, "0.01")
    paper.price("54000")
    [left] = alice.fetch_open_orders(SYMBOL)
    assert (left["amount"], held(alice)) == ("0.02", {"long": "0.02"})


def test_a_stop_needs_a_position_and_stops_of_a_kind_fit_into_it_together(alice):
    with pytest.raises(ccxt.InvalidOrder) as refused:
        stop(alice)
    assert code(refused) == 101205
    enter(alice, "0.02")
    stop(alice, "0.02")
    with pytest.raises(ccxt.ExchangeError) as refused:
        stop(alice, "0.01", "54000")
    assert code(refused) == 110424
    alice.create_order(SYMBOL, "market", "sell", "0.02", None, {**LONG, "takeProfitPrice": "65000"})
    assert types(alice) == ["STOP_MARKET", "TAKE_PROFIT_MARKET"]


def test_a_stop_on_the_wrong_side_of_the_price_is_refused(alice):
    enter(alice)
    with pytest.raises(ccxt.ExchangeError) as refused:
        stop(alice, price="61000")
    assert code(refused) == 110413


def test_stops_go_when_the_position_goes(alice):
    enter(alice)
    stop(alice)
    alice.create_order(SYMBOL, "market", "sell", "0.01", None, LONG)
    assert types(alice) == []


def test_a_stop_for_the_whole_position_follows_it(paper, alice):
    enter(alice)
    stop(alice, None, closePosition=True)
    enter(alice, "0.02")
    [order] = alice.fetch_open_orders(SYMBOL)
    assert order["amount"] == "0.03"
    paper.price("54000")
    assert held(alice) == {}


def test_the_short_side_has_its_own_stops(paper, alice):
    enter(alice, "0.01", "SHORT")
    enter(alice, "0.01")
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, {"positionSide": "SHORT", "stopLossPrice": "65000"})
    paper.price("66000")
    assert held(alice) == {"long": "0.01"}


def test_an_entry_may_carry_its_stops(alice):
    params = {**LONG, "stopLoss": {"triggerPrice": "55000"}, "takeProfit": {"triggerPrice": "65000"}}
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, params)
    assert types(alice) == ["STOP_MARKET", "TAKE_PROFIT_MARKET"]


def test_a_trigger_order_opens_when_the_price_comes(paper, alice):
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, {**LONG, "triggerPrice": "61000"})
    paper.price("61500")
    assert held(alice) == {"long": "0.01"}
