"""Unexplained: exits for a position that the books cannot explain (A23).

When the venue forgets executions, or somebody trades where no read shows it, position and fills go on contradicting
each other. Then nothing is booked and no entry is sent, but what is held still needs its exits: they are planned from
the quantity and average that the venue itself reports. Being reduce-only, they can do no more than close it.

Reads that lag look just the same, so this begins only after the books have differed for long, and only once two reads
of the position agree that lie further apart than a read may lag. Nothing is ever cancelled here. Called by `core.bot`.
"""

from blitz.core.act import act
from blitz.core.calls import (
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    Step,
    ask,
)
from blitz.core.diff import Action, Amend, Cancel, Create, diff
from blitz.core.identity import own_key
from blitz.core.memory import BotMemory, PositionReading
from blitz.core.orders import OpenOrder, OrderKey, Role, VenuePosition
from blitz.core.plan import Situation, plan
from blitz.core.records import Slot, SlotState
from blitz.core.reserved import reserved_by_others
from blitz.core.settle import empty_slot
from blitz.core.work import Acted


def cover_position(memory: BotMemory, now_ms: int) -> Step[Acted]:
    """Bring the exits to the position as the venue reports it."""
    orders = yield from ask(ReadOpenOrders(), OpenOrdersRead)
    position = yield from ask(ReadPosition(), PositionRead)
    if not isinstance(orders, OpenOrdersRead) or not isinstance(position, PositionRead):
        return Acted()
    if not _is_certain(memory, position.position, now_ms):
        return Acted()
    resting = _resting_exits(memory, orders.orders)
    foreign = [order for order in orders.orders if own_key(memory, order) is None]
    wanted = plan(_situation(memory, position.position, resting, foreign))
    actions: list[Action] = []
    for action in diff(wanted, resting):
        if (yield from _may(memory, action, now_ms)):
            actions += [action]
    return (yield from act(memory, actions))


def _is_certain(memory: BotMemory, position: VenuePosition, now_ms: int) -> bool:
    """Two reads agree that lie further apart than a read may lag; and there is something to protect."""
    last = memory.unexplained
    same = last is not None and (last.quantity, last.average) == (position.quantity, position.average)
    if last is None or not same or last.differ_since_ms != memory.disagree_since_ms:
        memory.unexplained = PositionReading(
            at_ms=now_ms,
            differ_since_ms=memory.disagree_since_ms,
            quantity=position.quantity,
            average=position.average,
        )
        return False
    known = position.quantity > 0 and position.average > 0
    return known and now_ms >= last.at_ms + memory.traits.read_lag_ms + memory.traits.skew_ms


def _resting_exits(memory: BotMemory, orders: tuple[OpenOrder, ...]) -> dict[OrderKey, OpenOrder]:
    exits: dict[OrderKey, OpenOrder] = {}
    for order in orders:
        key = own_key(memory, order)
        if key is None or key.role is Role.LEG:
            continue
        if key not in exits or memory.slot(key).order_id == order.order_id:
            exits[key] = order
    return exits


def _situation(
    memory: BotMemory, position: VenuePosition, resting: dict[OrderKey, OpenOrder], foreign: list[OpenOrder]
) -> Situation:
    assert memory.cycle is not None
    return Situation(
        settings=memory.cycle.settings,
        instrument=memory.instrument,
        quantity=position.quantity,
        average=position.average,
        resting_exits={key: order.remaining for key, order in resting.items()},
        reserved=reserved_by_others(memory, foreign),
        entries_allowed=False,
    )


def _may(memory: BotMemory, action: Action, now_ms: int) -> Step[bool]:
    """Exits may be moved, and created once their last order is over; nothing is cancelled."""
    if isinstance(action, Cancel):
        return False
    key = action.order.key if isinstance(action, Create) else action.key
    if now_ms < memory.retry_ms.get(key, 0):
        return False
    slot = memory.slot(key)
    if isinstance(action, Amend) or slot.state is SlotState.EMPTY:
        return True
    # Without an answer the slot may stand for two orders, or for one that has no id: the fence decides before a record.
    doubtful = slot.is_unanswered and (slot.order_id or not slot.client_id)
    if doubtful and now_ms < slot.sent_ms + memory.traits.fence_ms:
        return False
    for asked in _records_of(slot):
        answer = yield from ask(asked, OrderRead)
        if not isinstance(answer, OrderRead) or not _is_over(memory, slot, answer, now_ms):
            return False
    yield from empty_slot(memory, slot)
    return True


def _records_of(slot: Slot) -> list[ReadOrder]:
    """Every order that a slot may stand for."""
    by_order_id = [ReadOrder(order_id=slot.order_id, client_id="")] if slot.order_id else []
    by_id = slot.client_id and (slot.is_unanswered or not slot.order_id)
    return [*by_order_id, *([ReadOrder(order_id="", client_id=slot.client_id)] if by_id else [])]


def _is_over(memory: BotMemory, slot: Slot, answer: OrderRead, now_ms: int) -> bool:
    """By its own record; or it is listed nowhere and unknown to the venue behind the fence."""
    if answer.record is None:
        return now_ms >= slot.sent_ms + memory.traits.fence_ms
    return answer.record.terminal
