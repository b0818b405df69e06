"""People: the trader at the page and at the venue's own site, and the operator of the server.

They act at random moments, by the rates of the seed's swarm; the trader also presses Start again some time after a bot
has ended, so that a seed does not fall asleep.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal

from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import Direction, OrderType, Role, Side
from blitz.core.work import Mode
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.bot import Wish
from blitz.simulation.faults import Fault
from blitz.simulation.ladders import drawn_settings
from blitz.simulation.server import SimulatedServer
from blitz.simulation.venue_orders import Owner, VenueOrder
from blitz.simulation.world import World

ACT_MS = 500
"""How often a person might do something."""
RESTORE_MS = (9_000, 20_000)
"""How long it takes to put a database back."""
SULK_MS = (1_000, 15_000)
"""How long a trader takes to press Start again."""
STOPS = (Mode.STOP_PULL, Mode.STOP_PULL, Mode.STOP_KEEP, Mode.CLOSE)

Changed = Callable[[SimulatedAccount], None]


@dataclass(slots=True)
class Trader:
    """One user's hands."""

    world: World
    account: SimulatedAccount
    server: SimulatedServer
    changed: Changed
    waiting_to_start: bool = False
    _acts: tuple[tuple[Fault, float, Callable[[], bool]], ...] = field(init=False)
    """What this trader may do, of the faults that the seed has."""

    def begin(self) -> None:
        """Press Start, and be there from then on."""
        self.press_start()
        self._act()

    def press_start(self) -> None:
        """Start the bot, if the server is there and no bot runs."""
        bot = self.account.bot
        self.waiting_to_start = False
        if self.server.up and not self.server.draining and not bot.runs:
            self.account.note(self.world, "presses Start")
            bot.wish = Wish.RUN
            bot.start(by_trader=True)

    def _act(self) -> None:
        if self.world.calm:
            return
        self.world.after(ACT_MS, self._act)
        bot = self.account.bot
        if not bot.runs and bot.wish is Wish.REST and not self.waiting_to_start and self.server.up:
            self.waiting_to_start = True
            self.world.after(self.world.chance("sulk").randint(*SULK_MS), self._start_again)
        for fault, rate, act in self._acts:
            if self.world.strikes(fault, rate) and act():
                self.world.coverage.note(fault, bot.state)
                self.account.note(self.world, fault.value)
                self.changed(self.account)

    def __post_init__(self) -> None:
        acts: tuple[tuple[Fault, float, Callable[[], bool]], ...] = (
            (Fault.SETTINGS_EDITED, 0.03, self._edit_settings),
            (Fault.STOP_PRESSED, 0.015, self._press_stop),
            (Fault.RECOVER_PRESSED, 0.03, self._press_recover),
            (Fault.TWO_COMMANDS, 0.01, self._press_both),
            (Fault.FOREIGN_ORDER, 0.03, self._rest_something),
            (Fault.CLOSED_BY_HAND, 0.01, self._close_all),
            (Fault.PARTLY_CLOSED_BY_HAND, 0.02, self._close_part),
            (Fault.ADDED_BY_HAND, 0.015, self._add),
            (Fault.OPENED_BY_HAND, 0.02, self._open),
            (Fault.EXIT_CANCELLED_BY_HAND, 0.04, lambda: self._cancel({Role.TAKE_PROFIT, Role.STOP_LOSS})),
            (Fault.LEG_CANCELLED_BY_HAND, 0.03, lambda: self._cancel({Role.LEG})),
            (Fault.EXIT_EDITED_BY_HAND, 0.03, self._drag_exit),
            (Fault.MARGIN_WITHDRAWN, 0.015, self._withdraw),
            (Fault.SECOND_WRITER, 0.015, self._let_a_copy_trade),
            (Fault.FOREIGN_STOP, 0.03, self._rest_a_stop),
            (Fault.LEG_EDITED_BY_HAND, 0.02, self._drag_leg),
        )
        self._acts = tuple(act for act in acts if act[0] in self.world.swarm.force)

    def _start_again(self) -> None:
        bot = self.account.bot
        if self.waiting_to_start and not bot.runs and self.server.up and not self.world.calm:
            if self.world.swarm.strength(Fault.START_PRESSED):
                self.world.coverage.note(Fault.START_PRESSED, bot.state)
            self.press_start()
        self.waiting_to_start = False

    # At the page

    def _edit_settings(self) -> bool:
        chance = self.world.chance("settings")
        drawn = drawn_settings(chance, self.account.venue.instrument)
        self.account.settings_saved(self._as_traded(drawn))
        return True

    def _as_traded(self, drawn: LadderSettings) -> LadderSettings:
        """The same market, side and account set-up: other ones would be another account in this model."""
        kept = self.account.bot.settings
        return replace(drawn, symbol=kept.symbol, side=kept.side, leverage=kept.leverage, margin_mode=kept.margin_mode)

    def _press_stop(self) -> bool:
        bot = self.account.bot
        if not bot.runs or not self.server.up:
            return False
        if self.world.chance("stop").random() < 0.2:
            bot.wish = Wish.LAST_CYCLE
            return True
        bot.stop(self.world.chance("stop").choice(STOPS))
        return True

    def _press_recover(self) -> bool:
        bot = self.account.bot
        if not bot.runs or not self.server.up:
            return False
        bot.recover()
        return True

    def _press_both(self) -> bool:
        """Two devices at once: recover twice, and stop with a start right behind it."""
        bot = self.account.bot
        if not bot.runs or not self.server.up:
            return False
        bot.recover()
        bot.recover()
        bot.stop(Mode.STOP_PULL)
        self.world.after(1, self.press_start)
        return True

    # At the venue

    def _rest_something(self) -> bool:
        """A limit order of the trader's own, some with a tag that looks very much like ours."""
        venue, chance = self.account.venue, self.world.chance("foreign")
        direction = chance.choice((Direction.BUY, Direction.SELL))
        away = Decimal(chance.randint(100, 300)) / 10_000
        price = venue.price * (1 - away if direction is Direction.BUY else 1 + away)
        tick = venue.instrument.tick
        price = (price / tick).to_integral_value() * tick
        user, code = self.account.user_id, self.account.bot.settings.symbol.replace("/", "").replace(":", "")
        looks = (
            "",
            f"sm_leg_1_{user}7_{code}",
            f"sm_tp_{user}1_{code}",
            f"sm_leg_1_{user}_1000{code}",
            f"sm_tp_{user}_{code}_q",  # our very tag, on an order that could open
        )
        client_id = chance.choice(looks)
        if client_id and venue.house.kept_id(client_id, OrderType.LIMIT) in venue.used_ids:
            client_id = ""
        quantity = self._size(Decimal(chance.randint(10, 60)))
        order_id = venue.rest_by_hand(direction, quantity, price, self.world.now_ms, client_id=client_id)
        self.account.human_orders.add(order_id)
        if len(self.account.human_orders) > 3:
            oldest = min(self.account.human_orders)
            self.account.cancelled_by_hand.add(oldest)
            venue.cancel_by_hand(oldest, self.world.now_ms)
            self.account.human_orders.discard(oldest)
        return True

    def _rest_a_stop(self) -> bool:
        """A stop of the trader's own for a part of the position: it shows no id, as the bot's may not either."""
        venue, chance = self.account.venue, self.world.chance("foreign stop")
        step, tick = venue.instrument.step, venue.instrument.tick
        if venue.on_side <= 2 * step or self.account.human_orders:
            return False
        worse = -1 if venue.side is Side.LONG else 1
        price = venue.price * (1 + Decimal(worse * chance.randint(60, 400)) / 10_000)
        quantity = max((venue.on_side / 4 / step).to_integral_value(rounding=ROUND_FLOOR) * step, step)
        trigger = (price / tick).to_integral_value() * tick
        order_id = venue.stop_by_hand(quantity, trigger, self.world.now_ms)
        if order_id is not None:
            self.account.human_orders.add(order_id)
        return order_id is not None

    def _close_all(self) -> bool:
        return self._close(Decimal(1))

    def _close_part(self) -> bool:
        return self._close(Decimal(self.world.chance("part").randint(1, 8)) / 10)

    def _close(self, share: Decimal) -> bool:
        venue = self.account.venue
        if venue.on_side <= 0 or venue.halted:
            return False
        step = venue.instrument.step
        quantity = max((venue.on_side * share / step).to_integral_value() * step, step)
        closing = Direction.SELL if venue.side is Side.LONG else Direction.BUY
        quantity = min(quantity, venue.on_side)
        return venue.trade_by_hand(closing, quantity, self.world.now_ms, reduce_only=True) is not None

    def _add(self) -> bool:
        venue = self.account.venue
        if venue.on_side <= 0 or venue.halted:
            return False
        opening = Direction.BUY if venue.side is Side.LONG else Direction.SELL
        venue.trade_by_hand(opening, self._size(Decimal(40)), self.world.now_ms)
        return True

    def _open(self) -> bool:
        """A position of the trader's own, while the bot has none."""
        venue = self.account.venue
        if venue.held != 0 or venue.halted or self.account.bot.runs:
            return False
        venue.trade_by_hand(venue.side.opening, self._size(Decimal(40)), self.world.now_ms)
        return True

    def _cancel(self, roles: set[Role]) -> bool:
        order = self._one_of_the_bots(roles)
        return order is not None and self.account.venue.cancel_by_hand(order.shown.order_id, self.world.now_ms)

    def _drag_exit(self) -> bool:
        order = self._one_of_the_bots({Role.TAKE_PROFIT})
        if order is None or order.shown.price is None:
            return False
        venue = self.account.venue
        further = 1 if venue.side is Side.LONG else -1
        price = order.shown.price + further * self.world.chance("drag").randint(1, 30) * venue.instrument.tick
        return venue.edit_by_hand(order.shown.order_id, self.world.now_ms, price=price)

    def _drag_leg(self) -> bool:
        """Move a leg towards the market, most often to where it fills soon."""
        order = self._one_of_the_bots({Role.LEG})
        if order is None or order.shown.price is None:
            return False
        venue, chance = self.account.venue, self.world.chance("drag leg")
        tick = venue.instrument.tick
        towards = (venue.price - order.shown.price) * chance.randint(5, 10) / 10
        price = ((order.shown.price + towards) / tick).to_integral_value() * tick
        return venue.edit_by_hand(order.shown.order_id, self.world.now_ms, price=price)

    def _withdraw(self) -> bool:
        """Take the margin out; it comes back after a while."""
        venue = self.account.venue
        venue.balance = Decimal(1)
        self.world.after(self.world.chance("withdraw").randint(3_000, 30_000), self._pay_in)
        return True

    def _let_a_copy_trade(self) -> bool:
        """A copy of the server rests an order in a place of the ladder that is taken."""
        order = self._one_of_the_bots({Role.LEG})
        venue = self.account.venue
        if order is None or order.shown.price is None:
            return False
        base = "_".join(order.shown.client_id.split("_")[:5])
        client_id = f"{base}_{self.world.chance('copy').randint(1, 9)}z"
        if client_id in venue.used_ids:
            return False
        venue.rest_by_hand(
            order.shown.direction, order.shown.remaining, order.shown.price, self.world.now_ms, client_id=client_id,
            owner=Owner.COPY,
        )  # fmt: skip
        return True

    def _pay_in(self) -> None:
        self.account.venue.balance = Decimal(1_000_000)

    def _one_of_the_bots(self, roles: set[Role]) -> VenueOrder | None:
        found = [
            order
            for order in self.account.venue.live.values()
            if order.owner is Owner.BOT and (tag := self.account.tag_of(order)) is not None and tag.role in roles
        ]
        return self.world.chance("pick").choice(found) if found else None

    def _size(self, notional: Decimal) -> Decimal:
        venue = self.account.venue
        step = venue.instrument.step
        return max((notional / venue.price / step).to_integral_value() * step, venue.instrument.quantity_min)


