"""Markets and ladders that the tests of the core share."""

from dataclasses import replace
from decimal import Decimal

from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import DEFAULT_SETTINGS, LadderSettings
from blitz.core.orders import Side

BTC = Instrument(
    symbol="BTC/USDT:USDT",
    venue_symbol="BTCUSDT",
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    quantity_min=Decimal("0.001"),
    quantity_max=Decimal(1190),
    market_quantity_max=Decimal(500),
    notional_min=Decimal(5),
    leverage_max=Decimal(100),
)
"""A market with the filters of the real BTC perpetual."""

FINE = replace(BTC, tick=Decimal("0.01"), step=Decimal("1E-14"), quantity_min=Decimal("1E-14"))
"""A market so fine that nothing is rounded away but what two decimals of a price cut off."""

LONG: LadderSettings = DEFAULT_SETTINGS
SHORT: LadderSettings = replace(DEFAULT_SETTINGS, side=Side.SHORT)
ENTRY = Decimal(60_000)
