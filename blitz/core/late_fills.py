"""Late fills: what the venue lists only after its cycle was booked still belongs to that cycle (C10).

A funding fee may be listed minutes after it was charged. It is told by the venue's own times: it lies between the
first and the last fill of a closed cycle and is not among that cycle's fills. Its figures are corrected in the same
transaction that books the fill, so a restart can neither lose it nor count it twice.

A trade cannot be late: a cycle is closed only when position and fills agree and every order of ours is accounted for.
What could still hide are trades of others that cancel each other out; they are booked the same way. From flat to flat
profit is proceeds minus cost, so each of them adds what it brought or took. Called by `core.look`.
"""

from collections.abc import Sequence
from dataclasses import replace

from blitz.core.calls import Step, save
from blitz.core.memory import BotMemory
from blitz.core.orders import ZERO, BookedFill, Direction, Fill, FillKind, OrderKey
from blitz.core.records import BotEvent, ClosedCycle, Cycle, CycleSaved, EventKind, EventNoted, FillBooked


def book_late(memory: BotMemory, fills: Sequence[Fill], now_ms: int) -> Step[bool]:
    """Book the fills that belong to a closed cycle and are not in its books; False when they could not be saved."""
    fresh = memory.unbooked(fills)
    for place, closed in enumerate(memory.closed):
        late = [fill for fill in fresh if _belongs(memory, closed, fill)]
        if not late:
            continue
        corrected = _corrected(closed.cycle, late)
        booked = [BookedFill(fill=fill, cycle=closed.cycle.number, key=_key_of(memory, fill)) for fill in late]
        told = _told(closed.cycle, corrected, now_ms)
        if not (yield from save(*(FillBooked(booked=one) for one in booked), CycleSaved(cycle=corrected), told)):
            memory.must_reload = True  # perhaps they are booked, and only the answer was lost
            return False
        exec_ids = closed.exec_ids.union(fill.exec_id for fill in late)
        memory.closed = (
            *memory.closed[:place],
            replace(closed, cycle=corrected, exec_ids=exec_ids),
            *memory.closed[place + 1 :],
        )
        memory.remember_earlier(late)
    memory.looked_back = True
    return True


def _belongs(memory: BotMemory, closed: ClosedCycle, fill: Fill) -> bool:
    settings = closed.cycle.settings
    same_market = settings.symbol == memory.tags.symbol and settings.side is memory.ledger.side
    if not same_market or fill.exec_id in closed.exec_ids:
        return False
    # Funding is charged for what was held, so the last moment counts; a trade of that moment may be the next cycle's.
    last_ms = closed.last_fill_ms if fill.kind is FillKind.FUNDING else closed.last_fill_ms - 1
    return closed.first_fill_ms <= fill.at_ms <= last_ms


def _key_of(memory: BotMemory, fill: Fill) -> OrderKey | None:
    """By its tag alone: the slots belong to the orders of the present."""
    parsed = memory.tags.read(fill.client_id)
    return parsed[0] if parsed and fill.direction is parsed[0].direction(memory.ledger.side) else None


def _corrected(cycle: Cycle, late: Sequence[Fill]) -> Cycle:
    trades = [fill for fill in late if fill.kind is not FillKind.FUNDING]
    brought = sum(
        ((1 if fill.direction is Direction.SELL else -1) * fill.quantity * fill.price for fill in trades), ZERO
    )
    return replace(
        cycle,
        realised=cycle.realised + brought,
        fees=cycle.fees + sum((fill.fee for fill in trades), ZERO),
        funding=cycle.funding + sum((fill.fee for fill in late if fill.kind is FillKind.FUNDING), ZERO),
    )


def _told(cycle: Cycle, corrected: Cycle, now_ms: int) -> EventNoted:
    data = {"amount": str(corrected.profit - cycle.profit), "profit": str(corrected.profit)}
    return EventNoted(event=BotEvent(kind=EventKind.CYCLE_CORRECTED, at_ms=now_ms, cycle=cycle.number, data=data))