@dataclass(slots=True)
class Operator:
    """Whoever runs the machine, and the machine itself."""

    world: World
    server: SimulatedServer
    accounts: Sequence[SimulatedAccount]

    def begin(self) -> None:
        """Be there from now on."""
        self._act()
        self.world.after(self.world.chance("backup").randint(5_000, 40_000), self._back_up)

    def _back_up(self) -> None:
        self.server.store.back_up()
        self.world.tell("operator makes a backup")

    def _act(self) -> None:
        if self.world.calm:
            return
        self.world.after(ACT_MS, self._act)
        for fault, rate, act in (
            (Fault.KILLED, 0.008, self._kill),
            (Fault.DEPLOYED, 0.008, self._deploy),
            (Fault.PAUSED, 0.015, self._pause),
            (Fault.BACKUP_RESTORED, 0.01, lambda: self._lose(self.server.store.restore)),
            (Fault.DATABASE_EMPTIED, 0.006, lambda: self._lose(self.server.store.empty)),
            (Fault.CLOCK_STEPPED, 0.02, self._set_clock),
        ):
            if self.server.up and self.world.strikes(fault, rate):
                for account in self.accounts:
                    self.world.coverage.note(fault, account.bot.state)
                self.world.tell(f"operator: {fault.value}")
                act()

    def _kill(self) -> None:
        self.server.kill()
        self._boot()

    def _deploy(self) -> None:
        self.server.drain()
        self._start_when_down()

    def _start_when_down(self) -> None:
        if self.server.up:
            self.world.after(200, self._start_when_down)
        else:
            self._boot()

    def _pause(self) -> None:
        until_ms = self.world.now_ms + self.world.chance("pause").randint(500, 60_000)
        self.server.frozen_ms = max(self.server.frozen_ms, until_ms)

    def _lose(self, change: Callable[[], None]) -> None:
        """The server is stopped, its database goes back in time, and it starts again."""
        self.server.kill()
        change()
        for account in self.accounts:
            account.rolled_back_ms = self.world.now_ms
        restored_in_ms = self.world.chance("boot").randint(*RESTORE_MS)
        self.server.restored_ms = self.world.now_ms + restored_in_ms
        # Nobody does this in less than a fence: what the last process sent has arrived by then, or never will.
        self.world.after(restored_in_ms, self._start_anew)

    def _start_anew(self) -> None:
        """What happened until now is in no journal any more."""
        for account in self.accounts:
            account.rolled_back_ms = self.world.now_ms
            account.looked_back_ms = None
            if account.bot.wish is not Wish.REST:
                self.server.wants(account.bot)  # a database of other days is put right before it is used
        self.server.start()

    def _boot(self) -> None:
        self.world.after(self.world.chance("boot").randint(200, 6_000), self.server.start)

    def _set_clock(self) -> None:
        """The machine's clock jumps by up to an hour, as after a wrong time zone or a late correction."""
        self.server.clock.wall_error_ms = self.world.chance("clock").randint(-3_600_000, 3_600_000)
