"""What a pass saw of a position's protection, and the cause when something lacks, read from facts that the core has.

Called by a bot's thread after each pass. It decides nothing and sends nothing; the sentences are for the trader.
"""

from decimal import Decimal

from blitz.bots.protection import NOT_LOOKED, Cause, CauseCode, Cover, Protection, Sight, unread
from blitz.core.bot import PassResult
from blitz.core.calls import Refusal
from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.ledger import Ledger
from blitz.core.look import BOOKS_DISAGREE, JOURNAL_UNWRITTEN, Seen
from blitz.core.memory import BotMemory, ExitTrouble
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, OpenOrder, OrderKey, Role
from blitz.core.records import Remembered, Slot, SlotState

NAMES = {TAKE_PROFIT: "take-profit", STOP_LOSS: "stop-loss"}

NOT_OURS = Cause(code=CauseCode.NOT_OURS, said="This bot did not open the position and does not protect it.")
SWITCHED_OFF = Cause(
    code=CauseCode.SWITCHED_OFF, said="Take-profit and stop-loss are both switched off in the settings."
)
DIFFER = Cause(code=CauseCode.BOOKS_DIFFER, said="The exchange's position is not what the bot's fills add up to.")
UNWRITTEN = Cause(
    code=CauseCode.JOURNAL_UNWRITTEN, said="The server's database cannot be written, so the bot decides nothing."
)


def sight_of(memory: BotMemory, result: PassResult, venue_ms: int) -> Sight:
    """What this pass saw. `venue_ms` is the exchange's time, which the memory counts in."""
    if result.seen is None:
        return Sight(cover=Cover.UNKNOWN, quantity=_may_be_open(memory), cause=_why_unread(result))
    seen = result.seen
    quantity = seen.position.quantity
    if quantity == 0:
        return Sight(cover=Cover.NO_POSITION)
    if memory.cycle is None or memory.ledger.quantity <= 0:
        return Sight(cover=Cover.UNPROTECTED, quantity=quantity, cause=NOT_OURS)
    wanted = exits_wanted(memory.cycle.settings)
    if not wanted:
        return Sight(cover=Cover.UNPROTECTED, quantity=quantity, cause=SWITCHED_OFF)
    lacking = [key for key in wanted if not _covers(seen.own.get(key), quantity)]
    if not lacking:
        return Sight(cover=Cover.PROTECTED, quantity=quantity)
    mended = all({f"created_{key}", f"moved_{key}"} & set(result.words) for key in lacking)
    cause = _why_lacking(memory, lacking, seen, venue_ms)
    return Sight(cover=Cover.UNPROTECTED, quantity=quantity, cause=cause, is_mended=mended)


def exits_wanted(settings: LadderSettings) -> list[OrderKey]:
    """The exits that these settings ask for."""
    wanted = {TAKE_PROFIT: settings.take_profit != 0, STOP_LOSS: settings.stop_loss != 0}
    return [key for key, is_wanted in wanted.items() if is_wanted]


def remembered_as(before: Protection, remembered: Remembered, now_ms: int) -> Protection:
    """Before the first look: what the journal knows to be open is unknown, not flat."""
    cycle = remembered.cycle
    if cycle is None or before.cover is not Cover.UNSEEN:
        return before
    ledger = Ledger(side=cycle.settings.side).with_all(remembered.fills)
    in_flight = _in_flight([slot for slot in remembered.slots if slot.symbol == cycle.settings.symbol])
    return unread(before, NOT_LOOKED, since_ms=now_ms, quantity=max(ledger.quantity, Decimal(0)) or in_flight)


def unreachable(reason: str) -> Cause:
    """The exchange does not answer, or not with what a look needs."""
    return Cause(code=CauseCode.EXCHANGE_UNREAD, said=f"The exchange cannot be read: {reason.rstrip('.')}.")


def _may_be_open(memory: BotMemory) -> Decimal:
    """The position that our books know, or else what an entry in flight may have opened."""
    if memory.ledger.quantity > 0:
        return memory.ledger.quantity
    return _in_flight(list(memory.slots.values()))


def _in_flight(slots: list[Slot]) -> Decimal:
    return sum(
        (slot.quantity for slot in slots if slot.key.role is Role.LEG and slot.state is not SlotState.EMPTY), Decimal(0)
    )


