"""The rules of one market, and the only places where a price or a quantity is rounded.

Every rounding has a name that says which way it goes. Callers are the plan and the checks on settings;
nothing here knows about positions or orders.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from blitz.core.orders import ZERO, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What a venue allows on one market. Prices in quote currency, quantities in base currency."""

    symbol: str
    """The unified symbol, such as BTC/USDT:USDT."""
    venue_symbol: str
    """The venue's own name for it, such as BTCUSDT."""
    tick: Decimal
    """Smallest step of a price."""
    step: Decimal
    """Smallest step of a quantity."""
    quantity_min: Decimal
    quantity_max: Decimal
    market_quantity_max: Decimal
    notional_min: Decimal
    """Smallest price times quantity the venue accepts for an entry."""
    leverage_max: Decimal
    leverage_min: Decimal = Decimal(1)
    leverage_step: Decimal = Decimal("0.01")
    price_min: Decimal = ZERO
    price_max: Decimal = Decimal("Infinity")
    trading: bool = True
    taker_rate: Decimal = Decimal("0.00055")
    maker_rate: Decimal = Decimal("0.0002")
    maintenance_rate: Decimal = Decimal("0.005")


def price_to_nearest_tick(price: Decimal, tick: Decimal) -> Decimal:
    """Round a leg's price to the tick, half a tick going up: 57629.88 at a tick of 0.1 is 57629.9."""
    return (price / tick).to_integral_value(rounding=ROUND_HALF_UP) * tick


def take_profit_to_tick(price: Decimal, average: Decimal, side: Side, tick: Decimal) -> Decimal:
    """Round a take-profit away from the entry, and keep it at least one tick from the average.

    A long never sells below its target, a short never buys back above it.
    """
    if side is Side.LONG:
        nearest_allowed = (average / tick).to_integral_value(rounding=ROUND_CEILING) * tick + tick
        return max((price / tick).to_integral_value(rounding=ROUND_CEILING) * tick, nearest_allowed)
    nearest_allowed = (average / tick).to_integral_value(rounding=ROUND_FLOOR) * tick - tick
    return min((price / tick).to_integral_value(rounding=ROUND_FLOOR) * tick, nearest_allowed)


def stop_loss_to_tick(price: Decimal, average: Decimal, side: Side, tick: Decimal) -> Decimal:
    """Round a stop trigger towards the entry, so that it never risks more than was asked for; one tick off at least."""
    if side is Side.LONG:
        nearest_allowed = (average / tick).to_integral_value(rounding=ROUND_FLOOR) * tick - tick
        return min((price / tick).to_integral_value(rounding=ROUND_CEILING) * tick, nearest_allowed)
    nearest_allowed = (average / tick).to_integral_value(rounding=ROUND_CEILING) * tick + tick
    return max((price / tick).to_integral_value(rounding=ROUND_FLOOR) * tick, nearest_allowed)


def quantity_down_to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """Round a quantity down to the step, so that no leg costs more margin than it was given."""
    return (quantity / step).to_integral_value(rounding=ROUND_FLOOR) * step


def quantity_up_to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """Round a quantity up to the step: used to name the smallest amount that would work."""
    return (quantity / step).to_integral_value(rounding=ROUND_CEILING) * step


def smallest_quantity(instrument: Instrument, price: Decimal) -> Decimal:
    """The smallest quantity an entry may have at `price`, by minimum quantity and by minimum notional."""
    by_notional = quantity_up_to_step(instrument.notional_min / price, instrument.step)
    by_quantity = quantity_up_to_step(instrument.quantity_min, instrument.step)
    return max(by_notional, by_quantity)
