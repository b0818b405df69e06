"""The paper exchange's control interface, as this harness speaks to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from blitz.torture.market import Move
from blitz.torture.truth import AccountTruth

TIMEOUT_SECONDS = 20
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

    def open_account(self, key: str, secret: str, exchange: str) -> None:
        """Open an account that trades by the rules of `exchange`; the same again changes nothing."""
        self._ask("POST", "accounts", {"key": key, "secret": secret, "balance": BALANCE, "exchange": exchange})

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
