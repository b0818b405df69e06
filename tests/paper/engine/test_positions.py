"""Positions in one-way and hedge mode: averages, turns, profit, and the settings of an account."""

from decimal import Decimal

import pytest

from blitz.paper.engine import OrderStatus, Side


def hedge(hand):
    hand.venue.switch_position_mode(hand.account, symbol=hand.symbol, coin=None, hedge=True, now_ms=0)


def test_the_average_of_the_worked_ladder_is_exact(hand):
    hand.buy("0.017")
    hand.buy("0.017", "59400")
    hand.buy("0.034", "58806")
    hand.sweep("58806")

    cost = Decimal("0.017") * 60_000 + Decimal("0.017") * 59_400 + Decimal("0.034") * 58_806
    assert hand.position().value == cost
    assert hand.position().average_price == cost / Decimal("0.068")


def test_profit_from_flat_to_flat_is_exactly_proceeds_minus_cost(hand):
    hand.buy("0.007")
    hand.jump("59999.7")
    hand.buy("0.003")
    hand.jump("60333.3")
    for quantity in ("0.003", "0.003", "0.003", "0.001"):
        hand.sell(quantity)

    cost = Decimal("0.007") * 60_000 + Decimal("0.003") * Decimal("59999.7")
    assert hand.account.realised == Decimal("0.010") * Decimal("60333.3") - cost


def test_a_larger_opposite_order_turns_a_one_way_position_round(hand):
    hand.buy("0.1")
    hand.jump("61000")

    order = hand.sell("0.3")

    position, fill = hand.position(), hand.account.executions[-1]
    assert (position.side, position.size, position.average_price) == (Side.SELL, Decimal("0.2"), Decimal(61_000))
    assert (fill.closed_size, fill.realised, order.status) == (Decimal("0.1"), Decimal(100), OrderStatus.FILLED)


def test_hedge_mode_keeps_both_sides_apart(hand):
    hedge(hand)
    hand.buy("0.1", position_idx=1)
    hand.sell("0.2", position_idx=2)

    assert [(row.side, row.size) for row in hand.venue.positions(hand.account, symbol="BTCUSDT")] == [
        (Side.BUY, Decimal("0.1")),
        (Side.SELL, Decimal("0.2")),
    ]


def test_in_hedge_mode_the_closing_side_acts_as_reduce_only(hand):
    hedge(hand)
    hand.buy("0.1", position_idx=1)

    order = hand.sell("0.5", "61000", position_idx=1)

    assert (order.reduce_only, order.quantity) == (True, Decimal("0.1"))
    assert hand.code(lambda: hand.buy("0.1", position_idx=2)) == 110017


@pytest.mark.parametrize("position_idx", [0, 3, -1])
def test_in_hedge_mode_other_indexes_are_refused(hand, position_idx):
    hedge(hand)
    assert hand.code(lambda: hand.buy("0.1", position_idx=position_idx)) == 10001


def test_a_flat_symbol_shows_its_empty_slots_and_the_coin_only_open_ones(hand):
    assert [row.position_idx for row in hand.venue.positions(hand.account, symbol="BTCUSDT")] == [0]
    hedge(hand)
    assert [(row.position_idx, row.side, row.size) for row in hand.venue.positions(hand.account, symbol="BTCUSDT")] == [
        (1, Side.NONE, Decimal(0)),
        (2, Side.NONE, Decimal(0)),
    ]
    assert hand.venue.positions(hand.account, settle_coin="USDT") == []


def test_the_position_mode_switches_only_when_idle(hand):
    def switch(to_hedge, symbol="BTCUSDT", coin=None):
        hand.venue.switch_position_mode(hand.account, symbol=symbol, coin=coin, hedge=to_hedge, now_ms=0)

    assert hand.code(lambda: switch(False)) == 110025
    order = hand.buy("0.1", "59000")
    assert hand.code(lambda: switch(True)) == 110028
    hand.cancel(order)
    hand.buy("0.1")
    assert hand.code(lambda: switch(True)) == 110024
    assert hand.code(lambda: switch(True, symbol=None, coin="USDT")) == 110024
    hand.sell("0.1")
    switch(True, symbol=None, coin="USDT")
    assert hand.venue.settings(hand.account, "ETHUSDT").is_hedge
    assert hand.code(lambda: switch(True, symbol=None, coin="USDT")) == 110025


def test_leverage_is_checked_and_kept_per_symbol(hand):
    def lever(buy, sell=None, symbol="BTCUSDT"):
        hand.venue.set_leverage(hand.account, symbol, Decimal(buy), Decimal(sell or buy), 0)

    assert [hand.code(lambda b=b, s=s: lever(b, s)) for b, s in [("10", None), ("101", None), ("0", None)]] == [
        110043,
        110013,
        10001,
    ]
    assert hand.code(lambda: lever("5.005")) == 10001
    assert hand.code(lambda: lever("NaN")) == 10001
    assert hand.code(lambda: lever("5", "6")) == 10001
    lever("25")
    assert hand.venue.settings(hand.account, "BTCUSDT").buy_leverage == 25
    assert hand.venue.settings(hand.account, "ETHUSDT").buy_leverage == 10


def test_leverage_cannot_be_lowered_below_what_the_wallet_carries(hand):
    hand.buy("10")

    assert hand.code(lambda: hand.venue.set_leverage(hand.account, "BTCUSDT", Decimal(2), Decimal(2), 0)) == 110012
    assert hand.position().leverage == 10


def test_sides_may_differ_only_in_hedge_and_isolated(hand):
    hedge(hand)
    hand.venue.set_margin_mode(hand.account, isolated=True, now_ms=0)
    hand.venue.set_leverage(hand.account, "BTCUSDT", Decimal(5), Decimal(20), 0)

    assert [row.leverage for row in hand.venue.positions(hand.account, symbol="BTCUSDT")] == [5, 20]


def test_the_margin_mode_is_the_accounts_and_unchanged_is_refused(hand):
    switch = hand.venue.set_margin_mode
    assert hand.code(lambda: switch(hand.account, isolated=False, now_ms=0)) == 110026
    switch(hand.account, isolated=True, now_ms=0)
    assert hand.position().is_isolated


def test_deleveraging_reduces_at_the_mark_without_fee_and_without_client_id(hand):
    hand.buy("0.3", link_id="mine")
    order = hand.sell("0.3", "65000", reduce_only=True, link_id="tp")
    hand.jump("61000")
    fees = hand.account.fees

    hand.venue.deleverage(hand.account, "BTCUSDT", 0, Decimal("0.1"), 0)

    fill = hand.account.executions[-1]
    assert (fill.exec_type.value, fill.link_id, fill.price, fill.side) == ("AdlTrade", "", Decimal(61_000), Side.SELL)
    assert (hand.position().size, hand.account.fees) == (Decimal("0.2"), fees)
    assert hand.order(order).quantity == Decimal("0.2")


def test_closed_profit_rows_are_net_of_their_share_of_fees(hand):
    hand.buy("0.2")
    hand.jump("61000")
    hand.sell("0.1")

    (row,) = hand.account.closed_pnl
    assert (row.realised, row.open_fee, row.close_fee) == (Decimal(100), Decimal("3.3"), Decimal("3.355"))
    assert row.closed_pnl == Decimal("93.345")
