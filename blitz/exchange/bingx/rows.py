"""BingX's rows into core values. Pure; whatever is missing or odd raises `Malformed` at once, never a default.

Past this file there are no raw dictionaries and no numbers as text.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from blitz.core.instrument import Instrument
from blitz.core.orders import (
    ZERO,
    Direction,
    Fill,
    FillKind,
    OpenOrder,
    OrderRecord,
    OrderType,
    Side,
    VenuePosition,
)
from blitz.exchange.answers import Malformed
from blitz.exchange.rows import Row, flag, identifier, milliseconds, number, optional_number, text

TERMINAL = frozenset({"FILLED", "CANCELED", "CANCELLED", "FAILED", "EXPIRED"})
STATUSES = TERMINAL | {"NEW", "PENDING", "PARTIALLY_FILLED"}
LIMITS = frozenset({"LIMIT", "STOP", "TAKE_PROFIT", "TRIGGER_LIMIT"})
SIDES: Mapping[str, Side | None] = {"LONG": Side.LONG, "SHORT": Side.SHORT, "BOTH": None}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEVERAGE_MAX = Decimal(125)
"""Where a contract does not name its own highest leverage; a lower limit shows itself as a refusal."""


def truth(row: Row, field: str) -> bool:
    """A truth value the row must have; BingX writes some of them as texts."""
    value = row.get(field)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return flag(row, field)


def position_side(row: Row) -> Side | None:
    """LONG or SHORT of a hedge account; None for BOTH. Without it nobody can tell which of the two it is."""
    word = text(row, "positionSide")
    if word not in SIDES:
        raise Malformed(f"The exchange sent positionSide as {word[:20]!r}.")
    return SIDES[word]


def direction(row: Row) -> Direction:
    """BUY or SELL."""
    side = text(row, "side")
    if side not in {"BUY", "SELL"}:
        raise Malformed(f"The exchange sent side as {side[:20]!r}.")
    return Direction.BUY if side == "BUY" else Direction.SELL


def open_order(row: Row) -> OpenOrder:
    """An order row, whatever its status.

    On a hedge account no order says that it is reduce-only; one that closes its side can do nothing else.
    """
    side, goes = position_side(row), direction(row)
    trigger = optional_number(row, "stopPrice") or None
    is_limit = text(row, "type") in LIMITS
    kind = OrderType.LIMIT if is_limit else OrderType.STOP_MARKET if trigger else OrderType.MARKET
    return OpenOrder(
        order_id=identifier(row, "orderId"),
        client_id=client_id(row),
        symbol=text(row, "symbol"),
        direction=goes,
        type=kind,
        quantity=number(row, "origQty"),
        filled=number(row, "executedQty"),
        price=number(row, "price") if is_limit else None,
        trigger=trigger,
        reduce_only=truth(row, "reduceOnly") if side is None else goes is side.closing,
        side=side,
        created_ms=milliseconds(row, "time"),
    )


def client_id(row: Row) -> str:
    """The order's client id under either of the two names that BingX writes it by; it may be empty."""
    value = row.get("clientOrderId", row.get("clientOrderID"))
    if not isinstance(value, str):
        raise Malformed("The exchange sent a row without clientOrderId.")
    return value


def order_record(row: Row) -> OrderRecord:
    """An order row with what became of it. An unknown status is malformed: it must not pass for either."""
    status = text(row, "status").upper()
    if status not in STATUSES:
        raise Malformed(f"The exchange sent status as {status[:40]!r}.")
    return OrderRecord(order=open_order(row), terminal=status in TERMINAL, reason=status)


def fill(row: Row, *, client_id: str, kind: FillKind) -> Fill:
    """A row of the fill history. It names neither the order's client id nor why the venue traded; the caller does."""
    trade_id = identifier(row, "tradeId")
    return Fill(
        exec_id=trade_id,
        order_id=identifier(row, "orderId"),
        client_id=client_id,
        symbol=text(row, "symbol"),
        kind=kind,
        direction=direction(row),
        quantity=number(row, "qty"),
        price=number(row, "price"),
        fee=-number(row, "commission"),  # what is paid is negative there
        is_maker=_is_maker(row),
        at_ms=moment(row, "filledTime"),
        sequence=int(trade_id) if trade_id.isdecimal() else 0,
    )


