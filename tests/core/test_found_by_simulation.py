"""Every fault that simulated seeds found in the core, each as the shortest story that shows it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.bot import next_look_in_ms
from blitz.core.calls import (
    AmendOrder,
    Call,
    CancelOrder,
    PrepareAccount,
    ReadFills,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    Refusal,
    Rejected,
    SendOrder,
)
from blitz.core.memory import VenueTraits
from blitz.core.orders import TAKE_PROFIT, Direction, FillKind, OrderType, leg
from blitz.core.records import CycleEnd, EventKind, IdRegime, SlotState
from tests.core.rig import MemoryJournal, Rig
from tests.core.scripted_venue import ScriptedVenue

FENCE_MS = VenueTraits().fence_ms
ENTRY = Decimal("0.016")
WHOLE = {"tp", "leg_1", "leg_2", "leg_3"}
WRITES = (SendOrder, AmendOrder, CancelOrder, PrepareAccount)
NO_MARGIN = Rejected(refusal=Refusal.MARGIN, code="110007", message="ab not enough for new order")
OUT_OF_BAND = Rejected(refusal=Refusal.FILTER, code="110003", message="price exceeds the allowable range")
TAKEN = Rejected(refusal=Refusal.TAKEN, code="110072", message="OrderLinkedID is duplicate")


def running(regime: str = "never") -> Rig:
    """A bot with its ladder laid out."""
    rig = Rig(venue=ScriptedVenue(regime=regime))
    rig.rest()
    return rig


def hang(rig: Rig, kind: type[Call]) -> None:
    """The next call of this kind is answered rightly, but only after twenty seconds."""
    struck: list[Call] = []

    def waits(call: Call) -> bool:
        if isinstance(call, kind) and not struck:
            struck.append(call)
            rig.venue.now_ms += 20_000
        return False

    rig.venue.faults.append((waits, "lost_request"))


def lose_journal(rig: Rig) -> None:
    """The database is gone, and the server starts with an empty one."""
    rig.journal = MemoryJournal()
    rig.restart()


def show_fills(rig: Rig, changed: Callable[[], None]) -> None:
    """Let the venue list other fills from now on."""
    changed()
    rig.venue._remember()


def move_fill(rig: Rig, index: int, at_ms: int) -> None:
    """The venue's clock gives this fill another time."""
    rig.venue.fills[index] = replace(rig.venue.fills[index], at_ms=at_ms)
    rig.venue._remember()


def booked_into(rig: Rig, cycle: int) -> Decimal:
    """Net quantity of the fills that the journal has for a cycle."""
    fills = [one.fill for one in rig.journal.fills.values() if one.cycle == cycle]
    opening = rig.settings.side.opening
    return sum((one.quantity if one.direction is opening else -one.quantity for one in fills), Decimal(0))


def writes(rig: Rig, since: int) -> list[Call]:
    return [call for call in rig.venue.calls[since:] if isinstance(call, WRITES)]


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


# Looking away


def test_a_refused_leg_is_no_reason_to_look_away_for_longer_than_the_poll():
    # The leg was to be tried again in thirty seconds, and until then nobody saw that another one filled.
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("leg_3"))
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_3")
    rig.run_pass()
    rig.venue.now_ms += 1_000
    waiting = rig.run_pass()
    assert waiting.wake_in_ms is not None
    assert waiting.wake_in_ms > 20_000
    assert next_look_in_ms(waiting, 1_000) == 1_000


def test_a_refused_exit_is_tried_again_within_two_seconds():
    # By the retry time of its refusal, a minute, the position would have been bare that long.
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.venue.fault(SendOrder, OUT_OF_BAND, tag="sm_tp")
    rig.run_pass()
    refused_ms = rig.venue.now_ms
    rig.live(3_000)
    assert rig.quantities()["tp"] == ENTRY
    assert rig.venue.live(rig.tag("tp")).created_ms - refused_ms <= 2_250


# Fills and the cycle they belong to


