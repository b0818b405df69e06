"""What a market lets in: step, tick, smallest and largest order. Pure; `SimulatedVenue` asks before anything happens.

The codes are those of the exchange that the paper exchange imitates.
"""

from decimal import Decimal

from blitz.core.calls import Refusal, Rejected
from blitz.core.instrument import Instrument
from blitz.core.orders import OrderType


def off_grid(rules: Instrument, quantity: Decimal, price: Decimal | None) -> Rejected | None:
    """Refuse what lies between two steps or two ticks, or below the first step: such a request is not even sent."""
    if quantity < rules.step or quantity % rules.step or (price is not None and price % rules.tick):
        return Rejected(refusal=Refusal.FILTER, code="not sent", message="quantity or price is off the grid")
    return None


def out_of_bounds(
    rules: Instrument, kind: OrderType, *, quantity: Decimal | None, price: Decimal | None
) -> Rejected | None:
    """Refuse a quantity or a price that this market does not take; None is not looked at."""
    most = rules.quantity_max if kind is OrderType.LIMIT else rules.market_quantity_max
    if quantity is not None and (not rules.quantity_min <= quantity <= most or quantity % rules.step):
        return Rejected(refusal=Refusal.FILTER, code="10001", message="params error: Qty invalid")
    if price is not None and not rules.price_min <= price <= rules.price_max:
        return Rejected(refusal=Refusal.FILTER, code="110003", message="Order price exceeds the allowable range")
    if price is not None and price % rules.tick:
        return Rejected(refusal=Refusal.FILTER, code="10001", message="params error: price invalid")
    return None


def too_little(rules: Instrument, quantity: Decimal, price: Decimal) -> Rejected | None:
    """Refuse an opening order that is worth less than the market's smallest."""
    if quantity * price < rules.notional_min:
        return Rejected(refusal=Refusal.FILTER, code="110094", message="Order does not meet minimum order value")
    return None
