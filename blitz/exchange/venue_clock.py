"""The venue's time, as well as we know it: measured by asking the venue."""

import threading
from collections.abc import Callable

import ccxt

from blitz.clock import Clock, VenueTime
from blitz.exchange.answers import Malformed
from blitz.exchange.budget import NoTurn

ASKED_TIMES_MAX = 3
GOOD_TRIP_MS = 100
"""An answer that came this fast is good enough; a slower one is asked for again, and the fastest counts."""
EVERY_MS = 5 * 60_000
"""So often the venue is asked anew; clocks run apart by a seventh of a second meanwhile, at the worst."""
AGAIN_MS = 10_000
"""So long after a try that failed the next one waits."""


class VenueClock(VenueTime):
    """One per venue, shared by its clients; safe to use from many threads. Only one of them asks at a time."""

    def __init__(self, clock: Clock, server_time_ms: Callable[[ccxt.Exchange], int]) -> None:
        """`server_time_ms` asks the venue through a client."""
        super().__init__(clock)
        self._server_time_ms = server_time_ms
        self._asking = threading.Lock()
        self._asked_ms: int | None = None
        """When somebody last began to ask."""

    def measure(self, client: ccxt.Exchange) -> None:
        """Ask the venue for its time, unless somebody else has begun to while this one waited.

        When the venue does not answer, or too slowly, the time stays: a wrong one shows itself as a refusal, not as a
        trade.
        """
        arrived_ms = self.monotonic_ms()
        with self._asking:
            if self._asked_ms is None or self._asked_ms < arrived_ms:
                self._ask(client)

    def refresh(self, client: ccxt.Exchange) -> None:
        """Measure when it is time to, unless somebody else is at it. Whoever talks to the venue calls this."""
        if not self._is_due() or not self._asking.acquire(blocking=False):
            return
        try:
            self._ask(client)
        finally:
            self._asking.release()

    def refused(self, client: ccxt.Exchange, signed_ms: int) -> None:
        """The venue refused the time of a request that was signed at this moment of the monotonic clock.

        Everybody is refused at once when a clock jumps, and one of them is enough to measure it.
        """
        with self._asking:
            if max(self._asked_ms or 0, self.compared_ms) <= signed_ms:
                self._ask(client)

    def _is_due(self) -> bool:
        now_ms = self.monotonic_ms()
        if self._asked_ms is not None and now_ms < self._asked_ms + AGAIN_MS:
            return False
        return bool(self.doubt()) or now_ms >= self.compared_ms + EVERY_MS

    def _ask(self, client: ccxt.Exchange) -> None:
        """Ask once; again when the answer was slow or contradicts what is known."""
        self._asked_ms = self.monotonic_ms()
        for _ in range(ASKED_TIMES_MAX):
            trip_ms = self._ask_once(client)
            if trip_ms is None or (trip_ms <= GOOD_TRIP_MS and not self.doubt()):
                return

    def _ask_once(self, client: ccxt.Exchange) -> int | None:
        """How long the answer took; None when there was none, or it took too long to say anything."""
        asked_ms = self.monotonic_ms()
        try:
            venue_ms = self._server_time_ms(client)
        except (ccxt.BaseError, NoTurn, UnicodeDecodeError, Malformed):
            return None
        answered_ms = self.monotonic_ms()
        passage = client.passage
        if passage is not None and passage.trip_ms is not None:
            asked_ms, answered_ms = passage.trip_ms  # without the time that the question stood in line
        return answered_ms - asked_ms if self.measured(asked_ms, answered_ms, venue_ms) else None
