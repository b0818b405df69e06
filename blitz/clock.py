"""Time, as a dependency.

Everything that needs to know the time is handed a `Clock`. Servers get `SystemClock`; a replay and the
tests get `ManualClock`, whose time moves only when somebody moves it. Nothing else in the package calls
`time.time()` or `datetime.now()`.
"""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


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
        """Milliseconds since some moment of the machine's own; setting its clock does not move it."""
        return time.monotonic_ns() // 1_000_000


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


class VenueTime:
    """Somebody else's clock, as well as it is known here: measured once, then carried on by the monotonic clock.

    So a machine whose clock is set, or creeps, keeps the venue's time: what was signed before and what is decided after
    the jump stay on one scale (F1). Until the first measurement it is our own wall clock.
    """

    ROUND_TRIP_MAX_MS = 2_000
    """A slower answer says too little: the middle of it may be off by half of this."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lead_ms: int | None = None
        """How far the venue is ahead of our monotonic clock; one value, so that threads read it whole."""

    def now_ms(self) -> int:
        """The venue's time in milliseconds since the epoch."""
        lead_ms = self._lead_ms
        return self._clock.now_ms() if lead_ms is None else self._clock.monotonic_ms() + lead_ms

    def monotonic_ms(self) -> int:
        """Our own monotonic clock."""
        return self._clock.monotonic_ms()

    @property
    def is_measured(self) -> bool:
        """Whether the venue has told its time yet."""
        return self._lead_ms is not None

    @property
    def offset_ms(self) -> int:
        """How far the venue is ahead of our wall clock."""
        return self.now_ms() - self._clock.now_ms()

    def measured(self, asked_ms: int, answered_ms: int, venue_ms: int) -> bool:
        """Keep what the venue said between two moments of our monotonic clock; False when that took too long."""
        if answered_ms - asked_ms > self.ROUND_TRIP_MAX_MS:
            return False
        self._lead_ms = venue_ms - (asked_ms + answered_ms) // 2
        return True


def iso_utc(at_ms: int) -> str:
    """Write a moment as the documents do: `2025-01-01T12:00:00`, UTC, no fraction, no zone suffix."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
