"""A made-up market: regimes of calm, trend and turmoil, with jumps and gaps, repeatable from a seed.

Prices walk in millionths drawn as whole numbers, so no float touches them. A weak pull towards where the market began
keeps long runs tradable. Imitates the shape of a market, not any market's statistics.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice

from blitz.paper.engine import Instrument, default_instruments
from blitz.paper.wire.feeds.candles import BAR_MS, Candle
from blitz.paper.wire.host import VenueHost

MILLION = Decimal(1_000_000)
BARS_START_MS = 1_704_067_200_000
"""Made-up bars begin on 2024-01-01 00:00 UTC, so that a seed always gives the same file."""
STEPS_PER_BAR = 12
PULL_DIVISOR = 400
"""The larger, the weaker the pull back to the anchor."""
PAST_BARS = 1_440
"""A fresh market has traded for a day already, so that the first chart shows more than its first minute."""
STEPS_PER_PAST_BAR = 3
TICK_SECONDS = Decimal(1)
TICK_SECONDS_MIN = Decimal("0.02")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A mood of the market. Drift and spread per step in millionths; how many steps it lasts."""

    name: str
    drift: int
    spread: int
    shortest: int
    longest: int


REGIMES = (
    Regime(name="calm", drift=0, spread=60, shortest=300, longest=1_800),
    Regime(name="rise", drift=12, spread=150, shortest=120, longest=900),
    Regime(name="fall", drift=-12, spread=150, shortest=120, longest=900),
    Regime(name="chop", drift=0, spread=350, shortest=120, longest=600),
    Regime(name="panic", drift=-60, spread=600, shortest=30, longest=150),
    Regime(name="rebound", drift=50, spread=450, shortest=30, longest=150),
)
JUMP_ONE_IN = 900
"""A jump trades through the prices between (a sweep)."""
GAP_ONE_IN = 2_400
"""A gap does not: the next trade is simply elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The next price, and whether the market traded its way there."""

    price: Decimal
    sweep: bool


class SyntheticMarket:
    """One symbol's walk."""

    def __init__(self, instrument: Instrument, seed: int, price: Decimal | None = None) -> None:
        """Start at `price`, or at the instrument's own start price. The same seed and start give the same walk."""
        self._random = random.Random(f"{seed}:{instrument.symbol}")
        self._tick = instrument.tick_size
        self._anchor = instrument.start_price
        self._price = price or instrument.start_price
        self._regime = REGIMES[0]
        self._steps_left = 0

    @property
    def price(self) -> Decimal:
        """Where the walk stands."""
        return self._price

    def step(self) -> Move:
        """Take one step."""
        if self._steps_left == 0:
            self._regime = self._random.choice(REGIMES)
            self._steps_left = self._random.randint(self._regime.shortest, self._regime.longest)
        self._steps_left -= 1
        if self._random.randrange(GAP_ONE_IN) == 0:
            return self._move(self._leap(2_000, 15_000), sweep=False)
        if self._random.randrange(JUMP_ONE_IN) == 0:
            return self._move(self._leap(3_000, 20_000), sweep=True)
        # Three draws together are close enough to a bell.
        spread = self._regime.spread
        noise = sum(self._random.randint(-spread, spread) for _ in range(3)) // 2
        return self._move(self._regime.drift + noise, sweep=True)

    def _leap(self, least: int, most: int) -> int:
        return self._random.randint(least, most) * self._random.choice((-1, 1))

    def _move(self, millionths: int, *, sweep: bool) -> Move:
        pull = (self._anchor - self._price) / self._anchor / PULL_DIVISOR
        moved = self._price * (1 + millionths / MILLION + pull / 100)
        ticks = (moved / self._tick).to_integral_value(rounding=ROUND_HALF_EVEN)
        self._price = max(ticks, Decimal(1)) * self._tick
        return Move(price=self._price, sweep=sweep)

    def bars(self, start_ms: int = BARS_START_MS) -> Iterator[Candle]:
        """The walk as one-minute bars from a moment on, without end."""
        while True:
            steps = [self.step().price for _ in range(STEPS_PER_BAR)]
            yield Candle(
                start_ms=start_ms, open=steps[0], high=max(steps), low=min(steps), close=steps[-1],
                volume=Decimal(self._random.randint(1, 500)),
            )  # fmt: skip
            start_ms += BAR_MS


def past_bars(instrument: Instrument, seed: int, price: Decimal, now_ms: int) -> list[Candle]:
    """The minutes that led to `price`, oldest first: a walk of its own, taken backwards from there."""
    walk = SyntheticMarket(instrument, seed + 1, price)
    volumes = random.Random(f"{seed}:{instrument.symbol}:past")
    start_ms = now_ms // BAR_MS * BAR_MS
    bars, close = [], price
    for number in range(1, PAST_BARS + 1):
        steps = [close, *(walk.step().price for _ in range(STEPS_PER_PAST_BAR))]
        bars.append(
            Candle(
                start_ms=start_ms - number * BAR_MS, open=steps[-1], high=max(steps), low=min(steps), close=close,
                volume=Decimal(volumes.randint(1, 500)),
            )
        )  # fmt: skip
        close = steps[-1]
    return bars[::-1]


def bars_until(symbol: str, seed: int, count: int, now_ms: int) -> Iterator[Candle]:
    """So many made-up minutes of a listed market, the last of them just over."""
    instrument = next(one for one in default_instruments() if one.symbol == symbol)
    start_ms = (now_ms // BAR_MS - count) * BAR_MS
    return islice(SyntheticMarket(instrument, seed).bars(start_ms), count)


async def run_synthetic(host: VenueHost, seed: int, speed: Decimal) -> None:
    """Move every listed market, `speed` steps per second each, until cancelled."""
    now_ms = host.clock.now_ms()
    markets = {
        symbol: SyntheticMarket(instrument, seed, host.venue.ticker(symbol, now_ms).last_price)
        for symbol, instrument in host.venue.instruments.items()
    }
    for symbol, market in markets.items():
        past = past_bars(host.venue.instruments[symbol], seed, market.price, now_ms)
        host.venue.record_past(
            symbol, [(bar.start_ms, (bar.open, bar.high, bar.low, bar.close), bar.volume) for bar in past]
        )
        await asyncio.sleep(0)
    pause = float(max(TICK_SECONDS / speed, TICK_SECONDS_MIN))
    while True:
        for symbol, market in markets.items():
            move = market.step()
            host.move_price(symbol, move.price, sweep=move.sweep, volume=Decimal(1))
            # One market at a time: nobody waits for fourteen.
            await asyncio.sleep(0)
        await asyncio.sleep(pause)
