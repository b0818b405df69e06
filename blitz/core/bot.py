"""One pass of a bot: look, settle, plan, diff, act. The one thing a bot does, whatever woke it.

`run_pass` is a generator. The thread of `bots.user_bot` drives it against the world; a simulator drives the very same
code against a seeded one. Every yield is a point at which the process may be killed, and the next pass, after a
restart, reaches the same orders from what the venue shows and the journal kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from blitz.core.account_watch import watch_account
from blitz.core.act import act
from blitz.core.begin import adopt_or_enter, enter
from blitz.core.calls import Refusal, Rejected, Step, Unknown
from blitz.core.clock_watch import watch_clock
from blitz.core.diff import Action, Amend, Cancel, Create, diff
from blitz.core.finish import cycle_is_over, finish_cycle
from blitz.core.guards import Guard
from blitz.core.identity import named
from blitz.core.look import BOOKS_DISAGREE, LISTED_ONCE, Seen, look
from blitz.core.market_watch import watch_market
from blitz.core.memory import BOOKS_DIFFER, Attention, BotMemory
from blitz.core.orders import DesiredOrder, OrderKey, Role
from blitz.core.plan import Situation, plan
from blitz.core.prepare import PASSING
from blitz.core.records import SlotState
from blitz.core.refusals import DUST, KEY_REJECTED_CODE, attention_for, dust_sentence, watch_dust
from blitz.core.replace import in_place
from blitz.core.reserved import make_room, reserved_by_others
from blitz.core.second_writer import MESSAGE, SECOND_WRITER, in_fight, may_change_in_fight, watch_writers
from blitz.core.settle import settle
from blitz.core.unexplained import cover_position
from blitz.core.work import Acted, Finish, Mode

GRACE_MS = 1_500
"""An own order that somebody cancelled comes back after this long: a human may be about to cancel a second one. It
keeps well inside the bound for an unprotected position (L1, 5 s)."""

DISAGREE_MAX_MS = 15_000
"""Position and fills may contradict each other this long (late reads) before the trader is told."""

PASSING_WAIT_MS = 1_000
"""A look that met a rate limit or a clock that was off is repeated after this long: a position may be waiting (L1)."""

REFUSED_WAIT_MS = 2_000
"""Any other refused look, such as one with a bad key, is not repeated sooner."""

DIFFER_WAIT_MS = 2_000
"""How often a bot looks whose books and position go on contradicting each other: what is held may need its exits."""

REQUESTS_PAUSED = "requests_paused"
"""Attention code: the exchange has shut out this server for a while."""
PAUSE_TOLD_MS = 5_000
"""A shorter pause is no news."""
PAUSE_LOOK_MS = 30_000
"""During a pause a bot asks again this often whether it still holds; nothing is sent for that."""

SOON_MS = 250
"""When the next look follows after something was left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassResult:
    """What a pass leaves behind for its driver and for the status."""

    words: tuple[str, ...] = ()
    """What was done, such as `created_tp`; in a dry run, what would be."""
    settled: bool = False
    """Nothing is left to do until something happens."""
    wake_in_ms: int | None = None
    """Look again after this long at the latest; None leaves it to the driver's own interval."""
    finish: Finish | None = None
    """Set when the bot has nothing to do any more and its thread ends."""
    refusal: Refusal | None = None
    """How the venue refused the look, if it did."""
    trouble: str = ""
    """Why the pass could not decide, in a sentence; empty when it could."""
    seen: Seen | None = None
    wanted: tuple[DesiredOrder, ...] = field(default_factory=tuple)


def next_look_in_ms(result: PassResult, poll_ms: int) -> int:
    """How long a bot that polls every `poll_ms` waits after a pass, unless something wakes it sooner."""
    if result.wake_in_ms is None:
        return poll_ms
    # A look that failed is not repeated sooner than it says. But a refused leg is no reason to look away for long.
    return result.wake_in_ms if result.seen is None else min(poll_ms, result.wake_in_ms)


