"""Our books: fold the fills of one cycle into position, cost and profit.

Average-cost accounting in exact decimals. When part of a position is closed, its share of the cost leaves with it,
rounded half-even to eight places (the venue's own money quantum); the last part takes all the cost that is left. So
from flat to flat, realised profit is exactly proceeds minus cost, whatever was rounded on the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from blitz.core.orders import ZERO, BookedFill, FillKind, OrderKey, Role, Side

MONEY_QUANTUM = Decimal("0.00000001")


@dataclass(slots=True)
class Ledger:
    """The running books of one cycle. `book` is the only way in."""

    side: Side
    quantity: Decimal = ZERO
    """Open position in base currency; negative only if the account was turned round from outside."""
    cost: Decimal = ZERO
    """What the open quantity cost in quote currency."""
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    leg_filled: dict[int, Decimal] = field(default_factory=dict)
    leg_cost: dict[int, Decimal] = field(default_factory=dict)
    order_filled: dict[str, Decimal] = field(default_factory=dict)
    """Filled quantity per venue order id: an order is done only when this agrees with the venue's record."""
    first_fill_ms: int | None = None
    """The venue's time of the first fill; a cycle has none before its entry's."""
    seen: set[str] = field(default_factory=set)
    last_exit: OrderKey | FillKind | None = None
    """What last took the position down to flat, or through it: a key of ours, or how the venue did it."""
    exits: int = 0
    """How many times the position came down to flat, or was turned round."""
    liquidated: Decimal = ZERO
    """Quantity that the venue took because the margin was used up."""
    foreign_quantity: Decimal = ZERO
    """Net quantity traded by orders that are not ours."""
    booked: list[BookedFill] = field(default_factory=list)
    """Everything that was folded, in the order of the venue's time."""

    @property
    def average(self) -> Decimal:
        """Average entry price of the open quantity; 0 when flat."""
        return self.cost / self.quantity if self.quantity else ZERO

    @property
    def entry_price(self) -> Decimal | None:
        """Average fill price of leg 0, or None before it filled."""
        filled = self.leg_filled.get(0, ZERO)
        return self.leg_cost[0] / filled if filled else None

    def book(self, booked: BookedFill) -> bool:
        """Fold one fill; False when its exec id was folded before (S6)."""
        fill = booked.fill
        if fill.exec_id in self.seen:
            return False
        self.seen.add(fill.exec_id)
        self.booked.append(booked)
        if fill.kind is FillKind.FUNDING:
            self.funding += fill.fee
            return True
        if self.first_fill_ms is None:
            self.first_fill_ms = fill.at_ms
        self.fees += fill.fee
        self.order_filled[fill.order_id] = self.order_filled.get(fill.order_id, ZERO) + fill.quantity
        if fill.kind is FillKind.LIQUIDATION and self.quantity > 0 and fill.direction is self.side.closing:
            self.liquidated += fill.quantity
        self._note_key(booked)
        signed = fill.quantity if fill.direction is self.side.opening else -fill.quantity
        held = self.quantity
        self._move(signed, fill.price)
        if held > 0 >= self.quantity:
            self.exits += 1
            self.last_exit = booked.key or fill.kind
        return True

    def with_all(self, fills: Iterable[BookedFill]) -> "Ledger":
        """The books with these fills too, each in its place: a list that was cut short may bring older ones later (A8).

        What a part of a position cost depends on what was there before it, so the books are made anew when a fill
        belongs before one that is folded already.
        """
        fresh = [booked for booked in fills if booked.fill.exec_id not in self.seen]
        late = bool(self.booked) and any(_moment(one) < _moment(self.booked[-1]) for one in fresh)
        books = Ledger(side=self.side) if late else self
        for booked in sorted([*self.booked, *fresh], key=_moment) if late else fresh:
            books.book(booked)
        return books

    def _note_key(self, booked: BookedFill) -> None:
        fill, key = booked.fill, booked.key
        if key is None:
            opening = fill.direction is self.side.opening
            self.foreign_quantity += fill.quantity if opening else -fill.quantity
        elif key.role is Role.LEG:
            self.leg_filled[key.leg] = self.leg_filled.get(key.leg, ZERO) + fill.quantity
            self.leg_cost[key.leg] = self.leg_cost.get(key.leg, ZERO) + fill.quantity * fill.price

    def _move(self, signed: Decimal, price: Decimal) -> None:
        """Add a signed quantity at `price`; whatever comes off the position realises profit."""
        closing = min(abs(signed), abs(self.quantity)) if signed * self.quantity < 0 else ZERO
        if closing:
            self._close(closing, price)
        opening = abs(signed) - closing
        if opening:
            self.quantity += opening.copy_sign(signed)
            self.cost += opening * price

    def _close(self, closing: Decimal, price: Decimal) -> None:
        held = abs(self.quantity)
        leaving = self.cost
        if closing != held:
            leaving = (self.cost * closing / held).quantize(MONEY_QUANTUM, rounding=ROUND_HALF_EVEN)
        gain = closing * price - leaving
        pointing_up = (self.quantity > 0) == (self.side is Side.LONG)
        self.realised += gain if pointing_up else -gain
        self.cost -= leaving
        self.quantity -= closing.copy_sign(self.quantity)


def _moment(booked: BookedFill) -> tuple[int, int]:
    return booked.fill.moment
