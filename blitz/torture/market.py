"""The prices of a torture run: bounded walks that swing wide enough for legs to fill and take-profits to be reached."""

import random
from dataclasses import dataclass
from decimal import Decimal

from blitz.torture.ladder import Market

SWING_MAX = 250
"""How far a price goes from its start at most, in hundredths of a percent."""
WHOLE = Decimal(10_000)
MARKETS = tuple(
    Market(
        symbol=f"{base}/USDT:USDT",
        venue_symbol=f"{base}USDT",
        start_price=Decimal(start),
        lowest_price=Decimal(start) * (1 - SWING_MAX / WHOLE),
        tick=Decimal(tick),
        step=Decimal(step),
    )
    for base, start, tick, step in (
        ("BTC", "60000", "0.1", "0.001"),
        ("ETH", "3000", "0.01", "0.01"),
        ("SOL", "150", "0.01", "0.1"),
        ("XRP", "0.6", "0.0001", "0.1"),
    )
)
STEPS = (6, 22)
"""Size of a usual step, in hundredths of a percent."""
JUMP = (60, 120)
JUMPS_PER_STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The next price of a market: a jump, or through every price between."""

    market: Market
    price: Decimal
    sweep: bool


class Swing:
    """One market's walk: it heads for a level, then for the next one. Seeded; never leaves its bounds."""

    def __init__(self, market: Market, seed: str) -> None:
        self._market = market
        self._random = random.Random(seed)
        self._level = 0
        self._goal = self._next_goal()

    def step(self) -> Move:
        """Take one step towards the goal."""
        is_jump = self._random.randrange(JUMPS_PER_STEPS) == 0
        size = self._random.randint(*(JUMP if is_jump else STEPS))
        left = self._goal - self._level
        self._level += max(-size, min(size, left))
        if self._level == self._goal:
            self._goal = self._next_goal()
        return Move(market=self._market, price=self.price, sweep=not is_jump)

    @property
    def price(self) -> Decimal:
        """Where the market stands, on its tick."""
        exact = self._market.start_price * (1 + self._level / WHOLE)
        return (exact / self._market.tick).to_integral_value() * self._market.tick

    def _next_goal(self) -> int:
        return self._random.randint(-SWING_MAX, SWING_MAX)
