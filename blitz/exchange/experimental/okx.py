"""OKX USDT swaps (API v5). Experimental; sources: OKX's documentation of trade, account and error codes; ccxt's okx.

Quantities are contracts (0.01 BTC each). The margin mode is part of every order. An answer wraps each order's own code:
`{"code": "1", "data": [{"sCode": "51008", …}]}`. A key has a passphrase.
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

IDS = ClientIds(length_max=32, alphabet="A-Za-z0-9", separator="x")
"""No underscore: `sm_leg_1_7_BTCUSDTUSDT` is `smxlegx1x7xBTCUSDTUSDT` there."""

REFUSALS: Mapping[str, Refusal] = {
    "50007": Refusal.KEY,
    "50009": Refusal.ACCOUNT,
    "50011": Refusal.LIMIT,
    "50027": Refusal.KEY,
    "50061": Refusal.LIMIT,
    "50100": Refusal.KEY,
    "50101": Refusal.KEY,
    "50102": Refusal.CLOCK,
    "50103": Refusal.KEY,
    "50104": Refusal.KEY,
    "50105": Refusal.KEY,
    "50106": Refusal.KEY,
    "50107": Refusal.CLOCK,
    "50110": Refusal.KEY,
    "50111": Refusal.KEY,
    "50112": Refusal.CLOCK,
    "50113": Refusal.KEY,
    "50114": Refusal.KEY,
    "51000": Refusal.FILTER,
    "51001": Refusal.CLOSED_MARKET,
    "51004": Refusal.ACCOUNT,
    "51005": Refusal.FILTER,
    "51006": Refusal.FILTER,
    "51007": Refusal.FILTER,
    "51008": Refusal.MARGIN,
    "51010": Refusal.ACCOUNT,
    "51011": Refusal.TAKEN,
    "51016": Refusal.TAKEN,
    "51020": Refusal.FILTER,
    "51021": Refusal.CLOSED_MARKET,
    "51022": Refusal.CLOSED_MARKET,
    "51023": Refusal.NO_POSITION,
    "51025": Refusal.FILTER,
    "51027": Refusal.CLOSED_MARKET,
    "51028": Refusal.CLOSED_MARKET,
    "51029": Refusal.CLOSED_MARKET,
    "51030": Refusal.CLOSED_MARKET,
    "51100": Refusal.FILTER,
    "51101": Refusal.FILTER,
    "51102": Refusal.FILTER,
    "51105": Refusal.FILTER,
    "51107": Refusal.ACCOUNT,
    "51112": Refusal.NO_POSITION,
    "51116": Refusal.FILTER,
    "51117": Refusal.FILTER,
    "51119": Refusal.MARGIN,
    "51120": Refusal.FILTER,
    "51121": Refusal.FILTER,
    "51127": Refusal.MARGIN,
    "51131": Refusal.MARGIN,
    "51134": Refusal.NO_POSITION,
    "51174": Refusal.FILTER,
    "51202": Refusal.FILTER,
    "51205": Refusal.NO_POSITION,
    "51250": Refusal.FILTER,
    "51277": Refusal.TRIGGER_PASSED,
    "51278": Refusal.TRIGGER_PASSED,
    "51279": Refusal.TRIGGER_PASSED,
    "51280": Refusal.TRIGGER_PASSED,
    "51400": Refusal.GONE,
    "51401": Refusal.GONE,
    "51402": Refusal.GONE,
    "51502": Refusal.MARGIN,
    "51503": Refusal.GONE,
    "51509": Refusal.GONE,
    "51510": Refusal.GONE,
    "51603": Refusal.GONE,
    "59000": Refusal.ACCOUNT,
    "59100": Refusal.ACCOUNT,
    "59102": Refusal.ACCOUNT,
    "59103": Refusal.MARGIN,
    "59107": Refusal.ACCOUNT,
    "59108": Refusal.MARGIN,
}


class OkxProfile(ExperimentalProfile):
    """See `ExperimentalProfile`."""

    name = "okx"
    ids = IDS
    id_field = "clOrdId"
    stop_id_field = "algoClOrdId"
    traits = VenueTraits(id_length_max=IDS.tag_length_max, receive_window_ms=30_000)
    counts_contracts = True
    amends_stops = True
    needs_passphrase = True
    refusals = REFUSALS
    unknown = frozenset({"50001", "50004", "50005", "50013", "50026", "51410"})

    def client(self, credentials: Credentials) -> ccxt.okx:
        """ccxt's OKX without its own broker id, which it would put where an order has no id of ours."""
        options = {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}, "brokerId": None}
        config = {"apiKey": credentials.api_key, "secret": credentials.api_secret, "options": options}
        return textual(ccxt.okx(config))

    def use_demo(self, client: ccxt.Exchange) -> None:
        """The same address with the header `x-simulated-trading: 1`, and keys of its own."""
        client.set_sandbox_mode(True)

    def order(self, client: ccxt.Exchange, order: DesiredOrder, tag: str, terms: Terms) -> Request:
        """A hedge account names the side and takes no reduce-only; a one-way account is `net`."""
        params: dict[str, Any] = {"marginMode": terms.margin_mode.value, "positionSide": terms.side.value}
        if not terms.hedged:
            params |= {"positionSide": "net"} | ({"reduceOnly": True} if order.reduce_only else {})
        if order.type is OrderType.STOP_MARKET:
            assert order.trigger is not None, "a stop has a trigger"
            request = self.built(client, order, terms, params | {"stopLossPrice": plain(order.trigger)})
            self.same(request["slTriggerPx"], order.trigger)
            request[self.stop_id_field] = self.ids.encode(tag)
            method = "private_post_trade_order_algo"
        else:
            request = self.built(client, order, terms, params | {"clientOrderId": self.ids.encode(tag)})
            self.same(request.get("px", order.price), order.price)
            method = "private_post_trade_order"
        self.same(request["sz"], self.amount(client, order.quantity, terms))
        return Request(method=method, body=request)

    def amend(self, client: ccxt.Exchange, order: DesiredOrder, order_id: str, new_tag: str, terms: Terms) -> Request:
        """`newSz` is the new total, the filled part included; order id and client id stay."""
        del new_tag
        amount, price = plain(self.amount(client, order.quantity, terms)), plain(order.price or Decimal(0))
        body = client.edit_order_request(order_id, terms.symbol, "limit", order.direction.value, amount, price)
        return Request(method="private_post_trade_amend_order", body=body)

    def set_modes(self, client: ccxt.Exchange, leverage: Decimal, terms: Terms) -> list[Request]:
        """The position mode is the account's; leverage is set per margin mode, isolated and hedged also per side."""
        mode = "long_short_mode" if terms.hedged else "net_mode"
        lever: dict[str, Any] = {
            "lever": plain(leverage),
            "mgnMode": terms.margin_mode.value,
            "instId": client.market(terms.symbol)["id"],
        }
        if terms.margin_mode is MarginMode.ISOLATED:
            lever["posSide"] = terms.side.value if terms.hedged else "net"
        return [
            Request(method="private_post_account_set_position_mode", body={"posMode": mode}),
            Request(method="private_post_account_set_leverage", body=lever),
        ]

    def code_of(self, answer: Mapping[str, Any]) -> str:
        """The order's own code where there is one, else that of the request."""
        code = str(answer.get("code", ""))
        if code == "0":
            return ""
        rows = answer.get("data")
        own = [str(row.get("sCode", "")) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        return next((each for each in own if each not in {"", "0"}), code)


OKX = OkxProfile()
