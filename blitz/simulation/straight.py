"""A bot whose calls are answered at once: the real passes on the simulated venue, without network and without faults.

For runs of very many cycles, where what matters is what the hundredth thousandth order costs and is called. It keeps
count of everything a run is judged by. `PresentStore` is its journal: it forgets what no bot reads any more, so that
neither it nor a restart grows with the number of cycles.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.core.bot import PassResult, next_look_in_ms, run_pass
from blitz.core.calls import (
    Accepted,
    Call,
    ClockRead,
    Done,
    NotSent,
    ReadClock,
    Refusal,
    Rejected,
    Reply,
    Save,
    SendOrder,
    Step,
)
from blitz.core.ladder_settings import LadderSettings
from blitz.core.memory import BotMemory, VenueTraits, recall
from blitz.core.orders import OpenOrder, OrderKey, Role
from blitz.core.records import Change, Cycle, CycleSaved, Remembered
from blitz.core.work import Mode
from blitz.simulation.journals import Kept
from blitz.simulation.tags import Tag, parsed
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.world import EPOCH_MS

POLL_MS = 1_000
CALL_MS = 20
"""How long a call to the venue takes."""
PASSES_MAX = 400
"""A bot that has not come to rest after so many passes is stuck."""
LEG_BELOW, STOPPED_ABOVE, PARTLY_RATE = 0.6, 0.97, 0.2
"""How often the price goes to the nearest leg, to the stop (else it goes to the take-profit), and fills only a part."""
FILLS_KEPT = 600
CYCLES_KEPT = 8
"""What a bot may still ask its journal for: the newest exec ids, and the cycles that may be corrected."""


class Stuck(Exception):
    """The bot does not come to rest."""


@dataclass(slots=True)
class PresentStore:
    """What one user has stored, without what is past."""

    kept: Kept = field(default_factory=Kept)

    def load(self) -> Remembered:
        """What a bot starts with."""
        self.compact()
        return self.kept.remembered()

    def save(self, changes: Sequence[Change]) -> None:
        """Carry out the changes of one save."""
        self.kept.apply(changes)

    def compact(self) -> None:
        """Forget ended cycles and fills that no bot reads any more; the newest and all open ones stay."""
        kept = self.kept
        oldest = max(kept.cycles, default=0) - CYCLES_KEPT
        kept.cycles = {
            number: cycle for number, cycle in kept.cycles.items() if number > oldest or cycle.ended_ms is None
        }
        past = [exec_id for exec_id, booked in kept.fills.items() if booked.cycle not in kept.cycles]
        for exec_id in past[: max(len(kept.fills) - FILLS_KEPT, 0)]:
            del kept.fills[exec_id]

    def empty(self) -> None:
        """Lose everything."""
        self.kept = Kept()


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a bot did, counted where it reaches venue and journal."""

    calls: int = 0
    """Everything the passes asked for, the clock and the journal included."""
    creates: int = 0
    """New orders that reached the venue …"""
    accepted: int = 0
    """… and those that it took."""
    taken: int = 0
    """Those that were refused because their id was used before."""
    restarts: int = 0
    longest_id: int = 0
    most_tries: int = 0
    """Most ids in a row that were taken before one was free."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Every other refusal of a new order, by its kind."""
    _in_a_row: Counter[OrderKey] = field(default_factory=Counter)

    def sent(self, call: SendOrder, reply: Reply) -> None:
        """A new order has reached the venue and was answered."""
        key = call.order.key
        self.creates += 1
        self.longest_id = max(self.longest_id, len(call.client_id))
        if isinstance(reply, Accepted):
            self.accepted += 1
            del self._in_a_row[key]
        elif isinstance(reply, Rejected) and reply.refusal is Refusal.TAKEN:
            self.taken += 1
            self._in_a_row[key] += 1
            self.most_tries = max(self.most_tries, self._in_a_row[key])
        elif isinstance(reply, Rejected):
            self.refusals[reply.refusal.value] += 1