def test_fills_that_arrive_in_the_wrong_order_give_the_right_average_and_target():
    # A list that was cut short brought the newer fills first, and the sale took its share of the wrong cost.
    rig = running()
    rig.venue.now_ms += 1_000
    rig.venue.trade_by_hand(Direction.SELL, "0.008")
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    sale = rig.venue.fills[1]
    show_fills(rig, lambda: rig.venue.fills.remove(sale))
    rig.run_pass()
    show_fills(rig, lambda: rig.venue.fills.insert(1, sale))
    rig.rest()
    assert rig.memory.ledger.average == Decimal(59_600)
    assert rig.venue.live(rig.tag("tp")).price == Decimal(59_898)


def test_fills_of_two_cycles_back_are_not_booked_though_the_list_was_empty_when_this_one_began():
    # Only the exec ids of the last cycle and of that empty list were remembered; ids repeat, so the tags fitted.
    rig = running("reusable")
    for cycle in (1, 2):
        rig.venue.move("60300")
        while rig.journal.cycles[cycle].ended_ms is None:
            rig.run_pass()
        rig.venue.move("60000")
        rig.venue.lag_ms = lambda call: 10**12 if isinstance(call, ReadFills) else 0
        while rig.memory.last_cycle == cycle:
            rig.run_pass()
        rig.venue.lag_ms = lambda call: 0
        rig.rest()
    assert rig.memory.last_cycle == 3
    assert rig.venue.fills[-1].at_ms - rig.venue.fills[0].at_ms < 1_000
    assert rig.memory.ledger.quantity == booked_into(rig, 3) == ENTRY
    assert rig.memory.ledger.exits == 0


def test_fills_from_before_the_journal_was_lost_are_not_booked_into_the_first_cycle_after_it():
    # They carry our very tags, and no journal knows their exec ids any more.
    rig = running("reusable")
    rig.last_cycle = True
    rig.go("60300")
    lose_journal(rig)
    rig.last_cycle = False
    rig.venue.now_ms += 5_000
    rig.venue.lag_ms = lambda call: 10**12 if isinstance(call, ReadFills) else 0
    rig.run_pass()
    rig.venue.lag_ms = lambda call: 0
    rig.rest()
    assert len(rig.venue.fills) == 3
    assert booked_into(rig, 1) == ENTRY
    assert set(rig.quantities()) == WHOLE


def test_own_fills_from_a_moment_before_the_cycle_began_count():
    # Our clock was ahead of the venue's by less than a second, and the entry seemed to belong to no cycle.
    rig = Rig()
    rig.run_pass()
    move_fill(rig, 0, rig.venue.now_ms - 900)
    rig.rest()
    assert rig.memory.ledger.quantity == ENTRY
    assert set(rig.quantities()) == WHOLE


def test_a_trade_by_hand_between_our_first_fill_and_the_cycles_beginning_counts():
    # It lies before the beginning by our clock, but the venue says that our own entry was there first.
    rig = Rig()
    rig.run_pass()
    began_ms = rig.venue.now_ms
    move_fill(rig, 0, began_ms - 500)
    rig.rest()
    rig.venue.trade_by_hand(Direction.BUY, "0.004")
    move_fill(rig, 1, began_ms - 200)
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.020")


def test_what_else_happened_in_the_millisecond_of_an_adopted_cycles_first_fill_is_not_booked_later():
    # The take-profit of the cycle before filled in it; after a restart its tag was all that was left to go by.
    rig = running("reusable")
    rig.go("60300")
    rig.venue.move("60200")
    move_fill(rig, 2, rig.venue.fills[1].at_ms)
    rig.venue.now_ms += 5_000
    lose_journal(rig)
    rig.rest()
    assert EventKind.CYCLE_ADOPTED in rig.kinds()
    rig.restart()
    rig.rest()
    assert booked_into(rig, 1) == rig.memory.ledger.quantity == rig.venue.held == ENTRY


# What others hold


def test_somebody_who_opens_the_other_direction_before_our_entry_filled_ends_the_cycle_as_not_entered():
    # The books held a short that was not ours, so the entry counted neither as failed nor as filled, for ever.
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()
    rig.venue.trade_by_hand(Direction.SELL, "1")
    result = rig.rest()
    assert result.finish is not None
    assert (result.finish.code, result.finish.refused) == ("foreign_position", True)
    assert rig.journal.cycles[1].end is CycleEnd.NOT_ENTERED
    assert rig.venue.held == -1


