"""Bybit's rows into core values. Pure; whatever is missing or odd raises `Malformed` at once, never a default.

Past this file there are no raw dictionaries and no numbers as text.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

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
from blitz.exchange.rows import Row, flag, milliseconds, number, optional_number, text

TERMINAL = frozenset({"Filled", "Cancelled", "Rejected", "Deactivated", "PartiallyFilledCanceled"})
STATUSES = TERMINAL | {"New", "PartiallyFilled", "Untriggered", "Triggered", "Created", "Active"}
KINDS = {
    "Trade": FillKind.TRADE,
    "Funding": FillKind.FUNDING,
    "BustTrade": FillKind.LIQUIDATION,
    "AdlTrade": FillKind.ADL,
    "Settle": FillKind.TRADE,
    "Delivery": FillKind.TRADE,
}
SIDE_INDEX = {1: Side.LONG, 2: Side.SHORT}


def position_index(row: Row) -> int:
    """0 on a one-way account, else the side of a hedge account. Without it nobody can tell which of the two it is."""
    index = str(row.get("positionIdx"))
    if index not in {"0", "1", "2"}:
        raise Malformed(f"The exchange sent positionIdx as {index[:20]!r}.")
    return int(index)


def direction(row: Row) -> Direction:
    """Buy or Sell."""
    side = text(row, "side")
    if side not in {"Buy", "Sell"}:
        raise Malformed(f"The exchange sent side as {side[:20]!r}.")
    return Direction.BUY if side == "Buy" else Direction.SELL


def open_order(row: Row) -> OpenOrder:
    """An order row, whatever its status."""
    trigger = optional_number(row, "triggerPrice") or None
    is_limit = text(row, "orderType") == "Limit"
    kind = OrderType.LIMIT if is_limit else OrderType.STOP_MARKET if trigger else OrderType.MARKET
    return OpenOrder(
        order_id=text(row, "orderId"),
        client_id=text(row, "orderLinkId"),
        symbol=text(row, "symbol"),
        direction=direction(row),
        type=kind,
        quantity=number(row, "qty"),
        filled=number(row, "cumExecQty"),
        price=number(row, "price") if is_limit else None,
        trigger=trigger,
        reduce_only=flag(row, "reduceOnly"),
        side=SIDE_INDEX.get(position_index(row)),
        created_ms=milliseconds(row, "createdTime"),
    )


def order_record(row: Row) -> OrderRecord:
    """An order row with what became of it. An unknown status is malformed: it must not pass for either."""
    status = text(row, "orderStatus")
    if status not in STATUSES:
        raise Malformed(f"The exchange sent orderStatus as {status[:40]!r}.")
    said = (row.get("cancelType"), row.get("rejectReason"), status)
    reason = next(str(word) for word in said if word and word not in {"UNKNOWN", "EC_NoError"})
    return OrderRecord(order=open_order(row), terminal=status in TERMINAL, reason=reason)


def fill(row: Row) -> Fill:
    """An execution row. A kind nobody told us of is malformed: it might move the position."""
    kind = KINDS.get(text(row, "execType"))
    if kind is None:
        raise Malformed(f"The exchange sent execType as {row.get('execType')!r}.")
    return Fill(
        exec_id=text(row, "execId"),
        order_id=text(row, "orderId"),
        client_id=text(row, "orderLinkId"),
        symbol=text(row, "symbol"),
        kind=kind,
        direction=direction(row),
        quantity=number(row, "execQty"),
        price=number(row, "execPrice"),
        fee=number(row, "execFee"),
        is_maker=bool(row.get("isMaker")),
        at_ms=milliseconds(row, "execTime"),
        sequence=int(optional_number(row, "seq") or 0),
    )


def fill_side(row: Row) -> Side:
    """Which side of a hedge account an execution belongs to.

    Executions carry no position index: one that closes belongs to the side opposite to its direction (exchange-facts,
    trap 11). A funding row names the position's own direction.
    """
    opens = direction(row)
    if "closedSize" not in row:
        raise Malformed("The exchange sent a row without closedSize.")
    closing = text(row, "execType") != "Funding" and (optional_number(row, "closedSize") or ZERO) > 0
    return Side.LONG if (opens is Direction.BUY) != closing else Side.SHORT


def position(rows: Sequence[Row], side: Side) -> VenuePosition:
    """Our side's position from the rows of one symbol. No row at all is malformed: flat comes as a row of size 0."""
    if not rows:
        raise Malformed("The exchange sent no position row for this market.")
    by_side = {SIDE_INDEX.get(position_index(row)): row for row in rows}
    hedged = set(by_side) != {None}
    ours, opposite = rows[0], None
    if hedged:
        if side not in by_side:
            raise Malformed("The exchange left out one side of a hedge account.")
        ours, opposite = by_side[side], by_side.get(Side.SHORT if side is Side.LONG else Side.LONG)
    size = number(ours, "size")
    points_our_way = hedged or text(ours, "side") in {"", "Buy" if side is Side.LONG else "Sell"}
    return VenuePosition(
        quantity=size if points_our_way else ZERO,
        average=(optional_number(ours, "avgPrice") or ZERO) if points_our_way else ZERO,
        leverage=optional_number(ours, "leverage") or ZERO,
        hedged=hedged,
        opposite_quantity=number(opposite, "size") if opposite else ZERO if points_our_way else size,
        liquidation=optional_number(ours, "liqPrice") or None,
        mark=optional_number(ours, "markPrice") or ZERO,
    )


