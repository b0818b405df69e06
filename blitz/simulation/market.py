"""The market and the venue's own acts: prices that wander and jump, partial fills, funding, liquidation, halts.

Everything here acts on the simulated venue as the real one would act by itself; no bot is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import ZERO, Role
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.faults import Fault
from blitz.simulation.tags import parsed
from blitz.simulation.world import World

TICK_MS = 400
"""How often the price moves."""
PAUSE_MS = (2_000, 20_000)
"""How long a state of the venue lasts."""


@dataclass(slots=True)
class Market:
    """One price for all accounts of a seed, and what the venue does to each."""

    world: World
    accounts: Sequence[SimulatedAccount]
    changed: Callable[[SimulatedAccount], None]
    """Told after everything that may have changed an account at the venue."""
    moving: bool = True
    _acts: tuple[tuple[Fault, float, Callable[[SimulatedAccount], None]], ...] = field(init=False)
    """What the venue may do by itself, of the faults that this seed has."""

    def __post_init__(self) -> None:
        acts: tuple[tuple[Fault, float, Callable[[SimulatedAccount], None]], ...] = (
            (Fault.MAINTENANCE, 0.008, self._close_for_maintenance),
            (Fault.KEY_REVOKED, 0.005, self._revoke_key),
            (Fault.ADDRESS_BANNED, 0.005, self._ban_address),
            (Fault.NETWORK_DOWN, 0.008, self._cut_network),
            (Fault.HISTORY_FORGOTTEN, 0.003, self._forget_history),
            (Fault.HALTED, 0.006, self._halt),
            (Fault.DELISTED, 0.002, self._delist),
            (Fault.FUNDED, 0.02, self._fund),
            (Fault.DELEVERAGED, 0.01, self._deleverage),
            (Fault.LIQUIDATED, 0.004, self._liquidate),
            (Fault.RULES_CHANGED, 0.005, self._change_rules),
            (Fault.LEVERAGE_CHANGED, 0.005, self._change_leverage),
            (Fault.MARGIN_MODE_CHANGED, 0.005, self._change_margin_mode),
        )
        self._acts = tuple(act for act in acts if act[0] in self.world.swarm.force)

    def begin(self) -> None:
        """Let the market run."""
        self._tick()

    def _tick(self) -> None:
        if not self.moving:
            return
        self.world.after(TICK_MS, self._tick)
        chance = self.world.chance("price")
        first = self.accounts[0].venue
        percent = Decimal(chance.randint(-25, 25)) / 100
        self._gap(first.price)
        self.move(first.price * (1 + percent / 100))
        for account in self.accounts:
            self._act_on(account)

    def move(self, price: Decimal) -> None:
        """Bring every account's market to a price, rounded to the tick."""
        for account in self.accounts:
            venue = account.venue
            before = len(venue.fills)
            tick = venue.instrument.tick
            rounded = max((price / tick).to_integral_value(rounding=ROUND_HALF_UP) * tick, tick)
            self._limit_fills(account)
            venue.move(rounded, self.world.now_ms)
            if len(venue.fills) > before:
                self._tell_fills(account, before)
            self.changed(account)

    def _gap(self, price: Decimal) -> None:
        """Now and then the price jumps through several legs at once, or through the whole ladder and back."""
        world = self.world
        if world.strikes(Fault.GAP_THROUGH_LEGS, 0.03):
            self._note_all(Fault.GAP_THROUGH_LEGS)
            self.move(price * (1 + Decimal(world.chance("gap").choice((-25, -15, 15, 25))) / 1000))
        if world.strikes(Fault.GAP_THROUGH_ALL, 0.015):
            self._note_all(Fault.GAP_THROUGH_ALL)
            direction = world.chance("gap").choice((-1, 1))
            self.move(price * (1 + Decimal(direction) * Decimal("0.06")))
            self.move(price * (1 - Decimal(direction) * Decimal("0.015")))

    def _limit_fills(self, account: SimulatedAccount) -> None:
        venue = account.venue
        struck = self.world.strikes(Fault.LEG_PARTLY_FILLED, 0.25) or self.world.strikes(Fault.EXIT_PARTLY_FILLED, 0.25)
        step = venue.instrument.step
        venue.fill_max = step * self.world.chance("partial").randint(1, 40) if struck else None

    def _tell_fills(self, account: SimulatedAccount, before: int) -> None:
        """Note what was filled in part; wake the bot as a stream would, late, twice or not at all."""
        world, venue = self.world, account.venue
        for fill in venue.fills[before:]:
            order = venue.orders[fill.order_id]
            world.tell(f"venue fills {fill.client_id or 'an order'} of user {account.user_id}: "
                       f"{fill.quantity} at {fill.price}")  # fmt: skip
            if order.terminal:
                continue
            tag = parsed(fill.client_id)
            if tag is not None:
                partly = Fault.LEG_PARTLY_FILLED if tag.role is Role.LEG else Fault.EXIT_PARTLY_FILLED
                world.coverage.note(partly, account.bot.state)
        held = abs(venue.held)
        if ZERO < held < venue.instrument.quantity_min or ZERO < held * venue.price < venue.instrument.notional_min:
            world.coverage.note(Fault.DUST_LEFT, account.bot.state)
        if world.strikes(Fault.EVENT_LOST, 0.5):
            world.coverage.note(Fault.EVENT_LOST, account.bot.state)
            return
        if not account.bot.is_between_passes:
            world.coverage.note(Fault.EVENT_BEFORE_REPLY, account.bot.state)
        told = tuple(venue.fills[before:])
        world.after(world.chance("event").randint(1, 80), lambda: account.bot.hear(told))
        if world.strikes(Fault.EVENT_REPEATED, 0.5):
            world.coverage.note(Fault.EVENT_REPEATED, account.bot.state)
            world.after(world.chance("event").randint(80, 3_000), lambda: account.bot.hear(told))

    def _act_on(self, account: SimulatedAccount) -> None:
        world = self.world
        for fault, rate, begin in self._acts:
            if not self._possible(fault, account) or not world.strikes(fault, rate):
                continue
            world.coverage.note(fault, account.bot.state)
            account.note(world, fault.value)
            begin(account)
            self.changed(account)

    def _possible(self, fault: Fault, account: SimulatedAccount) -> bool:
        needs_position = {Fault.FUNDED, Fault.DELEVERAGED, Fault.LIQUIDATED}
        return fault not in needs_position or account.venue.held != 0

    def _note_all(self, fault: Fault) -> None:
        self.world.tell(f"market: {fault.value}")
        for account in self.accounts:
            self.world.coverage.note(fault, account.bot.state)

    def _until_ms(self) -> int:
        """How long a state that begins now lasts."""
        return self.world.now_ms + self.world.chance("length").randint(*PAUSE_MS)

    def _close_for_maintenance(self, account: SimulatedAccount) -> None:
        account.network.conditions.maintenance_ms = self._until_ms()

    def _revoke_key(self, account: SimulatedAccount) -> None:
        account.network.conditions.key_revoked_ms = self._until_ms()

    def _ban_address(self, account: SimulatedAccount) -> None:
        account.network.conditions.banned_ms = self._until_ms()

    def _cut_network(self, account: SimulatedAccount) -> None:
        account.network.down_ms = self._until_ms()

    def _forget_history(self, account: SimulatedAccount) -> None:
        """Ended orders and executions older than a moment ago are in no list any more."""
        account.network.conditions.forgets_ms = 2 * self.world.now_ms - self._until_ms()

    def _fund(self, account: SimulatedAccount) -> None:
        account.venue.fund(Decimal(self.world.chance("funding").randint(-30, 30)) / 100_000, self.world.now_ms)

    def _later(self, act: Callable[[], None]) -> None:
        self.world.after(self._until_ms() - self.world.now_ms, act)

    def _halt(self, account: SimulatedAccount) -> None:
        account.venue.halted = True
        self._later(lambda: self._resume(account))

    def _resume(self, account: SimulatedAccount) -> None:
        account.venue.resume(self.world.now_ms)
        self.changed(account)

    def _delist(self, account: SimulatedAccount) -> None:
        """The market closes and is not expected back; it comes back only with the calm."""
        account.network.conditions.maintenance_ms = self.world.now_ms + 10**9

    def _change_rules(self, account: SimulatedAccount) -> None:
        """The price step grows or shrinks; what rests stays as it is."""
        venue = account.venue
        factor = Decimal(self.world.chance("rules").choice((2, 5, 10)))
        coarser = venue.instrument is venue.rules[0]
        tick = venue.rules[0].tick * factor if coarser else venue.rules[0].tick
        venue.take_up_rules(replace(venue.instrument, tick=tick))

    def _change_leverage(self, account: SimulatedAccount) -> None:
        """Somebody sets another leverage by hand, and the right one again later."""
        venue = account.venue
        venue.leverage = venue.wanted_leverage * 2
        self._later(lambda: setattr(venue, "leverage", venue.wanted_leverage))

    def _change_margin_mode(self, account: SimulatedAccount) -> None:
        venue, wanted = account.venue, account.venue.wanted_margin_mode
        venue.margin_mode = MarginMode.ISOLATED if wanted is MarginMode.CROSS else MarginMode.CROSS
        self._later(lambda: setattr(venue, "margin_mode", wanted))

    def _deleverage(self, account: SimulatedAccount) -> None:
        venue = account.venue
        step = venue.instrument.step
        part = abs(venue.held) * self.world.chance("adl").randint(1, 9) / 10
        quantity = max((part / step).to_integral_value() * step, step)
        venue.deleverage(min(quantity, abs(venue.held)), self.world.now_ms)

    def _liquidate(self, account: SimulatedAccount) -> None:
        venue = account.venue
        worse = -1 if venue.held > 0 else 1
        tick = venue.instrument.tick
        price = (venue.price * (1 + worse * Decimal("0.08")) / tick).to_integral_value() * tick
        venue.liquidate(price, self.world.now_ms)
