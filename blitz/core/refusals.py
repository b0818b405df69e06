"""Refusals: what a trader is told when the venue refuses one order of a ladder, and which other orders wait with it.

One order that cannot be placed never holds up the others (A20); its reason is told once and not with every try. What
is too small to be closed by an order is told as dust (C5). Called by `core.act` and `core.bot`.
"""

from blitz.core.calls import Refusal, Rejected
from blitz.core.ladder_settings import plain
from blitz.core.memory import Attention, BotMemory
from blitz.core.orders import OrderKey, Role, leg

LEG_REFUSED = "leg_refused"
"""Attention code: the venue does not take a leg as it is."""
EXIT_REFUSED = "exit_refused"
"""Attention code: the venue does not take an exit as it is."""
NO_MARGIN = "insufficient_margin"
"""Attention code: there is no margin for an order."""
DUST = "dust"
"""Attention code: the position is too small for any order the venue takes."""

BY_RULES = frozenset({Refusal.FILTER, Refusal.OTHER})
"""Refusals that mean this very order, rather than the account or the moment."""
NAMES = {Role.TAKE_PROFIT: "take-profit", Role.STOP_LOSS: "stop-loss"}


def is_news(memory: BotMemory, key: OrderKey, reply: Rejected) -> bool:
    """Say whether the trader has not been told yet that this order is refused for this reason."""
    if memory.refused.get(key) == reply.code:
        return False
    memory.refused[key] = reply.code
    return True


def deeper_legs_wait(memory: BotMemory, key: OrderKey, until_ms: int) -> None:
    """What lies behind a leg that found no margin is not tried before it: margin belongs to the nearest first (A19)."""
    if memory.cycle is None or key.role is not Role.LEG:
        return
    for index in range(key.leg + 1, len(memory.cycle.settings.legs)):
        memory.retry_ms[leg(index)] = max(until_ms, memory.retry_ms.get(leg(index), 0))


def attention_of_order(memory: BotMemory, key: OrderKey, reply: Rejected) -> Attention | None:
    """What to tell of one order that the venue does not take as it is; None when the refusal is not about that."""
    if reply.refusal not in BY_RULES:
        return None
    said = f"{reply.code}: {reply.message}"
    if key.role is Role.LEG:
        return Attention(
            code=LEG_REFUSED,
            message=f"The exchange refuses leg {key.leg} ({said}). The other orders go on without it; it is tried "
            "again every minute at most, and the reason is its own: price band, smallest or largest order.",
        )
    if is_dust(memory):
        return Attention(code=DUST, message=_dust(memory))
    return Attention(
        code=EXIT_REFUSED,
        message=f"The exchange refuses the {NAMES[key.role]} ({said}), so it does not cover the position of "
        f"{plain(memory.ledger.quantity)}. It is tried again every two seconds; look at the position at the "
        "exchange.",
    )


def forget_orders(memory: BotMemory) -> None:
    """The cycle is over, and with it what was told of its orders."""
    if memory.attention is not None and memory.attention.code in {LEG_REFUSED, EXIT_REFUSED, NO_MARGIN, DUST}:
        memory.hold(DUST, None)
        memory.calm()


def is_dust(memory: BotMemory) -> bool:
    """Say whether what is held is less than an order may be. An order that closes may be of any worth."""
    return memory.cycle is not None and 0 < memory.ledger.quantity < memory.instrument.quantity_min


def watch_dust(memory: BotMemory) -> None:
    """Less than one step of quantity cannot even be asked for: nobody refuses it, so it is told from here."""
    held = memory.ledger.quantity
    unaskable = memory.cycle is not None and 0 < held < memory.instrument.step
    memory.hold(DUST, _dust(memory) if unaskable else None)


def dust_sentence(memory: BotMemory) -> str | None:
    """The sentence about dust that was told last, None when there is none."""
    told = memory.attention
    return told.message if told is not None and told.code == DUST else None


def _dust(memory: BotMemory) -> str:
    symbol = memory.cycle.settings.symbol if memory.cycle else memory.settings.symbol
    return (
        f"{plain(memory.ledger.quantity)} of {symbol} is left, less than the exchange takes an order for. It costs "
        "nothing to leave it; to be rid of it use the exchange's own button that closes a position. The cycle ends by "
        "itself once nothing is held, and Stop works at any time."
    )
