"""How one fill changes what an account holds: pure arithmetic on `Holding`, no account, no market.

Called by the settlement. Costs leave in proportion, rounded to 1e-8; the last close takes all that is left.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from blitz.paper.engine.orders import ZERO, Side
from blitz.paper.engine.positions import Holding, round_money


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A holding after a fill, and what the fill closed."""

    holding: Holding
    closed_size: Decimal
    entry_value: Decimal
    exit_value: Decimal
    realised: Decimal
    """Gross profit of the closed part."""
    open_fee: Decimal
    """Opening fees that belonged to the closed part."""
    close_fee: Decimal


def fold(holding: Holding, side: Side, quantity: Decimal, value: Decimal, fee: Decimal, at_ms: int) -> Folded:
    """Fold a fill of `quantity` worth `value` USDT into a holding; one larger than the position turns it round."""
    closes = ZERO if not holding.size or side is holding.side else min(quantity, holding.size)
    exit_value = value if closes == quantity else round_money(value * closes / quantity)
    close_fee = fee if closes == quantity else round_money(fee * closes / quantity)
    everything = closes == holding.size
    entry_value = holding.cost if everything else round_money(holding.cost * closes / holding.size)
    open_fee = holding.open_fees if everything else round_money(holding.open_fees * closes / holding.size)
    if not closes:
        entry_value = open_fee = ZERO
    realised = entry_value - exit_value if holding.side is Side.SELL else exit_value - entry_value
    realised = realised if closes else ZERO
    reduced = replace(
        holding,
        size=holding.size - closes,
        cost=holding.cost - entry_value,
        open_fees=holding.open_fees - open_fee,
        cycle_realised=holding.cycle_realised + realised - fee,
        total_realised=holding.total_realised + realised - fee,
        updated_ms=at_ms,
    )
    opened = quantity - closes
    after = _opened(reduced, side, opened, value - exit_value, fee - close_fee, at_ms) if opened else _settled(reduced)
    return Folded(
        holding=after, closed_size=closes, entry_value=entry_value, exit_value=exit_value, realised=realised,
        open_fee=open_fee, close_fee=close_fee,
    )  # fmt: skip


def _settled(holding: Holding) -> Holding:
    return holding if holding.size else replace(holding, side=Side.NONE, cost=ZERO, open_fees=ZERO)


def _opened(holding: Holding, side: Side, quantity: Decimal, value: Decimal, fee: Decimal, at_ms: int) -> Holding:
    started = not holding.size
    return replace(
        holding,
        side=side,
        size=holding.size + quantity,
        cost=holding.cost + value,
        open_fees=holding.open_fees + fee,
        cycle_realised=-fee if started else holding.cycle_realised,
        opened_ms=at_ms if started else holding.opened_ms,
    )


def charge(holding: Holding, amount: Decimal, at_ms: int) -> Holding:
    """Book a funding payment (negative: received) against the holding's own results."""
    return replace(
        holding,
        cycle_realised=holding.cycle_realised - amount,
        total_realised=holding.total_realised - amount,
        updated_ms=at_ms,
    )
