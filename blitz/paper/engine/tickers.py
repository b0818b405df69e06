"""The ticker: one symbol's prices and 24-hour figures at one moment. Made by `Market`, read by the wire."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """What market/tickers shows for one symbol. Sizes and volume in base coin, turnover and values in USDT."""

    symbol: str
    last_price: Decimal
    mark_price: Decimal
    index_price: Decimal
    bid_price: Decimal
    bid_size: Decimal
    ask_price: Decimal
    ask_size: Decimal
    previous_price_24h: Decimal
    change_24h: Decimal
    """Fraction, not percent."""
    high_24h: Decimal
    low_24h: Decimal
    volume_24h: Decimal
    turnover_24h: Decimal
    open_interest: Decimal
    open_interest_value: Decimal
    funding_rate: Decimal
    next_funding_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """One past funding settlement of a symbol."""

    symbol: str
    rate: Decimal
    mark_price: Decimal
    at_ms: int
