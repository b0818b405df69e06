"""Ten thousand cycles in a row on one symbol, at a venue where a used id stays taken for ever.

What is judged: no tag gets stuck, an order costs one create, generations and ids stay within their bounds, and the
last cycle costs the bot no more than the first. The market is cheap: the price jumps straight to the nearest leg or to
an exit, as the seed says, sometimes filling only a part. An early and the last tenth of a run are made of the same
draws, so the work of the two can be compared, in lines of the core.

Called by `run.py simulate` and by the tests.
"""

import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from blitz.core.bot import PassResult
from blitz.core.calls import Refusal
from blitz.core.create import STRIDES
from blitz.core.ladder_settings import DEFAULT_SETTINGS, GridRow, LadderSettings
from blitz.core.memory import BOOKED_BEFORE_MAX
from blitz.core.orders import Side
from blitz.core.records import Cycle, SlotState
from blitz.core.tags import GENERATION_MAX
from blitz.simulation.ladders import XRP
from blitz.simulation.lines import Lines
from blitz.simulation.straight import StraightBot, Stuck, drawn_price, resting_orders
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import VenueIds

CREATES_PER_ORDER_MAX = 1.05
WORK_GROWTH_MAX = 1.05
"""A later cycle may cost this much more than an early one."""
MEASURED_MAX = 100
"""So many cycles at either end are counted line by line: that is slow."""
TRIES_MAX = len(STRIDES)
EXEC_IDS_MAX = BOOKED_BEFORE_MAX + 500
WARM_UP = 8
"""The first cycles are not measured: what the bot remembers of earlier ones is still growing to its bound."""
PAUSE_MS = 45_000
"""How long the price stands still in the course of a cycle."""
START_PRICE = Decimal("0.5214")
MOVES_MAX = 200
"""A cycle with more moves of the price than this does not end."""
RESTART_EVERY = 3
VIOLATIONS_MAX = 20
SETTINGS = LadderSettings(
    exchange=DEFAULT_SETTINGS.exchange,
    symbol=XRP.symbol,
    side=Side.LONG,
    leverage=Decimal(10),
    margin_mode=DEFAULT_SETTINGS.margin_mode,
    grids=tuple(GridRow(amount=Decimal(amount), gap=Decimal("0.5")) for amount in (40, 60, 100, 150)),
    rounds=4,
    take_profit=Decimal(5),
    stop_loss=Decimal(40),
    repeat=True,
    mode=DEFAULT_SETTINGS.mode,
)


