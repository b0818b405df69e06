"""Where a venue changes no price in place, exits are replaced: half done, unanswered, late, killed in the middle."""

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, Call, CancelOrder, ReadOpenOrders, Refusal, Rejected, ReplaceOrder, SendOrder
from blitz.core.memory import VenueTraits
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, Direction
from blitz.core.records import EventKind, SlotSaved, SlotState
from blitz.core.work import Mode
from tests.core.bingx_venue import BINGX, REPEATING_BINGX, TOO_MUCH, BingxVenue
from tests.core.ladders import LONG
from tests.core.rig import Rig

GUARDED = replace(LONG, stop_loss=Decimal(60))
TWO_LEGS = Decimal("0.032")
BUSY = Rejected(refusal=Refusal.LIMIT, code="100410", message="too many requests")
TROUBLES = ("half_done", "half_done_unanswered", "lost_answer", "lost_request", "late")


def running(*, stop: bool = True, regime: str = "never", hedged: bool = True, traits: VenueTraits = BINGX) -> Rig:
    rig = Rig(settings=GUARDED if stop else LONG, venue=BingxVenue(regime=regime, hedged=hedged), traits=traits)
    rig.rest()
    return rig


def bingx(rig: Rig) -> BingxVenue:
    assert isinstance(rig.venue, BingxVenue)
    return rig.venue


def replacements(rig: Rig) -> list[ReplaceOrder]:
    return [call for call in rig.venue.calls if isinstance(call, ReplaceOrder)]


def assert_covered(rig: Rig) -> None:
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (rig.venue.held, rig.venue.held)
    assert rig.venue.live(rig.tag("tp")).price == Decimal("59998.5")
    assert rig.venue.live(rig.tag("sl")).trigger == Decimal("56118.0")
    assert rig.memory.attention is None


@pytest.mark.parametrize("hedged", [True, False], ids=["hedge", "one-way"])
def test_a_filled_leg_moves_each_exit_by_one_request_for_the_whole_position(hedged):
    rig = running(hedged=hedged)
    rig.go("59400")
    target, stop = replacements(rig)
    assert (target.client_id, target.order.quantity, target.order.price) == (
        "sm_tp_7_BTCUSDTUSDT_1", TWO_LEGS, Decimal("59998.5"),
    )  # fmt: skip
    assert (stop.client_id, stop.order.quantity, stop.order.trigger) == ("", TWO_LEGS, Decimal("56118.0"))
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]
    assert_covered(rig)


def test_what_a_take_profit_has_filled_is_not_ordered_again():
    rig = running(stop=False)
    target = rig.venue.live(rig.tag("tp"))
    rig.venue.fill(target.order_id, Decimal("0.006"), Decimal(60300))
    rig.go("59400")
    (call,) = replacements(rig)
    assert (call.order_id, call.order.quantity) == (target.order_id, Decimal("0.026"))
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.026")


def test_where_only_the_quantity_changes_the_order_is_changed_in_place():
    rig = running()
    kept = rig.venue.live(rig.tag("tp")).order_id
    rig.venue.trade_by_hand(Direction.BUY, "0.010")
    rig.rest()
    assert rig.venue.live(rig.tag("tp")).order_id == kept
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (Decimal("0.026"), Decimal("0.026"))
    assert not replacements(rig)


def test_a_take_profit_that_was_pulled_and_not_replaced_is_sent_again_at_once():
    rig = running(stop=False)
    rig.venue.fault(ReplaceOrder, "half_done")
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    rig.run_pass()
    assert rig.quantities()["tp"] == TWO_LEGS
    assert EventKind.ORDER_REJECTED in rig.kinds()


def test_a_pulled_take_profit_that_is_refused_by_itself_too_comes_within_five_seconds():
    rig = running(stop=False)
    rig.venue.fault(ReplaceOrder, "half_done")
    rig.venue.fault(SendOrder, BUSY, tag="sm_tp")
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    began_ms = rig.venue.now_ms
    rig.run_pass()
    assert "tp" not in rig.quantities()
    assert rig.memory.exit_trouble[TAKE_PROFIT].code == "100410"
    rig.rest()
    assert rig.quantities()["tp"] == TWO_LEGS
    assert rig.venue.now_ms - began_ms <= 5_000


