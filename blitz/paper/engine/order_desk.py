"""Placing, amending and cancelling orders: the three things a client can do to one.

Called by `Venue`. Checks are in `admission.py`, execution in `matching.py`; this file joins them and raises the
refusals that need both. After a refusal nothing has changed.
"""

from dataclasses import replace
from decimal import Decimal

from blitz.paper.engine import refusals
from blitz.paper.engine.accounts import ORDER_FILTERS, SETTLE_COIN, Account
from blitz.paper.engine.admission import (
    check_attached_stops,
    check_available,
    check_margin,
    check_notional,
    check_price,
    check_quantity,
    check_trigger,
    order_from,
    truncated,
)
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.events import EventKind
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.margin import position_report
from blitz.paper.engine.matching import Matcher
from blitz.paper.engine.orders import AmendRequest, Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from blitz.paper.engine.refusals import PARAMETER_ERROR, VenueRefusal
from blitz.paper.engine.registry import Registry


def _chosen(new: Decimal | None, old: Decimal) -> Decimal:
    return old if new is None else new


class OrderDesk:
    """Takes clients' orders."""

    def __init__(self, floor: Floor, registry: Registry, matcher: Matcher) -> None:
        self._floor = floor
        self._registry = registry
        self._matcher = matcher

    def place(self, account: Account, request: OrderRequest, now_ms: int) -> Order:
        """Accept an order, trade what trades at once, rest the remainder."""
        order = order_from(self._floor, account, request, now_ms)
        if order.status is not OrderStatus.UNTRIGGERED:
            if self._matcher.fitted(account, order) is None:
                message = "current position is zero, cannot fix reduce-only order qty"
                raise VenueRefusal(refusals.REDUCE_ONLY_IMPOSSIBLE, message)
            check_margin(self._floor, account, order)
            self._check_post_only(account, order)
        sequence = self._floor.ids.sequence()
        assert sequence == order.sequence, "an order takes the number it was made with"
        if order.status is OrderStatus.UNTRIGGERED:
            placed = self._registry.put(account, order, now_ms)
        else:
            placed = self._matcher.enter(account, order, now_ms)
        self._count_frozen(account)
        self._report_position(account, order, now_ms)
        return placed

    def _count_frozen(self, account: Account) -> None:
        """What an order has just frozen brings liquidation nearer, at a house that counts so."""
        if account.house.freezes:
            rearm(self._floor, account)

    def _check_post_only(self, account: Account, order: Order) -> None:
        taking = order.time_in_force is TimeInForce.POST_ONLY and self._matcher.slices(order)
        if taking and account.house.refuses_taking_post_only:
            raise VenueRefusal(refusals.POST_ONLY_WOULD_TAKE, "Post Only order would take liquidity immediately")

    def amend(self, account: Account, request: AmendRequest, now_ms: int) -> Order:
        """Change quantity, price, trigger or attached stops of an open order; its ids survive."""
        self._floor.market(request.symbol)
        order = self._found(account, request.symbol, request.order_id, request.link_id)
        amended = self._amended(account, order, request)
        self._check_amended(account, order, amended)
        # An order whose price stays keeps its place: at the touch of a locked book it must not turn into a taker.
        stays = amended.price == order.price
        self._registry.take_out(account, order.order_id)
        try:
            amended = self._admitted(account, amended, stays=stays)
        except VenueRefusal:
            # The old order stays exactly as it was; no event, since nothing happened to it.
            self._registry.index(account, order)
            raise
        if stays or amended.status is OrderStatus.UNTRIGGERED:
            stored = self._registry.put(account, amended, now_ms)
        else:
            stored = self._matcher.enter(account, amended, now_ms)
        self._count_frozen(account)
        self._report_position(account, order, now_ms)
        return stored

    def _admitted(self, account: Account, amended: Order, *, stays: bool) -> Order:
        if amended.status is OrderStatus.UNTRIGGERED:
            return amended
        check_margin(self._floor, account, amended)
        fitted = self._matcher.fitted(account, amended, stays=stays)
        if fitted is None:
            raise VenueRefusal(refusals.REDUCE_ONLY_IMPOSSIBLE, "reduce-only rule not satisfied")
        return fitted

    def cancel(self, account: Account, symbol: str, order_id: str, link_id: str, now_ms: int) -> Order:
        """End an open order at the client's wish."""
        self._floor.market(symbol)
        order = self._found(account, symbol, order_id, link_id)
        cancelled = self._registry.cancel(account, order, now_ms, cancel_type="CancelByUser")
        self._report_position(account, order, now_ms)
        return cancelled

    def cancel_all(
        self, account: Account, symbol: str | None, settle_coin: str | None, order_filter: str | None, now_ms: int
    ) -> list[Order]:
        """End every open order of a symbol, or of all symbols of the settle coin, oldest first."""
        if symbol:
            self._floor.market(symbol)
        elif settle_coin != SETTLE_COIN:
            raise VenueRefusal(PARAMETER_ERROR, "params error: symbol, baseCoin or settleCoin is required")
        wanted = ORDER_FILTERS.get(order_filter or "")
        chosen = [
            order
            for order in account.open_orders()
            if (not symbol or order.symbol == symbol) and (wanted is None or wanted(order))
        ]
        ended = [self._registry.cancel(account, order, now_ms, cancel_type="CancelByUser") for order in chosen]
        for order in {(row.symbol, row.position_idx): row for row in ended}.values():
            self._report_position(account, order, now_ms)
        return ended

    def _found(self, account: Account, symbol: str, order_id: str, link_id: str) -> Order:
        if not order_id and not link_id:
            raise VenueRefusal(PARAMETER_ERROR, "params error: orderId or orderLinkId is required")
        order = account.open.get(order_id or account.open_link_ids.get(link_id, ""))
        if order is None or order.symbol != symbol:
            raise VenueRefusal(refusals.ORDER_NOT_FOUND, "order not exists or too late to cancel")
        return order

    def _amended(self, account: Account, order: Order, request: AmendRequest) -> Order:
        is_limit = order.order_type is OrderType.LIMIT
        quantity = _chosen(request.quantity, order.quantity)
        if account.house.truncates:
            quantity = truncated(quantity, self._floor.terms(account, order.symbol).quantity_step)
        return replace(
            order,
            quantity=quantity,
            price=_chosen(request.price, order.price) if is_limit else order.price,
            trigger_price=_chosen(request.trigger_price, order.trigger_price),
            trigger_by=order.trigger_by if request.trigger_by is None else request.trigger_by,
            take_profit=_chosen(request.take_profit, order.take_profit),
            stop_loss=_chosen(request.stop_loss, order.stop_loss),
        )

    def _check_amended(self, account: Account, order: Order, amended: Order) -> None:
        market, terms = self._floor.market(order.symbol), self._floor.terms(account, order.symbol)
        if amended == order:
            message = "The order remains unchanged as the parameters entered match the existing ones."
            raise VenueRefusal(PARAMETER_ERROR, message)
        if amended.quantity != order.quantity:
            check_quantity(account, terms, amended.quantity, order.order_type)
            if amended.quantity <= order.filled_quantity:
                raise VenueRefusal(refusals.AMENDED_BELOW_FILLED, "order qty must be above the filled qty")
        if amended.order_type is OrderType.LIMIT:
            check_price(market.instrument, amended.price)
        if amended.trigger_price != order.trigger_price and order.status is not OrderStatus.UNTRIGGERED:
            raise VenueRefusal(PARAMETER_ERROR, "params error: the order has no trigger to change")
        if order.status is OrderStatus.UNTRIGGERED:
            check_trigger(market, amended)
        if amended.quantity:
            check_notional(market, terms, amended)
        if (amended.take_profit, amended.stop_loss) != (order.take_profit, order.stop_loss):
            check_attached_stops(market, amended)
        check_available(account, amended)

    def _report_position(self, account: Account, order: Order, now_ms: int) -> None:
        """The venue pushes the position on every create, amend and cancel, even if it did not change."""
        row = position_report(self._floor, account, order.symbol, order.position_idx)
        self._floor.tell(account, EventKind.POSITION, row, now_ms)
