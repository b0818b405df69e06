"""The short way of `book_flood`: executions of the venue booked as a pass books them, without the rest of the pass.

The venue itself is the whole one, and it does whatever may happen to a position: legs and take-profits in parts, stops,
trades of somebody else up to turning the position round, auto-deleveraging, funding that is listed late, liquidation.
"""

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal

from blitz.core.calls import Accepted, Call, Done, FillsRead, ReadFills, Reply, Save, SendOrder
from blitz.core.finish import booked_cycle
from blitz.core.late_fills import book_late
from blitz.core.look import book_new
from blitz.core.memory import BotMemory, VenueTraits, recall
from blitz.core.orders import (
    STOP_LOSS,
    TAKE_PROFIT,
    ZERO,
    DesiredOrder,
    Direction,
    Fill,
    FillKind,
    OrderKey,
    OrderType,
    leg,
)
from blitz.core.records import Cycle, CycleSaved, FillBooked
from blitz.simulation.book_figures import ROUNDS_MAX, BooksFound, Figures, drawn_venue, figures_of, less
from blitz.simulation.endurance_cycles import SETTINGS
from blitz.simulation.journals import Kept
from blitz.simulation.straight import drawn_price, finished
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.world import EPOCH_MS


@dataclass(slots=True)
class ShortWay:
    """One account whose executions are booked without the rest of a pass."""

    number: int
    found: BooksFound
    chance: random.Random = field(init=False)
    venue: SimulatedVenue = field(init=False)
    memory: BotMemory = field(init=False)
    now_ms: int = EPOCH_MS
    base_price: Decimal = field(init=False)
    closed: dict[int, Cycle] = field(default_factory=dict)
    """Ended cycles as they were saved last."""
    booked: int = 0
    _before: Figures = (ZERO, ZERO, ZERO)
    """What the venue had booked when the cycle began."""
    _late: set[str] = field(default_factory=set)
    """Funding that is listed only after the cycle."""
    _kinds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"books {self.number}")
        self.venue, instrument = drawn_venue(self.chance, self.number)
        self.base_price = self.venue.price
        settings = replace(SETTINGS, symbol=instrument.symbol, side=self.venue.side)
        self.memory = recall(
            user_id=self.number + 1,
            settings=settings,
            instrument=instrument,
            traits=VenueTraits(),
            remembered=Kept().remembered(),
        )

    def run(self, cycles: int) -> None:
        """Live through some cycles, then compare the sums."""
        for number in range(1, cycles + 1):
            self._cycle(number)
        ours = (
            sum((cycle.realised for cycle in self.closed.values()), ZERO),
            sum((cycle.fees for cycle in self.closed.values()), ZERO),
            sum((cycle.funding for cycle in self.closed.values()), ZERO),
        )
        self.found.same(f"account {self.number}, all {cycles} cycles", ours, figures_of(self.venue))
        self.found.same(f"account {self.number}, executions", self.booked, len(self.venue.fills))
        self.found.accounts += 1
        self.found.fills += len(self.venue.fills)

    # One cycle

    def _cycle(self, number: int) -> None:
        venue, memory = self.venue, self.memory
        self.now_ms += self.chance.randint(200_000, 2_000_000)
        venue.fill_max = None
        venue.price = self.base_price
        self._before, self._kinds = figures_of(venue), set()
        memory.open_cycle(Cycle(number=number, settings=memory.settings, started_ms=self.now_ms))
        self._enter()
        for _ in range(ROUNDS_MAX):
            self._turn()
            if venue.held == 0:
                break
        else:
            self._trade_by_hand(-venue.held)
        for order in list(venue.live.values()):
            venue.cancel_by_hand(order.shown.order_id, self.now_ms)
        self._look()
        self._finish(number)
        self.found.cycles += 1
        self.found.among.update(self._kinds)

    def _enter(self) -> None:
        """The market entry, and legs on the far side of it."""
        size = self._size()
        self._send(leg(0), OrderType.MARKET, size)
        price = self.venue.price
        for index in range(1, self.chance.randint(1, 4)):
            price = self._off(price, -self.chance.randint(2, 15))
            self._send(leg(index), OrderType.LIMIT, self._size(), price=price)
        if self.chance.random() < 0.5:
            self._send(STOP_LOSS, OrderType.STOP_MARKET, size, trigger=self._off(price, -20))
        self._look()

    def _turn(self) -> None:
        """Something happens, and the bot looks."""
        self.now_ms += self.chance.randint(1, 9_000)
        drawn = self.chance.random()
        if drawn < 0.10:
            self._fund()
        elif drawn < 0.18:
            self._trade_by_hand(self._size() * self.chance.choice((-1, 1)))
        elif drawn < 0.24:
            self._kinds.add("with adl")
            self.venue.deleverage(self._part(abs(self.venue.held)), self.now_ms)
        elif drawn < 0.245:
            self._kinds.add("liquidated")
            self.venue.liquidate(self._off(self.venue.price, -80), self.now_ms)
        elif drawn < 0.26:
            self._kinds.add("turned round")
            self._trade_by_hand(-self.venue.held - self._size().copy_sign(self.venue.held))
        else:
            self._trade()
        if self.chance.random() < 0.7:
            self._look()

    def _trade(self) -> None:
        """A take-profit goes out for the whole position if none rests, and the price goes somewhere."""
        venue = self.venue
        if venue.on_side <= 0:
            self._trade_by_hand(-venue.held)
            return
        tag = self.memory.tags.write(TAKE_PROFIT)
        if not any(order.shown.client_id == tag for order in venue.live.values()):
            self._send(TAKE_PROFIT, OrderType.LIMIT, venue.on_side, price=self._off(venue.price, 6))
        before = len(venue.fills)
        venue.move(drawn_price(venue, self.chance), self.now_ms)
        for fill in venue.fills[before:]:
            order = venue.orders[fill.order_id].shown
            if order.remaining > 0:
                self._kinds.add("with partial exits" if order.reduce_only else "with partial legs")
            if order.trigger is not None:
                self._kinds.add("stopped")

    def _fund(self) -> None:
        """A funding fee; now and then it is listed only after the cycle."""
        venue = self.venue
        venue.fund(Decimal(self.chance.randint(-300, 300)) / 100_000, self.now_ms)
        self._kinds.add("with funding")
        if venue.fills[-1].kind is FillKind.FUNDING and self.chance.random() < 0.3:
            self._kinds.add("with late funding")
            self._late.add(venue.fills[-1].exec_id)

    def _trade_by_hand(self, signed: Decimal) -> None:
        if signed:
            self._kinds.add("with foreign trades")
            direction = Direction.BUY if signed > 0 else Direction.SELL
            self.venue.trade_by_hand(direction, abs(signed), self.now_ms)

    # What the bot does

    def _look(self) -> None:
        """Read the fills as a look does, book what is new, and compare; now and then the list is cut short (A8)."""
        shown = [fill for fill in self._listed() if fill.exec_id not in self._late]
        new = [fill for fill in shown if fill.exec_id not in self.memory.ledger.seen]
        earlier = [fill for fill in new if fill.at_ms < new[-1].at_ms]
        if earlier and self.memory.ledger.seen and self.chance.random() < 0.2:
            self._kinds.add("with a cut list")
            # A whole moment: what came first within one millisecond, no list that was cut can tell.
            lacking_ms = self.chance.choice(earlier).at_ms
            cut = tuple(fill for fill in shown if fill.at_ms != lacking_ms)
            finished(book_new(self.memory, cut, self.now_ms), self._saved)
        finished(book_new(self.memory, tuple(shown), self.now_ms), self._saved)
        self._compare()

    def _listed(self) -> tuple[Fill, ...]:
        since_ms = self.memory.fills_since_ms(self.now_ms)
        reply = self.venue.execute(ReadFills(since_ms=since_ms), self.now_ms)
        assert isinstance(reply, FillsRead), f"fills were answered with {reply!r}"
        return reply.fills

    def _send(
        self, key: OrderKey, kind: OrderType, quantity: Decimal, *, price: Decimal | None = None,
        trigger: Decimal | None = None,
    ) -> None:  # fmt: skip
        is_exit = key in {TAKE_PROFIT, STOP_LOSS}
        order = DesiredOrder(
            key=key,
            type=kind,
            direction=self.venue.side.closing if is_exit else self.venue.side.opening,
            quantity=quantity,
            price=price,
            trigger=trigger,
        )
        call = SendOrder(order=order, client_id=self.memory.tags.write(key), expires_ms=self.now_ms)
        reply = self.venue.execute(call, self.now_ms)
        assert isinstance(reply, Accepted), f"{call!r} was answered with {reply!r}"

    def _size(self) -> Decimal:
        return self.venue.instrument.step * self.chance.randint(150, 5_000)

    def _part(self, whole: Decimal) -> Decimal:
        """A part of a quantity, in steps, or all of it."""
        step = self.venue.instrument.step
        return max((whole * self.chance.randint(1, 10) / 10 / step).to_integral_value() * step, step)

    def _off(self, price: Decimal, thousandths: int) -> Decimal:
        """A price so far off, towards profit when positive."""
        tick = self.venue.instrument.tick
        moved = price * (1 + Decimal(self.venue.side.sign * thousandths) / 1_000)
        return (moved / tick).to_integral_value() * tick

    def _compare(self) -> None:
        ledger, venue = self.memory.ledger, self.venue
        realised, fees, funding = less(figures_of(venue), self._before)
        late = sum((fill.fee for fill in venue.fills[-40:] if fill.exec_id in self._late), ZERO)
        name = f"account {self.number}, cycle {self.memory.last_cycle}"
        self.found.same(f"{name}, position", ledger.quantity, venue.on_side)
        self.found.same(f"{name}, cost", ledger.cost, venue.books.cost)
        self.found.same(f"{name}, profit", ledger.realised, realised)
        self.found.same(f"{name}, fees", ledger.fees, fees)
        self.found.same(f"{name}, funding", ledger.funding, funding - late)

    def _finish(self, number: int) -> None:
        """Book the cycle, then what was listed too late for it, and compare what is saved."""
        memory = self.memory
        assert memory.cycle is not None
        ended = booked_cycle(memory, memory.cycle, self.now_ms)
        self.closed[number] = ended
        memory.close_cycle(ended)
        if self._late:
            finished(book_late(memory, self._listed(), self.now_ms + 5_000), self._saved)
            self._late.clear()
        saved = self.closed[number]
        ours = (saved.realised, saved.fees, saved.funding)
        venue = less(figures_of(self.venue), self._before)
        self.found.same(f"account {self.number}, cycle {number} as saved", ours, venue)

    def _saved(self, call: Call) -> Reply:
        assert isinstance(call, Save), f"booking asked for {call!r}"
        for change in call.changes:
            self.booked += isinstance(change, FillBooked)
            if isinstance(change, CycleSaved):
                self.closed[change.cycle.number] = change.cycle
        return Done()