@pytest.mark.parametrize("regime", ["never", "reusable", "unenforced"])
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("which", ["tp", "sl", "both"])
def test_whatever_becomes_of_a_replacement_one_exit_of_each_rests_in_the_end(which, trouble, regime):
    rig = running(regime=regime, traits=REPEATING_BINGX if regime == "unenforced" else BINGX)
    rig.venue.now_ms += 31_000
    for name, prefix in (("tp", "sm_tp"), ("sl", "")):
        if which in {name, "both"}:
            rig.venue.faults.append((_replaces(prefix), trouble))
    rig.venue.move("59400")
    began_ms = rig.venue.now_ms
    rig.rest()
    settled_ms = rig.venue.now_ms
    rig.live(15_000)
    assert_covered(rig)
    assert not rig.venue.faults
    assert {rig.memory.slot(key).state for key in (TAKE_PROFIT, STOP_LOSS)} == {SlotState.LIVE}
    # A stop that was pulled and whose successor's fate nobody told is missed for the read lag, not for a fence.
    assert settled_ms - began_ms <= 5_000


def _replaces(prefix: str) -> Callable[[Call], bool]:
    return lambda call: isinstance(call, ReplaceOrder) and call.client_id.startswith("sm_") is bool(prefix)


@pytest.mark.parametrize("applied", [False, True], ids=["not_applied", "applied_unanswered"])
@pytest.mark.parametrize("trouble", ["none", *TROUBLES])
@pytest.mark.parametrize("regime", ["never", "reusable", "unenforced"])
def test_a_kill_at_any_yield_of_a_replacement_is_harmless(regime, trouble, applied):
    yields = replaced_under(regime, trouble, kill_at=0, applied=False).yields
    for kill_at in range(1, yields + 1):
        rig = replaced_under(regime, trouble, kill_at=kill_at, applied=applied)
        assert_covered(rig)
        assert {"tp", "sl", "leg_2", "leg_3"} == set(rig.quantities())


def replaced_under(regime: str, trouble: str, *, kill_at: int, applied: bool) -> Rig:
    """A leg fills and the take-profit's replacement meets a trouble; counted from then on."""
    rig = running(regime=regime, traits=REPEATING_BINGX if regime == "unenforced" else BINGX)
    if trouble != "none":
        rig.venue.fault(ReplaceOrder, trouble, tag="sm_tp")
    rig.yields, rig.kill_at, rig.applied = 0, kill_at, applied
    rig.go("59400")
    yields = rig.yields
    rig.live(12_000)
    rig.rest()
    rig.yields = yields
    return rig


def test_orders_that_move_by_replacing_are_no_second_writer():
    rig = running()
    rig.venue.now_ms += 31_000
    for price in ("59400", "58806", "57629.9"):
        for trouble in ("late", "lost_answer"):
            rig.venue.fault(ReplaceOrder, trouble)
        rig.go(price)
        rig.live(3_000)
    assert len(replacements(rig)) > 6
    assert not rig.memory.standing
    assert (rig.memory.stranger_ms, rig.memory.moved_ms) == ((), ())


def test_a_leg_that_was_moved_by_hand_is_taken_back_and_what_it_lacks_is_sent_anew():
    rig = running()
    rig.go("59000")
    leg = rig.venue.live(rig.tag("leg_2"))
    rig.venue.fill(leg.order_id, Decimal("0.010"), Decimal(58806))
    rig.rest()
    moved = rig.venue.records[leg.order_id].order
    rig.venue._put(replace(moved, price=Decimal(58000)), terminal=False)
    rig.rest()
    again = rig.venue.live(rig.tag("leg_2"))
    assert (again.price, again.remaining) == (Decimal(58806), Decimal("0.024"))
    assert again.order_id != leg.order_id
    assert not [call for call in replacements(rig) if "leg" in call.client_id]


@pytest.mark.parametrize("mode", [Mode.STOP_PULL, Mode.STOP_KEEP])
def test_a_stopping_bot_lets_exits_grow_and_replaces_none(mode):
    rig = running()
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    rig.rest(mode)
    assert not replacements(rig)
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (TWO_LEGS, TWO_LEGS)


def test_recover_replaces_nothing():
    rig = running()
    rig.venue.move("59400")
    rig.run_pass(Mode.RECOVER)
    assert not replacements(rig)


