"""One account on one Bybit market.

Orders are built by ccxt's unified `create_order_request` and sent as they are; reads, amends and cancels use ccxt's
implicit methods, because their raw envelopes show whether an answer is whole. Every page is read to its end.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
    Done,
    FillsRead,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PriceRead,
    ReadOrder,
    Refusal,
    Rejected,
    SendOrder,
)
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import Fill, OrderType, Side
from blitz.exchange.answers import Malformed
from blitz.exchange.bybit import rows as read
from blitz.exchange.bybit.codes import ENVELOPE, result_of, rows_of
from blitz.exchange.market_gateway import MarketGateway
from blitz.exchange.rows import milliseconds, text

CATEGORY = "linear"
ORDERS_PAGE = 50
FILLS_PAGE = 100
PAGES_MAX = 40
"""A list that does not end after this many pages is not trusted: 500 orders per market are the venue's limit."""
WINDOW_MS = 7 * 24 * 3_600_000 - 1_000
"""Executions are listed for at most seven days per request."""

TRAITS = VenueTraits(id_length_max=36, receive_window_ms=5_000, ids_enforced=True)
MARGIN_MODES = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}
TAG_FIELDS = ("text", "clientOrderId", "clientOrderID", "newClientOrderId", "orderLinkId", "label")


def order_params(tag: str) -> dict[str, str]:
    """The tag in all six documented fields; Bybit reads `orderLinkId` and leaves the others unread."""
    return dict.fromkeys(TAG_FIELDS, tag)


