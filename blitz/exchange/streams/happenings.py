"""What a stream may tell. Values only; each is a hint to look, none is believed in place of a read."""

from dataclasses import dataclass
from decimal import Decimal

from blitz.core.orders import Fill, OrderRecord, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen:
    """An execution of the account. The take-profit may follow it at once; books are made from reads alone."""

    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """An order was placed, moved, filled or ended, by whomever."""

    record: OrderRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSeen:
    """A position as the venue pushed it; it is pushed after each order too, changed or not."""

    symbol: str
    """The venue's own name of the market."""
    side: Side | None
    """The side of a hedge account; None on a one-way account."""
    quantity: Decimal
    leverage: Decimal | None
    """None where the event does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTouched:
    """Something of the account changed that no other word here tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeen:
    """The last price of a market."""

    symbol: str
    """The venue's own name of the market."""
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """The stream tells of everything from now on; what happened before it has to be looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown:
    """The stream tells nothing until it is up again."""

    reason: str
    """A sentence for the trader."""


Happening = FillSeen | OrderSeen | PositionSeen | AccountTouched | PriceSeen
"""What a dialect reads out of frames."""

News = Happening | LinkUp | LinkDown
"""What a listener is told."""
