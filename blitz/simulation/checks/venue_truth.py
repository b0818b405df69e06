"""S1 to S6 on the venue's own books, looked at after everything that changes them.

A cycle here is what the venue saw: from flat to flat. Its ladder is computed anew from the settings that the bot had
frozen, written apart from `core.ladder`.
"""

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import product

from blitz.core.calls import AmendOrder, CancelOrder, Pulled, Rejected, ReplaceOrder, SendOrder
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import ZERO, Direction, FillKind, OrderType, Role, Side
from blitz.core.records import Cycle
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.checks.violations import Violations
from blitz.simulation.tags import Tag, parsed
from blitz.simulation.venue_orders import Owner

ENTRY_DRIFT = Decimal("1.12")
"""An entry's quantity was computed at a price a few seconds old; in a gap it may be worth this much more than meant."""


OUTDATED_MS = 7_000
"""A leg may leave this long after its cycle was over: a look is five seconds old at most, its time one second off."""
AHEAD_MS = 1_000
"""How far the bot's idea of the time may be off."""


@dataclass(slots=True)
class TrueCycle:
    """From flat to flat, as the venue saw it."""

    entry_sent: Decimal = ZERO
    """Largest quantity of an entry that was sent in it."""
    filled: dict[int, Decimal] = field(default_factory=dict)
    """By leg."""
    entry_cost: Decimal = ZERO
    ladders: list[LadderSettings] = field(default_factory=list)
    """Settings that were frozen into the bot's cycle while this one lasted; more than one after a lost database."""
    rules_known: int = 0
    """How many versions of the market's rules `allowed` takes into account."""
    allowed: dict[int, Decimal] = field(default_factory=dict)
    """Most that each leg may fill, by the ladder from the real entry price."""


def leg_sizes(settings: LadderSettings, entry: Decimal, instrument: Instrument) -> list[Decimal]:
    """Quantities of all legs: amount x leverage / price, floored to the step, prices chained on the tick."""
    sizes, price = [], entry
    for index, row in enumerate(settings.grids[: settings.rounds]):
        if index:
            worse = 1 - row.gap / 100 if settings.side is Side.LONG else 1 + row.gap / 100
            price = (price * worse / instrument.tick).to_integral_value(rounding=ROUND_HALF_UP) * instrument.tick
        steps = (row.amount * settings.leverage / price / instrument.step).to_integral_value(rounding=ROUND_FLOOR)
        sizes.append(steps * instrument.step)
    return sizes


