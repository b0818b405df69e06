"""Act: carry out the actions of a diff, one call at a time.

What protects comes first, because the diff has put it first. Creating is a story of its own, `core.create`, and so is
moving what cannot be moved in place, `core.replace`.
"""

from collections.abc import Sequence
from dataclasses import replace

from blitz.core.calls import (
    AmendOrder,
    CancelOrder,
    Done,
    Refusal,
    Rejected,
    Step,
    ask,
    read_clock,
    save,
)
from blitz.core.create import Outcome, create, note_of_order
from blitz.core.diff import Action, Amend, Cancel, Create
from blitz.core.guards import Guard
from blitz.core.memory import BotMemory
from blitz.core.orders import Role
from blitz.core.records import EventKind, SlotSaved
from blitz.core.refusals import hold_off, raise_attention, remember_trouble
from blitz.core.replace import in_place, is_replacement, replace_order
from blitz.core.work import Acted


def act(memory: BotMemory, actions: Sequence[Action]) -> Step[Acted]:
    """Carry out `actions` in their order."""
    words: list[str] = []
    anything_open = False
    waits_ms = dict(memory.retry_ms)
    for action in actions:
        if isinstance(action, Create) and memory.retry_ms.get(action.order.key) != waits_ms.get(action.order.key):
            continue  # an order before it was refused, and this one has to wait for the same
        if isinstance(action, Create):
            outcome, verb, key = (yield from create(memory, action.order)), "created", action.order.key
        elif isinstance(action, Amend) and not _is_pulled_first(memory, action):
            outcome, verb, key = (yield from _move(memory, action)), "moved", action.key
        else:
            taken_back = Cancel(key=action.key, resting=action.resting)
            outcome, verb, key = (yield from _cancel(memory, taken_back)), "cancelled", action.key
        if outcome is Outcome.DONE:
            words.append(f"{verb}_{key}")
        anything_open = anything_open or outcome is Outcome.OPEN
    return Acted(words=tuple(words), open=anything_open)


def _is_pulled_first(memory: BotMemory, action: Amend) -> bool:
    """A leg that cannot be moved in place is taken back now; once its fills are known, what it lacks is sent anew."""
    is_leg = action.key.role is Role.LEG and memory.keeps(Guard.LEGS_NOT_REPLACED)
    return is_leg and is_replacement(memory, action)


def _move(memory: BotMemory, action: Amend) -> Step[Outcome]:
    if not is_replacement(memory, action):
        return (yield from _amend(memory, action))
    outcome = yield from replace_order(memory, action)
    if outcome is not None:
        return outcome
    growing = in_place(memory, action)
    return (yield from _amend(memory, growing)) if growing else Outcome.OPEN


def _amend(memory: BotMemory, action: Amend) -> Step[Outcome]:
    """Move a resting order in place; it keeps its id, and asking twice does no harm (A15)."""
    memory.levels.setdefault(action.resting.order_id, set()).add(action.price or action.trigger)
    reply = yield from ask(
        AmendOrder(
            order_id=action.resting.order_id,
            quantity=action.quantity,
            price=action.price,
            trigger=action.trigger,
        ),
        Done,
    )
    now_ms = yield from read_clock()
    remember_trouble(memory, action.key, reply, now_ms)
    slot = memory.slot(action.key)
    if isinstance(reply, Done) or (isinstance(reply, Rejected) and reply.refusal is Refusal.UNCHANGED):
        moved = replace(
            slot,
            quantity=slot.quantity if action.quantity is None else action.quantity,
            price=slot.price if action.price is None else action.price,
            trigger=slot.trigger if action.trigger is None else action.trigger,
        )
        memory.put(moved)
        memory.exit_trouble.pop(action.key, None)
        if isinstance(reply, Rejected):
            yield from save(SlotSaved(slot=moved))
            return Outcome.OPEN  # it was moved before, and the look that asked for it was stale
        yield from save(SlotSaved(slot=moved), note_of_order(memory, EventKind.ORDER_MOVED, moved, now_ms))
        memory.shown.pop(action.resting.order_id, None)  # should it lie there again, somebody moved it again
        return Outcome.DONE
    if isinstance(reply, Rejected):
        hold_off(memory, action.key, reply.refusal, now_ms)
        raise_attention(memory, action.key, reply)
        return Outcome.REFUSED
    return Outcome.OPEN


def _cancel(memory: BotMemory, action: Cancel) -> Step[Outcome]:
    """Take back an own order. Whether it filled first, the next look will tell (A16)."""
    memory.cancelling.add(action.resting.order_id)
    reply = yield from ask(CancelOrder(order_id=action.resting.order_id), Done)
    if isinstance(reply, Done):
        now_ms = yield from read_clock()
        yield from save(note_of_order(memory, EventKind.ORDER_CANCELLED, memory.slot(action.key), now_ms))
        return Outcome.DONE
    if isinstance(reply, Rejected) and reply.refusal is not Refusal.GONE:
        now_ms = yield from read_clock()
        hold_off(memory, action.key, reply.refusal, now_ms)
        raise_attention(memory, action.key, reply)
        return Outcome.REFUSED
    return Outcome.OPEN
