"""Opens gateways and public clients, sharing tables, sessions and clocks between everybody on a venue."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import ccxt

from blitz.clock import Clock
from blitz.core.calls import Refusal, Rejected, Unknown
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.instrument import Instrument
from blitz.core.key_check import KeyFault
from blitz.core.ladder_settings import LadderSettings
from blitz.core.memory import VenueTraits
from blitz.errors import GatewayProblem
from blitz.exchange.budget import NoTurn, Standing
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.errands import Errand
from blitz.exchange.gateway import ExchangeGateway
from blitz.exchange.markets import MarketTables
from blitz.exchange.profile import Candle, Seat
from blitz.exchange.profiles import PROFILES
from blitz.exchange.streams.feed import PriceFeed
from blitz.exchange.streams.hub import Standing as StreamStanding
from blitz.exchange.streams.hub import StreamHandle, StreamHub
from blitz.exchange.streams.link import Listener
from blitz.exchange.venue_clock import VenueClock

T = TypeVar("T")

PAGE = Errand(within_ms=5_000)
"""Somebody looks at a page and waits."""


class Exchanges:
    """Every venue this server speaks to. Safe to use from many threads."""

    def __init__(self, clock: Clock, hub: StreamHub | None = None, *, clients: Clients | None = None) -> None:
        """Without a `hub` there are no streams: every bot polls. `clients` of one process share one rate budget."""
        self._clock = clock
        self._hub = hub
        self._feeds: dict[Venue, PriceFeed] = {}
        self._clients = clients or Clients()
        self._markets = MarketTables(clock, self._clients)
        self._public: dict[Venue, tuple[ccxt.Exchange, threading.Lock]] = {}
        self._clocks: dict[Venue, VenueClock] = {}
        self._guard = threading.Lock()

    def traits(self, venue: Venue) -> VenueTraits:
        """What the order protocol must know of the venue."""
        return PROFILES[venue.exchange].traits

    def clock(self, venue: Venue) -> VenueClock:
        """The venue's clock, asked for its time until it has told it once."""
        profile = PROFILES[venue.exchange]
        with self._guard:
            clock = self._clocks.setdefault(venue, VenueClock(self._clock, profile.server_time_ms))
        if not clock.is_measured:
            clock.measure(self._clients.client(venue, self._clock))
        return clock

    def standings(self) -> list[Standing]:
        """How the rate budget stands at each venue."""
        return self._clients.standings()

    def streams(self) -> StreamStanding | None:
        """How the streams stand; None without streams."""
        return None if self._hub is None else self._hub.standing()

    def clocks(self) -> dict[str, VenueClock]:
        """The clock of each venue that somebody trades on, by the venue's name."""
        with self._guard:
            clocks = dict(self._clocks)
        return {self._clients.turnstile(venue).name: clock for venue, clock in clocks.items()}

    def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """The rules of a market. Raises `GatewayProblem`."""
        return self._markets.instrument(venue, symbol)

    def symbols(self, venue: Venue) -> list[str]:
        """Every USDT perpetual of the venue. Raises `GatewayProblem`."""
        return self._markets.symbols(venue)

    def gateway(self, venue: Venue, credentials: Credentials, settings: LadderSettings) -> ExchangeGateway:
        """Open one user's account on the market of `settings`. Raises `GatewayProblem`.

        Nothing is decided before the venue has told its time: fences and waits count on it, and our own wall clock may
        be set at any moment (F1).
        """
        clock = self.clock(venue)
        if not clock.is_measured:
            raise GatewayProblem(f"{venue.exchange.value} ({venue.mode.value}) does not tell its time.")
        profile = PROFILES[venue.exchange]
        client = self._clients.client(venue, clock, credentials)
        self._markets.share_with(client, venue)

        def renewed_rules(max_age_ms: int) -> Instrument | None:
            rules = self._markets.renew(venue, settings.symbol, max_age_ms)
            self._markets.share_with(client, venue)  # ccxt rounds what it sends by its own table
            return rules

        return profile.gateway(
            Seat(
                client=client,
                clock=clock,
                instrument=self.instrument(venue, settings.symbol),
                settings=settings,
                renewed_rules=renewed_rules,
            )
        )

    def key_rights(self, venue: Venue, credentials: Credentials) -> KeyRights | Rejected | Unknown:
        """What the venue says that this key may do."""
        return self._signed_read(venue, credentials, PROFILES[venue.exchange].key_rights)

    def balance(self, venue: Venue, credentials: Credentials) -> AccountBalance | Rejected | Unknown:
        """What is in this key's account, USDT."""
        return self._signed_read(venue, credentials, PROFILES[venue.exchange].balance)

    def key_fault(self, venue: Venue, refused: Rejected) -> KeyFault | None:
        """What a refusal says of the key; None when it says nothing that this project knows."""
        return PROFILES[venue.exchange].envelope.key_faults.get(refused.code)

    def _signed_read(
        self, venue: Venue, credentials: Credentials, read: Callable[[ccxt.Exchange], T]
    ) -> T | Rejected | Unknown:
        """Ask once with a client of its own; a wrong time is measured again, for whoever asks next."""
        profile, clock = PROFILES[venue.exchange], self.clock(venue)
        if not clock.is_measured:
            return Unknown(reason=f"{venue.exchange.value} ({venue.mode.value}) does not tell its time.")
        client = self._clients.client(venue, clock, credentials)
        client.passage.errand, began_ms = PAGE, clock.monotonic_ms()
        try:
            answer = profile.envelope.asked(lambda: read(client))
        except NoTurn as refused:
            return Unknown(reason=str(refused), wait_ms=refused.wait_ms)
        if isinstance(answer, Rejected) and answer.refusal is Refusal.CLOCK:
            clock.refused(client, began_ms)
        return answer

    def listen(self, venue: Venue, credentials: Credentials, listener: Listener) -> StreamHandle | None:
        """Tell `listener` what happens to an account, from now on; None without streams."""
        if self._hub is None:
            return None
        clock = self.clock(venue)
        dialect = PROFILES[venue.exchange].private_stream(
            venue, clock, credentials, lambda: self._clients.client(venue, clock, credentials)
        )
        return self._hub.open(venue.account, dialect, listener, counts=self._clients.turnstile(venue).limits.counts)

    def prices(self, venue: Venue) -> PriceFeed | None:
        """The venue's prices as they are pushed; None without streams."""
        if self._hub is None:
            return None
        with self._guard:
            feed = self._feeds.get(venue)
            if feed is None:
                profile = PROFILES[venue.exchange]
                counts = self._clients.turnstile(venue).limits.counts
                feed = PriceFeed(self._hub, venue.account, lambda: profile.price_stream(venue), counts=counts)
                self._feeds[venue] = feed
            return feed

    @property
    def is_crowded(self) -> bool:
        """Whether so many were just told of fills that whatever can wait should."""
        return self._hub is not None and self._hub.is_crowded

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Have `work` done on the streams' thread after this long. Call it on that thread."""
        assert self._hub is not None, "nothing is told without streams"
        self._hub.later(seconds, work)

    def last_price(self, venue: Venue, symbol: str) -> Decimal:
        """The last traded price. Raises `GatewayProblem` with a sentence when the venue does not answer."""
        market = self.instrument(venue, symbol).venue_symbol
        return self._public_read(venue, lambda client: PROFILES[venue.exchange].last_price(client, market))

    def candles(
        self, venue: Venue, symbol: str, timeframe: str, limit: int, before_ms: int | None = None
    ) -> list[Candle]:
        """The newest candles that begin before `before_ms`, oldest first: time in seconds, the rest as texts.

        Raises `GatewayProblem`.
        """
        profile = PROFILES[venue.exchange]
        if timeframe not in profile.timeframes:
            raise GatewayProblem(f"{timeframe[:10]} is not a timeframe; choose {', '.join(profile.timeframes)}.")
        market = self.instrument(venue, symbol).venue_symbol
        return self._public_read(venue, lambda client: profile.candles(client, market, timeframe, limit, before_ms))

    def _public_read(self, venue: Venue, read: Callable[[ccxt.Exchange], T]) -> T:
        client, lock = self._public_client(venue)
        with lock:  # ccxt's last-answer fields and the client's passage belong to one caller at a time
            answer = PROFILES[venue.exchange].envelope.asked(lambda: read(client))
        if isinstance(answer, Rejected | Unknown):
            raise GatewayProblem(
                f"{venue.exchange.value} ({venue.mode.value}) does not answer right now; try again soon."
            )
        return answer

    def _public_client(self, venue: Venue) -> tuple[ccxt.Exchange, threading.Lock]:
        with self._guard:
            if venue not in self._public:
                client = self._clients.client(venue, self._clock)
                client.passage.errand = PAGE
                self._public[venue] = (client, threading.Lock())
            return self._public[venue]
