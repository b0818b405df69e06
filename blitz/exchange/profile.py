"""What a venue's package has to offer: everything in which one venue differs from another.

`Exchanges`, `MarketTables` and `VenueClock` ask a profile and name no venue; a bot sees only the gateway it opens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.memory import VenueTraits
from blitz.exchange.answers import Envelope
from blitz.exchange.budget import Limits, Reader
from blitz.exchange.connection import Venue
from blitz.exchange.gateway import ExchangeGateway
from blitz.exchange.streams.dialect import Dialect, PublicDialect
from blitz.exchange.venue_clock import VenueClock

Candle = dict[str, str | int]
"""`time` in seconds; `open`, `high`, `low`, `close` and `volume` as texts."""

CANDLES_MAX = 1_000
"""The most candles anybody asks for at once; every venue gives that many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """All that a gateway stands on: one user's client, the venue's time, and the market it trades."""

    client: ccxt.Exchange
    clock: VenueClock
    instrument: Instrument
    settings: LadderSettings
    renewed_rules: Callable[[int], Instrument | None]
    """Answers the market's rules no older than so many milliseconds, None when it is not listed any more."""


class VenueProfile(Protocol):
    """One venue. Stateless; safe to use from many threads."""

    @property
    def traits(self) -> VenueTraits:
        """What the order protocol must know of the venue."""

    @property
    def hosts(self) -> Mapping[str, str]:
        """The venue's own addresses by the kind of account they serve: demo, testnet, live."""

    @property
    def time_path(self) -> str:
        """Where a host tells its time to anybody."""

    def time_in(self, answer: object) -> int:
        """The venue's time in such an answer, milliseconds. Raises `Malformed`."""

    @property
    def envelope(self) -> Envelope:
        """How the venue says yes and no."""

    @property
    def limits(self) -> Limits:
        """How many requests the venue allows."""

    @property
    def read_limits(self) -> Reader:
        """What its answers say about that."""

    @property
    def timeframes(self) -> Mapping[str, str]:
        """Candle lengths that pages may ask for, and the venue's words for them."""

    def client(self, venue: Venue, clock: Clock, credentials: Credentials | None = None) -> ccxt.Exchange:
        """A client that signs with `clock`'s time. Sends nothing."""

    def server_time_ms(self, client: ccxt.Exchange) -> int:
        """Ask the venue for its time. Raises `Malformed`, or what ccxt raises."""

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """The rules of one of ccxt's markets. Raises `Malformed`."""

    def key_rights(self, client: ccxt.Exchange) -> KeyRights:
        """Ask what the client's key may do. Raises `Malformed`, or what ccxt raises; never guesses."""

    def balance(self, client: ccxt.Exchange) -> AccountBalance:
        """Ask what is in the client's account, USDT. Raises as `key_rights` does."""

    def gateway(self, seat: Seat) -> ExchangeGateway:
        """One user's account on one market."""

    def private_stream(
        self, venue: Venue, clock: Clock, credentials: Credentials, new_client: Callable[[], ccxt.Exchange]
    ) -> Dialect:
        """How to listen to one account. `new_client` makes one whose requests pass the venue's turnstile."""

    def price_stream(self, venue: Venue) -> PublicDialect:
        """How to listen to prices."""

    def last_price(self, client: ccxt.Exchange, market: str) -> Decimal:
        """The last traded price of the venue's `market`. Raises `Malformed`, or what ccxt raises."""

    def candles(
        self, client: ccxt.Exchange, market: str, timeframe: str, limit: int, before_ms: int | None = None
    ) -> list[Candle]:
        """The newest candles that begin before `before_ms`, oldest first; `timeframe` is one of `timeframes`.

        Raises as `last_price` does.
        """
