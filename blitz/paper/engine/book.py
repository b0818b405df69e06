"""The synthetic order book: depth made from the last price alone, and how a taker walks it.

The book is locked by default (best bid = best ask = last), so a small taker order trades exactly at the last
price. Level k lies k ticks further out and holds `first_level_notional × (1 + k)` USDT. It is never used up: two
orders in a row meet the same depth. Resting orders of accounts are not shown in it; they fill when the price
touches them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from blitz.paper.engine.instruments import PRICE_BAND, Instrument
from blitz.paper.engine.orders import Side

WALK_LEVELS_MAX = 500
"""No taker order looks further into the book than this, whatever the price band would allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A picture of the book: (price, size) best first, sizes in base coin."""

    symbol: str
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    update_id: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookShape:
    """How the book is drawn around the last price."""

    first_level_notional: Decimal
    spread_ticks: int = 0

    def best(self, instrument: Instrument, last: Decimal, side: Side) -> Decimal:
        """Best price of the book's own `side` (BUY: bid, SELL: ask). The bid takes the odd tick of a spread."""
        below = (self.spread_ticks + 1) // 2
        if side is Side.BUY:
            return max(instrument.tick_size, last - below * instrument.tick_size)
        return last + (self.spread_ticks - below) * instrument.tick_size

    def levels(self, instrument: Instrument, last: Decimal, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """Levels of one side, best first, at most `WALK_LEVELS_MAX`, never at or below zero."""
        step = -instrument.tick_size if side is Side.BUY else instrument.tick_size
        price = self.best(instrument, last, side)
        for index in range(WALK_LEVELS_MAX):
            if price <= 0:
                return
            size = self.first_level_notional * (1 + index) / price
            steps = (size / instrument.quantity_step).to_integral_value(rounding=ROUND_DOWN)
            yield price, max(steps, Decimal(1)) * instrument.quantity_step
            price += step


def walk(
    shape: BookShape, instrument: Instrument, last: Decimal, taker: Side, quantity: Decimal, limit: Decimal | None
) -> list[tuple[Decimal, Decimal]]:
    """Find what a taker gets: (price, size) slices, best first, together at most `quantity`.

    `limit` is the worst acceptable price; without one (a market order) the price band decides. What is not
    covered by the slices did not trade.
    """
    slices: list[tuple[Decimal, Decimal]] = []
    best = shape.best(instrument, last, taker.opposite)
    if limit is None:
        limit = best * (1 + PRICE_BAND) if taker is Side.BUY else best * (1 - PRICE_BAND)
    left = quantity
    for price, size in shape.levels(instrument, last, taker.opposite):
        if left <= 0 or (price > limit if taker is Side.BUY else price < limit):
            break
        taken = min(left, size)
        slices.append((price, taken))
        left -= taken
    return slices
