"""A million cycles, and our books equal the venue's to the last digit.

Most cycles take the short way: the simulated venue trades (legs filled in parts, take-profits in parts, stops, trades
of somebody else, auto-deleveraging, funding, liquidation), and what it lists is booked as a pass books it, by
`core.look.book_new`, `core.late_fills.book_late` and `core.finish.booked_cycle`, without the rest of the pass. A share
of the cycles goes through whole passes (`core.bot`). The venue keeps its books apart (`venue_books`); after each
look quantity, cost, profit, fees and funding are compared, at each end those of the cycle, and at last the sums of an
account of many cycles. All comparisons are `==` on Decimals. Called by `run.py simulate` and by the tests.
"""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal

from blitz.core.orders import ZERO, Direction
from blitz.core.records import Cycle
from blitz.simulation.book_figures import ROUNDS_MAX, BooksFound, Figures, drawn_venue, figures_of
from blitz.simulation.book_short_way import ShortWay
from blitz.simulation.endurance_cycles import SETTINGS
from blitz.simulation.straight import StraightBot, Stuck, drawn_price

CYCLES_PER_ACCOUNT = 50
"""So many cycles are summed up, and then forgotten with their account."""
ACCOUNTS_PER_CHUNK = 10
PASSES_EVERY = 100
"""Every so many accounts, one goes through whole passes."""


@dataclass(slots=True)
class WholePasses:
    """One account whose bot runs whole passes, while market, venue and somebody else trade as above."""

    number: int
    found: BooksFound
    chance: random.Random = field(init=False)
    bot: StraightBot = field(init=False)
    base_price: Decimal = field(init=False)
    closed: dict[int, Cycle] = field(default_factory=dict)
    _kinds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"books {self.number}")
        venue, instrument = drawn_venue(self.chance, self.number)
        self.base_price = venue.price
        settings = replace(SETTINGS, symbol=instrument.symbol, side=venue.side)
        self.bot = StraightBot(user_id=self.number + 1, venue=venue, settings=settings, closed=self._booked)

    def run(self, cycles: int) -> None:
        """Live through some cycles, then compare the sums."""
        venue = self.bot.venue
        try:
            for number in range(1, cycles + 1):
                self._cycle(number)
        except Stuck as stuck:
            self.found.same(f"account {self.number}", str(stuck), "nothing to say")
        self.found.same(f"account {self.number}, all {cycles} cycles by passes", self._sum(), figures_of(venue))
        self.found.accounts += 1
        self.found.fills += len(venue.fills)

    def _sum(self) -> Figures:
        cycles = self.closed.values()
        realised = sum((cycle.realised for cycle in cycles), ZERO)
        return realised, sum((cycle.fees for cycle in cycles), ZERO), sum((cycle.funding for cycle in cycles), ZERO)

    def _cycle(self, number: int) -> None:
        bot, venue = self.bot, self.bot.venue
        self._kinds = set()
        for _ in range(ROUNDS_MAX):
            bot.rest()
            bot.now_ms += self.chance.randint(200, 30_000)
            self._turn()
            if venue.held == 0:
                break
        else:
            venue.trade_by_hand(venue.side.closing, abs(venue.held), bot.now_ms)
        venue.move(self.base_price, bot.now_ms)
        for _ in range(ROUNDS_MAX):
            if number in self.closed:
                break
            bot.one_pass()
        self.found.cycles += 1
        self.found.by_passes += 1
        self.found.among.update(self._kinds)

    def _turn(self) -> None:
        venue, now_ms, step = self.bot.venue, self.bot.now_ms, self.bot.venue.instrument.step
        part = max((abs(venue.held) * self.chance.randint(1, 9) / 10 / step).to_integral_value() * step, step)
        drawn = self.chance.random()
        if drawn < 0.10:
            self._kinds.add("with funding")
            venue.fund(Decimal(self.chance.randint(-300, 300)) / 100_000, now_ms)
        elif drawn < 0.16:
            self._kinds.add("with foreign trades")
            venue.trade_by_hand(self.chance.choice(list(Direction)), part, now_ms)
        elif drawn < 0.20:
            self._kinds.add("with adl")
            venue.deleverage(part, now_ms)
        else:
            venue.move(drawn_price(venue, self.chance), now_ms)

    def _booked(self, cycle: Cycle) -> None:
        """A cycle was saved as ended: with all before it, it makes what the venue has booked."""
        self.closed[cycle.number] = cycle
        name = f"account {self.number}, up to cycle {cycle.number} by passes"
        self.found.same(name, self._sum(), figures_of(self.bot.venue))


def flood_accounts(numbers: Sequence[int], cycles: int) -> BooksFound:
    """Live through so many cycles on each of these accounts."""
    found = BooksFound()
    for number in numbers:
        way = WholePasses if number % PASSES_EVERY == 0 else ShortWay
        way(number, found).run(cycles)
    return found


def run_books(count: int, *, workers: int | None = None) -> BooksFound:
    """Compare the books of `count` cycles on all cores, up to an account's worth more."""
    began = time.perf_counter()
    total = BooksFound()
    accounts = range(-(-count // CYCLES_PER_ACCOUNT))
    chunks = [accounts[at : at + ACCOUNTS_PER_CHUNK] for at in range(0, len(accounts), ACCOUNTS_PER_CHUNK)]
    with ProcessPoolExecutor(max_workers=workers) as pool:
        for found in pool.map(flood_accounts, chunks, [CYCLES_PER_ACCOUNT] * len(chunks)):
            total.join(found)
    total.seconds = time.perf_counter() - began
    return total
