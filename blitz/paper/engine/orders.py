"""Orders: what a client asks for (`OrderRequest`, `AmendRequest`, `TradingStopRequest`) and what is kept (`Order`).

The wire builds the requests and reads the orders. All values are frozen: an order that changes is a new
`Order` under the same `order_id`, so a row handed out never changes afterwards. Nothing is matched here.
Quantities are in base coin, prices and values in USDT, times in milliseconds since the epoch.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

ZERO = Decimal(0)


class Side(StrEnum):
    """Direction of an order. `NONE` is the side of a flat position."""

    BUY = "Buy"
    SELL = "Sell"
    NONE = ""

    @property
    def opposite(self) -> "Side":
        """The other direction; of `NONE`, `NONE`."""
        return {Side.BUY: Side.SELL, Side.SELL: Side.BUY}.get(self, Side.NONE)


class OrderType(StrEnum):
    """How the price is found."""

    MARKET = "Market"
    LIMIT = "Limit"


class TimeInForce(StrEnum):
    """What happens to the part that does not trade at once."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    """Ended by a cancel; may still have fills."""
    DEACTIVATED = "Deactivated"
    """A conditional order that ended before its trigger."""
    REJECTED = "Rejected"

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self in (
            OrderStatus.UNTRIGGERED, OrderStatus.TRIGGERED, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED,
        )  # fmt: skip


class TriggerBy(StrEnum):
    """Which price a trigger watches."""

    LAST = "LastPrice"
    MARK = "MarkPrice"
    INDEX = "IndexPrice"


class TriggerDirection(IntEnum):
    """From which side the price must come. `NONE`: not a conditional order."""

    NONE = 0
    RISE = 1
    FALL = 2


class StopOrderType(StrEnum):
    """What kind of conditional order it is; stays set after the trigger."""

    NONE = ""
    STOP = "Stop"
    """A conditional order a client placed."""
    TAKE_PROFIT = "TakeProfit"
    STOP_LOSS = "StopLoss"
    PARTIAL_TAKE_PROFIT = "PartialTakeProfit"
    PARTIAL_STOP_LOSS = "PartialStopLoss"

    @property
    def is_position_stop(self) -> bool:
        """Whether the order is a child of a position rather than an order of its own."""
        return self not in (StopOrderType.NONE, StopOrderType.STOP)

    @property
    def takes_profit(self) -> bool:
        """Whether the order waits for a profit rather than a loss."""
        return self in (StopOrderType.TAKE_PROFIT, StopOrderType.PARTIAL_TAKE_PROFIT)


class IdRegime(StrEnum):
    """What the venue thinks of an `orderLinkId` it has seen before. Switchable, since real venues differ."""

    NEVER = "never"
    """A used id stays taken for ever."""
    REUSABLE = "reusable"
    """An id is taken while an order with it is open."""
    UNENFORCED = "unenforced"
    """Duplicates are accepted."""


class StopMode(StrEnum):
    """Whether a position's take-profit or stop-loss covers all of it or a stated size."""

    FULL = "Full"
    PARTIAL = "Partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a client asks for in order/create. `quantity` 0 with reduce_only and close_on_trigger closes everything."""

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    link_id: str = ""
    position_idx: int = 0
    reduce_only: bool = False
    close_on_trigger: bool = False
    trigger_price: Decimal | None = None
    trigger_direction: TriggerDirection = TriggerDirection.NONE
    trigger_by: TriggerBy = TriggerBy.LAST
    stop_kind: StopOrderType = StopOrderType.STOP
    """What a conditional order is for. One that stops a position closes it and follows it."""
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: TriggerBy = TriggerBy.LAST
    sl_trigger_by: TriggerBy = TriggerBy.LAST
    tpsl_mode: StopMode = StopMode.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendRequest:
    """What a client asks for in order/amend. `None` leaves a value as it is; 0 removes a take-profit or stop-loss."""

    symbol: str
    order_id: str = ""
    link_id: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: TriggerBy | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingStopRequest:
    """What a client asks for in position/trading-stop. `None` leaves as is, 0 removes. Sizes only in Partial mode.

    A limit price together with its trigger makes the child a limit order; otherwise it closes at market.
    """

    symbol: str
    position_idx: int = 0
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: TriggerBy = TriggerBy.LAST
    sl_trigger_by: TriggerBy = TriggerBy.LAST
    tpsl_mode: StopMode = StopMode.FULL
    tp_size: Decimal | None = None
    sl_size: Decimal | None = None
    tp_limit_price: Decimal | None = None
    sl_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the venue sees it, at one moment. `price` is 0 for a market order, `trigger_price` 0 without one."""

    order_id: str
    sequence: int
    """Creation order over the whole venue; never reused."""
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal
    status: OrderStatus
    created_ms: int
    updated_ms: int
    link_id: str = ""
    time_in_force: TimeInForce = TimeInForce.GTC
    position_idx: int = 0
    reduce_only: bool = False
    close_on_trigger: bool = False
    filled_quantity: Decimal = ZERO
    filled_value: Decimal = ZERO
    fee_paid: Decimal = ZERO
    trigger_price: Decimal = ZERO
    trigger_direction: TriggerDirection = TriggerDirection.NONE
    trigger_by: TriggerBy = TriggerBy.LAST
    stop_order_type: StopOrderType = StopOrderType.NONE
    tpsl_mode: StopMode = StopMode.FULL
    take_profit: Decimal = ZERO
    stop_loss: Decimal = ZERO
    tp_trigger_by: TriggerBy = TriggerBy.LAST
    sl_trigger_by: TriggerBy = TriggerBy.LAST
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    create_type: str = "CreateByUser"
    last_price_on_created: Decimal = ZERO

    @property
    def leaves_quantity(self) -> Decimal:
        """What can still trade; 0 once the order has ended."""
        return self.quantity - self.filled_quantity if self.status.is_open else ZERO

    @property
    def average_price(self) -> Decimal:
        """Average fill price, unrounded division; 0 without fills."""
        return self.filled_value / self.filled_quantity if self.filled_quantity else ZERO

    @property
    def is_conditional(self) -> bool:
        """Whether it waits, or once waited, for a trigger."""
        return self.trigger_direction is not TriggerDirection.NONE
