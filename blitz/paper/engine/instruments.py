"""The contracts the venue lists: `Instrument`, its risk tiers, and the default list of USDT perpetuals.

Read by every rule that rounds, limits or charges. The figures imitate Bybit's public instrument filters;
they are realistic, not a copy of any day's list. Nothing here has state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

TAKER_FEE_RATE = Decimal("0.00055")
MAKER_FEE_RATE = Decimal("0.0002")
FUNDING_INTERVAL_MINUTES = 480
PRICE_BAND = Decimal("0.05")
"""How far from the best price a market order may walk the book before its remainder is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskTier:
    """One step of the risk limit. Maintenance margin of a value in the tier is value × rate − deduction."""

    limit_value: Decimal
    """Largest position value in USDT the tier covers."""
    maintenance_rate: Decimal
    deduction: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One linear perpetual. Prices in USDT per unit of base, quantities in base, depth in USDT."""

    symbol: str
    base_coin: str
    quote_coin: str = "USDT"
    settle_coin: str = "USDT"
    status: str = "Trading"
    launch_ms: int = 1_585_526_400_000
    start_price: Decimal
    """Price the market opens at before anything moved it."""
    tick_size: Decimal
    min_price: Decimal
    max_price: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal = Decimal(5)
    min_leverage: Decimal = Decimal(1)
    max_leverage: Decimal
    leverage_step: Decimal = Decimal("0.01")
    default_leverage: Decimal = Decimal(10)
    taker_fee_rate: Decimal = TAKER_FEE_RATE
    maker_fee_rate: Decimal = MAKER_FEE_RATE
    funding_interval_minutes: int = FUNDING_INTERVAL_MINUTES
    tiers: tuple[RiskTier, ...]
    closing_tiers: tuple[RiskTier, ...] = ()
    """The tiers liquidation looks at, where the fee of closing counts too. Empty: `tiers`."""
    first_level_notional: Decimal
    """Depth of the best level of the synthetic book, as USDT value."""

    @property
    def at_risk(self) -> tuple[RiskTier, ...]:
        """The tiers that decide about liquidation."""
        return self.closing_tiers or self.tiers

    def is_on_tick(self, price: Decimal) -> bool:
        """Whether `price` is a multiple of the tick."""
        return not price % self.tick_size

    def is_on_step(self, quantity: Decimal) -> bool:
        """Whether `quantity` is a multiple of the quantity step."""
        return not quantity % self.quantity_step

    def price_decimals(self) -> int:
        """Digits after the point that a price on the tick needs (the venue's `priceScale`)."""
        exponent = self.tick_size.normalize().as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0


def risk_tiers(first_limit: str, max_leverage: str) -> tuple[RiskTier, ...]:
    """Build four tiers: maintenance from half of 1/max_leverage upward, limits growing fourfold.

    Deductions keep the maintenance margin continuous at each limit, as on the real venue.
    """
    leverage = Decimal(max_leverage)
    rate = (Decimal("0.5") / leverage).quantize(Decimal("0.0001"))
    limit = Decimal(first_limit)
    tiers = [RiskTier(limit_value=limit, maintenance_rate=rate, deduction=Decimal(0), max_leverage=leverage)]
    for factor in (2, 4, 10):
        last = tiers[-1]
        steeper = rate * factor
        deduction = last.deduction + last.limit_value * (steeper - last.maintenance_rate)
        cap = (leverage / factor).quantize(Decimal("0.01"))
        limit = last.limit_value * 4
        tiers.append(RiskTier(limit_value=limit, maintenance_rate=steeper, deduction=deduction, max_leverage=cap))
    return tuple(tiers)


# base, start price, tick, step, smallest quantity, largest, largest at market, leverage, first tier, first level
_LISTED: tuple[tuple[str, ...], ...] = (
    ("BTC", "60000", "0.1", "0.001", "0.001", "1190", "119", "100", "2000000", "250000"),
    ("ETH", "3000", "0.01", "0.01", "0.01", "7240", "724", "100", "1500000", "200000"),
    ("SOL", "150", "0.01", "0.1", "0.1", "79770", "7977", "100", "500000", "100000"),
    ("XRP", "0.6", "0.0001", "0.1", "0.1", "6000000", "500000", "75", "400000", "80000"),
    ("BNB", "580", "0.1", "0.01", "0.01", "14250", "2000", "75", "400000", "80000"),
    ("DOGE", "0.12", "0.00001", "1", "1", "35000000", "3900000", "75", "300000", "60000"),
    ("ADA", "0.45", "0.0001", "1", "1", "4000000", "960000", "75", "300000", "50000"),
    ("LINK", "14", "0.001", "0.1", "0.1", "250000", "39000", "50", "250000", "50000"),
    ("LTC", "70", "0.01", "0.1", "0.1", "40000", "8000", "50", "250000", "50000"),
    ("AVAX", "28", "0.001", "0.1", "0.1", "130000", "26000", "50", "250000", "50000"),
    ("DOT", "6", "0.0001", "0.1", "0.1", "560000", "115000", "50", "250000", "40000"),
    ("TRX", "0.14", "0.00001", "1", "1", "25000000", "4500000", "75", "250000", "40000"),
    ("1000PEPE", "0.011", "0.0000001", "100", "100", "250000000", "50000000", "50", "200000", "30000"),
    ("1000000MOG", "1.8", "0.0001", "0.1", "0.1", "900000", "180000", "25", "50000", "10000"),
)


def listed(row: Sequence[str]) -> Instrument:
    """Make one instrument from a row of the table above."""
    base, start, tick, step, smallest, largest, largest_market, leverage, tier, depth = row
    return Instrument(
        symbol=f"{base}USDT",
        base_coin=base,
        start_price=Decimal(start),
        tick_size=Decimal(tick),
        min_price=Decimal(tick),
        max_price=Decimal(tick) * 19_999_998,
        quantity_step=Decimal(step),
        min_quantity=Decimal(smallest),
        max_quantity=Decimal(largest),
        max_market_quantity=Decimal(largest_market),
        max_leverage=Decimal(leverage),
        tiers=risk_tiers(tier, leverage),
        first_level_notional=Decimal(depth),
    )


def default_instruments() -> tuple[Instrument, ...]:
    """The fourteen USDT perpetuals a venue lists unless told otherwise."""
    return tuple(listed(row) for row in _LISTED)
