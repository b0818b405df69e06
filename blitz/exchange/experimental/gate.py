"""Gate USDT perpetuals (API v4). Experimental; sources: Gate's documentation of futures and its labels; ccxt's gate.

Quantities are contracts, signed: a positive size buys. There is no envelope: an answer with a `label` refuses, any
other is the thing itself. A hedge ("dual") account needs no word for the side: a reduce-only sell closes the long.
Price-triggered orders take no id of ours.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.core.calls import Refusal
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import DesiredOrder, Direction, OrderType
from blitz.exchange.experimental.ids import ClientIds
from blitz.exchange.experimental.profile import ExperimentalProfile, Request, Terms, textual

IDS = ClientIds(length_max=30, alphabet="0-9A-Za-z_.-", prefix="t-")
"""`t-` and at most 28 characters. ccxt adds the prefix only to an id that does not begin with a t, and counts it in."""

SETTLED = {"fetchMarkets": {"settlementCurrencies": ["usdt"]}}

REFUSALS: Mapping[str, Refusal] = {
    "ACCOUNT_LOCKED": Refusal.KEY,
    "AMOUNT_TOO_LITTLE": Refusal.FILTER,
    "AMOUNT_TOO_MUCH": Refusal.FILTER,
    "AUTHENTICATION_FAILED": Refusal.KEY,
    "AUTO_TRIGGER_PRICE_GREATE_LAST": Refusal.TRIGGER_PASSED,
    "AUTO_TRIGGER_PRICE_LESS_LAST": Refusal.TRIGGER_PASSED,
    "BALANCE_NOT_ENOUGH": Refusal.MARGIN,
    "CLIENT_ID_NOT_FOUND": Refusal.GONE,
    "CONTRACT_IN_DELISTING": Refusal.CLOSED_MARKET,
    "CONTRACT_NOT_FOUND": Refusal.CLOSED_MARKET,
    "FORBIDDEN": Refusal.KEY,
    "FUTURES_BALANCE_NOT_ENOUGH": Refusal.MARGIN,
    "INCREASE_POSITION": Refusal.NO_POSITION,
    "INSUFFICIENT_AVAILABLE": Refusal.MARGIN,
    "INVALID_ARGUMENT": Refusal.FILTER,
    "INVALID_CREDENTIALS": Refusal.KEY,
    "INVALID_KEY": Refusal.KEY,
    "INVALID_PARAM_VALUE": Refusal.FILTER,
    "INVALID_PRECISION": Refusal.FILTER,
    "INVALID_SIGNATURE": Refusal.KEY,
    "IP_FORBIDDEN": Refusal.KEY,
    "LEVERAGE_TOO_HIGH": Refusal.ACCOUNT,
    "LEVERAGE_TOO_LOW": Refusal.ACCOUNT,
    "LIQUIDATE_IMMEDIATELY": Refusal.ACCOUNT,
    "MARGIN_BALANCE_NOT_ENOUGH": Refusal.MARGIN,
    "MISSING_REQUIRED_HEADER": Refusal.KEY,
    "NO_CHANGE": Refusal.UNCHANGED,
    "ORDER_CANCELLED": Refusal.GONE,
    "ORDER_CLOSED": Refusal.GONE,
    "ORDER_FINISHED": Refusal.GONE,
    "ORDER_NOT_FOUND": Refusal.GONE,
    "ORDER_POC_IMMEDIATE": Refusal.FILTER,
    "POC_FILL_IMMEDIATELY": Refusal.FILTER,
    "POSITION_CROSS_MARGIN": Refusal.ACCOUNT,
    "POSITION_EMPTY": Refusal.NO_POSITION,
    "POSITION_HOLDING": Refusal.ACCOUNT,
    "POSITION_IN_CLOSE": Refusal.ACCOUNT,
    "POSITION_IN_LIQUIDATION": Refusal.ACCOUNT,
    "PRICE_OVER_BANKRUPT": Refusal.FILTER,
    "PRICE_OVER_LIQUIDATION": Refusal.FILTER,
    "PRICE_THRESHOLD_EXCEEDED": Refusal.FILTER,
    "PRICE_TOO_DEVIATED": Refusal.FILTER,
    "READ_ONLY": Refusal.KEY,
    "REQUEST_EXPIRED": Refusal.CLOCK,
    "RISK_LIMIT_EXCEEDED": Refusal.ACCOUNT,
    "SIZE_TOO_LARGE": Refusal.FILTER,
    "SIZE_TOO_SMALL": Refusal.FILTER,
    "SUB_ACCOUNT_LOCKED": Refusal.KEY,
    "TOO_FAST": Refusal.LIMIT,
    "TOO_MANY_ORDERS": Refusal.FILTER,
    "TOO_MANY_REQUESTS": Refusal.LIMIT,
    "TRADE_RESTRICTED": Refusal.ACCOUNT,
}


class GateProfile(ExperimentalProfile):
    """See `ExperimentalProfile`. Gate does not say that it refuses an id twice, so nothing is built on it."""

    name = "gate"
    ids = IDS
    id_field = "text"
    traits = VenueTraits(
        id_length_max=IDS.tag_length_max, receive_window_ms=60_000, ids_enforced=False, stops_carry_ids=False
    )
    counts_contracts = True
    refusals = REFUSALS
    unknown = frozenset({"INTERNAL", "SERVER_ERROR", "TOO_BUSY"})

    def client(self, credentials: Credentials) -> ccxt.gate:
        """ccxt's Gate for USDT swaps."""
        options = {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}, "swap": SETTLED}
        config = {"apiKey": credentials.api_key, "secret": credentials.api_secret, "options": options}
        return textual(ccxt.gate(config))

    def use_demo(self, client: ccxt.Exchange) -> None:
        """The testnet: another address, other keys."""
        client.set_sandbox_mode(True)

    def order(self, client: ccxt.Exchange, order: DesiredOrder, tag: str, terms: Terms) -> Request:
        """Reduce-only is sent in both position modes."""
        signed = self.amount(client, order.quantity, terms) * (1 if order.direction is Direction.BUY else -1)
        params: dict[str, Any] = {"reduceOnly": True} if order.reduce_only else {}
        if order.type is OrderType.STOP_MARKET:
            assert order.trigger is not None, "a stop has a trigger"
            request = self.built(client, order, terms, params | {"stopLossPrice": plain(order.trigger)})
            self.same(request["trigger"]["price"], order.trigger)
            self.same(request["initial"].get("size", request["initial"].get("amount")), signed)
            return Request(method="private_futures_post_settle_price_orders", body=request)
        request = self.built(client, order, terms, params)
        request[self.id_field] = self.ids.encode(tag)
        self.same(request["size"], signed)
        self.same(request["price"], order.price)
        return Request(method="private_futures_post_settle_orders", body=request)

    def amend(self, client: ccxt.Exchange, order: DesiredOrder, order_id: str, new_tag: str, terms: Terms) -> Request:
        """`size` is the new total with its sign, the filled part included; order id and text stay."""
        del new_tag
        amount, price = plain(self.amount(client, order.quantity, terms)), plain(order.price or Decimal(0))
        built = client.edit_order_request(order_id, terms.symbol, "limit", order.direction.value, amount, price)
        body = {name: value for name, value in built.items() if name not in {"currency_pair", "account"}}
        return Request(method="private_futures_put_settle_orders_order_id", body=body)

    def set_modes(self, client: ccxt.Exchange, leverage: Decimal, terms: Terms) -> list[Request]:
        """Leverage 0 is cross with a limit; anything else is isolated. A dual account has an endpoint of its own."""
        market = client.market(terms.symbol)
        lever = {"settle": market["settleId"], "contract": market["id"]}
        if terms.margin_mode is MarginMode.CROSS:
            lever |= {"leverage": "0", "cross_leverage_limit": plain(leverage)}
        else:
            lever |= {"leverage": plain(leverage)}
        endpoint = "dual_comp_positions_contract_leverage" if terms.hedged else "positions_contract_leverage"
        mode = {"settle": market["settleId"], "dual_mode": terms.hedged}
        return [
            Request(method="private_futures_post_settle_dual_mode", body=mode),
            Request(method=f"private_futures_post_settle_{endpoint}", body=lever),
        ]

    def code_of(self, answer: Mapping[str, Any]) -> str:
        """A refusal has a label; nothing else has."""
        return str(answer.get("label", ""))


GATE = GateProfile()
