"""Settle: bring each slot into line with what the venue shows, and never guess.

An order that rests is live. One that is not listed is done only when the venue has a terminal record of it and all its
fills are in our books (A6). One whose answer was lost keeps its id; it is proved absent only after the receive window,
which is a fence: past `sent_ms + fence`, a request can no longer be accepted, and two looks that do not find it agree.
A replacement whose answer was lost needs no fence: once the order that it was to replace is over, it can do nothing.
"""

from dataclasses import replace

from blitz.core.calls import OrderRead, ReadOrder, Step, ask, save
from blitz.core.guards import Guard, IdPolicy
from blitz.core.identity import EARLY_MS, is_new_order
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, ZERO, OpenOrder, OrderKey, OrderRecord, OrderType, Role, leg
from blitz.core.records import BotEvent, EventKind, EventNoted, IdRegime, RegimeLearnt, Slot, SlotSaved, SlotState

DEAD_ENTRY_PAUSE_MS = 15_000
"""How long an entry waits after the venue took it and ended it without a fill."""
DEAD_STOP_PAUSE_MS = 2_000
"""How long a stop-loss that went out at market waits after that."""


def settle(memory: BotMemory, seen: Seen, now_ms: int) -> Step[bool]:
    """Settle every slot; True when none is left whose order is neither resting nor done."""
    yield from _learn_from_twins(memory, seen)
    for key, order in seen.own.items():
        if _may_adopt(memory, memory.slot(key), order):
            yield from _adopt_resting(memory, key, order, now_ms)
    all_settled = True
    for key, slot in list(memory.busy_slots.items()):
        if key in seen.own and seen.own[key].order_id == slot.order_id:
            continue
        if slot.state is SlotState.LIVE:
            settled = yield from _settle_vanished(memory, slot, seen, now_ms)
        elif slot.order_id:
            settled = yield from _settle_replacement(memory, slot, now_ms)
        else:
            settled = yield from _settle_unanswered(memory, slot, now_ms)
        all_settled = all_settled and settled
    return all_settled


def _learn_from_twins(memory: BotMemory, seen: Seen) -> Step[None]:
    """Two live orders under one id prove that the venue enforces none, whatever its documents say."""
    ids = {order.client_id.lower() for order in seen.own.values()}
    if memory.regime is not IdRegime.UNENFORCED and any(order.client_id.lower() in ids for order in seen.surplus):
        memory.regime = IdRegime.UNENFORCED
        yield from save(RegimeLearnt(regime=IdRegime.UNENFORCED))


def _may_adopt(memory: BotMemory, slot: Slot, order: OpenOrder) -> bool:
    """Tell a listed order from the shadow of an older one: lists may be stale and ids repeat.

    A slot whose own order may be alive is settled by that order first; a listed one that is over is left alone.
    """
    if slot.order_id == order.order_id:
        return True
    if slot.state is SlotState.LIVE or order.order_id == slot.last_order_id:
        return False
    if memory.is_of_closed_cycle(order.order_id):
        return False
    same_id = slot.client_id.lower() == order.client_id.lower()
    return slot.state is SlotState.EMPTY or (same_id and is_new_order(memory, slot, order))


def _adopt_resting(memory: BotMemory, key: OrderKey, order: OpenOrder, now_ms: int) -> Step[None]:
    """An order with our tag rests: its slot is live with just these values."""
    slot = memory.slot(key)
    if slot.state is SlotState.LIVE and slot.order_id == order.order_id and slot.quantity == order.quantity:
        return
    adopted = _live(memory, slot, order)
    memory.not_found_ms.pop(key, None)
    note = _note(memory, EventKind.ORDER_ADOPTED, key, now_ms)
    known = slot.order_id == order.order_id
    if known and slot.is_unanswered:  # what was to replace it may still come
        doubted_until_ms = max(slot.doubted_until_ms, slot.sent_ms + memory.traits.fence_ms)
        adopted = replace(adopted, doubted_until_ms=doubted_until_ms)
    yield from save(SlotSaved(slot=adopted), *([] if known else [note]))
    memory.put(adopted)


def _live(memory: BotMemory, slot: Slot, order: OpenOrder) -> Slot:
    """The slot as it is when `order` is its order."""
    parsed = memory.tags.read(order.client_id)
    return replace(
        slot,
        state=SlotState.LIVE,
        generation=max(slot.generation, parsed[1]) if parsed else slot.generation,
        used=slot.used or bool(order.client_id),
        burnt=False,
        client_id=order.client_id or slot.client_id,
        order_id=order.order_id,
        last_order_id=slot.order_id if slot.order_id != order.order_id else slot.last_order_id,
        cycle=memory.cycle.number if memory.cycle else slot.cycle,
        type=order.type,
        direction=order.direction,
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
    )


