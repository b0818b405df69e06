"""An account: its wallet figures, holdings, settings, open orders and everything that ever happened to it.

`Account` is plain state with look-ups; the rules that change it live in `registry.py` (orders) and
`settlement.py` (money and size). The wire reads it through the look-ups. It never checks a rule itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.paper.engine.executions import ClosedPnl, ExecType, Execution
from blitz.paper.engine.houses import BYBIT, House
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, Side, StopMode
from blitz.paper.engine.positions import Holding

SETTLE_COIN = "USDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """What an account chose for one symbol."""

    is_hedge: bool
    buy_leverage: Decimal
    sell_leverage: Decimal

    def leverage(self, side: Side) -> Decimal:
        """Leverage of a long (BUY) or short (SELL) position."""
        return self.sell_leverage if side is Side.SELL else self.buy_leverage

    @property
    def slots(self) -> tuple[int, ...]:
        """Position indexes of the mode: 0 for one-way, 1 (long) and 2 (short) for hedge."""
        return (1, 2) if self.is_hedge else (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Filter for the account's lists; `None` or empty does not filter. Times are inclusive, in milliseconds."""

    symbol: str = ""
    settle_coin: str = ""
    base_coin: str = ""
    order_id: str = ""
    link_id: str = ""
    order_filter: str = ""
    """"Order", "StopOrder" (conditional and not yet active, or once conditional) or "tpslOrder"."""
    status: OrderStatus | None = None
    exec_type: ExecType | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    def matches_market(self, symbol: str) -> bool:
        """Whether rows of `symbol` pass."""
        if self.settle_coin and self.settle_coin != SETTLE_COIN:
            return False
        if self.base_coin and symbol != self.base_coin + SETTLE_COIN:
            return False
        return not self.symbol or self.symbol == symbol

    def matches_time(self, at_ms: int) -> bool:
        """Whether rows of that moment pass."""
        return (self.start_ms is None or at_ms >= self.start_ms) and (self.end_ms is None or at_ms <= self.end_ms)

    def matches_ids(self, order_id: str, link_id: str) -> bool:
        """Whether rows of that order pass."""
        return (not self.order_id or self.order_id == order_id) and (not self.link_id or self.link_id == link_id)

    def matches_order(self, order: Order) -> bool:
        """Whether the order passes every filter that concerns orders."""
        return (
            self.matches_market(order.symbol)
            and self.matches_ids(order.order_id, order.link_id)
            and self.matches_time(order.created_ms)
            and (self.status is None or self.status is order.status)
            and ORDER_FILTERS.get(self.order_filter, _always)(order)
        )


def _always(_order: Order) -> bool:
    return True


ORDER_FILTERS: dict[str, Callable[[Order], bool]] = {
    "Order": lambda order: not order.is_conditional,
    "StopOrder": lambda order: order.is_conditional,
    "tpslOrder": lambda order: order.stop_order_type.is_position_stop,
}
"""What the wire's `orderFilter` selects. Any other text selects everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What the exchange tells of an API key."""

    permissions: str = ""
    """JSON as the exchange writes it; empty: what a key for trading usually has."""
    ips: str = ""
    """Addresses it is bound to, with commas; empty: to none."""
    read_only: bool = False


@dataclass(slots=True)
class Account:
    """One API key's account. Money in USDT. `wallet_balance` is derived, so the books cannot disagree."""

    key: str
    secret: str = field(repr=False)
    user_id: int = 0
    key_facts: KeyFacts = KeyFacts()
    house: House = BYBIT
    """The exchange whose rules the account trades by."""
    deposited: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    is_isolated: bool = False
    """Isolated margin for every symbol."""
    isolated_symbols: dict[str, None] = field(default_factory=dict)
    """Symbols with isolated margin, at a house where it is chosen per symbol."""
    default_is_hedge: bool = False
    settings: dict[str, SymbolSettings] = field(default_factory=dict)
    holdings: dict[tuple[str, int], Holding] = field(default_factory=dict)
    stop_modes: dict[tuple[str, int], StopMode] = field(default_factory=dict)
    armed: dict[str, None] = field(default_factory=dict)
    """Symbols with a liquidation alert of this account."""
    open: dict[str, Order] = field(default_factory=dict)
    """Open orders by id."""
    closed: list[Order] = field(default_factory=list)
    """Ended orders in the order they ended. Only ever appended to."""
    executions: list[Execution] = field(default_factory=list)
    """Only ever appended to."""
    closed_pnl: list[ClosedPnl] = field(default_factory=list)
    """Only ever appended to."""
    used_link_ids: dict[str, None] = field(default_factory=dict)
    open_link_ids: dict[str, str] = field(default_factory=dict)
    """Link id to order id of the newest open order that carries it."""

    @property
    def wallet_balance(self) -> Decimal:
        """Deposits + realised profit - fees - funding, exactly."""
        return self.deposited + self.realised - self.fees - self.funding

    def open_orders(self, lookup: Lookup | None = None) -> list[Order]:
        """Open orders, untriggered ones included, oldest first."""
        return _selected(sorted(self.open.values(), key=lambda order: order.sequence), lookup)

    def order_history(self, lookup: Lookup | None = None) -> list[Order]:
        """Ended orders, in the order they ended."""
        return _selected(self.closed, lookup)

    def find_order(self, lookup: Lookup) -> Order | None:
        """The newest order, open or ended, that passes."""
        for order in (*reversed(self.open_orders()), *reversed(self.closed)):
            if lookup.matches_order(order):
                return order
        return None

    def execution_list(self, lookup: Lookup | None = None) -> list[Execution]:
        """Executions, oldest first."""
        if lookup is None:
            return list(self.executions)
        return [
            row
            for row in self.executions
            if lookup.matches_market(row.symbol)
            and lookup.matches_ids(row.order_id, row.link_id)
            and lookup.matches_time(row.at_ms)
            and (lookup.exec_type is None or lookup.exec_type is row.exec_type)
        ]

    def closed_pnl_list(self, lookup: Lookup | None = None) -> list[ClosedPnl]:
        """Position reductions, oldest first."""
        if lookup is None:
            return list(self.closed_pnl)
        rows = self.closed_pnl
        return [row for row in rows if lookup.matches_market(row.symbol) and lookup.matches_time(row.at_ms)]

    def isolates(self, symbol: str) -> bool:
        """Whether positions of the symbol stand on a margin of their own."""
        return self.is_isolated or symbol in self.isolated_symbols

    def cross_slots(self) -> list[tuple[str, int]]:
        """Every open slot that the whole balance stands behind."""
        return [slot for slot in self.open_slots() if not self.isolates(slot[0])]

    def holding(self, symbol: str, position_idx: int) -> Holding:
        """What the slot holds; a flat one when nothing ever happened there."""
        return self.holdings.get((symbol, position_idx), _FLAT)

    def open_slots(self) -> list[tuple[str, int]]:
        """Every (symbol, position index) that is not flat, in the order the slots were first used."""
        return [slot for slot, holding in self.holdings.items() if holding.size]


_FLAT = Holding()


def _selected(orders: Iterable[Order], lookup: Lookup | None) -> list[Order]:
    if lookup is None:
        return list(orders)
    return [order for order in orders if lookup.matches_order(order)]
