"""Bybit's websockets: one private stream per account, one public stream for many markets (V5, `connect` and `topics`).

Pure but for the clock: frames come in, `Told` goes out. Order and execution rows are those of REST, so they are read by
the same functions. A position is pushed after every order, changed or not.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

import orjson

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.orders import FillKind
from blitz.exchange.answers import Malformed
from blitz.exchange.bybit import rows
from blitz.exchange.connection import Venue
from blitz.exchange.rows import Row, number, optional_number, text
from blitz.exchange.streams.dialect import NOTHING, StreamLimits, Told
from blitz.exchange.streams.happenings import AccountTouched, FillSeen, Happening, OrderSeen, PositionSeen, PriceSeen

LIMITS = StreamLimits(connections=500, window_seconds=300.0)
"""500 new connections per five minutes and domain. The 1,000 open ones per address are those of market data, and all of
its markets together need no dozen (https://bybit-exchange.github.io/docs/v5/ws/connect)."""
PRIVATE_TOPICS = ("order", "execution", "position")
CAN_WAIT = re.compile(rb'[^\[]{0,100}"topic":"(?:order|position)"')
"""What goes with a fill: there are several of these for each. The topic stands before the rows."""
AUTH_MS = 10_000
"""How long the signature of a greeting is good for."""
HOSTS = {
    "live": ("wss://stream.bybit.com", "wss://stream.bybit.com"),
    "demo": ("wss://stream-demo.bybit.com", "wss://stream.bybit.com"),  # demo trading has the real prices
    "testnet": ("wss://stream-testnet.bybit.com", "wss://stream-testnet.bybit.com"),
}
PRIVATE_PATH, PUBLIC_PATH = "/v5/private", "/v5/public/linear"
PING = orjson.dumps({"op": "ping"}).decode()


def stream_address(venue: Venue, path: str) -> str:
    """Where the venue's private or public stream is."""
    if venue.base_url:
        return f"ws{venue.base_url.removeprefix('http')}{path}"
    private, public = HOSTS[venue.account.rpartition(":")[2]]
    return f"{private if path == PRIVATE_PATH else public}{path}"


class BybitPrivateStream:
    """The private stream of one account. See `Dialect`."""

    limits = LIMITS
    name = "Bybit's private stream"

    def __init__(self, venue: Venue, clock: Clock, credentials: Credentials) -> None:
        self._address = stream_address(venue, PRIVATE_PATH)
        self._clock = clock
        self._credentials = credentials

    def address(self) -> str:
        """Where to connect."""
        return self._address

    def greeting(self) -> Sequence[str]:
        """Sign in; the subscription follows once the venue agrees."""
        expires = str(self._clock.now_ms() + AUTH_MS)
        secret = self._credentials.api_secret.encode()
        signature = hmac.new(secret, f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        return (_frame({"op": "auth", "args": [self._credentials.api_key, expires, signature]}),)

    def can_wait(self, frame: bytes) -> bool:
        """Whether it tells of orders or of the position; a fill has a topic of its own."""
        return CAN_WAIT.match(frame) is not None

    def read(self, frame: bytes) -> Told:
        """What a frame says. Raises `Malformed`."""
        message = _message(frame)
        topic = message.get("topic")
        if isinstance(topic, str):
            return Told(happenings=_happenings(topic, message))
        match message.get("op"):
            case "auth" if message.get("success") is True:
                return Told(answers=(_frame({"op": "subscribe", "args": list(PRIVATE_TOPICS)}),))
            case "auth":
                return Told(refused=f"The exchange refuses the stream's sign-in ({_said(message)}).")
            case "subscribe" if message.get("success") is True:
                return Told(is_ready=True)
            case "subscribe":
                return Told(refused=f"The exchange refuses the stream's topics ({_said(message)}).")
        return NOTHING  # a pong, in either of its two forms

    def ping(self) -> str:
        """What keeps the link alive."""
        return PING

    def renew_seconds(self) -> None:
        """A signed-in link needs no renewing."""
        return

    def renew(self) -> None:
        """Never called."""


class BybitPriceStream:
    """Last prices of many markets. See `PublicDialect`."""

    limits = LIMITS
    name = "Bybit's price stream"

    def __init__(self, venue: Venue) -> None:
        self._address = stream_address(venue, PUBLIC_PATH)
        self._symbols: list[str] = []

    def address(self) -> str:
        """Where to connect."""
        return self._address

    def greeting(self) -> Sequence[str]:
        """Ask for every market again, each by itself: one that is listed no more must not cost the others theirs."""
        return [_subscription(symbol) for symbol in self._symbols]

    def add(self, symbol: str) -> str:
        """Ask for one more market."""
        self._symbols.append(symbol)
        return _subscription(symbol)

    def can_wait(self, frame: bytes) -> bool:
        """A price cannot."""
        del frame
        return False

    def read(self, frame: bytes) -> Told:
        """What a frame says. Raises `Malformed`. A delta without a price says nothing new."""
        message = _message(frame)
        if message.get("op") == "subscribe":
            return Told(is_ready=message.get("success") is True)
        topic, row = message.get("topic"), message.get("data")
        if not isinstance(topic, str) or not isinstance(row, dict) or "lastPrice" not in row:
            return NOTHING
        return Told(happenings=(PriceSeen(symbol=text(row, "symbol"), price=number(row, "lastPrice")),))

    def ping(self) -> str:
        """What keeps the link alive."""
        return PING

    def renew_seconds(self) -> None:
        """A public link needs no renewing."""
        return

    def renew(self) -> None:
        """Never called."""


def _subscription(symbol: str) -> str:
    return _frame({"op": "subscribe", "args": [f"tickers.{symbol}"]})


def _happenings(topic: str, message: Row) -> list[Happening]:
    listed = message.get("data")
    if not isinstance(listed, list):
        raise Malformed(f"{topic} without rows")
    found: list[Happening] = []
    for row in listed:
        if not isinstance(row, dict):
            raise Malformed(f"{topic} with a row that is none")
        if row.get("category") == "linear":
            found.append(_happening(topic, row))
    return found


def _happening(topic: str, row: Row) -> Happening:
    match topic:
        case "execution":
            fill = rows.fill(row)
            return AccountTouched() if fill.kind is FillKind.FUNDING else FillSeen(fill=fill)
        case "order":
            return OrderSeen(record=rows.order_record(row))
        case "position":
            return PositionSeen(
                symbol=text(row, "symbol"),
                side=rows.SIDE_INDEX.get(rows.position_index(row)),
                quantity=number(row, "size"),
                leverage=optional_number(row, "leverage"),
            )
    return AccountTouched()


def _message(frame: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as problem:
        raise Malformed(str(problem)) from problem
    if not isinstance(message, dict):
        raise Malformed("a frame that is not an object")
    return message


def _frame(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()


def _said(message: Row) -> str:
    return " ".join(str(message.get("ret_msg", "")).split())[:100] or "without a reason"
