"""The venue's own time, which the control interface may move. Read by everything in `blitz.paper.wire`."""

import threading

from blitz.clock import Clock, ManualClock, SystemClock


class PaperClock:
    """A clock that can be set ahead.

    Around a `ManualClock` setting it moves that clock, so that an embedder who shares it sees the same time. Around
    any other clock setting it keeps an offset, which is how a client's clock skew is tested.
    """

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._wall = SystemClock()
        self._lock = threading.Lock()
        self._offset_ms = 0

    @property
    def manual(self) -> bool:
        """Whether time stands still between settings."""
        return isinstance(self._base, ManualClock)

    @property
    def base(self) -> Clock:
        """The clock this one was built around."""
        return self._base

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC, at the venue."""
        with self._lock:
            return self._base.now_ms() + self._offset_ms

    def wall_ms(self) -> int:
        """The machine's own time: for rate limits and waiting, which are about real seconds."""
        return self._wall.now_ms()

    def signing_times_ms(self) -> tuple[int, ...]:
        """The moments against which a request's timestamp may be in time.

        A replayed clock stands still or runs through 2022 while an ordinary client stamps its requests with today,
        so there either moment will do. A running clock is strict, as the real venue is.
        """
        return (self.now_ms(), self.wall_ms()) if self.manual else (self.now_ms(),)

    def set(self, now_ms: int) -> None:
        """Jump ahead to `now_ms`. Raises `ValueError` when that is in the past."""
        if isinstance(self._base, ManualClock):
            self._base.set(now_ms)
            return
        with self._lock:
            offset_ms = now_ms - self._base.now_ms()
            if offset_ms < self._offset_ms:
                raise ValueError("a clock cannot go back")
            self._offset_ms = offset_ms