def run_pass(memory: BotMemory, mode: Mode, *, last_cycle: bool = False) -> Step[PassResult]:
    """Run one pass. `last_cycle` says that no new cycle may start (stop after this one)."""
    now_ms = yield from watch_clock(memory)
    seen = yield from look(memory, now_ms)
    if not isinstance(seen, Seen):
        if _may_give_up(memory, mode):
            return (yield from _give_up(memory, mode, now_ms))
        result = _undecided(memory, seen, now_ms)
        if mode is Mode.TRADE and memory.cycle is not None and _differ_for_long(memory, seen, now_ms):
            yield from watch_market(memory, now_ms)
            acted = yield from cover_position(memory, now_ms)
            return replace(result, words=acted.words)
        return result
    watch_writers(memory, seen, now_ms)
    settled = yield from settle(memory, seen, now_ms)
    _forget_attention(memory, now_ms)
    yield from watch_account(memory, seen, now_ms)
    yield from watch_market(memory, now_ms)
    watch_dust(memory)
    if memory.cycle is None:
        if mode in {Mode.TRADE, Mode.RECOVER, Mode.RECOVER_DRY}:
            return _began((yield from adopt_or_enter(memory, seen, mode, settled, last_cycle=last_cycle)), seen)
    elif cycle_is_over(memory, seen, mode):
        return _began((yield from finish_cycle(memory, mode, now_ms, last_cycle=last_cycle)), seen)
    elif mode is Mode.TRADE and settled and _entry_failed(memory, seen):
        if last_cycle:
            return _began((yield from finish_cycle(memory, mode, now_ms, last_cycle=True)), seen)
        return _began((yield from _enter_again(memory, seen, now_ms)), seen)
    return (yield from _keep(memory, seen, mode, settled, now_ms))


def _undecided(memory: BotMemory, answer: Rejected | Unknown, now_ms: int) -> PassResult:
    """The look failed: nothing is decided on it (S9)."""
    if isinstance(answer, Rejected):
        memory.attention = attention_for(answer.refusal, answer.code, answer.message) or memory.attention
        wake_in_ms = PASSING_WAIT_MS if answer.refusal in PASSING else REFUSED_WAIT_MS
        trouble = f"{answer.code}: {answer.message}"
        return PassResult(refusal=answer.refusal, trouble=trouble, wake_in_ms=wake_in_ms)
    if _differ_for_long(memory, answer, now_ms):
        memory.attention = Attention(
            code=BOOKS_DIFFER,
            message="The exchange's position is not what this bot traded: fills are missing or somebody else trades on "
            "the same side. No entry is sent and nothing is booked until they agree; take-profit and stop-loss follow "
            "the position that the exchange shows. Look at it, then stop and start the bot.",
        )
        return PassResult(trouble=answer.reason, wake_in_ms=DIFFER_WAIT_MS)
    if answer.wait_ms > 0:
        return _paused(memory, answer)
    soon = memory.disagree_since_ms is not None or answer.reason == LISTED_ONCE
    return PassResult(trouble=answer.reason, wake_in_ms=SOON_MS if soon else 1_000)


def _paused(memory: BotMemory, answer: Unknown) -> PassResult:
    """The exchange listens to nobody here for some time: nothing is asked before, and the trader is told until when."""
    if answer.wait_ms >= PAUSE_TOLD_MS:
        said = f"{answer.reason} What rests at the exchange stays in force; the bot goes on by itself."
        memory.attention = Attention(code=REQUESTS_PAUSED, message=said)
    return PassResult(trouble=answer.reason, wake_in_ms=min(max(SOON_MS, answer.wait_ms), PAUSE_LOOK_MS))


def _differ_for_long(memory: BotMemory, answer: Rejected | Unknown, now_ms: int) -> bool:
    """Say whether position and fills have contradicted each other for longer than reads may lag.

    They must do so in this look too: after a read that failed nothing is decided.
    """
    contradict = isinstance(answer, Unknown) and answer.reason == BOOKS_DISAGREE
    since_ms = memory.disagree_since_ms
    return contradict and since_ms is not None and now_ms - since_ms > DISAGREE_MAX_MS


def _may_give_up(memory: BotMemory, mode: Mode) -> bool:
    """The books have differed for too long and the trader stops the bot: there must be a way out."""
    stopping = mode in {Mode.STOP_PULL, Mode.STOP_KEEP, Mode.CLOSE}
    differ = memory.attention is not None and memory.attention.code == BOOKS_DIFFER
    return stopping and differ and memory.cycle is not None


def _give_up(memory: BotMemory, mode: Mode, now_ms: int) -> Step[PassResult]:
    """End the cycle with the books as they are; no order is touched."""
    memory.started_by_trader = False
    result = yield from finish_cycle(memory, mode, now_ms, last_cycle=True)
    if isinstance(result, Finish):
        return PassResult(finish=result, words=result.words)
    return PassResult(trouble="The journal could not be written.", wake_in_ms=result.wake_in_ms)


def _forget_attention(memory: BotMemory, now_ms: int) -> None:
    """The venue shows a coherent picture: what blocked entries is over once all that was refused may be tried again."""
    if all(now_ms >= at_ms for at_ms in memory.retry_ms.values()):
        memory.calm()


def _enter_again(memory: BotMemory, seen: Seen, now_ms: int) -> Step[Acted | Finish]:
    """Try the entry of an open cycle again; when it cannot ever be sent, the cycle ends with the bot.

    Otherwise its frozen settings would come back at the next start, whatever the trader had changed.
    """
    result = yield from enter(memory, seen)
    if isinstance(result, Finish):
        yield from finish_cycle(memory, Mode.STOP_PULL, now_ms, last_cycle=True)
    return result


