"""Seeded chaos over the real passes: lost, late and stale answers, kills and a wandering price; then peace.

While it lasts the venue itself checks that no tag has two live orders and nothing foreign is touched. Afterwards the
bot must have come to rest with the position covered and its books equal to the venue's. A seed repeats exactly.
"""

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import (
    AmendOrder,
    Call,
    CancelOrder,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReplaceOrder,
    SendOrder,
)
from blitz.core.ladder_settings import LadderSettings
from tests.core.bingx_venue import BingxVenue
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Killed, Rig
from tests.core.test_pass_kill import assert_books_equal_the_venue, venue_of
from tests.core.test_pass_replace import TROUBLES

READS = (ReadOpenOrders, ReadOrder, ReadFills, ReadPosition)
LADDERS: tuple[LadderSettings, ...] = (
    LONG,
    replace(LONG, stop_loss=Decimal(60)),
    replace(SHORT, stop_loss=Decimal(60)),
)
STEPS = 150


def troubled(rig: Rig, chance: random.Random) -> None:
    """Lay out what goes wrong next."""
    if chance.random() < 0.12:
        rig.venue.fault(SendOrder, chance.choice(["lost_answer", "lost_request", "late"]))
    if chance.random() < 0.05:
        rig.venue.fault(chance.choice([AmendOrder, CancelOrder]), chance.choice(["lost_answer", "lost_request"]))
    if chance.random() < 0.05:
        rig.venue.fault(chance.choice(READS), "lost_request")
    if isinstance(rig.venue, BingxVenue) and chance.random() < 0.1:
        rig.venue.fault(ReplaceOrder, chance.choice(TROUBLES))
    if chance.random() < 0.15:
        rig.kill_at = rig.yields + chance.randint(1, 20)
        rig.applied = chance.random() < 0.5


def live_in_chaos(rig: Rig, chance: random.Random) -> None:
    price = 60_000
    for _ in range(STEPS):
        troubled(rig, chance)
        try:
            rig.run_pass()
        except Killed:
            rig.restart()
        rig.venue.now_ms += chance.choice([10, 250, 250, 1_000, 2_000])
        if chance.random() < 0.5:
            price = max(50_000, min(70_000, price + chance.randint(-500, 500)))
            rig.venue.move(str(price))


def peace(rig: Rig) -> None:
    rig.venue.faults.clear()
    rig.venue.lag_ms = lambda call: 0
    rig.kill_at = 0
    rig.venue.now_ms += 20_000
    rig.rest()


@pytest.mark.parametrize("house", ["bybit", "bingx"])
@pytest.mark.parametrize("seed", range(80))
def test_after_any_chaos_the_position_is_covered_and_the_books_are_the_venues(seed, house):
    chance = random.Random(seed)
    settings, regime = chance.choice(LADDERS), chance.choice(["never", "reusable"])
    venue, traits = venue_of(house, regime)
    rig = Rig(settings=settings, venue=venue, traits=traits)
    stale = chance.random() < 0.5

    def lag_ms(call: Call) -> int:
        return chance.choice([0, 0, 300, 900, 1_500]) if stale and isinstance(call, READS) else 0

    rig.venue.lag_ms = lag_ms
    live_in_chaos(rig, chance)
    peace(rig)
    assert rig.quantities()["tp"] == abs(rig.venue.held) > 0
    assert_books_equal_the_venue(rig)
