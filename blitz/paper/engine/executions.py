"""What has happened: executions (fills, funding, liquidation, auto-deleveraging) and closed profit rows.

Written once by the settlement, kept for ever in creation order, read by the wire. Never changed.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from blitz.paper.engine.orders import OrderType, Side, StopOrderType


class ExecType(StrEnum):
    """Why money or size moved."""

    TRADE = "Trade"
    FUNDING = "Funding"
    ADL_TRADE = "AdlTrade"
    """Auto-deleveraging: the venue reduced the position. Empty link id."""
    BUST_TRADE = "BustTrade"
    """Liquidation: the venue took the position over. Empty link id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill or one funding charge. Money in USDT; a positive `fee` is paid by the account."""

    exec_id: str
    sequence: int
    symbol: str
    order_id: str
    link_id: str
    side: Side
    order_type: OrderType
    stop_order_type: StopOrderType
    create_type: str
    exec_type: ExecType
    order_price: Decimal
    order_quantity: Decimal
    leaves_quantity: Decimal
    price: Decimal
    quantity: Decimal
    value: Decimal
    fee: Decimal
    fee_rate: Decimal
    is_maker: bool
    closed_size: Decimal
    realised: Decimal
    """Gross profit this execution realised, before fees. Not on the real wire; for the state report."""
    position_idx: int
    """Which position it touched. The real wire does not carry it."""
    mark_price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPnl:
    """One reduction of a position. `closed_pnl` is net of the opening and closing fees of the part closed."""

    symbol: str
    order_id: str
    side: Side
    """Side of the closing order."""
    order_type: OrderType
    exec_type: ExecType
    quantity: Decimal
    entry_value: Decimal
    exit_value: Decimal
    average_entry_price: Decimal
    average_exit_price: Decimal
    realised: Decimal
    open_fee: Decimal
    close_fee: Decimal
    closed_pnl: Decimal
    leverage: Decimal
    at_ms: int
