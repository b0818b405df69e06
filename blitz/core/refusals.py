"""Refusals: what follows when the venue refuses something: how long it waits, who waits with it, what a trader is told.

One order that cannot be placed never holds up the others (A20); its reason is told once and not with every try. What
is too small to be closed by an order is told as dust (C5). Called by whatever sends orders, and by `core.bot`.
"""

from blitz.core.calls import Refusal, Rejected, Reply, Unknown
from blitz.core.guards import Guard
from blitz.core.ladder_settings import plain
from blitz.core.memory import Attention, BotMemory, ExitTrouble
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

RETRY_AFTER_MS = {
    Refusal.MARGIN: 30_000,
    Refusal.FILTER: 60_000,
    Refusal.CLOSED_MARKET: 30_000,
    Refusal.KEY: 60_000,
    Refusal.ACCOUNT: 60_000,
    Refusal.OTHER: 15_000,
    Refusal.LIMIT: 2_000,
    Refusal.CLOCK: 1_000,
    Refusal.NO_POSITION: 500,
    Refusal.TRIGGER_PASSED: 500,
    Refusal.GONE: 500,
}
"""How long an order waits after each kind of refusal, so that no refusal becomes a busy loop."""

EXIT_RETRY_MS = 2_000
"""A refused exit waits no longer than this: whatever stood in the way may be over, and a position is waiting."""

KEY_REJECTED_CODE = "key_rejected"
"""Attention code: the exchange refuses the API key."""

KEY_REJECTED = (
    "The exchange refuses the API key ({code}: {message}). Orders already resting stay; check the key under Account."
)
ACCOUNT_MODE = (
    "The account is set up in a way that stops this bot ({code}: {message}). Nothing was changed; set it right at the "
    "exchange."
)
MARKET_CLOSED = "This market does not trade at the moment ({code}: {message}). The bot goes on by itself when it does."
ATTENTION = {
    Refusal.KEY: (KEY_REJECTED_CODE, KEY_REJECTED),
    Refusal.ACCOUNT: ("account_mode", ACCOUNT_MODE),
    Refusal.CLOSED_MARKET: ("market_closed", MARKET_CLOSED),
}


def attention_for(refusal: Refusal, code: str, message: str) -> Attention | None:
    """The reason to block entries that follows from a refusal, if one does."""
    if refusal not in ATTENTION:
        return None
    word, sentence = ATTENTION[refusal]
    return Attention(code=word, message=sentence.format(code=code, message=message))


def hold_off(memory: BotMemory, key: OrderKey, refusal: Refusal, now_ms: int) -> None:
    """A refused order waits before it is tried again; what protects a position waits least (L1)."""
    if not memory.keeps(Guard.BACK_OFF):
        return
    wait_ms = RETRY_AFTER_MS.get(refusal, RETRY_AFTER_MS[Refusal.OTHER])
    if key.role is not Role.LEG and not is_dust(memory):
        wait_ms = min(wait_ms, EXIT_RETRY_MS)
    memory.retry_ms[key] = now_ms + wait_ms


def raise_attention(memory: BotMemory, key: OrderKey, reply: Rejected) -> None:
    """Tell the trader of a refusal that needs a person; whatever else was told is told no more."""
    memory.rules_doubted |= reply.refusal in {Refusal.FILTER, Refusal.CLOSED_MARKET}
    attention = attention_for(reply.refusal, reply.code, reply.message)
    if attention is None and reply.refusal is Refusal.MARGIN:
        attention = Attention(
            code=NO_MARGIN,
            message=f"There is not enough margin for {name_of(key)} ({reply.code}: {reply.message}). What rests stays; "
            "add margin or use smaller amounts. The bot tries again every 30 seconds.",
        )
    if attention is None and key == OrderKey(role=Role.LEG):
        attention = Attention(
            code="entry_refused",
            message=f"The exchange refuses the entry ({reply.code}: {reply.message}). The bot tries again by itself.",
        )
    attention = attention or attention_of_order(memory, key, reply)
    if attention is not None:
        memory.attention = attention


def name_of(key: OrderKey) -> str:
    """An order's name within a sentence, such as "leg 2"."""
    exits = {Role.TAKE_PROFIT: "the take-profit", Role.STOP_LOSS: "the stop-loss"}
    return exits.get(key.role, f"leg {key.leg}")


def remember_trouble(memory: BotMemory, key: OrderKey, reply: Reply, now_ms: int) -> None:
    """Keep why an exit is not as it should be, so that whoever asks why a position is bare is told the cause."""
    if key.role is Role.LEG:
        return
    if isinstance(reply, Rejected):
        memory.exit_trouble[key] = ExitTrouble(
            refusal=reply.refusal, code=reply.code, message=reply.message, at_ms=now_ms
        )
    elif isinstance(reply, Unknown):
        memory.exit_trouble[key] = ExitTrouble(refusal=None, code="", message=reply.reason, at_ms=now_ms)


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
