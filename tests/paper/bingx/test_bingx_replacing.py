"""Amend changes the quantity alone; cancel-replace has two halves, and one of them may be done without the other."""

import ccxt
import pytest

from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, buy, code, enter, take_profit


def replace(client, order, **changes):
    wanted = {"symbol": "BTC-USDT", "type": "LIMIT", "side": "BUY", "positionSide": "LONG", "quantity": "0.01",
              "price": "58000", "cancelOrderId": order["id"], "cancelReplaceMode": "STOP_ON_FAILURE"}  # fmt: skip
    return client.swap_v1_private_post_trade_cancelreplace({**wanted, **changes})["data"]


def amend(client, order, quantity):
    wanted = {"symbol": "BTC-USDT", "orderId": order["id"], "quantity": quantity}
    return client.swap_v1_private_post_trade_amend(wanted)["data"]


def test_amend_changes_the_quantity_and_keeps_everything_else(alice):
    order = buy(alice, clientOrderId="leg")
    assert str(amend(alice, order, "0.02")["quantity"]) == "0.02"
    [resting] = alice.fetch_open_orders(SYMBOL)
    assert (resting["id"], resting["clientOrderId"], resting["amount"]) == (order["id"], "leg", "0.02")
    assert resting["price"] == "59000"


def test_amend_to_the_same_quantity_is_no_error(alice):
    amend(alice, buy(alice), "0.01")


def test_amend_of_a_closing_order_stays_within_what_is_left(alice):
    enter(alice, "0.03")
    first, _second = take_profit(alice, "0.01"), take_profit(alice, "0.01", "62000")
    amend(alice, first, "0.02")
    with pytest.raises(ccxt.ExchangeError) as refused:
        amend(alice, first, "0.03")
    assert code(refused) == 110424


def test_amend_of_an_order_that_is_gone_is_refused(alice):
    order = buy(alice)
    alice.cancel_order(order["id"], SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        amend(alice, order, "0.02")


def test_edit_order_is_a_new_order_under_a_new_id(alice):
    order = buy(alice, clientOrderId="first")
    edited = alice.edit_order(order["id"], SYMBOL, "limit", "buy", "0.02", "58000", {**LONG, "clientOrderId": "second"})
    [resting] = alice.fetch_open_orders(SYMBOL)
    assert resting["id"] == edited["id"] != order["id"]
    assert (resting["clientOrderId"], resting["price"], resting["amount"]) == ("second", "58000", "0.02")


def test_a_take_profit_moves_although_it_reserved_the_whole_position(alice):
    enter(alice, "0.01")
    order = take_profit(alice)
    done = replace(alice, order, side="SELL", price="62000")
    assert (done["cancelResult"], done["replaceResult"]) == ("true", "true")
    assert [row["price"] for row in alice.fetch_open_orders(SYMBOL)] == ["62000"]


def test_with_stop_on_failure_nothing_is_placed_when_nothing_was_cancelled(alice):
    order = buy(alice)
    alice.cancel_order(order["id"], SYMBOL)
    done = replace(alice, order)
    assert (done["cancelResult"], done["replaceResult"], done["newOrderResponse"]) == ("false", "false", None)
    assert "109421" in done["cancelMsg"]
    assert alice.fetch_open_orders(SYMBOL) == []


def test_with_allow_failure_the_new_order_is_placed_all_the_same(alice):
    order = buy(alice)
    alice.cancel_order(order["id"], SYMBOL)
    done = replace(alice, order, cancelReplaceMode="ALLOW_FAILURE")
    assert (done["cancelResult"], done["replaceResult"]) == ("false", "true")
    assert [row["price"] for row in alice.fetch_open_orders(SYMBOL)] == ["58000"]


def test_a_new_order_that_is_refused_after_the_cancel_leaves_no_order_at_all(alice):
    done = replace(alice, buy(alice), quantity="90")
    assert (done["cancelResult"], done["replaceResult"]) == ("true", "false")
    assert "101204" in done["replaceMsg"]
    assert alice.fetch_open_orders(SYMBOL) == []


def test_what_cannot_be_read_refuses_the_whole_and_cancels_nothing(alice):
    order = buy(alice)
    with pytest.raises(ccxt.BadRequest):
        replace(alice, order, positionSide="UP")
    assert [row["id"] for row in alice.fetch_open_orders(SYMBOL)] == [order["id"]]


def test_the_switch_ends_a_replacement_half_done(paper, alice):
    paper.post("faults", fault="half_replace", code="101253", count="1")
    done = replace(alice, buy(alice))
    assert (done["cancelResult"], done["replaceResult"]) == ("true", "false")
    assert "101253" in done["replaceMsg"]
    assert alice.fetch_open_orders(SYMBOL) == []
    assert replace(alice, buy(alice))["replaceResult"] == "true"


def test_the_new_order_may_not_use_the_old_ones_client_id(alice):
    done = replace(alice, buy(alice, clientOrderId="leg"), clientOrderID="LEG")
    assert (done["cancelResult"], done["replaceResult"]) == ("true", "false")
    assert "101481" in done["replaceMsg"]