def _why_unread(result: PassResult) -> Cause:
    if result.refusal is Refusal.KEY:
        return Cause(
            code=CauseCode.KEY_REJECTED,
            said=f"The exchange refuses the API key ({result.trouble}), so the bot cannot look at the position.",
        )
    if result.trouble == BOOKS_DISAGREE:
        return DIFFER
    if result.trouble == JOURNAL_UNWRITTEN:
        return UNWRITTEN
    return unreachable(result.trouble or "the look was not finished")


def _covers(resting: OpenOrder | None, quantity: Decimal) -> bool:
    return resting is not None and resting.remaining == quantity


def _why_lacking(memory: BotMemory, lacking: list[OrderKey], seen: Seen, venue_ms: int) -> Cause:
    """The cause of the first exit that lacks; that the other one lacks too is added."""
    first = lacking[0]
    cause = _why(memory, first, seen, venue_ms)
    if len(lacking) == 1:
        return cause
    others = " and ".join(NAMES[key] for key in lacking[1:])
    return Cause(code=cause.code, said=f"{cause.said} The {others} does not rest for the whole position either.")


def _why(memory: BotMemory, key: OrderKey, seen: Seen, venue_ms: int) -> Cause:
    name, quantity, resting = NAMES[key], seen.position.quantity, seen.own.get(key)
    trouble, gone_ms = memory.exit_trouble.get(key), memory.gone_ms.get(key)
    if trouble is not None and (gone_ms is None or trouble.at_ms >= gone_ms):
        return _troubled(memory, name, trouble, quantity)
    slot = memory.slot(key)
    if slot.state in {SlotState.INTENT, SlotState.UNKNOWN} or venue_ms < slot.doubted_until_ms:
        return _unanswered(name, "")
    if memory.attention is not None and memory.attention.code == CauseCode.IDS_AMBIGUOUS:
        return Cause(code=CauseCode.IDS_AMBIGUOUS, said=memory.attention.message)
    if gone_ms is not None and resting is None:
        said = f"The {name} was cancelled at the exchange, and not by this bot, which places it again by itself."
        return Cause(code=CauseCode.CANCELLED_BY_HAND, said=said)
    if memory.closing_by_trader:
        return Cause(code=CauseCode.CLOSING, said="The position is being closed at market, as asked.")
    if resting is not None:
        said = f"The {name} rests for {plain(resting.remaining)} of {plain(quantity)} and is being moved."
        return Cause(code=CauseCode.BEING_MOVED, said=said)
    return Cause(code=CauseCode.BEING_PLACED, said=f"No {name} rests yet; it is being placed.")


def _troubled(memory: BotMemory, name: str, trouble: ExitTrouble, quantity: Decimal) -> Cause:
    """The exchange refused the exit, or its answer was lost."""
    if trouble.refusal is None:
        return _unanswered(name, trouble.message)
    words = f"{trouble.code}: {trouble.message}"
    smallest = memory.instrument.quantity_min
    if quantity < smallest:
        said = (
            f"The position of {plain(quantity)} is smaller than the exchange's minimum of {plain(smallest)}: "
            f"it refuses the {name} ({words})."
        )
        return Cause(code=CauseCode.TOO_SMALL, said=said)
    if trouble.refusal is Refusal.KEY:
        said = f"The exchange refuses the API key ({words}), so the {name} cannot be placed."
        return Cause(code=CauseCode.KEY_REJECTED, said=said)
    if trouble.refusal is Refusal.CLOSED_MARKET:
        said = f"The market is closed ({words}); the {name} is placed when it trades again."
        return Cause(code=CauseCode.MARKET_CLOSED, said=said)
    return Cause(code=CauseCode.REFUSED, said=f"The exchange refuses the {name} ({words}). It is tried again.")


def _unanswered(name: str, reason: str) -> Cause:
    told = f"The exchange did not answer to the {name}"
    if reason:
        told = f"The exchange did not answer to the {name} ({reason.rstrip('.')})"
    said = f"{told}; it is being looked up and sent again."
    return Cause(code=CauseCode.UNANSWERED, said=said)
