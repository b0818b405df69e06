"""How evenly the machine runs: one small piece of work, again and again beside a bench, timed by the processor.

A virtual machine may run at a small part of its speed for some milliseconds, whatever is done on it, and no program can
answer quickly then. Waiting for a processor that others use is not counted here, so that a moment in which the same
work takes several times its usual processor time is the machine's own.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

ROUNDS = 700
"""Some fifty microseconds."""
PAUSE_SECONDS = 0.0025
SLOW_TIMES = 4
"""A machine on which the same work takes so many times its median is slow just then."""
MICROSECOND_NS = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the machine's monotonic clock, which all its processes share, in microseconds."""

    began_us: int
    ended_us: int

    def meets(self, other: "Span") -> bool:
        """Whether both have a moment in common."""
        return self.began_us <= other.ended_us and other.began_us <= self.ended_us


@dataclass(frozen=True, slots=True)
class Beat:
    """The work, done once: when, and how much of the processor it took, in microseconds."""

    span: Span
    took_us: float


class Pulse:
    """Does the work on a thread of its own for as long as the context lasts."""

    def __init__(self) -> None:
        self._beats: list[Beat] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench_pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, problem, trace
        self._over.set()
        self._thread.join()

    def slow(self) -> list[Span]:
        """When the machine was slow so far."""
        return slow_spans(list(self._beats))

    def _run(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self._beats.append(_beat())


def slow_spans(beats: Sequence[Beat]) -> list[Span]:
    """The stretches in which the work took far more than it usually does, each from the beat before to the beat after.

    What happened in between was not seen, so it counts as slow.
    """
    if not beats:
        return []
    usual_us = sorted(beat.took_us for beat in beats)[len(beats) // 2]
    spans: list[Span] = []
    for number, beat in enumerate(beats):
        if beat.took_us <= SLOW_TIMES * usual_us:
            continue
        before, after = beats[max(0, number - 1)], beats[min(len(beats) - 1, number + 1)]
        span = Span(min(before.span.ended_us, beat.span.began_us), max(after.span.began_us, beat.span.ended_us))
        if spans and spans[-1].meets(span):
            span = Span(spans.pop().began_us, span.ended_us)
        spans.append(span)
    return spans


def slow_ms(spans: Sequence[Span], within: Span) -> float:
    """How many milliseconds of a stretch were slow."""
    met = [span for span in spans if span.meets(within)]
    return sum(min(one.ended_us, within.ended_us) - max(one.began_us, within.began_us) for one in met) / 1000


def _beat() -> Beat:
    began_ns, before = time.monotonic_ns(), time.thread_time_ns()
    total = 0
    for number in range(ROUNDS):
        total += number * number % 7
    took_ns = time.thread_time_ns() - before
    span = Span(began_ns // MICROSECOND_NS, time.monotonic_ns() // MICROSECOND_NS)
    return Beat(span, took_ns / MICROSECOND_NS)
