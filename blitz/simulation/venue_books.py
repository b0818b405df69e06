"""The books of the simulated venue: what an account holds and what it earned, folded fill by fill.

Average cost in exact decimals; the part that closes takes its share of the cost, rounded half-even to 1e-8, and the
last part takes all that is left. Written apart from the bot's own ledger on purpose: the two are compared.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from blitz.core.orders import ZERO, Direction

MONEY_QUANTUM = Decimal("0.00000001")


@dataclass(slots=True)
class VenueBooks:
    """One position with its money, in base and quote currency."""

    held: Decimal = ZERO
    """Signed: a short is negative."""
    cost: Decimal = ZERO
    """What the open quantity is worth at its entry prices."""
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def average(self) -> Decimal:
        """Average entry price, unrounded; 0 when flat."""
        return self.cost / abs(self.held) if self.held else ZERO

    def fold(self, direction: Direction, quantity: Decimal, value: Decimal, fee: Decimal) -> None:
        """Book one fill; one that is larger than the position turns it round."""
        self.fees += fee
        signed = quantity if direction is Direction.BUY else -quantity
        against = self.held != 0 and (signed > 0) != (self.held > 0)
        closes = min(quantity, abs(self.held)) if against else ZERO
        if closes:
            exit_value = value if closes == quantity else _money(value * closes / quantity)
            entry_value = self.cost if closes == abs(self.held) else _money(self.cost * closes / abs(self.held))
            self.realised += exit_value - entry_value if self.held > 0 else entry_value - exit_value
            self.cost -= entry_value
            value -= exit_value
            quantity -= closes
            self.held += closes if self.held < 0 else -closes
        if quantity:
            self.held += quantity if direction is Direction.BUY else -quantity
            self.cost += value


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(MONEY_QUANTUM, rounding=ROUND_HALF_EVEN)
