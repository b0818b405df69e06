"""Remembers every order that is not a bot's, and notices when one is gone although its owner did not cancel it (S4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blitz.torture.ladder import Ladder
from blitz.torture.tags import tag_of
from blitz.torture.truth import AccountTruth, LiveOrder

BY_HAND = "CancelByUser"
"""The exchange's word for an order that a signed request cancelled; its own rules have other words."""


@dataclass(slots=True)
class StrangerWatch:
    """The foreign orders of one account."""

    user_id: int
    ladder: Ladder
    cancels_asked: set[str] = field(default_factory=set)
    """Client ids that their owner cancels, or tried to."""
    _live: dict[str, LiveOrder] = field(default_factory=dict)

    def observe(self, account: AccountTruth) -> list[LiveOrder]:
        """Take down what rests now; answer the foreign orders that are gone and that nobody asked to cancel."""
        now = {order.order_id: order for order in self._foreign(account.orders)}
        gone = [order for order_id, order in self._live.items() if order_id not in now]
        self._live = now
        return [order for order in gone if order.link_id not in self.cancels_asked]

    def resting(self) -> list[LiveOrder]:
        """The foreign orders that rested when they were looked at last."""
        return list(self._live.values())

    def _foreign(self, orders: Iterable[LiveOrder]) -> Iterable[LiveOrder]:
        for order in orders:
            is_own_market = order.symbol == self.ladder.market.venue_symbol
            if not is_own_market or tag_of(order, self.user_id, self.ladder.market.symbol) is None:
                yield order


def foreign_cancel(order: LiveOrder, history: Iterable[Mapping[str, Any]], user_id: int) -> str | None:
    """A sentence when the exchange's record says that somebody else cancelled the order; None when it filled or so."""
    for row in history:
        if row["orderId"] != order.order_id:
            continue
        if row["orderStatus"] == "Cancelled" and row["cancelType"] == BY_HAND:
            return f"user {user_id}: the foreign order {order.link_id or order.order_id} was cancelled by the server"
        return None
    return f"user {user_id}: the foreign order {order.link_id or order.order_id} is gone without a record"
