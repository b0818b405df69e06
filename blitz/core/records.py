"""What a bot remembers, and the changes it asks its journal to write.

A pass never writes a database: it yields `Save(changes)` (see `core.calls`) and the thread, or a simulator, carries
it out in one transaction. Everything here can be written as text and read back to an equal value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import ZERO, BookedFill, Direction, OrderKey, OrderType


class IdRegime(StrEnum):
    """How a venue account treats a client order id that was used before; learnt from its answers."""

    UNLEARNT = "unlearnt"
    """No proof yet: the documented pattern is tried first."""
    REUSABLE = "reusable"
    """An id may be used again once its order is done."""
    NEVER = "never"
    """A used id stays taken for ever: every new order of a tag takes the next generation at once."""
    UNENFORCED = "unenforced"
    """Two live orders were seen under one id: the venue refuses no id, so an exit without an answer waits too."""


class SlotState(StrEnum):
    """Where the one order of a tag stands."""

    EMPTY = "empty"
    """No order of this tag can be alive."""
    INTENT = "intent"
    """About to be sent, or sent and not answered yet. Read back after a crash it means `UNKNOWN`."""
    UNKNOWN = "unknown"
    """Sent, and the answer never came: it may be alive."""
    LIVE = "live"
    """Accepted; the venue's order id is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The one order that a tag may have, and the generation of the last id it used (S1, S14)."""

    key: OrderKey
    symbol: str
    """As stored in the settings of the cycle: part of the tag."""
    state: SlotState = SlotState.EMPTY
    generation: int = 0
    used: bool = False
    """The venue is known to have had an order with the id of `generation`."""
    burnt: bool = False
    """The id of `generation` is known to be taken for good; it is never sent again."""
    client_id: str = ""
    order_id: str = ""
    """The venue's id of the order this slot stands for; empty while it is not known. Without an answer to a replacement
    it is still the order that was to be replaced: what rests is that one or the one of `client_id`, or neither."""
    last_order_id: str = ""
    """The venue's id of the tag's order before this one: an old order under a reused id is not the new one."""
    cycle: int = 0
    type: OrderType = OrderType.LIMIT
    direction: Direction = Direction.BUY
    quantity: Decimal = ZERO
    """Total quantity of the order as last sent or amended, its filled part included."""
    price: Decimal | None = None
    trigger: Decimal | None = None
    sent_ms: int = 0
    """Exchange-side bound: the order left this machine no later than this, or not at all."""
    doubted_until_ms: int = 0
    """Until when an earlier try of an exit, sent again without its answer, may still turn up under the same id."""

    @property
    def is_unanswered(self) -> bool:
        """Whether something was sent, or nearly, and what became of it is not known."""
        return self.state in {SlotState.INTENT, SlotState.UNKNOWN}


class CycleEnd(StrEnum):
    """Why a cycle ended."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    CLOSED_BY_TRADER = "closed_by_trader"
    """Closed at market by the stop button with `{"position": "close"}`."""
    CLOSED_EXTERNALLY = "closed_externally"
    """Somebody closed the position outside this server."""
    LIQUIDATED = "liquidated"
    NOT_ENTERED = "not_entered"
    """The entry never filled."""
    GIVEN_UP = "given_up"
    """Booked as far as it was known, and nothing cancelled: position and fills did not agree and the trader stopped the
    bot, or the trader gave up a cycle that no bot was to go on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One cycle, from leg 0 to flat again, with its frozen settings."""

    number: int
    """1, 2, 3 … per user."""
    settings: LadderSettings
    started_ms: int
    ended_ms: int | None = None
    end: CycleEnd | None = None
    realised: Decimal = ZERO
    """Quote currency, before fees and funding."""
    fees: Decimal = ZERO
    """Positive is paid."""
    funding: Decimal = ZERO
    """Positive is paid."""
    legs_filled: int = 0
    """How many legs, leg 0 included, had a fill."""

    @property
    def profit(self) -> Decimal:
        """What the cycle left in the account."""
        return self.realised - self.fees - self.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedCycle:
    """A cycle that was booked not long ago, and what is needed to know a late fill of it."""

    cycle: Cycle
    first_fill_ms: int
    last_fill_ms: int
    """Times of the venue."""
    exec_ids: frozenset[str]
    """Every fill that is booked into it."""
    order_ids: frozenset[str] = frozenset()
    """The venue's ids of the orders that those fills are of: a stale list may show one as resting."""


