"""BingX's websockets: one private stream per account under a listen key, one public stream for many markets.

Pure but for the listen key, which is had over HTTP on a helper thread. Frames are gzip; the venue says `Ping` every
five seconds and wants `Pong`. The private stream needs no subscription, and the whole account is pushed every five
seconds, so that a lost event is noticed soon.
"""

import zlib
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import ccxt
import orjson

from blitz.core.calls import Rejected, Unknown
from blitz.core.orders import ZERO, Direction, Fill, FillKind, OpenOrder, OrderRecord, OrderType
from blitz.errors import GatewayProblem
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx import rows
from blitz.exchange.bingx.codes import ENVELOPE
from blitz.exchange.bingx.fills import HOUR_MS
from blitz.exchange.connection import Venue
from blitz.exchange.rows import Row, identifier, number, optional_number, text
from blitz.exchange.streams.dialect import StreamLimits, Told
from blitz.exchange.streams.happenings import AccountTouched, FillSeen, Happening, OrderSeen, PositionSeen, PriceSeen

LIMITS = StreamLimits(connections=60, window_seconds=60.0, sockets_max=60, sockets_for_prices=4)
"""60 sockets per address (exchange-facts §5). What more users there are, poll."""
KEY_RENEWED_SECONDS = 30 * 60.0
"""A listen key lives for an hour."""
FRAME_MAX_BYTES = 4 * 1_048_576
"""Of what a frame unpacks to."""
DIGITS_MAX = 20
"""Of an id or a time, which arrives unasked and is made a whole number."""
GZIP = 31
"""zlib's word for a gzip header."""
HOSTS = {"live": "wss://open-api-swap.bingx.com", "demo": "wss://vst-open-api-ws.bingx.com"}
PATH = "/swap-market"


def stream_address(venue: Venue) -> str:
    """Where the venue's streams are, without a listen key."""
    host = f"ws{venue.base_url.removeprefix('http')}" if venue.base_url else HOSTS[venue.account.rpartition(":")[2]]
    return f"{host}{PATH}"


class BingxPrivateStream:
    """The private stream of one account. See `Dialect`."""

    limits = LIMITS
    name = "BingX's private stream"

    def __init__(self, venue: Venue, new_client: Callable[[], ccxt.Exchange]) -> None:
        self._address = stream_address(venue)
        self._new_client = new_client
        self._key = ""
        self._funded_hour = 0
        """In which hour since the epoch funding was told of last: the account is pushed every five seconds, and what an
        unchanged one names as its reason is nowhere written."""

    def address(self) -> str:
        """Have a listen key made, and say where it is listened to. Raises `GatewayProblem`."""
        answer = _asked(self._new_client().user_auth_private_post_userdatastream)
        key = answer.get("listenKey") if isinstance(answer, dict) else None
        if not isinstance(key, str) or not key:
            raise GatewayProblem("The exchange gives no listen key for the stream.")
        self._key = key
        return f"{self._address}?listenKey={key}"

    def greeting(self) -> Sequence[str]:
        """Nothing has to be said."""
        return ()

    def can_wait(self, frame: bytes) -> bool:
        """Never: its fills come with the orders, and all of it is packed."""
        del frame
        return False

    def read(self, frame: bytes) -> Told:
        """What a frame says. Raises `Malformed`. Whatever arrives shows that the link tells."""
        body = _unpacked(frame)
        if body == b"Ping":
            return Told(answers=("Pong",), is_ready=True)
        message = _message(body)
        kind = message.get("e")
        if kind == "listenKeyExpired":
            return Told(refused="The stream's listen key has expired.")
        return Told(happenings=[*_happenings(kind, message), *self._of_funding(message)], is_ready=True)

    def _of_funding(self, message: Row) -> list[Happening]:
        """A reason to look once funding was charged: nothing else tells of it, and the books are to show it."""
        account = message.get("a")
        if not isinstance(account, dict) or account.get("m") != "FUNDING_FEE":
            return []
        hour = _moment(message) // HOUR_MS
        if hour <= self._funded_hour:
            return []
        self._funded_hour = hour
        return [AccountTouched()]

    def ping(self) -> None:
        """The venue asks; the client only answers."""
        return

    def renew_seconds(self) -> float:
        """How often the listen key is renewed."""
        return KEY_RENEWED_SECONDS

    def renew(self) -> None:
        """Give the listen key another hour. Raises `GatewayProblem`."""
        request = self._new_client().user_auth_private_put_userdatastream
        _asked(lambda: request({"listenKey": self._key}))


class BingxPriceStream:
    """Last prices of many markets. See `PublicDialect`."""

    limits = LIMITS
    name = "BingX's price stream"

    def __init__(self, venue: Venue) -> None:
        self._address = stream_address(venue)
        self._symbols: list[str] = []
        self._numbers = count(1)

    def address(self) -> str:
        """Where to connect."""
        return self._address

    def greeting(self) -> Sequence[str]:
        """Ask for every market again; the venue takes one per frame."""
        return [self._subscription(symbol) for symbol in self._symbols]

    def add(self, symbol: str) -> str:
        """Ask for one more market."""
        self._symbols.append(symbol)
        return self._subscription(symbol)

    def can_wait(self, frame: bytes) -> bool:
        """A price cannot."""
        del frame
        return False

    def read(self, frame: bytes) -> Told:
        """What a frame says. Raises `Malformed`."""
        body = _unpacked(frame)
        if body == b"Ping":
            return Told(answers=("Pong",))
        message = _message(body)
        row = message.get("data")
        if isinstance(row, dict):
            return Told(happenings=(PriceSeen(symbol=text(row, "s"), price=number(row, "c")),), is_ready=True)
        if str(message.get("code")) != "0":  # one market's refusal must not take the others' prices away
            raise Malformed(f"a refusal of one market's prices: {str(message.get('msg'))[:100]}")
        return Told(is_ready=True)

    def ping(self) -> None:
        """The venue asks; the client only answers."""
        return

    def renew_seconds(self) -> None:
        """A public link needs no renewing."""
        return

    def renew(self) -> None:
        """Never called."""

    def _subscription(self, symbol: str) -> str:
        asked = {"id": str(next(self._numbers)), "reqType": "sub", "dataType": f"{symbol}@ticker"}
        return orjson.dumps(asked).decode()


