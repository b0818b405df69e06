"""Binance USD-M futures. Experimental; sources: Binance's documentation of futures and error codes; ccxt's binanceusdm.

An id is unique among open orders only, so a tag can be used again once its order is done. Conditional orders have an
endpoint and an id of their own (`clientAlgoId`), and cannot be amended. A hedge account takes no reduce-only.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.core.calls import Refusal
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import DesiredOrder, OrderType
from blitz.exchange.experimental.ids import ClientIds
from blitz.exchange.experimental.profile import ExperimentalProfile, Request, Terms, textual

IDS = ClientIds(length_max=36, alphabet=".A-Z:/a-z0-9_-")
MARGIN_MODES = {MarginMode.CROSS: "CROSSED", MarginMode.ISOLATED: "ISOLATED"}

REFUSALS: Mapping[str, Refusal] = {
    "-1003": Refusal.LIMIT,
    "-1005": Refusal.KEY,
    "-1011": Refusal.KEY,
    "-1013": Refusal.FILTER,
    "-1015": Refusal.LIMIT,
    "-1021": Refusal.CLOCK,
    "-1022": Refusal.KEY,
    "-1102": Refusal.FILTER,
    "-1111": Refusal.FILTER,
    "-1121": Refusal.CLOSED_MARKET,
    "-1122": Refusal.CLOSED_MARKET,
    "-2011": Refusal.GONE,
    "-2013": Refusal.GONE,
    "-2014": Refusal.KEY,
    "-2015": Refusal.KEY,
    "-2017": Refusal.KEY,
    "-2018": Refusal.MARGIN,
    "-2019": Refusal.MARGIN,
    "-2021": Refusal.TRIGGER_PASSED,
    "-2022": Refusal.NO_POSITION,
    "-2023": Refusal.ACCOUNT,
    "-2024": Refusal.NO_POSITION,
    "-2025": Refusal.FILTER,
    "-2027": Refusal.ACCOUNT,
    "-2028": Refusal.ACCOUNT,
    "-4003": Refusal.FILTER,
    "-4004": Refusal.FILTER,
    "-4005": Refusal.FILTER,
    "-4013": Refusal.FILTER,
    "-4014": Refusal.FILTER,
    "-4015": Refusal.FILTER,
    "-4016": Refusal.FILTER,
    "-4023": Refusal.FILTER,
    "-4024": Refusal.FILTER,
    "-4028": Refusal.ACCOUNT,
    "-4045": Refusal.FILTER,
    "-4046": Refusal.UNCHANGED,
    "-4047": Refusal.ACCOUNT,
    "-4048": Refusal.ACCOUNT,
    "-4050": Refusal.MARGIN,
    "-4051": Refusal.MARGIN,
    "-4059": Refusal.UNCHANGED,
    "-4061": Refusal.ACCOUNT,
    "-4062": Refusal.ACCOUNT,
    "-4067": Refusal.ACCOUNT,
    "-4068": Refusal.ACCOUNT,
    "-4087": Refusal.ACCOUNT,
    "-4088": Refusal.ACCOUNT,
    "-4116": Refusal.TAKEN,
    "-4118": Refusal.MARGIN,
    "-4131": Refusal.FILTER,
    "-4140": Refusal.CLOSED_MARKET,
    "-4141": Refusal.CLOSED_MARKET,
    "-4164": Refusal.FILTER,
    "-4168": Refusal.ACCOUNT,
    "-4183": Refusal.FILTER,
    "-4184": Refusal.FILTER,
    "-4192": Refusal.ACCOUNT,
    "-5022": Refusal.FILTER,
    "-5024": Refusal.CLOSED_MARKET,
    "-5025": Refusal.FILTER,
    "-5026": Refusal.FILTER,
    "-5027": Refusal.UNCHANGED,
    "-5028": Refusal.CLOCK,
}


class BinanceProfile(ExperimentalProfile):
    """See `ExperimentalProfile`."""

    name = "binance"
    ids = IDS
    id_field = "newClientOrderId"
    stop_id_field = "clientAlgoId"
    traits = VenueTraits(id_length_max=IDS.tag_length_max)
    refusals = REFUSALS
    unknown = frozenset({"-1000", "-1001", "-1004", "-1006", "-1007", "-1008"})

    def client(self, credentials: Credentials) -> ccxt.binanceusdm:
        """ccxt's Binance USD-M."""
        options = {"recvWindow": self.traits.receive_window_ms}
        config = {"apiKey": credentials.api_key, "secret": credentials.api_secret, "options": options}
        return textual(ccxt.binanceusdm(config))

    def use_demo(self, client: ccxt.Exchange) -> None:
        """Binance's demo trading: another address, other keys."""
        client.enable_demo_trading(True)

    def order(self, client: ccxt.Exchange, order: DesiredOrder, tag: str, terms: Terms) -> Request:
        """One-way accounts say reduce-only, hedge accounts the side of the position."""
        params: dict[str, Any] = {"positionSide": terms.side.value.upper()} if terms.hedged else {}
        if order.reduce_only and not terms.hedged:
            params["reduceOnly"] = True
        params["clientOrderId"] = self.ids.encode(tag)
        if order.type is OrderType.STOP_MARKET:
            assert order.trigger is not None, "a stop has a trigger"
            stop = {"stopLossPrice": plain(order.trigger), "workingType": "CONTRACT_PRICE", "isAlgoOrder": True}
            request = self.built(client, order, terms, params | stop) | {"algoType": "CONDITIONAL"}
            self.same(request["triggerPrice"], order.trigger)
            method = "fapiprivate_post_algoorder"
        else:
            request = self.built(client, order, terms, params)
            self.same(request.get("price", order.price), order.price)
            method = "fapiprivate_post_order"
        self.same(request["quantity"], order.quantity)
        return Request(method=method, body=request)

    def amend(self, client: ccxt.Exchange, order: DesiredOrder, order_id: str, new_tag: str, terms: Terms) -> Request:
        """Quantity (the new total) and price are both needed; order id and client id stay."""
        del new_tag
        quantity, price = plain(order.quantity), plain(order.price or Decimal(0))
        direction = order.direction.value
        body = client.edit_contract_order_request(order_id, terms.symbol, "limit", direction, quantity, price)
        return Request(method="fapiprivate_put_order", body=body)

    def set_modes(self, client: ccxt.Exchange, leverage: Decimal, terms: Terms) -> list[Request]:
        """The position mode is the account's, margin mode and leverage are the market's."""
        symbol = client.market(terms.symbol)["id"]
        hedged = "true" if terms.hedged else "false"
        margin = {"symbol": symbol, "marginType": MARGIN_MODES[terms.margin_mode]}
        lever = {"symbol": symbol, "leverage": plain(leverage)}
        return [
            Request(method="fapiprivate_post_positionside_dual", body={"dualSidePosition": hedged}),
            Request(method="fapiprivate_post_margintype", body=margin),
            Request(method="fapiprivate_post_leverage", body=lever),
        ]

    def code_of(self, answer: Mapping[str, Any]) -> str:
        """An answer without a code, or with 200, is success."""
        code = str(answer.get("code", ""))
        return "" if code in {"", "200"} else code


BINANCE = BinanceProfile()
