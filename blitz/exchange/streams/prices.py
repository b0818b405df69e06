"""Who waits for which price: the safety net under the private streams.

When the last price reaches a level where an order of ours rests, its fill must be told soon. If it is not, the event
was lost or the private link is dead without knowing it, and the bot looks. One public stream serves every bot on a
market; each price costs no more than the levels that it reaches.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

OnReached = Callable[[], None]


@dataclass(slots=True)
class Levels:
    """What one bot waits for on one market: a price at or below `low`, or at or above `high`. Told once."""

    low: Decimal | None
    high: Decimal | None
    on_reached: OnReached
    is_over: bool = False
    """Told, or given up: skipped where it still stands in a heap."""


@dataclass(slots=True)
class PriceBoard:
    """The last price of one market and everybody who waits on it. Belongs to the loop thread."""

    price: Decimal | None = None
    _lows: list[tuple[Decimal, int, Levels]] = field(default_factory=list)
    """Negated, so that the highest of the low levels comes first."""
    _highs: list[tuple[Decimal, int, Levels]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def wait_for(self, levels: Levels) -> None:
        """Add a bot's levels. One that is reached already is told of with the next price: what should have happened
        there may have been too young for the look that has just been, and an event of it lost.
        """
        if levels.low is not None:
            heapq.heappush(self._lows, (-levels.low, next(self._numbers), levels))
        if levels.high is not None:
            heapq.heappush(self._highs, (levels.high, next(self._numbers), levels))

    def moved(self, price: Decimal) -> None:
        """A new last price: tell everybody whose level it reaches."""
        self.price = price
        reached = []
        while self._lows and (self._lows[0][2].is_over or price <= -self._lows[0][0]):
            reached.append(heapq.heappop(self._lows)[2])
        while self._highs and (self._highs[0][2].is_over or price >= self._highs[0][0]):
            reached.append(heapq.heappop(self._highs)[2])
        for levels in reached:
            if not levels.is_over:
                levels.is_over = True
                levels.on_reached()

    def forget_over(self) -> None:
        """Drop what is over from the heaps; called now and then, so that they do not grow with the passes."""
        self._lows = [entry for entry in self._lows if not entry[2].is_over]
        self._highs = [entry for entry in self._highs if not entry[2].is_over]
        heapq.heapify(self._lows)
        heapq.heapify(self._highs)

    @property
    def size(self) -> int:
        """Entries in the heaps."""
        return len(self._lows) + len(self._highs)
