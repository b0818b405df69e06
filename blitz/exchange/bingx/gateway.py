"""One account on one BingX market.

Orders are built by ccxt's unified `create_order_request` and sent as they are, with every number as our own text;
everything else uses ccxt's implicit methods, because their raw envelopes show whether an answer is whole.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
    Done,
    FillsRead,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PriceRead,
    ReadOrder,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
)
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import DesiredOrder, OrderType, Side
from blitz.exchange.answers import Malformed, misfit
from blitz.exchange.bingx import replacing
from blitz.exchange.bingx import rows as read
from blitz.exchange.bingx.codes import ENVELOPE, data_of, listed, rows_of
from blitz.exchange.bingx.fills import TradeHistory
from blitz.exchange.market_gateway import MarketGateway
from blitz.exchange.profile import Seat
from blitz.exchange.rows import Row, identifier, number, text

RECEIVE_WINDOW_MS = 5_000
TRAITS = VenueTraits(
    id_length_max=40,
    receive_window_ms=RECEIVE_WINDOW_MS,
    ids_enforced=True,
    amends_price=False,
    stops_carry_ids=False,
    exits_reserve=True,
)
MARGIN_TYPES = {"CROSSED": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
STOP_PRICE_OF = "CONTRACT_PRICE"
"""Stops wait for the last traded price, as on other venues; BingX would take the mark price by itself."""


class BingxGateway(MarketGateway):
    """See `MarketGateway`. A hedge account keeps long and short apart and takes no reduce-only (109400)."""

    traits = TRAITS
    envelope = ENVELOPE

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self._history = TradeHistory(self._client, self._instrument.venue_symbol, self._settings.side)
        self._holds_position = False
        """Whether the last look found a position: while one is held, BingX switches no position mode."""

    # Reads

    def _open_orders(self) -> OpenOrdersRead:
        answer = data_of(self._client.swap_v2_private_get_trade_openorders(self._query()))
        orders = [read.open_order(row) for row in rows_of(answer, "orders")]
        for order in orders:
            self._history.note(order.order_id, order.client_id)
        return OpenOrdersRead(orders=tuple({order.order_id: order for order in orders}.values()))

    def _position(self) -> PositionRead:
        """The position; a side that holds nothing has no row, so mode and leverage are asked for by themselves."""
        rows = [
            row
            for row in listed(self._client.swap_v2_private_get_user_positions(self._query()))
            if text(row, "symbol") == self._instrument.venue_symbol
        ]
        hedged = self._hedged
        if hedged is None or not self._holds_position:
            hedged = read.truth(data_of(self._client.swap_v1_private_get_positionside_dual()), "dualSidePosition")
        position = read.position(rows, self._settings.side, hedged=hedged, leverage_when_flat=Decimal(0))
        if not position.quantity:
            flat = self._leverage()
            position = read.position(rows, self._settings.side, hedged=hedged, leverage_when_flat=flat)
        self._hedged, self._holds_position = hedged, bool(position.quantity)
        return PositionRead(position=position)

    def _fills(self, since_ms: int) -> FillsRead:
        if self._hedged is None:
            self._position()
        return FillsRead(fills=self._history.read(since_ms, self._clock.now_ms(), hedged=bool(self._hedged)))

    def _order(self, call: ReadOrder) -> OrderRead:
        """By order id where one is known: client ids are looked up for some hours only."""
        tag = call.client_id.lower()
        # The documents write the field in the one way, ccxt in the other.
        wanted = {"orderId": call.order_id} if call.order_id else {"clientOrderId": tag, "clientOrderID": tag}
        row = self._history.order(wanted)
        return OrderRead(record=None if row is None else read.order_record(row))

    def _price(self) -> PriceRead:
        answer = self._client.swap_v2_public_get_quote_ticker(self._query())
        return PriceRead(price=read.last_price(data_of(answer)))

    def _account(self) -> AccountRead:
        return AccountRead(margin_mode=MARGIN_TYPES.get(self._margin_type()))

    def _margin_type(self) -> str:
        return text(data_of(self._client.swap_v2_private_get_trade_margintype(self._query())), "marginType")

    def _leverage(self) -> Decimal:
        """What is set for our side of this market."""
        answer = data_of(self._client.swap_v2_private_get_trade_leverage(self._query()))
        return number(answer, "longLeverage" if self._settings.side is Side.LONG else "shortLeverage")

    def _query(self) -> dict[str, Any]:
        return {"symbol": self._instrument.venue_symbol}

    # Writes

    def _set_margin_mode(self) -> Done | Rejected:
        """Set this market's margin mode and read it back: the answer alone proves nothing."""
        wanted = next(word for word, mode in MARGIN_TYPES.items() if mode is self._settings.margin_mode)
        if self._margin_type() != wanted:
            ENVELOPE.opened(
                self._client.swap_v2_private_post_trade_margintype(self._query() | {"marginType": wanted}),
            )
            if (present := self._margin_type()) != wanted:
                raise Malformed(f"The exchange took {wanted} and shows {present}.")
        return Done()

    def _set_leverage(self) -> Done:
        """Set our side's leverage where another one is shown. The next look at the position shows what came of it."""
        if self._leverage() != self._settings.leverage:
            side = ("LONG" if self._settings.side is Side.LONG else "SHORT") if self._hedged else "BOTH"
            wanted = {"side": side, "leverage": plain(self._settings.leverage)}
            data_of(self._client.swap_v2_private_post_trade_leverage(self._query() | wanted))
        return Done()

    def _request(self, call: SendOrder) -> dict[str, object]:
        return self._order_request(call.order, call.client_id)

    def _order_request(self, order: DesiredOrder, client_id: str) -> dict[str, object]:
        """The parameters of an order, as ccxt's unified call builds them.

        Raises `ValueError`, or what ccxt raises, when quantity or prices do not fit the market's rules any more.
        """
        params: dict[str, object] = {"positionSide": self._position_side(), "recvWindow": RECEIVE_WINDOW_MS}
        if order.trigger is None:
            params["clientOrderId"] = client_id.lower()  # BingX folds it anyway, and stops take none
        else:
            params |= {"stopLossPrice": plain(order.trigger), "workingType": STOP_PRICE_OF}
        if order.reduce_only and not self._hedged:
            params["reduceOnly"] = "true"
        market_type = "limit" if order.type is OrderType.LIMIT else "market"
        price = None if order.price is None else plain(order.price)
        request: dict[str, object] = self._client.create_order_request(
            self._instrument.symbol, market_type, order.direction.value, plain(order.quantity), price, params
        )
        numbers = {"quantity": order.quantity, "price": order.price, "stopPrice": order.trigger}
        for name, value in numbers.items():
            if value is None:
                continue
            if Decimal(str(request[name])) != value:
                raise ValueError("The market's rules have changed; quantity or price no longer fit them.")
            request[name] = plain(value)
        return request

    def _position_side(self) -> str:
        if not self._hedged:
            return "BOTH"
        return "LONG" if self._settings.side is Side.LONG else "SHORT"

    def _create(self, request: dict[str, object]) -> Accepted:
        order = _order_in(data_of(self._client.swap_v2_private_post_trade_order(request)))
        order_id = identifier(order, "orderId")
        self._history.note(order_id, str(request.get("clientOrderID", "")))
        return Accepted(order_id=order_id)

    def _replace(self, call: ReplaceOrder) -> Reply:
        if self._hedged is None:
            return NotSent(reason="The account's position mode is not known yet.")
        try:
            request = self._order_request(call.order, call.client_id)
        except (ccxt.BaseError, ValueError) as problem:
            return misfit(problem)
        request |= {"cancelOrderId": call.order_id, "cancelReplaceMode": "STOP_ON_FAILURE"}
        if self._clock.now_ms() > call.expires_ms:
            return NotSent(reason="The decision is too old; it is made again.")
        return self.envelope.asked(lambda: self._replaced(request))

    def _replaced(self, request: dict[str, object]) -> Reply:
        try:
            reply = replacing.outcome(self._client.swap_v1_private_post_trade_cancelreplace(request))
        except ccxt.BaseError as problem:
            return replacing.refused(problem)
        if isinstance(reply, Accepted):
            self._history.note(reply.order_id, str(request.get("clientOrderID", "")))
        return reply

    def _amend(self, call: AmendOrder) -> Done | Rejected:
        if call.price is not None or call.trigger is not None or call.quantity is None:
            return Rejected(refusal=Refusal.OTHER, code="not sent", message="BingX changes nothing but the quantity.")
        changes = {"orderId": call.order_id, "quantity": plain(call.quantity)}
        identifier(data_of(self._client.swap_v1_private_post_trade_amend(self._query() | changes)), "orderId")
        return Done()

    def _cancel(self, call: CancelOrder) -> Done:
        answer = self._client.swap_v2_private_delete_trade_order(self._query() | {"orderId": call.order_id})
        identifier(_order_in(data_of(answer)), "orderId")
        return Done()


def _order_in(data: Mapping[str, Any]) -> Row:
    """The order that every order answer carries; without it the answer proves nothing."""
    order = data.get("order")
    if not isinstance(order, Mapping):
        raise Malformed("The exchange's answer names no order.")
    return order
