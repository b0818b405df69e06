"""Fills that the venue lists after their cycle was booked (C10): to that cycle, once, whatever happens."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.orders import Direction, FillKind
from blitz.core.records import EventKind
from tests.core.ladders import LONG
from tests.core.rig import Killed, Rig

HOUR_MS = 3_600_000


def after_a_cycle(**changes: object) -> tuple[Rig, int]:
    """A rig whose first cycle is booked, and a moment inside that cycle."""
    rig = Rig(settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    rig.venue.now_ms += 60_000
    inside_ms = rig.venue.now_ms - 10
    rig.go("60300")
    return rig, inside_ms


def funding(rig: Rig) -> dict[int, Decimal]:
    return {number: cycle.funding for number, cycle in rig.journal.cycles.items()}


def booked_to(rig: Rig) -> list[int]:
    return [one.cycle for one in rig.journal.fills.values() if one.fill.kind is FillKind.FUNDING]


@pytest.mark.parametrize("restart", [False, True])
def test_late_funding_is_added_to_its_closed_cycle_once(restart):
    rig, inside_ms = after_a_cycle()
    rig.venue.now_ms += 30_000
    rig.venue.charge("0.096", inside_ms)
    if restart:
        rig.restart()
    for _ in range(3):
        rig.rest()
        rig.venue.now_ms += 1_000
    rig.restart()
    rig.rest()
    assert funding(rig)[1] == Decimal("0.096")
    assert rig.memory.ledger.funding == 0
    assert booked_to(rig) == [1]
    assert rig.kinds().count(EventKind.CYCLE_CORRECTED) == 1


def test_a_kill_at_any_yield_books_late_funding_exactly_once():
    calm, inside_ms = after_a_cycle()
    calm.venue.charge("0.096", inside_ms)
    before = calm.yields
    calm.rest()
    for kill_at in range(before + 1, calm.yields + 1):
        for applied in (False, True):
            rig, inside_ms = after_a_cycle()
            rig.venue.charge("0.096", inside_ms)
            rig.kill_at, rig.applied = kill_at, applied
            with pytest.raises(Killed):
                rig.run_pass()
            rig.kill_at = 0
            rig.restart()
            rig.rest()
            assert (funding(rig)[1], booked_to(rig)) == (Decimal("0.096"), [1])


def test_funding_of_the_running_cycle_is_not_the_last_ones():
    rig, _ = after_a_cycle()
    rig.venue.now_ms += 1_000
    rig.venue.charge("0.05")
    rig.rest()
    assert funding(rig)[1] == 0
    assert rig.memory.ledger.funding == Decimal("0.05")


def test_late_funding_finds_its_cycle_behind_a_shorter_one():
    rig, inside_ms = after_a_cycle()
    rig.go("60605")
    assert sorted(rig.journal.cycles) == [1, 2, 3]
    rig.venue.charge("0.096", inside_ms)
    rig.rest()
    assert funding(rig) == {1: Decimal("0.096"), 2: 0, 3: 0}
    for price in ("60915", "61225"):
        rig.go(price)
    assert sum(cycle.funding for cycle in rig.journal.cycles.values()) == Decimal("0.096")
    assert booked_to(rig) == [1]


def test_funding_listed_while_no_bot_ran_is_found_by_the_next_start():
    rig, inside_ms = after_a_cycle(repeat=False)
    rig.venue.now_ms += 5 * HOUR_MS
    rig.venue.charge("0.096", inside_ms)
    rig.restart()
    rig.rest()
    assert funding(rig)[1] == Decimal("0.096")
    assert booked_to(rig) == [1]


def test_a_journal_that_cannot_be_written_leaves_the_late_funding_for_the_next_look():
    rig, inside_ms = after_a_cycle()
    rig.venue.charge("0.096", inside_ms)
    rig.journal.fail_next = 1
    rig.run_pass()
    assert funding(rig)[1] == 0
    rig.rest()
    assert (funding(rig)[1], booked_to(rig)) == (Decimal("0.096"), [1])


def test_trades_of_others_that_cancelled_out_and_were_listed_late_are_booked_to_the_cent():
    rig, inside_ms = after_a_cycle()
    before = rig.journal.cycles[1]
    for direction, price in ((Direction.BUY, "60000"), (Direction.SELL, "60100")):
        rig.venue.price = Decimal(price)
        rig.venue.trade_by_hand(direction, "0.010")
        rig.venue.fills[-1] = replace(rig.venue.fills[-1], at_ms=inside_ms)
    rig.venue._remember()
    rig.rest()
    after = rig.journal.cycles[1]
    assert after.realised - before.realised == 1
    assert after.fees - before.fees == sum(fill.fee for fill in rig.venue.fills[-2:])


def test_what_others_traded_on_another_market_is_nobodys_late_fill():
    rig, inside_ms = after_a_cycle()
    rig.memory.closed = tuple(
        replace(each, cycle=replace(each.cycle, settings=replace(LONG, symbol="ETH/USDT:USDT")))
        for each in rig.memory.closed
    )
    rig.venue.charge("0.096", inside_ms)
    rig.rest()
    assert booked_to(rig) == []
