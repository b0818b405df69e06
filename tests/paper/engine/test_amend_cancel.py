"""Amending and cancelling open orders."""

from decimal import Decimal

from blitz.paper.engine import OrderStatus, TimeInForce, TriggerDirection


def test_an_amended_order_keeps_its_ids_and_moves_to_its_new_price(hand):
    order = hand.buy("0.1", "59000", link_id="mine")

    amended = hand.amend(order, price="58000", quantity="0.2")

    assert (amended.order_id, amended.link_id) == (order.order_id, "mine")
    hand.sweep("58500")
    assert hand.order(order).status is OrderStatus.NEW
    hand.sweep("58000")
    assert hand.order(order).filled_quantity == Decimal("0.2")


def test_an_amend_that_crosses_the_book_takes(hand):
    order = hand.buy("0.1", "59000")

    amended = hand.amend(order, price="60000")

    assert amended.status is OrderStatus.FILLED
    assert not hand.account.executions[-1].is_maker


def test_a_post_only_order_amended_into_the_market_is_cancelled(hand):
    order = hand.buy("0.1", "59000", time_in_force=TimeInForce.POST_ONLY)
    assert hand.amend(order, price="60000").reject_reason == "EC_PostOnlyWillTakeLiquidity"


def test_after_a_partial_fill_the_amended_quantity_is_the_new_total(hand):
    order = hand.buy("1", "59000")
    hand.venue.set_max_fill(hand.account, Decimal("0.4"))
    hand.sweep("59000")

    assert hand.code(lambda: hand.amend(order, quantity="0.4")) == 110064
    amended = hand.amend(order, quantity="0.6")
    assert (amended.filled_quantity, amended.leaves_quantity) == (Decimal("0.4"), Decimal("0.2"))


def test_amends_are_refused_with_their_codes_and_leave_the_order_as_it_was(hand):
    order = hand.buy("0.1", "59000")
    filled = hand.buy("0.1")
    before = hand.venue.snapshot()

    refused = [
        (lambda: hand.amend(order, price="59000"), 10001),  # no change
        (lambda: hand.amend(order), 10001),
        (lambda: hand.amend(order, price="59000.01"), 10001),
        (lambda: hand.amend(order, quantity="0.0005"), 10001),
        (lambda: hand.amend(order, price="1e9"), 110003),
        (lambda: hand.amend(order, quantity="1000"), 110007),
        (lambda: hand.amend(order, trigger_price="61000"), 10001),  # not conditional
        (lambda: hand.amend(filled, quantity="0.2"), 110001),  # too late
    ]
    assert [hand.code(action) for action, _ in refused] == [code for _, code in refused]
    assert hand.venue.snapshot() == before


def test_a_conditional_order_can_be_given_another_trigger(hand):
    order = hand.buy("0.1", trigger_price="61000", trigger_direction=TriggerDirection.RISE)

    hand.amend(order, trigger_price="62000")
    hand.sweep("61500")
    assert hand.order(order).status is OrderStatus.UNTRIGGERED
    assert hand.code(lambda: hand.amend(order, trigger_price="61000")) == 110092
    hand.sweep("62000")
    assert hand.order(order).status is OrderStatus.FILLED


def test_cancelling_ends_an_order_once(hand):
    order = hand.buy("0.1", "59000", link_id="mine")

    cancelled = hand.venue.cancel_order(hand.account, "BTCUSDT", None, "mine", hand.now_ms)

    assert (cancelled.status, cancelled.cancel_type) == (OrderStatus.CANCELLED, "CancelByUser")
    assert hand.code(lambda: hand.cancel(order)) == 110001
    hand.sweep("58000")
    assert not hand.account.executions


def test_cancelling_needs_an_id_and_the_right_symbol(hand):
    order = hand.buy("0.1", "59000")
    cancel = hand.venue.cancel_order

    assert hand.code(lambda: cancel(hand.account, "BTCUSDT", None, None, 0)) == 10001
    assert hand.code(lambda: cancel(hand.account, "ETHUSDT", order.order_id, None, 0)) == 110001


def test_a_stranger_cannot_cancel_somebody_elses_order(hand, other):
    order = hand.buy("0.1", "59000")
    assert other.code(lambda: other.cancel(order)) == 110001
    assert hand.order(order).status is OrderStatus.NEW


def test_an_untriggered_order_ends_deactivated(hand):
    order = hand.buy("0.1", trigger_price="61000", trigger_direction=TriggerDirection.RISE)
    assert hand.cancel(order).status is OrderStatus.DEACTIVATED


def test_cancel_all_takes_one_symbol_or_all_and_the_kinds_it_is_asked_for(hand):
    hand.buy("0.1", "59000")
    hand.buy("0.1", trigger_price="61000", trigger_direction=TriggerDirection.RISE)
    hand.buy("1", "2900", symbol="ETHUSDT")
    cancel_all = hand.venue.cancel_all

    assert len(cancel_all(hand.account, "BTCUSDT", None, "StopOrder", 0)) == 1
    assert [order.symbol for order in cancel_all(hand.account, "BTCUSDT", None, None, 0)] == ["BTCUSDT"]
    assert [order.symbol for order in cancel_all(hand.account, None, "USDT", None, 0)] == ["ETHUSDT"]
    assert hand.code(lambda: cancel_all(hand.account, None, None, None, 0)) == 10001
    assert not hand.account.open_orders()
