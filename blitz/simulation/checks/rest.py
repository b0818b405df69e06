"""L1, L2 and L3: once the faults are over, what should rest must rest, within its bound and to the tick.

The orders that should rest are computed anew from the venue's position and the frozen settings, written apart from
`core.plan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import ZERO, OpenOrder, Role, Side
from blitz.core.records import SlotState
from blitz.core.second_writer import SECOND_WRITER
from blitz.core.work import Mode
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.checks.venue_truth import VenueTruth, leg_sizes
from blitz.simulation.checks.violations import Violations
from blitz.simulation.venue_orders import Owner, VenueIds

PROTECTED_MS = 5_000
"""L1: a position is covered this long after the exchange can be reached, or after it lost its take-profit."""
FENCED_MS = 9_000
"""Where ids may repeat, an exit that was never answered waits for the fence and two looks before it is sent again."""


def true_take_profit(settings: LadderSettings, average: Decimal, instrument: Instrument) -> Decimal:
    """ROE / leverage percent beyond the average, rounded away from it, one tick at least."""
    tick = instrument.tick
    move = settings.take_profit / 100 / settings.leverage
    if settings.side is Side.LONG:
        target = (average * (1 + move) / tick).to_integral_value(rounding=ROUND_CEILING) * tick
        return max(target, (average / tick).to_integral_value(rounding=ROUND_CEILING) * tick + tick)
    target = (average * (1 - move) / tick).to_integral_value(rounding=ROUND_FLOOR) * tick
    return min(target, (average / tick).to_integral_value(rounding=ROUND_FLOOR) * tick - tick)


@dataclass(slots=True)
class RestCheck:
    """What rests at the venue against what should."""

    account: SimulatedAccount
    truth: VenueTruth
    violations: Violations

    @property
    def is_dust(self) -> bool:
        """The position is too small for an order of its own."""
        return ZERO < self.account.venue.on_side < self.account.venue.instrument.quantity_min

    def check_protected(self, since_ms: int) -> None:
        """L1: a running bot's position has its take-profit, for exactly what is held and at the right price.

        A bot that is being stopped sends nothing (S11): what it lacked when Stop was pressed, its last words tell.

        `since_ms`: the bound counts from then, or from when the take-profit was lost, whichever was later.
        """
        venue, bot = self.account.venue, self.account.bot
        settings = self._frozen()
        stopping = bot.mode in {Mode.STOP_PULL, Mode.STOP_KEEP}
        if not bot.runs or stopping or venue.on_side <= 0 or settings is None or self.is_dust:
            return
        lost_ms = self.truth.uncovered_since_ms or 0
        bound_ms = PROTECTED_MS + (FENCED_MS if venue.ids is VenueIds.UNENFORCED else 0)
        if self.violations.world.now_ms < max(since_ms, lost_ms) + bound_ms or self._is_explained():
            return
        resting = self._own(Role.TAKE_PROFIT)
        if len(resting) != 1 or resting[0].remaining != venue.on_side:
            have = [str(order.remaining) for order in resting]
            self._wrong("L1", f"a position of {venue.on_side} has take-profits {have}{self._why()}")
            return
        targets = [true_take_profit(settings, venue.books.average, rules) for rules in venue.rules]
        if resting[0].price not in targets:
            self._wrong("L1", f"the take-profit rests at {resting[0].price}, right is {targets[-1]}{self._why()}")
        # A stop that keeps no id waits for the fence when nobody answered: nothing tells it from another try.
        began_ms = self.truth.entered_ms
        if not venue.house.stops_carry_ids:
            began_ms, bound_ms = max(began_ms, since_ms), PROTECTED_MS + FENCED_MS
        settled = self.violations.world.now_ms >= began_ms + bound_ms
        if settings.stop_loss and settled and not self._own(Role.STOP_LOSS):
            self._wrong("L1", f"no stop-loss rests{self._why()}")

    def _is_explained(self) -> bool:
        """What somebody did by hand is told to the trader first: a trade that no read showed, orders dragged about."""
        memory, orders = self.account.bot.memory, self.account.venue.orders.values()
        traded = any(order.owner is Owner.HUMAN and order.shown.filled for order in orders)
        differs = memory is not None and memory.disagree_since_ms is not None
        return (differs and traded) or (memory is not None and SECOND_WRITER in memory.standing)

    def check_settled(self) -> None:
        """L2 and L3: nothing is unknown, a flat bot has entered, and each leg that lacks rests."""
        venue, bot = self.account.venue, self.account.bot
        if not bot.runs:
            self._wrong("L2", f"the bot does not run: {bot.last_words or 'never started'}")
            return
        memory = bot.memory
        open_fates = [] if memory is None else [
            str(key) for key, slot in memory.slots.items() if slot.state in {SlotState.INTENT, SlotState.UNKNOWN}
        ]  # fmt: skip
        if open_fates:
            self._wrong("L3", f"the fate of {open_fates} is still open")
        if memory is not None and memory.attention is not None:
            self._wrong("L2", f"still needs attention: {memory.attention.code}")
        twins = [leg for leg in range(50) if len(self._own(Role.LEG, leg)) > 1]
        if twins:
            self._wrong("S1", f"legs {twins} of another server still rest beside the bot's own")
        if venue.on_side <= 0:
            self._wrong("L2", f"flat and not entered{self._why()}")
            return
        self._check_legs()

    def _check_legs(self) -> None:
        settings, cycle, venue = self._frozen(), self.truth.cycle, self.account.venue
        # What a copy's orders filled counts for the bot's legs, and what a lost database merged cannot be told apart.
        copied = any(order.owner is Owner.COPY for order in venue.orders.values())
        merged = self.account.rolled_back_ms > 0 or copied
        if settings is None or cycle is None or not cycle.filled.get(0) or merged:
            return
        entry = cycle.entry_cost / cycle.filled[0]
        by_rules = [leg_sizes(settings, entry, rules) for rules in venue.rules]
        for leg in range(1, len(by_rules[0])):
            lacking = [sizes[leg] - cycle.filled.get(leg, ZERO) for sizes in by_rules]
            resting = self._own(Role.LEG, leg)
            have = sum((order.remaining for order in resting), ZERO)
            large = min(lacking) * venue.price >= 2 * venue.instrument.notional_min
            if large and min(lacking) >= venue.instrument.quantity_min and have not in lacking:
                self._wrong("L2", f"leg {leg} rests {have} and lacks {lacking[-1]}{self._why()}")

    @property
    def take_profit_price(self) -> Decimal | None:
        """Where the take-profit rests."""
        return next((order.price for order in self._own(Role.TAKE_PROFIT)), None)

    def own_legs(self) -> Sequence[OpenOrder]:
        """Every leg of the bot that rests."""
        return [order for leg in range(50) for order in self._own(Role.LEG, leg)]

    def _own(self, role: Role, leg: int = 0) -> list[OpenOrder]:
        found = []
        for order in self.account.venue.live.values():
            # One with our very tag counts as ours, whoever sent it, as long as it is the only one in its place.
            tag = self.account.tag_of(order) if order.owner in {Owner.BOT, Owner.COPY} else None
            if tag is not None and tag.role is role and tag.leg == leg:
                found.append(order.shown)
        return found

    def _frozen(self) -> LadderSettings | None:
        memory = self.account.bot.memory
        return memory.cycle.settings if memory is not None and memory.cycle is not None else None

    def _why(self) -> str:
        memory = self.account.bot.memory
        told = "" if memory is None or memory.attention is None else f"; attention {memory.attention.code}"
        return told + (f"; {self.account.bot.result.trouble}" if self.account.bot.result.trouble else "")

    def _wrong(self, invariant: str, what: str) -> None:
        self.violations.add(invariant, self.account.user_id, what)
