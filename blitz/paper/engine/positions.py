"""Positions: the books (`Holding`) and the report made from them at the current mark price (`Position`).

The settlement folds fills into a `Holding`; `margin.py` makes the report. Costs are exact: see `Holding`.
Neither knows about orders.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from blitz.paper.engine.orders import ZERO, Side, StopMode

MONEY_QUANTUM = Decimal("0.00000001")


def round_money(amount: Decimal) -> Decimal:
    """Round a USDT amount to 1e-8, half to even: the one rounding money meets at this venue."""
    return amount.quantize(MONEY_QUANTUM, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What an account holds in one slot (symbol and position index).

    `cost` is the exact USDT value paid for the open size. On a partial close cost and open fees leave in
    proportion, rounded to 1e-8; the close that empties the slot takes all that is left. Realised profit over
    a flat-to-flat cycle is therefore proceeds minus cost to the last digit.
    """

    side: Side = Side.NONE
    size: Decimal = ZERO
    cost: Decimal = ZERO
    open_fees: Decimal = ZERO
    cycle_realised: Decimal = ZERO
    """Net of fees and funding since the slot was last flat."""
    total_realised: Decimal = ZERO
    """Net of fees and funding since the account exists."""
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def average_price(self) -> Decimal:
        """Unrounded average entry price; 0 when flat."""
        return self.cost / self.size if self.size else ZERO

    @property
    def signed_size(self) -> Decimal:
        """Size with the sign of its direction."""
        return -self.size if self.side is Side.SELL else self.size

    def unrealised(self, mark: Decimal) -> Decimal:
        """Profit in USDT if the whole slot were valued at `mark`."""
        value = round_money(mark * self.size)
        return self.cost - value if self.side is Side.SELL else value - self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position as the venue reports it at one moment. A flat one has side `NONE` and size 0; prices 0 mean none."""

    symbol: str
    position_idx: int
    side: Side
    size: Decimal
    average_price: Decimal
    value: Decimal
    """Cost of the open size (average price × size)."""
    leverage: Decimal
    mark_price: Decimal
    liquidation_price: Decimal
    """0 when no positive price would liquidate it."""
    bankruptcy_price: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    unrealised: Decimal
    cycle_realised: Decimal
    total_realised: Decimal
    take_profit: Decimal
    stop_loss: Decimal
    tpsl_mode: StopMode
    is_isolated: bool
    created_ms: int
    updated_ms: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The USDT wallet of one account at one moment. Always: wallet_balance = deposited + realised - fees - funding."""

    coin: str
    deposited: Decimal
    wallet_balance: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    """Funding paid; negative when more was received."""
    unrealised: Decimal
    equity: Decimal
    position_initial_margin: Decimal
    order_initial_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
