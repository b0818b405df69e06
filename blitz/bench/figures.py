"""What a reaction bench found, as a table for people and one object for programs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Times from a fill to the order that answers it, in milliseconds."""

    fills: int
    unanswered: int
    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, reactions_us: Sequence[int], unanswered: int) -> "Reaction":
        """From microseconds, in any order."""
        return cls(fills=len(reactions_us), unanswered=unanswered, **_spread(reactions_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineWork:
    """What the same small piece of work took between the fills, in milliseconds: how evenly the machine runs."""

    p50_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, took_us: Sequence[int]) -> "MachineWork":
        """From microseconds, in any order."""
        return cls(**_spread(took_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFigures:
    """One run of the server."""

    name: str
    """`plain`, `tls` or `limits`."""
    bots: int
    steady: Reaction | None
    """At so many fills per second; None where the exchange's own limits would not allow them."""
    machine_work: MachineWork | None
    """How evenly the machine ran during the steady fills; None without them."""
    burst: Reaction
    """Every bot filled at once."""
    burst_last_ms: float
    """From the first of these fills to the last take-profit."""
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


def to_json(variants: Sequence[VariantFigures], yardstick: Reaction | None, machine: str) -> dict[str, Any]:
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
        "machine": machine,
        "variants": [asdict(one) for one in variants],
        "ten_second_loop": asdict(yardstick) if yardstick else None,
    }


def print_table(variants: Sequence[VariantFigures], yardstick: Reaction | None, machine: str) -> None:
    """The table for people."""
    table = Table(title=f"From a fill to the new take-profit · {variants[0].bots} bots · {machine}")
    for name in ("", *(one.name for one in variants)):
        table.add_column(name, justify="left" if not name else "right")
    rows: dict[str, Callable[[VariantFigures], str]] = {
        "steady, p50": lambda one: _shown(one.steady.p50_ms if one.steady else None),
        "steady, p99": lambda one: _shown(one.steady.p99_ms if one.steady else None),
        "steady, worst of": lambda one: _shown(one.steady.worst_ms if one.steady else None),
        "the same work each time, p50": lambda one: _shown(one.machine_work.p50_ms if one.machine_work else None),
        "the same work each time, p99": lambda one: _shown(one.machine_work.p99_ms if one.machine_work else None),
        "fills measured": lambda one: str(one.steady.fills) if one.steady else "–",
        "all at once, p50": lambda one: _shown(one.burst.p50_ms),
        "all at once, last": lambda one: _shown(one.burst_last_ms),
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


def _spread(microseconds: Sequence[int]) -> dict[str, float]:
    ordered = sorted(microseconds) or [0]
    return {
        "p50_ms": _ms(ordered[len(ordered) // 2]),
        "p99_ms": _ms(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]),
        "worst_ms": _ms(ordered[-1]),
    }


def _ms(microseconds: int) -> float:
    return round(microseconds / 1000, 3)
