"""Create: send one new order under its tag, by the order-id protocol.

An entry's intent is durable before it is sent (S8). A lost answer keeps the id and ends the matter for this pass. A
taken id is looked up: our own late order is adopted, an old one moves the tag to its next generation (S14). Called by
`core.act` and `core.begin`.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from blitz.core.calls import (
    Accepted,
    NotSent,
    OrderRead,
    ReadOrder,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
    Step,
    Unknown,
    ask,
    read_clock,
    save,
)
from blitz.core.guards import Guard, IdPolicy
from blitz.core.identity import is_new_order
from blitz.core.memory import Attention, BotMemory, IdSearch
from blitz.core.orders import DesiredOrder, OrderType, Role
from blitz.core.records import (
    BotEvent,
    Change,
    EventKind,
    EventNoted,
    IdRegime,
    RegimeLearnt,
    Slot,
    SlotSaved,
    SlotState,
)
from blitz.core.refusals import deeper_legs_wait, hold_off, is_news, raise_attention, remember_trouble
from blitz.core.reserved import stands_in_the_way
from blitz.core.settle import has_more

STRIDES = (1, 1, 1, *(2**power for power in range(1, 14)))
"""How far each try in one pass goes on behind an id that is taken: one by one, then twice as far each time.

A bot that lost its journal does not know how far its tags have come; so it gets there in a handful of tries, whatever
the number is, and even sixteen thousand used ids cost it no more than these. A venue may have forgotten the old orders
but not their ids: then the first try waits for the fence, and the search goes on where it was.
"""

LOOK_AGE_MAX_MS = 5_000
"""An entry is not sent on a look older than this: a call may have hung, or the process been paused (D4, D6)."""

EXIT_IN_LINE_MS = 15_000
"""So long an exit stays in line for its turn before the bot looks again."""


class Outcome(StrEnum):
    """What became of one action."""

    DONE = "done"
    REFUSED = "refused"
    """A definite no; the order waits for its retry time."""
    OPEN = "open"
    """Not known yet: the next look will show."""


def create(memory: BotMemory, order: DesiredOrder, *also: Change) -> Step[Outcome]:
    """Send one new order under its tag. `also` is saved together with the intent."""
    last_sent_ms = memory.slot(order.key).sent_ms
    search = memory.searches.get(order.key)
    for stride in STRIDES[search.tries if search else 0 :]:
        intent = yield from intend(memory, order, also, stride)
        if intent is None:
            return Outcome.OPEN
        wanted = SendOrder(order=order, client_id=intent.client_id, expires_ms=intent.sent_ms)
        intent, reply = yield from send_in_line(memory, intent, wanted)
        also = ()  # saved once, whatever generation it takes
        if isinstance(reply, Rejected) and reply.refusal is Refusal.TAKEN:
            next_id_is_free = yield from _taken(memory, intent, last_sent_ms)
            if not next_id_is_free:
                return Outcome.OPEN
            continue
        memory.searches.pop(order.key, None)  # the id was free, whatever else was said
        passed = isinstance(reply, Rejected) and reply.refusal is Refusal.TRIGGER_PASSED and order.trigger is not None
        if passed and not stands_in_the_way(memory):
            return (yield from _stop_now(memory, intent, order))
        return (yield from _answered(memory, intent, reply))
    memory.searches.pop(order.key, None)
    memory.attention = Attention(
        code="ids_ambiguous",
        message=f"The exchange refuses every id tried for {order.key}. Look for orders of another server on this "
        "account, then press Recover.",
    )
    now_ms = yield from read_clock()
    hold_off(memory, order.key, Refusal.OTHER, now_ms)
    return Outcome.REFUSED


def send_in_line(memory: BotMemory, intent: Slot, call: SendOrder | ReplaceOrder) -> Step[tuple[Slot, Reply]]:
    """Send a new order, and answer with its intent as it was sent.

    An exit that others went before, so that its intent grew old, stays in line with a new end: a look in between would
    take three requests of the same line. An entry is decided anew.
    """
    began_ms = intent.sent_ms - memory.traits.send_within_ms
    while True:
        expires_ms = intent.sent_ms if memory.keeps(Guard.INTENT_EXPIRES) else 2**62
        reply = yield replace(call, expires_ms=expires_ms)
        has_waited = isinstance(reply, NotSent) and reply.in_line
        if not has_waited or intent.key.role is Role.LEG:
            return intent, reply
        now_ms = yield from read_clock()
        if now_ms - began_ms > EXIT_IN_LINE_MS:
            return intent, reply
        intent = replace(intent, sent_ms=now_ms + memory.traits.send_within_ms)
        yield from save(SlotSaved(slot=intent))
        memory.put(intent)


def intend(memory: BotMemory, order: DesiredOrder, also: Sequence[Change], stride: int) -> Step[Slot | None]:
    """Save the intent; None when an entry must not be sent: its intent could not be stored, or the look is too old."""
    slot = memory.slot(order.key)
    id_is_gone = slot.burnt or (slot.used and memory.regime is IdRegime.NEVER)
    carries_id = memory.traits.carries_id(order.type)
    generation = slot.generation + stride if id_is_gone else slot.generation
    now_ms = yield from read_clock()
    is_entry = order.key.role is Role.LEG
    if is_entry and look_is_old(memory, now_ms):
        return None
    if memory.id_policy is IdPolicy.TIME:
        generation = now_ms // 250 % 36**4 or 1
    intent = replace(
        slot,
        state=SlotState.INTENT,
        generation=generation,
        used=slot.used and not id_is_gone,
        burnt=False,
        client_id=memory.tags.write(order.key, generation) if carries_id else "",
        order_id="",
        last_order_id=slot.order_id or slot.last_order_id,
        cycle=memory.cycle.number if memory.cycle else 0,
        type=order.type,
        direction=order.direction,
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        sent_ms=now_ms + memory.traits.send_within_ms,
    )
    kept = [SlotSaved(slot=intent)] if memory.keeps(Guard.DURABLE_INTENT) else []
    # Where ids may repeat, an exit that a power cut made us forget would be sent a second time; a generation that it
    # made us forget would bring back ids that are taken (S14). One without an id would be nobody's.
    durable = is_entry or id_is_gone or not memory.ids_enforced or not carries_id
    saved = yield from save(*also, *kept, durable=durable)
    if not saved and is_entry and memory.keeps(Guard.INTENT_STORED):
        memory.must_reload |= bool(also)  # whether a cycle has begun is what the journal says
        return None
    memory.put(intent)
    return intent


def _answered(memory: BotMemory, intent: Slot, reply: Reply) -> Step[Outcome]:
    """Write down what the venue said to a new order."""
    now_ms = yield from read_clock()
    remember_trouble(memory, intent.key, reply, now_ms)
    if isinstance(reply, Accepted):
        live = replace(
            intent, state=SlotState.LIVE, used=intent.used or bool(intent.client_id), order_id=reply.order_id
        )
        changes: list[Change] = [SlotSaved(slot=live), note_of_order(memory, EventKind.ORDER_PLACED, live, now_ms)]
        if intent.used and intent.client_id:
            changes += _learn(memory, IdRegime.REUSABLE)
        memory.put(live)
        memory.gone_ms.pop(intent.key, None)
        memory.refused.pop(intent.key, None)
        memory.exit_trouble.pop(intent.key, None)
        yield from save(*changes)
        return Outcome.DONE
    if isinstance(reply, NotSent):
        empty = _never_was(intent)
        memory.put(empty)
        yield from save(SlotSaved(slot=empty))
        return Outcome.OPEN
    if isinstance(reply, Rejected):
        empty = _never_was(intent)
        memory.put(empty)
        hold_off(memory, intent.key, reply.refusal, now_ms)
        if reply.refusal is Refusal.MARGIN:
            deeper_legs_wait(memory, intent.key, memory.retry_ms.get(intent.key, now_ms))
        note = note_of_order(memory, EventKind.ORDER_REJECTED, intent, now_ms, code=reply.code, reason=reply.message)
        yield from save(SlotSaved(slot=empty), *([note] if is_news(memory, intent.key, reply) else []))
        raise_attention(memory, intent.key, reply)
        return Outcome.REFUSED
    assert isinstance(reply, Unknown), f"a new order was answered with {reply!r}"
    unknown = replace(intent, state=SlotState.UNKNOWN)
    memory.put(unknown)
    note = note_of_order(memory, EventKind.ORDER_UNKNOWN, intent, now_ms, reason=reply.reason)
    yield from save(SlotSaved(slot=unknown), note)
    return Outcome.OPEN


def look_is_old(memory: BotMemory, now_ms: int) -> bool:
    """Say whether what this pass has seen is too old to send an entry on."""
    return now_ms - memory.looked_ms > LOOK_AGE_MAX_MS and memory.keeps(Guard.FRESH_LOOK)


def _never_was(intent: Slot) -> Slot:
    """The venue never had this order: its id is as free as it was before."""
    return replace(intent, state=SlotState.EMPTY)


def _taken(memory: BotMemory, intent: Slot, last_sent_ms: int) -> Step[bool]:
    """The id is taken. True when the next generation may be used, False when the next look has to decide.

    `last_sent_ms`: when this tag was sent before, 0 if never.
    """
    now_ms = yield from read_clock()
    search = memory.searches.get(intent.key) or IdSearch(began_ms=now_ms)
    memory.searches[intent.key] = search = replace(search, tries=search.tries + 1)
    answer = yield from ask(ReadOrder(order_id="", client_id=intent.client_id), OrderRead)
    if not isinstance(answer, OrderRead) or answer.record is None:
        if isinstance(answer, OrderRead) and (yield from _is_forgotten(memory, intent, search, last_sent_ms)):
            yield from _burn(memory, intent, intent.last_order_id)
            return True
        # Perhaps our own late order: wait for the fence, then the id counts as burnt. This try was refused for certain,
        # so what may still arrive is the one before.
        before_ms = max(last_sent_ms + memory.traits.fence_ms, intent.doubted_until_ms)
        doubted_until_ms = _shown_by_ms(memory, before_ms, now_ms)
        waiting = replace(intent, state=SlotState.UNKNOWN, burnt=True, doubted_until_ms=doubted_until_ms)
        memory.put(waiting)
        yield from save(SlotSaved(slot=waiting))
        return False
    record = answer.record
    is_old = not is_new_order(memory, intent, record.order)
    # An exit that was sent again after a lost answer may be what took the id, though no read shows it yet.
    doubted = now_ms < intent.doubted_until_ms
    if record.terminal and not doubted and (is_old or not has_more(memory, record.order)):
        if not memory.keeps(Guard.BURNT_IDS):
            return True
        yield from _burn(memory, intent, record.order.order_id)
        return True
    doubted_until_ms = _shown_by_ms(memory, intent.doubted_until_ms, now_ms)
    unknown = replace(intent, state=SlotState.UNKNOWN, burnt=doubted, doubted_until_ms=doubted_until_ms)
    memory.put(unknown)
    yield from save(SlotSaved(slot=unknown))
    return False


def _shown_by_ms(memory: BotMemory, doubted_until_ms: int, now_ms: int) -> int:
    """When the order that took an id is shown by reads, if it is an earlier try of ours.

    A venue that refuses an id as taken has the order that took it, and reads trail what it has by the read lag. A try
    that arrives later is refused as this one was.
    """
    return min(doubted_until_ms, now_ms + memory.traits.read_lag_ms)


def _is_forgotten(memory: BotMemory, intent: Slot, search: IdSearch, last_sent_ms: int) -> Step[bool]:
    """Say whether what took the id can only be an old order that the venue lists no more (A23).

    Nothing of ours can be under way any more once a fence has passed since the search for a free id began, or, for an
    exit, since this tag was last sent: if it were alive, the look would have shown it. Without this, each of many
    forgotten ids would cost a fence, and an exit would be missing all that time (L1).
    """
    now_ms = yield from read_clock()
    quiet_since_ms = search.began_ms if intent.key.role is Role.LEG else min(search.began_ms, last_sent_ms)
    settled_ms = max(quiet_since_ms + memory.traits.fence_ms, intent.doubted_until_ms)
    if now_ms < settled_ms:
        return False
    again = yield from ask(ReadOrder(order_id="", client_id=intent.client_id), OrderRead)
    return isinstance(again, OrderRead) and again.record is None


def _burn(memory: BotMemory, intent: Slot, last_order_id: str) -> Step[None]:
    """The id is taken for good: the tag goes on with its next generation (S14)."""
    burnt = replace(intent, state=SlotState.EMPTY, used=True, burnt=True, order_id="", last_order_id=last_order_id)
    memory.put(burnt)
    yield from save(SlotSaved(slot=burnt), *_learn(memory, IdRegime.NEVER))


def _learn(memory: BotMemory, regime: IdRegime) -> list[Change]:
    """Remember how this account treats used ids; proof outweighs what merely looks so."""
    if memory.regime is regime or memory.regime in {IdRegime.NEVER, IdRegime.UNENFORCED}:
        return []
    memory.regime = regime
    return [RegimeLearnt(regime=regime)]


def _stop_now(memory: BotMemory, intent: Slot, order: DesiredOrder) -> Step[Outcome]:
    """The price is beyond the stop already: what the stop would have done is done at once, at market, reduce-only."""
    empty = _never_was(intent)
    memory.put(empty)
    yield from save(SlotSaved(slot=empty))
    return (yield from create(memory, replace(order, type=OrderType.MARKET, trigger=None)))


def note_of_order(memory: BotMemory, kind: EventKind, slot: Slot, now_ms: int, **data: str) -> EventNoted:
    """A line for the trader's feed about one order."""
    told = {"order": str(slot.key), "tag": slot.client_id, "quantity": str(slot.quantity)}
    if slot.price is not None:
        told["price"] = str(slot.price)
    if slot.trigger is not None:
        told["trigger"] = str(slot.trigger)
    cycle = memory.cycle.number if memory.cycle else 0
    return EventNoted(event=BotEvent(kind=kind, at_ms=now_ms, cycle=cycle, data=told | data))
