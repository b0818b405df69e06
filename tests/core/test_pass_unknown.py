"""Answers that never came: an entry waits behind the fence, an exit goes out again at once, nothing is doubled."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import (
    AmendOrder,
    Call,
    CancelOrder,
    PrepareAccount,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    Refusal,
    Rejected,
    SendOrder,
)
from blitz.core.memory import VenueTraits
from blitz.core.orders import TAKE_PROFIT, Direction, leg
from blitz.core.records import CycleEnd, EventKind, IdRegime, SlotState
from blitz.core.work import Mode
from tests.core.ladders import LONG
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

REGIMES = ("never", "reusable", "unenforced")
FENCE_MS = VenueTraits().fence_ms


@pytest.mark.parametrize("regime", REGIMES)
def test_an_unanswered_entry_that_arrived_is_adopted_and_never_sent_again(regime):
    rig = Rig(venue=ScriptedVenue(regime=regime))
    rig.venue.fault(SendOrder, "lost_answer", tag="sm_leg_0")
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert len(rig.sent("leg_0")) == 1


@pytest.mark.parametrize("regime", REGIMES)
def test_an_unanswered_entry_that_never_arrived_keeps_its_id_and_goes_out_again_behind_the_fence(regime):
    rig = Rig(venue=ScriptedVenue(regime=regime))
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.rest()
    first, second = rig.sent("leg_0")
    assert first.client_id == second.client_id == rig.tag("leg_0")
    assert second.expires_ms - first.expires_ms >= FENCE_MS
    assert second.expires_ms - first.expires_ms <= FENCE_MS + 2_000
    assert rig.venue.held == Decimal("0.016")


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", ["leg_0", "leg_2"])
def test_a_request_that_arrives_late_but_inside_its_window_is_never_doubled(regime, name):
    rig = Rig(venue=ScriptedVenue(regime=regime))
    rig.venue.fault(SendOrder, "late", tag=f"sm_{name}")
    rig.rest()
    assert len(rig.sent(name)) == 1
    assert rig.venue.held == Decimal("0.016")
    assert rig.venue.tags() == sorted(rig.tag(key) for key in ("tp", "leg_1", "leg_2", "leg_3"))


def test_while_an_entry_is_unknown_its_slot_is_kept_and_nothing_else_is_entered():
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()
    assert rig.journal.slots["BTC/USDT:USDT", leg(0)].state is SlotState.UNKNOWN
    for _ in range(10):
        rig.venue.now_ms += 500
        rig.run_pass()
    assert len(rig.sent("leg_0")) == 1
    assert EventKind.ORDER_UNKNOWN in rig.kinds()


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
@pytest.mark.parametrize("regime", ["never", "reusable"])
def test_an_unanswered_take_profit_is_seen_to_at_once(regime, fault):
    rig = Rig(venue=ScriptedVenue(regime=regime))
    rig.venue.fault(SendOrder, fault, tag="sm_tp")
    began_ms = rig.venue.now_ms
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.016")
    assert rig.venue.records[rig.venue.live(rig.tag("tp")).order_id].order.created_ms - began_ms < 2_000


def test_where_ids_are_not_enforced_even_a_take_profit_waits_for_the_fence():
    rig = Rig(venue=ScriptedVenue(regime="unenforced"), traits=VenueTraits(ids_enforced=False))
    rig.venue.fault(SendOrder, "lost_request", tag="sm_tp")
    rig.rest()
    first, second = rig.sent("tp")
    assert second.expires_ms - first.expires_ms >= FENCE_MS


def slow(*kinds: type[Call], ms: int = 1_900) -> Callable[[Call], int]:
    return lambda call: ms if isinstance(call, kinds) else 0


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request", "late"])
@pytest.mark.parametrize("name", ["leg_0", "leg_1", "tp"])
@pytest.mark.parametrize("regime", ["never", "reusable"])
@pytest.mark.parametrize("stale", [ReadOpenOrders, ReadOrder, ReadFills, ReadPosition])
def test_a_lost_answer_in_the_second_cycle_under_stale_reads_leaves_one_order_per_tag(regime, name, fault, stale):
    rig = Rig(venue=ScriptedVenue(regime=regime, lag_ms=slow(stale)), patience_ms=2_000)
    rig.rest()
    rig.venue.fault(SendOrder, fault, tag=f"sm_{name}")
    rig.go("60300")
    assert rig.quantities() == {
        "tp": Decimal("0.016"),
        "leg_1": Decimal("0.016"),
        "leg_2": Decimal("0.033"),
        "leg_3": Decimal("0.069"),
    }
    assert rig.venue.held == Decimal("0.016")


@pytest.mark.parametrize("regime", ["never", "reusable"])
def test_all_reads_stale_together_still_leave_one_order_per_tag(regime):
    rig = Rig(venue=ScriptedVenue(regime=regime, lag_ms=lambda call: 1_900), patience_ms=2_000)
    for name in ("leg_0", "tp", "leg_2"):
        rig.venue.fault(SendOrder, "lost_answer", tag=f"sm_{name}")
    rig.rest()
    rig.go("60300")
    assert len(rig.journal.cycles) == 2
    assert rig.venue.held == Decimal("0.016")


@pytest.mark.parametrize("kind", [ReadOpenOrders, ReadFills, ReadPosition, ReadPrice, PrepareAccount])
def test_nothing_is_entered_on_a_read_that_failed(kind):
    rig = Rig()
    for _ in range(5):
        rig.venue.fault(kind, "lost_request")
    for _ in range(5):
        assert not rig.run_pass().settled
    assert rig.sent("leg_0") == []
    rig.rest()
    assert rig.venue.held == Decimal("0.016")


@pytest.mark.parametrize("kind", [ReadOpenOrders, ReadFills, ReadPosition])
def test_a_failed_read_with_a_position_open_changes_no_order(kind):
    rig = Rig()
    rig.rest()
    writes = [call for call in rig.venue.calls if isinstance(call, SendOrder | AmendOrder | CancelOrder)]
    rig.venue.trade_by_hand(Direction.SELL, "0.016")
    rig.venue.fault(kind, "lost_request")
    rig.run_pass()
    assert writes == [call for call in rig.venue.calls if isinstance(call, SendOrder | AmendOrder | CancelOrder)]


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
def test_an_unanswered_amend_is_asked_again_until_the_take_profit_fits(fault):
    rig = Rig()
    rig.rest()
    rig.venue.fault(AmendOrder, fault)
    rig.go("59400")
    take_profit = rig.venue.live(rig.tag("tp"))
    assert (take_profit.quantity, take_profit.price) == (Decimal("0.032"), Decimal("59998.5"))


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
def test_an_unanswered_cancel_is_looked_at_again_before_the_next_cycle(fault):
    rig = Rig()
    rig.rest()
    rig.venue.fault(CancelOrder, fault)
    rig.go("60300")
    assert sorted(rig.journal.cycles) == [1, 2]
    assert EventKind.ORDER_GONE not in rig.kinds()


def test_an_id_taken_by_an_old_order_moves_the_tag_to_its_next_generation_without_waiting():
    rig = Rig()
    rig.rest()
    rig.go("60300")
    assert rig.venue.live(rig.tag("tp")).client_id == rig.tag("tp") + "_1"
    assert rig.journal.regime is IdRegime.NEVER
    assert [call.client_id for call in rig.sent("leg_0")] == [
        rig.tag("leg_0"),
        rig.tag("leg_0"),
        rig.tag("leg_0") + "_1",
    ]


def test_an_id_said_to_be_taken_but_found_nowhere_waits_for_the_fence_and_then_counts_as_burnt():
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.rest()
    first, second = rig.sent("leg_1")
    assert second.client_id == rig.tag("leg_1") + "_1"
    assert second.expires_ms - first.expires_ms >= FENCE_MS


def test_many_taken_ids_that_are_found_nowhere_cost_one_fence_together():
    rig = Rig()
    for _ in range(8):
        rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.rest()
    tries = rig.sent("leg_1")
    generations = (0, 1, 2, 4, 8, 16, 32, 64, 128)
    assert [call.client_id for call in tries] == [rig.memory.tags.write(leg(1), one) for one in generations]
    assert tries[1].expires_ms - tries[0].expires_ms >= FENCE_MS
    assert tries[-1].expires_ms - tries[1].expires_ms < 2_000
    assert rig.memory.searches == {}


def test_a_search_for_a_free_id_waits_for_the_fence_anew_once_an_order_was_taken():
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.rest()
    rig.venue.now_ms += 60_000
    rig.venue.cancel_by_hand(rig.tag("leg_1") + "_1")
    for _ in range(2):  # the first is its own cancelled order, the second is found nowhere
        rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.rest()
    again, found = rig.sent("leg_1")[-2:]
    assert found.expires_ms - again.expires_ms >= FENCE_MS


def test_a_lookup_without_an_answer_never_proves_that_a_taken_id_is_forgotten():
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.run_pass()
    rig.run_pass()
    rig.venue.now_ms += FENCE_MS
    rig.memory.put(replace(rig.memory.slot(leg(1)), state=SlotState.EMPTY, burnt=True))
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.TAKEN, code="110072", message="duplicate"), tag="sm_leg_1")
    rig.venue.fault(ReadOrder, "lost_answer")
    rig.run_pass()
    assert rig.memory.slot(leg(1)).state is SlotState.UNKNOWN
    assert len(rig.sent("leg_1")) == 2


def test_a_taken_exit_that_no_read_shows_yet_is_waited_for_and_not_doubled():
    rig = Rig(venue=ScriptedVenue(lag_ms=slow(ReadOpenOrders, ReadOrder)))
    rig.venue.fault(SendOrder, "lost_answer", tag="sm_tp")
    rig.rest()
    assert rig.venue.live(rig.tag("tp")).client_id == rig.tag("tp")


def test_the_next_cycle_waits_until_an_unanswered_exit_can_no_longer_arrive():
    rig = Rig(venue=ScriptedVenue(regime="reusable"))
    rig.run_pass()
    rig.venue.fault(SendOrder, "late", tag="sm_tp")
    rig.run_pass()
    rig.go("60300")
    rig.go("60400")
    assert rig.venue.held == Decimal("0.016")
    second = rig.sent("leg_0")[1]
    assert second.expires_ms >= rig.sent("tp")[0].expires_ms + FENCE_MS


def test_an_order_of_an_earlier_cycle_brought_back_by_a_stale_list_does_not_block_its_tag():
    rig = Rig(venue=ScriptedVenue(regime="reusable"))
    rig.rest()
    old = rig.venue.live(rig.tag("tp"))
    rig.go("60300")
    rig.venue.now_ms += 5_000
    new = rig.venue.live(rig.tag("tp"))
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.memory.put(replace(rig.memory.slot(TAKE_PROFIT), order_id=old.order_id, last_order_id=""))
    rig.rest()
    assert rig.venue.live(rig.tag("tp")).order_id not in {old.order_id, new.order_id}


def test_a_stale_list_never_lets_an_old_order_stand_in_for_an_unanswered_new_one():
    rig = Rig(venue=ScriptedVenue(regime="reusable"))
    rig.rest()
    old = rig.venue.live(rig.tag("leg_1"))
    rig.venue.cancel_by_hand(rig.tag("leg_1"))
    rig.rest()  # the leg is back, under the same id
    new = rig.venue.live(rig.tag("leg_1"))
    slot = rig.memory.slot(leg(1))
    rig.memory.put(replace(slot, state=SlotState.UNKNOWN, order_id="", last_order_id=old.order_id))
    rig.venue.lag_ms = slow(ReadOpenOrders, ms=rig.venue.now_ms - old.created_ms)
    rig.run_pass()
    assert rig.memory.slot(leg(1)).order_id in {"", new.order_id}


def test_a_stale_list_never_puts_an_old_order_in_the_place_of_the_live_one():
    rig = Rig(venue=ScriptedVenue(regime="reusable"))
    rig.rest()
    old = rig.venue.live(rig.tag("leg_1"))
    rig.venue.cancel_by_hand(rig.tag("leg_1"))
    rig.rest()
    rig.venue.lag_ms = slow(ReadOpenOrders, ms=rig.venue.now_ms - old.created_ms)
    rig.run_pass()
    assert rig.memory.slot(leg(1)).order_id == rig.venue.live(rig.tag("leg_1")).order_id


def test_a_filled_leg_whose_fill_is_not_listed_yet_is_never_created_again():
    rig = Rig()
    rig.rest()
    rig.venue.now_ms += 10_000
    rig.venue.lag_ms = slow(ReadFills, ReadPosition, ms=5_000)
    rig.venue.move("59400")
    rig.venue.move("59500")
    for _ in range(5):
        rig.run_pass(Mode.RECOVER)
        rig.venue.now_ms += 500
    assert len(rig.sent("leg_1")) == 1


def test_a_bot_with_an_empty_journal_gallops_past_used_ids_and_adopts_what_rests():
    rig = Rig()
    rig.rest()
    for price in ("60300", "60601.5", "60904.6"):
        rig.go(price)
    rig.journal = type(rig.journal)()
    rig.restart()
    held = rig.venue.held
    rig.rest()
    assert rig.venue.held == held
    assert rig.memory.slot(TAKE_PROFIT).generation == 3
    rig.go("62000")
    assert len(rig.venue.resting()) == 4


def test_an_intent_that_cannot_be_stored_is_not_sent():
    rig = Rig()
    rig.journal.fail_next = 1
    rig.run_pass()
    assert rig.sent("leg_0") == []
    rig.rest()
    assert list(rig.journal.cycles) == [1]
    assert len(rig.sent("leg_0")) == 1


def test_a_take_profit_goes_out_even_when_the_journal_cannot_write():
    rig = Rig()
    rig.run_pass()
    rig.run_pass()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.now_ms += 10
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.journal.fail_next = 2
    rig.run_pass()
    assert rig.quantities()["tp"] == Decimal("0.016")


def test_an_order_that_was_too_late_to_send_is_decided_anew():
    rig = Rig()
    rig.venue.fault(SendOrder, "not_sent", tag="sm_leg_0")
    began_ms = rig.venue.now_ms
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert rig.venue.now_ms - began_ms < 2_000


def test_books_that_never_agree_are_told_and_not_hammered():
    rig = Rig()
    rig.rest()
    rig.venue.held += Decimal("0.5")
    rig.venue._put(rig.venue.live(rig.tag("tp")), terminal=False)
    looked = 0
    for _ in range(200):
        looked += 1
        rig.venue.now_ms += rig.run_pass().wake_in_ms or 10
        if rig.venue.now_ms > rig.venue.fills[0].at_ms + 60_000:
            break
    assert rig.memory.attention is not None
    assert rig.memory.attention.code == "books_differ"
    assert looked < 100


def test_a_stop_is_the_way_out_of_books_that_never_agree():
    rig = Rig()
    rig.rest()
    rig.venue.held += Decimal("0.5")
    rig.venue._put(rig.venue.live(rig.tag("tp")), terminal=False)
    for _ in range(100):
        rig.venue.now_ms += rig.run_pass().wake_in_ms or 10
    resting = set(rig.quantities())

    result = rig.run_pass(Mode.STOP_PULL)

    assert result.finish is not None
    assert "gave the cycle up" in result.finish.message
    assert rig.journal.cycles[1].end is CycleEnd.GIVEN_UP
    assert set(rig.quantities()) == resting  # nothing was cancelled


def test_books_that_agree_again_let_the_ladder_be_completed():
    rig = Rig()
    rig.rest()
    rig.venue.held += Decimal("0.5")
    rig.venue.cancel_by_hand(rig.tag("leg_1"))
    for _ in range(100):
        rig.venue.now_ms += rig.run_pass().wake_in_ms or 10
    rig.venue.held -= Decimal("0.5")
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.rest()
    assert set(rig.quantities()) == {"tp", "leg_1", "leg_2", "leg_3"}
    assert rig.memory.attention is None


def test_settings_stay_as_they_were_for_the_entry_that_is_tried_again():
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()
    rig.memory.settings = replace(LONG, leverage=Decimal(50))
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
