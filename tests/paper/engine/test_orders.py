"""Market and limit orders: where they trade, at what price and fee, and what happens to the rest."""

from decimal import Decimal

import pytest

from blitz.paper.engine import OrderStatus, Side, TimeInForce


def test_a_small_market_order_trades_exactly_at_the_last_price_and_pays_the_taker_fee(hand):
    order = hand.buy("0.1")

    assert (order.status, order.average_price) == (OrderStatus.FILLED, Decimal(60_000))
    assert order.fee_paid == Decimal(6000) * Decimal("0.00055")
    assert hand.account.wallet_balance == Decimal("99996.7")


def test_a_large_market_order_walks_the_book_level_by_level(hand):
    hand.venue.set_book("BTCUSDT", first_level_notional=Decimal(60_000))

    order = hand.buy("2.5")

    fills = [(row.price, row.quantity) for row in hand.account.executions]
    assert fills[0] == (Decimal(60_000), Decimal(1))
    assert fills[1] == (Decimal("60000.1"), Decimal("1.5"))
    assert order.average_price == (Decimal(60_000) + Decimal("1.5") * Decimal("60000.1")) / Decimal("2.5")


def test_what_a_market_order_does_not_get_inside_the_book_is_cancelled(hand):
    hand.venue.set_book("BTCUSDT", first_level_notional=Decimal(1))

    order = hand.buy("5")

    assert (order.status, order.reject_reason) == (OrderStatus.CANCELLED, "EC_NoImmediateQtyToFill")
    assert Decimal(0) < order.filled_quantity < Decimal(5)
    assert hand.position().size == order.filled_quantity


def test_a_limit_order_below_the_market_rests_and_fills_at_its_own_price_as_maker(hand):
    order = hand.buy("0.1", "59400")
    assert order.status is OrderStatus.NEW

    hand.sweep("59000")

    fill = hand.account.executions[-1]
    assert (fill.price, fill.is_maker, fill.fee) == (Decimal(59_400), True, Decimal(5940) * Decimal("0.0002"))
    assert hand.order(order).status is OrderStatus.FILLED


def test_touching_the_price_is_enough_and_one_tick_short_is_not(hand):
    order = hand.sell("0.1", "60100")

    hand.sweep("60099.9")
    assert hand.order(order).status is OrderStatus.NEW
    hand.sweep("60100")
    assert hand.order(order).status is OrderStatus.FILLED


def test_a_crossing_limit_takes_what_the_book_has_and_rests_the_remainder(hand):
    hand.venue.set_book("BTCUSDT", first_level_notional=Decimal(60_000))

    order = hand.buy("1.5", "60000")

    assert (order.status, order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Decimal(1))
    assert not hand.account.executions[0].is_maker
    hand.sweep("60000")
    assert hand.order(order).status is OrderStatus.FILLED
    assert hand.account.executions[1].is_maker


@pytest.mark.parametrize(
    ("force", "price", "status", "filled"),
    [
        (TimeInForce.GTC, "59999.9", OrderStatus.NEW, "0"),  # nothing to take: rests
        (TimeInForce.IOC, "59999.9", OrderStatus.CANCELLED, "0"),  # nothing to take: ends
        (TimeInForce.FOK, "59999.9", OrderStatus.CANCELLED, "0"),
        (TimeInForce.POST_ONLY, "59999.9", OrderStatus.NEW, "0"),
        (TimeInForce.GTC, "60000", OrderStatus.PARTIALLY_FILLED, "1"),  # one of two is there
        (TimeInForce.IOC, "60000", OrderStatus.CANCELLED, "1"),
        (TimeInForce.FOK, "60000", OrderStatus.CANCELLED, "0"),  # all or none
        (TimeInForce.POST_ONLY, "60000", OrderStatus.CANCELLED, "0"),  # would take
        (TimeInForce.FOK, "60010", OrderStatus.FILLED, "2"),  # deep enough
    ],
)
def test_time_in_force_decides_about_the_part_that_does_not_trade(hand, force, price, status, filled):
    hand.venue.set_book("BTCUSDT", first_level_notional=Decimal(60_000))

    order = hand.buy("2", price, time_in_force=force)

    assert (order.status, order.filled_quantity) == (status, Decimal(filled))


def test_post_only_that_would_take_is_accepted_and_then_cancelled_with_its_reason(hand):
    order = hand.buy("0.1", "60000", time_in_force=TimeInForce.POST_ONLY)

    assert order.reject_reason == "EC_PostOnlyWillTakeLiquidity"
    assert hand.account.order_history() == [order]
    assert not hand.account.executions


def test_a_spread_makes_buyers_pay_the_ask(hand):
    hand.venue.set_book("BTCUSDT", spread_ticks=2)

    assert hand.buy("0.1").average_price == Decimal("60000.1")
    assert hand.sell("0.1").average_price == Decimal("59999.9")


def test_a_touch_fills_no_more_than_the_partial_fill_knob_allows(hand):
    order = hand.buy("1", "59000")
    hand.venue.set_max_fill(hand.account, Decimal("0.4"))

    seen = []
    for _ in range(3):
        hand.sweep("59000")
        seen.append(hand.order(order).filled_quantity)

    assert seen == [Decimal("0.4"), Decimal("0.8"), Decimal(1)]
    assert hand.order(order).status is OrderStatus.FILLED


def test_orders_at_one_price_fill_in_the_order_they_came(hand, other):
    late, early = other, hand
    early.buy("0.1", "59000")
    late.buy("0.1", "59000")
    hand.venue.drain_events()

    hand.sweep("58000")

    keys = [event.account for event in hand.venue.drain_events() if event.kind.value == "execution"]
    assert keys == ["key", "other"]


def test_events_tell_the_execution_then_the_order_then_position_and_wallet(hand):
    hand.venue.drain_events()
    hand.buy("0.1")

    kinds = [event.kind.value for event in hand.venue.drain_events() if event.account == "key"]
    assert kinds[:4] == ["execution", "order", "position", "wallet"]


def test_the_same_seed_gives_the_same_order_ids(hand):
    first = hand.buy("0.1", "59000")

    assert first.order_id.count("-") == 4
    assert first.order_id != hand.buy("0.1", "59000").order_id


def test_order_lists_keep_creation_order_through_amends(hand):
    orders = [hand.place(Side.BUY, "0.1", str(59_000 - step)) for step in range(5)]
    hand.amend(orders[0], price="58000")

    assert [row.order_id for row in hand.account.open_orders()] == [order.order_id for order in orders]
