"""One seed from its first draw to its verdict: chaos, then calm, then one whole cycle watched, then the books.

Everything is drawn from the seed's number: who trades what, which faults there are, when people act. The same number
gives the same course, whatever the machine and the hash seed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from blitz.clock import VenueTime
from blitz.core.guards import Guard, IdPolicy
from blitz.core.instrument import Instrument
from blitz.core.memory import BOOKS_DIFFER
from blitz.core.orders import Direction, FillKind
from blitz.core.records import CycleEnd
from blitz.core.second_writer import SECOND_WRITER
from blitz.core.work import Mode
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.bot import SimulatedBot, Wish
from blitz.simulation.checks import Violation, Violations
from blitz.simulation.checks.behaviour import Behaviour
from blitz.simulation.checks.books import check_books
from blitz.simulation.checks.rest import PROTECTED_MS, RestCheck
from blitz.simulation.checks.venue_truth import VenueTruth
from blitz.simulation.faults import Coverage, Fault, Swarm
from blitz.simulation.houses import HouseName, drawn_house
from blitz.simulation.journals import MemoryStore, Store
from blitz.simulation.ladders import MARKETS, drawn_settings
from blitz.simulation.market import Market
from blitz.simulation.network import Network
from blitz.simulation.people import Operator, Trader
from blitz.simulation.server import MachineClock, SimulatedServer
from blitz.simulation.trace import Trace
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import Owner, VenueIds
from blitz.simulation.world import EndlessSeed, World

CHAOS_MS = 75_000
RESTARTED_MS = 15_000
"""L1 after a start of the process."""
BACK_OFF_MS = 75_000
"""The longest wait after a refusal, and a fence."""
NEXT_CYCLE_MS = 20_000
"""L2: a fence and two looks, and what the take-profit before it takes to be seen."""
STREAMS_SHARE = 0.6
"""Share of the bots that hear of their fills by a stream; the others only poll."""
ENTERED_MS = 3_000
"""How long a bot takes to lay out its ladder once nothing keeps it from entering."""
STOPPED_MS = 2_000
USERS = (1, 11, 7, 12, 77)
"""Numbers that a careless comparison of ids would mix up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOptions:
    """How a seed is run. Left alone, everything is drawn from its number."""

    ids: VenueIds | None = None
    house: HouseName | None = None
    only: frozenset[Fault] | None = None
    """Let only these faults strike, where the seed has them."""
    every: frozenset[Fault] | None = None
    """Let exactly these faults strike, in every seed."""
    swarm: Swarm | None = None
    """Exactly these faults, instead of drawing."""
    switched_off: frozenset[Guard] = frozenset()
    id_policy: IdPolicy = IdPolicy.TAG
    trace: bool = False
    chaos_ms: int = CHAOS_MS
    make_store: Callable[[], Store] = MemoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a seed."""

    seed: int
    ids: VenueIds
    house: HouseName
    violations: tuple[Violation, ...]
    digest: str
    coverage: Coverage
    story: tuple[str, ...]
    swarm: Swarm
    cycles: int
    fills: int
    orders: int


class Seed:
    """Builds the world of one seed and lives through it."""

    def __init__(self, number: int, options: SeedOptions) -> None:
        chance = random.Random(f"{number}:setting")
        drawn = Swarm.drawn(random.Random(f"{number}:swarm"), options.only)
        self.number = number
        self.options = options
        named = Swarm.of(options.every) if options.every is not None else drawn
        self.swarm = options.swarm if options.swarm is not None else named
        self.world = World(number, self.swarm, Trace(keeps_lines=options.trace))
        self.violations = Violations(self.world)
        self.behaviour = Behaviour(self.world, self.violations)
        drawn_ids = chance.choice(list(VenueIds))
        self.ids = options.ids or drawn_ids
        self.house = drawn_house(random.Random(f"{number}:house"), options.house)
        clock = MachineClock(self.world)
        self.server = SimulatedServer(
            world=self.world,
            store=options.make_store(),
            watcher=self.behaviour,
            clock=clock,
            venue_time=VenueTime(clock),
        )
        self.truths: dict[int, VenueTruth] = {}
        instrument, price = chance.choice(MARKETS)
        users = chance.sample(USERS, chance.choice((1, 1, 2, 3)))
        self.accounts = [self._account(user, instrument, price, chance) for user in users]
        self.market = Market(self.world, self.accounts, self._changed)
        self.traders = [Trader(self.world, account, self.server, self._changed) for account in self.accounts]
        self.operator = Operator(self.world, self.server, self.accounts)

    def _account(self, user_id: int, instrument: Instrument, price: Decimal, chance: random.Random) -> SimulatedAccount:
        settings = drawn_settings(chance, instrument)
        venue = SimulatedVenue(
            instrument=instrument,
            side=settings.side,
            ids=self.ids,
            house=self.house,
            hedged=chance.random() < 0.3,
            price=price,
            leverage=settings.leverage,
            wanted_leverage=settings.leverage,
            wanted_margin_mode=settings.margin_mode,
            prefix=f"{user_id}-",
        )
        network = Network(self.world, venue, f"bot {user_id}")
        bot = SimulatedBot(
            world=self.world,
            server=self.server,
            user_id=user_id,
            venue=venue,
            network=network,
            settings=settings,
            traits=self.house.traits(ids_enforced=self.ids is not VenueIds.UNENFORCED),
            poll_ms=chance.choice((1_000, 2_000)),
            streams=random.Random(f"{self.number}:streams:{user_id}").random() < STREAMS_SHARE,
            switched_off=self.options.switched_off,
            id_policy=self.options.id_policy,
        )
        account = SimulatedAccount(user_id=user_id, venue=venue, network=network, bot=bot, saved=[settings])
        truth = self.truths[user_id] = VenueTruth(account, self.violations)
        network.state = lambda: bot.state
        network.observe = truth.arrived
        self.behaviour.watch(account, truth)
        self.server.bots.append(bot)
        return account

    def _changed(self, account: SimulatedAccount) -> None:
        self.truths[account.user_id].changed()

    # The course

    def run(self) -> Verdict:
        """Live through it."""
        faults = ", ".join(sorted(self.swarm.force))
        self.world.tell(f"seed {self.number}, {self.house.name.value}, ids {self.ids.value}, faults {faults}")
        try:
            self._chaos()
            self._calm_down()
            self._watch_a_cycle()
            self._stop_all()
        except EndlessSeed as endless:
            self.violations.add("L7", 0, str(endless))
        for account in self.accounts:
            check_books(account, self.violations)
        verdict = self._verdict()
        self.server.store.close()
        return verdict

    def _chaos(self) -> None:
        self.server.start()
        for trader in self.traders:
            trader.begin()
        self.operator.begin()
        self.market.begin()
        self.world.run_until(self.world.now_ms + self.options.chaos_ms)

    def _calm_down(self) -> None:
        """All faults end, and everybody presses Start: from then on the bounds of L1 to L3 count."""
        world = self.world
        world.calm = True
        world.tell("calm")
        self.market.moving = False
        for account in self.accounts:
            account.network.conditions.clear()
            account.network.down_ms = 0
            self._take_own_orders_back(account)
            account.venue.leverage = account.venue.wanted_leverage
            account.venue.margin_mode = account.venue.wanted_margin_mode
            account.venue.fill_max = None
            account.venue.forgets_before_ms = 0
            account.venue.balance = Decimal(1_000_000)
            account.venue.resume(world.now_ms)
            self._changed(account)
        self._run(self.server.frozen_ms - world.now_ms)
        self._await(lambda: not self.server.draining, 20_000)
        self._run(self.server.restored_ms - world.now_ms)
        self.server.start()
        self._let_calls_come_home()
        reachable_ms = max(world.now_ms, self.server.started_ms + RESTARTED_MS - PROTECTED_MS)
        self._run(reachable_ms + PROTECTED_MS - world.now_ms)
        self._each(lambda check: check.check_protected(reachable_ms))
        for account in self.accounts:
            self._press_start(account)
        self._await_rest()
        for account in self.accounts:
            self._press_start(account)  # again: a cycle may have been closed by hand while nobody could look
        self._await_rest()
        if any([self._sort_out(account) for account in self.accounts]):  # noqa: C419 - each of them, not up to the first
            self._await_rest()
        self._each(lambda check: check.check_protected(reachable_ms))
        self._each(lambda check: check.check_settled())

    def _take_own_orders_back(self, account: SimulatedAccount) -> None:
        """The trader cancels whatever else rests on the account: it would only trade against the bot."""
        for order_id in sorted(account.human_orders):
            account.cancelled_by_hand.add(order_id)
            account.venue.cancel_by_hand(order_id, self.world.now_ms)
        account.human_orders.clear()

    def _press_start(self, account: SimulatedAccount) -> None:
        """The trader takes away what the bot did not open, and starts it."""
        bot, venue = account.bot, account.venue
        if bot.runs and bot.mode is Mode.TRADE:
            bot.wish = Wish.RUN
            return
        self._await(lambda: not account.bot.runs, 30_000)
        for _ in range(3):
            if account.bot.runs:
                return
            if venue.held != 0 and bot.last_words == "foreign_position":
                self._close_by_hand(account)
            self._trader(account).press_start()
            self._run(3_000)

    def _sort_out(self, account: SimulatedAccount) -> bool:
        """Somebody traded by hand just before an entry, or a copy trades the account: do what the bot asks for."""
        memory = account.bot.memory
        code = "" if memory is None or memory.attention is None else memory.attention.code
        orders = account.venue.orders.values()
        traded = any(order.owner is Owner.HUMAN and order.shown.filled for order in orders)
        dragged = {Fault.EXIT_EDITED_BY_HAND, Fault.LEG_EDITED_BY_HAND} & self.swarm.force.keys()
        copied = any(order.owner is Owner.COPY for order in orders) or dragged
        differs = code == BOOKS_DIFFER and traded
        fights = memory is not None and SECOND_WRITER in memory.standing and copied
        if not differs and not fights:
            return False
        account.note(self.world, "stops, closes and starts, as the bot asks")
        for order in [each for each in account.venue.live.values() if each.owner is Owner.COPY]:
            account.venue.cancel_by_hand(order.shown.order_id, self.world.now_ms)
        account.bot.stop(Mode.STOP_PULL)
        self._run(5_000)
        self._close_by_hand(account)
        self._press_start(account)
        return True

    def _close_by_hand(self, account: SimulatedAccount) -> None:
        venue = account.venue
        account.note(self.world, "closes what the bot did not open")
        direction = Direction.SELL if venue.held > 0 else Direction.BUY
        venue.trade_by_hand(direction, abs(venue.held), self.world.now_ms, reduce_only=True)
        self._changed(account)

    def _watch_a_cycle(self) -> None:
        """Recover changes nothing at rest; the take-profit is reached, the cycle booked, the next one laid out."""
        for account in self.accounts:
            if account.bot.runs:
                account.bot.recover()
        self._run(5_000)
        self._each(lambda check: check.check_settled())
        for account in self.accounts:
            self._reach_take_profit(account)
        self._run(NEXT_CYCLE_MS)
        if any([self._start_after_liquidation(account) for account in self.accounts]):  # noqa: C419 - each of them
            self._run(NEXT_CYCLE_MS)
        if any(bot.waits_to_enter for bot in self.server.bots):
            self._await(lambda: not any(bot.waits_to_enter for bot in self.server.bots), BACK_OFF_MS)
            self._run(ENTERED_MS)
        self._each(lambda check: check.check_protected(0))
        self._each(lambda check: check.check_settled())

    def _start_after_liquidation(self, account: SimulatedAccount) -> bool:
        """A bot ends with the cycle that had a liquidation, as it tells its trader, who starts it again."""
        cycles = self.server.store.books(account.user_id).cycles
        ended = cycles[max(cycles)] if cycles else None
        if account.bot.runs or ended is None or ended.end is not CycleEnd.LIQUIDATED:
            return False
        seized = [fill for fill in account.venue.fills if fill.kind is FillKind.LIQUIDATION]
        if not any(ended.started_ms <= fill.at_ms for fill in seized):
            return False
        self._trader(account).press_start()
        return True

    def _reach_take_profit(self, account: SimulatedAccount) -> None:
        venue, memory = account.venue, account.bot.memory
        if venue.on_side <= 0 or memory is None or memory.cycle is None:
            return
        target = self._check(account).take_profit_price
        if target is None:
            return  # told by `check_protected`
        venue.move(target, self.world.now_ms)
        account.note(self.world, f"price reaches {target}")
        self._changed(account)
        if venue.on_side > 0:
            self.violations.add("L1", account.user_id, f"the price reached {target} and {venue.on_side} is still open")

    def _stop_all(self) -> None:
        """Stop pulls the legs, keeps the exits, and is done soon."""
        for account in self.accounts:
            if account.bot.runs:
                account.bot.stop(Mode.STOP_PULL)
        self._run(STOPPED_MS)
        for account in self.accounts:
            check = self._check(account)
            if account.bot.runs:
                self.violations.add("L4", account.user_id, "the bot has not stopped after two seconds")
            if check.own_legs():
                self.violations.add("S11", account.user_id, f"{len(check.own_legs())} legs rest after stop")
        self._run(10_000)

    # Pieces

    def _run(self, length_ms: int) -> None:
        self.world.run_until(self.world.now_ms + max(length_ms, 0))

    def _await(self, true: Callable[[], bool], most_ms: int) -> None:
        deadline_ms = self.world.now_ms + most_ms
        while not true() and self.world.now_ms < deadline_ms:
            self._run(200)

    def _await_rest(self) -> None:
        """Give everybody as long as the longest back-off lasts, and no longer than they need."""
        deadline_ms = self.world.now_ms + BACK_OFF_MS
        self._run(3_000)
        while self.world.now_ms < deadline_ms and not all(bot.rests for bot in self.server.bots):
            self._run(2_000)
        self._run(4_000)

    def _let_calls_come_home(self) -> None:
        """A call that hangs belongs to the chaos: the bounds count from when the last of them was answered."""
        busy_ms = [max(each.network.answers_by_ms, each.bot.busy_until_ms) for each in self.accounts]
        self._run(max(busy_ms) - self.world.now_ms)

    def _each(self, act: Callable[[RestCheck], None]) -> None:
        for account in self.accounts:
            act(self._check(account))

    def _check(self, account: SimulatedAccount) -> RestCheck:
        return RestCheck(account, self.truths[account.user_id], self.violations)

    def _trader(self, account: SimulatedAccount) -> Trader:
        return next(trader for trader in self.traders if trader.account is account)

    def _verdict(self) -> Verdict:
        return Verdict(
            seed=self.number,
            ids=self.ids,
            house=self.house.name,
            violations=tuple(self.violations.found),
            digest=self.world.trace.digest,
            coverage=self.world.coverage,
            story=tuple(self.world.trace.lines),
            swarm=self.swarm,
            cycles=sum(
                sum(cycle.ended_ms is not None for cycle in self.server.store.books(account.user_id).cycles.values())
                for account in self.accounts
            ),
            fills=sum(len(account.venue.fills) for account in self.accounts),
            orders=sum(len(account.venue.orders) for account in self.accounts),
        )


def run_seed(number: int, options: SeedOptions | None = None) -> Verdict:
    """Run one seed."""
    return Seed(number, options or SeedOptions()).run()
