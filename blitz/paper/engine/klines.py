"""Price bars: one-minute and one-hour bars kept per symbol, every other interval made from them on demand.

The market records each price here; the wire reads klines and the 24-hour figures. Bars are bounded, oldest go
first. Bars without a trade repeat the previous close, as on the real venue.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from blitz.paper.engine.orders import ZERO

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
BARS_MAX = 12_000
"""Bars kept per size and symbol: eight days of minutes, sixteen months of hours."""
FLAT_BARS_MAX = 1_500
"""Longest silence filled with flat bars; a longer one leaves a hole."""
MONDAY_MS = 4 * DAY_MS
"""The epoch was a Thursday; weeks start on the Monday after it."""

INTERVALS_MS: dict[str, int] = {
    "1": MINUTE_MS, "3": 3 * MINUTE_MS, "5": 5 * MINUTE_MS, "15": 15 * MINUTE_MS, "30": 30 * MINUTE_MS,
    "60": HOUR_MS, "120": 2 * HOUR_MS, "240": 4 * HOUR_MS, "360": 6 * HOUR_MS, "720": 12 * HOUR_MS,
    "D": DAY_MS, "W": 7 * DAY_MS, "M": 31 * DAY_MS,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kline:
    """One bar. `volume` in base coin, `turnover` in USDT. `confirmed` is False while the bar is still running."""

    start_ms: int
    end_ms: int
    interval: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    confirmed: bool


def bar_start(interval: str, at_ms: int) -> int:
    """Start of the bar of `interval` that contains `at_ms`. Weeks start on Monday, months on the first, UTC."""
    if interval == "M":
        moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * 1000
    length = INTERVALS_MS[interval]
    shift = MONDAY_MS if interval == "W" else 0
    return (at_ms - shift) // length * length + shift


def bar_end(interval: str, start_ms: int) -> int:
    """Start of the next bar."""
    if interval == "M":
        return bar_start("M", start_ms + INTERVALS_MS["M"])
    return start_ms + INTERVALS_MS[interval]


class Bar:
    """A bar while it grows. Mutable on purpose: it takes every price of a fast replay."""

    __slots__ = ("close", "high", "low", "open", "start_ms", "turnover", "volume")

    def __init__(self, start_ms: int, price: Decimal) -> None:
        self.start_ms = start_ms
        self.open = self.high = self.low = self.close = price
        self.volume = ZERO
        self.turnover = ZERO

    @classmethod
    def whole(cls, start_ms: int, prices: tuple[Decimal, Decimal, Decimal, Decimal], volume: Decimal) -> "Bar":
        """Make a finished bar from its open, high, low and close and the base volume, valued at the close."""
        bar = cls(start_ms, prices[0])
        _, bar.high, bar.low, bar.close = prices
        bar.volume, bar.turnover = volume, volume * prices[3]
        return bar

    def absorb(self, other: "Bar") -> None:
        """Extend this bar by a later one."""
        if other.high > self.high:
            self.high = other.high
        if other.low < self.low:
            self.low = other.low
        self.close = other.close
        self.volume += other.volume
        self.turnover += other.turnover

    def as_row(self) -> list[str]:
        """The bar as strings, for a snapshot."""
        figures = (self.open, self.high, self.low, self.close, self.volume, self.turnover)
        return [str(self.start_ms), *(str(figure) for figure in figures)]

    @classmethod
    def from_row(cls, row: list[str]) -> "Bar":
        """Read back what `as_row` wrote."""
        bar = cls(int(row[0]), Decimal(row[1]))
        bar.high, bar.low, bar.close, bar.volume, bar.turnover = (Decimal(text) for text in row[2:7])
        return bar


class BarSeries:
    """Bars of one size in time order, bounded by `BARS_MAX`."""

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._bars: dict[int, Bar] = {}
        self._latest: Bar | None = None

    def add(self, piece: Bar) -> None:
        """Put a piece into the bar its start belongs to. A piece older than the newest bar is not recorded."""
        start_ms = piece.start_ms // self._length_ms * self._length_ms
        latest = self._latest
        if latest is not None and start_ms <= latest.start_ms:
            if start_ms == latest.start_ms:
                latest.absorb(piece)
            return
        opening = piece.open
        if latest is not None:
            opening = latest.close
            self._fill_silence(latest, start_ms)
        bar = Bar(start_ms, opening)
        bar.high, bar.low = max(opening, piece.high), min(opening, piece.low)
        bar.close, bar.volume, bar.turnover = piece.close, piece.volume, piece.turnover
        self._append(bar)

    def add_whole(self, bar: Bar) -> None:
        """Add a bar that is known completely and keeps its own open."""
        latest = self._latest
        if latest is None or bar.start_ms > latest.start_ms:
            if latest is not None:
                self._fill_silence(latest, bar.start_ms)
            self._append(bar)
        elif bar.start_ms == latest.start_ms:
            latest.absorb(bar)

    def _fill_silence(self, latest: Bar, until_ms: int) -> None:
        if until_ms - latest.start_ms <= FLAT_BARS_MAX * self._length_ms:
            for start_ms in range(latest.start_ms + self._length_ms, until_ms, self._length_ms):
                self._append(Bar(start_ms, latest.close))

    def _append(self, bar: Bar) -> None:
        self._bars[bar.start_ms] = self._latest = bar
        if len(self._bars) > BARS_MAX:
            del self._bars[next(iter(self._bars))]

    def between(self, start_ms: int, end_ms: int) -> list[Bar]:
        """Bars whose start lies in [start_ms, end_ms), oldest first."""
        if not self._bars:
            return []
        first = max(start_ms // self._length_ms * self._length_ms, next(iter(self._bars)))
        last = min(end_ms, (self._latest.start_ms if self._latest else 0) + 1)
        found = (self._bars.get(moment) for moment in range(first, last, self._length_ms))
        return [bar for bar in found if bar is not None and bar.start_ms >= start_ms]

    def all(self) -> Iterable[Bar]:
        """Every bar, oldest first."""
        return self._bars.values()


class BarHistory:
    """All bars of one symbol."""

    def __init__(self) -> None:
        self.minutes = BarSeries(MINUTE_MS)
        self.hours = BarSeries(HOUR_MS)

    def record(self, price: Decimal, volume: Decimal, at_ms: int) -> None:
        """Record one price and the base volume that traded at it."""
        piece = Bar(at_ms, price)
        piece.volume, piece.turnover = volume, volume * price
        self.minutes.add(piece)
        self.hours.add(piece)

    def record_bar(self, bar: Bar) -> None:
        """Record a whole minute bar and keep it; its start must lie on the minute."""
        self.hours.add(bar)
        self.minutes.add_whole(bar)

    def klines(self, interval: str, start_ms: int, end_ms: int, now_ms: int) -> list[Kline]:
        """Bars of `interval` starting in [start_ms, end_ms], oldest first."""
        source = self.minutes if INTERVALS_MS[interval] < HOUR_MS else self.hours
        merged: dict[int, Bar] = {}
        until_ms = min(bar_end(interval, bar_start(interval, end_ms)), now_ms + 1)
        for bar in source.between(bar_start(interval, start_ms), until_ms):
            start = bar_start(interval, bar.start_ms)
            if start in merged:
                merged[start].absorb(bar)
            else:
                merged[start] = whole = Bar(start, bar.open)
                whole.absorb(bar)
        return [_as_kline(bar, interval, now_ms) for bar in merged.values() if bar.start_ms >= start_ms]


def _as_kline(bar: Bar, interval: str, now_ms: int) -> Kline:
    end_ms = bar_end(interval, bar.start_ms)
    return Kline(
        start_ms=bar.start_ms, end_ms=end_ms, interval=interval, open=bar.open, high=bar.high, low=bar.low,
        close=bar.close, volume=bar.volume, turnover=bar.turnover, confirmed=end_ms <= now_ms,
    )  # fmt: skip
