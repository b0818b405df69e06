"""A venue with one rich account, and a hand to trade with: what every engine test starts from."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from blitz.paper.engine import (
    Account,
    AmendRequest,
    Order,
    OrderRequest,
    OrderType,
    Position,
    Side,
    TradingStopRequest,
    Venue,
    VenueRefusal,
    default_instruments,
)

NOW_MS = 1_700_000_000_000


class Hand:
    """Trades on one account with strings for numbers; time stands at `now_ms` until a test moves it."""

    def __init__(self, venue: Venue, account: Account, symbol: str = "BTCUSDT") -> None:
        self.venue, self.account, self.symbol = venue, account, symbol
        self.now_ms = NOW_MS

    def place(self, side: Side, quantity: str, price: str | None = None, **options: Any) -> Order:
        options = {name: Decimal(value) if name in MONEY else value for name, value in options.items()}
        request = OrderRequest(
            symbol=options.pop("symbol", self.symbol),
            side=side,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            **options,
        )
        return self.venue.place_order(self.account, request, self.now_ms)

    def buy(self, quantity: str, price: str | None = None, **options: Any) -> Order:
        return self.place(Side.BUY, quantity, price, **options)

    def sell(self, quantity: str, price: str | None = None, **options: Any) -> Order:
        return self.place(Side.SELL, quantity, price, **options)

    def amend(self, order: Order, **changes: str) -> Order:
        numbers: dict[str, Any] = {name: Decimal(value) for name, value in changes.items()}
        request = AmendRequest(symbol=order.symbol, order_id=order.order_id, **numbers)
        return self.venue.amend_order(self.account, request, self.now_ms)

    def cancel(self, order: Order) -> Order:
        return self.venue.cancel_order(self.account, order.symbol, order.order_id, None, self.now_ms)

    def stops(self, **options: Any) -> None:
        options = {name: Decimal(value) if name in MONEY else value for name, value in options.items()}
        self.venue.set_trading_stop(self.account, TradingStopRequest(symbol=self.symbol, **options), self.now_ms)

    def sweep(self, price: str, symbol: str | None = None) -> None:
        self.venue.move_price(symbol or self.symbol, Decimal(price), self.now_ms, sweep=True)

    def jump(self, price: str, symbol: str | None = None) -> None:
        self.venue.move_price(symbol or self.symbol, Decimal(price), self.now_ms, sweep=False)

    def position(self, position_idx: int = 0) -> Position:
        rows = self.venue.positions(self.account, symbol=self.symbol)
        return next(row for row in rows if row.position_idx == position_idx)

    def order(self, order: Order) -> Order:
        """The order as it is now, open or ended."""
        ended = {row.order_id: row for row in self.account.closed}
        return self.account.open.get(order.order_id) or ended[order.order_id]

    def code(self, action: Callable[[], object]) -> int:
        """The retCode an action is refused with."""
        with pytest.raises(VenueRefusal) as refusal:
            action()
        return refusal.value.code


MONEY = {
    "trigger_price", "take_profit", "stop_loss", "tp_size", "sl_size", "tp_limit_price", "sl_limit_price",
}  # fmt: skip


@pytest.fixture
def venue() -> Venue:
    """Fourteen markets, BTC at 60,000."""
    return Venue(default_instruments())


@pytest.fixture
def hand(venue: Venue) -> Hand:
    """Trades BTCUSDT on an account of 100,000 USDT, one-way, cross, leverage 10."""
    return Hand(venue, venue.open_account("key", "secret", Decimal(100_000)))


@pytest.fixture
def other(venue: Venue) -> Hand:
    """A second account on the same venue."""
    return Hand(venue, venue.open_account("other", "secret", Decimal(100_000)))
