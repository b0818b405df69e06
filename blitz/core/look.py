"""Look: read orders, fills and position until they tell one story.

A pass decides only on a coherent picture: the position equals our books, and no resting order of ours has filled more
than our books know. Reads that contradict each other are repeated, then the pass gives up and the next one looks again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from blitz.core.calls import (
    FillsRead,
    OpenOrdersRead,
    PositionRead,
    ReadFills,
    ReadOpenOrders,
    ReadPosition,
    Rejected,
    Step,
    Unknown,
    ask,
    read_clock,
    save,
)
from blitz.core.fill_events import told_of
from blitz.core.guards import Guard
from blitz.core.identity import EARLY_MS, key_of_fill, own_key
from blitz.core.late_fills import book_late
from blitz.core.memory import BotMemory
from blitz.core.orders import ZERO, BookedFill, Fill, OpenOrder, OrderKey, Role, VenuePosition
from blitz.core.records import Change, FillBooked

LOOKS_MAX = 3
JOURNAL_UNWRITTEN = "The journal could not be written."
BOOKS_DISAGREE = "Orders, fills and position do not agree yet."
LISTED_ONCE = "Open orders are looked at a second time before the first order is sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A coherent picture of the market at one moment."""

    position: VenuePosition
    own: dict[OrderKey, OpenOrder]
    """Our resting orders, with `filled` as our books have it."""
    surplus: tuple[OpenOrder, ...]
    """Resting orders with a tag of ours that already has another order: they have to go (S1)."""
    foreign: tuple[OpenOrder, ...]
    """Everybody else's: shown, never touched (S4)."""
    fills: tuple[Fill, ...]
    """The fills that were read, booked or not."""


def look(memory: BotMemory, now_ms: int) -> Step[Seen | Rejected | Unknown]:
    """Read everything and book what is new."""
    for attempt in range(LOOKS_MAX):
        began_ms = (yield from read_clock()) if attempt else now_ms
        orders = yield from ask(ReadOpenOrders(), OpenOrdersRead)
        if not isinstance(orders, OpenOrdersRead):
            if memory.keeps(Guard.UNKNOWN_READS):
                return orders
            orders = OpenOrdersRead(orders=())
        began_ms = max(began_ms, orders.left_ms or 0)  # standing in line has made no picture older
        fills = yield from ask(ReadFills(since_ms=memory.fills_since_ms(now_ms)), FillsRead)
        if not isinstance(fills, FillsRead):
            return fills
        position = yield from ask(ReadPosition(), PositionRead)
        if not isinstance(position, PositionRead):
            return position
        listed = _listed(memory, orders.orders, began_ms)
        if listed is None:
            return Unknown(reason=LISTED_ONCE)
        if not (yield from book_late(memory, fills.fills, now_ms)):
            return Unknown(reason=JOURNAL_UNWRITTEN)
        if not (yield from book_new(memory, fills.fills, now_ms)):
            return Unknown(reason=JOURNAL_UNWRITTEN)
        seen = _arrange(memory, listed, fills.fills, position.position)
        if seen is not None:
            memory.disagree_since_ms = None
            memory.looked_ms, memory.first_listed = began_ms, None
            return seen
    memory.disagree_since_ms = memory.disagree_since_ms or now_ms
    return Unknown(reason=BOOKS_DISAGREE)


def _listed(memory: BotMemory, orders: tuple[OpenOrder, ...], now_ms: int) -> tuple[OpenOrder, ...] | None:
    """What rests as far as lists show; None when one list is not enough to tell.

    A list may be cut or empty just after the venue came back. Slots know what rests, and an enforced id stops what
    they do not know; but behind a journal that was restored or lost, the first list is all there is. So it is where
    orders move by getting a new id, or keep none. Then what either of two looks listed counts: one that is gone by the
    second is settled like any other.
    """
    traits = memory.traits
    trusted = memory.ids_enforced and traits.amends_price and traits.stops_carry_ids and memory.slots
    if memory.looked_ms or trusted or not memory.keeps(Guard.LISTED_TWICE):
        return orders
    before, memory.first_listed = memory.first_listed, orders
    if before is None:
        return None
    listed = {order.order_id for order in orders}
    gone = [order for order in before if order.order_id not in listed and not _may_be_replaced(memory, order, now_ms)]
    return (*gone, *orders)


def _may_be_replaced(memory: BotMemory, order: OpenOrder, now_ms: int) -> bool:
    """Whether an unanswered replacement may have been carried out between two looks: then what came after it counts."""
    slots = [slot for slot in memory.slots.values() if slot.order_id == order.order_id]
    return any(slot.is_unanswered or now_ms < slot.doubted_until_ms for slot in slots)


