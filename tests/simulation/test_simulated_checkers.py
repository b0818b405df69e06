"""Each checker of the simulator goes red on a truth that was doctored for it, and on nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from blitz.clock import VenueTime
from blitz.core.calls import (
    Accepted,
    Call,
    CancelOrder,
    Done,
    PrepareAccount,
    ReadPosition,
    Reply,
    SendOrder,
    Unknown,
)
from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.memory import VenueTraits
from blitz.core.orders import TAKE_PROFIT, DesiredOrder, Direction, OrderKey, OrderType, leg
from blitz.core.work import Mode
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.bot import SimulatedBot
from blitz.simulation.checks import Violations
from blitz.simulation.checks.behaviour import REFUSALS_MAX, REQUESTS_MAX, Behaviour
from blitz.simulation.checks.books import check_books
from blitz.simulation.checks.rest import RestCheck
from blitz.simulation.checks.venue_truth import VenueTruth
from blitz.simulation.faults import Swarm
from blitz.simulation.journals import MemoryStore
from blitz.simulation.ladders import BTC
from blitz.simulation.network import Network
from blitz.simulation.server import MachineClock, SimulatedServer
from blitz.simulation.trace import Trace
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import Owner, VenueIds
from blitz.simulation.world import World

USER = 7
LATER_MS = 20_000


@dataclass
class Judged:
    """One bot that has laid its ladder out, and everybody who judges it."""

    world: World = field(default_factory=lambda: World(0, Swarm({}), Trace()))
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        settings = DEFAULT_SETTINGS
        self.violations = Violations(self.world)
        self.behaviour = Behaviour(self.world, self.violations)
        clock = MachineClock(self.world)
        server = SimulatedServer(
            world=self.world, store=self.store, watcher=self.behaviour, clock=clock, venue_time=VenueTime(clock)
        )
        self.venue = SimulatedVenue(instrument=BTC, side=settings.side, ids=VenueIds.REUSABLE)
        self.network = Network(self.world, self.venue, f"bot {USER}")
        self.bot = SimulatedBot(
            world=self.world, server=server, user_id=USER, venue=self.venue, network=self.network, settings=settings,
            traits=VenueTraits(), poll_ms=1_000,
        )  # fmt: skip
        self.account = SimulatedAccount(
            user_id=USER, venue=self.venue, network=self.network, bot=self.bot, saved=[settings]
        )
        self.truth = VenueTruth(self.account, self.violations)
        self.network.observe = self.truth.arrived
        self.behaviour.watch(self.account, self.truth)
        server.bots.append(self.bot)
        server.start()
        self.bot.start(by_trader=True)
        self.wait()

    @property
    def now_ms(self) -> int:
        return self.world.now_ms

    @property
    def check(self) -> RestCheck:
        return RestCheck(self.account, self.truth, self.violations)

    def wait(self, length_ms: int = 5_000) -> None:
        self.world.run_until(self.world.now_ms + length_ms)

    def order_id(self, name: str) -> str:
        """Of the bot's live order of this name."""
        (order,) = self.venue.own_live(tag(name))
        return order.shown.order_id

    def rest(self, name: str, quantity: str, price: str) -> None:
        """An order at the venue that the bot is taken to have sent."""
        self.venue.rest_by_hand(
            Direction.BUY, Decimal(quantity), Decimal(price), self.now_ms, client_id=tag(name), owner=Owner.BOT
        )
        self.truth.changed()

    def departs(self, call: Call, mode: Mode = Mode.TRADE) -> None:
        """The bot sends this in a pass of that mode."""
        self.bot.pass_mode = mode
        self.behaviour.began(self.bot, mode)
        self.behaviour.departs(self.bot, call)

    def broken(self) -> set[str]:
        return {violation.invariant for violation in self.violations.found}


@pytest.fixture
def judged() -> Judged:
    return Judged()


def tag(name: str) -> str:
    return f"sm_{name}_{USER}_BTCUSDTUSDT"


