"""An account in one-way mode: BOTH sides are one, and reduce-only says what closes."""

import ccxt
import pytest

from tests.paper.bingx.test_bingx_streams import talk
from tests.paper.bingx.test_bingx_trading import SYMBOL, code


@pytest.fixture
def one_way(alice):
    alice.set_position_mode(False)
    return alice


def trade(client, side, quantity="0.01", price=None, **params):
    return client.create_order(SYMBOL, "limit" if price else "market", side, quantity, price, params)


def test_an_order_against_the_position_turns_it_round(one_way):
    trade(one_way, "buy", "0.01")
    trade(one_way, "sell", "0.03")
    [position] = one_way.fetch_positions()
    assert (position["side"], position["contracts"]) == ("short", "0.02")


def test_reduce_only_is_taken_and_reserves(one_way):
    with pytest.raises(ccxt.InvalidOrder) as refused:
        trade(one_way, "sell", "0.01", "61000", reduceOnly=True)
    assert code(refused) == 101205
    trade(one_way, "buy", "0.01")
    [order] = [trade(one_way, "sell", "0.01", "61000", reduceOnly=True)]
    assert one_way.fetch_order(order["id"], SYMBOL)["reduceOnly"] is True
    with pytest.raises(ccxt.ExchangeError) as refused:
        trade(one_way, "sell", "0.01", "62000", reduceOnly=True)
    assert code(refused) == 110424


def test_leverage_is_one_for_both(one_way):
    one_way.set_leverage(9, SYMBOL, {"side": "BOTH"})
    found = one_way.fetch_leverage(SYMBOL)
    assert (found["longLeverage"], found["shortLeverage"]) == (9, 9)


def test_the_stream_signs_a_short_position(paper, one_way):
    trade(one_way, "sell", "0.02")

    async def story(line):
        [position] = (await line.next())["a"]["P"]
        assert (position["pa"], position["ps"]) == ("-0.02", "BOTH")

    talk(paper, story)
