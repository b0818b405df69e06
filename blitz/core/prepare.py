"""Prepare: before each entry, margin mode and leverage are set and what the venue shows is compared with it.

A venue that says "done" and goes on showing another leverage never gets an entry: sizes are margin times leverage, so
the position would not be what the trader budgeted. A venue that shows none at all is believed. Called by `core.begin`.
"""

from decimal import Decimal

from blitz.core.calls import (
    Done,
    PositionRead,
    PrepareAccount,
    ReadPosition,
    Refusal,
    Rejected,
    Step,
    Unknown,
    ask,
)
from blitz.core.ladder_settings import plain
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import VenuePosition
from blitz.core.refusals import ATTENTION, attention_for
from blitz.core.work import Acted, Finish

LEVERAGE_CHANGED = "leverage_changed"
"""Attention code: the venue shows another leverage than the cycle has, or is to have."""

PASSING = frozenset({Refusal.LIMIT, Refusal.CLOCK})
"""Refusals that say nothing about the account: the same call is made again a moment later."""

PARKING = frozenset({Refusal.KEY, Refusal.CLOSED_MARKET})
"""Refusals that end by themselves or by a new key: the bot waits, it does not end."""

TRIES_BEFORE_TELLING = 3
"""A position that was read too early may still show the old leverage."""
AGAIN_MS = 2_000
PARKED_MS = 30_000


def prepare_account(memory: BotMemory, seen: Seen) -> Step[Acted | Finish | None]:
    """Answer None once the venue shows what the coming cycle needs, else how the bot goes on."""
    settings = memory.cycle.settings if memory.cycle else memory.settings
    shown_before = shows_leverage(seen.position, settings.leverage)
    if memory.prepared and shown_before:
        _ready(memory)
        return None
    answer = yield from ask(PrepareAccount(), Done)
    if not isinstance(answer, Done):
        return _not_prepared(memory, answer)
    memory.prepared = True
    if shown_before:
        _ready(memory)
        return None
    again = yield from ask(ReadPosition(), PositionRead)
    if not isinstance(again, PositionRead) or again.position.quantity != seen.position.quantity:
        return Acted(open=True, wake_in_ms=AGAIN_MS)
    if shows_leverage(again.position, settings.leverage):
        _ready(memory)
        return None
    return _still_different(memory, again.position, settings.leverage)


def shows_leverage(position: VenuePosition, leverage: Decimal) -> bool:
    """Say whether a position contradicts `leverage`; one that shows none contradicts nothing."""
    return position.leverage in {0, leverage}


def _ready(memory: BotMemory) -> None:
    memory.leverage_tries = 0
    memory.hold(LEVERAGE_CHANGED, None)


def _still_different(memory: BotMemory, position: VenuePosition, leverage: Decimal) -> Acted:
    memory.prepared = False
    memory.leverage_tries += 1
    if memory.leverage_tries < TRIES_BEFORE_TELLING:
        return Acted(open=True, wake_in_ms=AGAIN_MS)
    memory.hold(
        LEVERAGE_CHANGED,
        f"The exchange says that leverage {plain(leverage)} is set on {memory.settings.symbol}, and shows "
        f"{plain(position.leverage)}. No entry is sent until it shows what was set; look at the leverage at the "
        "exchange, or choose the one it has under Settings.",
    )
    return Acted(open=True, wake_in_ms=PARKED_MS)


def _not_prepared(memory: BotMemory, answer: Rejected | Unknown) -> Acted | Finish:
    """Nobody answered, the answer passes by itself, or the account really cannot be set up so."""
    if isinstance(answer, Unknown) or answer.refusal in PASSING:
        return Acted(open=True, wake_in_ms=AGAIN_MS)
    if answer.refusal in PARKING:
        assert answer.refusal in ATTENTION
        memory.attention = attention_for(answer.refusal, answer.code, answer.message)
        return Acted(open=True, wake_in_ms=PARKED_MS)
    return Finish(
        code="account_mode",
        message=f"The exchange refuses to set {memory.settings.margin_mode.value} margin and leverage "
        f"{memory.settings.leverage} on {memory.settings.symbol} ({answer.code}: {answer.message}). Nothing was "
        "sent; close other positions and orders on this market or choose the values the account already has.",
        refused=True,
    )
