"""The values a ladder is made of: sides, roles, orders, fills, positions.

Everybody who speaks about orders uses these. They hold what is true of an order on any venue and nothing a
venue calls by its own name; the `rows` of a venue makes them from its wire. All money is `Decimal`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Side(StrEnum):
    """Which way the position points."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short: what a rise of the price does to the position."""
        return 1 if self is Side.LONG else -1

    @property
    def opening(self) -> "Direction":
        """The direction of an order that adds to a position on this side."""
        return Direction.BUY if self is Side.LONG else Direction.SELL

    @property
    def closing(self) -> "Direction":
        """The direction of an order that takes from a position on this side."""
        return self.opening.opposite


class Direction(StrEnum):
    """Which way an order or a fill moves the account."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Direction":
        """The other one."""
        return Direction.SELL if self is Direction.BUY else Direction.BUY


class Role(StrEnum):
    """What an order is for."""

    LEG = "leg"
    """An entry of the ladder: leg 0 is the market entry, the others rest as limits."""
    TAKE_PROFIT = "tp"
    """The one reduce-only limit for the whole position."""
    STOP_LOSS = "sl"
    """The one native reduce-only stop-market for the whole position."""


class OrderType(StrEnum):
    """How an order executes."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKey:
    """Names one place of a ladder: a role, and for a leg its index."""

    role: Role
    leg: int = 0

    def __str__(self) -> str:
        return f"leg_{self.leg}" if self.role is Role.LEG else self.role.value

    def direction(self, side: Side) -> Direction:
        """The direction of its orders in a cycle on `side`: legs open, exits close."""
        return side.opening if self.role is Role.LEG else side.closing


TAKE_PROFIT = OrderKey(role=Role.TAKE_PROFIT)
STOP_LOSS = OrderKey(role=Role.STOP_LOSS)


def leg(index: int) -> OrderKey:
    """The key of leg `index`."""
    return OrderKey(role=Role.LEG, leg=index)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredOrder:
    """An order that should rest (or, for a market order, be sent) now."""

    key: OrderKey
    type: OrderType
    direction: Direction
    quantity: Decimal
    """Base currency still to be traded by this order."""
    price: Decimal | None = None
    """Limit price in quote currency; None for market and stop-market orders."""
    trigger: Decimal | None = None
    """Trigger price in quote currency; only for a stop."""

    @property
    def reduce_only(self) -> bool:
        """Exits can only ever shrink the position (S5)."""
        return self.key.role is not Role.LEG


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that the venue lists as resting, untriggered stops included."""

    order_id: str
    client_id: str
    """The client order id as the venue returns it; empty when it has none."""
    symbol: str
    direction: Direction
    type: OrderType
    quantity: Decimal
    """Total quantity, the filled part included."""
    filled: Decimal
    price: Decimal | None
    trigger: Decimal | None
    reduce_only: bool
    side: Side | None
    """The position side it belongs to on a hedge account; None on a one-way account."""
    created_ms: int = 0

    @property
    def remaining(self) -> Decimal:
        """What is still to be traded."""
        return self.quantity - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """What the venue knows of one order, alive or not."""

    order: OpenOrder
    terminal: bool
    """True when it can never fill again: filled, cancelled, rejected, deactivated."""
    reason: str = ""
    """The venue's word for why it ended, for the log."""


class FillKind(StrEnum):
    """What made the fill."""

    TRADE = "trade"
    FUNDING = "funding"
    """No quantity changes hands; only `fee` counts (positive: paid)."""
    LIQUIDATION = "liquidation"
    ADL = "adl"
    """Auto-deleveraging: the venue took part of the position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution, exactly as the venue booked it."""

    exec_id: str
    """Unique per account: the key against counting twice."""
    order_id: str
    client_id: str
    symbol: str
    kind: FillKind
    direction: Direction
    quantity: Decimal
    price: Decimal
    fee: Decimal
    """Quote currency; positive is paid, negative is received."""
    is_maker: bool
    at_ms: int
    sequence: int = 0
    """The venue's own order of executions, which tells those of one millisecond apart; 0 where it names none."""

    @property
    def moment(self) -> tuple[int, int]:
        """Its place among the account's executions."""
        return self.at_ms, self.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFill:
    """A fill and the place of the ladder it belongs to; `key` None means not one of our orders."""

    fill: Fill
    cycle: int
    key: OrderKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """The position on our side as the venue reports it."""

    quantity: Decimal
    """Base currency, never negative."""
    average: Decimal
    """Average entry price in quote currency; 0 when flat."""
    leverage: Decimal
    hedged: bool
    """True when the account keeps long and short apart."""
    opposite_quantity: Decimal = ZERO
    """What is held on the other side (one-way accounts: a position pointing the other way)."""
    liquidation: Decimal | None = None
    mark: Decimal = ZERO
