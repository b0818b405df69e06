"""Conditional orders and the take-profit and stop-loss of a position."""

from decimal import Decimal

import pytest

from blitz.paper.engine import OrderStatus, StopMode, StopOrderType, TriggerBy, TriggerDirection

RISE, FALL = TriggerDirection.RISE, TriggerDirection.FALL


def states(hand, order):
    rows = [event.row for event in hand.venue.drain_events() if event.kind.value == "order"]
    return [row.status.value for row in rows if row.order_id == order.order_id]


def test_a_stop_goes_through_its_states_under_one_id(hand):
    order = hand.buy("0.1", "60900", trigger_price="61000", trigger_direction=RISE)
    hand.sweep("61000")
    hand.sweep("60900")

    assert states(hand, order) == ["Untriggered", "Triggered", "New", "Filled"]
    assert hand.account.executions[-1].is_maker


def test_in_a_sweep_a_stop_fills_at_its_trigger(hand):
    hand.buy("0.1")
    hand.sell("0.1", trigger_price="58000", trigger_direction=FALL, reduce_only=True)

    hand.sweep("50000")

    assert hand.account.executions[-1].price == Decimal(58_000)


def test_in_a_jump_a_stop_fills_at_the_new_price(hand):
    hand.buy("0.1")
    hand.sell("0.1", trigger_price="58000", trigger_direction=FALL, reduce_only=True)

    hand.jump("50000")

    assert hand.account.executions[-1].price == Decimal(50_000)


def test_a_trigger_on_the_mark_price_ignores_the_last_price(hand):
    order = hand.buy("0.1", trigger_price="61000", trigger_direction=RISE, trigger_by=TriggerBy.MARK)
    hand.venue.set_mark("BTCUSDT", Decimal(60_000), 0)

    hand.sweep("62000")
    assert hand.order(order).status is OrderStatus.UNTRIGGERED
    hand.venue.set_mark("BTCUSDT", Decimal(61_000), 0)
    assert hand.order(order).average_price == Decimal(62_000)


def test_a_triggered_order_the_account_cannot_carry_is_rejected(hand):
    order = hand.buy("10", trigger_price="61000", trigger_direction=RISE)
    hand.buy("10")

    hand.sweep("61000")

    assert hand.order(order).status is OrderStatus.REJECTED
    assert hand.position().size == Decimal(10)


def test_a_conditional_order_occupies_no_margin(hand):
    hand.buy("10", trigger_price="61000", trigger_direction=RISE)
    assert hand.venue.wallet(hand.account).order_initial_margin == 0


def test_position_stops_are_nameless_children_that_follow_the_size(hand):
    hand.buy("0.1")
    hand.stops(take_profit="62000", stop_loss="58000")
    hand.buy("0.2")

    children = hand.account.open_orders()

    assert [child.stop_order_type for child in children] == [StopOrderType.TAKE_PROFIT, StopOrderType.STOP_LOSS]
    assert {(child.link_id, child.quantity, child.reduce_only) for child in children} == {("", Decimal("0.3"), True)}
    assert (hand.position().take_profit, hand.position().stop_loss) == (Decimal(62_000), Decimal(58_000))


def test_the_child_that_fires_closes_the_position_and_the_other_one_goes(hand):
    hand.buy("0.1")
    hand.stops(take_profit="62000", stop_loss="58000")

    hand.sweep("62000")

    fired, gone = hand.account.order_history()[-2:]
    assert (fired.create_type, fired.average_price) == ("CreateByTakeProfit", Decimal(62_000))
    assert (gone.status, gone.cancel_type) == (OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")
    assert hand.position().size == 0


def test_setting_a_stop_again_moves_it_and_zero_removes_it(hand):
    hand.buy("0.1")
    hand.stops(stop_loss="58000")
    (child,) = hand.account.open_orders()

    hand.stops(stop_loss="58500")
    assert hand.order(child).trigger_price == Decimal(58_500)
    assert hand.code(lambda: hand.stops(stop_loss="58500")) == 34040
    hand.stops(stop_loss="0")
    assert not hand.account.open_orders()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"take_profit": "59000"}, 10001),  # a long takes profit above
        ({"stop_loss": "61000"}, 10001),
        ({"stop_loss": "58000.03"}, 10001),
        ({"stop_loss": "NaN"}, 10001),
        ({"stop_loss": "-1"}, 10001),
        ({"stop_loss": "58000", "tpsl_mode": StopMode.PARTIAL}, 10001),  # no size
        ({"stop_loss": "58000", "tpsl_mode": StopMode.PARTIAL, "sl_size": "9"}, 10001),  # above the position
        ({"stop_loss": "58000", "position_idx": 1}, 10001),
        ({}, 34040),
    ],
)
def test_trading_stops_that_make_no_sense_are_refused(hand, options, code):
    hand.buy("0.1")
    assert hand.code(lambda: hand.stops(**options)) == code


def test_a_trading_stop_needs_a_position(hand):
    assert hand.code(lambda: hand.stops(stop_loss="58000")) == 10001


def test_partial_stops_add_up_and_shrink_with_the_position(hand):
    hand.buy("0.3")
    hand.stops(take_profit="61000", tp_size="0.1", tpsl_mode=StopMode.PARTIAL)
    hand.stops(take_profit="62000", tp_size="0.2", tp_limit_price="62100", tpsl_mode=StopMode.PARTIAL)

    hand.sweep("61000")
    assert hand.position().size == Decimal("0.2")
    hand.sell("0.15")
    assert [child.quantity for child in hand.account.open_orders()] == [Decimal("0.05")]
    hand.sweep("62100")
    assert hand.account.executions[-1].price == Decimal(62_100)


def test_the_twenty_first_partial_stop_is_refused(hand):
    hand.buy("0.3")
    for step in range(20):
        hand.stops(take_profit=str(61_000 + step), tp_size="0.1", tpsl_mode=StopMode.PARTIAL)

    assert hand.code(lambda: hand.stops(stop_loss="50000", sl_size="0.1", tpsl_mode=StopMode.PARTIAL)) == 110061


def test_stops_attached_to_an_order_appear_with_its_first_fill(hand):
    hand.buy("0.1", "59000", take_profit="61000", stop_loss="58000")
    assert len(hand.account.open_orders()) == 1

    hand.sweep("59000")

    assert (hand.position().take_profit, hand.position().stop_loss) == (Decimal(61_000), Decimal(58_000))


def test_an_attached_stop_that_a_gap_has_passed_fires_at_once(hand):
    hand.buy("0.1", "59000", stop_loss="58000")

    hand.jump("55000")

    assert [row.price for row in hand.account.executions] == [Decimal(59_000), Decimal(55_000)]
    assert hand.position().size == 0