def sent(
    key: OrderKey, direction: Direction, *, name: str | None = None, quantity: str = "0.001", price: str = "60300"
) -> SendOrder:
    order = DesiredOrder(
        key=key, type=OrderType.LIMIT, direction=direction, quantity=Decimal(quantity), price=Decimal(price)
    )
    return SendOrder(order=order, client_id=tag(name or str(key)), expires_ms=2**62)


def answered(judged: Judged, call: Call, reply: Reply) -> None:
    judged.behaviour.answered(judged.bot, call, reply)


EXIT = sent(TAKE_PROFIT, Direction.SELL)
ENTRY = sent(leg(1), Direction.BUY, price="50000")


def test_an_honest_bot_breaks_nothing(judged: Judged):
    assert len(judged.venue.live) == 4
    judged.bot.recover()
    judged.wait()
    judged.venue.move(Decimal(60_500), judged.now_ms)
    judged.truth.changed()
    judged.bot.wake()
    judged.wait()
    judged.check.check_protected(0)
    judged.check.check_settled()
    check_books(judged.account, judged.violations)
    assert judged.broken() == set()
    assert [cycle.number for cycle in judged.store.of(USER).cycles.values() if cycle.ended_ms] == [1]


# What rests and fills at the venue


def two_live_orders_of_one_tag(judged: Judged) -> None:
    """Together not more than the leg may have."""
    judged.venue.edit_by_hand(judged.order_id("leg_1"), judged.now_ms, quantity=Decimal("0.008"))
    judged.rest("leg_1", "0.008", "59400")


def a_leg_that_fills_more_than_its_size(judged: Judged) -> None:
    judged.venue.move(Decimal(59_400), judged.now_ms)
    judged.rest("leg_1", "0.001", "59500")


def an_entry_that_fills_twice(judged: Judged) -> None:
    judged.rest("leg_0", "0.001", "60100")
    assert "the entry filled" in judged.violations.found[0].what


def a_leg_that_rests_again_after_it_filled(judged: Judged) -> None:
    judged.venue.move(Decimal(59_400), judged.now_ms)
    judged.rest("leg_1", "0.016", "59000")


def settings_that_nobody_saved(judged: Judged) -> None:
    memory = judged.bot.memory
    assert memory is not None
    assert memory.cycle is not None
    other = replace(memory.cycle.settings, take_profit=Decimal(99))
    judged.truth.entry_departs(ENTRY, replace(memory.cycle, settings=other))


def a_cancel_of_somebody_elses_order(judged: Judged) -> None:
    order_id = judged.venue.rest_by_hand(Direction.BUY, Decimal("0.001"), Decimal(40_000), judged.now_ms)
    judged.truth.arrived(CancelOrder(order_id=order_id), Done(), judged.now_ms)


def somebody_elses_order_that_is_gone(judged: Judged) -> None:
    order_id = judged.venue.rest_by_hand(Direction.BUY, Decimal("0.001"), Decimal(40_000), judged.now_ms)
    judged.account.human_orders.add(order_id)
    judged.venue.cancel_by_hand(order_id, judged.now_ms)
    judged.truth.changed()


def an_exit_that_opens(judged: Judged) -> None:
    judged.truth.arrived(sent(TAKE_PROFIT, Direction.BUY), Accepted(order_id="any"), judged.now_ms)


def an_entry_that_closes(judged: Judged) -> None:
    judged.truth.arrived(sent(leg(1), Direction.SELL), Accepted(order_id="any"), judged.now_ms)


def an_exit_larger_than_the_position(judged: Judged) -> None:
    order = judged.venue.live[judged.order_id("tp")]
    order.shown = replace(order.shown, quantity=order.shown.quantity * 2)
    judged.truth.changed()


def an_id_that_does_not_say_what_the_order_is(judged: Judged) -> None:
    judged.truth.arrived(sent(TAKE_PROFIT, Direction.SELL, name="sl"), Accepted(order_id="any"), judged.now_ms)