def test_the_liquidation_of_somebodys_opposite_position_is_not_ours():
    # It happened in our cycle, before its entry had filled; the cycle got no legs and ended as liquidated.
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()
    rig.venue.trade_by_hand(Direction.SELL, "1")
    rig.run_pass()
    rig.venue.now_ms += 100
    rig.venue.trade_by_hand(Direction.BUY, "1", FillKind.LIQUIDATION)
    rig.rest()
    assert set(rig.quantities()) == WHOLE
    rig.go("60300")
    assert rig.journal.cycles[1].end is CycleEnd.TAKE_PROFIT


def test_the_exit_of_what_a_hand_opened_while_our_entry_was_refused_is_booked():
    # It filled before any leg, was taken for one of a lost cycle, and books and position differed for ever.
    rig = Rig()
    rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_0")
    rig.run_pass()
    rig.venue.trade_by_hand(Direction.BUY, "0.5")
    rig.run_pass()
    exit_order = rig.venue.live(rig.tag("tp"))
    rig.venue.fill(exit_order.order_id, exit_order.remaining, Decimal(60300))
    rig.live(10_000)
    assert rig.journal.cycles[1].end is not None
    assert code(rig) != "books_differ"


def test_a_cycle_entered_on_a_stale_flat_position_is_told_and_its_exits_cover_all_that_is_held():
    # Somebody had bought just before, and neither fills nor position showed it yet.
    rig = Rig()
    rig.venue.trade_by_hand(Direction.BUY, "0.5")
    rig.venue.now_ms += 1_500
    rig.venue.lag_ms = lambda call: 1_900 if isinstance(call, ReadFills | ReadPosition) else 0
    rig.run_pass()
    assert len(rig.sent("leg_0")) == 1
    rig.venue.lag_ms = lambda call: 0
    rig.live(30_000)
    assert code(rig) == "books_differ"
    assert rig.quantities() == {"tp": Decimal("0.516")}


# What is left over


def test_left_over_legs_and_twins_of_them_are_taken_back_before_the_next_entry():
    # They came from a cycle that was given up; a new ladder beside them would have exceeded its budget.
    rig = Rig(venue=ScriptedVenue(regime="unenforced"))
    for price in ("50000", "50000", "49000"):
        name = "leg_2" if price == "50000" else "leg_9"
        rig.venue._new_order(
            rig.tag(name), Direction.BUY, OrderType.LIMIT, Decimal("0.001"), Decimal(price), None, False
        )
    rig.rest()
    assert set(rig.quantities()) == WHOLE
    kinds = [type(call) for call in writes(rig, 0) if not isinstance(call, PrepareAccount)]
    assert kinds[:4] == [CancelOrder, CancelOrder, CancelOrder, SendOrder]


@pytest.mark.parametrize("is_lost", [False, True], ids=["taken back", "no answer"])
def test_a_bot_that_clears_what_is_left_over_looks_again_by_itself(is_lost):
    # A bot that need not poll would wait a quarter of an hour before it entered, unless somebody told it something.
    rig = Rig(venue=ScriptedVenue(regime="unenforced"))
    rig.venue._new_order(
        rig.tag("leg_9"), Direction.BUY, OrderType.LIMIT, Decimal("0.001"), Decimal(49000), None, False
    )
    if is_lost:
        rig.venue.fault(CancelOrder, "lost_request")
    results = [rig.run_pass()]
    while not writes(rig, 0) and len(results) < 5:
        rig.venue.now_ms += 1_000
        results.append(rig.run_pass())
    assert results[-1].wake_in_ms is not None
    assert next_look_in_ms(results[-1], 900_000) <= 1_000


# Order ids