class Course(StrEnum):
    """What else happens on the way."""

    STEADY = "steady"
    RESTARTED = "restarted"
    """The process dies at any call of a pass, every third cycle."""
    EMPTIED = "emptied"
    """Half way, the database is lost."""
    FORGOTTEN = "forgotten"
    """Half way, the database is lost, and the venue forgets what became of the old orders, but not their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclesFound:
    """What a run of many cycles came to."""

    course: Course
    cycles: int
    seconds: float
    violations: tuple[str, ...]
    orders: int
    """New orders that the venue took."""
    creates: int
    """New orders that reached it."""
    searched: int
    """Creates of those whose id was taken after the database was lost."""
    most_tries: int
    """Most taken ids in a row before a free one."""
    search_ms: int
    """How long, in simulated time, the ladder took to be complete after the database was lost."""
    restarts: int
    generation: int
    longest_id: int
    exec_ids: int
    """Most exec ids of earlier cycles that the bot held."""
    slots: int
    lines_early: float
    """Lines of the core that ran per cycle in an early tenth …"""
    lines_late: float
    """… and in the last."""
    parts: int
    """Fills that left something of their order."""

    @property
    def creates_per_order(self) -> float:
        """What an order costs, the search after a lost database left aside."""
        return (self.creates - self.searched) / self.orders if self.orders else 0.0

    @property
    def work_growth(self) -> float:
        """How much more the last tenth costs than an early one."""
        return self.lines_late / self.lines_early if self.lines_early else 1.0

    @property
    def line(self) -> str:
        """Everything in one line."""
        return (
            f"{self.course.value}: {self.cycles} cycles, {self.orders} orders, {self.creates} creates "
            f"({self.creates_per_order:.4f} per order, {self.searched} more in search), generation {self.generation}, "
            f"longest id {self.longest_id}, most tries {self.most_tries} of {TRIES_MAX}, search {self.search_ms} ms, "
            f"{self.restarts} restarts, {self.exec_ids} exec ids and {self.slots} slots held, {self.lines_early:.0f} "
            f"lines per cycle early and {self.lines_late:.0f} late (x{self.work_growth:.3f}), {self.parts} "
            f"partial fills, {len(self.violations)} violations, {self.seconds:.1f} s"
        )


@dataclass(slots=True)
class CyclesRun:
    """One bot on one account, cycle after cycle."""

    count: int
    course: Course
    seed: int
    bot: StraightBot = field(init=False)
    violations: list[str] = field(default_factory=list)
    ended: int = 0
    lines: dict[bool, list[int]] = field(default_factory=lambda: {False: [], True: []})
    exec_ids: int = 0
    searched: int = 0
    search_ms: int = 0
    parts: int = 0

    def __post_init__(self) -> None:
        venue = SimulatedVenue(
            instrument=XRP,
            side=SETTINGS.side,
            ids=VenueIds.NEVER,
            price=START_PRICE,
            leverage=SETTINGS.leverage,
            wanted_leverage=SETTINGS.leverage,
            wanted_margin_mode=SETTINGS.margin_mode,
        )
        self.bot = StraightBot(user_id=7, venue=venue, settings=SETTINGS, closed=self._closed)

    def run(self) -> CyclesFound:
        """Live through all cycles, or up to the first that does not end."""
        began = time.perf_counter()
        try:
            for number in range(self.count):
                self._one(number)
        except Stuck as stuck:
            self._wrong(str(stuck))
        return self._judged(time.perf_counter() - began)

    @property
    def _tenth(self) -> int:
        return max(self.count // 10, 1)

    def _one(self, number: int) -> None:
        """One cycle, from its entry to flat."""
        late = number >= self.count - self._tenth
        place = number - (self.count - self._tenth if late else WARM_UP)
        chance = random.Random(f"{self.seed}:cycle {place}")
        if (late or number < WARM_UP + self._tenth) and 0 <= place < MEASURED_MAX:
            lines = Lines()
            with lines.counting():
                self._live(number, chance)
            self.lines[late].append(lines.count)
        else:
            self._live(number, chance)
        self.bot.now_ms += PAUSE_MS
        if number % 50 == 0:
            self.bot.store.compact()

    def _live(self, number: int, chance: random.Random) -> None:
        bot, ended = self.bot, self.ended
        if number == self.count // 2 and self.course in {Course.EMPTIED, Course.FORGOTTEN}:
            self._lose_the_database()
        elif self.course is Course.RESTARTED and number % RESTART_EVERY == 0:
            bot.dies_in = chance.randint(1, 90)
        for _ in range(MOVES_MAX):
            self._check(bot.rest())
            self._move(chance)
            if bot.venue.on_side <= 0:
                break
        else:
            raise Stuck(f"cycle {number} does not end")
        bot.venue.move(START_PRICE, bot.now_ms)
        self._close(ended, number)

    def _close(self, ended: int, number: int) -> None:
        """Let the bot book the cycle; the next one begins with the next pass."""
        for _ in range(MOVES_MAX):
            if self.ended > ended:
                break
            self.bot.one_pass()
        else:
            raise Stuck(f"cycle {number} is flat and is not booked")
        if self.ended != ended + 1:
            self._wrong(f"cycle {number} was booked {self.ended - ended} times")
        self.exec_ids = max(self.exec_ids, len(self.bot.memory.booked_before))

    def _lose_the_database(self) -> None:
        bot = self.bot
        bot.store.empty()
        bot.restart()
        if self.course is Course.FORGOTTEN:
            bot.venue.forgets_before_ms = bot.now_ms
        bot.now_ms += 10_000
        taken, since_ms = bot.tally.taken, bot.now_ms
        bot.rest()
        self.searched = bot.tally.taken - taken
        self.search_ms = bot.now_ms - since_ms

    def _move(self, chance: random.Random) -> None:
        """Bring the price to the nearest leg or to an exit, and let all of it fill or a part."""
        venue, bot = self.bot.venue, self.bot
        bot.now_ms += 200
        before = len(venue.fills)
        venue.move(drawn_price(venue, chance), bot.now_ms)
        self.parts += sum(venue.orders[fill.order_id].shown.remaining > 0 for fill in venue.fills[before:])

    def _check(self, result: PassResult) -> None:
        """At rest: every tag that should has its order, none waits for an answer, and nothing needs a person."""
        memory = self.bot.memory
        rests = sorted(tag.place[:2] for tag, _ in resting_orders(self.bot.venue))
        wanted = sorted((order.key.role, order.key.leg) for order in result.wanted)
        if rests != wanted:
            self._wrong(f"at rest there are {rests}, wanted are {wanted}")
        open_fates = [
            str(key) for key, slot in memory.slots.items() if slot.state in {SlotState.INTENT, SlotState.UNKNOWN}
        ]
        if open_fates:
            self._wrong(f"at rest the fate of {open_fates} is open")
        if memory.attention is not None:
            self._wrong(f"at rest the bot needs attention: {memory.attention.code}")

    def _closed(self, cycle: Cycle) -> None:
        self.ended += 1
        if len(self.bot.memory.slots) > len(cycle.settings.legs) + 2:
            self._wrong(f"{len(self.bot.memory.slots)} slots for {len(cycle.settings.legs)} legs")

    def _wrong(self, what: str) -> None:
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"after {self.ended} cycles: {what}")

    def _judged(self, seconds: float) -> CyclesFound:
        memory, tally = self.bot.memory, self.bot.tally
        early, late = self.lines[False], self.lines[True]
        found = CyclesFound(
            course=self.course,
            cycles=self.ended,
            seconds=seconds,
            violations=(),
            orders=tally.accepted,
            creates=tally.creates,
            searched=self.searched,
            most_tries=tally.most_tries,
            search_ms=self.search_ms,
            restarts=tally.restarts,
            generation=max((slot.generation for slot in memory.slots.values()), default=0),
            longest_id=tally.longest_id,
            exec_ids=self.exec_ids,
            slots=len(memory.slots),
            lines_early=sum(early) / len(early) if early else 0.0,
            lines_late=sum(late) / len(late) if late else 0.0,
            parts=self.parts,
        )
        self._check_bounds(found)
        return replace(found, violations=tuple(self.violations))

    def _check_bounds(self, found: CyclesFound) -> None:
        bounds = (
            ("cycles", self.count - found.cycles, 0),
            ("creates per order", found.creates_per_order, CREATES_PER_ORDER_MAX),
            ("characters of an id", found.longest_id, self.bot.traits.id_length_max),
            ("generation", found.generation, GENERATION_MAX),
            ("tries for a free id", found.most_tries, TRIES_MAX),
            ("exec ids held", found.exec_ids, EXEC_IDS_MAX),
            ("work of a late cycle", found.work_growth if self.course is Course.STEADY else 1, WORK_GROWTH_MAX),
        )
        for name, value, most in bounds:
            if value > most:
                self._wrong(f"{name}: {value}, at most {most} is right")
        if any(self.bot.memory.tags.read(name) is None for name in self.bot.venue.used_ids):
            self._wrong("an id was sent that its own bot cannot read")
        # A stop that comes after its trigger was passed is refused by right; the bot then closes at market.
        refusals = {name: times for name, times in self.bot.tally.refusals.items() if name != Refusal.TRIGGER_PASSED}
        if refusals:
            self._wrong(f"new orders were refused: {refusals}")


def run_cycles(count: int, course: Course = Course.STEADY, seed: int = 1) -> CyclesFound:
    """Run `count` cycles in a row."""
    return CyclesRun(count=count, course=course, seed=seed).run()


def run_courses(count: int, *, workers: int | None = None) -> tuple[CyclesFound, ...]:
    """Run `count` cycles in each course, on all cores."""
    with ProcessPoolExecutor(max_workers=workers) as pool:
        return tuple(pool.map(run_cycles, [count] * len(Course), list(Course)))