def _began(result: Acted | Finish, seen: Seen) -> PassResult:
    if isinstance(result, Finish):
        return PassResult(finish=result, words=result.words, settled=True, seen=seen)
    return PassResult(words=result.words, settled=result.idle, wake_in_ms=result.wake_in_ms, seen=seen)


def _entry_failed(memory: BotMemory, seen: Seen) -> bool:
    """The cycle is open, but its entry was refused or proved absent: nothing filled and nothing of it can be alive.

    What somebody else trades meanwhile is theirs, even where it points the other way.
    """
    untouched = memory.ledger.quantity <= 0 and memory.ledger.exits == 0 and seen.position.quantity == 0
    return untouched and not memory.busy_slots and not seen.own


def situation_of(memory: BotMemory, seen: Seen, mode: Mode) -> Situation:
    """Put together what the plan needs to know of the open cycle."""
    assert memory.cycle is not None
    memory.reserved = reserved_by_others(memory, seen.foreign)
    ledger = memory.ledger
    entry = memory.slot(OrderKey(role=Role.LEG))
    leaving = mode in {Mode.STOP_PULL, Mode.CLOSE} or memory.closing_by_trader
    return Situation(
        settings=memory.cycle.settings,
        instrument=memory.instrument,
        quantity=ledger.quantity,
        average=ledger.average,
        entry_price=ledger.entry_price if entry.state is SlotState.EMPTY else None,
        leg_filled=ledger.leg_filled if memory.keeps(Guard.FILLED_LEGS) else {},
        resting_legs=[key.leg for key in seen.own if key.role is Role.LEG],
        resting_exits={key: order.remaining for key, order in seen.own.items() if key.role is not Role.LEG},
        reserved=memory.reserved,
        entries_allowed=ledger.exits == 0 and not ledger.liquidated and not leaving,
        close_at_market=mode is Mode.CLOSE or memory.closing_by_trader,
    )


def _keep(memory: BotMemory, seen: Seen, mode: Mode, settled: bool, now_ms: int) -> Step[PassResult]:
    """Bring what rests to what should rest."""
    memory.started_by_trader = False
    if mode is Mode.CLOSE:
        memory.closing_by_trader = True
    wanted = plan(situation_of(memory, seen, mode)) if memory.cycle is not None else ()
    gap = diff(wanted, seen.own)
    if not memory.keeps(Guard.EXIT_FITS):
        gap = tuple(one for one in gap if not (isinstance(one, Amend) and one.key.role is not Role.LEG))
    allowed = make_room(memory, seen, _allowed(memory, seen, gap, mode, now_ms), mode)
    actions = [*_surplus(memory, seen, mode), *allowed]
    if mode is Mode.RECOVER_DRY:
        words = tuple(f"created_{action.order.key}" for action in actions if isinstance(action, Create))
        return PassResult(words=words, settled=settled, seen=seen, wanted=wanted)
    acted = yield from act(memory, actions)
    if settled and not gap and not seen.surplus:
        memory.calm()
        memory.exit_trouble.clear()
    finish = _stopped(memory, seen, mode, acted) if settled else None
    wake_in_ms = 0 if acted.words else _next_look_ms(memory, gap, settled and not acted.open, now_ms)
    if actions and wake_in_ms is not None:
        wake_in_ms = min(wake_in_ms, SOON_MS)  # the retry of what was refused waits, looking after the rest does not
    return PassResult(
        words=acted.words,
        settled=settled and not actions,
        wake_in_ms=wake_in_ms,
        finish=finish,
        seen=seen,
        wanted=wanted,
    )


def _surplus(memory: BotMemory, seen: Seen, mode: Mode) -> list[Action]:
    """Second orders of a tag of ours are taken back; recover never cancels."""
    recovering = mode in {Mode.RECOVER, Mode.RECOVER_DRY}
    if recovering or in_fight(memory) or not memory.keeps(Guard.SURPLUS):
        return []
    return [Cancel(key=key, resting=order) for key, order in named(memory, seen.surplus)]


def _allowed(memory: BotMemory, seen: Seen, gap: Sequence[Action], mode: Mode, now_ms: int) -> list[Action]:
    """Leave out what this kind of pass may not do, and what has to wait."""
    sends_nothing = mode in {Mode.STOP_PULL, Mode.STOP_KEEP} or (in_fight(memory) and mode is not Mode.CLOSE)
    possible = [in_place(memory, one) if sends_nothing and isinstance(one, Amend) else one for one in gap]
    return [
        action
        for action in possible
        if action is not None
        and (
            _may_create(memory, action.order.key, mode, now_ms)
            if isinstance(action, Create)
            else _may_change(memory, seen, action, mode, now_ms)
        )
    ]


