"""The ladder as docs/ladder.md describes it, computed once more: what each leg may fill at most.

Nothing here is shared with the code that trades, so that a misreading of the formulas cannot agree with itself.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market's names and the steps of its prices and quantities."""

    symbol: str
    """As a trader writes it: BTC/USDT:USDT."""
    venue_symbol: str
    """As the exchange does: BTCUSDT."""
    start_price: Decimal
    lowest_price: Decimal
    """No last price of this run is below it."""
    tick: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One leg as it is set: margin in USDT, percent from the leg before."""

    amount: Decimal
    gap: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A trader's settings, frozen for the whole run."""

    market: Market
    is_long: bool
    leverage: Decimal
    rungs: tuple[Rung, ...]
    take_profit: Decimal
    stop_loss: Decimal
    exchange: str = "bybit"

    def to_json(self) -> dict[str, Any]:
        """The settings as the API takes them."""
        return {
            "exchange": self.exchange,
            "symbol": self.market.symbol,
            "side": "long" if self.is_long else "short",
            "leverage": str(self.leverage),
            "margin_mode": "cross",
            "grids": [{"amount": str(rung.amount), "gap": str(rung.gap)} for rung in self.rungs],
            "rounds": len(self.rungs),
            "take_profit": str(self.take_profit),
            "stop_loss": str(self.stop_loss),
            "repeat": True,
            "mode": "paper",
        }

    def quantity_of(self, leg: int, price: Fraction) -> Decimal:
        """Amount times leverage by price, down to the step."""
        bought = Fraction(self.rungs[leg].amount) * Fraction(self.leverage) / price
        return int(bought / Fraction(self.market.step)) * self.market.step

    def quantity_max(self, leg: int, entry: Fraction) -> Decimal:
        """The most that leg `leg` may fill in a cycle whose entry filled at `entry` on average.

        The entry itself is sized by the last price, which may be far from where a late order fills.
        """
        if leg == 0:
            return self.quantity_of(0, Fraction(self.market.lowest_price))
        if leg >= len(self.rungs):
            return Decimal(0)
        return self.quantity_of(leg, self.price_of(leg, entry))

    def price_of(self, leg: int, entry: Fraction) -> Fraction:
        """Pᵢ = Pᵢ₋₁ · (1 ∓ gap/100), half up to the tick, each from the rounded one before."""
        sign = -1 if self.is_long else 1
        price, tick = entry, Fraction(self.market.tick)
        for rung in self.rungs[1 : leg + 1]:
            exact = price * (1 + sign * Fraction(rung.gap) / 100)
            price = int(exact / tick + Fraction(1, 2)) * tick
        return price
