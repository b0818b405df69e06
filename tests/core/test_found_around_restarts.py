"""Faults that simulated seeds found around restarts: journals older than the orders, answers that were lost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.bot import DIFFER_WAIT_MS, DISAGREE_MAX_MS
from blitz.core.calls import ReadOpenOrders, Save, SendOrder
from blitz.core.finish import FINAL_WORDS
from blitz.core.look import LISTED_ONCE
from blitz.core.memory import VenueTraits
from blitz.core.orders import TAKE_PROFIT, Direction
from blitz.core.records import CycleEnd, CycleSaved, DesiredSaved, FillBooked, SlotSaved, SlotState
from blitz.core.work import Finish, Mode
from tests.core.ladders import LONG
from tests.core.rig import MemoryJournal, Rig
from tests.core.scripted_venue import ScriptedVenue

TRAITS = VenueTraits()
REPEATING = VenueTraits(ids_enforced=False)
WHOLE = {"tp", "leg_1", "leg_2", "leg_3"}


def running(regime: str = "never", traits: VenueTraits = TRAITS) -> Rig:
    """A bot with its ladder laid out."""
    rig = Rig(venue=ScriptedVenue(regime=regime), traits=traits)
    rig.rest()
    return rig


# Lists that say nothing just after the start


@pytest.mark.parametrize("lost", [True, False])
def test_behind_an_old_journal_no_order_is_sent_on_one_empty_list_where_ids_repeat(lost):
    # The restored journal had not heard of the legs, the list was empty, and every leg went out a second time.
    rig = Rig(venue=ScriptedVenue(regime="unenforced"), traits=REPEATING)
    rig.run_pass()
    backup = replace(rig.journal, slots=dict(rig.journal.slots), cycles=dict(rig.journal.cycles))
    rig.rest()
    rig.journal = MemoryJournal() if lost else backup
    rig.restart()
    rig.venue.now_ms += 10_000
    before = len(rig.venue.calls)
    rig.venue.fault(ReadOpenOrders, "empty_list")
    assert rig._run_pass(None).trouble == LISTED_ONCE
    rig.live(12_000)
    assert rig.quantities().keys() == WHOLE
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, SendOrder)]


def test_a_bot_that_knows_its_orders_does_not_look_twice_where_ids_are_enforced():
    rig = running()
    rig.restart()
    assert rig._run_pass(None).settled


# Saves whose answer was lost


def saves_cycle(call: Save, *, ended: bool) -> bool:
    cycles = [change.cycle for change in call.changes if isinstance(change, CycleSaved)]
    return any((cycle.ended_ms is not None) is ended for cycle in cycles)


def test_nothing_is_booked_into_a_cycle_whose_end_was_stored_without_an_answer():
    # The bot went on as if the cycle were open, and booked somebody's trade into it.
    rig = running()
    rig.venue.move("61000")
    rig.journal.unanswered = lambda call: saves_cycle(call, ended=True)
    for _ in range(20):
        if rig.run_pass(Mode.STOP_PULL).finish is None and rig.memory.must_reload:
            break
        rig.venue.now_ms += 250
    assert rig.memory.must_reload
    booked = len(rig.journal.fills)
    rig.venue.now_ms += 1_000
    rig.venue.trade_by_hand(Direction.BUY, "0.004")
    rig.run_pass(Mode.STOP_PULL)
    assert rig.journal.cycles[1].end is CycleEnd.TAKE_PROFIT
    assert len(rig.journal.fills) == booked


def test_fills_stored_without_an_answer_are_not_forgotten_when_the_next_reads_are_stale():
    # The journal knew that part had been sold by hand; the bot did not, and laid a ladder for what the reads showed.
    rig = Rig()
    rig.run_pass()
    before_ms = rig.venue.now_ms
    rig.venue.now_ms += 500
    rig.venue.trade_by_hand(Direction.SELL, "0.004")
    rig.journal.unanswered = lambda call: any(isinstance(change, FillBooked) for change in call.changes)
    rig.run_pass()
    rig.venue.now_ms += 1_000
    rig.venue.lag_ms = lambda call: rig.venue.now_ms - before_ms
    rig.run_pass()
    assert rig.sent("leg_1") == []
    rig.venue.lag_ms = lambda call: 0
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.012")


def test_a_cycle_that_could_not_be_stored_has_not_begun():
    # Its number was given to another one hours later, which found somebody's trades booked under it.
    rig = Rig()
    rig.journal.fail_next = 1
    rig.run_pass()
    assert rig.sent("leg_0") == []
    rig.venue.now_ms += 1_000
    rig.venue.trade_by_hand(Direction.BUY, "0.004")
    rig.run_pass()
    assert rig.journal.fills == {}
    assert rig.finish is not None
    assert rig.finish.code == "foreign_position"


def test_an_entry_stored_without_an_answer_is_looked_up_and_goes_out_once():
    rig = Rig()
    rig.journal.unanswered = lambda call: saves_cycle(call, ended=False)
    rig.live(TRAITS.fence_ms + 5_000)
    assert [fill.client_id for fill in rig.venue.fills] == [rig.tag("leg_0")]
    assert rig.quantities().keys() == WHOLE


# Exits that may still turn up


def unanswered_exit() -> Rig:
    """A take-profit whose first try is still under way when the second is accepted."""
    rig = Rig(venue=ScriptedVenue(regime="reusable"))
    rig.run_pass()
    rig.venue.fault(SendOrder, "late", tag="sm_tp")
    rig.run_pass()
    rig.rest()
    assert rig.memory.slot(TAKE_PROFIT).state is SlotState.LIVE
    return rig


def test_a_restart_remembers_that_the_first_try_of_an_exit_may_still_arrive():
    # Only the running bot knew; settings saved between two cycles made it read its journal, and the next cycle began.
    rig = unanswered_exit()
    doubted_until_ms = rig.memory.slot(TAKE_PROFIT).doubted_until_ms
    rig.restart()
    assert rig.memory.slot(TAKE_PROFIT).doubted_until_ms == doubted_until_ms > rig.venue.now_ms
    rig.venue.move("61000")
    rig.live(2_000)
    assert rig.memory.cycle is None
    assert len(rig.sent("leg_0")) == 1
    rig.live(TRAITS.fence_ms)
    assert len(rig.sent("leg_0")) == 2


def test_an_exit_whose_id_is_taken_goes_on_to_the_next_id_once_reads_would_show_who_took_it():
    # An old order held the id and the first answer was lost: the position was bare for the whole fence.
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.venue.fault(SendOrder, "lost_answer", tag="sm_tp")
    rig.run_pass()
    lost_ms = rig.venue.now_ms
    rig.live(TRAITS.read_lag_ms + 1_500)
    assert rig.quantities().keys() == WHOLE
    assert rig.venue.live(rig.tag("tp")).created_ms - lost_ms <= TRAITS.read_lag_ms + 1_000


def test_no_power_cut_brings_back_an_id_that_is_taken_for_good():
    # An exit's next generation was stored like any other exit, and a power cut took it.
    rig = running()
    for _ in range(2):
        rig.venue.now_ms += 1_000
        rig.venue.move(str(rig.venue.price + 1_000))
        rig.rest()
    durable = [change.slot for change in rig.journal.durable if isinstance(change, SlotSaved)]
    assert [slot.generation for slot in durable if slot.key == TAKE_PROFIT] == [1, 2]


def test_an_order_that_was_over_before_the_journal_begins_keeps_no_exit_waiting():
    # Its fills are in no books and never will be, so the bot waited for them for ever, and so did its position.
    rig = running()
    rig.venue.move("61000")
    rig.run_pass()
    rig.journal = MemoryJournal()
    rig.restart()
    rig.live(TRAITS.fence_ms + 10_000)
    assert rig.quantities().keys() == WHOLE


# Whose fill it is


def test_a_fill_with_our_tag_that_goes_the_other_way_is_not_ours():
    # A take-profit's tag on somebody's opening order was left out as an exit of a lost cycle, and the books were short.
    rig = running()
    order_id = rig.venue.foreign(Direction.BUY, "0.004", "59990", f"{rig.tag('tp')}_q")
    rig.venue.fill(order_id, Decimal("0.004"), Decimal(59990))
    rig.run_pass()
    booked = {one.fill.order_id: one.key for one in rig.journal.fills.values()}
    assert booked[order_id] is None
    assert rig.memory.ledger.quantity == Decimal("0.020")


def test_what_is_held_on_the_other_side_of_a_hedged_account_explains_no_books():
    rig = Rig(venue=ScriptedVenue(hedged=True))
    rig.rest()
    rig.memory.ledger.quantity = Decimal("-0.016")
    rig.venue.held = Decimal("-0.016")
    rig.venue._remember()
    assert rig.run_pass().seen is None


# Looking away


def test_a_bot_whose_books_differ_goes_on_looking_every_two_seconds():
    rig = running()
    rig.venue.held += Decimal("0.001")
    rig.venue._remember()
    rig.live(DISAGREE_MAX_MS + 1_000)
    assert rig.run_pass().wake_in_ms == DIFFER_WAIT_MS == 2_000


# Fills of one millisecond


def test_fills_of_one_millisecond_are_folded_in_the_venues_order_whenever_they_are_listed():
    # A gap took the take-profit and two legs at once; the list was cut in front of the exit, and the average was wrong.
    rig = running()
    rig.venue.now_ms += 1_000
    at_ms = rig.venue.now_ms
    rig.venue.move("61000")
    rig.venue.price = Decimal(59_000)
    for name in ("leg_1", "leg_2"):
        order = rig.venue.live(rig.tag(name))
        rig.venue.fill(order.order_id, order.remaining, order.price or rig.venue.price)
    listed = [replace(fill, sequence=number) for number, fill in enumerate(rig.venue.fills, start=1)]
    assert {fill.at_ms for fill in listed[1:]} == {at_ms}
    rig.venue.fills = [listed[0], *listed[2:]]
    rig.venue._remember()
    rig.run_pass()
    rig.venue.fills = listed
    rig.venue._remember()
    rig.run_pass()
    legs = listed[2:]
    cost = sum((fill.quantity * fill.price for fill in legs), Decimal(0))
    assert rig.memory.ledger.average == cost / sum((fill.quantity for fill in legs), Decimal(0))
    rig.restart()
    assert rig.memory.ledger.average == cost / sum((fill.quantity for fill in legs), Decimal(0))


# Ends for good


@pytest.mark.parametrize("applied", [False, True])
def test_a_bot_that_is_killed_at_any_yield_around_its_last_end_enters_no_other_cycle(applied):
    # Its cycle was stored as ended, its wish to rest only later: whoever was killed in between entered again.
    for kill_at in range(1, 40):
        rig = Rig(settings=replace(LONG, repeat=False))
        rig.rest()
        rig.venue.move("61000")
        rig.yields, rig.kill_at, rig.applied = 0, kill_at, applied
        rig.rest()
        assert len(rig.sent("leg_0")) == 1, kill_at
        assert rig.last.finish is not None
        if rig.kill_at:  # it came to its end before that yield
            return
    raise AssertionError("no pass is that long")


def test_an_end_for_good_that_was_stored_without_an_answer_is_told_as_what_it_was():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, str(rig.venue.held))
    rig.journal.unanswered = lambda call: saves_cycle(call, ended=True)
    result = rig.rest()
    assert result.finish == Finish(code="closed_externally", message=FINAL_WORDS[CycleEnd.CLOSED_EXTERNALLY])
    assert len(rig.sent("leg_0")) == 1


def test_a_trader_who_presses_start_after_an_end_for_good_gets_the_next_cycle():
    rig = Rig(settings=replace(LONG, repeat=False))
    rig.rest()
    rig.go("61000")
    rig.journal.save(Save(changes=(DesiredSaved(desired="running", at_ms=1),), durable=True))
    rig.restart()
    rig.rest()
    assert rig.memory.cycle is not None
    assert rig.memory.cycle.number == 2