def book_new(memory: BotMemory, fills: tuple[Fill, ...], now_ms: int) -> Step[bool]:
    """Save and fold the fills that the open cycle has not got yet; False when they could not be saved."""
    if memory.cycle is None:
        return True
    fresh = list(_attributed(memory, fills))
    changes: list[Change] = [*memory.unsaved, *(FillBooked(booked=booked) for booked in fresh)]
    changes += told_of(fresh, now_ms)
    if not (yield from save(*changes)):
        memory.must_reload = True  # perhaps only the answer was lost, and the books hold more than this memory
        return False
    memory.unsaved.clear()
    memory.ledger = memory.ledger.with_all(fresh)
    memory.last_fill_ms = max([memory.last_fill_ms, *(booked.fill.at_ms for booked in fresh)])
    return True


def _attributed(memory: BotMemory, fills: tuple[Fill, ...]) -> Iterator[BookedFill]:
    """The fills of the open cycle that are new.

    An exit of ours never fills before the first leg: one that seems to is of a cycle that the journal lost, or the list
    was cut in front of it and the next one shows what was before. Only an exit whose order we know may: it closes what
    a trade by hand opened while our entry was still refused.
    """
    known = {slot.order_id for slot in memory.slots.values() if slot.order_id}
    first_leg_ms = min((one.fill.at_ms for one in memory.ledger.booked if _is_leg(one)), default=None)
    for fill in memory.unbooked(fills):
        booked = attribute(memory, fill)
        if booked is None:
            continue
        if _is_leg(booked):
            first_leg_ms = fill.at_ms if first_leg_ms is None else min(first_leg_ms, fill.at_ms)
        elif (
            booked.key is not None
            and (first_leg_ms is None or fill.at_ms < first_leg_ms)
            and fill.order_id not in known
        ):
            continue
        yield booked


def _is_leg(booked: BookedFill) -> bool:
    return booked.key is not None and booked.key.role is Role.LEG


def attribute(memory: BotMemory, fill: Fill) -> BookedFill | None:
    """Decide whether a fill belongs to the open cycle, and to which of its orders.

    Ids may repeat across cycles, so an exec id of an earlier cycle is left out by itself and never by its tag. A
    journal that was lost knows no such exec ids: what came before the cycle's first fill is not the cycle's either.
    """
    if memory.cycle is None or (fill.exec_id in memory.booked_before and memory.keeps(Guard.EARLIER_FILLS)):
        return None
    key = key_of_fill(memory, fill)
    first_ms = memory.ledger.first_fill_ms
    # Clocks may differ until our own first fill; after a restart nothing else tells a trade by hand from just before.
    began_ms = memory.cycle.started_ms
    if key is None and fill.at_ms < (began_ms - EARLY_MS if first_ms is None else min(began_ms, first_ms)):
        return None
    # No order of this cycle was sent before it began, whatever the tag of an older fill says. An adopted cycle begins
    # with its first fill: what else happened in that millisecond came before it, or it would have been adopted too.
    earliest_ms = memory.cycle.started_ms - EARLY_MS
    is_earlier = fill.at_ms < earliest_ms or fill.at_ms == earliest_ms == first_ms
    if is_earlier and memory.keeps(Guard.EARLIER_FILLS):
        return None
    return BookedFill(fill=fill, cycle=memory.cycle.number, key=key)


def _arrange(
    memory: BotMemory, orders: tuple[OpenOrder, ...], fills: tuple[Fill, ...], position: VenuePosition
) -> Seen | None:
    """Sort the orders into ours and others'; None when the reads contradict each other."""
    if memory.cycle is not None and not _books_agree(memory, position) and memory.keeps(Guard.COHERENT_PICTURE):
        return None
    own: dict[OrderKey, OpenOrder] = {}
    surplus: list[OpenOrder] = []
    foreign: list[OpenOrder] = []
    for order in orders:
        key = own_key(memory, order)
        booked = memory.ledger.order_filled.get(order.order_id, ZERO)
        if key is None:
            foreign.append(order)
        elif memory.cycle is not None and order.filled > booked and memory.keeps(Guard.ORDERS_COHERENT):
            return None
        elif order.quantity <= booked:
            continue  # filled between the two reads; its slot settles by its fills
        elif key not in own:
            own[key] = replace(order, filled=max(booked, order.filled))
        else:
            left = _prefer_slot(memory, key, own, order)
            (surplus if left.client_id else foreign).append(left)  # without an id it is not certain to be ours
    return Seen(position=position, own=own, surplus=tuple(surplus), foreign=tuple(foreign), fills=fills)


def _books_agree(memory: BotMemory, position: VenuePosition) -> bool:
    held = memory.ledger.quantity
    if held < 0 and position.hedged:
        return False  # the two sides are kept apart: what is held on the other one is no part of these books
    return held == position.quantity if held >= 0 else -held == position.opposite_quantity


def _prefer_slot(memory: BotMemory, key: OrderKey, own: dict[OrderKey, OpenOrder], order: OpenOrder) -> OpenOrder:
    """Of two live orders with one tag keep the one the slot knows; answer the other."""
    if memory.slot(key).order_id != order.order_id:
        return order
    other, own[key] = own[key], order
    return other
