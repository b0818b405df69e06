"""People with the same API key, at another program: each signs requests as the exchange asks for it."""

import hashlib
import hmac
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal

import requests

from blitz.torture.plan import HandAct

TIMEOUT_SECONDS = 0.5
"""A person does not wait for an answer that a fault holds back; the books will show what became of it."""
RECEIVE_WINDOW = "5000"


class Hand(ABC):
    """A person on one account."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self._url = url
        self._key = key
        self._secret = secret

    @abstractmethod
    def place(self, act: HandAct) -> None:
        """Place a limit order far from the market."""

    @abstractmethod
    def cancel(self, symbol: str, order_id: str) -> None:
        """Cancel an order; `symbol` is written as the paper exchange's books do."""

    def _signed(self, text: str) -> str:
        return hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _sent(self, method: str, path: str, payload: str, headers: Mapping[str, str]) -> None:
        """Send, and take any outcome: the exchange may be under faults, and the books will show."""
        try:
            requests.request(method, f"{self._url}{path}", data=payload, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException:
            return


class BybitHand(Hand):
    """Signs as Bybit V5 asks for it."""

    def place(self, act: HandAct) -> None:
        """Place a limit order far from the market."""
        self._send(
            "/v5/order/create",
            {
                "category": "linear",
                "symbol": act.market.venue_symbol,
                "side": "Buy" if act.is_buy else "Sell",
                "orderType": "Limit",
                "qty": str(act.quantity),
                "price": str(_on_tick(act.price, act.market.tick)),
                "orderLinkId": act.link_id,
            },
        )

    def cancel(self, symbol: str, order_id: str) -> None:
        """Cancel an order."""
        self._send("/v5/order/cancel", {"category": "linear", "symbol": symbol, "orderId": order_id})

    def _send(self, path: str, body: Mapping[str, str]) -> None:
        payload, stamp = json.dumps(body), _stamp()
        headers = {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": RECEIVE_WINDOW,
            "X-BAPI-SIGN": self._signed(f"{stamp}{self._key}{RECEIVE_WINDOW}{payload}"),
        }
        self._sent("POST", path, payload, headers)


class BingxHand(Hand):
    """Signs as BingX asks for it; opens on the long side to buy and on the short side to sell."""

    def place(self, act: HandAct) -> None:
        """Place a limit order far from the market."""
        self._send(
            "POST",
            {
                "symbol": _dashed(act.market.venue_symbol),
                "side": "BUY" if act.is_buy else "SELL",
                "positionSide": "LONG" if act.is_buy else "SHORT",
                "type": "LIMIT",
                "quantity": str(act.quantity),
                "price": str(_on_tick(act.price, act.market.tick)),
                "clientOrderID": act.link_id,
            },
        )

    def cancel(self, symbol: str, order_id: str) -> None:
        """Cancel an order."""
        self._send("DELETE", {"symbol": _dashed(symbol), "orderId": order_id})

    def _send(self, method: str, body: Mapping[str, str]) -> None:
        """All parameters are part of the address, sorted and signed as they are."""
        query = "&".join(f"{name}={value}" for name, value in sorted({**body, "timestamp": _stamp()}.items()))
        address = f"/openApi/swap/v2/trade/order?{query}&signature={self._signed(query)}"
        self._sent(method, address, "", {"X-BX-APIKEY": self._key})


HANDS: Mapping[str, type[Hand]] = {"bybit": BybitHand, "bingx": BingxHand}


def _stamp() -> str:
    return str(time.time_ns() // 1_000_000)


def _dashed(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}-USDT"


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).to_integral_value() * tick
