"""Drives the real passes against the scripted venue, with a journal in memory and a kill at any yield."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.core.bot import PassResult, next_look_in_ms, run_pass
from blitz.core.calls import Call, Done, NotSaved, Reply, Save, SendOrder
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.look import LISTED_ONCE
from blitz.core.memory import BotMemory, VenueTraits, recall
from blitz.core.orders import Role
from blitz.core.records import (
    BotEvent,
    Change,
    EventKind,
    EventNoted,
    Remembered,
    SlotState,
)
from blitz.core.work import Finish, Mode
from blitz.simulation.journals import Kept
from blitz.simulation.ladders import BTC
from tests.core.ladders import LONG
from tests.core.scripted_venue import ScriptedVenue

USER = 7
PASSES_MAX = 300


class Killed(Exception):
    """The process died at this yield."""


@dataclass(slots=True)
class MemoryJournal(Kept):
    """Keeps what a bot saves, as the database would; what is kept of it is the simulator's, which is held to SQLite."""

    events: list[BotEvent] = field(default_factory=list)
    fail_next: int = 0
    fails: Callable[[Save], bool] = field(default=lambda call: False)
    """Every save that this takes fails, and nothing of it is stored."""
    unanswered: Callable[[Save], bool] = field(default=lambda call: False)
    """The next save that this takes is stored, and the writer is told that it failed."""
    durable: list[Change] = field(default_factory=list)
    """What no power cut takes."""

    def save(self, call: Save) -> Reply:
        """Write all or nothing."""
        if self.fail_next or self.fails(call):
            self.fail_next = max(self.fail_next - 1, 0)
            return NotSaved(reason="The disk is full.")
        self.apply(call.changes)
        self.events += [change.event for change in call.changes if isinstance(change, EventNoted)]
        self.durable += call.changes if call.durable else ()
        if self.unanswered(call):
            self.unanswered = lambda call: False
            return NotSaved(reason="The disk failed after the commit.")
        return Done()

    def load(self) -> Remembered:
        """Everything a bot needs to go on."""
        return self.remembered()


@dataclass(slots=True, kw_only=True)
class Rig:
    """A bot, its venue and its journal. `kill_at` counts yields from 1; `applied` says what the last call did."""

    settings: LadderSettings = LONG
    venue: ScriptedVenue = field(default_factory=ScriptedVenue)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    instrument: Instrument = BTC
    traits: VenueTraits = field(default_factory=VenueTraits)
    mode: Mode = Mode.TRADE
    last_cycle: bool = False
    kill_at: int = 0
    applied: bool = False
    restarts_always: bool = False
    patience_ms: int = 0
    """Reads may be this stale: only a second rest after this long is a rest."""
    yields: int = 0
    memory: BotMemory = field(init=False)
    last: PassResult = field(default_factory=PassResult)
    finish: Finish | None = None

    def __post_init__(self) -> None:
        self.venue.side = self.settings.side
        self.venue.leverage_asked = self.settings.leverage
        self.venue.margin_mode = self.settings.margin_mode
        self.restart()

    def restart(self) -> None:
        """Build the memory anew from the journal, as after a kill."""
        self.memory = recall(
            user_id=USER,
            settings=self.settings,
            instrument=self.instrument,
            traits=self.traits,
            remembered=self.journal.load(),
        )

    def run_pass(self, mode: Mode | None = None) -> PassResult:
        """One pass, driven to its end; where a bot looks twice before its first decision, both looks."""
        if self.restarts_always or self.memory.must_reload:
            self.restart()
        result = self._run_pass(mode)
        return self._run_pass(mode) if result.trouble == LISTED_ONCE else result

    def _run_pass(self, mode: Mode | None) -> PassResult:
        step = run_pass(self.memory, mode or self.mode, last_cycle=self.last_cycle)
        reply: Reply | None = None
        while True:
            try:
                call = next(step) if reply is None else step.send(reply)
            except StopIteration as end:
                result: PassResult = end.value
                self.last = result
                self.finish = result.finish or self.finish
                return result
            reply = self._carry_out(call)

    def _carry_out(self, call: Call) -> Reply:
        self.yields += 1
        dies = self.yields == self.kill_at
        if dies and not self.applied:
            raise Killed
        if isinstance(call, SendOrder):
            self._assert_durable_intent(call)
        reply = self.journal.save(call) if isinstance(call, Save) else self.venue.execute(call)
        if dies:
            raise Killed
        return reply

    def _assert_durable_intent(self, call: SendOrder) -> None:
        """No entry is sent that the journal does not know (S8)."""
        if call.order.key.role is Role.LEG:
            slot = self.journal.slots[self.memory.tags.symbol, call.order.key]
            assert slot.client_id == call.client_id
            assert slot.state is SlotState.INTENT

    def rest(self, mode: Mode | None = None) -> PassResult:
        """Run passes, letting time go by as they ask, until nothing is left to do or the bot ends."""
        rests_since_ms: int | None = None
        for _ in range(PASSES_MAX):
            try:
                result = self.run_pass(mode)
            except Killed:
                self.kill_at = 0
                self.restart()
                continue
            rests = result.settled and result.wake_in_ms is None
            rests_since_ms = (rests_since_ms or self.venue.now_ms) if rests else None
            if result.finish is not None or (rests_since_ms and self.venue.now_ms >= rests_since_ms + self.patience_ms):
                return result
            self.venue.now_ms += (result.wake_in_ms or 10) if not rests else self.patience_ms
        raise AssertionError(f"never comes to rest: {self.last}")

    def live(self, milliseconds: int) -> None:
        """Let time go by as a bot would, a second at most between two passes."""
        until_ms = self.venue.now_ms + milliseconds
        while self.venue.now_ms < until_ms:
            result = self.run_pass()
            self.venue.now_ms += max(10, next_look_in_ms(result, 1_000))

    def go(self, price: str) -> PassResult:
        """Move the price, let a second pass, and let the bot come to rest."""
        self.venue.now_ms += 1_000
        self.venue.move(price)
        return self.rest()

    def tag(self, name: str) -> str:
        """The documented tag, such as `leg_1` or `tp`."""
        return f"sm_{name}_{USER}_BTCUSDTUSDT"

    def quantities(self) -> dict[str, Decimal]:
        """What rests: tag name and remaining quantity."""
        return {self._name(self.venue.name(order)): order.remaining for order in self.venue.resting()}

    def _name(self, client_id: str) -> str:
        parsed = self.memory.tags.read(client_id)
        return str(parsed[0]) if parsed else "foreign"

    def sent(self, name: str) -> list[SendOrder]:
        """Every order of a key that was sent, in order."""
        return [call for call in self.venue.calls if isinstance(call, SendOrder) and str(call.order.key) == name]

    def kinds(self) -> Sequence[EventKind]:
        """The trader's feed, kinds only."""
        return [event.kind for event in self.journal.events]
