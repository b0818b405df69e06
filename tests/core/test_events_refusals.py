"""Orders the venue does not take: margin, one bad leg, dust, empty books (A19, A20, C5, C11): given, when, then."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import PrepareAccount, ReadPrice, Refusal, Rejected, SendOrder
from blitz.core.orders import Direction, FillKind
from blitz.core.records import CycleEnd, EventKind
from blitz.core.work import Mode
from blitz.simulation.ladders import BTC
from tests.core.ladders import LONG
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

ALL = {"tp", "leg_1", "leg_2", "leg_3"}
NO_MARGIN = Rejected(refusal=Refusal.MARGIN, code="110007", message="ab not enough")
OUT_OF_BAND = Rejected(refusal=Refusal.FILTER, code="110003", message="order price exceeds the allowable range")


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


def refused(rig: Rig) -> list[str]:
    return [event.data["order"] for event in rig.journal.events if event.kind is EventKind.ORDER_REJECTED]


def passes(rig: Rig, count: int, every_ms: int = 1_000) -> None:
    for _ in range(count):
        rig.run_pass()
        rig.venue.now_ms += every_ms


def dusty(left: str = "0.016", least: str = "0.05") -> Rig:
    """Held is less than the market takes an order for since its rules changed, and the take-profit is gone."""
    rig = Rig(venue=ScriptedVenue(instrument=BTC), settings=replace(LONG, rounds=1))
    rig.rest()
    rig.venue.instrument = rig.memory.instrument = replace(BTC, quantity_min=Decimal(least))
    if left != "0.016":
        rig.venue.trade_by_hand(Direction.SELL, str(Decimal("0.016") - Decimal(left)), FillKind.ADL)
    rig.venue.cancel_by_hand(rig.tag("tp"))
    return rig


# Margin


def test_without_margin_for_a_leg_the_deeper_ones_wait_and_the_trader_is_told_once():
    rig = Rig()
    for _ in range(3):
        rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_1")
    passes(rig, 65)
    assert set(rig.quantities()) == {"tp"}
    assert [len(rig.sent(f"leg_{index}")) for index in (1, 2, 3)] == [3, 0, 0]
    assert refused(rig) == ["leg_1"]
    assert code(rig) == "insufficient_margin"
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert code(rig) is None


def test_margin_withdrawn_in_the_middle_leaves_the_take_profit_following():
    rig = Rig()
    rig.rest()
    rig.venue.cancel_by_hand(rig.tag("leg_3"))
    for _ in range(4):
        rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_3")
    rig.venue.move("59400")
    passes(rig, 20)
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")
    assert code(rig) == "insufficient_margin"


def test_a_pass_that_met_a_refusal_is_followed_by_a_look_at_once_and_then_by_the_usual_ones():
    rig = Rig()
    rig.rest()
    rig.venue.cancel_by_hand(rig.tag("leg_3"))
    rig.run_pass()
    rig.venue.now_ms += 3_000
    rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_3")
    refusing = rig.run_pass()
    assert refusing.wake_in_ms is not None
    assert refusing.wake_in_ms <= 250
    rig.venue.now_ms += refusing.wake_in_ms
    assert rig.run_pass().settled  # the driver's own interval counts again


def test_an_entry_without_margin_is_tried_every_half_minute_and_told_once():
    rig = Rig()
    for _ in range(3):
        rig.venue.fault(SendOrder, NO_MARGIN, tag="sm_leg_0")
    passes(rig, 70)
    assert len(rig.sent("leg_0")) == 3
    assert refused(rig) == ["leg_0"]


# One order that the venue does not take


def test_one_unplaceable_leg_is_named_with_its_reason_once_and_the_others_rest():
    rig = Rig()
    for _ in range(5):
        rig.venue.fault(SendOrder, OUT_OF_BAND, tag="sm_leg_3")
    passes(rig, 130)
    assert set(rig.quantities()) == {"tp", "leg_1", "leg_2"}
    assert rig.memory.attention is not None
    assert rig.memory.attention.code == "leg_refused"
    assert "leg 3" in rig.memory.attention.message
    assert "allowable range" in rig.memory.attention.message
    assert refused(rig) == ["leg_3"]
    assert 2 <= len(rig.sent("leg_3")) <= 4


def test_another_reason_for_the_same_leg_is_told_again():
    rig = Rig()
    rig.venue.fault(SendOrder, OUT_OF_BAND, tag="sm_leg_3")
    rig.venue.fault(SendOrder, replace(OUT_OF_BAND, code="110094"), tag="sm_leg_3")
    passes(rig, 130)
    assert refused(rig) == ["leg_3", "leg_3"]
    assert set(rig.quantities()) == ALL


def test_a_take_profit_that_is_refused_is_told_as_uncovered_and_comes_back():
    rig = Rig()
    rig.rest()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.fault(SendOrder, OUT_OF_BAND, tag="sm_tp")
    told = set()
    for _ in range(4):
        passes(rig, 1)
        told.add(code(rig))
    assert "exit_refused" in told
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert code(rig) is None


# Dust


def test_dust_is_told_and_tried_once_a_minute():
    rig = dusty()
    passes(rig, 130)
    assert code(rig) == "dust"
    tries_ms = [call.expires_ms for call in rig.sent("tp")[-2:]]
    assert tries_ms[1] - tries_ms[0] >= 60_000
    assert len(rig.sent("leg_0")) == 1


def test_dust_closed_by_hand_ends_the_cycle():
    rig = dusty()
    passes(rig, 10)
    rig.venue.trade_by_hand(Direction.SELL, "0.016")
    rig.rest()
    assert rig.journal.cycles[1].end is CycleEnd.CLOSED_EXTERNALLY
    assert code(rig) is None


def test_dust_under_a_deeper_leg_stays_within_the_ladder_and_is_covered_once_that_fills():
    rig = Rig(venue=ScriptedVenue(instrument=BTC))
    rig.rest()
    rig.venue.instrument = rig.memory.instrument = replace(BTC, quantity_min=Decimal("0.014"))
    rig.venue.trade_by_hand(Direction.SELL, "0.006", FillKind.ADL)
    rig.venue.cancel_by_hand(rig.tag("tp"))
    passes(rig, 5)
    assert code(rig) == "dust"
    assert {"leg_1", "leg_2", "leg_3"} <= set(rig.quantities())
    rig.venue.move("59400")
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.026")


@pytest.mark.parametrize("mode", [Mode.STOP_PULL, Mode.STOP_KEEP, Mode.CLOSE])
def test_every_way_to_stop_works_with_dust(mode):
    rig = dusty()
    passes(rig, 3)
    result = rig.rest(mode)
    assert result.finish is not None
    assert rig.venue.now_ms - rig.venue.fills[0].at_ms < 30_000
    if mode is Mode.CLOSE:
        assert result.finish.code == "dust"
        assert "0.016" in result.finish.message


def test_less_than_one_step_is_dust_though_nobody_refuses_it():
    rig = dusty()
    rig.venue.instrument = rig.memory.instrument = replace(BTC, step=Decimal(1), quantity_min=Decimal(1))
    passes(rig, 10)
    assert code(rig) == "dust"
    assert len(rig.sent("tp")) == 1
    assert rig.rest(Mode.CLOSE).finish is not None


# Empty books


def test_a_close_at_market_that_the_venue_cuts_short_goes_on_until_flat():
    rig = Rig()
    rig.rest()
    cut = rig.venue

    def thin(quantity: Decimal) -> None:
        order = next(record.order for record in reversed(cut.records.values()) if record.order.client_id[:5] == "sm_tp")
        cut.held += order.filled - quantity
        cut.fills[-1] = replace(cut.fills[-1], quantity=quantity)
        cut._put(replace(order, filled=quantity), terminal=True, reason="EC_NoImmediateQtyToFill")

    while not [call for call in rig.sent("tp") if call.order.price is None]:
        rig.run_pass(Mode.CLOSE)
        rig.venue.now_ms += 100
    thin(Decimal("0.010"))
    result = rig.rest(Mode.CLOSE)
    assert result.finish is not None
    assert rig.venue.held == 0
    assert [fill.quantity for fill in rig.venue.fills[1:]] == [Decimal("0.010"), Decimal("0.006")]
    assert rig.journal.cycles[1].end is CycleEnd.CLOSED_BY_TRADER


def test_no_price_no_entry():
    rig = Rig()
    for _ in range(10):
        rig.venue.fault(ReadPrice, "lost_request")
    passes(rig, 10)
    assert rig.sent("leg_0") == []
    assert sum(isinstance(call, PrepareAccount) for call in rig.venue.calls) == 1
    rig.rest()
    assert set(rig.quantities()) == ALL
