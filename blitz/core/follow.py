"""Follow: the exits go with a fill the moment a stream tells of it, before anything was read.

The one case in which a bot acts on a stream. It may, because an exit is reduce-only: whatever the stream got wrong, the
exit cannot do more than close what is held, and the look that comes next puts it right. Nothing is booked here, nothing
is created, and no exit is ever made smaller; books are made from reads alone (B2, B5).
"""

from collections.abc import Sequence
from decimal import Decimal

from blitz.core.act import act
from blitz.core.calls import Done, Reply, Save, Step, read_clock
from blitz.core.diff import Amend, diff
from blitz.core.look import attribute
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, Fill, FillKind, OpenOrder, OrderKey, Role
from blitz.core.plan import Situation, plan
from blitz.core.records import Change, Slot, SlotSaved, SlotState
from blitz.core.second_writer import in_fight
from blitz.core.work import Acted

STREAMED_MAX = 100
"""More fills than this that no read has shown yet: then only a look can help."""


def follow_fills(memory: BotMemory, fills: Sequence[Fill]) -> Step[Acted]:
    """Move the resting exits to the position that these fills will turn out to have made."""
    memory.streamed = {
        exec_id: fill
        for exec_id, fill in {**memory.streamed, **{fill.exec_id: fill for fill in fills}}.items()
        if exec_id not in memory.ledger.seen
    }
    grown = _grown(memory)
    if grown is None:
        return Acted()
    now_ms = yield from read_clock()
    wanted = plan(grown)
    resting = {key: order for key in (TAKE_PROFIT, STOP_LOSS) if (order := _standing(memory, key, now_ms)) is not None}
    moves = [action for action in diff(wanted, resting) if isinstance(action, Amend)]
    return (yield from _unhurried_saves(memory, act(memory, moves)))


def _unhurried_saves(memory: BotMemory, step: Step[Acted]) -> Step[Acted]:
    """Drive `step`, but leave to the coming look what may be written a moment later: a thousand bots may be filled at
    once, and each exit comes before anybody's journal. An intent is written before it is sent, here as everywhere.
    """
    reply: Reply | None = None
    while True:
        try:
            call = next(step) if reply is None else step.send(reply)
        except StopIteration as end:
            acted: Acted = end.value
            return acted
        if isinstance(call, Save) and not call.durable and not any(map(_is_intent, call.changes)):
            memory.unsaved += call.changes
            reply = Done()
        else:
            reply = yield call


def _is_intent(change: Change) -> bool:
    return isinstance(change, SlotSaved) and change.slot.state is SlotState.INTENT


def _grown(memory: BotMemory) -> Situation | None:
    """The cycle as it is with the streamed fills in it; None when only a look can tell what has to be done."""
    cycle, books = memory.cycle, memory.ledger
    unclear = in_fight(memory) or memory.closing_by_trader or memory.disagree_since_ms is not None
    if cycle is None or unclear or books.quantity <= 0 or not 0 < len(memory.streamed) <= STREAMED_MAX:
        return None
    quantity, cost = books.quantity, books.cost
    filled = dict(books.order_filled)
    for fill in memory.streamed.values():
        booked = attribute(memory, fill)
        if booked is None:
            continue
        if booked.key is None or booked.key.role is not Role.LEG or fill.kind is not FillKind.TRADE:
            return None
        fresh = _fresh(memory.slot(booked.key), fill, filled.get(fill.order_id, ZERO))
        filled[fill.order_id] = filled.get(fill.order_id, ZERO) + fresh
        quantity += fresh
        cost += fresh * fill.price
    if quantity == books.quantity:
        return None
    return _situation(memory, quantity, cost / quantity)


def _fresh(slot: Slot, fill: Fill, filled: Decimal) -> Decimal:
    """What of a fill is new. No order fills more than it asks for: what is told beyond that was read under another id.

    An exit that asks for more than is held would be refused where exits reserve, and leave the position bare.
    """
    if fill.order_id not in {slot.order_id, slot.last_order_id}:
        return fill.quantity
    return max(ZERO, min(fill.quantity, slot.quantity - filled))


def _situation(memory: BotMemory, quantity: Decimal, average: Decimal) -> Situation:
    assert memory.cycle is not None
    return Situation(
        settings=memory.cycle.settings,
        instrument=memory.instrument,
        quantity=quantity,
        average=average,
        reserved=memory.reserved,
        entries_allowed=False,
    )


def _standing(memory: BotMemory, key: OrderKey, now_ms: int) -> OpenOrder | None:
    """An exit as we last knew it to rest; None when its fate is open or it has to wait."""
    slot = memory.slot(key)
    if slot.state is not SlotState.LIVE or now_ms < memory.retry_ms.get(key, 0):
        return None
    return OpenOrder(
        order_id=slot.order_id,
        client_id=slot.client_id,
        symbol=slot.symbol,
        direction=slot.direction,
        type=slot.type,
        quantity=slot.quantity,
        filled=memory.ledger.order_filled.get(slot.order_id, ZERO),
        price=slot.price,
        trigger=slot.trigger,
        reduce_only=True,
        side=memory.ledger.side,
    )