def _settle_vanished(memory: BotMemory, slot: Slot, seen: Seen, now_ms: int) -> Step[bool]:
    """A live order is not listed any more. True once it is certain what became of it."""
    booked = memory.ledger.order_filled.get(slot.order_id, ZERO)
    if slot.quantity > 0 and booked == slot.quantity:
        yield from empty_slot(memory, slot)
        return True
    if not memory.keeps(Guard.TERMINAL_RECORD):
        yield from empty_slot(memory, slot)
        return True
    answer = yield from ask(ReadOrder(order_id=slot.order_id, client_id=slot.client_id), OrderRead)
    if not isinstance(answer, OrderRead) or answer.record is None or not answer.record.terminal:
        return False
    if has_more(memory, answer.record.order):
        return False  # its last fills are not listed yet
    asked_for = slot.order_id in memory.cancelling
    memory.cancelling.discard(slot.order_id)
    still_wanted = slot.key.role is Role.LEG or seen.position.quantity > 0
    if not asked_for and still_wanted and slot.key != leg(0):
        memory.gone_ms[slot.key] = now_ms
        yield from save(_note(memory, EventKind.ORDER_GONE, slot.key, now_ms, reason=answer.record.reason))
    _pause_after_nothing(memory, slot, answer.record, now_ms)
    yield from empty_slot(memory, slot)
    return True


def has_more(memory: BotMemory, order: OpenOrder) -> bool:
    """Say whether the venue knows fills of an order that this cycle's books lack: it is not done before they have them.

    What an order had filled before the cycle began is in no books when the journal was lost, and never will be.
    """
    booked = memory.ledger.order_filled.get(order.order_id, ZERO) + memory.filled_before.get(order.order_id, ZERO)
    return order.filled > booked and _is_of_this_cycle(memory, order) and memory.keeps(Guard.FILLS_SUMMED)


def _is_of_this_cycle(memory: BotMemory, order: OpenOrder) -> bool:
    """Tell an order whose fills this cycle's books must have from one that a stale list brought back from before."""
    if memory.cycle is None or memory.is_of_closed_cycle(order.order_id):
        return False
    return order.created_ms == 0 or order.created_ms >= memory.cycle.started_ms - EARLY_MS


def _pause_after_nothing(memory: BotMemory, slot: Slot, record: OrderRecord, now_ms: int) -> None:
    """What went out at market and died unfilled (an empty book) is tried again, but not in a busy loop."""
    if record.order.filled == 0 and slot.key == leg(0):
        memory.retry_ms[slot.key] = now_ms + DEAD_ENTRY_PAUSE_MS
    elif record.order.filled == 0 and slot.key == STOP_LOSS and slot.type is OrderType.MARKET:
        memory.retry_ms[slot.key] = now_ms + DEAD_STOP_PAUSE_MS


def _settle_unanswered(memory: BotMemory, slot: Slot, now_ms: int) -> Step[bool]:
    """An order was sent, or nearly, and nobody answered. True once it is certain what became of it."""
    found = yield from _looked_up(memory, slot, now_ms)
    if found is not None:
        return found
    exit_order = slot.key.role is not Role.LEG
    # An exit whose id was said to be taken is no such case: its next id would rest beside what took this one.
    enforced = _may_be_sent_again(memory, slot)
    if exit_order and enforced and not slot.burnt:
        # Reduce-only bounds the damage and the same id cannot rest twice: it may be sent again at once. The journal
        # keeps it as unanswered, so that a restart doubts it too.
        doubted_until_ms = max(slot.doubted_until_ms, slot.sent_ms + memory.traits.fence_ms)
        memory.put(replace(slot, state=SlotState.EMPTY, doubted_until_ms=doubted_until_ms))
        return True
    fenced_until_ms = slot.sent_ms + memory.traits.fence_ms
    if exit_order and slot.burnt:
        # Its last try was refused for certain: what may still arrive is the one before, which nobody answered.
        fenced_until_ms = min(fenced_until_ms, slot.doubted_until_ms)
    if now_ms < fenced_until_ms and memory.keeps(Guard.FENCE):
        return False
    if slot.key not in memory.not_found_ms and memory.keeps(Guard.SECOND_LOOK):
        memory.not_found_ms[slot.key] = now_ms
        return False
    memory.not_found_ms.pop(slot.key, None)
    if memory.id_policy is not IdPolicy.TAG and slot.client_id:
        slot = replace(slot, burnt=True)
    yield from empty_slot(memory, slot, used=slot.used or slot.burnt)
    return True


