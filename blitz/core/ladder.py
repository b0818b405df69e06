"""The ladder's arithmetic: where each leg, the take-profit and the stop lie, and how large each leg is.

The formulas are those of docs/ladder.md. Long and short are mirrors: every sign comes from `Side.sign`. The preview and
the live plan both call these functions, so what a trader is shown is what will be sent.
"""

from decimal import Decimal

from blitz.core.instrument import (
    Instrument,
    price_to_nearest_tick,
    quantity_down_to_step,
    stop_loss_to_tick,
    take_profit_to_tick,
)
from blitz.core.ladder_settings import LadderSettings

HUNDRED = Decimal(100)


def leg_prices(settings: LadderSettings, entry_price: Decimal, tick: Decimal) -> tuple[Decimal, ...]:
    """Prices of all legs, leg 0 first: P0 is the entry as given, each further one lies `gap` percent off the last.

    Chained on rounded prices: Pᵢ = round(Pᵢ₋₁ · (1 ∓ gapᵢ/100)). A short's legs rise.
    """
    prices = [entry_price]
    for row in settings.legs[1:]:
        factor = 1 - settings.side.sign * row.gap / HUNDRED
        prices.append(price_to_nearest_tick(prices[-1] * factor, tick))
    return tuple(prices)


def leg_quantity(settings: LadderSettings, index: int, price: Decimal, step: Decimal) -> Decimal:
    """Base quantity of leg `index` at `price`: amount · leverage / price, rounded down to the step."""
    return quantity_down_to_step(settings.grids[index].amount * settings.leverage / price, step)


def take_profit_price(settings: LadderSettings, average: Decimal, tick: Decimal) -> Decimal | None:
    """Where the take-profit rests for a position at `average`; None when it is off.

    The setting is a return on margin (ROE): the price has to move by take_profit / leverage percent.
    """
    if settings.take_profit == 0:
        return None
    factor = 1 + settings.side.sign * settings.take_profit / HUNDRED / settings.leverage
    return take_profit_to_tick(average * factor, average, settings.side, tick)


def stop_loss_price(settings: LadderSettings, average: Decimal, tick: Decimal) -> Decimal | None:
    """Where the stop triggers for a position at `average`; None when it is off."""
    if settings.stop_loss == 0:
        return None
    factor = 1 - settings.side.sign * settings.stop_loss / HUNDRED / settings.leverage
    return stop_loss_to_tick(average * factor, average, settings.side, tick)


def liquidation_estimate(
    settings: LadderSettings, instrument: Instrument, quantity: Decimal, average: Decimal, margin: Decimal
) -> Decimal | None:
    """Estimate where the venue would liquidate, or None when no price would.

    `margin` is everything that stands behind the position in quote currency: its own margin when isolated, the
    balance when cross. From value·rate of maintenance = margin + profit (exchange rules of 2026, mark based, without
    the close fee and the tier deduction): long (A·S − M) / (S·(1 − r)), short (A·S + M) / (S·(1 + r)).
    """
    sign = settings.side.sign
    price = (average * quantity - sign * margin) / (quantity * (1 - sign * instrument.maintenance_rate))
    return price_to_nearest_tick(price, instrument.tick) if price > 0 else None
