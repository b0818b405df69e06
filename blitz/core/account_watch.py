"""Account watch: notices that somebody changed leverage, margin mode or position mode under an open cycle (C7).

What the looks show is held against the cycle's frozen settings. A difference is told and keeps new legs back; exits go
on, because they are for what is really held. Set back, the attention ends by itself. Nothing is ever changed at the
exchange from here. Called by `core.bot` once per pass.
"""

from blitz.core.calls import AccountRead, ReadAccount, Step, ask
from blitz.core.ladder_settings import LadderSettings, MarginMode, plain
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.prepare import LEVERAGE_CHANGED, shows_leverage

ACCOUNT_MODE = "account_mode"
"""Attention code: the account is set up in another way than the bot needs."""
MARGIN_MODE_CHANGED = "margin_mode_changed"
"""Attention code: the account's margin mode is not the open cycle's any more."""

MARGIN_MODE_EVERY_MS = 60_000
"""How often the margin mode is asked for: no position shows it."""


def watch_account(memory: BotMemory, seen: Seen, now_ms: int) -> Step[None]:
    """Hold the account against the open cycle; without a position, the next entry sets it up anew."""
    cycle = memory.cycle
    if cycle is None or seen.position.quantity == 0:
        memory.hold(ACCOUNT_MODE, None)
        memory.hold(MARGIN_MODE_CHANGED, None)
        return
    if memory.hedged is None:
        memory.hedged = seen.position.hedged
    memory.hold(LEVERAGE_CHANGED, _leverage_sentence(seen, cycle.settings))
    memory.hold(ACCOUNT_MODE, _position_mode_sentence(memory.hedged, seen))
    if memory.account_read_ms is None:
        memory.account_read_ms = now_ms  # a cycle's first moments belong to its exits
    if now_ms < memory.account_read_ms + MARGIN_MODE_EVERY_MS:
        return
    memory.account_read_ms = now_ms
    answer = yield from ask(ReadAccount(), AccountRead)
    if isinstance(answer, AccountRead):
        memory.hold(MARGIN_MODE_CHANGED, _margin_mode_sentence(answer.margin_mode, cycle.settings))


def _leverage_sentence(seen: Seen, settings: LadderSettings) -> str | None:
    if shows_leverage(seen.position, settings.leverage):
        return None
    return (
        f"Leverage on {settings.symbol} was changed to {plain(seen.position.leverage)}; this cycle was planned with "
        f"{plain(settings.leverage)}. No leg is sent; take-profit and stop-loss go on. Set it back to "
        f"{plain(settings.leverage)} at the exchange, or let the cycle end: the next one sets its own."
    )


def _position_mode_sentence(hedged: bool, seen: Seen) -> str | None:
    if hedged is seen.position.hedged:
        return None
    present = "hedge" if seen.position.hedged else "one-way"
    return (
        f"The account was switched to {present} mode while a cycle is open. No leg is sent; take-profit and stop-loss "
        "go on. Switch it back at the exchange, or let the cycle end."
    )


def _margin_mode_sentence(present: MarginMode | None, settings: LadderSettings) -> str | None:
    if present is settings.margin_mode:
        return None
    named = present.value if present else "one that is neither cross nor isolated"
    return (
        f"The account's margin mode was changed to {named}; this cycle was planned with {settings.margin_mode.value}, "
        "and the price of a liquidation moves with it. No leg is sent; take-profit and stop-loss go on. Set it back "
        "at the exchange, or let the cycle end: the next one sets its own."
    )