class BybitGateway(MarketGateway):
    """See `MarketGateway`."""

    traits = TRAITS
    envelope = ENVELOPE

    # Reads

    def _open_orders(self) -> OpenOrdersRead:
        query = {"openOnly": 0, "limit": ORDERS_PAGE}
        rows = self._pages(self._client.private_get_v5_order_realtime, query)
        orders = {order.order_id: order for order in map(read.open_order, rows)}
        return OpenOrdersRead(orders=tuple(orders.values()))

    def _position(self) -> PositionRead:
        answer = self._client.private_get_v5_position_list(self._query())
        position = read.position(rows_of(result_of(answer)), self._settings.side)
        self._hedged = position.hedged
        return PositionRead(position=position)

    def _fills(self, since_ms: int) -> FillsRead:
        """Every execution since then, in windows of seven days; one that stands on two pages counts once (trap 12)."""
        now_ms = self._clock.now_ms()
        fills: dict[str, Fill] = {}
        start = max(since_ms, 0)
        while start <= now_ms:
            query = {"startTime": start, "endTime": start + WINDOW_MS, "limit": FILLS_PAGE}
            newest_first = list(self._pages(self._client.private_get_v5_execution_list, query))
            for row in reversed(newest_first):
                if not self._hedged or read.fill_side(row) is self._settings.side:
                    fill = read.fill(row)
                    fills.setdefault(fill.exec_id, fill)
            start += WINDOW_MS + 1
        return FillsRead(fills=tuple(sorted(fills.values(), key=lambda fill: fill.moment)))

    def _order(self, call: ReadOrder) -> OrderRead:
        """Ask the live list first, then the history; only two answers without the order mean that there is none."""
        wanted = {"orderId": call.order_id} if call.order_id else {"orderLinkId": call.client_id}
        for endpoint in (self._client.private_get_v5_order_realtime, self._client.private_get_v5_order_history):
            rows = list(self._pages(endpoint, wanted | {"limit": ORDERS_PAGE}))
            if rows:
                newest = max(rows, key=lambda row: milliseconds(row, "createdTime"))
                return OrderRead(record=read.order_record(newest))
        return OrderRead(record=None)

    def _price(self) -> PriceRead:
        answer = self._client.public_get_v5_market_tickers(self._query())
        return PriceRead(price=read.last_price(rows_of(result_of(answer))))

    def _account(self) -> AccountRead:
        present = text(result_of(self._client.private_get_v5_account_info()), "marginMode")
        modes = {word: mode for mode, word in MARGIN_MODES.items()}
        return AccountRead(margin_mode=modes.get(present))

    def _query(self) -> dict[str, Any]:
        return {"category": CATEGORY, "symbol": self._instrument.venue_symbol}

    def _pages(self, endpoint: Callable[..., object], query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Rows of all pages. Raises `Malformed` when a page lacks its cursor or the list does not end (A8)."""
        cursor = ""
        for _ in range(PAGES_MAX):
            asked_for = self._query() | dict(query) | ({"cursor": cursor} if cursor else {})
            result = result_of(endpoint(asked_for))
            yield from rows_of(result)
            cursor = text(result, "nextPageCursor")
            if not cursor:
                return
        raise Malformed("The exchange's list does not end.")

    # Writes

    def _set_margin_mode(self) -> Done | Rejected:
        """Set the account's margin mode to the trader's choice. Portfolio margin is not ours to switch off."""
        wanted = MARGIN_MODES[self._settings.margin_mode]
        present = text(result_of(self._client.private_get_v5_account_info()), "marginMode")
        if present not in MARGIN_MODES.values():
            said = f"the account uses {present}; choose cross or isolated margin at the exchange first"
            return Rejected(refusal=Refusal.ACCOUNT, code=present, message=said)
        if present != wanted:
            result_of(self._client.private_post_v5_account_set_margin_mode({"setMarginMode": wanted}))
        return Done()

    def _set_leverage(self) -> Done:
        leverage = plain(self._settings.leverage)
        wanted = self._query() | {"buyLeverage": leverage, "sellLeverage": leverage}
        result_of(self._client.private_post_v5_position_set_leverage(wanted))
        return Done()

    def _request(self, call: SendOrder) -> dict[str, Any]:
        """The body of an order, as ccxt's unified call builds it."""
        order = call.order
        params: dict[str, Any] = order_params(call.client_id) | {"positionIdx": self._position_index()}
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.trigger is not None:
            params["triggerPrice"] = plain(order.trigger)
            # A long's stop waits for a fall, a short's for a rise.
            params["triggerDirection"] = 2 if self._settings.side is Side.LONG else 1
        market_type = "limit" if order.type is OrderType.LIMIT else "market"
        price = None if order.price is None else plain(order.price)
        symbol = self._instrument.symbol
        request: dict[str, Any] = self._client.create_order_request(
            symbol, market_type, order.direction.value, plain(order.quantity), price, params, True
        )
        if Decimal(str(request["qty"])) != order.quantity or (
            order.price is not None and Decimal(str(request["price"])) != order.price
        ):
            raise ValueError("The market's rules have changed; quantity or price no longer fit them.")
        return request

    def _position_index(self) -> int:
        if not self._hedged:
            return 0
        return 1 if self._settings.side is Side.LONG else 2

    def _create(self, request: dict[str, Any]) -> Accepted:
        return Accepted(order_id=_order_id(result_of(self._client.private_post_v5_order_create(request))))

    def _amend(self, call: AmendOrder) -> Done:
        changes = {"qty": call.quantity, "price": call.price, "triggerPrice": call.trigger}
        texts = {field: plain(value) for field, value in changes.items() if value is not None}
        answer = self._client.private_post_v5_order_amend(self._query() | {"orderId": call.order_id} | texts)
        _order_id(result_of(answer))
        return Done()

    def _cancel(self, call: CancelOrder) -> Done:
        answer = self._client.private_post_v5_order_cancel(self._query() | {"orderId": call.order_id})
        _order_id(result_of(answer))
        return Done()


def _order_id(result: Mapping[str, Any]) -> str:
    """The id that every order answer carries; without it the answer proves nothing."""
    order_id = result.get("orderId")
    if not isinstance(order_id, str) or not order_id:
        raise Malformed("The exchange's answer names no order.")
    return order_id
