"""Follows a bot's executions from flat to flat: does a leg fill more than was planned, or an entry twice? (S2)"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from blitz.torture.ladder import Ladder
from blitz.torture.tags import Tag, read_tag
from blitz.torture.truth import ZERO, Execution


@dataclass(slots=True)
class LegBook:
    """One bot's executions, folded in the exchange's order. A cycle lasts until the next entry from flat.

    A leg that fills after the take-profit did (nobody was there to take it back) still belongs to the old cycle.
    """

    user_id: int
    ladder: Ladder
    position: Decimal = ZERO
    cycles: int = 0
    """Cycles that began."""
    _entry_orders: set[str] = field(default_factory=set)
    _entry_cost: Fraction = Fraction(0)
    _filled: dict[int, Decimal] = field(default_factory=dict)
    _told: set[tuple[int, int]] = field(default_factory=set)

    def follow(self, executions: Iterable[Execution]) -> list[str]:
        """Fold what is new; answer a sentence for each leg that filled too much."""
        said = []
        for execution in executions:
            if execution.symbol != self.ladder.market.venue_symbol or not execution.moves_position:
                continue
            tag = read_tag(execution.link_id, self.user_id, self.ladder.market.symbol)
            if tag is not None and tag.leg is not None:
                said += self._leg_filled(tag, execution)
            self.position += execution.signed
        return said

    def _leg_filled(self, tag: Tag, execution: Execution) -> list[str]:
        assert tag.leg is not None
        if tag.leg == 0 and self.position == 0:
            self.cycles += 1
            self._entry_orders, self._entry_cost, self._filled = set(), Fraction(0), {}
        filled = self._filled.get(tag.leg, ZERO) + execution.quantity
        self._filled[tag.leg] = filled
        if tag.leg == 0:
            self._entry_orders.add(execution.order_id)
            self._entry_cost += Fraction(execution.quantity) * Fraction(execution.price)
        return [] if (self.cycles, tag.leg) in self._told else self._too_much(tag.leg, filled)

    def _too_much(self, leg: int, filled: Decimal) -> list[str]:
        entered = self._filled.get(0, ZERO)
        where = f"user {self.user_id}, cycle {self.cycles}"
        if not entered:
            sentence = f"{where}: leg {leg} filled {filled} before any entry"
        elif leg == 0 and len(self._entry_orders) > 1:
            sentence = f"{where}: {len(self._entry_orders)} entries filled, {filled} in all"
        else:
            planned = self.ladder.quantity_max(leg, self._entry_cost / Fraction(entered))
            if filled <= planned:
                return []
            sentence = f"{where}: leg {leg} filled {filled}, planned was {planned}"
        self._told.add((self.cycles, leg))
        return [sentence]
