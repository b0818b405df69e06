"""The venue's time, as well as we know it: our clock plus a measured offset."""

import threading

import ccxt

from blitz.clock import Clock
from blitz.exchange.envelope import Malformed, result_of


class VenueClock:
    """Our clock moved to the venue's. One per venue, shared by its clients; safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offset_ms = 0

    def now_ms(self) -> int:
        """The venue's time in milliseconds since the epoch."""
        return self._clock.now_ms() + self._offset_ms

    @property
    def offset_ms(self) -> int:
        """How far the venue is ahead of us."""
        return self._offset_ms

    def measure(self, client: ccxt.bybit) -> None:
        """Ask the venue for its time and keep the offset, taking the middle of the round trip as the moment.

        When the venue does not answer, the offset stays: a wrong time shows itself as a refusal, not as a trade.
        """
        before = self._clock.now_ms()
        try:
            answer = client.public_get_v5_market_time()
            result_of(answer)
            venue_ms = int(answer["time"])
        except (ccxt.BaseError, Malformed, KeyError, TypeError, ValueError):
            return
        after = self._clock.now_ms()
        with self._lock:
            self._offset_ms = venue_ms - (before + after) // 2