def _may_create(memory: BotMemory, key: OrderKey, mode: Mode, now_ms: int) -> bool:
    """A new order waits for its retry time, the fate of the last one, and a human who may still be cancelling."""
    if mode in {Mode.STOP_PULL, Mode.STOP_KEEP} and memory.keeps(Guard.STOP_SENDS_NOTHING):
        return False
    if now_ms < memory.retry_ms.get(key, 0) or memory.slot(key).state is not SlotState.EMPTY:
        return False
    if key.role is Role.LEG and now_ms < memory.entries_from_ms and memory.keeps(Guard.ADOPTED_LEGS):
        return False
    if mode in {Mode.RECOVER, Mode.RECOVER_DRY}:
        return True
    blocked = memory.standing or (memory.attention is not None and memory.attention.code in ENTRY_BLOCKS)
    if blocked and key.role is Role.LEG:
        return False
    return now_ms >= memory.gone_ms.get(key, now_ms - GRACE_MS) + GRACE_MS


def _may_change(memory: BotMemory, seen: Seen, action: Amend | Cancel, mode: Mode, now_ms: int) -> bool:
    """Recover changes nothing; a stopping bot keeps what protects a position, and its legs too if asked to."""
    recovering = mode in {Mode.RECOVER, Mode.RECOVER_DRY} and memory.keeps(Guard.RECOVER_CREATES)
    if recovering or now_ms < memory.retry_ms.get(action.key, 0):
        return False
    if in_fight(memory) and not may_change_in_fight(action, mode):
        return False
    is_exit = action.key.role is not Role.LEG
    if mode is Mode.STOP_KEEP:
        return is_exit and isinstance(action, Amend)
    if mode is Mode.STOP_PULL and is_exit and isinstance(action, Cancel):
        return seen.position.quantity == 0
    return True


ENTRY_BLOCKS = frozenset({"ids_ambiguous", BOOKS_DIFFER, KEY_REJECTED_CODE, "account_mode", "market_closed"})
"""Attention codes under which no leg is sent. Exits always go out."""


def _next_look_ms(memory: BotMemory, gap: Sequence[Action], settled: bool, now_ms: int) -> int | None:
    """When a pass that did nothing more should look again."""
    if not settled:
        return SOON_MS
    if not gap:
        return None
    if memory.rules_doubted and now_ms >= memory.rules_again_ms:
        return SOON_MS
    keys = [action.order.key if isinstance(action, Create) else action.key for action in gap]
    moments = [memory.retry_ms.get(key, 0) for key in keys]
    moments += [memory.gone_ms[key] + GRACE_MS for key in keys if key in memory.gone_ms]
    return max(SOON_MS, min((at - now_ms for at in moments if at > now_ms), default=SOON_MS))


def _stopped(memory: BotMemory, seen: Seen, mode: Mode, acted: Acted) -> Finish | None:
    """A stopping bot is done when no entry of ours can be alive any more, or when its legs were to be kept."""
    if mode is Mode.CLOSE and in_fight(memory) and seen.position.quantity == 0:  # the other one sends on
        return Finish(code=SECOND_WRITER, message=f"The position was closed and the bot has stopped. {MESSAGE}")
    if acted.words or acted.open:
        return None
    resting_legs = [key for key in seen.own if key.role is Role.LEG]
    if mode is Mode.STOP_KEEP or (mode is Mode.STOP_PULL and (in_fight(memory) or not resting_legs)):
        return Finish(code="stopped", message=_left_behind(memory, seen, resting_legs))
    left_over = dust_sentence(memory)
    if mode is Mode.CLOSE and left_over is not None:
        return Finish(code=DUST, message=f"Bot stopped. {left_over}")
    if mode is Mode.CLOSE and memory.cycle is None and not seen.own:
        return Finish(code="stopped", message="Bot stopped successfully. There was no position to close.")
    return None


def _left_behind(memory: BotMemory, seen: Seen, resting_legs: Sequence[OrderKey]) -> str:
    """Tell the trader what still rests at the exchange."""
    names = {Role.TAKE_PROFIT: "the take-profit", Role.STOP_LOSS: "the stop-loss"}
    left = [names[key.role] for key in seen.own if key.role is not Role.LEG]
    if resting_legs:
        left.append("1 ladder leg" if len(resting_legs) == 1 else f"{len(resting_legs)} ladder legs")
    if memory.ledger.quantity == 0 and left:
        return f"Bot stopped successfully. There is no position; {_join(left)} rests."
    if memory.ledger.quantity == 0:
        return "Bot stopped successfully. There is no position."
    if not left:
        return "Bot stopped successfully. The position is open and NOTHING protects it."
    return f"Bot stopped successfully. The position is open; left resting: {_join(left)}."


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
