"""The paper exchange as this harness speaks to it: its control interface, and a person who trades by hand."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from blitz.torture.market import Move
from blitz.torture.plan import HandAct
from blitz.torture.truth import AccountTruth

TIMEOUT_SECONDS = 20
HAND_TIMEOUT_SECONDS = 0.5
"""A person does not wait for an answer that a fault holds back; the books will show what became of it."""
RECEIVE_WINDOW = "5000"
BALANCE = "10000"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHits:
    """How often a rule has struck."""

    number: str
    account: str
    delay_seconds: float
    hits: int


class ExchangeControl:
    """`/__paper/…`. Raises `requests.RequestException` when the exchange is not there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            self._ask("GET", "faults")
        except requests.RequestException:
            return False
        return True

    def open_account(self, key: str, secret: str) -> None:
        """Open an account; the same again changes nothing."""
        self._ask("POST", "accounts", {"key": key, "secret": secret, "balance": BALANCE})

    def move(self, move: Move) -> None:
        """Move a price."""
        body = {"symbol": move.market.venue_symbol, "price": str(move.price), "sweep": "1" if move.sweep else "0"}
        self._ask("POST", "price", body)

    def use_ids(self, regime: str) -> None:
        """Switch when an order id may be used again."""
        self._ask("POST", "rules", {"id_regime": regime})

    def inject(self, rule: Mapping[str, Any]) -> None:
        """Put a fault in force."""
        self._ask("POST", "faults", rule)

    def lift_faults(self) -> None:
        """Lift all faults."""
        self._ask("DELETE", "faults")

    def fault_hits(self) -> list[FaultHits]:
        """How often each rule has struck."""
        rows = self._ask("GET", "faults")["faults"]
        return [
            FaultHits(
                number=str(row["id"]),
                account=row["account"],
                delay_seconds=int(row["delay_ms"]) / 1000,
                hits=int(row["hits"]),
            )
            for row in rows
        ]

    def accounts(self) -> list[AccountTruth]:
        """Every account with its live orders, at one moment."""
        return [AccountTruth.read(row) for row in self._ask("GET", "state?open=1")["accounts"]]

    def account(self, key: str, *, executions_from: int) -> AccountTruth:
        """One account, with the executions after the first so many."""
        [row] = self._ask("GET", f"state?key={key}&open=1&executions_from={executions_from}")["accounts"]
        return AccountTruth.read(row)

    def order_history(self, key: str) -> list[dict[str, Any]]:
        """Every ended order of an account. Long."""
        rows: list[dict[str, Any]] = self._ask("GET", f"state?key={key}")["accounts"][0]["order_history"]
        return rows

    def _ask(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._session.request(method, f"{self.url}/__paper/{what}", json=body, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


class Hand:
    """A person with the same API key, at another program: signs requests as Bybit V5 asks for it."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self._url = url
        self._key = key
        self._secret = secret

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
        """Send, and take any outcome: the exchange may be under faults, and the books will show."""
        payload = json.dumps(body)
        stamp = str(time.time_ns() // 1_000_000)
        signed = f"{stamp}{self._key}{RECEIVE_WINDOW}{payload}"
        headers = {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": RECEIVE_WINDOW,
            "X-BAPI-SIGN": hmac.new(self._secret.encode(), signed.encode(), hashlib.sha256).hexdigest(),
        }
        try:
            requests.post(f"{self._url}{path}", data=payload, headers=headers, timeout=HAND_TIMEOUT_SECONDS)
        except requests.RequestException:
            return


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).to_integral_value() * tick