def _is_maker(row: Row) -> bool:
    role = text(row, "role").lower()
    if role not in {"maker", "taker"}:
        raise Malformed(f"The exchange sent role as {role[:20]!r}.")
    return role == "maker"


def moment(row: Row, field: str) -> int:
    """A written time in milliseconds since the epoch. It must name its zone: `+0800` as documented, or Z."""
    written = text(row, field)
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Malformed(f"The exchange sent {field} as {written[:40]!r}.")
    return (at - EPOCH) // timedelta(milliseconds=1)


def funding(row: Row, side: Side, charged_ms: int) -> Fill:
    """A funding payment from the account's money flow; what is received is positive there.

    `charged_ms` is when the position was charged, which is some seconds before the payment is listed.
    """
    return Fill(
        exec_id=f"income-{identifier(row, 'tranId')}",
        order_id="",
        client_id="",
        symbol=text(row, "symbol"),
        kind=FillKind.FUNDING,
        direction=side.opening,
        quantity=ZERO,
        price=ZERO,
        fee=-number(row, "income"),
        is_maker=False,
        at_ms=charged_ms,
    )


def position(rows: Sequence[Row], side: Side, *, hedged: bool, leverage_when_flat: Decimal) -> VenuePosition:
    """Our side's position from the rows of one symbol; a side that holds nothing has no row."""
    held = {Side.LONG: ZERO, Side.SHORT: ZERO}
    ours: Row | None = None
    for row in rows:
        size = number(row, "positionAmt")
        of = position_side(row) or (Side.SHORT if size < 0 else Side.LONG)
        held[of] += abs(size)
        if of is side and size:
            ours = row
    opposite = held[Side.SHORT if side is Side.LONG else Side.LONG]
    if ours is None:
        return VenuePosition(
            quantity=ZERO, average=ZERO, leverage=leverage_when_flat, hedged=hedged, opposite_quantity=opposite
        )
    return VenuePosition(
        quantity=held[side],
        average=number(ours, "avgPrice"),
        leverage=number(ours, "leverage"),
        hedged=hedged,
        opposite_quantity=opposite,
        liquidation=optional_number(ours, "liquidationPrice") or None,
        mark=optional_number(ours, "markPrice") or ZERO,
    )


def last_price(row: Row) -> Decimal:
    """The price in the ticker of one market."""
    price = number(row, "lastPrice")
    if price <= 0:
        raise Malformed(f"The exchange sent a price of {price}.")
    return price


def candle(row: Row) -> dict[str, str | int]:
    """One candle: time in seconds, prices and volume as texts."""
    names = ("open", "high", "low", "close", "volume")
    return {"time": milliseconds(row, "time") // 1000} | {name: str(number(row, name)) for name in names}


def instrument(symbol: str, row: Mapping[str, Any]) -> Instrument:
    """A market's rules from its contract row. BingX names no largest quantity or price; it refuses what is too much."""
    limits = [optional_number(row, name) for name in ("maxLongLeverage", "maxShortLeverage")]
    opens = truth(row, "apiStateOpen") and truth(row, "apiStateClose")
    return Instrument(
        symbol=symbol,
        venue_symbol=text(row, "symbol"),
        tick=_step(row, "tickSize", "pricePrecision"),
        step=_step(row, "stepSize", "quantityPrecision"),
        quantity_min=number(row, "tradeMinQuantity"),
        quantity_max=Decimal("Infinity"),
        market_quantity_max=Decimal("Infinity"),
        notional_min=number(row, "tradeMinUSDT"),
        leverage_max=min([limit for limit in limits if limit], default=LEVERAGE_MAX),
        leverage_step=Decimal(1),
        trading=identifier(row, "status") == "1" and opens,
        taker_rate=number(row, "takerFeeRate"),
        maker_rate=number(row, "makerFeeRate"),
    )


def _step(row: Row, size: str, digits: str) -> Decimal:
    """The smallest step, given outright or as a number of decimals."""
    return optional_number(row, size) or Decimal(1).scaleb(-int(number(row, digits)))
