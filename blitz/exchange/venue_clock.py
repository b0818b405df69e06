"""The venue's time, as well as we know it: measured by asking the venue."""

from collections.abc import Callable

import ccxt

from blitz.clock import Clock, VenueTime
from blitz.exchange.answers import Malformed
from blitz.exchange.budget import NoTurn


class VenueClock(VenueTime):
    """One per venue, shared by its clients; safe to use from many threads."""

    def __init__(self, clock: Clock, server_time_ms: Callable[[ccxt.Exchange], int]) -> None:
        """`server_time_ms` asks the venue through a client."""
        super().__init__(clock)
        self._server_time_ms = server_time_ms

    def measure(self, client: ccxt.Exchange) -> None:
        """Ask the venue for its time and keep it, taking the middle of the round trip as the moment.

        When the venue does not answer, or too slowly, the time stays: a wrong one shows itself as a refusal, not as a
        trade.
        """
        asked_ms = self.monotonic_ms()
        try:
            venue_ms = self._server_time_ms(client)
        except (ccxt.BaseError, NoTurn, UnicodeDecodeError, Malformed):
            return
        self.measured(asked_ms, self.monotonic_ms(), venue_ms)
