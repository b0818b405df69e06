"""Killed at every yield of a whole cycle, with the last call applied or not: a restart reaches the same orders."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import Call, ReadFills, ReadOpenOrders, ReadOrder, ReadPosition
from blitz.core.ladder import leg_prices, leg_quantity
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ledger import Ledger
from blitz.core.memory import VenueTraits
from blitz.core.orders import Direction, Role
from blitz.simulation.ladders import BTC
from tests.core.bingx_venue import BINGX, REPEATING_BINGX, BingxVenue
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

LAGGING_STRIDE = 5
"""Under stale reads most yields are repeated looks: every fifth one visits each kind of them."""

REGIMES = ("never", "reusable", "unenforced")
WITH_STOP_LONG: LadderSettings = replace(LONG, stop_loss=Decimal(60))
WITH_STOP_SHORT: LadderSettings = replace(SHORT, stop_loss=Decimal(60))


def live_through(rig: Rig) -> None:
    """A cycle with a partly filled leg and a moved take-profit, and the beginning of the next."""
    rig.rest()
    long = rig.settings.side is LONG.side
    rig.go("59400" if long else "60600")
    second = rig.venue.live(rig.tag("leg_2"))
    assert second.price is not None
    rig.venue.fill(second.order_id, Decimal("0.010"), second.price)
    rig.rest()
    rig.go("58806" if long else "61206")
    rig.go("59600" if long else "60400")


def slow(call: Call) -> int:
    return 1_500 if isinstance(call, ReadOpenOrders | ReadOrder | ReadFills | ReadPosition) else 0


def venue_of(house: str, regime: str) -> tuple[ScriptedVenue, VenueTraits]:
    if house == "bybit":
        return ScriptedVenue(regime=regime), VenueTraits()
    return BingxVenue(regime=regime), REPEATING_BINGX if regime == "unenforced" else BINGX


def rig_for(
    settings: LadderSettings, regime: str, *, house: str, lagging: bool, kill_at: int = 0, applied: bool = False
) -> Rig:
    venue, traits = venue_of(house, regime)
    if lagging:
        venue.lag_ms = slow
    patience_ms = 2_000 if lagging else 0
    return Rig(settings=settings, venue=venue, traits=traits, kill_at=kill_at, applied=applied, patience_ms=patience_ms)


def assert_as_if_nothing_had_happened(rig: Rig, calm: Rig) -> None:
    assert rig.quantities() == calm.quantities()
    assert rig.venue.held == calm.venue.held
    assert {n: (c.end, c.realised, c.fees) for n, c in rig.journal.cycles.items()} == {
        n: (c.end, c.realised, c.fees) for n, c in calm.journal.cycles.items()
    }
    assert_books_equal_the_venue(rig)
    assert_no_leg_is_overfilled(rig)


def assert_books_equal_the_venue(rig: Rig) -> None:
    """Every fill once, and realised profit is proceeds minus cost."""
    assert list(rig.journal.fills) == [fill.exec_id for fill in rig.venue.fills]
    books: dict[int, Ledger] = defaultdict(lambda: Ledger(side=rig.settings.side))
    for booked in rig.journal.fills.values():
        books[booked.cycle].book(booked)
    closed = [cycle for cycle in rig.journal.cycles.values() if cycle.ended_ms is not None]
    proceeds = sum(
        (1 if one.fill.direction is Direction.SELL else -1) * one.fill.quantity * one.fill.price
        for one in rig.journal.fills.values()
        if one.cycle in {cycle.number for cycle in closed}
    )
    assert sum(cycle.realised for cycle in closed) == proceeds
    assert sum(book.quantity for book in books.values()) == abs(rig.venue.held)


def assert_no_leg_is_overfilled(rig: Rig) -> None:
    filled: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    entries = {}
    for one in rig.journal.fills.values():
        assert one.key is not None
        if one.key.role is Role.LEG:
            filled[one.cycle, one.key.leg] += one.fill.quantity
        if one.key.role is Role.LEG and one.key.leg == 0:
            entries[one.cycle] = one.fill.price
    for (cycle, index), quantity in filled.items():
        price = leg_prices(rig.settings, entries[cycle], BTC.tick)[index]
        assert quantity <= leg_quantity(rig.settings, index, price, BTC.step)


@pytest.mark.parametrize("applied", [False, True], ids=["not_applied", "applied_unanswered"])
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("house", ["bybit", "bingx"])
@pytest.mark.parametrize("settings", [WITH_STOP_LONG, WITH_STOP_SHORT], ids=["long", "short"])
def test_a_kill_at_any_yield_of_a_cycle_changes_nothing_in_the_end(settings, house, regime, applied):
    calm = rig_for(settings, regime, house=house, lagging=False)
    live_through(calm)
    assert sorted(calm.journal.cycles) == [1, 2]
    for kill_at in range(1, calm.yields + 1):
        rig = rig_for(settings, regime, house=house, lagging=False, kill_at=kill_at, applied=applied)
        live_through(rig)
        assert rig.kill_at == 0, "the kill was never reached"
        assert_as_if_nothing_had_happened(rig, calm)


@pytest.mark.parametrize("applied", [False, True], ids=["not_applied", "applied_unanswered"])
@pytest.mark.parametrize("regime", ["never", "reusable"])
@pytest.mark.parametrize("house", ["bybit", "bingx"])
def test_a_kill_at_any_yield_under_stale_reads_changes_nothing_in_the_end(house, regime, applied):
    calm = rig_for(WITH_STOP_LONG, regime, house=house, lagging=True)
    live_through(calm)
    assert sorted(calm.journal.cycles) == [1, 2]
    for kill_at in range(1, calm.yields + 1, LAGGING_STRIDE):
        rig = rig_for(WITH_STOP_LONG, regime, house=house, lagging=True, kill_at=kill_at, applied=applied)
        live_through(rig)
        assert_as_if_nothing_had_happened(rig, calm)


@pytest.mark.parametrize("house", ["bybit", "bingx"])
def test_a_restart_before_every_pass_is_invisible_to_the_venue(house):
    calm = rig_for(LONG, "never", house=house, lagging=False)
    live_through(calm)
    rig = rig_for(LONG, "never", house=house, lagging=False)
    rig.restarts_always = True
    live_through(rig)
    assert_as_if_nothing_had_happened(rig, calm)
