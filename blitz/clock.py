"""Time, as a dependency.

Everything that needs to know the time is handed a `Clock`. Servers get `SystemClock`; a replay and the
tests get `ManualClock`, whose time moves only when somebody moves it. Nothing else in the package calls
`time.time()` or `datetime.now()`.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

DRIFT_PPM = 500
"""How much two clocks may run apart: the most by which a machine is slewed while its clock is corrected."""

JUMP_MS = 250
"""Comparisons that differ by less beyond what they leave open are no jump: fences allow for four times as much."""

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What may be asked about time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""

    def monotonic_ms(self) -> int:
        """Milliseconds since some moment of its own; never set, never goes back."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since some moment of the machine's own; setting its clock does not move it.

        A machine that slept has grown older by that, where the system can tell.
        """
        return time.clock_gettime_ns(_STEADY) // 1_000_000


class ManualClock:
    """A clock that stands still until it is set. Safe to share between threads."""

    def __init__(self, now_ms: int = 0) -> None:
        self._lock = threading.Lock()
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        with self._lock:
            return self._now_ms

    def monotonic_ms(self) -> int:
        """The same: this clock never goes back."""
        return self.now_ms()

    def set(self, now_ms: int) -> None:
        """Jump to `now_ms`. Going back is refused: nothing in this project survives time running backwards."""
        with self._lock:
            if now_ms < self._now_ms:
                raise ValueError(f"a clock cannot go back from {self._now_ms} to {now_ms}")
            self._now_ms = now_ms

    def advance(self, milliseconds: int) -> None:
        """Move on by `milliseconds`."""
        self.set(self.now_ms() + milliseconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One comparison of a venue's clock with our monotonic one."""

    at_ms: int
    """When the venue's answer came, by our monotonic clock."""
    lead_ms: int
    """How far the venue is ahead of it."""
    trip_ms: int
    """How long question and answer took together: the venue spoke at some moment of it."""
    confirmed: bool = True
    """Not against the comparison before it, or a later one has said the same."""

    def unsure_ms(self, now_ms: int) -> int:
        """How far off the venue's time may be by now, either way."""
        return (self.trip_ms + 1) // 2 + max(0, now_ms - self.at_ms) * DRIFT_PPM // 1_000_000

    def contradicts(self, other: "Comparison", now_ms: int) -> bool:
        """Whether they cannot both be right, by more than matters."""
        return abs(self.lead_ms - other.lead_ms) > self.unsure_ms(now_ms) + other.unsure_ms(now_ms) + JUMP_MS


class VenueTime:
    """Somebody else's clock, as well as it is known here: compared, then carried on by the monotonic clock.

    So a machine whose clock is set, or creeps, keeps the venue's time: what was signed before and what is decided after
    the jump stay on one scale (F1). Until the first comparison it is our own wall clock. Of several comparisons the one
    that is least unsure by now counts. One that contradicts it means that a clock has jumped: then the newest counts,
    and is doubted until another one agrees.
    """

    ROUND_TRIP_MAX_MS = 2_000
    """A slower answer says too little: the middle of it may be off by half of this."""

    UNSURE_MAX_MS = 1_000
    """Fences allow for this much, and a receive window for more than twice as much."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: Comparison | None = None
        """One value, so that threads read it whole."""
        self.compared_ms = 0
        """When the venue last answered, by our monotonic clock."""

    def now_ms(self) -> int:
        """The venue's time in milliseconds since the epoch."""
        known = self._known
        return self._clock.now_ms() if known is None else self._clock.monotonic_ms() + known.lead_ms

    def monotonic_ms(self) -> int:
        """Our own monotonic clock."""
        return self._clock.monotonic_ms()

    @property
    def is_measured(self) -> bool:
        """Whether the venue has told its time yet."""
        return self._known is not None

    @property
    def offset_ms(self) -> int:
        """How far the venue is ahead of our wall clock."""
        return self.now_ms() - self._clock.now_ms()

    @property
    def unsure_ms(self) -> int | None:
        """How far off `now_ms` may be, either way; None when nobody knows."""
        known = self._known
        return None if known is None or not known.confirmed else known.unsure_ms(self.monotonic_ms())

    def doubt(self) -> str:
        """Why the venue's time is not known well enough to open anything, in a sentence; empty when it is.

        A wrong wall clock of ours is no reason: nothing that is sent or decided goes by it.
        """
        known, unsure_ms = self._known, self.unsure_ms
        if known is None:
            return "The exchange has not told its time yet."
        if unsure_ms is None:
            return "The exchange's clock, or this server's, has jumped, and no second answer agrees with the last one."
        if unsure_ms <= self.UNSURE_MAX_MS:
            return ""
        minutes = (self.monotonic_ms() - self.compared_ms) // 60_000
        return (
            f"The exchange's time is known only to {unsure_ms / 1000:.1f} s: it has not told it for {minutes} minutes."
        )

    def measured(self, asked_ms: int, answered_ms: int, venue_ms: int) -> bool:
        """Take in what the venue said between two moments of our monotonic clock; False when that took too long."""
        trip_ms = answered_ms - asked_ms
        if trip_ms > self.ROUND_TRIP_MAX_MS:
            return False
        said = Comparison(at_ms=answered_ms, lead_ms=venue_ms - (asked_ms + answered_ms) // 2, trip_ms=trip_ms)
        known, self.compared_ms = self._known, answered_ms
        if known is not None and said.contradicts(known, answered_ms):
            self._known = replace(said, confirmed=False)
        elif known is None or said.unsure_ms(answered_ms) <= known.unsure_ms(answered_ms):
            self._known = said
        else:
            self._known = replace(known, confirmed=True)
        return True


def iso_utc(at_ms: int) -> str:
    """Write a moment as the documents do: `2025-01-01T12:00:00`, UTC, no fraction, no zone suffix."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
