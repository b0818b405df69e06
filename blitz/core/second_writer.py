"""Second writer: notices that another copy of this server trades the account under the same order ids (E9).

Two signs tell of one. Orders with our tags appear whose ids the venue never gave us, though nothing of ours waits for
an answer: seen in two looks within a minute, that is another writer. Or our orders keep being moved to levels that we
never set: once or twice is a person, six times in a minute is a copy with other settings. A bot's first moments do
not count, because a restored backup finds its own orders again as strangers.

A fight between two servers must end. From then on, until the bot is started anew, no entry is sent and nothing is
cancelled or moved; exits still come and grow with the position. Called by `core.bot` before orders are settled.
"""

from blitz.core.diff import Action, Amend
from blitz.core.identity import named
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import OpenOrder, OrderKey, Role
from blitz.core.records import SlotState
from blitz.core.work import Mode

SECOND_WRITER = "second_writer"
"""Attention code: somebody else sends orders with this bot's ids."""

WINDOW_MS = 60_000
STRANGERS_MAX = 2
MOVES_MAX = 6
FIRST_MOMENTS_MS = 30_000
IDS_KEPT = 1_000

MESSAGE = (
    "Another copy of this server seems to trade this account: orders with this bot's ids appear or move, and it did "
    "not send them. No entry is sent and nothing is cancelled or moved back any more; take-profit and stop-loss go on "
    "covering the position. Stop the other copy, or whoever moves these orders, then stop and start this bot."
)


def watch_writers(memory: BotMemory, seen: Seen, now_ms: int) -> None:
    """Count the signs in this look, and hold the attention once they are too many."""
    listed = [*seen.own.items(), *named(memory, seen.surplus)]
    if memory.watched_since_ms is None:
        memory.watched_since_ms = now_ms
    strangers = [order.order_id for key, order in listed if _is_stranger(memory, key, order, now_ms)]
    moved = _moved(memory, seen)
    _learn(memory, [order.order_id for _, order in listed])
    if now_ms < memory.watched_since_ms + FIRST_MOMENTS_MS:
        return
    memory.stranger_ms = _recent(memory.stranger_ms, now_ms, bool(strangers))
    memory.moved_ms = _recent(memory.moved_ms, now_ms, moved)
    if len(memory.stranger_ms) >= STRANGERS_MAX or len(memory.moved_ms) >= MOVES_MAX:
        memory.hold(SECOND_WRITER, MESSAGE)


def in_fight(memory: BotMemory) -> bool:
    """Say whether another writer was found in this run."""
    return SECOND_WRITER in memory.standing


def may_change_in_fight(action: Action, mode: Mode) -> bool:
    """Only what keeps a position covered, and what the trader asked for when closing it."""
    if mode is Mode.CLOSE:
        return True
    return isinstance(action, Amend) and action.key.role is not Role.LEG and action.quantity is not None


def _is_stranger(memory: BotMemory, key: OrderKey, order: OpenOrder, now_ms: int) -> bool:
    """An order under our tag that we cannot have sent: its id is new to us, and no answer of ours is outstanding."""
    slot = memory.slot(key)
    ours = order.order_id in {slot.order_id, slot.last_order_id} or order.order_id in memory.order_ids
    if ours or order.order_id in memory.ledger.order_filled:
        return False
    outstanding = slot.state in {SlotState.INTENT, SlotState.UNKNOWN} or slot.burnt
    return not outstanding and now_ms >= slot.doubted_until_ms


def _moved(memory: BotMemory, seen: Seen) -> bool:
    """Whether an order of ours has just come to lie where we never put it."""
    moved = False
    levels = {}
    for key, order in seen.own.items():
        slot, level = memory.slot(key), order.price or order.trigger
        if slot.order_id != order.order_id:
            continue
        known = memory.levels.get(order.order_id)
        if known is None:
            known = {level}  # first sight: whatever it is, nobody has moved it under our eyes
        known.add(slot.price or slot.trigger)
        moved = moved or (level not in known and memory.shown.get(order.order_id) != level)
        levels[order.order_id] = known
    memory.levels = levels
    memory.shown = {order.order_id: order.price or order.trigger for order in seen.own.values()}
    return moved


def _learn(memory: BotMemory, order_ids: list[str]) -> None:
    memory.order_ids.update(dict.fromkeys(order_ids))
    while len(memory.order_ids) > IDS_KEPT:
        memory.order_ids.pop(next(iter(memory.order_ids)))


def _recent(moments_ms: tuple[int, ...], now_ms: int, one_more: bool) -> tuple[int, ...]:
    return tuple(at_ms for at_ms in moments_ms if now_ms < at_ms + WINDOW_MS) + ((now_ms,) if one_more else ())
