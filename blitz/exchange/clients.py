"""Builds clients whose requests pass the venue's turnstile. The only place in this package that builds any."""

import threading

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import Mode
from blitz.exchange.budget import RateBudget, Standing, Turnstile
from blitz.exchange.connection import Venue
from blitz.exchange.door import OneDoor, client_of, kind_of
from blitz.exchange.passage import Passage
from blitz.exchange.profiles import PROFILES


class Clients:
    """Every client of this process, before one rate budget. Safe to use from many threads."""

    def __init__(self, budget: RateBudget | None = None, *, paper_counts: bool = False) -> None:
        """`paper_counts`: whether the paper exchange has limits too. The embedded one has none."""
        self._budget = budget or RateBudget()
        self._paper_counts = paper_counts
        self._kinds: dict[Venue, type[OneDoor]] = {}
        self._guard = threading.Lock()

    def client(self, venue: Venue, clock: Clock, credentials: Credentials | None = None) -> ccxt.Exchange:
        """A client that signs with `clock`'s time. Sends nothing."""
        profile = PROFILES[venue.exchange]
        client = client_of(self._kind(venue, clock), clock, credentials)
        user = credentials.api_key if credentials else ""
        client.passage = Passage(self.turnstile(venue), profile.read_limits, user, clock)
        return client

    def _kind(self, venue: Venue, clock: Clock) -> type[OneDoor]:
        """The class of a venue's clients."""
        with self._guard:
            if venue not in self._kinds:
                self._kinds[venue] = kind_of(PROFILES[venue.exchange].client(venue, clock))
            return self._kinds[venue]

    def turnstile(self, venue: Venue) -> Turnstile:
        """Where all requests to this venue pass."""
        limits = PROFILES[venue.exchange].limits
        if venue.mode is Mode.PAPER:
            limits = limits.near(counts=self._paper_counts)
        kind = "testnet" if venue.testnet else venue.mode.value
        return self._budget.turnstile(venue, f"{venue.exchange.label} ({kind})", limits)

    def standings(self) -> list[Standing]:
        """How the turnstiles of all venues stand that were ever asked for."""
        return self._budget.standings()
