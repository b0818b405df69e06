"""What to show of a history: a span of time, a market, how a cycle ended. Used by `history`, filled in by web.

Each filter is the conditions of one table, without whose it is. A filter that says nothing lets everything through.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Float, and_, cast, or_, true

from blitz.core.orders import FillKind, Side
from blitz.core.records import Cycle, CycleEnd, EventKind
from blitz.storage.paging import Conditions
from blitz.storage.tables import cycles, events, fills

Result = Literal["running", "won", "lost"]
"""How a cycle stands, whatever ended it."""
NEARLY = 1e-6
"""The database compares profits as floats; what lies this near to zero is judged again in Decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment up to, and without, another. An end that is None is open."""

    from_ms: int | None = None
    to_ms: int | None = None

    def holds(self, column: Column[Any]) -> Conditions:
        """The column lies in it."""
        after = [] if self.from_ms is None else [column >= self.from_ms]
        before = [] if self.to_ms is None else [column < self.to_ms]
        return [*after, *before]


EVER = Span()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleFilter:
    """Which cycles. The span is about when they ended, as in the statistics."""

    span: Span = EVER
    with_running: bool = True
    """Let the running one stand with those that ended in the span."""
    symbol: str | None = None
    side: Side | None = None
    outcome: CycleEnd | Result | None = None

    def conditions(self) -> Conditions:
        """As far as the database can tell; `admits` says the rest."""
        own = cycles.c
        ended = and_(own.ended_ms.is_not(None), *self.span.holds(own.ended_ms))
        found = [or_(ended, own.ended_ms.is_(None)) if self.with_running else ended] if self != CycleFilter() else []
        if self.symbol is not None:
            found.append(own.symbol == self.symbol)
        if self.side is not None:
            found.append(own.side == self.side.value)
        return [*found, *self._outcome()]

    def _outcome(self) -> Conditions:
        own = cycles.c
        if self.outcome is None:
            return []
        if isinstance(self.outcome, CycleEnd):
            return [own.end == self.outcome.value]
        if self.outcome == "running":
            return [own.ended_ms.is_(None)]
        profit = cast(own.realised, Float) - cast(own.fees, Float) - cast(own.funding, Float)
        return [own.ended_ms.is_not(None), profit > -NEARLY if self.outcome == "won" else profit < NEARLY]

    def admits(self, cycle: Cycle) -> bool:
        """Whether a cycle that meets the conditions really belongs: the sign of a profit is a matter of Decimal."""
        if self.outcome == "won":
            return cycle.profit > 0
        return cycle.profit < 0 if self.outcome == "lost" else True


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFilter:
    """Which fills."""

    span: Span = EVER
    cycle: int | None = None
    kind: FillKind | None = None

    def conditions(self) -> Conditions:
        """Exactly these."""
        own = fills.c
        cycle = true() if self.cycle is None else own.cycle == self.cycle
        kind = true() if self.kind is None else own.kind == self.kind.value
        return [*self.span.holds(own.at_ms), cycle, kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which lines of the feed."""

    span: Span = EVER
    cycle: int | None = None
    kinds: frozenset[EventKind] | None = None

    def conditions(self) -> Conditions:
        """Exactly these."""
        own = events.c
        cycle = true() if self.cycle is None else own.cycle == self.cycle
        kinds = true() if self.kinds is None else own.kind.in_(sorted(kind.value for kind in self.kinds))
        return [*self.span.holds(own.at_ms), cycle, kinds]