def test_a_refused_replacement_leaves_the_old_order_and_is_not_asked_for_in_a_loop():
    rig = running(stop=False)
    before = rig.venue.live(rig.tag("tp"))
    rig.venue.faults += [(lambda call: isinstance(call, ReplaceOrder), BUSY)] * 3
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    for _ in range(8):
        rig.run_pass()
        rig.venue.now_ms += 250
    assert rig.venue.live(rig.tag("tp")).order_id == before.order_id
    assert len(replacements(rig)) == 1
    rig.rest()
    assert rig.quantities()["tp"] == TWO_LEGS


def test_an_id_that_is_taken_before_anything_was_done_is_followed_by_the_next():
    rig = running(stop=False)
    taken = Rejected(refusal=Refusal.TAKEN, code="101481", message="client order id is duplicate")
    rig.venue.fault(ReplaceOrder, taken)
    rig.go("59400")
    first, second = replacements(rig)
    assert (first.client_id[-2:], second.client_id[-2:]) == ("_1", "_2")
    assert rig.quantities()["tp"] == TWO_LEGS


def test_a_predecessor_that_a_stale_list_shows_is_not_replaced_again():
    rig = running()
    rig.go("59400")
    replaced, now_ms = len(replacements(rig)), rig.venue.now_ms
    rig.venue.lag_ms = lambda call: 1_000 if isinstance(call, ReadOpenOrders) and rig.venue.now_ms == now_ms else 0
    rig.run_pass()
    assert len(replacements(rig)) == replaced
    rig.rest()
    assert_covered(rig)


def test_of_two_unanswered_replacements_of_one_order_the_first_may_rest_and_no_second_is_sent_beside_it():
    # A stale list showed the old order, so it was replaced once more; a list that then lacked the new one left two.
    rig = running(stop=False, regime="reusable")
    before_ms = rig.venue.now_ms
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    rig.venue.fault(ReplaceOrder, "lost_answer")
    rig.run_pass()
    rig.venue.now_ms += 200
    rig.venue.lag_ms = lambda call: rig.venue.now_ms - before_ms if isinstance(call, ReadOpenOrders) else 0
    rig.venue.fault(ReplaceOrder, "lost_request")
    rig.run_pass()
    assert [call.client_id[-2:] for call in replacements(rig)] == ["_1", "_2"]
    assert len({call.order_id for call in replacements(rig)}) == 1
    rig.venue.lag_ms = lambda call: 0
    rig.venue.now_ms += 200
    rig.venue.fault(ReadOpenOrders, "empty_list")
    rig.run_pass()
    rig.live(15_000)
    assert len(rig.sent("tp")) == 1
    assert rig.quantities()["tp"] == rig.venue.held == TWO_LEGS


def test_the_id_of_a_refused_replacement_is_never_followed_by_an_older_one():
    rig = running(stop=False)
    rig.venue.fault(ReplaceOrder, BUSY)
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    rig.run_pass()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.rest()
    assert rig.sent("tp")[-1].client_id == replacements(rig)[0].client_id == "sm_tp_7_BTCUSDTUSDT_1"


def test_one_list_is_not_enough_behind_a_restored_journal_where_ids_move_on():
    rig = running(stop=False)
    backup = copy.deepcopy(rig.journal)
    rig.go("59400")
    rig.journal = backup
    rig.restart()
    rig.venue.fault(ReadOpenOrders, "empty_list")
    rig.live(15_000)
    assert rig.quantities()["tp"] == TWO_LEGS
    assert len(rig.sent("tp")) == 1


# Stops that keep no id


def test_a_stop_whose_answer_was_lost_is_known_by_its_trigger_and_not_sent_twice():
    rig = Rig(settings=GUARDED, venue=BingxVenue(), traits=BINGX)
    rig.venue.faults.append((_sends_a_stop, "lost_answer"))
    rig.rest()
    assert len(rig.sent("sl")) == 1
    assert rig.memory.slot(STOP_LOSS).order_id == rig.venue.live(rig.tag("sl")).order_id


@pytest.mark.parametrize("trouble", ["lost_request", "late"])
def test_an_unanswered_stop_waits_for_the_fence_before_it_is_sent_again(trouble):
    rig = Rig(settings=GUARDED, venue=BingxVenue(), traits=BINGX)
    rig.venue.faults.append((_sends_a_stop, trouble))
    sent_ms = rig.venue.now_ms
    rig.live(15_000)
    assert rig.quantities()["sl"] == rig.venue.held
    first, *others = rig.sent("sl")
    assert first.client_id == ""
    assert len(others) == (1 if trouble == "lost_request" else 0)
    if others:
        assert others[0].expires_ms - sent_ms >= BINGX.fence_ms


