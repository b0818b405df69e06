"""BingX as the rest of the program sees it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.instrument import Instrument
from blitz.exchange import budget
from blitz.exchange.bingx import account, rows
from blitz.exchange.bingx.client import BingxClient, bingx_client
from blitz.exchange.bingx.codes import ENVELOPE, data_of, listed
from blitz.exchange.bingx.gateway import TRAITS, BingxGateway
from blitz.exchange.bingx.stream import BingxPriceStream, BingxPrivateStream
from blitz.exchange.connection import Venue
from blitz.exchange.profile import CANDLES_MAX, Candle, Seat
from blitz.exchange.rows import milliseconds


class BingxProfile:
    """See `VenueProfile`."""

    traits = TRAITS
    envelope = ENVELOPE
    limits = budget.BINGX
    read_limits = staticmethod(budget.read_bingx)
    hosts: Mapping[str, str] = {"demo": "https://open-api-vst.bingx.com", "live": "https://open-api.bingx.com"}
    time_path = "/openApi/swap/v2/server/time"
    timeframes: Mapping[str, str] = {name: name for name in ("1m", "5m", "15m", "1h", "4h", "1d")}

    def client(self, venue: Venue, clock: Clock, credentials: Credentials | None = None) -> BingxClient:
        """A client that signs with `clock`'s time. Sends nothing."""
        return bingx_client(venue, clock, credentials)

    def server_time_ms(self, client: ccxt.Exchange) -> int:
        """Ask the venue for its time, milliseconds. Raises `Malformed`, or what ccxt raises."""
        return self.time_in(client.swap_v2_public_get_server_time())

    def time_in(self, answer: object) -> int:
        """The time in the answer of `time_path`, milliseconds. Raises `Malformed`."""
        return milliseconds(data_of(answer), "serverTime")

    def instrument(self, market: Mapping[str, Any]) -> Instrument:
        """The rules of one of ccxt's markets. Raises `Malformed`."""
        return rows.instrument(market["symbol"], market["info"])

    def key_rights(self, client: ccxt.Exchange) -> KeyRights:
        """Ask what the client's key may do. Raises `Malformed`, or what ccxt raises."""
        return account.key_rights(client.account_v1_private_get_account_apipermissions())

    def balance(self, client: ccxt.Exchange) -> AccountBalance:
        """Ask what is in the client's perpetual account, USDT. Raises `Malformed`, or what ccxt raises."""
        return account.balance(listed(client.swap_v3_private_get_user_balance()))

    def gateway(self, seat: Seat) -> BingxGateway:
        """One user's account on one market."""
        return BingxGateway(seat)

    def private_stream(
        self, venue: Venue, clock: Clock, credentials: Credentials, new_client: Callable[[], ccxt.Exchange]
    ) -> BingxPrivateStream:
        """How to listen to one account: under a listen key, which is asked for by requests."""
        del clock, credentials
        return BingxPrivateStream(venue, new_client)

    def price_stream(self, venue: Venue) -> BingxPriceStream:
        """How to listen to prices."""
        return BingxPriceStream(venue)

    def last_price(self, client: ccxt.Exchange, market: str) -> Decimal:
        """The last traded price of `market`. Raises `Malformed`, or what ccxt raises."""
        return rows.last_price(data_of(client.swap_v2_public_get_quote_ticker({"symbol": market})))

    def candles(
        self, client: ccxt.Exchange, market: str, timeframe: str, limit: int, before_ms: int | None = None
    ) -> list[Candle]:
        """The newest candles before `before_ms`, oldest first. Raises `Malformed`, or what ccxt raises."""
        query = {"symbol": market, "interval": self.timeframes[timeframe], "limit": max(1, min(limit, CANDLES_MAX))}
        query |= {} if before_ms is None else {"endTime": before_ms - 1}
        candles = [rows.candle(row) for row in listed(client.swap_v3_public_get_quote_klines(query))]
        return sorted(candles, key=lambda candle: candle["time"])


BINGX = BingxProfile()