def instrument(symbol: str, row: Row, *, taker_rate: Decimal, maker_rate: Decimal) -> Instrument:
    """A market's rules from its instruments-info row, kept as the texts the venue sent."""
    prices, lots, leverage = row.get("priceFilter"), row.get("lotSizeFilter"), row.get("leverageFilter")
    if not isinstance(prices, Mapping) or not isinstance(lots, Mapping) or not isinstance(leverage, Mapping):
        raise Malformed(f"The exchange sent no trading rules for {symbol}.")
    return Instrument(
        symbol=symbol,
        venue_symbol=text(row, "symbol"),
        tick=number(prices, "tickSize"),
        price_min=number(prices, "minPrice"),
        price_max=number(prices, "maxPrice"),
        step=number(lots, "qtyStep"),
        quantity_min=number(lots, "minOrderQty"),
        quantity_max=number(lots, "maxOrderQty"),
        market_quantity_max=optional_number(lots, "maxMktOrderQty") or number(lots, "maxOrderQty"),
        notional_min=optional_number(lots, "minNotionalValue") or Decimal(5),
        leverage_min=optional_number(leverage, "minLeverage") or Decimal(1),
        leverage_max=number(leverage, "maxLeverage"),
        leverage_step=optional_number(leverage, "leverageStep") or Decimal("0.01"),
        trading=text(row, "status") == "Trading",
        taker_rate=taker_rate,
        maker_rate=maker_rate,
    )


def last_price(rows: Sequence[Row]) -> Decimal:
    """The price in the ticker of one market."""
    if len(rows) != 1:
        raise Malformed("The exchange sent no price for this market.")
    price = number(rows[0], "lastPrice")
    if price <= 0:
        raise Malformed(f"The exchange sent a price of {price}.")
    return price


def candle(row: object) -> dict[str, str | int]:
    """A candle from its list of texts: time in milliseconds, open, high, low, close, volume, turnover."""
    if not isinstance(row, Sequence) or len(row) < 6 or not str(row[0]).isdecimal():
        raise Malformed("The exchange sent a candle that is none.")
    names = ("open", "high", "low", "close", "volume")
    return {"time": int(row[0]) // 1000} | dict(zip(names, map(str, row[1:6]), strict=True))
