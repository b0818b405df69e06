"""Bybit as the rest of the program sees it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.instrument import Instrument
from blitz.exchange import budget
from blitz.exchange.answers import Malformed
from blitz.exchange.bybit import account, rows
from blitz.exchange.bybit.client import BybitClient, bybit_client
from blitz.exchange.bybit.codes import ENVELOPE, result_of, rows_of
from blitz.exchange.bybit.gateway import CATEGORY, TRAITS, BybitGateway
from blitz.exchange.bybit.stream import BybitPriceStream, BybitPrivateStream
from blitz.exchange.connection import Venue
from blitz.exchange.profile import CANDLES_MAX, Candle, Seat
from blitz.exchange.rows import milliseconds

TAKER_RATE = Decimal("0.00055")
MAKER_RATE = Decimal("0.0002")
"""Linear perpetuals, VIP 0; ccxt's defaults are not these."""


class BybitProfile:
    """See `VenueProfile`."""

    traits = TRAITS
    envelope = ENVELOPE
    limits = budget.BYBIT
    read_limits = staticmethod(budget.read_bybit)
    hosts: Mapping[str, str] = {
        "demo": "https://api-demo.bybit.com",
        "testnet": "https://api-testnet.bybit.com",
        "live": "https://api.bybit.com",
    }
    time_path = "/v5/market/time"
    timeframes: Mapping[str, str] = {"1m": "1", "5m": "5", "15m": "15", "1h": "60", "4h": "240", "1d": "D"}

    def client(self, venue: Venue, clock: Clock, credentials: Credentials | None = None) -> BybitClient:
        """A client that signs with `clock`'s time. Sends nothing."""
        return bybit_client(venue, clock, credentials)

    def server_time_ms(self, client: ccxt.Exchange) -> int:
        """Ask the venue for its time, milliseconds. Raises `Malformed`, or what ccxt raises."""
        return self.time_in(client.public_get_v5_market_time())

    def time_in(self, answer: object) -> int:
        """The time in the answer of `time_path`, milliseconds. Raises `Malformed`."""
        return milliseconds(ENVELOPE.checked(answer), "time")

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """The rules of one of ccxt's markets. Raises `Malformed`."""
        return rows.instrument(market["symbol"], market["info"], taker_rate=TAKER_RATE, maker_rate=MAKER_RATE)

    def key_rights(self, client: ccxt.Exchange) -> KeyRights:
        """Ask what the client's key may do. Raises `Malformed`, or what ccxt raises."""
        return account.key_rights(result_of(client.private_get_v5_user_query_api()))

    def balance(self, client: ccxt.Exchange) -> AccountBalance:
        """Ask what is in the client's unified account, USDT. Raises `Malformed`, or what ccxt raises."""
        query = {"accountType": "UNIFIED", "coin": account.COIN}
        return account.balance(rows_of(result_of(client.private_get_v5_account_wallet_balance(query))))

    def gateway(self, seat: Seat) -> BybitGateway:
        """One user's account on one market."""
        return BybitGateway(seat)

    def private_stream(
        self, venue: Venue, clock: Clock, credentials: Credentials, new_client: Callable[[], ccxt.Exchange]
    ) -> BybitPrivateStream:
        """How to listen to one account; it takes no request."""
        del new_client
        return BybitPrivateStream(venue, clock, credentials)

    def price_stream(self, venue: Venue) -> BybitPriceStream:
        """How to listen to prices."""
        return BybitPriceStream(venue)

    def last_price(self, client: ccxt.Exchange, market: str) -> Decimal:
        """The last traded price of `market`. Raises `Malformed`, or what ccxt raises."""
        answer = client.public_get_v5_market_tickers({"category": CATEGORY, "symbol": market})
        return rows.last_price(rows_of(result_of(answer)))

    def candles(
        self, client: ccxt.Exchange, market: str, timeframe: str, limit: int, before_ms: int | None = None
    ) -> list[Candle]:
        """The newest candles before `before_ms`, oldest first. Raises `Malformed`, or what ccxt raises."""
        query = {"category": CATEGORY, "symbol": market, "interval": self.timeframes[timeframe]}
        query |= {} if before_ms is None else {"end": str(before_ms - 1)}
        answer = client.public_get_v5_market_kline(query | {"limit": max(1, min(limit, CANDLES_MAX))})
        listed = result_of(answer).get("list")
        if not isinstance(listed, list):
            raise Malformed("The exchange's answer has no list.")
        return [rows.candle(row) for row in reversed(listed)]


BYBIT = BybitProfile()
