"""Every fault switch works on the BingX door, by its own paths and by Bybit's names for the same things."""

import ccxt
import pytest

from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, buy, code, enter


def arm(paper, fault, endpoint="", count="1", **rule):
    paper.post("faults", fault=fault, endpoint=endpoint, count=count, **rule)


@pytest.mark.parametrize("endpoint", ["order/create", "POST swap/v2/trade/order", "POST /openApi/swap/v2/trade/order"])
def test_an_order_whose_answer_is_lost_rests_all_the_same(paper, alice, endpoint):
    arm(paper, "drop_response", endpoint)
    with pytest.raises(ccxt.NetworkError):
        buy(alice, clientOrderId="lost")
    assert [row["clientOrderId"] for row in alice.fetch_open_orders(SYMBOL)] == ["lost"]
    with pytest.raises(ccxt.DuplicateOrderId):
        buy(alice, clientOrderId="lost")


def test_a_request_that_is_lost_never_happened(paper, alice):
    arm(paper, "drop_request", "order/create")
    with pytest.raises(ccxt.NetworkError):
        buy(alice)
    assert alice.fetch_open_orders(SYMBOL) == []


def test_a_method_in_a_rule_tells_cancels_from_orders_of_one_path(paper, alice):
    arm(paper, "drop_response", "DELETE swap/v2/trade/order")
    order = buy(alice)
    with pytest.raises(ccxt.NetworkError):
        alice.cancel_order(order["id"], SYMBOL)
    assert alice.fetch_open_orders(SYMBOL) == []


def test_a_body_that_is_empty_or_no_json_raises_nothing_in_ccxt(paper, alice):
    buy(alice)
    for fault in ("empty_body", "garbage_body"):
        arm(paper, fault, "order/realtime")
        assert alice.fetch_open_orders(SYMBOL) == []
    assert len(alice.fetch_open_orders(SYMBOL)) == 1


def test_lists_come_empty_or_cut_without_a_word(paper, alice):
    for price in ("59000", "58000"):
        buy(alice, price=price)
    arm(paper, "empty_list", "order/realtime")
    assert alice.fetch_open_orders(SYMBOL) == []
    arm(paper, "truncated_page", "order/realtime")
    assert len(alice.fetch_open_orders(SYMBOL)) == 1
    enter(alice)
    arm(paper, "empty_list", "position/list")
    assert alice.fetch_positions() == []
    arm(paper, "empty_list", "execution/list")
    assert alice.swap_v2_private_get_trade_fillhistory({})["data"] == {"fill_history_orders": [], "total": 0}


def test_a_refusal_may_be_injected_by_either_exchanges_number(paper, alice):
    for number, expected in ((100410, 100410), (10006, 100410), (10016, 109500), (109201, 109201)):
        arm(paper, "ret_code", "order/create", code=str(number))
        with pytest.raises(ccxt.BaseError) as refused:
            buy(alice)
        assert code(refused) == expected


def test_a_status_of_the_gateway_comes_through(paper, alice):
    arm(paper, "http_status", "order/create", status="504")
    with pytest.raises(ccxt.NetworkError):
        buy(alice)


def test_reads_may_lag_and_ended_orders_vanish_for_a_while(paper, alice):
    paper.post("faults", fault="lag", delay_ms="60000", endpoint="position/list")
    enter(alice)
    assert alice.fetch_positions() == []
    paper.post("faults", fault="vanish_ms", delay_ms="60000", endpoint="GET swap/v2/trade/order")
    order = buy(alice)
    alice.cancel_order(order["id"], SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        alice.fetch_order(order["id"], SYMBOL)


def test_a_symbol_in_a_rule_is_the_venues(paper, alice):
    arm(paper, "ret_code", "order/create", symbol="ETHUSDT")
    assert buy(alice)["id"]
    with pytest.raises(ccxt.OperationFailed):
        alice.create_order("ETH/USDT:USDT", "limit", "buy", "0.1", "2900", LONG)


def test_history_may_be_forgotten(paper, alice):
    enter(alice)
    paper.post("faults", fault="forget_history", delay_ms="1", endpoint="execution/list")
    paper.post("clock", advance_ms=1_000)
    assert alice.swap_v2_private_get_trade_fillhistory({})["data"]["fill_history_orders"] == []
