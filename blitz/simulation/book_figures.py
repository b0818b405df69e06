"""What a flood of cycles compares and counts, and the accounts that it runs on. Used by both ways of `book_flood`."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from blitz.core.instrument import Instrument
from blitz.core.orders import Side
from blitz.simulation.endurance_cycles import SETTINGS
from blitz.simulation.ladders import BTC, MARKETS
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import VenueIds

PEPE = replace(
    BTC,
    symbol="1000PEPE/USDT:USDT",
    venue_symbol="1000PEPEUSDT",
    tick=Decimal("0.0000001"),
    step=Decimal(100),
    quantity_min=Decimal(100),
    quantity_max=Decimal(10_000_000_000),
    market_quantity_max=Decimal(10_000_000_000),
)
FLOOD_MARKETS = (*MARKETS, (PEPE, Decimal("0.0113457")))
ROUNDS_MAX = 60
"""A cycle that is not flat after so many turns of the market is closed by hand."""
VIOLATIONS_MAX = 20
Figures = tuple[Decimal, Decimal, Decimal]
"""Profit before costs, fees, funding."""


@dataclass(slots=True)
class BooksFound:
    """What a flood of cycles came to."""

    cycles: int = 0
    by_passes: int = 0
    """Those of them that went through whole passes."""
    accounts: int = 0
    fills: int = 0
    comparisons: int = 0
    """How often a figure of ours was held against the venue's."""
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    among: Counter[str] = field(default_factory=Counter)
    """What was among the cycles: how many had a partial fill, funding and so on."""

    @property
    def cycles_per_second(self) -> int:
        """How fast it went."""
        return round(self.cycles / self.seconds) if self.seconds else 0

    @property
    def line(self) -> str:
        """Everything in one line."""
        among = ", ".join(f"{count} {name}" for name, count in sorted(self.among.items()))
        return (
            f"{self.cycles} cycles of {self.accounts} accounts ({self.by_passes} by whole passes), {self.fills} "
            f"executions, {self.comparisons} figures compared, {len(self.violations)} violations; among them {among}; "
            f"{self.cycles_per_second} cycles/s, {self.seconds:.1f} s"
        )

    def same(self, what: str, ours: object, venue: object) -> None:
        """Hold a figure of ours against the venue's."""
        self.comparisons += 1
        if ours != venue and len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"{what}: we have {ours}, the venue has {venue}")

    def join(self, other: "BooksFound") -> None:
        """Count what another worker found."""
        self.cycles += other.cycles
        self.by_passes += other.by_passes
        self.accounts += other.accounts
        self.fills += other.fills
        self.comparisons += other.comparisons
        self.among.update(other.among)
        self.violations += other.violations[: VIOLATIONS_MAX - len(self.violations)]


def figures_of(venue: SimulatedVenue) -> Figures:
    """What the venue has booked so far."""
    books = venue.books
    return books.realised, books.fees, books.funding


def less(figures: Figures, earlier: Figures) -> Figures:
    """What came in between."""
    return figures[0] - earlier[0], figures[1] - earlier[1], figures[2] - earlier[2]


def drawn_venue(chance: random.Random, number: int) -> tuple[SimulatedVenue, Instrument]:
    """An account on one of the markets, long or short."""
    instrument, price = chance.choice(FLOOD_MARKETS)
    venue = SimulatedVenue(
        instrument=instrument,
        side=chance.choice((Side.LONG, Side.SHORT)),
        ids=VenueIds.REUSABLE,
        price=price,
        wanted_leverage=SETTINGS.leverage,
        wanted_margin_mode=SETTINGS.margin_mode,
        prefix=f"{number}-",
        balance=Decimal(10) ** 12,
    )
    return venue, instrument