def _sends_a_stop(call) -> bool:
    return isinstance(call, SendOrder) and call.order.key == STOP_LOSS


def test_a_stop_of_the_traders_own_is_never_touched_and_ours_is_not_piled_up():
    rig = running()
    theirs = bingx(rig).rest_stop("0.001", "55000")
    rig.go("59400")
    rig.go("58806")
    assert not rig.venue.records[theirs].terminal
    assert not [call for call in rig.venue.calls if getattr(call, "order_id", "") == theirs]
    # What the two are for may not exceed the position there: theirs is left its part.
    assert rig.quantities()["sl"] == rig.venue.held - Decimal("0.001")
    assert rig.quantities()["tp"] == rig.venue.held


def lose_journal(rig: Rig) -> None:
    rig.journal = type(rig.journal)()
    rig.restart()


def test_after_a_lost_journal_a_stop_at_a_trigger_of_this_cycle_is_ours():
    rig = running()
    rig.go("59400")
    stop = rig.venue.live(rig.tag("sl")).order_id
    lose_journal(rig)
    rig.live(12_000)
    assert rig.memory.slot(STOP_LOSS).order_id == stop
    assert len(rig.sent("sl")) == 1


def test_after_a_lost_journal_a_stop_left_behind_by_a_fill_is_ours_and_follows():
    rig = running()
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")  # nobody has moved the stop yet
    lose_journal(rig)
    rig.live(12_000)
    assert_covered(rig)
    assert len(rig.sent("sl")) == 1


def test_after_a_lost_journal_a_stop_that_nothing_explains_is_somebody_elses():
    rig = running(stop=False)
    theirs = bingx(rig).rest_stop("0.001", "50000")
    lose_journal(rig)
    rig.settings = GUARDED
    rig.restart()
    rig.live(15_000)
    assert not rig.venue.records[theirs].terminal
    (ours,) = rig.sent("sl")
    assert ours.order.quantity == Decimal("0.015")


def test_a_stop_that_was_passed_finds_the_take_profit_in_its_way_and_takes_it_back():
    rig = running(stop=False)
    rig.journal.cycles[1] = replace(rig.journal.cycles[1], settings=GUARDED)
    rig.restart()
    rig.venue.price = Decimal(56_000)
    rig.live(3_000)
    assert rig.journal.fills
    assert rig.journal.cycles[1].end is not None
    assert rig.journal.cycles[1].end.value == "stop_loss"
    assert [call for call in rig.venue.calls if isinstance(call, CancelOrder)]


def test_a_stop_that_was_passed_does_not_wait_for_a_take_profit_that_nobody_answered_to():
    rig = Rig(settings=LONG, venue=BingxVenue(regime="unenforced"), traits=REPEATING_BINGX)
    rig.venue.fault(SendOrder, "lost_request", tag="sm_tp")
    rig.run_pass()
    rig.run_pass()
    assert rig.memory.slot(TAKE_PROFIT).state is SlotState.UNKNOWN
    rig.journal.cycles[1] = replace(rig.journal.cycles[1], settings=GUARDED)
    rig.restart()
    rig.venue.price = Decimal(56_000)
    rig.live(3_000)
    assert rig.journal.fills
    assert rig.venue.held == 0


def test_an_exit_that_finds_nothing_left_to_close_is_tried_again_and_not_in_a_loop():
    rig = running(stop=False, regime="reusable")
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.faults += [(lambda call: isinstance(call, SendOrder), TOO_MUCH)] * 2
    sent = len(rig.sent("tp"))
    rig.live(8_000)
    assert rig.quantities()["tp"] == rig.venue.held
    assert len(rig.sent("tp")) - sent == 3


def test_without_a_stored_intent_nothing_is_replaced_but_the_exit_grows():
    rig = running(stop=False)
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    kept = rig.venue.live(rig.tag("tp")).order_id
    rig.journal.fails = lambda call: any(
        isinstance(change, SlotSaved) and change.slot.key == TAKE_PROFIT for change in call.changes
    )
    rig.run_pass()
    assert not replacements(rig)
    assert (rig.venue.live(rig.tag("tp")).order_id, rig.quantities()["tp"]) == (kept, TWO_LEGS)
    rig.journal.fails = lambda call: False
    rig.rest()
    assert rig.venue.live(rig.tag("tp")).price == Decimal("59998.5")
