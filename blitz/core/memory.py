"""What one bot holds in its head between passes.

`BotMemory` is built from the journal at start and changed only by the steps of a pass, in the one thread that drives
it. Whatever must survive a crash is saved before it is relied on; the rest (back-offs, second looks) may be forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import attrgetter

from blitz.core.calls import Refusal
from blitz.core.guards import Guard, IdPolicy
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ledger import Ledger
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, Fill, FillKind, OpenOrder, OrderKey, OrderType, leg
from blitz.core.records import CLOSED_KEPT, Change, ClosedCycle, Cycle, IdRegime, Remembered, Slot, SlotState
from blitz.core.tags import TagBook

FILL_OVERLAP_MS = 120_000
"""Each read of fills starts this long before the newest booked one, so that a late-listed fill is not missed."""
LATE_FILL_MS = 15 * 60_000
"""So long before and after its last fill, what else belongs to a closed cycle is looked for."""
LOOK_BACK_MS = 7 * 24 * 3_600_000
"""So far a bot's first look reaches back for it: the cycle may have ended with the bot."""


_EXEC_ID = attrgetter("exec_id")

BOOKED_BEFORE_MAX = 1_000
"""With more exec ids of earlier cycles than this, those that no read lists any more are forgotten."""

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
    amends_price: bool = True
    """A resting order's price and trigger can be changed in place; otherwise it is replaced by another one."""
    stops_carry_ids: bool = True
    """A stop-market order keeps its client id; otherwise it is known by its order id alone."""
    exits_reserve: bool = False
    """What a resting take-profit would close is reserved for it: nothing is left for a market order to close."""

    def carries_id(self, kind: OrderType) -> bool:
        """Whether an order of this type keeps its client id."""
        return self.stops_carry_ids or kind is not OrderType.STOP_MARKET

    @property
    def fence_ms(self) -> int:
        """From `Slot.sent_ms` on: after this long, an order that no read shows does not exist."""
        return self.receive_window_ms + self.skew_ms + self.read_lag_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something needs a person; the code is for programs, the sentence says what is wrong and what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReading:
    """A position that the books do not explain, as a read showed it first."""

    at_ms: int
    differ_since_ms: int | None
    """The disagreement that it belongs to."""
    quantity: Decimal
    average: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitTrouble:
    """Why an exit is not as it should be: what the venue last said to it, or that it said nothing."""

    refusal: Refusal | None
    """None: there was no answer."""
    code: str
    message: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdSearch:
    """The search for an id that is free, behind ids that are taken."""

    began_ms: int
    tries: int = 0
    """How many ids in a row were taken."""


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
    booked_before: dict[str, int] = field(default_factory=dict)
    """Exec ids that belong to earlier cycles or were there before this one, and when they happened."""
    filled_before: dict[str, Decimal] = field(default_factory=dict)
    """How much of each order those executions filled, by order id; the newest ones."""
    closed: tuple[ClosedCycle, ...] = ()
    """The newest closed cycles, newest first: fills of theirs may still be listed."""
    looked_back: bool = False
    """This run has looked for what was listed late while no bot ran."""
    must_reload: bool = False
    """What the journal holds is not certain any more: it has to be read again before the next pass."""
    entries_from_ms: int = 0
    """Before this moment no leg is sent: the cycle was adopted, and what its legs have done may not be listed yet."""
    first_listed: tuple[OpenOrder, ...] | None = None
    """What the first list of open orders showed, where one list is not enough."""
    looked_ms: int = 0
    """When the look began that this pass decides on."""
    not_found_ms: dict[OrderKey, int] = field(default_factory=dict)
    """When an order was first proved absent after its fence; the second look decides."""
    gone_ms: dict[OrderKey, int] = field(default_factory=dict)
    """When an own order was found cancelled by somebody else."""
    retry_ms: dict[OrderKey, int] = field(default_factory=dict)
    """Not before this moment is the order tried again."""
    searches: dict[OrderKey, IdSearch] = field(default_factory=dict)
    """Ids that are looked for behind taken ones; gone once one was free or an order was found."""
    exit_trouble: dict[OrderKey, ExitTrouble] = field(default_factory=dict)
    """The last refusal of an exit, or its lost answer; only told, never acted on. Gone once the exits are in order."""
    reserved: dict[OrderKey, Decimal] = field(default_factory=dict)
    """What the last look showed to be reserved by orders of others, per exit."""
    cancelling: set[str] = field(default_factory=set)
    """Order ids we asked to cancel ourselves."""
    attention: Attention | None = None
    standing: dict[str, Attention] = field(default_factory=dict)
    """What looks show to be wrong with account or market, by code: it blocks entries until a look shows it right."""
    hedged: bool | None = None
    """The account's position mode when this run first saw the open cycle's position."""
    account_read_ms: int | None = None
    """When the account's setup was last asked for."""
    leverage_tries: int = 0
    """How often the leverage was set and the venue went on showing another one."""
    rules_read_ms: int | None = None
    """When the market's rules were last asked for."""
    rules_again_ms: int = 0
    """Not before this moment are doubted rules read again."""
    rules_doubted: bool = False
    """An order was refused in a way that new rules of the market would explain."""
    refused: dict[OrderKey, str] = field(default_factory=dict)
    """The refusal that the trader was told last for an order that still lacks."""
    watched_since_ms: int | None = None
    """When this run first looked for orders of another writer."""
    order_ids: dict[str, None] = field(default_factory=dict)
    """Ids of orders under our tags that were seen, oldest first; a dictionary, because it keeps its order."""
    levels: dict[str, set[Decimal | None]] = field(default_factory=dict)
    """Prices or triggers that we gave each listed order."""
    shown: dict[str, Decimal | None] = field(default_factory=dict)
    """Where the last look showed each of them."""
    stranger_ms: tuple[int, ...] = ()
    """When orders under our tags appeared that we did not send."""
    moved_ms: tuple[int, ...] = ()
    """When an order of ours lay where we never put it."""
    streamed: dict[str, Fill] = field(default_factory=dict)
    """Fills that a stream told of and no read has shown yet, by exec id. In no books; the exits follow them."""
    unsaved: list[Change] = field(default_factory=list)
    """What was done while exits followed a stream; the next look writes it."""
    disagree_since_ms: int | None = None
    """Since when position and fills do not agree."""
    unexplained: PositionReading | None = None
    prepared: bool = False
    """Margin mode and leverage were set and accepted for the coming cycle."""
    rests: bool = False
    """The journal says that this bot should not run: it enters nothing."""
    started_by_trader: bool = False
    """The trader just pressed Start: a cycle that ended while the bot was off is booked, and the next one begins."""
    closing_by_trader: bool = False
    """The trader asked for the position to be closed at market in this cycle."""
    switched_off: frozenset[Guard] = frozenset()
    """Always empty, but for a simulator that proves each guard to be needed."""

    id_policy: IdPolicy = IdPolicy.TAG
    """Another one only for a simulator that compares them."""

    def keeps(self, guard: Guard) -> bool:
        """Whether this guard is in force: in every real bot, each of them is."""
        return guard not in self.switched_off

    def slot(self, key: OrderKey) -> Slot:
        """The slot of `key`, empty if it was never used."""
        return self.slots.get(key) or Slot(key=key, symbol=self.tags.symbol)

    def put(self, slot: Slot) -> None:
        """Remember a slot that was saved. One whose order is alive has found its id."""
        self.slots[slot.key] = slot
        if slot.state is SlotState.LIVE:
            self.searches.pop(slot.key, None)

    @property
    def busy_slots(self) -> Mapping[OrderKey, Slot]:
        """Slots whose order may be alive."""
        return {key: slot for key, slot in self.slots.items() if slot.state is not SlotState.EMPTY}

    @property
    def is_bare(self) -> bool:
        """Whether a position may be open that is to have an exit, and none is known to rest."""
        if self.cycle is None or any(self.slot(key).state is SlotState.LIVE for key in (TAKE_PROFIT, STOP_LOSS)):
            return False
        if self.cycle.settings.take_profit == 0 and self.cycle.settings.stop_loss == 0:
            return False
        return self.ledger.quantity > 0 or self.slot(leg(0)).state is not SlotState.EMPTY

    def fills_since_ms(self, now_ms: int) -> int:
        """Where the next read of fills starts; without an open cycle only the last moments matter.

        When the books differ for long, a fill is missing: then it is looked for from the cycle's beginning.
        """
        reach_ms = LATE_FILL_MS if self.looked_back else LOOK_BACK_MS
        closed_ms = [closed.last_fill_ms for closed in self.closed if now_ms < closed.last_fill_ms + reach_ms]
        late_ms = [last_fill_ms - LATE_FILL_MS for last_fill_ms in closed_ms]
        return min([self._open_since_ms(now_ms) - FILL_OVERLAP_MS, *late_ms])

    def _open_since_ms(self, now_ms: int) -> int:
        if self.cycle is None:
            return now_ms
        is_missing_one = self.attention is not None and self.attention.code == BOOKS_DIFFER
        return self.cycle.started_ms if is_missing_one else max(self.last_fill_ms, self.cycle.started_ms)

    def open_cycle(self, cycle: Cycle) -> None:
        """Begin a cycle with empty books."""
        self.cycle = cycle
        self.last_cycle = cycle.number
        self.ledger = Ledger(side=cycle.settings.side)
        self.closing_by_trader = False
        self.started_by_trader = False
        self.hedged = self.account_read_ms = None
        self.streamed.clear()
        self.gone_ms.clear()
        self.retry_ms.clear()
        self.refused.clear()
        self.exit_trouble.clear()

    def is_of_closed_cycle(self, order_id: str) -> bool:
        """Whether fills of this order are in the books of a cycle that is over: a stale list may still show it."""
        return any(order_id in closed.order_ids for closed in self.closed)

    @property
    def ids_enforced(self) -> bool:
        """Whether a second live order under one id is refused: what the venue says of itself, until it is disproved."""
        return self.traits.ids_enforced and self.regime is not IdRegime.UNENFORCED

    def unbooked(self, fills: Sequence[Fill]) -> list[Fill]:
        """Those that are in no books yet. A look reads the last two minutes again and again: almost always none."""
        by_id = dict(zip(map(_EXEC_ID, fills), fills, strict=True))
        unknown = by_id.keys() - self.ledger.seen
        if self.keeps(Guard.EARLIER_FILLS):
            unknown -= self.booked_before.keys()
        return [fill for exec_id, fill in by_id.items() if exec_id in unknown] if unknown else []

    def remember_earlier(self, fills: Iterable[Fill]) -> None:
        """These executions belong to earlier cycles. Reads reach back two minutes: what is far older is forgotten."""
        earlier = [fill for fill in fills if fill.exec_id not in self.booked_before]
        self.booked_before |= {fill.exec_id: fill.at_ms for fill in earlier}
        for fill in (each for each in earlier if each.kind is not FillKind.FUNDING):
            self.filled_before[fill.order_id] = self.filled_before.get(fill.order_id, ZERO) + fill.quantity
        if len(self.booked_before) > BOOKED_BEFORE_MAX:
            oldest_ms = max(self.booked_before.values()) - 2 * FILL_OVERLAP_MS
            self.booked_before = {name: at_ms for name, at_ms in self.booked_before.items() if at_ms >= oldest_ms}
            self.filled_before = dict(list(self.filled_before.items())[-BOOKED_BEFORE_MAX:])

    def close_cycle(self, booked: Cycle) -> None:
        """Forget the cycle that was booked, but not which fills were in it."""
        if self.ledger.first_fill_ms is not None:
            closed = ClosedCycle(
                cycle=booked,
                first_fill_ms=self.ledger.first_fill_ms,
                last_fill_ms=self.last_fill_ms,
                exec_ids=frozenset(self.ledger.seen),
                order_ids=frozenset(one.fill.order_id for one in self.ledger.booked),
            )
            self.closed = (closed, *self.closed)
        self.closed = tuple(each for each in self.closed if each.cycle.number > booked.number - CLOSED_KEPT)
        self.cycle = None
        self.remember_earlier(one.fill for one in self.ledger.booked)
        self.cancelling.clear()
        self.prepared = False

    def hold(self, code: str, message: str | None) -> None:
        """Let an attention stand, or end it when `message` is None."""
        if message is not None:
            self.standing[code] = self.attention = Attention(code=code, message=message)
        elif self.standing.pop(code, None) is not None and self.attention and self.attention.code == code:
            self.calm()

    def calm(self) -> None:
        """Nothing that was refused is in the way any more: only what stands is left to tell."""
        self.attention = next(reversed(self.standing.values()), None)


def recall(
    *,
    user_id: int,
    settings: LadderSettings,
    instrument: Instrument,
    traits: VenueTraits,
    remembered: Remembered,
    switched_off: frozenset[Guard] = frozenset(),
    id_policy: IdPolicy = IdPolicy.TAG,
) -> BotMemory:
    """Build the memory from what the journal kept. Only a simulator switches guards off
    or chooses another id policy.

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
        rests=remembered.rests,
        last_fill_ms=remembered.last_fill_ms,
        regime=remembered.regime,
        booked_before=dict.fromkeys(remembered.recent_exec_ids, remembered.last_fill_ms),
        switched_off=switched_off,
        id_policy=id_policy,
        closed=remembered.closed,
    )
    memory.ledger = memory.ledger.with_all(remembered.fills)
    for slot in remembered.slots:
        if slot.symbol == in_force.symbol:
            died_waiting = slot.state is SlotState.INTENT
            memory.put(replace(slot, state=SlotState.UNKNOWN) if died_waiting else slot)
    return memory
