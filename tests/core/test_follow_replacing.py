"""Following a streamed fill where exits move by being replaced: half done, unanswered, killed in the middle."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import ReplaceOrder, Reply, SendOrder, Step
from blitz.core.follow import follow_fills
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT
from blitz.core.records import SlotState
from blitz.core.work import Acted
from tests.core.bingx_venue import BINGX, BingxVenue
from tests.core.ladders import LONG
from tests.core.rig import Killed, Rig

GUARDED = replace(LONG, stop_loss=Decimal(60))
EXITS = {"tp": TAKE_PROFIT, "sl": STOP_LOSS}
TROUBLES = ("half_done", "half_done_unanswered", "lost_answer", "lost_request", "late", "not_sent")


def entered() -> Rig:
    """A bot at BingX with its ladder laid; both exits cover the entry."""
    rig = Rig(settings=GUARDED, venue=BingxVenue(), traits=BINGX)
    rig.rest()
    rig.venue.now_ms += 31_000
    return rig


def told(rig: Rig, price: str = "59400") -> Acted:
    """The price moves, the venue fills what it reaches and tells of it, and the exits follow before any read."""
    known = {fill.exec_id for fill in rig.venue.fills}
    rig.venue.move(price)
    return driven(rig, follow_fills(rig.memory, [fill for fill in rig.venue.fills if fill.exec_id not in known]))


def driven(rig: Rig, step: Step[Acted]) -> Acted:
    reply: Reply | None = None
    while True:
        try:
            call = next(step) if reply is None else step.send(reply)
        except StopIteration as end:
            acted: Acted = end.value
            return acted
        if isinstance(call, ReplaceOrder | SendOrder):
            assert_intent_is_stored(rig, call)
        reply = rig._carry_out(call)


def assert_intent_is_stored(rig: Rig, call: ReplaceOrder | SendOrder) -> None:
    """Whatever is put off, a kill must find what was about to be sent (S8)."""
    stored = rig.journal.slots[rig.memory.tags.symbol, call.order.key]
    assert stored.state is SlotState.INTENT
    assert stored.client_id == call.client_id
    assert stored.quantity == call.order.quantity
    if isinstance(call, ReplaceOrder):
        assert stored.order_id == call.order_id


def replacements(rig: Rig) -> list[ReplaceOrder]:
    return [call for call in rig.venue.calls if isinstance(call, ReplaceOrder)]


def assert_covered(rig: Rig) -> None:
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (rig.venue.held, rig.venue.held)
    assert rig.venue.live(rig.tag("tp")).price == Decimal("59998.5")
    assert rig.venue.live(rig.tag("sl")).trigger == Decimal("56118.0")
    assert rig.memory.attention is None


def test_each_exit_follows_by_one_request_and_the_look_behind_changes_nothing():
    rig = entered()
    acted = told(rig)
    assert acted == Acted(words=("moved_tp", "moved_sl"))
    assert_covered(rig)
    sent = len(replacements(rig))
    assert sent == 2
    rig.rest()
    assert_covered(rig)
    assert len(replacements(rig)) == sent
    assert {key: slot.state for key, slot in rig.memory.slots.items() if key in EXITS.values()} == dict.fromkeys(
        EXITS.values(), SlotState.LIVE
    )


def test_what_was_put_off_is_stored_by_the_next_look():
    rig = entered()
    told(rig)
    assert rig.memory.unsaved
    rig.rest()
    assert not rig.memory.unsaved
    for key in EXITS.values():
        assert rig.journal.slots[rig.memory.tags.symbol, key] == rig.memory.slot(key)


def test_two_follows_without_a_look_between_them_leave_the_younger_in_the_journal():
    rig = entered()
    told(rig)
    told(rig, "58806")
    assert len(replacements(rig)) == 4
    rig.rest()
    rig.restart()
    rig.rest()
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (rig.venue.held, rig.venue.held)
    assert len(replacements(rig)) == 4


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("which", [("tp",), ("sl",), ("tp", "sl")], ids="+".join)
def test_whatever_becomes_of_a_follow_the_looks_behind_it_put_it_right(which, trouble):
    rig = entered()
    for name in which:
        rig.venue.faults.append((_replaces(name), trouble))
    acted = told(rig)
    assert not rig.venue.faults
    if trouble == "half_done":
        assert_covered(rig)  # sent anew at once, before any look
    else:
        assert acted.open, "a bot that does not know has to look at once"
    began_ms = rig.venue.now_ms
    rig.rest()
    assert rig.venue.now_ms - began_ms <= 5_000
    rig.live(15_000)
    assert_covered(rig)


def _replaces(name: str):
    key = EXITS[name]
    return lambda call: isinstance(call, ReplaceOrder) and call.order.key == key


@pytest.mark.parametrize("applied", [False, True], ids=["not_applied", "applied_unanswered"])
@pytest.mark.parametrize("trouble", ["half_done", "lost_answer", "late"])
def test_a_kill_at_any_yield_of_a_follow_is_harmless(trouble, applied):
    at, is_over = 0, False
    while not is_over:
        at += 1
        rig = entered()
        rig.venue.faults.append((_replaces("tp"), trouble))
        rig.kill_at, rig.applied = rig.yields + at, applied
        try:
            told(rig)
            is_over = True
        except Killed:
            rig.restart()
        rig.kill_at = 0
        rig.venue.faults.clear()
        began_ms = rig.venue.now_ms
        rig.rest()
        assert rig.venue.now_ms - began_ms <= 20_000
        rig.live(15_000)
        assert_covered(rig)
    assert at > 8, "a follow of both exits yields more often than that"


def test_a_fill_that_a_read_has_booked_by_another_id_moves_nothing():
    """Nobody has seen that streams and reads name fills alike: one that counts twice would be refused, and bare."""
    rig = entered()
    rig.go("59400")
    booked = rig.memory.ledger.booked[-1].fill
    sent = len(replacements(rig))
    driven(rig, follow_fills(rig.memory, [replace(booked, exec_id="by another name")]))
    assert len(replacements(rig)) == sent
    assert_covered(rig)


def test_a_fill_told_by_another_id_is_followed_once_and_the_next_one_too():
    rig = entered()
    known = {fill.exec_id for fill in rig.venue.fills}
    for price in ("59400", "58806"):
        rig.venue.move(price)
        fills = [fill for fill in rig.venue.fills if fill.exec_id not in known]
        known |= {fill.exec_id for fill in fills}
        driven(rig, follow_fills(rig.memory, [replace(fill, exec_id=f"stream {fill.exec_id}") for fill in fills]))
        assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (rig.venue.held, rig.venue.held)
        rig.rest()
    assert len(replacements(rig)) == 4
    assert rig.memory.attention is None
