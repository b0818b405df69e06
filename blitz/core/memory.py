"""What one bot holds in its head between passes.

`BotMemory` is built from the journal at start and changed only by the steps of a pass, in the one thread that drives
it. Whatever must survive a crash is saved before it is relied on; the rest (back-offs, second looks) may be forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from blitz.core.calls import Refusal
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ledger import Ledger
from blitz.core.orders import OrderKey
from blitz.core.records import Cycle, IdRegime, Remembered, Slot, SlotState
from blitz.core.tags import TagBook

FILL_OVERLAP_MS = 120_000
"""Each read of fills starts this long before the newest booked one, so that a late-listed fill is not missed."""


BOOKS_DIFFER = "books_differ"
"""Attention code: position and fills have contradicted each other for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTraits:
    """What the order protocol must know of a venue. Times in milliseconds."""

    id_length_max: int = 36
    receive_window_ms: int = 5_000
    """A signed request is refused once it is older than this."""
    skew_ms: int = 1_000
    """How far our idea of the venue's clock may be off."""
    read_lag_ms: int = 2_000
    """How long an accepted order may stay invisible to reads."""
    send_within_ms: int = 1_000
    """An intent older than this is not sent any more."""
    ids_enforced: bool = True
    """The venue refuses a second live order with the same client id, so an exit may be re-sent at once."""

    @property
    def fence_ms(self) -> int:
        """From `Slot.sent_ms` on: after this long, an order that no read shows does not exist."""
        return self.receive_window_ms + self.skew_ms + self.read_lag_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Entries are blocked; the code is for programs, the sentence tells the trader what is wrong and what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitTrouble:
    """Why an exit is not as it should be: what the venue last said to it, or that it said nothing."""

    refusal: Refusal | None
    """None: there was no answer."""
    code: str
    message: str
    at_ms: int


@dataclass(slots=True, kw_only=True)
class BotMemory:
    """One bot's state on one market. Everything in it belongs to the thread that drives the bot."""

    user_id: int
    settings: LadderSettings
    """For the next cycle; a running cycle uses the ones frozen in it."""
    instrument: Instrument
    traits: VenueTraits
    tags: TagBook
    ledger: Ledger
    slots: dict[OrderKey, Slot] = field(default_factory=dict)
    cycle: Cycle | None = None
    last_cycle: int = 0
    last_fill_ms: int = 0
    regime: IdRegime = IdRegime.UNLEARNT
    booked_before: set[str] = field(default_factory=set)
    """Exec ids that belong to earlier cycles or were there before this one."""
    not_found_ms: dict[OrderKey, int] = field(default_factory=dict)
    """When an order was first proved absent after its fence; the second look decides."""
    doubted_until_ms: dict[OrderKey, int] = field(default_factory=dict)
    """Until when an exit that was sent again without waiting may still turn up from its first, unanswered try."""
    gone_ms: dict[OrderKey, int] = field(default_factory=dict)
    """When an own order was found cancelled by somebody else."""
    retry_ms: dict[OrderKey, int] = field(default_factory=dict)
    """Not before this moment is the order tried again."""
    exit_trouble: dict[OrderKey, ExitTrouble] = field(default_factory=dict)
    """The last refusal of an exit, or its lost answer; only told, never acted on. Gone once the exits are in order."""
    cancelling: set[str] = field(default_factory=set)
    """Order ids we asked to cancel ourselves."""
    attention: Attention | None = None
    disagree_since_ms: int | None = None
    """Since when position and fills do not agree."""
    prepared: bool = False
    """Margin mode and leverage were set and accepted in this run."""
    started_by_trader: bool = False
    """The trader just pressed Start: a cycle that ended while the bot was off is booked, and the next one begins."""
    closing_by_trader: bool = False
    """The trader asked for the position to be closed at market in this cycle."""

    def slot(self, key: OrderKey) -> Slot:
        """The slot of `key`, empty if it was never used."""
        return self.slots.get(key) or Slot(key=key, symbol=self.tags.symbol)

    def put(self, slot: Slot) -> None:
        """Remember a slot that was saved."""
        self.slots[slot.key] = slot

    @property
    def busy_slots(self) -> Mapping[OrderKey, Slot]:
        """Slots whose order may be alive."""
        return {key: slot for key, slot in self.slots.items() if slot.state is not SlotState.EMPTY}

    def fills_since_ms(self, now_ms: int) -> int:
        """Where the next read of fills starts; without an open cycle only the last moments matter.

        When the books differ for long, a fill is missing: then it is looked for from the cycle's beginning.
        """
        if self.cycle is None:
            return now_ms - FILL_OVERLAP_MS
        is_missing_one = self.attention is not None and self.attention.code == BOOKS_DIFFER
        newest_ms = self.cycle.started_ms if is_missing_one else max(self.last_fill_ms, self.cycle.started_ms)
        return newest_ms - FILL_OVERLAP_MS

    def open_cycle(self, cycle: Cycle) -> None:
        """Begin a cycle with empty books."""
        self.cycle = cycle
        self.last_cycle = cycle.number
        self.ledger = Ledger(side=cycle.settings.side)
        self.closing_by_trader = False
        self.started_by_trader = False
        self.gone_ms.clear()
        self.retry_ms.clear()
        self.exit_trouble.clear()

    def close_cycle(self) -> None:
        """Forget the cycle that was booked, but not which fills were in it."""
        self.cycle = None
        self.booked_before = set(self.ledger.seen)
        self.cancelling.clear()


def recall(
    *, user_id: int, settings: LadderSettings, instrument: Instrument, traits: VenueTraits, remembered: Remembered
) -> BotMemory:
    """Build the memory from what the journal kept.

    An intent read back means that the process died between saving and hearing the answer: it is `UNKNOWN` (D1).
    """
    cycle = remembered.cycle
    in_force = cycle.settings if cycle else settings
    memory = BotMemory(
        user_id=user_id,
        settings=settings,
        instrument=instrument,
        traits=traits,
        tags=TagBook(user_id=user_id, symbol=in_force.symbol, length_max=traits.id_length_max),
        ledger=Ledger(side=in_force.side),
        cycle=cycle,
        last_cycle=remembered.last_cycle,
        last_fill_ms=remembered.last_fill_ms,
        regime=remembered.regime,
        booked_before=set(remembered.recent_exec_ids),
    )
    memory.ledger.book_all(remembered.fills)
    for slot in remembered.slots:
        if slot.symbol == in_force.symbol:
            died_waiting = slot.state is SlotState.INTENT
            memory.put(replace(slot, state=SlotState.UNKNOWN) if died_waiting else slot)
    return memory
