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


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is set. Safe to share between threads."""

    def __init__(self, now_ms: int = 0) -> None:
        self._lock = threading.Lock()
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        with self._lock:
            return self._now_ms

    def set(self, now_ms: int) -> None:
        """Jump to `now_ms`. Going back is refused: nothing in this project survives time running backwards."""
        with self._lock:
            if now_ms < self._now_ms:
                raise ValueError(f"a clock cannot go back from {self._now_ms} to {now_ms}")
            self._now_ms = now_ms

    def advance(self, milliseconds: int) -> None:
        """Move on by `milliseconds`."""
        self.set(self.now_ms() + milliseconds)


def iso_utc(at_ms: int) -> str:
    """Write a moment as the documents do: `2025-01-01T12:00:00`, UTC, no fraction, no zone suffix."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
