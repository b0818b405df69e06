"""When a new connection may be opened: venues count them per address, and a ban would cost every user his stream.

Pure: times are handed in, in seconds of a monotonic clock. Bybit allows 500 new connections per five minutes and
closes the address otherwise, so after a restart of a large server some bots poll for a while.
"""

from collections import deque

from blitz.exchange.streams.dialect import StreamLimits


class ConnectionPace:
    """The connections of one venue: those opened in the window, and those that are open."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._opened: deque[float] = deque()
        self._open = 0

    def wait_seconds(self, now: float, *, for_prices: bool = False) -> float:
        """How long a new connection has to wait; 0: open it now and tell by `opened`."""
        self._forget(now)
        if self.is_full(for_prices=for_prices):
            return self._limits.window_seconds
        if len(self._opened) < self._limits.connections:
            return 0.0
        return self._opened[0] + self._limits.window_seconds - now

    def is_full(self, *, for_prices: bool = False) -> bool:
        """Whether as many are open as the venue allows at a time; some places are kept for prices."""
        kept = 0 if for_prices else self._limits.sockets_for_prices
        return self._open >= self._limits.sockets_max - kept

    def opened(self, now: float) -> None:
        """A connection is being opened: it counts from the try on, whatever comes of it."""
        self._opened.append(now)
        self._open += 1

    def closed(self) -> None:
        """A connection has ended, or its try has failed."""
        self._open -= 1

    def _forget(self, now: float) -> None:
        while self._opened and now - self._opened[0] >= self._limits.window_seconds:
            self._opened.popleft()