def _happenings(kind: object, message: Row) -> list[Happening]:
    match kind:
        case "ORDER_TRADE_UPDATE":
            return _of_order(message)
        case "ACCOUNT_UPDATE":
            return _positions(message)
        case "ACCOUNT_CONFIG_UPDATE":
            return [AccountTouched()]
    return []


def _of_order(message: Row) -> list[Happening]:
    """An order event, and the fill in it. What of it cannot be read has happened all the same: then the bot looks.

    Events with an unknown status occur. A trade without an id is no fill: nobody could tell it from one that was read.
    """
    row = message.get("o")
    if not isinstance(row, dict):
        raise Malformed("an order event without an order")
    is_fill = row.get("x") == "TRADE" and str(row.get("ti") or "0") != "0"
    readings: list[Callable[[], Happening]] = [lambda: OrderSeen(record=_record(row))]
    if is_fill:
        readings.insert(0, lambda: FillSeen(fill=_fill(row, at_ms=_moment(message))))
    return [_read_or_touched(reading) for reading in readings]


def _read_or_touched(reading: Callable[[], Happening]) -> Happening:
    try:
        return reading()
    except Malformed:
        return AccountTouched()


def _record(row: Row) -> OrderRecord:
    status = text(row, "X").upper()
    if status not in rows.STATUSES:
        raise Malformed(f"The exchange sent X as {status[:40]!r}.")
    trigger = optional_number(row, "sp") or None
    is_limit = text(row, "o") in rows.LIMITS
    kind = OrderType.LIMIT if is_limit else OrderType.STOP_MARKET if trigger else OrderType.MARKET
    side, goes = rows.position_side({"positionSide": row.get("ps")}), _direction(row)
    order = OpenOrder(
        order_id=identifier(row, "i"),
        client_id=str(row.get("c") or ""),
        symbol=text(row, "s"),
        direction=goes,
        type=kind,
        quantity=number(row, "q"),
        filled=number(row, "z"),
        price=number(row, "p") if is_limit else None,
        trigger=trigger,
        reduce_only=bool(row.get("ro")) if side is None else goes is side.closing,
        side=side,
    )
    return OrderRecord(order=order, terminal=status in rows.TERMINAL, reason=status)


def _fill(row: Row, *, at_ms: int) -> Fill:
    trade_id = identifier(row, "ti")
    return Fill(
        exec_id=trade_id,
        order_id=identifier(row, "i"),
        client_id=str(row.get("c") or ""),
        symbol=text(row, "s"),
        kind=FillKind.TRADE,
        direction=_direction(row),
        quantity=number(row, "l"),
        price=number(row, "L"),
        fee=-(optional_number(row, "n") or ZERO),
        is_maker=False,
        at_ms=at_ms,
        sequence=int(trade_id) if trade_id.isdecimal() and len(trade_id) <= DIGITS_MAX else 0,
    )


def _direction(row: Row) -> Direction:
    return rows.direction({"side": row.get("S")})


def _positions(message: Row) -> list[Happening]:
    account = message.get("a")
    held = account.get("P") if isinstance(account, dict) else None
    if not isinstance(held, list):
        return []
    return [
        PositionSeen(
            symbol=text(row, "s"),
            side=rows.position_side({"positionSide": row.get("ps")}),
            quantity=abs(number(row, "pa")),
            leverage=None,
        )
        for row in held
        if isinstance(row, dict)
    ]


def _moment(message: Row) -> int:
    """When it happened: events with a time of 0 occur, the envelope's is right then."""
    at = optional_number(message, "T") or number(message, "E")
    if at.adjusted() >= DIGITS_MAX:
        raise Malformed("an event with a time of no use")
    return int(at)


def _unpacked(frame: bytes) -> bytes:
    if not frame.startswith(b"\x1f\x8b"):
        return frame
    unpacking = zlib.decompressobj(GZIP)
    try:
        body = unpacking.decompress(frame, FRAME_MAX_BYTES)
    except zlib.error as problem:
        raise Malformed(str(problem)) from problem
    if unpacking.unconsumed_tail:
        raise Malformed("a frame that unpacks to too much")
    return body


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise Malformed(str(problem)) from problem
    if not isinstance(message, dict):
        raise Malformed("a frame that is not an object")
    return message


def _asked(request: Callable[[], Any]) -> Any:
    """What the venue answers; it has no envelope here. Raises `GatewayProblem`, `NoTurn` among them."""
    answer = ENVELOPE.asked(request)
    if isinstance(answer, Rejected):
        raise GatewayProblem(f"The exchange refuses the stream ({answer.code}: {answer.message}).")
    if isinstance(answer, Unknown):  # its reason may quote the request, and that names the key
        raise GatewayProblem("The exchange gives no key for the stream right now.")
    return answer
