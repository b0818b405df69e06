"""What a reaction bench found, as a table for people and one object for programs."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from blitz.bench.evenness import Span, slow_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Times from a fill to the order that answers it, in milliseconds."""

    fills: int
    unanswered: int
    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, answers: Sequence[Span], unanswered: int) -> "Reaction":
        """From the time between each fill and its answer, in any order."""
        ordered = sorted(one.ended_us - one.began_us for one in answers) or [0]
        return cls(
            fills=len(answers),
            unanswered=unanswered,
            p50_ms=_ms(ordered[len(ordered) // 2]),
            p99_ms=_ms(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]),
            worst_ms=_ms(ordered[-1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What is left of the fills when those are taken out during whose answer the machine itself was slow."""

    machine_slow_ms: float
    """For how long it was, from the first fill to the last answer."""
    of_ms: float
    fills: int
    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, answers: Sequence[Span], slow: Sequence[Span]) -> "Undisturbed":
        """From the time between each fill and its answer, and when the machine was slow."""
        whole = whole_of(answers)
        left = Reaction.of([one for one in answers if not any(span.meets(one) for span in slow)], 0)
        return cls(
            machine_slow_ms=round(slow_ms(slow, whole), 1),
            of_ms=_ms(whole.ended_us - whole.began_us),
            fills=left.fills,
            p50_ms=left.p50_ms,
            p99_ms=left.p99_ms,
            worst_ms=left.worst_ms,
        )


def whole_of(answers: Sequence[Span]) -> Span:
    """From the first fill to the last answer."""
    if not answers:
        return Span(0, 0)
    return Span(min(one.began_us for one in answers), max(one.ended_us for one in answers))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFigures:
    """One run of the server."""

    name: str
    """`plain`, `tls` or `limits`."""
    bots: int
    steady: Reaction | None
    """At so many fills per second; None where the exchange's own limits would not allow them."""
    steady_undisturbed: Undisturbed | None
    """The same without what the machine held up; None without steady fills."""
    burst: Reaction
    """Every bot filled at once."""
    burst_last_ms: float
    """From the first of these fills to the last take-profit."""
    burst_machine_slow_ms: float
    """For how long the machine itself was slow meanwhile."""
    optimum_ms: float
    """What the exchange's limits make of it at best; 0 without limits."""
    start_seconds: float
    """From the start of the server until every bot was told by its stream and had its ladder."""
    rss_mib: float
    rss_kib_per_bot: float
    """With its ladder laid and its stream up."""
    rss_kib_per_bot_after: float
    """After all these fills."""
    rest_per_minute_per_bot: float
    limit_breaches: int


def machine() -> str:
    """What it was measured on."""
    return f"{os.cpu_count()} cores, Python {sys.version_info.major}.{sys.version_info.minor}"


def to_json(variants: Sequence[VariantFigures], yardstick: Reaction | None, where: str) -> dict[str, Any]:
    """The documented names first: speed as in the plainest run, weight where streams were encrypted."""
    first = variants[0]
    heaviest = max(variants, key=lambda one: (one.name == "tls", one.rss_kib_per_bot))
    steady = next((one.steady for one in variants if one.steady is not None), None)
    return {
        "bots": first.bots,
        "p50_ms": steady.p50_ms if steady else None,
        "p99_ms": steady.p99_ms if steady else None,
        "burst_last_ms": first.burst_last_ms,
        "rss_kib_per_bot": heaviest.rss_kib_per_bot,
        "rss_mib": heaviest.rss_mib,
        "rest_per_minute_per_bot": max(one.rest_per_minute_per_bot for one in variants),
        "limit_breaches": sum(one.limit_breaches for one in variants),
        "machine": where,
        "variants": [asdict(one) for one in variants],
        "ten_second_loop": asdict(yardstick) if yardstick else None,
    }


def print_table(variants: Sequence[VariantFigures], yardstick: Reaction | None, where: str) -> None:
    """The table for people."""
    table = Table(title=f"From a fill to the new take-profit · {variants[0].bots} bots · {where}")
    for name in ("", *(one.name for one in variants)):
        table.add_column(name, justify="left" if not name else "right")
    rows: dict[str, Callable[[VariantFigures], str]] = {
        "steady, p50": lambda one: _shown(one.steady.p50_ms if one.steady else None),
        "steady, p99": lambda one: _shown(one.steady.p99_ms if one.steady else None),
        "steady, worst of": lambda one: _shown(one.steady.worst_ms if one.steady else None),
        "fills measured": lambda one: str(one.steady.fills) if one.steady else "–",
        "meanwhile the machine was slow": lambda one: _slow_of(one.steady_undisturbed),
        "apart from that, p99": lambda one: _shown(one.steady_undisturbed.p99_ms if one.steady_undisturbed else None),
        "fills apart from that": lambda one: str(one.steady_undisturbed.fills) if one.steady_undisturbed else "–",
        "all at once, p50": lambda one: _shown(one.burst.p50_ms),
        "all at once, last": lambda one: _shown(one.burst_last_ms),
        "during that the machine was slow": lambda one: _shown(one.burst_machine_slow_ms),
        "optimum of the limits": lambda one: _shown(one.optimum_ms or None),
        "never answered": lambda one: str(one.burst.unanswered + (one.steady.unanswered if one.steady else 0)),
        "start": lambda one: f"{one.start_seconds:.1f} s",
        "memory per bot": lambda one: f"{one.rss_kib_per_bot:.1f} KiB",
        "the same after the fills": lambda one: f"{one.rss_kib_per_bot_after:.1f} KiB",
        "memory of the server": lambda one: f"{one.rss_mib:.0f} MiB",
        "requests per minute and bot, idle": lambda one: f"{one.rest_per_minute_per_bot:.2f}",
        "breaches of a limit": lambda one: str(one.limit_breaches),
    }
    for words, cell in rows.items():
        table.add_row(words, *(cell(one) for one in variants))
    console = Console()
    console.print(table)
    if yardstick is not None:
        console.print(
            f"For comparison, a bot that looks every ten seconds, in the same run: median {_shown(yardstick.p50_ms)}, "
            f"worst {_shown(yardstick.worst_ms)} of {yardstick.fills} fills."
        )


def _shown(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.2f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"


def _slow_of(undisturbed: Undisturbed | None) -> str:
    if undisturbed is None:
        return "–"
    return f"{undisturbed.machine_slow_ms:,.0f} of {undisturbed.of_ms:,.0f} ms"


def _ms(microseconds: int) -> float:
    return round(microseconds / 1000, 3)
