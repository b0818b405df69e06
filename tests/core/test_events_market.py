"""Rules that change while orders live, and markets that stop trading (C6, A20, A21): given, when, then."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import ReadInstrument, Refusal, Rejected, SendOrder
from blitz.core.instrument import Instrument
from blitz.core.records import EventKind
from blitz.simulation.ladders import BTC
from tests.core.ladders import LONG
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

ALL = {"tp", "leg_1", "leg_2", "leg_3"}
Change = Callable[[Instrument], Instrument]


def running(**changes: object) -> Rig:
    rig = Rig(venue=ScriptedVenue(instrument=BTC), settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    return rig


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


def rules(rig: Rig, **changes: object) -> None:
    assert rig.venue.instrument is not None
    rig.venue.instrument = replace(rig.venue.instrument, **changes)  # type: ignore[arg-type]


def asked(rig: Rig) -> int:
    return sum(isinstance(call, ReadInstrument) for call in rig.venue.calls)


def test_a_coarser_tick_is_read_after_the_first_refusal_and_the_orders_follow_at_once():
    rig = running()
    rules(rig, tick=Decimal(10))
    rig.venue.move("59400")
    began_ms = rig.venue.now_ms
    rig.rest()
    assert (rig.quantities()["tp"], rig.venue.live(rig.tag("tp")).price) == (Decimal("0.032"), Decimal(60_000))
    assert rig.venue.live(rig.tag("leg_2")).price == Decimal(58_810)
    assert rig.venue.now_ms - began_ms < 3_000
    assert asked(rig) == 1
    assert EventKind.RULES_CHANGED in rig.kinds()


def test_a_coarser_step_rounds_quantities_down_and_leaves_a_whole_take_profit_alone():
    rig = running()
    rules(rig, step=Decimal("0.01"), quantity_min=Decimal("0.01"))
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.rest()
    resting = rig.quantities()
    assert resting["leg_2"] == Decimal("0.03")
    assert resting["tp"] == Decimal("0.016")
    assert len(rig.sent("tp")) == 1


def test_a_take_profit_that_new_rules_cannot_take_whole_covers_what_they_can():
    rig = running()
    rules(rig, step=Decimal("0.01"), quantity_min=Decimal("0.01"))
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.rest()
    assert rig.quantities()["tp"] == Decimal("0.01")


def test_rules_are_read_before_a_cycle_when_they_are_hours_old_and_not_in_the_middle_of_one():
    rig = running(repeat=True)
    rig.venue.now_ms += 7 * 3_600_000
    rig.rest()
    assert asked(rig) == 0
    rules(rig, tick=Decimal(1))
    rig.go("60300")
    assert asked(rig) == 1
    assert rig.memory.instrument.tick == 1
    rig.go("60600")
    assert asked(rig) == 1


def test_rules_that_cannot_be_read_stay_and_are_asked_for_once_a_minute():
    rig = running()
    for _ in range(3):
        rig.venue.fault(ReadInstrument, "lost_request")
    no = Rejected(refusal=Refusal.FILTER, code="10001", message="params error")
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    for _ in range(3):
        rig.venue.fault(SendOrder, no, tag="sm_leg_2")
    began_ms = rig.venue.now_ms
    rig.rest()
    assert asked(rig) == 3
    assert rig.venue.now_ms - began_ms >= 120_000
    assert rig.memory.instrument == BTC
    assert set(rig.quantities()) == ALL
    for _ in range(10):
        rig.venue.now_ms += 60_000
        rig.run_pass()
    assert asked(rig) == 3


def test_a_market_that_closes_parks_entries_keeps_exits_and_opens_again_by_itself():
    rig = running()
    rules(rig, trading=False)
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.venue.cancel_by_hand(rig.tag("tp"))
    for _ in range(120):
        rig.venue.now_ms += 1_000
        rig.run_pass()
    assert code(rig) == "market_closed"
    assert set(rig.quantities()) == {"leg_1", "leg_3"}
    assert 30 <= len(rig.sent("tp")) <= 62  # every two seconds: a position waits
    assert len(rig.sent("leg_2")) <= 2
    assert 2 <= asked(rig) <= 3
    rules(rig, trading=True)
    rig.venue.now_ms += 61_000
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert code(rig) is None


def test_a_market_that_closes_between_cycles_parks_the_bot_instead_of_ending_it():
    rig = running()
    rig.venue.now_ms += 7 * 3_600_000
    rules(rig, trading=False)
    rig.venue.move("60300")
    for _ in range(200):
        rig.venue.now_ms += 1_000
        assert rig.run_pass().finish is None
    assert code(rig) == "market_closed"
    assert len(rig.sent("leg_0")) == 1
    rules(rig, trading=True)
    rig.venue.now_ms += 61_000
    rig.rest()
    assert set(rig.quantities()) == ALL


def test_a_resumed_bot_waits_for_a_closed_market_and_a_started_one_is_refused():
    for by_trader in (False, True):
        closed = replace(BTC, trading=False)
        rig = Rig(venue=ScriptedVenue(instrument=closed), instrument=closed)
        rig.memory.started_by_trader = by_trader
        result = rig.run_pass()
        assert (result.finish is not None) is by_trader
        assert by_trader or code(rig) == "market_closed"


def test_maintenance_parks_with_one_sentence_and_ends_by_itself():
    rig = running()
    rig.venue.cancel_by_hand(rig.tag("leg_1"))
    for _ in range(3):
        no = Rejected(refusal=Refusal.CLOSED_MARKET, code="110066", message="trading is not allowed")
        rig.venue.fault(SendOrder, no, tag="sm_leg_1")
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert rig.kinds().count(EventKind.ORDER_REJECTED) == 1


@pytest.mark.parametrize("leverage", [Decimal(0), Decimal(10)])
def test_an_unknown_leverage_and_old_rules_do_not_stop_a_day_of_cycles(leverage):
    rig = Rig(venue=ScriptedVenue(instrument=BTC, leverage=leverage, leverage_asked=leverage))
    rig.rest()
    for price in ("60300", "60601.5", "60904.6"):
        rig.venue.now_ms += 8 * 3_600_000
        rig.go(price)
    assert len(rig.journal.cycles) == 4
