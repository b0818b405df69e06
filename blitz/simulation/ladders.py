"""Markets and settings that seeds draw from: coarse and fine ticks, tight and wide ladders, long and short."""

import random
from decimal import Decimal

from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import DEFAULT_SETTINGS, GridRow, LadderSettings, MarginMode
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
XRP = Instrument(
    symbol="XRP/USDT:USDT",
    venue_symbol="XRPUSDT",
    tick=Decimal("0.0001"),
    step=Decimal("0.1"),
    quantity_min=Decimal("0.1"),
    quantity_max=Decimal(1_000_000),
    market_quantity_max=Decimal(500_000),
    notional_min=Decimal(5),
    leverage_max=Decimal(75),
)
MARKETS = ((BTC, Decimal(60_000)), (XRP, Decimal("0.5214")))
"""Instruments and the price at which a seed begins."""


def drawn_settings(chance: random.Random, instrument: Instrument) -> LadderSettings:
    """Draw a ladder that the market takes."""
    legs = chance.randint(2, 6)
    amounts = [chance.choice((40, 60, 100, 150, 250)) for _ in range(legs)]
    gaps = ["0", *(chance.choice(("0.2", "0.3", "0.5", "0.8", "1.2")) for _ in range(legs - 1))]
    return LadderSettings(
        exchange=DEFAULT_SETTINGS.exchange,
        symbol=chance.choice((instrument.symbol, instrument.symbol.partition(":")[0])),
        side=chance.choice((Side.LONG, Side.SHORT)),
        leverage=Decimal(chance.choice((5, 10, 20))),
        margin_mode=chance.choice((MarginMode.CROSS, MarginMode.ISOLATED)),
        grids=tuple(GridRow(amount=Decimal(a), gap=Decimal(g)) for a, g in zip(amounts, gaps, strict=True)),
        rounds=legs,
        take_profit=Decimal(chance.choice((3, 5, 8))),
        stop_loss=Decimal(chance.choice((0, 0, 25, 40))),
        repeat=True,
        mode=DEFAULT_SETTINGS.mode,
    )
