"""The venue's time, as well as we know it: measured by asking the venue."""

import ccxt

from blitz.clock import VenueTime
from blitz.exchange.envelope import Malformed, result_of


class VenueClock(VenueTime):
    """One per venue, shared by its clients; safe to use from many threads."""

    def measure(self, client: ccxt.bybit) -> None:
        """Ask the venue for its time and keep it, taking the middle of the round trip as the moment.

        When the venue does not answer, or too slowly, the time stays: a wrong one shows itself as a refusal, not as a
        trade.
        """
        asked_ms = self.monotonic_ms()
        try:
            answer = client.public_get_v5_market_time()
            result_of(answer)
            venue_ms = int(answer["time"])
        except (ccxt.BaseError, Malformed, KeyError, TypeError, ValueError):
            return
        self.measured(asked_ms, self.monotonic_ms(), venue_ms)