@dataclass(slots=True, kw_only=True)
class StraightBot:
    """One user's bot on one account."""

    user_id: int
    venue: SimulatedVenue
    settings: LadderSettings
    store: PresentStore = field(default_factory=PresentStore)
    traits: VenueTraits = field(default_factory=VenueTraits)
    now_ms: int = EPOCH_MS
    tally: Tally = field(default_factory=Tally)
    closed: Callable[[Cycle], None] = field(default=lambda _cycle: None)
    """Told of each cycle that is stored as ended, corrected ones again."""
    dies_in: int | None = None
    """The process dies at the call that is so many further on."""
    _memory: BotMemory | None = None

    @property
    def memory(self) -> BotMemory:
        """What the bot holds in its head; read from the journal if it has just started."""
        if self._memory is None:
            self._memory = recall(
                user_id=self.user_id,
                settings=self.settings,
                instrument=self.venue.instrument,
                traits=self.traits,
                remembered=self.store.load(),
            )
        return self._memory

    def restart(self) -> None:
        """A new process: only the journal is left."""
        self._memory = None
        self.dies_in = None
        self.tally.restarts += 1

    def one_pass(self) -> PassResult | None:
        """Run a pass to its end; None when the process died in it."""
        step: Step[PassResult] = run_pass(self.memory, Mode.TRADE)
        reply: Reply | None = None
        while True:
            try:
                call = next(step) if reply is None else step.send(reply)
            except StopIteration as end:
                result: PassResult = end.value
                self.now_ms += next_look_in_ms(result, POLL_MS)
                return result
            reply = self._answer(call)
            if self._dies():
                return None

    def _dies(self) -> bool:
        if self.dies_in is None:
            return False
        self.dies_in -= 1
        if self.dies_in > 0:
            return False
        self.restart()
        return True

    def rest(self) -> PassResult:
        """Run passes until a cycle is open and nothing is left to do in it. Raises `Stuck` when that never comes."""
        for _ in range(PASSES_MAX):
            result = self.one_pass()
            if result is None:
                continue
            if result.finish is not None:
                if result.finish.refused:
                    raise Stuck(f"the bot cannot start: {result.finish.message}")
                self.restart()
                self.memory.started_by_trader = True
            elif self._rests(result):
                return result
        raise Stuck(f"no rest after {PASSES_MAX} passes: {self.memory.attention or result}")

    def _rests(self, result: PassResult) -> bool:
        """Whether a position is open and nothing waits for its turn or for an answer."""
        is_open = self.memory.cycle is not None and self.venue.on_side > 0
        return is_open and result.settled and not result.words and result.wake_in_ms is None

    def _answer(self, call: Call) -> Reply:
        self.tally.calls += 1
        if isinstance(call, ReadClock):
            return ClockRead(now_ms=self.now_ms)
        if isinstance(call, Save):
            self.store.save(call.changes)
            for change in call.changes:
                if isinstance(change, CycleSaved) and change.cycle.ended_ms is not None:
                    self.closed(change.cycle)
            return Done()
        if isinstance(call, SendOrder) and self.now_ms > call.expires_ms:
            return NotSent(reason="The decision is too old; it is made again.")
        self.now_ms += CALL_MS
        reply = self.venue.execute(call, self.now_ms)
        if isinstance(call, SendOrder):
            self.tally.sent(call, reply)
        return reply


def resting_orders(venue: SimulatedVenue) -> list[tuple[Tag, OpenOrder]]:
    """A bot's live orders by what their ids say, in the checkers' own reading."""
    read = ((parsed(order.shown.client_id), order.shown) for order in venue.live.values())
    return [(tag, shown) for tag, shown in read if tag is not None]


def drawn_price(venue: SimulatedVenue, chance: random.Random) -> Decimal:
    """Where the price goes next: to the nearest leg, the take-profit or the stop. Says how much may fill there."""
    resting = resting_orders(venue)
    legs = [price for tag, order in resting if tag.role is Role.LEG and (price := order.price) is not None]
    drawn = chance.random()
    # The price runs through a leg only when nothing of it is left.
    partly = drawn <= STOPPED_ABOVE and chance.random() < PARTLY_RATE
    share = Decimal(chance.randint(1, 9)) / 10
    if legs and drawn < LEG_BELOW:
        target = min(legs, key=lambda price: abs(price - venue.price))
    else:
        wanted = Role.STOP_LOSS if drawn > STOPPED_ABOVE else Role.TAKE_PROFIT
        exits = [order.trigger or order.price for tag, order in resting if tag.role is wanted]
        target = next((price for price in exits if price is not None), venue.price)
    step = venue.instrument.step
    venue.fill_max = max((abs(venue.held) * share / step).to_integral_value() * step, step) if partly else None
    return target


def finished(step: Generator[Call, Reply, bool], carry_out: Callable[[Call], Reply]) -> bool:
    """Run one piece of a pass to its end."""
    reply: Reply | None = None
    while True:
        try:
            call = next(step) if reply is None else step.send(reply)
        except StopIteration as end:
            return bool(end.value)
        reply = carry_out(call)
