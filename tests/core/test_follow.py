"""Following a streamed fill: the exits move at once, nothing is booked, and the look that comes next agrees."""

from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, Call, ClockRead, Done, ReadClock, Reply, Save
from blitz.core.follow import follow_fills
from blitz.core.orders import TAKE_PROFIT, Direction, Fill, FillKind, leg
from blitz.core.work import Acted
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Rig


def entered(settings=LONG) -> Rig:
    """A bot with its ladder laid and the exits at the average."""
    rig = Rig(settings=settings)
    rig.rest()
    return rig


def leg_fill(rig: Rig, index: int = 1, **changed) -> Fill:
    slot = rig.memory.slot(leg(index))
    usual = {
        "exec_id": f"streamed-{index}",
        "order_id": slot.order_id,
        "client_id": slot.client_id,
        "symbol": rig.memory.instrument.venue_symbol,
        "kind": FillKind.TRADE,
        "direction": slot.direction,
        "quantity": slot.quantity,
        "price": slot.price,
        "fee": Decimal("0.1"),
        "is_maker": True,
        "at_ms": rig.venue.now_ms,
    }
    return Fill(**{**usual, **changed})


def followed(rig: Rig, *fills: Fill) -> tuple[Acted, list[AmendOrder], list[Call]]:
    """Drive the step against a venue that takes every amend; answer what it did and asked."""
    step, reply = follow_fills(rig.memory, fills), None
    moves: list[AmendOrder] = []
    calls: list[Call] = []
    while True:
        try:
            call = next(step) if reply is None else step.send(reply)
        except StopIteration as end:
            return end.value, moves, calls
        calls.append(call)
        answer: Reply = ClockRead(now_ms=rig.venue.now_ms) if isinstance(call, ReadClock) else Done()
        if isinstance(call, AmendOrder):
            moves.append(call)
        reply = answer


@pytest.mark.parametrize("settings", [LONG, SHORT])
def test_the_take_profit_moves_to_where_the_next_plan_would_put_it(settings):
    rig = entered(settings)
    slot = rig.memory.slot(leg(1))
    assert slot.price is not None
    acted, moves, _ = followed(rig, leg_fill(rig))
    assert "moved_tp" in acted.words
    books = rig.memory.ledger
    quantity = books.quantity + slot.quantity
    average = (books.cost + slot.quantity * slot.price) / quantity
    move = next(one for one in moves if one.order_id == rig.memory.slot(TAKE_PROFIT).order_id)
    assert move.quantity == quantity
    assert move.price is not None
    assert (move.price > average) if settings is LONG else (move.price < average)


def test_nothing_is_booked_by_a_stream():
    rig = entered()
    before = (rig.memory.ledger.quantity, len(rig.memory.ledger.booked))
    _, _, calls = followed(rig, leg_fill(rig))
    assert (rig.memory.ledger.quantity, len(rig.memory.ledger.booked)) == before
    saved = [change for call in calls if isinstance(call, Save) for change in call.changes]
    assert not [change for change in saved if type(change).__name__ == "FillBooked"]


def test_the_same_fill_told_twice_counts_once():
    rig = entered()
    fill = leg_fill(rig)
    _, first, _ = followed(rig, fill, fill)
    _, second, _ = followed(rig, fill)
    assert first
    assert not second


def test_two_fills_that_no_read_has_shown_yet_add_up():
    rig = entered()
    held = rig.memory.ledger.quantity
    first, second = rig.memory.slot(leg(1)).quantity, rig.memory.slot(leg(2)).quantity
    followed(rig, leg_fill(rig, 1))
    _, moves, _ = followed(rig, leg_fill(rig, 2))
    assert moves[0].quantity == held + first + second


@pytest.mark.parametrize(
    "changed",
    [
        {"order_id": "somebody", "client_id": ""},
        {"direction": Direction.SELL},
        {"kind": FillKind.LIQUIDATION},
        {"at_ms": 1, "order_id": "of an older cycle"},
    ],
    ids=["a stranger's fill", "a fill that closes", "a liquidation", "a fill of long ago"],
)
def test_only_a_leg_of_this_cycle_is_followed(changed):
    rig = entered()
    acted, moves, _ = followed(rig, leg_fill(rig, **changed))
    assert not moves
    assert not acted.words


def test_a_fill_that_a_read_has_booked_is_not_followed():
    rig = entered()
    rig.go(str(rig.memory.slot(leg(1)).price))
    booked = rig.memory.ledger.booked[-1].fill
    _, moves, _ = followed(rig, booked)
    assert not moves
    assert not rig.memory.streamed


def test_without_a_cycle_nothing_is_followed():
    fill, rig = leg_fill(entered()), Rig()
    acted, moves, _ = followed(rig, fill)
    assert acted == Acted()
    assert not moves
