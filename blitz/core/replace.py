"""Replace: move an exit where the venue changes no price in place: taken back and sent anew, in one request (A17).

The request does nothing once the old order has ended. So whatever is lost on its way, there rests the old order, the
new one, or none, and never two; and a late one, whatever has happened meanwhile, can only put the new order in the
place of the very one that it names. The slot of an intent says both: its client id is the new order's, its order id
still the old one's. The new order takes the next generation of its tag, because the last one may still be alive.

What the old order fills on the way is ordered again. An exit cannot close more than there is; a leg would fill twice
(S2), so legs are taken back first, and sent anew once it is known what they filled. Called by `core.act`.
"""

from dataclasses import replace

from blitz.core.calls import (
    Accepted,
    NotSent,
    Pulled,
    Refusal,
    Rejected,
    ReplaceOrder,
    Step,
    Unknown,
    read_clock,
    save,
)
from blitz.core.create import Outcome, create, note_of_order, send_in_line
from blitz.core.diff import Amend
from blitz.core.memory import BotMemory
from blitz.core.orders import DesiredOrder
from blitz.core.records import EventKind, Slot, SlotSaved, SlotState
from blitz.core.refusals import hold_off, is_news, raise_attention, remember_trouble


def is_replacement(memory: BotMemory, action: Amend) -> bool:
    """Say whether an order cannot be moved in place as this action asks."""
    return not memory.traits.amends_price and (action.price is not None or action.trigger is not None)


def in_place(memory: BotMemory, action: Amend) -> Amend | None:
    """What of a move needs no new order: a bot that may send none still lets an exit grow with the position."""
    if not is_replacement(memory, action):
        return action
    return None if action.quantity is None else replace(action, price=None, trigger=None)


def replace_order(memory: BotMemory, action: Amend) -> Step[Outcome | None]:
    """Put a new order in the place of a resting one, with all that is still to be traded.

    None: the intent could not be stored, and nothing was sent. What rests still protects the position.
    """
    before, order = memory.slot(action.key), _wanted(action)
    if before.state is not SlotState.LIVE or before.order_id != action.resting.order_id:
        return Outcome.OPEN  # a stale list shows its predecessor, or what became of it is not settled yet
    intent = yield from _intend(memory, before, order)
    if intent is None:
        return None
    memory.cancelling.add(action.resting.order_id)
    wanted = ReplaceOrder(
        order_id=action.resting.order_id, order=order, client_id=intent.client_id, expires_ms=intent.sent_ms
    )
    intent, reply = yield from send_in_line(memory, intent, wanted)
    now_ms = yield from read_clock()
    if isinstance(reply, Accepted):
        return (yield from _replaced(memory, intent, reply, now_ms))
    if isinstance(reply, Pulled):
        return (yield from _pulled(memory, intent, order, reply, now_ms))
    if isinstance(reply, Rejected | NotSent):
        return (yield from _left_alone(memory, before, intent, reply, now_ms))
    assert isinstance(reply, Unknown), f"a replacement was answered with {reply!r}"
    remember_trouble(memory, intent.key, reply, now_ms)
    unknown = replace(intent, state=SlotState.UNKNOWN)
    memory.put(unknown)
    note = note_of_order(memory, EventKind.ORDER_UNKNOWN, intent, now_ms, reason=reply.reason)
    yield from save(SlotSaved(slot=unknown), note)
    return Outcome.OPEN


def _wanted(action: Amend) -> DesiredOrder:
    """The order as it should rest; an amend names the total, a new order only what its predecessor has not filled."""
    resting = action.resting
    total = resting.quantity if action.quantity is None else action.quantity
    return DesiredOrder(
        key=action.key,
        type=resting.type,
        direction=resting.direction,
        quantity=total - resting.filled,
        price=resting.price if action.price is None else action.price,
        trigger=resting.trigger if action.trigger is None else action.trigger,
    )


def _intend(memory: BotMemory, before: Slot, order: DesiredOrder) -> Step[Slot | None]:
    """Save what is about to be sent."""
    now_ms = yield from read_clock()
    carries_id = memory.traits.carries_id(order.type)
    generation = before.generation + 1 if carries_id else before.generation
    intent = replace(
        before,
        state=SlotState.INTENT,
        generation=generation,
        used=before.used and not carries_id,
        burnt=False,
        client_id=memory.tags.write(order.key, generation) if carries_id else "",
        cycle=memory.cycle.number if memory.cycle else 0,
        type=order.type,
        direction=order.direction,
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        sent_ms=now_ms + memory.traits.send_within_ms,
    )
    # A generation that a power cut made us forget would bring back ids that are taken (S14), and a stop without an id
    # would be nobody's.
    if not (yield from save(SlotSaved(slot=intent), durable=True)):
        return None
    memory.put(intent)
    return intent


def _replaced(memory: BotMemory, intent: Slot, reply: Accepted, now_ms: int) -> Step[Outcome]:
    live = replace(
        intent,
        state=SlotState.LIVE,
        used=intent.used or bool(intent.client_id),
        order_id=reply.order_id,
        last_order_id=intent.order_id,
    )
    memory.put(live)
    memory.refused.pop(intent.key, None)
    memory.exit_trouble.pop(intent.key, None)
    yield from save(SlotSaved(slot=live), note_of_order(memory, EventKind.ORDER_MOVED, live, now_ms))
    return Outcome.DONE


def _pulled(memory: BotMemory, intent: Slot, order: DesiredOrder, reply: Pulled, now_ms: int) -> Step[Outcome]:
    """The old order is gone and the new one was refused: the position is bare, so it is sent once more, by itself."""
    refused = Rejected(refusal=reply.refusal, code=reply.code, message=reply.message)
    remember_trouble(memory, intent.key, refused, now_ms)
    empty = replace(intent, state=SlotState.EMPTY, order_id="", last_order_id=intent.order_id)
    memory.put(empty)
    note = note_of_order(memory, EventKind.ORDER_REJECTED, intent, now_ms, code=reply.code, reason=reply.message)
    yield from save(SlotSaved(slot=empty), *([note] if is_news(memory, intent.key, refused) else []))
    return (yield from create(memory, order))


def _left_alone(memory: BotMemory, before: Slot, intent: Slot, reply: Rejected | NotSent, now_ms: int) -> Step[Outcome]:
    """Nothing was done: what rested rests on, if it was still there."""
    memory.cancelling.discard(intent.order_id)
    if isinstance(reply, Rejected) and intent.client_id:  # its id was sent, and generations only grow (S14)
        before = replace(before, generation=intent.generation, used=reply.refusal is Refusal.TAKEN)
    memory.put(before)
    yield from save(SlotSaved(slot=before))
    if isinstance(reply, NotSent):
        return Outcome.OPEN
    remember_trouble(memory, intent.key, reply, now_ms)
    if reply.refusal is Refusal.GONE:
        return Outcome.OPEN
    hold_off(memory, intent.key, reply.refusal, now_ms)
    raise_attention(memory, intent.key, reply)
    return Outcome.REFUSED
