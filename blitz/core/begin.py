"""Begin: with no cycle open, adopt the one that the venue shows, refuse what is not ours, or enter.

Starting never cancels (S11). A position that nobody's journal explains is refused unless its fills carry our tags.
"""

from dataclasses import replace
from decimal import Decimal

from blitz.core.act import act
from blitz.core.calls import (
    FillsRead,
    PriceRead,
    ReadFills,
    ReadPrice,
    Step,
    ask,
    read_clock,
    save,
)
from blitz.core.create import Outcome, create, look_is_old
from blitz.core.diff import Cancel
from blitz.core.finish import finish_as_saved
from blitz.core.guards import Guard
from blitz.core.identity import EARLY_MS, key_of_fill, named
from blitz.core.ladder import leg_quantity
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import ZERO, BookedFill, DesiredOrder, Fill, FillKind, OrderType, Role, leg
from blitz.core.prepare import LEVERAGE_CHANGED, prepare_account
from blitz.core.preview import check_tradable
from blitz.core.records import BotEvent, Change, Cycle, CycleSaved, EventKind, EventNoted, FillBooked
from blitz.core.second_writer import in_fight
from blitz.core.work import Acted, Finish, Mode
from blitz.errors import SettingsProblem

HISTORY_MS = 7 * 24 * 3_600_000
"""How far back fills are read to explain an open position."""

BLOCKED_WAIT_MS = 5_000
"""How soon an entry that something blocks is thought of again."""

LEFT_OVER_WAIT_MS = 1_000
"""How soon an order of an earlier cycle that could not be taken back is tried again: no cycle begins before."""

NOTHING_TO_RECOVER = Acted(words=("checked_positions", "no_missing_orders"), idle=True)


def adopt_or_enter(
    memory: BotMemory, seen: Seen, mode: Mode, settled: bool, *, last_cycle: bool
) -> Step[Acted | Finish]:
    """Decide how a bot without an open cycle goes on."""
    if mode is Mode.TRADE and memory.rests and not memory.started_by_trader:
        return finish_as_saved(memory)
    if seen.position.quantity > 0:
        return (yield from _adopt(memory, seen, mode))
    if mode is not Mode.TRADE:
        return NOTHING_TO_RECOVER
    if last_cycle:
        return Finish(code="cycle_done", message="The cycle is finished and the bot has stopped, as asked.")
    now_ms = yield from read_clock()
    # An exit whose first try was never answered may still arrive, and would rest against the new position.
    doubted = any(now_ms < slot.doubted_until_ms for slot in memory.slots.values())
    doubted = doubted and memory.keeps(Guard.DOUBTED_EXITS)
    if (not settled and memory.keeps(Guard.SETTLED_FIRST)) or doubted:
        return Acted(open=True, wake_in_ms=250)
    left_over = [*seen.own.items(), *named(memory, seen.surplus)]
    if left_over and not in_fight(memory):
        # Of a cycle that was given up or forgotten: filled beside a new ladder, they would exceed it (S3).
        taken_back = yield from act(memory, [Cancel(key=key, resting=order) for key, order in left_over])
        return replace(taken_back, wake_in_ms=0 if taken_back.words else LEFT_OVER_WAIT_MS)
    return (yield from enter(memory, seen))


def enter(memory: BotMemory, seen: Seen) -> Step[Acted | Finish]:
    """Open a cycle with its market entry, or try the entry of an open one again."""
    settings = memory.cycle.settings if memory.cycle else memory.settings
    if not seen.position.hedged and seen.position.opposite_quantity > 0:
        return Finish(
            code="foreign_position",
            message=f"There is a position in the other direction on {memory.settings.symbol}, and this account keeps "
            "one position per market: an entry would eat into it. Close it or trade another market.",
            refused=True,
        )
    if memory.standing.keys() - {LEVERAGE_CHANGED}:
        return Acted(wake_in_ms=BLOCKED_WAIT_MS)
    unready = yield from prepare_account(memory, seen)
    if unready is not None:
        return unready
    price = yield from ask(ReadPrice(), PriceRead)
    if not isinstance(price, PriceRead):
        return Acted(open=True, wake_in_ms=1_000)
    try:
        check_tradable(settings, memory.instrument, price.price)
        memory.tags.check(len(settings.legs))
    except SettingsProblem as problem:
        return Finish(code="invalid_settings", message=str(problem), errors=problem.errors, refused=True)
    now_ms = yield from read_clock()
    if look_is_old(memory, now_ms):
        return Acted(open=True, wake_in_ms=0)
    if now_ms < memory.retry_ms.get(leg(0), 0):
        return Acted(wake_in_ms=memory.retry_ms[leg(0)] - now_ms)
    started: list[Change] = []
    if memory.cycle is None:
        cycle = Cycle(number=memory.last_cycle + 1, settings=settings, started_ms=now_ms)
        memory.open_cycle(cycle)
        memory.remember_earlier(seen.fills)
        event = BotEvent(kind=EventKind.CYCLE_STARTED, at_ms=now_ms, cycle=cycle.number)
        started = [EventNoted(event=event)]
    assert memory.cycle is not None
    # Saved with every try: the first one may have found the journal unable to write.
    also = [CycleSaved(cycle=memory.cycle), *started]
    quantity = leg_quantity(settings, 0, price.price, memory.instrument.step)
    outcome = yield from create(memory, _entry(memory, quantity), *also)
    if outcome is Outcome.DONE:
        return Acted(words=("created_leg_0",), open=True, wake_in_ms=0)
    waits_ms = memory.retry_ms.get(leg(0), 0) - now_ms
    return Acted(open=True, wake_in_ms=max(250, waits_ms))


