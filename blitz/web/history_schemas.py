"""What goes in and out of the routes that look back: which account, which days, which rows, in which form."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from blitz.core.orders import FillKind, Side
from blitz.core.records import CycleEnd
from blitz.web.event_groups import GROUPS
from blitz.web.schemas import ID_MAX, Money, Open, Strict

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_day(value: Any) -> Any:
    """A day as 2026-01-31 and in no other of the many ways that a date can be written."""
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # the thirtieth of February is told like any other text that is no day
    raise ValueError("write a day as YYYY-MM-DD, such as 2026-01-31.")


def one_of(*choices: str) -> Any:
    """A text that has to be one of these, and says so."""

    def check(value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"choose one of {', '.join(choices)}.")
        return value

    return Annotated[Any, BeforeValidator(check), WithJsonSchema({"type": "string", "enum": list(choices)})]


DayText = Annotated[date, BeforeValidator(read_day), WithJsonSchema({"type": "string", "format": "date"})]
SideWord = one_of(*Side)
OutcomeWord = one_of("running", "won", "lost", *CycleEnd)
KindWord = one_of(*FillKind)
GroupWord = one_of(*GROUPS)


class FormIn(Strict):
    """In which form."""

    format: Literal["json", "csv"] = "json"


class AccountQuery(Strict):
    """Of which account. Paper and live are never added together."""

    account: str | None = Field(
        None,
        max_length=60,
        description="One of the accounts you traded on; left out, the one in use.",
        examples=["bybit:paper"],
    )


class SpanIn(AccountQuery, FormIn):
    """Of which days, and in whose zone a day begins."""

    from_day: DayText | None = Field(None, alias="from", description="First day.", examples=["2026-01-01"])
    to_day: DayText | None = Field(None, alias="to", description="Last day, included.", examples=["2026-12-31"])
    time_zone: str | None = Field(
        None,
        max_length=60,
        description="IANA name; left out, the one of your account, else UTC.",
        examples=["Asia/Seoul"],
    )


class PageIn(SpanIn):
    """Which part of a table. As CSV without `limit`, `before_id` and `newer_than`: everything that is filtered."""

    limit: int = Field(50, ge=1, le=500)
    before_id: int | None = Field(None, ge=1, le=ID_MAX, description="Only rows older than this one.")
    newer_than: int | None = Field(None, ge=1, le=ID_MAX, description="The page of rows right after this one.")

    @property
    def is_whole(self) -> bool:
        """Whether everything is meant, and not a page of it."""
        return self.format == "csv" and not {"limit", "before_id", "newer_than"} & self.model_fields_set


class CyclesIn(PageIn):
    """Which cycles. The days are those on which they ended; the running one stands with them up to today."""

    symbol: str | None = Field(None, max_length=60, examples=["BTC/USDT:USDT"])
    side: SideWord | None = None  # type: ignore[valid-type]
    outcome: OutcomeWord | None = Field(  # type: ignore[valid-type]
        None, description="How it ended, or whether it left a profit (`won`) or a loss (`lost`)."
    )


class FillsIn(PageIn):
    """Which executions."""

    cycle: int | None = Field(None, ge=1, le=ID_MAX)
    kind: KindWord | None = None  # type: ignore[valid-type]


class FeedIn(PageIn):
    """Which lines of the feed; forwards from a known one with `after_id`, and then nothing else is narrowed."""

    cycle: int | None = Field(None, ge=1, le=ID_MAX)
    group: GroupWord | None = Field(None, description="Which kinds of lines.")  # type: ignore[valid-type]
    after_id: int | None = Field(None, ge=0, le=ID_MAX, description="Only lines newer than this one, oldest first.")


class EquityIn(SpanIn):
    """The whole curve of a span."""


class StatisticsIn(SpanIn):
    """The figures of a span; as CSV, its days."""


class CandlesIn(FormIn):
    """Which candles."""

    timeframe: Literal["1m", "5m", "15m", "1h", "4h", "1d"] = "1m"
    limit: int = Field(200, ge=1, le=1000)
    before: int | None = Field(None, ge=1, le=ID_MAX // 1000, description="Only candles that begin before this second.")


class PageOut(Open):
    """Rows, newest first, and where the next page begins."""

    rows: list[dict[str, Any]]
    next_before_id: int | None = Field(None, description="Pass it as `before_id`; null on the last page.")
    newer_than_id: int | None = Field(None, description="Pass it as `newer_than`; null when these are the newest.")


class RowsOut(Open):
    """Rows, oldest first."""

    rows: list[dict[str, Any]]


class CycleOut(Open):
    """One cycle, and the settings it was begun with."""

    number: int
    symbol: str
    side: str
    started_at: str
    ended_at: str | None
    profit: Money
    settings: dict[str, Any]


class NamedCycle(BaseModel):
    """A cycle that stands out."""

    number: int
    profit: Money
    seconds: int
    legs_filled: int


class DrawdownOut(BaseModel):
    """The deepest fall of the running total."""

    amount: Money
    from_at: str | None = Field(description="UTC; null when it fell from the beginning.")
    to_at: str | None = Field(description="UTC; null when it never fell.")


class FiguresOut(BaseModel):
    """What the cycles that ended in the span came to. Null is what no cycle says."""

    cycles: int = Field(description="Those that were entered.")
    not_entered: int
    won: int
    lost: int
    even: int
    realised: Money
    fees: Money
    funding: Money
    net: Money = Field(description="Realised less fees and funding.")
    average_profit: Money | None
    win_rate: Money | None = Field(description="Percent.")
    average_seconds: int | None
    longest: NamedCycle | None
    deepest: NamedCycle | None
    best: NamedCycle | None
    worst: NamedCycle | None
    drawdown: DrawdownOut


class DayOut(BaseModel):
    """The cycles that ended on one day of the zone."""

    day: str = Field(examples=["2026-01-31"])
    cycles: int
    won: int
    realised: Money
    fees: Money
    funding: Money
    profit: Money
    cumulative: Money


class DepthOut(BaseModel):
    """How many cycles used so many legs."""

    legs_filled: int
    cycles: int


class StatisticsOut(Open):
    """The figures of a span."""

    account: str
    time_zone: str
    figures: FiguresOut
    days: list[DayOut] = Field(description="Days on which a cycle ended, oldest first.")
    depths: list[DepthOut]
    curve: list[dict[str, str]] = Field(description="The running total; thinned to 1500 points, extremes kept.")
    running: dict[str, Any] | None = Field(description="The cycle that has not ended, in none of the figures.")
