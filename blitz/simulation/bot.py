"""A simulated bot: what `bots.user_bot` is in the real server, without its thread.

It waits for a letter or its timer, runs a pass of `core.bot`, and waits again. Each yield of a pass is a point at which
the process may be killed, before its call takes effect or after. Whatever a killed process had in flight still arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from blitz.core.bot import PassResult, next_look_in_ms, run_pass
from blitz.core.calls import (
    Call,
    ClockRead,
    Done,
    NotSaved,
    ReadClock,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    Save,
    SendOrder,
    Step,
)
from blitz.core.follow import follow_fills
from blitz.core.guards import Guard, IdPolicy
from blitz.core.ladder_settings import LadderSettings
from blitz.core.memory import BotMemory, VenueTraits, recall
from blitz.core.orders import Fill, leg
from blitz.core.records import SlotState
from blitz.core.work import Finish, Mode
from blitz.errors import DatabaseProblem
from blitz.simulation.faults import Fault
from blitz.simulation.network import NOT_SENT, Network
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.world import World

if TYPE_CHECKING:
    from blitz.simulation.server import SimulatedServer

RECOVER_TRIES = 12
RECOVER_PAUSE_MS = 250
OPEN_RETRY_MS = 2_000


class Wish(StrEnum):
    """What the trader wants of the bot; it survives every restart."""

    RUN = "run"
    LAST_CYCLE = "last_cycle"
    REST = "rest"


class Watcher:
    """Told of everything a bot does; the checkers are one. Every method may be left as it is."""

    def began(self, bot: "SimulatedBot", mode: Mode) -> None:
        """A pass begins."""

    def departs(self, bot: "SimulatedBot", call: Call) -> None:
        """A call to the venue leaves the process."""

    def answered(self, bot: "SimulatedBot", call: Call, reply: Reply) -> None:
        """The pass is handed a reply."""

    def passed(self, bot: "SimulatedBot", mode: Mode, result: PassResult) -> None:
        """A pass has come to its end."""

    def broke(self, bot: "SimulatedBot", fault: Exception) -> None:
        """A pass raised: that bot is over, which must never happen."""


@dataclass(slots=True, kw_only=True)
class SimulatedBot:
    """One user's bot. `memory` and `step` are lost with the process; the rest is the user's and the store's."""

    world: World
    server: "SimulatedServer"
    user_id: int
    venue: SimulatedVenue
    network: Network
    settings: LadderSettings
    """As the trader saved them last."""
    traits: VenueTraits
    poll_ms: int
    streams: bool = False
    """A private stream tells it of its fills, late, twice or not at all."""
    switched_off: frozenset[Guard] = frozenset()
    id_policy: IdPolicy = IdPolicy.TAG
    wish: Wish = Wish.REST
    runs: bool = False
    mode: Mode = Mode.TRADE
    recovers_left: int = 0
    started_by_trader: bool = False
    cycle_at_start: int = 0
    """The newest cycle that was stored when the trader last pressed Start."""
    memory: BotMemory | None = None
    finish: Finish | None = None
    result: PassResult = field(default_factory=PassResult)
    last_words: str = ""
    """Why the bot ended the last time."""
    busy_until_ms: int = 0
    """Until when the process stands still, or the disk takes its time, for this bot."""
    _told: list[Fill] = field(default_factory=list)
    """Fills that the stream has told of since the last pass."""
    _step: Step[PassResult] | None = None
    pass_mode: Mode = Mode.TRADE
    _token: int = 0
    """Grows with each pass and each death: a reply or a timer of before is nobody's."""
    _woken: bool = False

    @property
    def name(self) -> str:
        """How the story calls the bot."""
        return f"bot {self.user_id}"

    @property
    def state(self) -> str:
        """Where the bot stands, for the coverage."""
        memory = self.memory
        if not self.server.up:
            return "down"
        if not self.runs or memory is None:
            return "stopped"
        if memory.attention is not None:
            return "attention"
        if any(slot.state in {SlotState.INTENT, SlotState.UNKNOWN} for slot in memory.slots.values()):
            return "unanswered"
        if memory.cycle is None:
            return "flat"
        return "holding" if memory.ledger.quantity > 0 else "entering"

    def clock_ms(self) -> int:
        """The time as the bot believes it to be at the venue."""
        return self.server.venue_time.now_ms()

    # What others do to it

    def start(self, *, by_trader: bool) -> None:
        """Begin: a start by the trader, or the server resuming."""
        if by_trader:
            self.server.wants(self)
            self.cycle_at_start = self.server.store.load(self.user_id).last_cycle
        self.runs, self.mode, self.finish = True, Mode.TRADE, None
        self.started_by_trader = by_trader
        self.memory = None
        self.network.began_ms = self.world.now_ms
        self.recovers_left = 0
        self._token += 1
        self._step = None
        self._look_in(0)

    def wake(self) -> None:
        """Look now, or right after the pass that is going on."""
        self._woken = True
        if self.runs and self._step is None:
            self._look_in(0)

    def hear(self, fills: Sequence[Fill]) -> None:
        """A stream tells of fills: the exits may go with them before the look."""
        if self.streams:
            self._told += fills
        self.wake()

    def stop(self, mode: Mode) -> None:
        """End the bot in this way."""
        self.wish, self.mode = Wish.REST, mode
        self.wake()

    def recover(self) -> None:
        """Create what is missing, before the next pass."""
        self.recovers_left = RECOVER_TRIES
        self.wake()

    def die(self) -> None:
        """The process is gone, whatever it was doing."""
        self.runs, self.memory, self._step = False, None, None
        self._told.clear()
        self._token += 1

    @property
    def is_between_passes(self) -> bool:
        """Whether nothing is going on."""
        return self._step is None

    @property
    def rests(self) -> bool:
        """Whether a cycle is open and nothing is left to do in it."""
        memory, result = self.memory, self.result
        is_open = self.runs and memory is not None and memory.cycle is not None and memory.attention is None
        return is_open and result.settled and not result.words and result.wake_in_ms is None

    @property
    def waits_to_enter(self) -> bool:
        """Whether the entry was refused, and the time to try it again has not come."""
        memory = self.memory
        return self.runs and memory is not None and self.clock_ms() < memory.retry_ms.get(leg(0), 0)

    # Its own life

    def _look_in(self, delay_ms: int) -> None:
        token = self._token
        self.world.after(delay_ms, lambda: self._due(token))

    def _due(self, token: int) -> None:
        if token != self._token or not self.server.up or not self.runs or self._step is not None:
            return
        if self.server.holds_back(lambda: self._due(token)):
            return
        if self.server.draining:
            self.runs = False
            return
        self._token += 1
        self._woken = False
        if not self._opened():
            self._look_in(OPEN_RETRY_MS)
            return
        assert self.memory is not None
        self.pass_mode = self._mode_of_next_pass()
        self.server.watcher.began(self, self.pass_mode)
        self._step = self._whole_pass(self.memory)
        self._advance(None)

    def _whole_pass(self, memory: BotMemory) -> Step[PassResult]:
        """What the thread of a real bot does when it wakes: follow the stream, then look."""
        told, self._told = self._told, []
        if told and self.pass_mode is Mode.TRADE:
            yield from follow_fills(memory, told)
        return (yield from run_pass(memory, self.pass_mode, last_cycle=self.wish is Wish.LAST_CYCLE))

    def _mode_of_next_pass(self) -> Mode:
        if self.recovers_left:
            self.recovers_left -= 1
            return Mode.RECOVER
        return self.mode

    def _opened(self) -> bool:
        """Read the journal, at the start and when settings have changed between cycles."""
        memory = self.memory
        if not self.server.knows_the_time(self):
            return False
        usable = memory is not None and not memory.must_reload
        if usable and memory is not None and (memory.cycle is not None or memory.settings == self.settings):
            return True
        try:
            remembered = self.server.load(self)
        except DatabaseProblem:
            return False
        self.memory = recall(
            user_id=self.user_id,
            settings=self.settings,
            instrument=self.venue.instrument,
            traits=self.traits,
            remembered=remembered,
            switched_off=self.switched_off,
            id_policy=self.id_policy,
        )
        self.memory.started_by_trader = self.started_by_trader
        self.started_by_trader = False
        return True

    def _advance(self, reply: Reply | None) -> None:
        """Run the pass up to its next call that takes time."""
        step = self._step
        assert step is not None
        while True:
            try:
                call = next(step) if reply is None else step.send(reply)
            except StopIteration as end:
                self._step = None
                self._ended(end.value)
                return
            except Exception as fault:  # noqa: BLE001 - a pass never raises: whatever comes out of it is a finding
                self._step = None
                self.runs = False
                self.server.watcher.broke(self, fault)
                return
            answer = self._begun(call)
            if answer is None:
                return
            self.server.watcher.answered(self, call, answer)
            reply = answer

    def _begun(self, call: Call) -> Reply | None:
        """Carry out what takes no time; None when the answer comes later, or never."""
        if isinstance(call, ReadClock):
            return ClockRead(now_ms=self.clock_ms())
        if self.server.dies_now(self, Fault.KILLED):
            return None
        if isinstance(call, Save):
            return self._save(call)
        stands_still_ms = self._stands_still_ms(call)
        if not stands_still_ms:
            return self._sent(call)
        token = self._token
        self.busy_until_ms = self.world.now_ms + stands_still_ms
        self.world.after(stands_still_ms, lambda: self._goes_on(token, call))
        return None

    def _stands_still_ms(self, call: Call) -> int:
        """How long the process stands still between the decision and the sending of it."""
        if not isinstance(call, SendOrder | ReplaceOrder) or not self.world.strikes(Fault.PAUSED, 0.08):
            return 0
        self.world.coverage.note(Fault.PAUSED, self.state)
        return self.world.chance("pause").randint(200, 30_000)

    def _goes_on(self, token: int, call: Call) -> None:
        if token != self._token or not self.server.up or self._step is None:
            return
        reply = self._sent(call)
        if reply is not None:
            self.server.watcher.answered(self, call, reply)
            self._advance(reply)

    def _sent(self, call: Call) -> Reply | None:
        """Send a call on its way, unless it is an order whose decision has grown old."""
        if isinstance(call, SendOrder | ReplaceOrder) and self.clock_ms() > call.expires_ms:
            return NOT_SENT
        self.server.watcher.departs(self, call)
        token = self._token
        self.network.carry(call, self.clock_ms(), lambda reply: self._reply(token, call, reply))
        self.server.dies_now(self, Fault.KILLED_UNANSWERED)
        return None

    def _save(self, call: Save) -> Reply | None:
        saved = self.server.save(self, call)
        if self.server.dies_now(self, Fault.KILLED_UNANSWERED):
            return None
        slow_ms = self.server.slow_disk_ms(self)
        reply: Reply = Done() if saved else NotSaved(reason="The disk failed.")
        if not slow_ms:
            return reply
        token = self._token
        self.busy_until_ms = self.world.now_ms + slow_ms
        self.world.after(slow_ms, lambda: self._reply(token, call, reply))
        return None

    def _reply(self, token: int, call: Call, reply: Reply) -> None:
        if token != self._token or not self.server.up or self._step is None:
            return
        if self.server.holds_back(lambda: self._reply(token, call, reply)):
            return
        if isinstance(reply, Rejected) and reply.refusal is Refusal.CLOCK:
            self.server.ask_the_time(self)
        self.server.watcher.answered(self, call, reply)
        self._advance(reply)

    def _ended(self, result: PassResult) -> None:
        """The pass is over: go on as it says."""
        self.result = result
        self.server.watcher.passed(self, self.pass_mode, result)
        if self.pass_mode is Mode.RECOVER and (result.settled or not self.recovers_left):
            self.recovers_left = 0
            self._look_in(0)
            return
        if self.pass_mode is Mode.RECOVER:
            self._look_in(RECOVER_PAUSE_MS)
            return
        if result.finish is not None:
            self._over(result.finish)
            return
        self._look_in(0 if self._woken else next_look_in_ms(result, self.poll_ms))

    def _over(self, finish: Finish) -> None:
        self.runs, self.finish, self.last_words = False, finish, finish.code
        self.wish = Wish.REST
        self.world.tell(f"{self.name} ends: {finish.code}")