def _looked_up(memory: BotMemory, slot: Slot, now_ms: int) -> Step[bool | None]:
    """Look an unanswered order up by its id; None says that it was not found. One without an id is only ever listed."""
    if not slot.client_id:
        return None
    answer = yield from ask(ReadOrder(order_id="", client_id=slot.client_id), OrderRead)
    if not isinstance(answer, OrderRead):
        return False
    if answer.record is None or not is_new_order(memory, slot, answer.record.order):
        return None
    return (yield from _found(memory, slot, answer.record, now_ms))


def _may_be_sent_again(memory: BotMemory, slot: Slot) -> bool:
    """Whether a second try of an exit cannot rest beside its first one: the venue refuses its id while that lives."""
    return (memory.ids_enforced and bool(slot.client_id)) or not memory.keeps(Guard.EXIT_FENCE)


def _settle_replacement(memory: BotMemory, slot: Slot, now_ms: int) -> Step[bool]:
    """An exit was to be replaced, and nobody answered. Neither the old order nor the new one is listed.

    Once the old one is over the request can do nothing any more. What it did is then shown within the read lag; until
    that has passed, a new try under an id that is refused a second time does no harm. But the old one may have been
    replaced before this request: by an earlier one, doubted still, whose order rests under another id.
    """
    found = yield from _looked_up(memory, slot, now_ms)
    if found is not None:
        return found
    if memory.keeps(Guard.REPLACED_IS_OVER):
        answer = yield from ask(ReadOrder(order_id=slot.order_id, client_id=""), OrderRead)
        if not isinstance(answer, OrderRead) or not _is_over(memory, slot, answer.record, now_ms):
            return False
    shown_by_ms = now_ms + memory.traits.read_lag_ms
    if _may_be_sent_again(memory, slot) and now_ms >= slot.doubted_until_ms:
        doubted_until_ms = max(slot.doubted_until_ms, shown_by_ms)
        emptied = replace(slot, state=SlotState.EMPTY, order_id="", last_order_id=slot.order_id)
        memory.put(replace(emptied, doubted_until_ms=doubted_until_ms))  # the journal keeps it as unanswered
        return True
    if now_ms < memory.not_found_ms.setdefault(slot.key, now_ms) + memory.traits.read_lag_ms:
        return False
    memory.not_found_ms.pop(slot.key, None)
    yield from empty_slot(memory, slot, used=slot.used)
    return True


def _is_over(memory: BotMemory, slot: Slot, record: OrderRecord | None, now_ms: int) -> bool:
    """Whether a replaced order has ended with all its fills booked.

    One that is forgotten (A23) has: two looks that do not find it behind the fence prove it.
    """
    if record is None:
        first_ms = memory.not_found_ms.setdefault(slot.key, now_ms)
        return first_ms < now_ms >= slot.sent_ms + memory.traits.fence_ms
    if not record.terminal:
        memory.not_found_ms.pop(slot.key, None)
        return False
    return not has_more(memory, record.order)


def _found(memory: BotMemory, slot: Slot, record: OrderRecord, now_ms: int) -> Step[bool]:
    """The unanswered order did arrive."""
    memory.not_found_ms.pop(slot.key, None)
    live = _live(memory, slot, record.order)
    yield from save(SlotSaved(slot=live))
    memory.put(live)
    if not record.terminal or has_more(memory, record.order):
        return False  # the next look lists it, or its fills
    _pause_after_nothing(memory, live, record, now_ms)
    yield from empty_slot(memory, live)
    return True


def empty_slot(memory: BotMemory, slot: Slot, *, used: bool = True) -> Step[None]:
    """No order of this tag can be alive any more; its generation and last id are kept."""
    emptied = replace(
        slot,
        state=SlotState.EMPTY,
        used=used,
        order_id="",
        last_order_id=slot.order_id or slot.last_order_id,
    )
    yield from save(SlotSaved(slot=emptied))
    memory.put(emptied)


def _note(memory: BotMemory, kind: EventKind, key: OrderKey, now_ms: int, **data: str) -> EventNoted:
    cycle = memory.cycle.number if memory.cycle else 0
    return EventNoted(event=BotEvent(kind=kind, at_ms=now_ms, cycle=cycle, data={"order": str(key), **data}))