CLOSED_KEPT = 3
"""The newest so many numbers may still be corrected: short cycles follow each other faster than a fee is listed."""


class EventKind(StrEnum):
    """What happened, for the trader's feed. Each kind has its sentence in the page's language."""

    STARTED = "started"
    STOPPED = "stopped"
    RESUMED = "resumed"
    CYCLE_STARTED = "cycle_started"
    LEG_FILLED = "leg_filled"
    CYCLE_CLOSED = "cycle_closed"
    TRADED_BY_HAND = "traded_by_hand"
    """Somebody traded on the bot's position outside this server."""
    LIQUIDATED = "liquidated"
    """The venue took the position, or a part of it, because its margin was used up."""
    DELEVERAGED = "deleveraged"
    """The venue took a part of the position by auto-deleveraging."""
    FUNDING = "funding"
    CYCLE_CORRECTED = "cycle_corrected"
    """A fill of a closed cycle was listed late, and its figures were set right."""
    ORDER_PLACED = "order_placed"
    ORDER_MOVED = "order_moved"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_GONE = "order_gone"
    """An own order was cancelled by somebody else."""
    ORDER_ADOPTED = "order_adopted"
    CYCLE_ADOPTED = "cycle_adopted"
    RECOVERED = "recovered"
    RULES_CHANGED = "rules_changed"
    """The market's price step, quantity step or limits are others than before."""
    ATTENTION = "attention"
    ATTENTION_OVER = "attention_over"
    UNPROTECTED = "unprotected"
    """A position has been without certain protection for too long."""
    PROTECTED_AGAIN = "protected_again"
    """That is over: every exit rests again, or the position is closed."""
    CYCLE_GIVEN_UP = "cycle_given_up"
    """The trader gave the cycle up; what lies at the exchange was left as it is."""
    ACCOUNT_CHANGED = "account_changed"
    """A cycle has ended on the account before, and the settings name another one for the next."""
    FAILED = "failed"
    WENT_LIVE = "went_live"
    """The trader confirmed with the password that the bot may trade real money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotEvent:
    """One line of the trader's feed. `data` holds strings only, never a secret."""

    kind: EventKind
    at_ms: int
    cycle: int = 0
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSaved:
    """Write this slot; it replaces the row of its tag."""

    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSaved:
    """Write this cycle; it replaces the row of its number."""

    cycle: Cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBooked:
    """Book this fill; an `exec_id` that is already booked changes nothing (S6)."""

    booked: BookedFill


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeLearnt:
    """Remember how this account treats used ids."""

    regime: IdRegime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNoted:
    """Add a line to the trader's feed."""

    event: BotEvent


Desired = Literal["running", "stopped", "after_cycle"]
"""What is wanted of a bot: run, rest, or finish the cycle and rest. A restart acts on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSaved:
    """Remember what is wanted of the bot from now on.

    A cycle after which no other may follow is saved together with the wish to rest: a process that is killed in between
    would else resume the bot, which would enter again.
    """

    desired: Desired
    at_ms: int


RowChange = SlotSaved | CycleSaved | FillBooked | RegimeLearnt | EventNoted
"""A change that writes a row of its own."""
Change = RowChange | DesiredSaved


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a journal hands a bot when it starts."""

    slots: tuple[Slot, ...]
    """Every slot of this account, whatever its symbol."""
    cycle: Cycle | None
    """The cycle that has not ended, if any."""
    fills: tuple[BookedFill, ...]
    """The fills of that cycle, oldest first; without one, empty."""
    last_cycle: int
    """Number of the newest cycle, 0 when there was none."""
    last_fill_ms: int
    """Time of the newest booked fill of this account, 0 when there was none."""
    regime: IdRegime
    recent_exec_ids: tuple[str, ...] = ()
    """Exec ids of the newest booked fills of this account, a few hundred: reads overlap, booking must not."""
    closed: tuple[ClosedCycle, ...] = ()
    """The newest closed cycles that had fills, newest first."""
    rests: bool = False
    """The bot should not run: its last cycle ended for good, or its trader stopped it."""
