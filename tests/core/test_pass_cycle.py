"""One cycle from entry to flat: what rests at each step, and in which order the work is done."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, CancelOrder, Refusal, Rejected, SendOrder
from blitz.core.orders import TAKE_PROFIT, ZERO, Direction, FillKind, OrderType
from blitz.core.records import CycleEnd, IdRegime
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

WHOLE = {"tp": "0.016", "leg_1": "0.016", "leg_2": "0.034", "leg_3": "0.069"}


def whole_ladder() -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in WHOLE.items()}


def test_a_bot_enters_at_market_and_rests_the_whole_ladder_under_the_documented_tags():
    rig = Rig()
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert rig.venue.tags() == sorted(rig.tag(name) for name in WHOLE)
    prices = {order.client_id.rsplit("_", 2)[0]: order.price for order in rig.venue.resting()}
    assert prices == {
        "sm_tp": Decimal(60300),
        "sm_leg_1": Decimal(59400),
        "sm_leg_2": Decimal(58806),
        "sm_leg_3": Decimal("57629.9"),
    }


def test_after_the_entry_exits_are_sent_before_legs_and_legs_nearest_first():
    rig = Rig(settings=replace(LONG, stop_loss=Decimal(40)))
    rig.rest()
    sent = [str(call.order.key) for call in rig.venue.calls if isinstance(call, SendOrder)]
    assert sent == ["leg_0", "tp", "sl", "leg_1", "leg_2", "leg_3"]


def test_a_filled_leg_moves_the_take_profit_in_place_to_quantity_and_price_at_once():
    rig = Rig()
    rig.rest()
    before = rig.venue.live(rig.tag("tp"))
    rig.go("59400")
    after = rig.venue.live(rig.tag("tp"))
    assert after.order_id == before.order_id
    assert (after.quantity, after.price) == (Decimal("0.032"), Decimal("59998.5"))
    assert sum(isinstance(call, AmendOrder) for call in rig.venue.calls) == 1


def test_a_gap_through_several_legs_is_answered_with_one_move_of_the_take_profit():
    rig = Rig()
    rig.rest()
    rig.go("57000")
    assert rig.quantities() == {"tp": Decimal("0.135")}
    assert sum(isinstance(call, AmendOrder) for call in rig.venue.calls) == 1


@pytest.mark.parametrize("settings", [LONG, SHORT], ids=["long", "short"])
def test_a_filled_take_profit_ends_the_cycle_pulls_own_legs_and_starts_the_next(settings):
    rig = Rig(settings=settings)
    rig.rest()
    rig.go("60300" if settings is LONG else "59700")
    closed, opened = rig.journal.cycles[1], rig.journal.cycles[2]
    assert (closed.end, closed.legs_filled, opened.ended_ms) == (CycleEnd.TAKE_PROFIT, 1, None)
    assert closed.realised == Decimal("0.016") * 300
    assert set(rig.quantities()) == {"tp", "leg_1", "leg_2", "leg_3"}


def test_a_leg_that_fills_after_the_take_profit_is_covered_and_the_ladder_does_not_grow_again():
    rig = Rig()
    rig.rest()
    rig.venue.move("60300")
    rig.go("59400")
    assert rig.quantities() == {"tp": Decimal("0.016")}
    rig.go("59697")
    assert rig.journal.cycles[1].end is CycleEnd.TAKE_PROFIT
    assert rig.journal.cycles[1].legs_filled == 2


def test_without_repeat_the_bot_finishes_after_the_cycle_with_nothing_left_resting():
    rig = Rig(settings=replace(LONG, repeat=False))
    rig.rest()
    result = rig.go("60300")
    assert result.finish is not None
    assert result.finish.code == "cycle_done"
    assert (rig.quantities(), rig.venue.held) == ({}, ZERO)


def test_asked_to_stop_after_the_cycle_the_bot_does_not_begin_another():
    rig = Rig()
    rig.rest()
    rig.last_cycle = True
    result = rig.go("60300")
    assert result.finish is not None
    assert list(rig.journal.cycles) == [1]


def test_a_second_cycle_takes_the_next_generation_where_ids_stay_taken_and_the_same_id_where_not():
    for regime, tag in (("never", "_1"), ("reusable", ""), ("unenforced", "")):
        rig = Rig(venue=ScriptedVenue(regime=regime))
        rig.rest()
        rig.go("60300")
        assert rig.venue.live(rig.tag("leg_2")).client_id == rig.tag("leg_2") + tag
        assert rig.journal.regime is (IdRegime.NEVER if tag else IdRegime.REUSABLE)


def test_a_partly_filled_leg_keeps_resting_and_the_take_profit_covers_the_filled_part():
    rig = Rig()
    rig.rest()
    rested = rig.venue.live(rig.tag("leg_2"))
    rig.venue.fill(rested.order_id, Decimal("0.010"), Decimal(58_806))
    rig.rest()
    assert rig.venue.live(rig.tag("leg_2")).order_id == rested.order_id
    assert rig.quantities()["tp"] == Decimal("0.026")
    assert rig.quantities()["leg_2"] == Decimal("0.024")


def test_a_partly_filled_leg_whose_rest_is_below_the_minimum_still_keeps_resting():
    rig = Rig(settings=replace(LONG, take_profit=Decimal(500)))
    rig.instrument = replace(rig.instrument, notional_min=Decimal(100))
    rig.restart()
    rig.rest()
    rig.venue.fill(rig.venue.live(rig.tag("leg_2")).order_id, Decimal("0.033"), Decimal(58_806))
    rig.rest()
    assert rig.quantities()["leg_2"] == Decimal("0.001")


def test_a_rest_below_the_minimum_is_not_sent_again_once_it_is_gone():
    rig = Rig(settings=replace(LONG, take_profit=Decimal(500)))
    rig.instrument = replace(rig.instrument, notional_min=Decimal(100))
    rig.restart()
    rig.rest()
    rig.venue.fill(rig.venue.live(rig.tag("leg_2")).order_id, Decimal("0.033"), Decimal(58_806))
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.rest()
    assert "leg_2" not in rig.quantities()


def test_a_partly_filled_take_profit_keeps_covering_exactly_what_is_left():
    rig = Rig()
    rig.rest()
    rig.venue.fill(rig.venue.live(rig.tag("tp")).order_id, Decimal("0.006"), Decimal(60_300))
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.010")
    rig.go("59400")
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.026")


def test_an_entry_that_fills_partly_gets_a_ladder_from_its_real_average():
    rig = Rig()
    rig.run_pass()
    entry = rig.journal.slots["BTC/USDT:USDT", rig.sent("leg_0")[0].order.key]
    rig.venue.fills[0] = replace(rig.venue.fills[0], quantity=Decimal("0.010"), price=Decimal(59_990))
    rig.venue.held = Decimal("0.010")
    record = rig.venue.records[entry.order_id]
    rig.venue._put(replace(record.order, filled=Decimal("0.010")), terminal=True, reason="EC_NoImmediateQtyToFill")
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.010")
    assert rig.venue.live(rig.tag("leg_1")).price == Decimal("59390.1")
    assert len(rig.sent("leg_0")) == 1


def test_an_entry_the_venue_accepts_and_cancels_unfilled_is_not_hammered():
    rig = Rig()
    rig.run_pass()
    entry = rig.journal.slots["BTC/USDT:USDT", rig.sent("leg_0")[0].order.key]
    rig.venue.fills.clear()
    rig.venue.held = Decimal(0)
    empty = replace(rig.venue.records[entry.order_id].order, filled=Decimal(0))
    rig.venue._put(empty, terminal=True, reason="EC_NoImmediateQtyToFill")
    for _ in range(20):
        rig.venue.now_ms += rig.run_pass().wake_in_ms or 10
        if len(rig.sent("leg_0")) > 1:
            break
    assert rig.sent("leg_0")[1].expires_ms - rig.sent("leg_0")[0].expires_ms >= 10_000


def test_a_stop_loss_ends_the_cycle_as_such_and_the_next_one_starts():
    rig = Rig(settings=replace(LONG, rounds=1, stop_loss=Decimal(40)))
    rig.rest()
    assert rig.venue.live(rig.tag("sl")).trigger == Decimal(57_600)
    rig.go("57500")
    assert rig.journal.cycles[1].end is CycleEnd.STOP_LOSS
    assert set(rig.quantities()) == {"tp", "sl"}


def test_a_stop_follows_the_average_and_covers_the_whole_position():
    rig = Rig(settings=replace(LONG, stop_loss=Decimal(40)))
    rig.rest()
    rig.go("59400")
    stop = rig.venue.live(rig.tag("sl"))
    assert (stop.quantity, stop.trigger) == (Decimal("0.032"), Decimal(57312))


def test_a_stop_whose_trigger_has_passed_closes_at_market_and_reduce_only():
    rig = Rig(settings=replace(LONG, rounds=1, stop_loss=Decimal(40), repeat=False))
    rig.run_pass()
    rig.venue.price = Decimal(57_000)
    rig.rest()
    last = rig.sent("sl")[-1].order
    assert (last.type, last.reduce_only, last.direction) == (OrderType.MARKET, True, Direction.SELL)
    assert rig.venue.held == 0
    assert rig.journal.cycles[1].end is CycleEnd.STOP_LOSS


def test_a_stop_at_market_whose_id_is_taken_goes_out_under_the_next_generation_at_once():
    rig = Rig(settings=replace(LONG, rounds=1, stop_loss=Decimal(40), take_profit=Decimal(0), repeat=False))
    rig.rest()
    rig.venue.cancel_by_hand(rig.tag("sl"))
    rig.venue.price = Decimal(57_000)
    rig.rest()
    assert rig.venue.held == 0
    assert rig.venue.now_ms - rig.venue.fills[0].at_ms < 4_000


def test_the_books_of_a_cycle_equal_the_venue_fill_by_fill():
    rig = Rig()
    rig.rest()
    rig.go("58000")
    rig.go("59700")
    mine, theirs = rig.journal.cycles[1], rig.venue.fills[:-1]
    signed = [(-1 if fill.direction is Direction.BUY else 1) * fill.quantity * fill.price for fill in theirs]
    assert mine.realised == sum(signed)
    assert mine.fees == sum(fill.fee for fill in theirs)
    assert list(rig.journal.fills) == [fill.exec_id for fill in rig.venue.fills]


def test_orders_and_positions_of_others_survive_every_step():
    rig = Rig()
    for client_id in ("", "sm_tp_77_BTCUSDTUSDT", "sm_leg_1_7_ETHUSDTUSDT", "my-own"):
        rig.venue.foreign(Direction.SELL, "1", "99000", client_id)
    rig.rest()
    rig.venue.foreign(Direction.SELL, "0.001", "98000", reduce_only=True)
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.rest()
    rig.go("57000")
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held
    cancelled = {call.order_id for call in rig.venue.calls if isinstance(call, CancelOrder)}
    assert not cancelled & rig.venue.foreign_ids
    assert rig.venue.foreign_ids <= {order.order_id for order in rig.venue.resting()}


def test_an_order_refused_for_margin_waits_and_the_exits_are_not_touched():
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.MARGIN, code="110007", message="ab not enough"), tag="sm_leg_3")
    for _ in range(6):
        rig.run_pass()
    assert set(rig.quantities()) == {"tp", "leg_1", "leg_2"}
    assert rig.memory.attention is not None
    rig.rest()
    assert set(rig.quantities()) == set(WHOLE)
    assert rig.memory.attention is None


@pytest.mark.parametrize("refusal", list(Refusal))
def test_whatever_a_leg_is_refused_for_the_ladder_is_whole_again_once_the_venue_takes_it(refusal):
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=refusal, code="1", message="no"), tag="sm_leg_2")
    rig.rest()
    assert rig.quantities() == whole_ladder()
    assert rig.memory.attention is None


@pytest.mark.parametrize("refusal", list(Refusal))
def test_no_refusal_of_the_take_profit_becomes_a_busy_loop(refusal):
    rig = Rig()
    rig.rest()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    for _ in range(4):
        rig.venue.fault(SendOrder, Rejected(refusal=refusal, code="1", message="no"), tag="sm_tp")
    rig.rest()
    assert rig.quantities() == whole_ladder()
    assert len(rig.sent("tp")) <= 7


def test_a_liquidation_ends_the_cycle_takes_the_legs_back_and_stops_the_bot():
    rig = Rig()
    rig.rest()
    rig.venue.trade_by_hand(Direction.SELL, "0.016", FillKind.LIQUIDATION)
    result = rig.rest()
    assert rig.journal.cycles[1].end is CycleEnd.LIQUIDATED
    assert result.finish is not None
    assert (rig.quantities(), result.finish.code) == ({}, "liquidated")


def test_an_auto_deleveraging_shrinks_the_take_profit_to_what_is_left():
    rig = Rig()
    rig.rest()
    rig.venue.trade_by_hand(Direction.SELL, "0.006", FillKind.ADL)
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.010")


def test_a_settings_change_does_not_touch_the_running_cycle_but_the_next_one():
    rig = Rig()
    rig.rest()
    rig.memory.settings = replace(LONG, take_profit=Decimal(10))
    rig.rest()
    assert rig.venue.live(rig.tag("tp")).price == Decimal(60_300)
    rig.go("60300")
    assert rig.venue.live(rig.tag("tp")).price == Decimal(60_903)
    assert rig.memory.slot(TAKE_PROFIT).price == Decimal(60_903)
