"""Bars played as prices: each bar open, nearer extreme, other extreme, close, at +0, +20, +40 and +59 s of venue time.

The open is a jump (the market was elsewhere between the bars), the rest sweep through every price on the way, and
pause where something waits. Used in lock-step (`advance`: the caller decides when time goes on) and at a pace
(`run_paced`). Quiet bars, which come near no order, are passed whole.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from blitz.paper.wire.feeds.candles import BAR_MS, Candle
from blitz.paper.wire.host import ACCOUNT_KINDS, VenueHost
from blitz.paper.wire.text import JsonObject, plain

POINT_OFFSETS_MS = (0, 20_000, 40_000, 59_000)
SLICE_SECONDS = 0.004
"""How long a replay may hold the loop before others get a turn."""
PACE_STEP_SECONDS = 0.25


class Until(StrEnum):
    """Where `advance` stops."""

    EVENT = "event"
    """After the first point at which anything happened to an account."""
    BAR = "bar"
    """At the end of the bar, or at an event before it."""
    END = "end"
    """At the end of the bars, whatever happens on the way."""


class ReplayBusy(Exception):
    """Another `advance` is still running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    at_ms: int
    price: Decimal


class Replay:
    """A run through bars. Time is the venue clock's, which must be manual; the replay moves it."""

    def __init__(self, host: VenueHost, symbol: str, bars: Iterable[Candle], start_point: int = 0) -> None:
        """Skip `start_point` points, which were played before a restart."""
        self._host = host
        self._symbol = symbol
        self._tick = host.venue.instruments[symbol].tick_size
        self._bars: Iterator[Candle] = iter(bars)
        self._busy = False
        self._points_played = 0
        self._bars_started = 0
        self._bar: Candle | None = None
        self._point = 0
        self._ahead: Candle | None = next(self._bars, None)
        self._last = _Progress(at_ms=0, price=Decimal(0))
        self._skip(start_point)
        host.cursor = lambda: self._points_played

    def _skip(self, points: int) -> None:
        whole_bars, rest = divmod(points, len(POINT_OFFSETS_MS))
        for _ in range(whole_bars):
            self._next_bar()
            self._bar = None
        if rest and self._next_bar():
            self._point = rest
        self._points_played = points

    @property
    def done(self) -> bool:
        """Whether every point was played."""
        return self._bar is None and self._ahead is None

    def open_market(self) -> None:
        """Before anything is played: set time and price to where the first bar opens."""
        first = self._bar or self._ahead
        if first is not None and self._points_played == 0:
            self._set_clock(first.start_ms)
            self._host.move_price(self._symbol, self._on_tick(first.open), sweep=False)

    async def advance(self, until: Until, bars_max: int | None) -> JsonObject:
        """Play on until the stop condition, or `bars_max` bars were started. Raises `ReplayBusy`."""
        if self._busy:
            raise ReplayBusy
        self._busy = True
        started_before = self._bars_started
        try:
            events = await self._play(until, None if bars_max is None else started_before + bars_max)
        finally:
            self._busy = False
            self._catch_up()
        return {
            "at": self._last.at_ms,
            "symbol": self._symbol,
            "price": plain(self._last.price),
            "bars_started": self._bars_started - started_before,
            "bars_total": self._bars_started,
            "events": events,
            "done": self.done,
        }

    async def _play(self, until: Until, bars_limit: int | None) -> int:
        """Play until the condition; returns how many account events there were."""
        events, give_way_at = 0, time.monotonic() + SLICE_SECONDS
        quiet = None
        while not self.done:
            if time.monotonic() >= give_way_at:
                # Whoever gets the turn may place orders near the price, so what was known to be quiet is asked anew.
                quiet = None
                self._set_clock(self._last.at_ms)
                await asyncio.sleep(0)
                give_way_at = time.monotonic() + SLICE_SECONDS
            if self._bar is None and bars_limit is not None and self._bars_started >= bars_limit:
                break
            if self._bar is None:
                quiet = quiet or self._quiet_range()
                if self._pass_quiet_bar(quiet):
                    if until is Until.BAR:
                        break
                    continue
            happened = self._play_point()
            quiet = None
            events += happened
            if (happened and until is not Until.END) or (self._bar is None and until is Until.BAR):
                break
        return events

    def _quiet_range(self) -> tuple[Decimal, Decimal | None, int]:
        low, high = self._host.venue.quiet_range(self._symbol)
        return low, high, self._host.venue.next_funding_ms(self._symbol, self._host.clock.now_ms())

    def _pass_quiet_bar(self, quiet: tuple[Decimal, Decimal | None, int]) -> bool:
        """Take the next bar as a whole when nothing can happen in it."""
        bar = self._ahead
        low, high, funding_ms = quiet
        if bar is None or bar.start_ms + BAR_MS > funding_ms:
            return False
        if bar.low - self._tick <= low or (high is not None and bar.high + self._tick >= high):
            return False
        self._next_bar()
        self._bar = None
        on_tick = self._on_tick
        prices = (on_tick(bar.open), on_tick(bar.high), on_tick(bar.low), on_tick(bar.close))
        self._host.venue.pass_quiet_bar(self._symbol, bar.start_ms, prices, bar.volume)
        self._points_played += len(POINT_OFFSETS_MS)
        self._last = _Progress(at_ms=bar.start_ms + POINT_OFFSETS_MS[-1], price=prices[3])
        return True

    def _play_point(self) -> int:
        """Play to the next point, or to the price on the way where something waits; returns how many account events.

        The second half is what makes a replay fair: whoever trades answers a fill at the price of the fill, and not
        only after the market has gone on to the end of the bar's leg.
        """
        if self._bar is None and not self._next_bar():
            return 0
        bar = self._bar
        assert bar is not None
        point = self._point
        at_ms, target = bar.start_ms + POINT_OFFSETS_MS[point], self._on_tick(bar.walk()[point])
        price = self._stop_on_the_way(target) if point > 0 else target
        self._set_clock(at_ms)
        if price == target:
            self._finish_point()
        volume = bar.volume / len(POINT_OFFSETS_MS) if price == target else Decimal(0)
        events = self._host.move_price(self._symbol, price, sweep=point > 0, volume=volume, quiet=True)
        self._last = _Progress(at_ms=at_ms, price=price)
        return sum(event.kind in ACCOUNT_KINDS for event in events)

    def _finish_point(self) -> None:
        self._point += 1
        self._points_played += 1
        if self._point == len(POINT_OFFSETS_MS):
            self._bar, self._point = None, 0

    def _stop_on_the_way(self, target: Decimal) -> Decimal:
        """The first price between here and `target` at which an order, a trigger or a liquidation waits."""
        here = self._last.price
        low, high = self._host.venue.quiet_range(self._symbol)
        if here and target < low < here:
            return (low / self._tick).to_integral_value(rounding=ROUND_FLOOR) * self._tick
        if here and high is not None and here < high < target:
            return (high / self._tick).to_integral_value(rounding=ROUND_CEILING) * self._tick
        return target

    def _next_bar(self) -> bool:
        self._bar, self._point = self._ahead, 0
        if self._bar is None:
            return False
        self._ahead = next(self._bars, None)
        self._bars_started += 1
        return True

    def _catch_up(self) -> None:
        """After a run: set the clock to the last point and show listeners where the price is."""
        self._set_clock(self._last.at_ms)
        self._host.refresh(self._symbol)

    def _set_clock(self, at_ms: int) -> None:
        if at_ms > self._host.clock.now_ms():
            self._host.clock.set(at_ms)

    def _on_tick(self, price: Decimal) -> Decimal:
        """Round to the instrument's tick, half to even: a file may be finer than the market."""
        remainder = price % self._tick
        if not remainder:
            return price
        return max(self._tick, (price / self._tick).to_integral_value(rounding=ROUND_HALF_EVEN) * self._tick)

    # -- at a pace
    async def run_paced(self, speed: Decimal) -> None:
        """Play at `speed` venue seconds per real second, moving the clock smoothly between points."""
        while not self.done:
            bar = self._bar or self._ahead
            assert bar is not None
            point = self._point if self._bar is not None else 0
            await self._wait_until(bar.start_ms + POINT_OFFSETS_MS[point], speed)
            self._play_point()
            self._host.refresh(self._symbol)

    async def _wait_until(self, at_ms: int, speed: Decimal) -> None:
        loop = asyncio.get_running_loop()
        began, began_ms = loop.time(), self._host.clock.now_ms()
        while (left_ms := at_ms - self._host.clock.now_ms()) > 0:
            await asyncio.sleep(min(PACE_STEP_SECONDS, left_ms / 1000 / float(speed)))
            passed_ms = int((loop.time() - began) * 1000 * float(speed))
            self._set_clock(min(at_ms, began_ms + passed_ms))
