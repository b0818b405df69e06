"""What a stream may tell. Values only; each is a hint to look, none is believed in place of a read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True, eq=False)
class Unread:
    """What can wait to be read: when everybody is filled at once, only the fills themselves are read right away."""

    frame: bytes
    read: Callable[[bytes], Sequence[Happening]]
    """Never raises: what cannot be read is counted where it came from, and is nothing."""
    _happenings: Sequence[Happening] | None = field(default=None, init=False)

    def happenings(self) -> Sequence[Happening]:
        """What it says; read once. Any thread may ask."""
        if self._happenings is None:
            self._happenings = self.read(self.frame)
        return self._happenings


News = Happening | LinkUp | LinkDown
"""What a bot is told."""
Heard = News | Unread
"""What a listener is told."""
