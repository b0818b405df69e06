"""Markets and ladders that the tests of the core share."""

from dataclasses import replace
from decimal import Decimal

from blitz.core.ladder_settings import DEFAULT_SETTINGS, LadderSettings
from blitz.core.orders import Side
from blitz.simulation.ladders import BTC

FINE = replace(BTC, tick=Decimal("0.01"), step=Decimal("1E-14"), quantity_min=Decimal("1E-14"))
"""A market so fine that nothing is rounded away but what two decimals of a price cut off."""

LONG: LadderSettings = DEFAULT_SETTINGS
SHORT: LadderSettings = replace(DEFAULT_SETTINGS, side=Side.SHORT)
ENTRY = Decimal(60_000)
