"""Looks for two live orders of one tag (S1).

Where ids are not enforced, one thing is told apart: an exit that was sent again under the very same id after its answer
was lost. The server does that at once, because it is reduce-only and because Bybit refuses a second live order of one
id; an exchange that does not refuse it shows both until the next look takes one back.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from blitz.torture.ladder import Ladder
from blitz.torture.tags import Tag, tag_of
from blitz.torture.truth import AccountTruth, LiveOrder


@dataclass(slots=True)
class TwinWatch:
    """One bot's live orders, looked at again and again."""

    user_id: int
    ladder: Ladder
    resent_exits: int = 0
    """Exits that rested twice under one id on an exchange that does not enforce ids."""
    _told: set[tuple[str, ...]] = field(default_factory=set)

    def observe(self, account: AccountTruth, *, ids_enforced: bool) -> list[str]:
        """Answer a sentence for each tag that has more than one live order; each pair is told once."""
        said = []
        for tag, twins in self.twins(account).items():
            names = tuple(sorted(order.order_id for order in twins))
            if names in self._told:
                continue
            self._told.add(names)
            if not ids_enforced and _is_resent_exit(twins):
                self.resent_exits += 1
                continue
            shown = ", ".join(f"{order.link_id} ({order.order_id[:8]}, {order.leaves} open)" for order in twins)
            said.append(f"user {self.user_id}: {len(twins)} live orders of {tag}: {shown}")
        return said

    def twins(self, account: AccountTruth) -> dict[Tag, list[LiveOrder]]:
        """The tags that have more than one live order."""
        orders: dict[Tag, list[LiveOrder]] = defaultdict(list)
        for order in account.orders:
            tag = tag_of(order, self.user_id, self.ladder.market.symbol)
            if tag is not None and order.symbol == self.ladder.market.venue_symbol:
                orders[tag].append(order)
        return {tag: twins for tag, twins in orders.items() if len(twins) > 1}


def _is_resent_exit(twins: list[LiveOrder]) -> bool:
    return all(order.is_reduce_only for order in twins) and len({order.link_id.lower() for order in twins}) == 1
