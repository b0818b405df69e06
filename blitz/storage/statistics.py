"""What cycles that ended come to: pure sums, in Decimal, by the days of a time zone. Used by `history` and web.

A cycle belongs wholly to the moment it ended. `statistics` walks the cycles once, and keeps of each day and each depth
one entry: time and memory grow with the cycles it is handed, and with nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import accumulate
from typing import NamedTuple

from blitz.core.orders import ZERO
from blitz.core.records import CycleEnd

CURVE_MAX = 1500
"""A curve of more points is thinned before it is sent: no screen shows them, and no extreme is lost."""
PERCENT = Decimal("0.1")
AVERAGE = Decimal("0.0001")


class EndedCycle(NamedTuple):
    """What the figures need of a cycle that ended. Quote currency; fees and funding positive when paid."""

    number: int
    started_ms: int
    ended_ms: int
    end: str
    realised: Decimal
    fees: Decimal
    funding: Decimal
    legs_filled: int

    @property
    def profit(self) -> Decimal:
        """What it left in the account."""
        return self.realised - self.fees - self.funding

    @property
    def seconds(self) -> int:
        """How long it ran; a clock that was set back makes it no shorter than nothing."""
        return max(0, self.ended_ms - self.started_ms) // 1000

    @property
    def was_entered(self) -> bool:
        """Whether it ever held a position: one that did not is no win, no loss and no depth."""
        return self.end != CycleEnd.NOT_ENTERED


class EquityPoint(NamedTuple):
    """What one cycle that ended brought, in quote currency, and all of them up to it."""

    ended_ms: int
    profit: Decimal
    cumulative: Decimal


class Drawdown(NamedTuple):
    """The deepest fall of the running total from a high before it; the high is at least the zero it begins with."""

    amount: Decimal
    from_ms: int | None
    """When the high was reached; None when it is the beginning."""
    to_ms: int | None
    """When the low was reached; None when it never fell."""


@dataclass(slots=True, kw_only=True)
class Day:
    """The cycles that ended on one day."""

    day: date
    cycles: int = 0
    """Those that were entered."""
    won: int = 0
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    cumulative: Decimal = ZERO
    """Profit of all days up to and with this one."""

    @property
    def profit(self) -> Decimal:
        """What the day left in the account."""
        return self.realised - self.fees - self.funding

    def add(self, cycle: EndedCycle) -> None:
        """Count a cycle in."""
        self.cycles += cycle.was_entered
        self.won += cycle.was_entered and cycle.profit > 0
        self.realised += cycle.realised
        self.fees += cycle.fees
        self.funding += cycle.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The figures of a span. What no cycle says is None."""

    cycles: int
    """Those that were entered; won, lost and even ones together."""
    not_entered: int
    won: int
    lost: int
    realised: Decimal
    fees: Decimal
    funding: Decimal
    average_profit: Decimal | None
    """Net profit by cycle, to a hundredth of a cent."""
    win_rate: Decimal | None
    """Percent of the cycles that left more than nothing, to a tenth."""
    average_seconds: int | None
    longest: EndedCycle | None
    deepest: EndedCycle | None
    """Of equals, always the first."""
    best: EndedCycle | None
    worst: EndedCycle | None
    depths: tuple[tuple[int, int], ...]
    """Legs that filled, and how many cycles used so many; shallow ones first."""
    drawdown: Drawdown
    days: tuple[Day, ...]
    """Days on which a cycle ended, oldest first."""
    curve: tuple[EquityPoint, ...]

    @property
    def net(self) -> Decimal:
        """What is left of it."""
        return self.realised - self.fees - self.funding

    @property
    def even(self) -> int:
        """Cycles that left exactly nothing."""
        return self.cycles - self.won - self.lost


def statistics(ended: Sequence[EndedCycle], zone: tzinfo) -> Statistics:
    """The figures of cycles, oldest first, with days as `zone` has them."""
    entered = [cycle for cycle in ended if cycle.was_entered]
    days, curve = _days(ended, zone), equity_curve(ended)
    count, won = len(entered), sum(cycle.profit > 0 for cycle in entered)
    net = curve[-1].cumulative if curve else ZERO
    return Statistics(
        cycles=count,
        not_entered=len(ended) - count,
        won=won,
        lost=sum(cycle.profit < 0 for cycle in entered),
        realised=sum((day.realised for day in days), ZERO),
        fees=sum((day.fees for day in days), ZERO),
        funding=sum((day.funding for day in days), ZERO),
        average_profit=(net / count).quantize(AVERAGE, ROUND_HALF_EVEN) if count else None,
        win_rate=(Decimal(100) * won / count).quantize(PERCENT, ROUND_HALF_EVEN) if count else None,
        average_seconds=sum(cycle.seconds for cycle in entered) // count if count else None,
        longest=max(entered, key=lambda cycle: cycle.seconds, default=None),
        deepest=max(entered, key=lambda cycle: cycle.legs_filled, default=None),
        best=max(entered, key=lambda cycle: cycle.profit, default=None),
        worst=min(entered, key=lambda cycle: cycle.profit, default=None),
        depths=tuple(sorted(Counter(cycle.legs_filled for cycle in entered).items())),
        drawdown=drawdown(curve),
        days=days,
        curve=tuple(thinned(curve)),
    )


def equity_curve(ended: Iterable[EndedCycle]) -> list[EquityPoint]:
    """One point per cycle, in the order they are given."""
    profits = [(cycle.ended_ms, cycle.profit) for cycle in ended]
    sums = accumulate(profit for _, profit in profits)
    return [EquityPoint(at, profit, total) for (at, profit), total in zip(profits, sums, strict=True)]


def drawdown(curve: Iterable[EquityPoint]) -> Drawdown:
    """The deepest fall of a curve that begins at zero."""
    high, high_ms, worst = ZERO, None, Drawdown(ZERO, None, None)
    for point in curve:
        if point.cumulative > high:
            high, high_ms = point.cumulative, point.ended_ms
        elif high - point.cumulative > worst.amount:
            worst = Drawdown(high - point.cumulative, high_ms, point.ended_ms)
    return worst


def thinned(curve: Sequence[EquityPoint], most: int = CURVE_MAX) -> Iterator[EquityPoint]:
    """At most `most` points of a curve: of each stretch its high, its low and its last."""
    if len(curve) <= most:
        yield from curve
        return
    stretch = -(-len(curve) * 3 // most)
    for start in range(0, len(curve), stretch):
        places = range(start, min(start + stretch, len(curve)))
        high = max(places, key=lambda place: curve[place].cumulative)
        low = min(places, key=lambda place: curve[place].cumulative)
        yield from (curve[place] for place in sorted({high, low, places[-1]}))


def _days(ended: Iterable[EndedCycle], zone: tzinfo) -> tuple[Day, ...]:
    days: dict[date, Day] = {}
    for cycle in ended:
        day = datetime.fromtimestamp(cycle.ended_ms // 1000, zone).date()
        days.setdefault(day, Day(day=day)).add(cycle)
    found = [days[day] for day in sorted(days)]
    total = ZERO
    for each in found:
        total += each.profit
        each.cumulative = total
    return tuple(found)
