"""The ladders of a bench: bot by bot the first leg rests a little lower, so that a falling price fills one at a time.

Leg 1 of the first bot lies half a percent under the entry, that of the last one a percent further down. Leg 2 is far
below all of them: one step of the price there fills every bot at once. Where nobody was filled before, a step to below
the last leg 1 does so: each bot once, so that each has one exit to move.
"""

from decimal import Decimal

from blitz.core.ladder_settings import DEFAULT_SETTINGS, LEGS_MAX, LadderSettings, parse_settings

ENTRY = Decimal(60_000)
FIRST_GAP = Decimal("0.5")
SPREAD = Decimal(1)
BURST_GAP = Decimal(3)
BURST_PRICE = Decimal(56_000)
"""Below leg 2 of every bot."""
FIRST_LEGS_PRICE = Decimal(58_800)
"""Below leg 1 of every bot, and above every leg 2."""
TICK = Decimal("0.1")
WATCHED_GAP = "0.01"
"""Percent between the legs of the trader whose page is watched."""


def gap_of(number: int, bots: int) -> Decimal:
    """How far, in percent, leg 1 of a bot lies under the entry."""
    return (FIRST_GAP + SPREAD * number / bots).quantize(Decimal("0.0001"))


def settings_of(number: int, bots: int, exchange: str) -> LadderSettings:
    """What one trader has chosen."""
    grids = [{"amount": "100", "gap": str(gap)} for gap in (Decimal(0), gap_of(number, bots), BURST_GAP)]
    chosen = {
        "symbol": "BTC/USDT", "side": "long", "leverage": "10", "grids": grids, "rounds": "3", "take_profit": "20",
        "stop_loss": "0", "repeat": True, "mode": "paper", "exchange": exchange,
    }  # fmt: skip
    return parse_settings(chosen, base=DEFAULT_SETTINGS)


def watched_settings(exchange: str) -> LadderSettings:
    """Of the trader whose page is watched: fifty small legs, all of them above everybody else's first."""
    grids = [{"amount": "10", "gap": WATCHED_GAP if number else "0"} for number in range(LEGS_MAX)]
    chosen = {
        "symbol": "BTC/USDT", "side": "long", "leverage": "10", "grids": grids, "rounds": str(LEGS_MAX),
        "take_profit": "20", "stop_loss": "0", "repeat": True, "mode": "paper", "exchange": exchange,
    }  # fmt: skip
    return parse_settings(chosen, base=DEFAULT_SETTINGS)


def level_of(number: int, bots: int) -> Decimal:
    """A price that fills leg 1 of this bot and of nobody after it."""
    exact = ENTRY * (1 - gap_of(number, bots) / 100)
    return exact.quantize(TICK) - TICK
