"""Finish: book a cycle that is flat with nothing of it left alive, and decide whether another one follows."""

from dataclasses import replace

from blitz.core.calls import Step, save
from blitz.core.guards import Guard
from blitz.core.ledger import Ledger
from blitz.core.look import Seen
from blitz.core.memory import BOOKS_DIFFER, BotMemory
from blitz.core.orders import OrderKey, Role
from blitz.core.records import BotEvent, Change, Cycle, CycleEnd, CycleSaved, DesiredSaved, EventKind, EventNoted
from blitz.core.refusals import forget_orders
from blitz.core.work import Acted, Finish, Mode

FINAL_WORDS = {
    CycleEnd.CLOSED_BY_TRADER: "The position was closed at market, as you asked, and the bot has stopped.",
    CycleEnd.CLOSED_EXTERNALLY: "The position was closed outside this bot, so the bot took back its legs and stopped. "
    "Press Start when you want the next cycle.",
    CycleEnd.GIVEN_UP: "The bot has stopped and gave the cycle up, because position and fills did not agree. Nothing "
    "was cancelled: look at position and orders at the exchange. Start goes on once the position is closed.",
    CycleEnd.LIQUIDATED: "The position was LIQUIDATED by the exchange, in whole or in part. The bot took back its legs "
    "and stopped. Use smaller amounts, less leverage or more margin before you press Start again.",
}
"""Ends after which no bot re-enters by itself."""
CYCLE_DONE = "The cycle is finished and the bot has stopped, as set."


def cycle_is_over(memory: BotMemory, seen: Seen, mode: Mode) -> bool:
    """Say whether the open cycle is flat and nothing of it can still fill.

    Somebody may have turned the position round: what points the other way is theirs, our cycle has ended all the same.
    A cycle whose entry never filled is over only when the bot is stopping; otherwise the entry is tried again.
    """
    flat = memory.ledger.quantity <= 0 and seen.position.quantity == 0
    alive = bool(memory.busy_slots) or bool(seen.own) or bool(seen.surplus)
    alive = alive and memory.keeps(Guard.SETTLED_FIRST)
    stopping = mode in {Mode.STOP_PULL, Mode.STOP_KEEP, Mode.CLOSE}
    may_book = mode not in {Mode.RECOVER, Mode.RECOVER_DRY}
    return flat and not alive and may_book and (memory.ledger.exits > 0 or stopping)


def finish_cycle(memory: BotMemory, mode: Mode, now_ms: int, *, last_cycle: bool) -> Step[Acted | Finish]:
    """Write the cycle's books and answer how the bot goes on."""
    assert memory.cycle is not None
    ended = booked_cycle(memory, memory.cycle, now_ms)
    finish = _finish_after(memory, ended, mode, last_cycle=last_cycle)
    rest = (DesiredSaved(desired="stopped", at_ms=now_ms),) if finish and memory.keeps(Guard.RESTS) else ()
    if not (yield from save(*closing_of(ended, now_ms), *rest, durable=True)):
        memory.must_reload = True  # perhaps only the answer was lost: nothing is booked into a cycle that has ended
        return Acted(open=True, wake_in_ms=1_000)
    memory.close_cycle(ended)
    forget_orders(memory)
    return finish or Acted(words=(f"closed_cycle_{ended.number}",), open=True, wake_in_ms=0)


def _finish_after(memory: BotMemory, ended: Cycle, mode: Mode, *, last_cycle: bool) -> Finish | None:
    """How the bot ends with this cycle; None when another one follows."""
    words = (f"closed_cycle_{ended.number}",)
    if ended.end in FINAL_WORDS and not memory.started_by_trader:
        return Finish(code=ended.end.value, message=FINAL_WORDS[ended.end], words=words)
    if mode is not Mode.TRADE:
        return Finish(code="stopped", message="Bot stopped successfully. There is no position.", words=words)
    if last_cycle or not ended.settings.repeat:
        return Finish(code="cycle_done", message=CYCLE_DONE, words=words)
    return None


def finish_as_saved(memory: BotMemory) -> Finish:
    """How a bot ends that finds its last cycle closed for good, when it reads its journal again."""
    ended = memory.closed[0].cycle.end if memory.closed else None
    if ended in FINAL_WORDS:
        return Finish(code=ended.value, message=FINAL_WORDS[ended])
    return Finish(code="cycle_done", message=CYCLE_DONE)


def closing_of(ended: Cycle, now_ms: int) -> tuple[Change, ...]:
    """What the end of a cycle writes: its books, and a line of the feed. Its slots stay as they are."""
    assert ended.end is not None
    told = {
        "end": ended.end.value,
        "profit": str(ended.profit),
        "realised": str(ended.realised),
        "fees": str(ended.fees),
        "funding": str(ended.funding),
        "legs": str(ended.legs_filled),
    }
    event = BotEvent(kind=EventKind.CYCLE_CLOSED, at_ms=now_ms, cycle=ended.number, data=told)
    return CycleSaved(cycle=ended), EventNoted(event=event)


def booked_cycle(memory: BotMemory, cycle: Cycle, now_ms: int) -> Cycle:
    """The cycle with the figures of the books and the reason why it ended."""
    return ended_cycle(cycle, memory.ledger, _reason(memory), now_ms)


def ended_cycle(cycle: Cycle, ledger: Ledger, end: CycleEnd, now_ms: int) -> Cycle:
    """The cycle as these books close it."""
    return replace(
        cycle,
        ended_ms=now_ms,
        end=end,
        realised=ledger.realised,
        fees=ledger.fees,
        funding=ledger.funding,
        legs_filled=len(ledger.leg_filled),
    )


def _reason(memory: BotMemory) -> CycleEnd:
    """Name what brought the position down to flat the last time."""
    if memory.attention is not None and memory.attention.code == BOOKS_DIFFER:
        return CycleEnd.GIVEN_UP
    if memory.ledger.liquidated:
        return CycleEnd.LIQUIDATED  # whatever took the rest: the ladder was too large for its margin
    last = memory.ledger.last_exit
    if last is None:
        return CycleEnd.NOT_ENTERED
    if isinstance(last, OrderKey):
        if memory.closing_by_trader:
            return CycleEnd.CLOSED_BY_TRADER
        return CycleEnd.STOP_LOSS if last.role is Role.STOP_LOSS else CycleEnd.TAKE_PROFIT
    return CycleEnd.CLOSED_EXTERNALLY
