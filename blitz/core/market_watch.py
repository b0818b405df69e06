"""Market watch: the market's rules may change while orders live, and the market may stop trading (C6, A21).

The rules are read again when an order was refused in a way that new rules would explain, every minute while the market
does not trade, and before a cycle when the last reading is hours old. New rules count at once: the next plan rounds to
them. Called by `core.bot` once per pass.
"""

from blitz.core.calls import InstrumentRead, ReadInstrument, Step, ask, save
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import plain
from blitz.core.memory import BotMemory
from blitz.core.records import BotEvent, EventKind, EventNoted

MARKET_CLOSED = "market_closed"
"""Attention code: this market does not trade."""

AGAIN_MS = 60_000
"""How often the rules of a market that does not trade are read again."""
DOUBTED_MS = 4_000
"""How often rules are read again while the venue refuses orders by them: a position may wait for its exit (L1)."""
FRESH_MS = 3_000
"""Doubted rules are read from the venue, unless somebody on this server did so this short a while ago."""
RULES_AGE_MAX_MS = 6 * 3_600_000
"""A cycle does not begin on rules older than this."""

RULES = {
    "tick": "price step",
    "step": "quantity step",
    "quantity_min": "smallest quantity",
    "quantity_max": "largest quantity",
    "notional_min": "smallest value",
    "leverage_max": "highest leverage",
}
"""The rules a trader is told about, by their names in `Instrument`."""


def watch_market(memory: BotMemory, now_ms: int) -> Step[None]:
    """Read the market's rules again if it is time, and let them count."""
    if memory.rules_read_ms is None:
        memory.rules_read_ms = now_ms  # they were read when the bot was opened
        if not memory.instrument.trading and not memory.started_by_trader:
            memory.hold(MARKET_CLOSED, _closed(memory.instrument))
    urgent = memory.rules_doubted or MARKET_CLOSED in memory.standing
    aged = memory.cycle is None and now_ms >= memory.rules_read_ms + RULES_AGE_MAX_MS
    if not (now_ms >= memory.rules_again_ms if urgent else aged):
        return
    memory.rules_again_ms = now_ms + (AGAIN_MS if MARKET_CLOSED in memory.standing else DOUBTED_MS)
    memory.rules_doubted = False
    answer = yield from ask(ReadInstrument(max_age_ms=FRESH_MS if urgent else RULES_AGE_MAX_MS), InstrumentRead)
    if isinstance(answer, InstrumentRead):
        memory.rules_read_ms = now_ms
        yield from _take_up(memory, answer.instrument, now_ms)


def _take_up(memory: BotMemory, rules: Instrument, now_ms: int) -> Step[None]:
    changes = [
        f"{word} {plain(before)} → {plain(after)}"
        for name, word in RULES.items()
        if (before := getattr(memory.instrument, name)) != (after := getattr(rules, name))
    ]
    memory.instrument = rules
    memory.hold(MARKET_CLOSED, None if rules.trading else _closed(rules))
    if not changes:
        return
    memory.retry_ms.clear()  # what was refused by the old rules is planned anew by the new ones
    told = BotEvent(
        kind=EventKind.RULES_CHANGED,
        at_ms=now_ms,
        cycle=memory.cycle.number if memory.cycle else 0,
        data={"changes": ", ".join(changes)},
    )
    yield from save(EventNoted(event=told))


def _closed(rules: Instrument) -> str:
    return (
        f"{rules.symbol} does not trade at the moment. No entry is sent; take-profit and stop-loss stay and are still "
        "tried. The bot goes on by itself when the market does; if it was delisted, close the position at the exchange."
    )
