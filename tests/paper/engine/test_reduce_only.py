"""Reduce-only orders: cut when they come, trimmed when the position shrinks, never more than the position."""

from decimal import Decimal

from blitz.paper.engine import OrderStatus, TriggerDirection


def test_a_reduce_only_order_is_cut_to_the_position(hand):
    hand.buy("0.1")
    assert hand.sell("0.5", "61000", reduce_only=True).quantity == Decimal("0.1")


def test_a_second_resting_reduce_only_order_gets_what_the_first_leaves(hand):
    hand.buy("0.3")
    hand.sell("0.2", "61000", reduce_only=True)

    assert hand.sell("0.2", "62000", reduce_only=True).quantity == Decimal("0.1")
    assert hand.code(lambda: hand.sell("0.1", "63000", reduce_only=True)) == 110017


def test_a_market_close_may_use_the_whole_position_and_cancels_what_rested(hand):
    hand.buy("0.3")
    resting = hand.sell("0.3", "61000", reduce_only=True)

    closed = hand.sell("0.3", reduce_only=True)

    assert (closed.status, hand.position().size) == (OrderStatus.FILLED, Decimal(0))
    assert (hand.order(resting).status, hand.order(resting).cancel_type) == (
        OrderStatus.CANCELLED,
        "CancelByReduceOnly",
    )


def test_a_shrinking_position_trims_the_newest_order_first(hand):
    hand.buy("0.3")
    old = hand.sell("0.2", "61000", reduce_only=True)
    new = hand.sell("0.1", "62000", reduce_only=True)

    hand.sell("0.05")
    assert (hand.order(old).quantity, hand.order(new).quantity) == (Decimal("0.2"), Decimal("0.05"))
    hand.sell("0.1")
    assert hand.order(new).cancel_type == "CancelByReduceOnly"
    assert hand.order(old).quantity == Decimal("0.15")


def test_turning_the_position_round_cancels_the_old_sides_orders(hand):
    hand.buy("0.1")
    order = hand.sell("0.1", "61000", reduce_only=True)

    hand.sell("0.3")

    assert hand.order(order).cancel_type == "CancelByReduceOnly"


def test_an_amend_cannot_raise_a_reduce_only_order_above_the_position(hand):
    hand.buy("0.3")
    order = hand.sell("0.2", "61000", reduce_only=True)
    assert hand.amend(order, quantity="0.9").quantity == Decimal("0.3")


def test_quantity_zero_with_close_on_trigger_closes_everything(hand):
    hand.buy("0.123")

    order = hand.sell("0", reduce_only=True, close_on_trigger=True)

    assert (order.filled_quantity, hand.position().size) == (Decimal("0.123"), Decimal(0))


def test_a_closing_order_may_be_worth_less_than_the_minimum(hand):
    hand.jump("4000")
    hand.buy("0.002")
    assert hand.sell("0.001", reduce_only=True).status is OrderStatus.FILLED


def test_closing_needs_no_margin(hand):
    hand.buy("16")
    assert hand.code(lambda: hand.buy("2")) == 110007
    assert hand.sell("16", reduce_only=True).status is OrderStatus.FILLED


def test_an_untriggered_stop_outlives_the_position_and_ends_at_its_trigger(hand):
    hand.buy("0.1")
    stop = hand.sell("0.1", trigger_price="55000", trigger_direction=TriggerDirection.FALL, reduce_only=True)
    hand.sell("0.1", reduce_only=True)

    assert hand.order(stop).status is OrderStatus.UNTRIGGERED
    hand.sweep("54000")
    assert (hand.order(stop).status, hand.order(stop).cancel_type) == (OrderStatus.CANCELLED, "CancelByReduceOnly")
    assert hand.position().size == 0