@dataclass(slots=True)
class VenueTruth:
    """Watches one account."""

    account: SimulatedAccount
    violations: Violations
    cycle: TrueCycle | None = None
    uncovered_since_ms: int | None = None
    _seen_fills: int = 0
    _held: Decimal = ZERO
    _flat_since_ms: int = 2**62
    entered_ms: int = 0
    """When the present cycle's entry filled."""
    _pending_number: int = 0
    _pending_entry: Decimal = ZERO
    _pending_ladders: list[LadderSettings] = field(default_factory=list)

    def arrived(self, call: object, reply: object, signed_ms: int) -> None:
        """A request of the bot, signed at that time, has reached the venue and was answered."""
        if isinstance(call, SendOrder | ReplaceOrder):
            accepted = not isinstance(reply, Rejected | Pulled)
            self._sent(call, accepted=accepted)
            if accepted:
                self._check_age(call, signed_ms)
        if isinstance(call, AmendOrder | ReplaceOrder | CancelOrder):
            order = self.account.venue.orders.get(call.order_id)
            if order is not None and order.owner not in {Owner.BOT, Owner.COPY}:
                self._wrong("S4", f"touched somebody else's order {order.shown.client_id or order.shown.order_id}")
        self.changed()

    def _check_age(self, call: SendOrder | ReplaceOrder, signed_ms: int) -> None:
        """An order must belong to what is true when it arrives: not to a cycle that is over, nor to one before."""
        key, tag = call.order.key, call.client_id
        if key.role is not Role.LEG:
            if self.entered_ms > signed_ms + AHEAD_MS:
                self._wrong("S5", f"{tag} of an earlier cycle arrived in the next one")
        elif key.leg and self.cycle is None and self._flat_since_ms < signed_ms - OUTDATED_MS:
            self._wrong("S3", f"{tag} was sent {signed_ms - self._flat_since_ms} ms after its cycle was over")

    def entry_departs(self, call: SendOrder, cycle: Cycle | None) -> None:
        """The bot sends an entry order in this cycle, as its store has it."""
        if call.order.key.role is not Role.LEG:
            return
        if self.cycle is None and call.order.key.leg:
            return  # on its way while the cycle closed
        if cycle is not None and cycle.number != self._pending_number:
            self._pending_number = cycle.number
            self._pending_entry, self._pending_ladders = ZERO, []
        self._note_ladder(cycle)
        if call.order.key.leg == 0:
            self._pending_entry = max(self._pending_entry, call.order.quantity)
            if self.cycle:
                self.cycle.entry_sent = max(self.cycle.entry_sent, call.order.quantity)

    def amend_departs(self, call: AmendOrder | ReplaceOrder, cycle: Cycle | None) -> None:
        """The bot moves an order: a leg moves to where the cycle's settings want it."""
        order = self.account.venue.orders.get(call.order_id)
        if order is not None and not order.shown.reduce_only and self.cycle is not None:
            self._note_ladder(cycle)

    def _note_ladder(self, cycle: Cycle | None) -> None:
        settings = None if cycle is None else cycle.settings
        ladders = self.cycle.ladders if self.cycle else self._pending_ladders
        if settings is None or settings in ladders:
            return
        if settings not in self.account.saved:
            self._wrong("S3", "trades settings that the trader never saved")
        ladders.append(settings)
        if self.cycle:
            self.cycle.allowed.clear()

    def changed(self) -> None:
        """Something may have changed at the venue."""
        self._fold_fills()
        self._check_foreign_orders()
        live = self._live_by_place()
        for tag, orders in live.items():
            if len(orders) > 1:
                self._wrong("S1", f"{len(orders)} live orders of {tag[0].value}_{tag[1]}")
        self._check_legs(live)
        self._check_exits()
        self._note_cover(live)

    def _check_foreign_orders(self) -> None:
        """S4: whatever a person rests ends by a person's hand, by a fill, or by the venue's own rules."""
        for order_id in self.account.human_orders - self.account.cancelled_by_hand:
            order = self.account.venue.orders[order_id]
            if order.terminal and order.reason == "CancelByUser":
                self._wrong("S4", f"somebody else's order {order_id} was cancelled")

    def _note_cover(self, live: dict[tuple[Role, int, int], list[Decimal]]) -> None:
        """Since when the position has not had exactly its take-profit."""
        held = self.account.venue.on_side
        covered = held <= 0 or live.get((Role.TAKE_PROFIT, 0, self.account.user_id)) == [held]
        if covered:
            self.uncovered_since_ms = None
        elif self.uncovered_since_ms is None:
            self.uncovered_since_ms = self.violations.world.now_ms

    def _sent(self, call: SendOrder | ReplaceOrder, *, accepted: bool) -> None:
        order, tag, house = call.order, parsed(call.client_id), self.account.venue.house
        if order.type is OrderType.STOP_MARKET and not house.stops_carry_ids:
            if call.client_id:
                self._wrong("S14", f"sent {call.client_id!r} with an order that keeps no id")
            tag = Tag(Role.STOP_LOSS, 0, self.account.user_id, "", 0)
        if tag is None or tag.user_id != self.account.user_id or tag.role is not order.key.role:
            self._wrong("S14", f"sent {call.client_id!r}, which does not say what the order is")
            return
        closing = Direction.SELL if self.account.venue.side is Side.LONG else Direction.BUY
        if tag.role is Role.LEG:
            if order.direction is closing or order.reduce_only:
                self._wrong("S5", f"an entry that closes: {call.client_id}")
        elif order.direction is not closing or not order.reduce_only:
            self._wrong("S5", f"an exit that could open: {call.client_id}")
        if accepted and len(call.client_id) > house.id_length_max:
            self._wrong("S14", f"{call.client_id} is longer than {house.id_length_max} characters")

    def _fold_fills(self) -> None:
        venue = self.account.venue
        for fill in venue.fills[self._seen_fills :]:
            self._seen_fills += 1
            if fill.kind is FillKind.FUNDING:
                continue
            tag = parsed(fill.client_id) if venue.orders[fill.order_id].owner is Owner.BOT else None
            if tag is not None and tag.role is Role.LEG:
                self._fold_leg(tag, fill.quantity, fill.price)
            self._held += fill.quantity if fill.direction is venue.side.opening else -fill.quantity
            if self._held <= 0 and self.cycle is not None:
                self.cycle = None
                self._flat_since_ms = fill.at_ms
                self._pending_entry, self._pending_ladders = ZERO, []

    def _fold_leg(self, tag: Tag, quantity: Decimal, price: Decimal) -> None:
        if self.cycle is None:
            self.cycle = TrueCycle(entry_sent=self._pending_entry, ladders=list(self._pending_ladders))
            if tag.leg == 0:
                self.entered_ms = self.violations.world.now_ms
        cycle = self.cycle
        cycle.filled[tag.leg] = cycle.filled.get(tag.leg, ZERO) + quantity
        if tag.leg == 0:
            cycle.entry_cost += quantity * price
            cycle.allowed.clear()

    def _check_legs(self, live: dict[tuple[Role, int, int], list[Decimal]]) -> None:
        """S2 and S3: what a leg filled, and what of it still rests, together stay within the ladder."""
        cycle = self.cycle
        if cycle is None or not cycle.filled.get(0):
            return
        if cycle.filled[0] > cycle.entry_sent:
            self._wrong("S2", f"the entry filled {cycle.filled[0]} of {cycle.entry_sent}")
        self._refresh_allowed(cycle)
        for leg in {*cycle.filled, *(place[1] for place in live if place[0] is Role.LEG)}:
            filled = cycle.filled.get(leg, ZERO)
            resting = sum(live.get((Role.LEG, leg, self.account.user_id), []), ZERO)
            most = cycle.allowed.get(leg, ZERO)
            if filled > most:
                self._wrong("S2", f"leg {leg} filled {filled}, its size is {most}")
            elif filled + resting > most:
                self._wrong("S3", f"leg {leg} filled {filled} and rests {resting}, its size is {most}")

    def _refresh_allowed(self, cycle: TrueCycle) -> None:
        versions = len(self.account.venue.rules)
        if cycle.allowed and cycle.rules_known == versions:
            return
        cycle.rules_known = versions
        entry = cycle.entry_cost / cycle.filled[0]
        meant = max((one.grids[0].amount * one.leverage for one in cycle.ladders), default=ZERO)
        if cycle.entry_cost > meant * ENTRY_DRIFT:
            self._wrong("S3", f"the entry is worth {cycle.entry_cost}, meant were {meant}")
        for settings, rules in product(cycle.ladders, self.account.venue.rules):
            for leg, size in enumerate(leg_sizes(settings, entry, rules)):
                most = max(size, cycle.entry_sent) if leg == 0 else size
                cycle.allowed[leg] = max(cycle.allowed.get(leg, ZERO), most)

    def _live_by_place(self) -> dict[tuple[Role, int, int], list[Decimal]]:
        """What rests of each place of the ladder, by the ids at the venue."""
        live: dict[tuple[Role, int, int], list[Decimal]] = {}
        for order in self.account.venue.live.values():
            if order.owner is not Owner.BOT:
                continue
            tag = self.account.tag_of(order)
            # A stop without an id that the database forgot, and the settings do not explain, is nobody's any more.
            forgotten = not order.shown.client_id and order.shown.created_ms <= self.account.rolled_back_ms
            if tag is not None and not forgotten:
                live.setdefault(tag.place, []).append(order.shown.remaining)
        return live

    def _check_exits(self) -> None:
        venue = self.account.venue
        resting = [
            order.shown.remaining
            for order in venue.live.values()
            if order.owner is Owner.BOT and order.shown.reduce_only and not order.waits
        ]
        if sum(resting, ZERO) > max(venue.on_side, ZERO):
            self._wrong("S5", f"take-profits for {sum(resting)} rest on a position of {venue.on_side}")

    def _wrong(self, invariant: str, what: str) -> None:
        self.violations.add(invariant, self.account.user_id, what)
