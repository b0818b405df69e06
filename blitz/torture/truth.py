"""The exchange's own books as values, read from `GET /__paper/state`.

This is what the checks decide by, and never what a bot believes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

BUY = "Buy"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """An order that rests, or waits for its trigger."""

    order_id: str
    link_id: str
    symbol: str
    side: str
    price: Decimal
    trigger: str
    quantity: Decimal
    leaves: Decimal
    """What has not filled yet."""
    is_reduce_only: bool

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "LiveOrder":
        """Read a row of `open_orders`."""
        return cls(
            order_id=row["orderId"],
            link_id=row["orderLinkId"],
            symbol=row["symbol"],
            side=row["side"],
            price=Decimal(row["price"]),
            trigger=row["triggerPrice"],
            quantity=Decimal(row["qty"]),
            leaves=Decimal(row["leavesQty"]),
            is_reduce_only=row["reduceOnly"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Something that happened to an account: a trade, a funding fee, a liquidation."""

    exec_id: str
    order_id: str
    link_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "Execution":
        """Read a row of `executions`."""
        return cls(
            exec_id=row["execId"],
            order_id=row["orderId"],
            link_id=row["orderLinkId"],
            symbol=row["symbol"],
            side=row["side"],
            kind=row["execType"],
            quantity=Decimal(row["execQty"]),
            price=Decimal(row["execPrice"]),
        )

    @property
    def moves_position(self) -> bool:
        """Whether it changed the position; a funding fee does not."""
        return self.kind != "Funding"

    @property
    def signed(self) -> Decimal:
        """What it added to the position: positive bought, negative sold."""
        return self.quantity if self.side == BUY else -self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Books in USDT; fees and funding are positive when paid."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    def apart_from(self, other: "Money") -> Decimal:
        """The sum of the three differences, each without its sign."""
        return abs(self.realised - other.realised) + abs(self.fees - other.fees) + abs(self.funding - other.funding)

    def plus(self, other: "Money") -> "Money":
        """Both together."""
        return Money(
            realised=self.realised + other.realised,
            fees=self.fees + other.fees,
            funding=self.funding + other.funding,
        )

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "Money":
        """Read the three figures of a row, ours or the exchange's."""
        return cls(realised=Decimal(row["realised"]), fees=Decimal(row["fees"]), funding=Decimal(row["funding"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTruth:
    """One account at one moment."""

    key: str
    money: Money
    positions: Mapping[str, Decimal]
    """Signed size by symbol; a flat one is not in here."""
    orders: tuple[LiveOrder, ...]
    executions: tuple[Execution, ...] = ()

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "AccountTruth":
        """Read an account of the state."""
        sizes = [(one["symbol"], one["side"], Decimal(one["size"])) for one in row["positions"]]
        return cls(
            key=row["key"],
            money=Money.read(row),
            positions={symbol: size if side == BUY else -size for symbol, side, size in sizes if size},
            orders=tuple(map(LiveOrder.read, row["open_orders"])),
            executions=tuple(map(Execution.read, row.get("executions", ()))),
        )
