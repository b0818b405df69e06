"""People at the venue's own page, and the trader's buttons: stop, close, recover, start with something there."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, CancelOrder, PrepareAccount, Refusal, Rejected, SendOrder
from blitz.core.memory import VenueTraits
from blitz.core.orders import ZERO, Direction, Fill, FillKind
from blitz.core.records import CycleEnd
from blitz.core.work import Mode
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Rig

ALL = {"tp", "leg_1", "leg_2", "leg_3"}


def running(**changes: object) -> Rig:
    rig = Rig(settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    return rig


# By hand at the venue


def test_a_position_closed_by_hand_ends_the_cycle_pulls_the_legs_and_does_not_re_enter():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.016")
    result = rig.rest()
    assert rig.journal.cycles[1].end is CycleEnd.CLOSED_EXTERNALLY
    assert result.finish is not None
    assert (result.finish.code, rig.quantities(), rig.venue.held) == ("closed_externally", {}, ZERO)


def test_a_position_turned_round_by_hand_ends_the_cycle_and_leaves_the_other_side_alone():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.020")
    result = rig.rest()
    assert result.finish is not None
    assert result.finish.code == "closed_externally"
    assert (rig.quantities(), rig.venue.held) == ({}, Decimal("-0.004"))
    assert rig.journal.cycles[1].realised == 0


def test_a_position_turned_round_by_hand_can_still_be_told_to_close():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.020")
    result = rig.rest(Mode.CLOSE)
    assert result.finish is not None
    assert rig.venue.held == Decimal("-0.004")


def test_a_position_added_to_by_hand_is_covered_by_the_take_profit():
    rig = running()
    rig.venue.trade_by_hand(Direction.BUY, "0.010")
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.026")


def test_a_position_reduced_by_hand_shrinks_the_take_profit():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.010")
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.006")


def test_orders_cancelled_by_hand_come_back_after_the_grace_and_not_before():
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.run_pass()
    assert set(rig.quantities()) == {"leg_1", "leg_3"}
    cancelled_ms = rig.venue.now_ms
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert 1_500 <= rig.venue.now_ms - cancelled_ms <= 5_000


def test_an_order_moved_by_hand_is_moved_back():
    rig = running()
    order = rig.venue.live(rig.tag("leg_1"))
    rig.venue._put(replace(order, price=Decimal(50_000)), terminal=False)
    rig.rest()
    assert rig.venue.live(rig.tag("leg_1")).price == Decimal(59_400)


# Recover


def test_recover_creates_exactly_what_is_missing_at_once_and_the_second_one_nothing():
    rig = running()
    for name in ("tp", "leg_1", "leg_3"):
        rig.venue.cancel_by_hand(rig.tag(name))
    result = rig.run_pass(Mode.RECOVER)
    assert result.words == ("created_tp", "created_leg_1", "created_leg_3")
    sent = len(rig.venue.calls)
    assert rig.rest(Mode.RECOVER).words == ()
    assert not [call for call in rig.venue.calls[sent:] if isinstance(call, SendOrder | AmendOrder | CancelOrder)]


def test_a_dry_recover_says_the_same_and_sends_nothing():
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    sent = len(rig.sent("tp"))
    assert rig.run_pass(Mode.RECOVER_DRY).words == ("created_tp",)
    assert len(rig.sent("tp")) == sent


@pytest.mark.parametrize("disturb", ["moved", "closed", "flat", "stray"])
def test_recover_never_cancels_amends_enters_or_closes(disturb):
    rig = running()
    if disturb == "moved":
        rig.venue.move("59400")
    elif disturb == "closed":
        rig.venue.trade_by_hand(Direction.SELL, "0.016")
    elif disturb == "flat":
        rig.venue.move("60300")
    else:
        rig.venue.foreign(Direction.BUY, "1", "50000", rig.tag("leg_9"))
    before = len(rig.venue.calls)
    for _ in range(5):
        rig.run_pass(Mode.RECOVER)
        rig.venue.now_ms += 1_000
    writes = [call for call in rig.venue.calls[before:] if isinstance(call, SendOrder | AmendOrder | CancelOrder)]
    assert [call for call in writes if not isinstance(call, SendOrder)] == []
    assert "leg_0" not in {str(call.order.key) for call in writes if isinstance(call, SendOrder)}


def test_recover_with_no_cycle_and_no_position_has_nothing_to_do():
    rig = Rig()
    assert rig.run_pass(Mode.RECOVER).words == ("checked_positions", "no_missing_orders")
    assert rig.venue.records == {}


# Stop and close


def test_stop_takes_back_own_legs_and_leaves_the_exits_and_all_that_is_foreign():
    rig = running(stop_loss=Decimal(40))
    stranger = rig.venue.foreign(Direction.BUY, "1", "50000")
    result = rig.rest(Mode.STOP_PULL)
    assert result.finish is not None
    assert "take-profit" in result.finish.message
    assert "stop-loss" in result.finish.message
    assert set(rig.quantities()) == {"tp", "sl", "foreign"}
    assert stranger in {order.order_id for order in rig.venue.resting()}


def test_stop_that_keeps_the_legs_sends_nothing_at_all():
    rig = running()
    before = len(rig.venue.calls)
    result = rig.rest(Mode.STOP_KEEP)
    assert result.finish is not None
    assert set(rig.quantities()) == ALL
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, SendOrder | AmendOrder | CancelOrder)]


def test_stop_waits_for_an_unanswered_leg_and_takes_it_back_too():
    rig = Rig()
    rig.venue.fault(SendOrder, "late", tag="sm_leg_3")
    for _ in range(3):
        rig.run_pass()
    result = rig.rest(Mode.STOP_PULL)
    assert result.finish is not None
    assert set(rig.quantities()) == {"tp"}


def test_stopping_before_the_entry_filled_books_the_cycle_as_not_entered():
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_request", tag="sm_leg_0")
    rig.run_pass()
    result = rig.rest(Mode.STOP_PULL)
    assert result.finish is not None
    assert rig.journal.cycles[1].end is CycleEnd.NOT_ENTERED
    assert rig.venue.held == 0


def test_close_pulls_the_legs_and_sells_the_position_at_market_reduce_only():
    rig = running()
    result = rig.rest(Mode.CLOSE)
    assert result.finish is not None
    assert rig.journal.cycles[1].end is CycleEnd.CLOSED_BY_TRADER
    assert (rig.quantities(), rig.venue.held) == ({}, ZERO)
    assert rig.sent("tp")[-1].order.reduce_only


def test_start_after_a_stop_goes_on_with_the_same_cycle():
    rig = running()
    rig.rest(Mode.STOP_PULL)
    rig.restart()
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert list(rig.journal.cycles) == [1]
    assert len(rig.sent("leg_0")) == 1


# Start with something there


@pytest.mark.parametrize(("settings", "direction"), [(LONG, Direction.BUY), (SHORT, Direction.SELL)])
def test_a_foreign_position_on_our_side_is_refused_and_nothing_is_sent(settings, direction):
    rig = Rig(settings=settings)
    rig.venue.trade_by_hand(direction, "1")
    result = rig.rest()
    assert result.finish is not None
    assert (result.finish.code, result.finish.refused) == ("foreign_position", True)
    assert not [call for call in rig.venue.calls if isinstance(call, SendOrder | PrepareAccount)]


def test_a_position_the_other_way_on_a_one_way_account_is_refused():
    rig = Rig()
    rig.venue.trade_by_hand(Direction.SELL, "1")
    result = rig.rest()
    assert result.finish is not None
    assert result.finish.code == "foreign_position"


def test_a_lost_journal_is_made_good_from_the_tags_and_the_fills_since_the_last_flat():
    rig = running()
    rig.go("60300")
    rig.go("59697")
    rig.journal = type(rig.journal)()
    rig.restart()
    rig.venue.now_ms += 5_000
    rig.rest()
    rig.restart()
    rig.rest()
    assert rig.memory.ledger.leg_filled == {0: Decimal("0.016"), 1: Decimal("0.016")}
    assert rig.quantities()["tp"] == rig.venue.held
    rig.go("60300")
    assert rig.journal.cycles[1].realised == sum(
        (1 if fill.direction is Direction.SELL else -1) * fill.quantity * fill.price for fill in rig.venue.fills[2:-1]
    )


def test_the_position_of_the_last_cycle_seen_by_a_stale_read_is_neither_adopted_nor_foreign():
    rig = running()
    rig.venue.now_ms += 1_000
    rig.venue.move("60300")
    while rig.memory.cycle is not None:
        rig.run_pass()
        rig.venue.now_ms += 10
    rig.venue.lag_ms = lambda call: 500
    result = rig.run_pass()
    assert result.finish is None
    rig.venue.lag_ms = lambda call: 0
    rig.rest()
    assert {number: cycle.end for number, cycle in rig.journal.cycles.items()} == {1: CycleEnd.TAKE_PROFIT, 2: None}


def test_funding_is_booked_into_the_cycle_and_moves_nothing():
    rig = running()
    charge = rig.venue.fills[0]
    rig.venue.fills.append(
        Fill(
            exec_id="funding-1",
            order_id="",
            client_id="",
            symbol=charge.symbol,
            kind=FillKind.FUNDING,
            direction=Direction.SELL,
            quantity=Decimal("0.016"),
            price=Decimal(60_000),
            fee=Decimal("0.096"),
            is_maker=False,
            at_ms=rig.venue.now_ms,
        )
    )
    rig.go("60300")
    assert rig.journal.cycles[1].funding == Decimal("0.096")
    assert rig.journal.cycles[1].realised == Decimal("4.8")


@pytest.mark.parametrize("refusal", [Refusal.LIMIT, Refusal.CLOCK])
def test_a_passing_refusal_while_preparing_the_account_does_not_end_the_bot(refusal):
    rig = Rig()
    rig.venue.fault(PrepareAccount, Rejected(refusal=refusal, code="10006", message="too many visits"))
    rig.rest()
    assert rig.venue.held == Decimal("0.016")


def test_an_account_that_cannot_be_prepared_refuses_the_start_before_anything_is_sent():
    rig = Rig()
    rig.venue.fault(PrepareAccount, Rejected(refusal=Refusal.ACCOUNT, code="110013", message="cannot set leverage"))
    result = rig.rest()
    assert result.finish is not None
    assert result.finish.refused
    assert rig.sent("leg_0") == []


def test_an_entry_that_became_too_small_ends_its_cycle_so_that_new_settings_count():
    rig = Rig(settings=replace(LONG, rounds=1))
    no = Rejected(refusal=Refusal.MARGIN, code="110007", message="not enough")
    rig.venue.fault(SendOrder, no, tag="sm_leg_0")
    rig.run_pass()
    rig.instrument = replace(rig.instrument, quantity_min=Decimal(1))
    rig.memory.instrument = rig.instrument
    rig.venue.now_ms += 31_000
    result = rig.rest()
    assert result.finish is not None
    assert result.finish.code == "invalid_settings"
    assert rig.journal.cycles[1].end is CycleEnd.NOT_ENTERED


def test_a_hedge_account_keeps_the_other_side_out_of_it():
    rig = Rig(traits=VenueTraits())
    rig.venue.hedged = True
    rig.rest()
    rig.go("59400")
    assert rig.quantities()["tp"] == Decimal("0.032")
