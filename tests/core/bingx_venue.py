"""The scripted venue by BingX's rules: prices move by replacing, stops keep no id, resting exits reserve.

Hedge accounts know no reduce-only flag there: side and direction say it. Client ids are folded to lower case. An exit
above what is left to close is refused, never cut.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from blitz.core.calls import (
    AmendOrder,
    Call,
    Pulled,
    ReadOrder,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
    Unknown,
)
from blitz.core.memory import VenueTraits
from blitz.core.orders import ZERO, DesiredOrder, Direction, OpenOrder, OrderType
from tests.core.scripted_venue import LOST, ScriptedVenue

BINGX = VenueTraits(id_length_max=40, amends_price=False, stops_carry_ids=False, exits_reserve=True)
REPEATING_BINGX = replace(BINGX, ids_enforced=False)
TOO_MUCH = Rejected(refusal=Refusal.NO_POSITION, code="110424", message="more than is available")
HALF_DONE = Pulled(refusal=Refusal.LIMIT, code="100410", message="too many requests")
GONE = Rejected(refusal=Refusal.GONE, code="80016", message="order not exist")


@dataclass(kw_only=True)
class BingxVenue(ScriptedVenue):
    """One account on one market of BingX."""

    hedged: bool = True

    def name(self, order: OpenOrder) -> str:
        """The tag of an order; for a stop of the bot the one that it would have."""
        untagged = order.order_id in self.own_ids and not order.client_id
        return "sm_sl_7_BTCUSDTUSDT" if untagged else order.client_id.replace("btcusdtusdt", "BTCUSDTUSDT")

    def rest_stop(self, quantity: str, trigger: str) -> str:
        """Somebody else rests a stop: like every stop here it shows no id."""
        size, at = Decimal(quantity), Decimal(trigger)
        order = self._new_order("", self.side.closing, OrderType.STOP_MARKET, size, None, at, True)
        self.foreign_ids.add(order.order_id)
        return order.order_id

    def _answer(self, call: Call) -> Reply:
        if isinstance(call, ReadOrder):
            assert call.order_id or call.client_id, "asked for no order at all"
            call = replace(call, client_id=call.client_id.lower())
        return super()._answer(call)

    def _faulty(self, call: Call, fault: str | Rejected | Unknown) -> Reply:
        if fault not in {"half_done", "half_done_unanswered"}:
            return super()._faulty(call, fault)
        assert isinstance(call, ReplaceOrder)
        unanswered = fault == "half_done_unanswered"
        if self.records[call.order_id].terminal:
            return LOST if unanswered else GONE
        self._end(call.order_id, "CancelByUser")
        return LOST if unanswered else HALF_DONE

    def _send(self, call: SendOrder) -> Reply:
        return self._placed(call.order, call.client_id)

    def _replace(self, call: ReplaceOrder) -> Reply:
        self._assert_ours(call.order_id)
        assert call.order.reduce_only, "a leg that filled meanwhile would fill twice"
        if self.records[call.order_id].terminal:
            return GONE
        self._end(call.order_id, "CancelByUser")
        reply = self._placed(call.order, call.client_id)
        if isinstance(reply, Rejected):
            return Pulled(refusal=reply.refusal, code=reply.code, message=reply.message)
        return reply

    def _amend(self, call: AmendOrder) -> Reply:
        assert (call.price, call.trigger) == (None, None), "only a quantity changes in place"
        assert call.quantity is not None
        order = self.records[call.order_id].order
        if self._closes(order) and call.quantity - order.filled > self._left_to_close(order):
            return TOO_MUCH
        return super()._amend(call)

    def _placed(self, order: DesiredOrder, client_id: str) -> Reply:
        assert bool(client_id) is (order.type is not OrderType.STOP_MARKET), "only a stop goes without its tag"
        return super()._placed(order, client_id.lower())

    def _refusal(self, order: DesiredOrder, client_id: str) -> Rejected | None:
        refusal = super()._refusal(order, client_id)
        if refusal is None and order.reduce_only and order.quantity > self._left_to_close(order):
            return TOO_MUCH
        return refusal

    def _left_to_close(self, wanted: OpenOrder | DesiredOrder) -> Decimal:
        """Resting limits reserve what they close, stops what they would; an order does not stand in its own way."""
        stop = wanted.type is OrderType.STOP_MARKET
        reserved = (
            order.remaining
            for order in self.resting()
            if self._closes(order) and (order.type is OrderType.STOP_MARKET) is stop and order is not wanted
        )
        return self._on_side() - sum(reserved, ZERO)

    def _closes(self, order: OpenOrder) -> bool:
        return order.reduce_only or (self.hedged and order.direction is self.side.closing)

    def _new_order(
        self,
        client_id: str,
        direction: Direction,
        kind: OrderType,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
        reduce_only: bool,
    ) -> OpenOrder:
        shows_it = reduce_only and not self.hedged
        return super()._new_order(client_id, direction, kind, quantity, price, trigger, shows_it)