# What is in the books


def a_fill_that_never_happened(judged: Judged) -> None:
    booked = next(iter(judged.store.of(USER).fills.values()))
    judged.store.of(USER).fills["made up"] = replace(booked, cycle=9)


def a_fill_booked_at_another_price(judged: Judged) -> None:
    fills = judged.store.of(USER).fills
    for exec_id, booked in fills.items():
        fills[exec_id] = replace(booked, fill=replace(booked.fill, price=booked.fill.price + 1))


def a_profit_that_is_off_by_a_cent(judged: Judged) -> None:
    cycles = judged.store.of(USER).cycles
    cycles[1] = replace(cycles[1], realised=cycles[1].realised + Decimal("0.01"))


def a_fee_that_is_off_by_a_cent(judged: Judged) -> None:
    cycles = judged.store.of(USER).cycles
    cycles[1] = replace(cycles[1], fees=cycles[1].fees + Decimal("0.01"))


def a_cycle_that_was_booked_while_it_was_open(judged: Judged) -> None:
    fills = judged.store.of(USER).fills
    last = max(fills.values(), key=lambda one: one.fill.at_ms)
    judged.venue.fills.remove(last.fill)
    del fills[last.fill.exec_id]


# What leaves the bot


def an_entry_without_a_stored_intent(judged: Judged) -> None:
    judged.departs(ENTRY)


def a_decision_after_a_failed_look(judged: Judged) -> None:
    judged.behaviour.began(judged.bot, Mode.TRADE)
    answered(judged, ReadPosition(), Unknown(reason="502"))
    judged.behaviour.departs(judged.bot, EXIT)


def a_leg_while_position_and_books_differ(judged: Judged) -> None:
    judged.venue.trade_by_hand(Direction.BUY, Decimal("0.001"), judged.now_ms)
    judged.behaviour.began(judged.bot, Mode.TRADE)
    answered(judged, ReadPosition(), judged.venue.execute(ReadPosition(), judged.now_ms))
    judged.behaviour.departs(judged.bot, CancelOrder(order_id=judged.order_id("leg_1")))


def a_recover_that_cancels(judged: Judged) -> None:
    judged.departs(CancelOrder(order_id=judged.order_id("tp")), Mode.RECOVER)


def a_recover_that_sets_the_leverage(judged: Judged) -> None:
    judged.departs(PrepareAccount(), Mode.RECOVER)


def a_dry_recover_that_creates(judged: Judged) -> None:
    judged.departs(EXIT, Mode.RECOVER_DRY)


def a_stopping_bot_that_sends(judged: Judged) -> None:
    judged.departs(EXIT, Mode.STOP_PULL)


def a_generation_before_the_last_one(judged: Judged) -> None:
    judged.departs(sent(TAKE_PROFIT, Direction.SELL, name="tp", price="60300"))
    judged.departs(replace(EXIT, client_id=f"{tag('tp')}_2"))
    assert judged.broken() == set()
    judged.departs(replace(EXIT, client_id=f"{tag('tp')}_1"))


def a_flood_of_requests(judged: Judged) -> None:
    for _ in range(REQUESTS_MAX + 1):
        judged.departs(ReadPosition())


def a_refused_order_that_is_hammered(judged: Judged) -> None:
    judged.network.conditions.key_revoked_ms = 2**62
    refused = judged.network._standing_refusal(EXIT)
    assert refused is not None
    for _ in range(REFUSALS_MAX + 1):
        answered(judged, EXIT, refused)


def a_pass_that_raises(judged: Judged) -> None:
    judged.bot.memory.ledger = None  # type: ignore[union-attr]
    judged.bot.wake()
    judged.wait()


# What rests once all is calm


