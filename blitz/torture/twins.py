"""Looks for two live orders of one tag (S1)."""

from collections import defaultdict
from dataclasses import dataclass, field

from blitz.torture.ladder import Ladder
from blitz.torture.tags import Tag, read_tag
from blitz.torture.truth import AccountTruth


@dataclass(slots=True)
class TwinWatch:
    """One bot's live orders, looked at again and again."""

    user_id: int
    ladder: Ladder
    _told: set[tuple[str, ...]] = field(default_factory=set)

    def observe(self, account: AccountTruth) -> list[str]:
        """Answer a sentence for each tag that has more than one live order; each pair is told once."""
        orders: dict[Tag, list[str]] = defaultdict(list)
        for order in account.orders:
            tag = read_tag(order.link_id, self.user_id, self.ladder.market.symbol)
            if tag is not None and order.symbol == self.ladder.market.venue_symbol:
                orders[tag].append(f"{order.link_id} ({order.order_id[:8]}, {order.leaves} open)")
        said = []
        for tag, twins in orders.items():
            if len(twins) > 1 and tuple(sorted(twins)) not in self._told:
                self._told.add(tuple(sorted(twins)))
                said.append(f"user {self.user_id}: {len(twins)} live orders of {tag}: {', '.join(twins)}")
        return said
