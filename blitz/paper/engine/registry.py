"""The one place where an open order is added, changed or ended.

Keeps four things in step: the account's open orders, its history, its client ids, and the market's price index.
Matching, amending, cancelling and liquidation all go through here. It decides nothing and moves no money.
"""

from dataclasses import replace

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.events import EventKind
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.orders import Order, OrderStatus


class Registry:
    """Open orders and their indexes."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def put(self, account: Account, order: Order, now_ms: int, *, quietly: bool = False) -> Order:
        """Store the new state of an order, indexed or ended as its status says, and tell the account."""
        self.take_out(account, order.order_id)
        order = replace(order, updated_ms=now_ms)
        if order.link_id:
            account.used_link_ids[order.link_id] = None
        if order.status.is_open:
            self.index(account, order)
        else:
            account.closed.append(order)
        if not quietly:
            self._floor.tell(account, EventKind.ORDER, order, now_ms)
        return order

    def index(self, account: Account, order: Order) -> None:
        """Make an open order findable: by id, by client id, by price."""
        account.open[order.order_id] = order
        if order.link_id:
            account.open_link_ids[order.link_id] = order.order_id
        waiting = self._floor.market(order.symbol).index_of(order)
        if waiting is not None:
            index, price = waiting
            index.add(index.level(price, order.sequence, account.key, order.order_id))

    def take_out(self, account: Account, order_id: str) -> None:
        """Forget an open order, as the first half of changing it. Unknown ids are ignored."""
        order = account.open.pop(order_id, None)
        if order is None:
            return
        if account.open_link_ids.get(order.link_id) == order_id:
            del account.open_link_ids[order.link_id]
        waiting = self._floor.market(order.symbol).index_of(order)
        if waiting is not None:
            index, price = waiting
            index.remove(index.level(price, order.sequence, account.key, order.order_id))

    def cancel(
        self, account: Account, order: Order, now_ms: int, *, cancel_type: str, reason: str = "EC_PerCancelRequest"
    ) -> Order:
        """End an order without a fill. One that still waited for its trigger becomes Deactivated."""
        untriggered = order.status is OrderStatus.UNTRIGGERED
        status = OrderStatus.DEACTIVATED if untriggered else OrderStatus.CANCELLED
        ended = replace(order, status=status, cancel_type=cancel_type, reject_reason=reason)
        return self.put(account, ended, now_ms)

    def orders_of(self, account: Account, symbol: str) -> list[Order]:
        """Open orders of a symbol, oldest first."""
        orders = [order for order in account.open.values() if order.symbol == symbol]
        orders.sort(key=lambda order: order.sequence)
        return orders
