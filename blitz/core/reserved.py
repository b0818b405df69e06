"""Reserved: what an exit finds left to close, where resting exits reserve it.

Such a venue refuses an exit that is for more than others leave over; so what somebody else's closing orders are for is
left to them, rather than having no exit at all.

When the price is beyond a stop already, what the stop would have done is done at once, at market. A venue that reserves
what resting exits would close refuses that order as long as the take-profit rests. Then, and only then, the take-profit
is taken back first. Called by `core.bot`.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from blitz.core.calls import Refusal
from blitz.core.diff import Action, Cancel, Create
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, OpenOrder, OrderKey, OrderType
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
    """Put the take-profit's cancel in front of a stop-loss that found nothing left to close; recover never cancels."""
    target = seen.own.get(TAKE_PROFIT)
    stops = any(isinstance(action, Create) and action.order.key == STOP_LOSS for action in actions)
    if target is None or not stops or mode is Mode.RECOVER or not _was_left_nothing(memory):
        return list(actions)
    others = [action for action in actions if isinstance(action, Create) or action.key != TAKE_PROFIT]
    return [Cancel(key=TAKE_PROFIT, resting=target), *others]


def _was_left_nothing(memory: BotMemory) -> bool:
    """Whether the stop-loss went out at market the last time, and was refused for want of something to close."""
    trouble = memory.exit_trouble.get(STOP_LOSS)
    at_market = memory.slot(STOP_LOSS).type is OrderType.MARKET
    return memory.traits.exits_reserve and at_market and trouble is not None and trouble.refusal is Refusal.NO_POSITION
