"""Sorted price levels at which something waits: a resting order, a trigger, a liquidation alert.

A market keeps one `LevelIndex` per purpose and direction, so that a price move looks only at what it reaches,
however many accounts there are. Nothing is decided here.
"""

from bisect import bisect_left, insort
from collections.abc import Container
from decimal import Decimal
from typing import NamedTuple


class Level(NamedTuple):
    """One thing that waits. Sorted by `rank` (nearest first), then by age."""

    rank: Decimal
    """The price; negated in a falling index, so that the highest price comes first."""
    sequence: int
    key: str
    """API key of the account."""
    order_id: str
    """Empty for a liquidation alert."""


class LevelIndex:
    """Levels reached from one direction. `falls`: reached when the price is at or below the level."""

    def __init__(self, *, falls: bool) -> None:
        self.falls = falls
        self._levels: list[Level] = []

    def __len__(self) -> int:
        return len(self._levels)

    def level(self, price: Decimal, sequence: int, key: str, order_id: str) -> Level:
        """Make the entry for a price."""
        return Level(-price if self.falls else price, sequence, key, order_id)

    def price_of(self, level: Level) -> Decimal:
        """The price an entry waits at."""
        return -level.rank if self.falls else level.rank

    def add(self, level: Level) -> None:
        """Insert an entry."""
        insort(self._levels, level)

    def remove(self, level: Level) -> None:
        """Take an entry out; it must be there."""
        position = bisect_left(self._levels, level)
        assert self._levels[position : position + 1] == [level], f"{level} is not indexed"
        del self._levels[position]

    def first(self, skipped: Container[str] = ()) -> Level | None:
        """The entry that is reached first, orders in `skipped` left out."""
        for level in self._levels:
            if level.order_id not in skipped:
                return level
        return None

    def nearest_price(self) -> Decimal | None:
        """Price of the first entry."""
        return self.price_of(self._levels[0]) if self._levels else None

    def is_reached(self, level: Level, price: Decimal) -> bool:
        """Whether `price` reaches the entry."""
        waits_at = self.price_of(level)
        return price <= waits_at if self.falls else price >= waits_at