def a_position_without_take_profit(judged: Judged) -> None:
    judged.network.down_ms = 2**62
    judged.venue.cancel_by_hand(judged.order_id("tp"), judged.now_ms)
    judged.truth.changed()
    judged.wait(4_000)
    judged.check.check_protected(0)
    assert judged.broken() == set()  # its bound of five seconds is not over yet
    judged.wait(LATER_MS)
    judged.check.check_protected(0)


def a_take_profit_at_another_price(judged: Judged) -> None:
    judged.network.down_ms = 2**62
    judged.venue.edit_by_hand(judged.order_id("tp"), judged.now_ms, price=Decimal(65_000))
    judged.wait(LATER_MS)
    judged.check.check_protected(0)


def a_leg_that_does_not_come_back(judged: Judged) -> None:
    judged.network.down_ms = 2**62
    judged.venue.cancel_by_hand(judged.order_id("leg_2"), judged.now_ms)
    judged.check.check_settled()


def a_bot_that_does_not_run(judged: Judged) -> None:
    judged.bot.runs = False
    judged.check.check_settled()


RED: list[tuple[str, Callable[[Judged], None]]] = [
    ("S1", two_live_orders_of_one_tag),
    ("S2", a_leg_that_fills_more_than_its_size),
    ("S2", an_entry_that_fills_twice),
    ("S3", a_leg_that_rests_again_after_it_filled),
    ("S3", settings_that_nobody_saved),
    ("S4", a_cancel_of_somebody_elses_order),
    ("S4", somebody_elses_order_that_is_gone),
    ("S5", an_exit_that_opens),
    ("S5", an_entry_that_closes),
    ("S5", an_exit_larger_than_the_position),
    ("S14", an_id_that_does_not_say_what_the_order_is),
    ("S8", an_entry_without_a_stored_intent),
    ("S9", a_decision_after_a_failed_look),
    ("S9", a_leg_while_position_and_books_differ),
    ("S10", a_recover_that_cancels),
    ("S10", a_recover_that_sets_the_leverage),
    ("S10", a_dry_recover_that_creates),
    ("S11", a_stopping_bot_that_sends),
    ("S14", a_generation_before_the_last_one),
    ("S15", a_flood_of_requests),
    ("S15", a_refused_order_that_is_hammered),
    ("S16", a_pass_that_raises),
    ("L1", a_position_without_take_profit),
    ("L1", a_take_profit_at_another_price),
    ("L2", a_leg_that_does_not_come_back),
    ("L2", a_bot_that_does_not_run),
]
WRONG_BOOKS = [
    a_fill_that_never_happened,
    a_fill_booked_at_another_price,
    a_profit_that_is_off_by_a_cent,
    a_fee_that_is_off_by_a_cent,
    a_cycle_that_was_booked_while_it_was_open,
]


@pytest.mark.parametrize(("invariant", "doctor"), RED, ids=lambda each: getattr(each, "__name__", each))
def test_a_checker_goes_red(judged: Judged, invariant: str, doctor: Callable[[Judged], None]):
    assert judged.broken() == set()
    doctor(judged)
    assert judged.broken() == {invariant}


@pytest.mark.parametrize("doctor", WRONG_BOOKS)
def test_books_that_differ_from_the_venues_break_s6(judged: Judged, doctor: Callable[[Judged], None]):
    judged.bot.wish = judged.bot.wish.LAST_CYCLE  # so that the books hold one whole cycle and no other
    judged.venue.move(Decimal(60_500), judged.now_ms)
    judged.truth.changed()
    judged.wait()
    check_books(judged.account, judged.violations)
    assert judged.broken() == set()
    doctor(judged)
    check_books(judged.account, judged.violations)
    assert judged.broken() == {"S6"}


def test_a_fill_that_the_books_of_an_open_cycle_miss_breaks_s6(judged: Judged):
    check_books(judged.account, judged.violations)
    assert judged.broken() == set()
    judged.store.of(USER).fills.clear()
    check_books(judged.account, judged.violations)
    assert judged.broken() == {"S6"}
