"""Identity: whose order is this, and whose fill?

By the order id that the venue gave us, else by the tag, which counts only on an order that could be what the tag says.
Where stops keep no id, a stop-loss whose order id was lost is known by trigger and quantity, and only by such as we
gave: what is in doubt is foreign, and nothing foreign is ever touched (S4). Used by whoever reads orders or fills.
"""

from collections.abc import Iterable
from decimal import Decimal

from blitz.core.guards import Guard
from blitz.core.ladder import stop_loss_price
from blitz.core.ledger import Ledger
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, Fill, OpenOrder, OrderKey, OrderType, Role
from blitz.core.records import Slot, SlotState

EARLY_MS = 1_000
"""A foreign fill this long before the cycle began is none of its business."""


def key_of(memory: BotMemory, order_id: str, client_id: str) -> OrderKey | None:
    """Which of our orders this is: by the order id we were given, else by its tag."""
    for key, slot in memory.slots.items():
        if slot.order_id and slot.order_id == order_id:
            return key
        if order_id and order_id == slot.last_order_id and not client_id:
            return key
    parsed = memory.tags.read(client_id, any_user=not memory.keeps(Guard.OWN_TAGS))
    return parsed[0] if parsed else None


def key_of_fill(memory: BotMemory, fill: Fill) -> OrderKey | None:
    """Which of our orders filled. A tag counts only on a fill that goes the way of what the tag says."""
    key = key_of(memory, fill.order_id, fill.client_id)
    if key is None or not memory.keeps(Guard.TAG_FITS_ORDER):
        return key
    return key if fill.direction is key.direction(memory.ledger.side) else None


def own_key(memory: BotMemory, order: OpenOrder) -> OrderKey | None:
    """Whose order is this? A tag counts only on an order that could be what the tag says."""
    key = key_of(memory, order.order_id, order.client_id) or _key_of_stop(memory, order)
    if key is None or not memory.keeps(Guard.TAG_FITS_ORDER):
        return key
    side = memory.ledger.side
    exit_order = key.role is not Role.LEG
    fits_side = order.side is None or order.side is side
    fits_direction = order.direction is key.direction(side)
    # Hedge accounts show reduce-only on the closing order of a side or not at all; an entry never has it.
    fits_reduce = order.reduce_only or order.side is side if exit_order else not order.reduce_only
    return key if fits_side and fits_direction and fits_reduce else None


def named(memory: BotMemory, orders: Iterable[OpenOrder]) -> list[tuple[OrderKey, OpenOrder]]:
    """Orders of ours with what they are for."""
    keys = ((key_of(memory, order.order_id, order.client_id), order) for order in orders)
    return [(key, order) for key, order in keys if key is not None]


def is_new_order(memory: BotMemory, slot: Slot, order: OpenOrder) -> bool:
    """Tell this intent's order from an older one that had the same id: ids repeat where the venue lets them."""
    if not memory.keeps(Guard.OLD_ORDERS):
        return True
    if order.order_id in {slot.order_id, slot.last_order_id}:
        return False
    # Our idea of the venue's clock may be off by the skew; an older cycle's order is older by far more.
    earliest = slot.sent_ms - memory.traits.send_within_ms - memory.traits.skew_ms
    return order.created_ms == 0 or order.created_ms >= earliest


def _key_of_stop(memory: BotMemory, order: OpenOrder) -> OrderKey | None:
    """Tell a stop-loss of ours that carries no id by its trigger and its quantity.

    While the answer to one is outstanding, the trigger is the one it was sent with. After the journal was lost or went
    back in time, it is one that this cycle's own fills explain: nobody else computes it from our settings. Its quantity
    is what was sent, or what the venue has cut it to since: the position at some moment of this cycle.
    """
    if order.client_id or order.type is not OrderType.STOP_MARKET or memory.traits.stops_carry_ids:
        return None
    if not memory.keeps(Guard.OWN_STOPS):
        return STOP_LOSS
    slot, books = memory.slot(STOP_LOSS), _books_over_time(memory)
    held = {quantity for quantity, _ in books}
    if slot.is_unanswered and not slot.client_id:
        fits = order.trigger == slot.trigger and order.quantity in held | {slot.quantity}
        return STOP_LOSS if fits and is_new_order(memory, slot, order) else None
    lost = slot.state is SlotState.EMPTY and order.order_id != slot.last_order_id
    fits = order.trigger in {trigger for _, trigger in books} and order.quantity in held
    return STOP_LOSS if lost and fits else None


def _books_over_time(memory: BotMemory) -> list[tuple[Decimal, Decimal | None]]:
    """The position after each fill of this cycle, and where its stop-loss belonged then by the frozen settings."""
    if memory.cycle is None:
        return []
    settings, tick = memory.cycle.settings, memory.instrument.tick
    books = Ledger(side=settings.side)
    moments = []
    for booked in memory.ledger.booked:
        books.book(booked)
        if books.quantity > 0:
            moments.append((books.quantity, stop_loss_price(settings, books.average, tick)))
    return moments
