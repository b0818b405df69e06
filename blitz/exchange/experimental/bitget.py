"""Bitget USDT futures (API v2). Experimental; sources: Bitget's documentation of contracts and errors; ccxt's bitget.

Five zeros are success. A hedge account is told by `tradeSide`, and an order that closes names the *position's*
direction. An amended order gets a new client id. The stop-loss is the position's own (`pos_loss`). A key has a
passphrase.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.core.calls import Refusal
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import MarginMode, plain
from blitz.core.memory import VenueTraits
from blitz.core.orders import DesiredOrder, OrderType, Side
from blitz.exchange.experimental.ids import ClientIds
from blitz.exchange.experimental.profile import ExperimentalProfile, Request, Terms, textual

IDS = ClientIds(length_max=40, alphabet="A-Za-z0-9_-")
"""Bitget publishes no limit; others use up to 64 characters of this alphabet."""
MARGIN_MODES = {MarginMode.CROSS: "crossed", MarginMode.ISOLATED: "isolated"}
PRODUCT = "USDT-FUTURES"

REFUSALS: Mapping[str, Refusal] = {
    "429": Refusal.LIMIT,
    "22002": Refusal.NO_POSITION,
    "40001": Refusal.KEY,
    "40002": Refusal.KEY,
    "40003": Refusal.KEY,
    "40004": Refusal.CLOCK,
    "40005": Refusal.CLOCK,
    "40006": Refusal.KEY,
    "40008": Refusal.CLOCK,
    "40009": Refusal.KEY,
    "40011": Refusal.KEY,
    "40012": Refusal.KEY,
    "40013": Refusal.ACCOUNT,
    "40014": Refusal.KEY,
    "40017": Refusal.FILTER,
    "40018": Refusal.KEY,
    "40020": Refusal.FILTER,
    "40031": Refusal.KEY,
    "40037": Refusal.KEY,
    "40085": Refusal.ACCOUNT,
    "40104": Refusal.ACCOUNT,
    "40108": Refusal.FILTER,
    "40109": Refusal.GONE,
    "40305": Refusal.FILTER,
    "40308": Refusal.CLOSED_MARKET,
    "40309": Refusal.CLOSED_MARKET,
    "40706": Refusal.FILTER,
    "40710": Refusal.ACCOUNT,
    "40711": Refusal.MARGIN,
    "40712": Refusal.MARGIN,
    "40762": Refusal.MARGIN,
    "40768": Refusal.GONE,
    "40774": Refusal.ACCOUNT,
    "40786": Refusal.TAKEN,
    "40808": Refusal.FILTER,
    "40917": Refusal.TRIGGER_PASSED,
    "41103": Refusal.FILTER,
    "41114": Refusal.CLOSED_MARKET,
    "43001": Refusal.GONE,
    "43011": Refusal.FILTER,
    "43012": Refusal.MARGIN,
    "43025": Refusal.GONE,
    "43115": Refusal.CLOSED_MARKET,
    "45110": Refusal.FILTER,
    "45113": Refusal.FILTER,
    "45122": Refusal.TRIGGER_PASSED,
}


class BitgetProfile(ExperimentalProfile):
    """See `ExperimentalProfile`."""

    name = "bitget"
    ids = IDS
    id_field = "clientOid"
    stop_id_field = "clientOid"
    traits = VenueTraits(id_length_max=IDS.tag_length_max, receive_window_ms=30_000)
    amend_renews_id = True
    amends_stops = True
    needs_passphrase = True
    refusals = REFUSALS
    unknown = frozenset({"40010", "40015", "40604"})
    """40010 is "request timed out" in the documentation, though ccxt takes it for a signature."""
    undocumented = frozenset({"22002", "40786"})

    def client(self, credentials: Credentials) -> ccxt.bitget:
        """ccxt's Bitget for the classic account; it would else ask first which kind this is (40085: the other)."""
        options = {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}, "uta": False}
        config = {"apiKey": credentials.api_key, "secret": credentials.api_secret, "options": options}
        return textual(ccxt.bitget(config))

    def use_demo(self, client: ccxt.Exchange) -> None:
        """The same address with the header `PAPTRADING: 1`, and keys of its own."""
        client.enable_demo_trading(True)

    def order(self, client: ccxt.Exchange, order: DesiredOrder, tag: str, terms: Terms) -> Request:
        """ccxt turns direction and reduce-only into Bitget's words once it knows whether the account is hedged."""
        params: dict[str, Any] = {
            "marginMode": terms.margin_mode.value,
            "hedged": terms.hedged,
            "clientOrderId": self.ids.encode(tag),
        }
        if order.type is OrderType.STOP_MARKET:
            assert order.trigger is not None, "a stop has a trigger"
            params |= {"stopLossPrice": plain(order.trigger), "triggerType": "fill_price"}
            request = self.built(client, order, terms, params)
            self.same(request["triggerPrice"], order.trigger)
            # ccxt names the position of a one-way account by the order that opened it; a long's stop sells.
            method = "private_mix_post_v2_mix_order_place_tpsl_order"
        else:
            params |= {"reduceOnly": True} if order.reduce_only else {}
            request = self.built(client, order, terms, params)
            self.same(request.get("price", order.price), order.price)
            method = "private_mix_post_v2_mix_order_place_order"
        self.same(request["size"], order.quantity)
        return Request(method=method, body=request)

    def amend(self, client: ccxt.Exchange, order: DesiredOrder, order_id: str, new_tag: str, terms: Terms) -> Request:
        """Bitget replaces inside: `newClientOid` is needed and must not be the old one (40786)."""
        body = {
            "orderId": order_id,
            "symbol": client.market(terms.symbol)["id"],
            "productType": PRODUCT,
            "newSize": plain(order.quantity),
            "newPrice": plain(order.price or Decimal(0)),
            "newClientOid": self.ids.encode(new_tag),
        }
        return Request(method="private_mix_post_v2_mix_order_modify_order", body=body)

    def set_modes(self, client: ccxt.Exchange, leverage: Decimal, terms: Terms) -> list[Request]:
        """The position mode is the product's, margin mode and leverage are the market's."""
        market = client.market(terms.symbol)
        of_market = {"symbol": market["id"], "productType": PRODUCT, "marginCoin": market["settleId"]}
        lever: dict[str, Any] = {**of_market, "leverage": plain(leverage)}
        if terms.margin_mode is MarginMode.ISOLATED and terms.hedged:
            lever["holdSide"] = "long" if terms.side is Side.LONG else "short"
        mode = "hedge_mode" if terms.hedged else "one_way_mode"
        return [
            Request(
                method="private_mix_post_v2_mix_account_set_position_mode",
                body={"posMode": mode, "productType": PRODUCT},
            ),
            Request(
                method="private_mix_post_v2_mix_account_set_margin_mode",
                body={**of_market, "marginMode": MARGIN_MODES[terms.margin_mode]},
            ),
            Request(method="private_mix_post_v2_mix_account_set_leverage", body=lever),
        ]

    def code_of(self, answer: Mapping[str, Any]) -> str:
        """Five zeros are success."""
        code = str(answer.get("code", ""))
        return "" if code == "00000" else code


BITGET = BitgetProfile()
