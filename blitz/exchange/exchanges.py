"""Opens gateways and public clients, sharing tables, sessions and clocks between everybody on a venue."""

import threading
from decimal import Decimal
from typing import Any

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.memory import VenueTraits
from blitz.errors import GatewayProblem
from blitz.exchange import translate
from blitz.exchange.bybit import CATEGORY, TRAITS, BybitGateway
from blitz.exchange.clients import bybit_client
from blitz.exchange.connection import Venue
from blitz.exchange.envelope import asked, result_of, rows_of
from blitz.exchange.gateway import ExchangeGateway
from blitz.exchange.markets import MarketTables
from blitz.exchange.venue_clock import VenueClock

CANDLES_MAX = 1_000
INTERVALS = {"1m": "1", "5m": "5", "15m": "15", "1h": "60", "4h": "240", "1d": "D"}


class Exchanges:
    """Every venue this server speaks to. Safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._markets = MarketTables(clock)
        self._public: dict[Venue, tuple[ccxt.bybit, threading.Lock]] = {}
        self._clocks: dict[Venue, VenueClock] = {}
        self._guard = threading.Lock()

    def traits(self, venue: Venue) -> VenueTraits:
        """What the order protocol must know of the venue."""
        del venue  # one venue so far; each further one brings its own
        return TRAITS

    def clock(self, venue: Venue) -> VenueClock:
        """The venue's clock, asked for its time until it has told it once."""
        with self._guard:
            clock = self._clocks.setdefault(venue, VenueClock(self._clock))
        if not clock.is_measured:
            clock.measure(bybit_client(venue, self._clock))
        return clock

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
        client = bybit_client(venue, clock, credentials)
        self._markets.share_with(client, venue)

        def renewed_rules(max_age_ms: int) -> Instrument | None:
            rules = self._markets.renew(venue, settings.symbol, max_age_ms)
            self._markets.share_with(client, venue)  # ccxt rounds what it sends by its own table
            return rules

        return BybitGateway(client, clock, self.instrument(venue, settings.symbol), settings, renewed_rules)

    def last_price(self, venue: Venue, symbol: str) -> Decimal:
        """The last traded price. Raises `GatewayProblem` with a sentence when the venue does not answer."""
        market = self.instrument(venue, symbol).venue_symbol
        rows = self._public_rows(venue, "public_get_v5_market_tickers", {"symbol": market})
        if len(rows) != 1:
            raise GatewayProblem(f"The exchange has no price for {symbol} right now.")
        return translate.number(rows[0], "lastPrice")

    def candles(self, venue: Venue, symbol: str, timeframe: str, limit: int) -> list[dict[str, str | int]]:
        """The newest candles, oldest first: time in seconds, prices and volume as texts. Raises `GatewayProblem`."""
        if timeframe not in INTERVALS:
            raise GatewayProblem(f"{timeframe[:10]} is not a timeframe; choose {', '.join(INTERVALS)}.")
        query = {
            "symbol": self.instrument(venue, symbol).venue_symbol,
            "interval": INTERVALS[timeframe],
            "limit": max(1, min(limit, CANDLES_MAX)),
        }
        rows: list[Any] = self._public_rows(venue, "public_get_v5_market_kline", query, lists=True)
        names = ("open", "high", "low", "close", "volume")
        return [
            {"time": int(row[0]) // 1000} | dict(zip(names, map(str, row[1:6]), strict=True)) for row in reversed(rows)
        ]

    def _public_rows(self, venue: Venue, method: str, query: dict[str, Any], *, lists: bool = False) -> list[Any]:
        client, lock = self._public_client(venue)

        def request() -> list[Any]:
            result = result_of(getattr(client, method)({"category": CATEGORY} | query))
            return list(result.get("list") or []) if lists else list(rows_of(result))

        with lock:  # ccxt's throttle and its last-answer fields belong to one caller at a time
            answer = asked(request)
        if isinstance(answer, list):
            return answer
        raise GatewayProblem(f"{venue.exchange.value} ({venue.mode.value}) does not answer right now; try again soon.")

    def _public_client(self, venue: Venue) -> tuple[ccxt.bybit, threading.Lock]:
        with self._guard:
            if venue not in self._public:
                self._public[venue] = (bybit_client(venue, self._clock), threading.Lock())
            return self._public[venue]
