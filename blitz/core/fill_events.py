"""Fill events: what the trader's feed says about fills that were just booked.

One line per leg's fill, per funding fee, and one per order of somebody else, however many executions it had: a person
who trades by hand, or the venue itself by liquidation or auto-deleveraging. Exits of ours tell themselves by the end
of their cycle. Pure; called by `core.look`.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from blitz.core.orders import ZERO, BookedFill, FillKind, Role
from blitz.core.records import BotEvent, EventKind, EventNoted

KINDS = {
    FillKind.TRADE: EventKind.TRADED_BY_HAND,
    FillKind.LIQUIDATION: EventKind.LIQUIDATED,
    FillKind.ADL: EventKind.DELEVERAGED,
}


def told_of(fresh: Sequence[BookedFill], now_ms: int) -> list[EventNoted]:
    """Lines for the feed about these fills, in the order they happened."""
    events: list[BotEvent] = []
    told: set[tuple[FillKind, str]] = set()
    for booked in fresh:
        fill = booked.fill
        if fill.kind is FillKind.FUNDING:
            events.append(_event(EventKind.FUNDING, booked, now_ms, fee=str(fill.fee)))
        elif booked.key is not None and booked.key.role is Role.LEG:
            data = {"order": str(booked.key), "quantity": str(fill.quantity), "price": str(fill.price)}
            events.append(_event(EventKind.LEG_FILLED, booked, now_ms, **data))
        elif booked.key is None and (fill.kind, fill.order_id) not in told:
            told.add((fill.kind, fill.order_id))
            quantity, price = _whole(fresh, booked)
            data = {"direction": fill.direction.value, "quantity": str(quantity), "price": str(price)}
            events.append(_event(KINDS[fill.kind], booked, now_ms, **data))
    return [EventNoted(event=event) for event in events]


def _whole(fresh: Iterable[BookedFill], one: BookedFill) -> tuple[Decimal, Decimal]:
    """Quantity and average price of all new fills of one foreign order."""
    same = [each.fill for each in fresh if each.key is None and each.fill.kind is one.fill.kind]
    same = [fill for fill in same if fill.order_id == one.fill.order_id]
    quantity = sum((fill.quantity for fill in same), ZERO)
    cost = sum((fill.quantity * fill.price for fill in same), ZERO)
    return quantity, (cost / quantity).quantize(one.fill.price)


def _event(kind: EventKind, booked: BookedFill, now_ms: int, **data: str) -> BotEvent:
    return BotEvent(kind=kind, at_ms=now_ms, cycle=booked.cycle, data=data)