def test_an_empty_journal_finds_a_free_id_behind_forty_used_ones_within_one_pass():
    # Three tries a pass went one by one: the more cycles there had been, the longer the account stood still.
    rig = Rig()
    for generation in range(40):
        client_id = rig.memory.tags.write(leg(0), generation)
        old = rig.venue._new_order(client_id, Direction.BUY, OrderType.LIMIT, ENTRY, Decimal(1), None, False)
        rig.venue._end(old.order_id, "CancelByUser")
    rig.venue.now_ms += 60_000
    rig.run_pass()
    assert rig.venue.held == ENTRY
    assert len(rig.sent("leg_0")) < 10


@pytest.mark.parametrize(("name", "waits"), [("tp", False), ("leg_1", True)])
def test_an_id_held_by_an_order_that_the_venue_has_forgotten_makes_an_entry_wait_and_an_exit_not(name, waits):
    # Nothing sent under this tag can still be on its way, so the position need not be bare for a fence.
    rig = running("reusable")
    rig.venue.now_ms += 20_000
    order_id = rig.venue.live(rig.tag(name)).order_id
    rig.venue.cancel_by_hand(rig.tag(name))
    rig.run_pass()
    rig.venue.now_ms += 3_000
    del rig.venue.records[order_id]
    rig.venue._remember()
    rig.venue.fault(SendOrder, TAKEN, tag=f"sm_{name}")
    rig.rest()
    refused, found = rig.sent(name)[-2:]
    assert found.client_id == f"{rig.tag(name)}_1"
    assert (found.expires_ms - refused.expires_ms >= FENCE_MS) is waits
    if not waits:
        assert found.expires_ms == refused.expires_ms


def test_two_live_orders_under_one_id_teach_that_ids_are_not_enforced():
    # The venue's documents said otherwise, so an unanswered take-profit was sent again at once, and rested twice.
    rig = running("unenforced")
    twin = replace(rig.venue.live(rig.tag("leg_1")), order_id="twin")
    rig.venue._put(twin, terminal=False)
    rig.rest()
    assert rig.journal.regime is IdRegime.UNENFORCED
    assert set(rig.quantities()) == WHOLE
    assert len(rig.venue.resting()) == len(WHOLE)
    rig.restart()
    assert not rig.memory.ids_enforced
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.fault(SendOrder, "lost_request", tag="sm_tp")
    rig.rest()
    unanswered, again = rig.sent("tp")[-2:]
    assert again.expires_ms - unanswered.expires_ms >= FENCE_MS
    assert rig.memory.regime is IdRegime.UNENFORCED


# Looks that have grown old, journals that know nothing


def test_a_pass_whose_price_came_after_twenty_seconds_opens_no_cycle():
    # What was flat when it looked may be somebody's position by now.
    rig = Rig()
    hang(rig, ReadPrice)
    rig.run_pass()
    assert rig.memory.cycle is None
    assert rig.journal.cycles == {}
    assert rig.sent("leg_0") == []
    rig.rest()
    assert set(rig.quantities()) == WHOLE


def test_a_pass_whose_lookup_came_after_twenty_seconds_sends_no_leg():
    # The leg was proved absent, but the cycle it belongs to may have ended while the answer was under way.
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_2")
    while rig.memory.slot(leg(2)).state is not SlotState.UNKNOWN:
        rig.run_pass()
    rig.venue.now_ms += FENCE_MS + 2_000
    rig.run_pass()
    hang(rig, ReadOrder)
    rig.run_pass()
    assert len(rig.sent("leg_2")) == 1
    rig.rest()
    assert len(rig.sent("leg_2")) == 2
    assert set(rig.quantities()) == WHOLE


def test_an_adopted_cycle_sends_its_take_profit_at_once_and_no_leg_before_the_fence():
    # The lost journal knew nothing of a leg that had just filled, and reads did not show it yet: it filled twice.
    rig = running()
    rig.venue.now_ms += 5_000
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.cancel_by_hand(rig.tag("leg_1"))
    lose_journal(rig)
    adopted_ms = rig.venue.now_ms
    rig.rest()
    assert set(rig.quantities()) == WHOLE
    assert rig.venue.live(rig.tag("tp")).created_ms - adopted_ms < 1_000
    assert rig.venue.live(rig.tag("leg_1")).created_ms - adopted_ms >= FENCE_MS
    assert rig.memory.slot(TAKE_PROFIT).state is SlotState.LIVE