def _entry(memory: BotMemory, quantity: Decimal) -> DesiredOrder:
    return DesiredOrder(key=leg(0), type=OrderType.MARKET, direction=memory.ledger.side.opening, quantity=quantity)


def _adopt(memory: BotMemory, seen: Seen, mode: Mode) -> Step[Acted | Finish]:
    """A position is open and no cycle is: go on with it if its fills are ours, else refuse (design §5)."""
    now_ms = yield from read_clock()
    history = yield from ask(ReadFills(since_ms=now_ms - HISTORY_MS), FillsRead)
    if not isinstance(history, FillsRead):
        return Acted(open=True, wake_in_ms=1_000)
    fills = since_last_flat(history.fills, memory, seen.position.quantity)
    if now_ms - memory.last_fill_ms < memory.traits.read_lag_ms + memory.traits.skew_ms:
        # Perhaps a stale read still shows the position of the cycle that was just booked.
        return Acted(open=True, wake_in_ms=250)
    keys = [key_of_fill(memory, fill) for fill in fills]
    was_booked = any(fill.exec_id in memory.booked_before for fill in fills)
    explained = not was_booked and any(key is not None and key.role is Role.LEG for key in keys)
    if not explained and memory.keeps(Guard.FOREIGN_POSITION):
        return _foreign_position(memory, seen, mode)
    if mode is Mode.RECOVER_DRY:
        return Acted(words=("checked_positions", "would_adopt_cycle"), idle=True)
    first_ms = fills[0].at_ms
    # Fills count from a moment before a cycle began. Here the first one is known, and nothing before it is the cycle's.
    cycle = Cycle(number=memory.last_cycle + 1, settings=memory.settings, started_ms=first_ms + EARLY_MS)
    booked = [BookedFill(fill=fill, cycle=cycle.number, key=key) for fill, key in zip(fills, keys, strict=True)]
    adopted = BotEvent(kind=EventKind.CYCLE_ADOPTED, at_ms=now_ms, cycle=cycle.number)
    adopted_ids = {fill.exec_id for fill in fills}
    before = [fill for fill in history.fills if fill.exec_id not in adopted_ids]
    changes = [FillBooked(booked=one) for one in booked]
    if not (yield from save(CycleSaved(cycle=cycle), *changes, EventNoted(event=adopted), durable=True)):
        memory.must_reload = True  # the answer may have been lost and not the cycle: what is stored is read again
        return Acted(open=True, wake_in_ms=1_000)
    memory.open_cycle(cycle)
    # Whatever else that history holds belongs to earlier cycles, though it may carry the same tags.
    memory.remember_earlier(before)
    memory.ledger = memory.ledger.with_all(booked)
    memory.last_fill_ms = fills[-1].at_ms
    # The journal does not know what was sent, so a leg that is missing may have filled a moment ago: reads trail.
    memory.entries_from_ms = now_ms + memory.traits.fence_ms
    return Acted(words=("adopted_cycle",), open=True, wake_in_ms=0)


def since_last_flat(fills: tuple[Fill, ...], memory: BotMemory, quantity: Decimal) -> list[Fill]:
    """The newest fills that make up a position of `quantity`, oldest first; empty when they cannot."""
    opening = memory.settings.side.opening
    made: list[Fill] = []
    lacking = quantity
    for fill in reversed(fills):
        made.append(fill)
        if fill.kind is not FillKind.FUNDING:
            lacking -= fill.quantity if fill.direction is opening else -fill.quantity
        if lacking == ZERO:
            return made[::-1]
    return []


def _foreign_position(memory: BotMemory, seen: Seen, mode: Mode) -> Acted | Finish:
    if mode is not Mode.TRADE:
        return NOTHING_TO_RECOVER
    return Finish(
        code="foreign_position",
        message=f"There already is a {memory.settings.side.value} position of {seen.position.quantity} on "
        f"{memory.settings.symbol} that this bot did not open. Close it, or trade another market; nothing was sent.",
        refused=True,
    )
