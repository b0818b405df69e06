"""What a page bench found, as a table for people and one object for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

FILL_BOUND_MS = 300
LOAD_BOUND_MS = 1_000
LOAD_BOUND_BYTES = 500 * 1024
LONG_FRAME_MS = 50
NO_CHART = "no chart on this page yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """From the price that fills an order to the new figure on the page, in milliseconds."""

    samples: int
    unseen: int
    """Fills whose figure never came."""
    p50_ms: float
    p95_ms: float
    worst_ms: float

    @classmethod
    def of(cls, took_ms: Sequence[float], unseen: int) -> "Shown":
        """From what each of them took."""
        ordered = sorted(took_ms) or [0.0]
        return cls(
            samples=len(took_ms),
            unseen=unseen,
            p50_ms=round(ordered[len(ordered) // 2], 1),
            p95_ms=round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 1),
            worst_ms=round(ordered[-1], 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One page, loaded with an empty cache."""

    page: str
    usable_ms: float | None
    """From the click until it can be used; None when that was never seen."""
    kib: float
    """Over the wire, headers included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panned:
    """The chart, moved by the mouse."""

    view: str
    candles: int
    frames: int
    long_share: float
    """Of the frames, those that took longer than `LONG_FRAME_MS`; 0 to 1."""
    longest_ms: float

    @classmethod
    def of(cls, view: str, candles: int, frames_ms: Sequence[float]) -> "Panned":
        """From how long each frame stood."""
        long = sum(1 for one in frames_ms if one > LONG_FRAME_MS)
        return cls(
            view=view,
            candles=candles,
            frames=len(frames_ms),
            long_share=round(long / max(1, len(frames_ms)), 4),
            longest_ms=round(max(frames_ms, default=0.0), 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigures:
    """Everything."""

    bots: int
    shown: Shown
    loads: tuple[Load, ...]
    panned: tuple[Panned, ...]
    """Empty where the page has no chart."""
    machine: str

    def to_json(self) -> dict[str, Any]:
        """One object, with the bounds it is held against."""
        bounds = {"shown_p95_ms": FILL_BOUND_MS, "usable_ms": LOAD_BOUND_MS, "kib": LOAD_BOUND_BYTES // 1024}
        return {**asdict(self), "bounds": bounds}


def print_page(found: PageFigures) -> None:
    """The tables for people."""
    console = Console()
    shown = found.shown
    table = Table("", "found", "bound", title=f"What a person sees · {found.bots} bots · {found.machine}")
    table.add_row("fill to figure, p50", f"{shown.p50_ms:.0f} ms", f"{FILL_BOUND_MS} ms")
    table.add_row("fill to figure, p95", f"{shown.p95_ms:.0f} ms", f"{FILL_BOUND_MS} ms")
    table.add_row("fill to figure, worst", f"{shown.worst_ms:.0f} ms", f"{FILL_BOUND_MS} ms")
    table.add_row("fills seen, never seen", f"{shown.samples}, {shown.unseen}", "")
    for load in found.loads:
        usable = "never" if load.usable_ms is None else f"{load.usable_ms:.0f} ms"
        table.add_row(
            f"{load.page}: usable, loaded",
            f"{usable}, {load.kib:.0f} KiB",
            f"{LOAD_BOUND_MS} ms, {LOAD_BOUND_BYTES // 1024} KiB",
        )
    for one in found.panned:
        frames = f"{one.long_share:.1%} of {one.frames}, {one.longest_ms:.0f} ms"
        table.add_row(f"panned, {one.candles:,} candles, {one.view}", frames, f"over {LONG_FRAME_MS} ms, longest")
    if not found.panned:
        table.add_row("chart", NO_CHART, "")
    console.print(table)
