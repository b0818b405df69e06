"""When a new connection may be opened: venues count them per address, and a ban would cost every user his stream.

Pure: times are handed in, in seconds of a monotonic clock. Bybit allows 500 new connections per five minutes and
closes the address otherwise, so after a restart of a large server some bots poll for a while.

The venue counts a connection at some moment between our try and its end, in a crowd seconds apart. So one counts
from its try until a whole window after that has ended, as a request does (`exchange/budget/windows.py`).
"""

from collections import deque

from blitz.exchange.streams.dialect import StreamLimits


class ConnectionPace:
    """The connections of one venue: those that count in the window, and those that are open."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._tries = 0
        """Under way."""
        self._ended: deque[float] = deque()
        """When those that still count ended."""
        self._open = 0

    def wait_seconds(self, now: float, *, for_prices: bool = False) -> float:
        """How long a new connection has to wait; 0: open it now and tell by `opened`."""
        self._forget(now)
        if self.is_full(for_prices=for_prices):
            return self._limits.window_seconds
        surplus = self._tries + len(self._ended) - self._limits.connections
        if surplus < 0:
            return 0.0
        if surplus < len(self._ended):
            return self._ended[surplus] + self._limits.window_seconds - now
        return self._limits.window_seconds  # after a try that is still under way: more is known when it ends

    def is_full(self, *, for_prices: bool = False) -> bool:
        """Whether as many are open as the venue allows at a time; some places are kept for prices."""
        kept = 0 if for_prices else self._limits.sockets_for_prices
        return self._open >= self._limits.sockets_max - kept

    def opened(self) -> None:
        """A connection is being opened: it counts from the try on, whatever comes of it."""
        self._tries += 1
        self._open += 1

    def tried(self, now: float) -> None:
        """The try has ended: the connection stands, or not."""
        self._tries -= 1
        self._ended.append(now)

    def closed(self) -> None:
        """A connection has ended, or its try has failed."""
        self._open -= 1

    def _forget(self, now: float) -> None:
        while self._ended and now - self._ended[0] >= self._limits.window_seconds:
            self._ended.popleft()
