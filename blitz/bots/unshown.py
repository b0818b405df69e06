"""What a stream told and no look has shown yet.

Reads trail what has happened, streams hardly do: a look may show what was before the very event that caused it, and
nobody tells of that event a second time. So a bot that need not poll looks again until it has seen what it was told.
"""

import time
from collections.abc import Iterable
from decimal import Decimal

from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import OpenOrder
from blitz.core.records import SlotState
from blitz.exchange.streams.happenings import FillSeen, LinkDown, LinkUp, News, OrderSeen, PositionSeen

LAG_SECONDS = 3.0
"""Reads trail by up to two seconds: what happened before a stream was up is shown by a look this long after it."""
GIVEN_UP_SECONDS = 6.0
"""What no look has shown by then is not going to be shown: somebody has changed it again."""
AGAIN_SECONDS = 1.0
"""How soon a look that did not show everything is repeated."""


class Unshown:
    """What one bot was told of lately. Belongs to its thread."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[News, float]] = {}
        """The newest of each kind and order, and when it was heard: seconds of the monotonic clock."""

    def heard(self, news: Iterable[News]) -> None:
        """Expect the next looks to show this, whatever it is worth."""
        now = time.monotonic()
        for one in news:
            self._told[_subject(one)] = (one, now)

    def looked(self, seen: Seen, memory: BotMemory) -> float | None:
        """Seconds until the next look is due because this one has not shown everything; None when it has."""
        now = time.monotonic()
        self._told = {
            subject: (news, at)
            for subject, (news, at) in self._told.items()
            if not _is_shown(news, now - at, seen, memory)
        }
        waits = [LAG_SECONDS - (now - at) if isinstance(news, LinkUp) else 0.0 for news, at in self._told.values()]
        return max(AGAIN_SECONDS, min(waits)) if waits else None


def _subject(news: News) -> str:
    match news:
        case FillSeen(fill=fill):
            return f"fill {fill.exec_id}"
        case OrderSeen(record=record):
            return f"order {record.order.order_id}"
        case PositionSeen(side=side):
            return f"position {side}"
    return "link" if isinstance(news, LinkUp | LinkDown) else type(news).__name__


def _is_shown(news: News, age_seconds: float, seen: Seen, memory: BotMemory) -> bool:
    match news:
        case LinkUp():
            return age_seconds >= LAG_SECONDS
        case FillSeen(fill=fill):
            listed = any(fill.exec_id == one.exec_id for one in seen.fills)
            shown = listed or fill.exec_id in memory.ledger.seen or fill.exec_id in memory.booked_before
        case OrderSeen(record=record):
            shown = _order_is_shown(record.order, seen, memory, terminal=record.terminal)
        case PositionSeen() as told:
            shown = _position_is_shown(told, seen, memory)
        case _:
            shown = True
    return shown or age_seconds >= GIVEN_UP_SECONDS


def _order_is_shown(told: OpenOrder, seen: Seen, memory: BotMemory, *, terminal: bool) -> bool:
    resting = [*seen.own.values(), *seen.surplus, *seen.foreign]
    listed = next((order for order in resting if order.order_id == told.order_id), None)
    if terminal:
        return listed is None
    if listed is None:  # it may have come and gone again since
        slots = memory.slots.values()
        return not any(slot.order_id == told.order_id and slot.state is SlotState.LIVE for slot in slots)
    return (listed.quantity, listed.price, listed.trigger) == (told.quantity, told.price, told.trigger)


def _position_is_shown(told: PositionSeen, seen: Seen, memory: BotMemory) -> bool:
    position = seen.position
    if told.side is not None and told.side is not memory.ledger.side:
        return True
    quantities = {position.quantity} if told.side is not None else {position.quantity, position.opposite_quantity}
    return told.quantity in quantities and told.leverage in {None, Decimal(0), position.leverage}
