"""Reserved: what an exit finds left to close, where resting exits reserve it.

Such a venue refuses an exit that is for more than others leave over; so what somebody else's closing orders are for is
left to them, rather than having no exit at all.

When the price is beyond a stop already, what the stop would have done is done at once, at market. Here that order would
be refused as long as the take-profit rests, so the take-profit is taken back first. Called by `core.bot`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from blitz.core.calls import Refusal
from blitz.core.diff import Action, Cancel, Create
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, OpenOrder, OrderKey, OrderType
from blitz.core.records import SlotState
from blitz.core.work import Mode


def reserved_by_others(memory: BotMemory, foreign: Iterable[OpenOrder]) -> dict[OrderKey, Decimal]:
    """What other people's closing orders are for: limits stand in the take-profit's way, stops in the stop-loss's."""
    reserved = {TAKE_PROFIT: ZERO, STOP_LOSS: ZERO}
    side = memory.ledger.side
    for order in foreign if memory.traits.exits_reserve else ():
        if order.direction is side.closing and (order.reduce_only or order.side is side):
            reserved[TAKE_PROFIT if order.trigger is None else STOP_LOSS] += order.remaining
    return reserved


def make_room(memory: BotMemory, seen: Seen, actions: Sequence[Action], mode: Mode) -> list[Action]:
    """Take the take-profit back and close at market, where the stop was passed already; recover never cancels."""
    target = seen.own.get(TAKE_PROFIT)
    if target is None or mode is Mode.RECOVER or not _was_passed(memory):
        return list(actions)
    stops = [action.order for action in actions if isinstance(action, Create) and action.order.key == STOP_LOSS]
    if not stops:
        return list(actions)
    at_market = Create(order=replace(stops[0], type=OrderType.MARKET, trigger=None))
    others = [action for action in actions if _key(action) not in {TAKE_PROFIT, STOP_LOSS}]
    return [Cancel(key=TAKE_PROFIT, resting=target), at_market, *others]


def stands_in_the_way(memory: BotMemory) -> bool:
    """Whether a take-profit rests that leaves nothing for a market order to close."""
    return memory.traits.exits_reserve and memory.slot(TAKE_PROFIT).state is SlotState.LIVE


def _was_passed(memory: BotMemory) -> bool:
    trouble = memory.exit_trouble.get(STOP_LOSS)
    return memory.traits.exits_reserve and trouble is not None and trouble.refusal is Refusal.TRIGGER_PASSED


def _key(action: Action) -> OrderKey:
    return action.order.key if isinstance(action, Create) else action.key
