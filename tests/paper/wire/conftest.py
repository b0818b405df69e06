"""Running paper exchanges and unmodified ccxt clients for the wire tests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt
import pytest
import requests

from blitz.clock import Clock
from blitz.paper.server import AccountSpec, PaperConfig, PaperServer


@dataclass
class Paper:
    """A running paper exchange, its control interface, and clients for it."""

    server: PaperServer | None
    address: str = ""

    @property
    def url(self) -> str:
        return self.address if self.server is None else self.server.url

    def post(self, what: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/__paper/{what}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def get(self, what: str, **query: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/__paper/{what}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def price(self, price: str, symbol: str = "BTCUSDT", **more: Any) -> dict[str, Any]:
        return self.post("price", symbol=symbol, price=price, **more)

    def account(self, key: str = "alice") -> dict[str, Any]:
        return dict(self.get("state", key=key)["accounts"][0])

    def settings(self, key: str = "alice", **more: Any) -> dict[str, Any]:
        socket = self.url.replace("http", "ws")
        api = {
            "public": self.url,
            "private": self.url,
            "ws": {
                "public": {"linear": f"{socket}/v5/public/linear"},
                "private": {
                    "contract": f"{socket}/v5/private",
                    "usdc": f"{socket}/v5/private",
                    "trade": f"{socket}/v5/trade",
                },
            },
        }
        options = {
            "defaultType": "swap",
            "fetchMarkets": {"types": ["linear"]},
            "enableUnifiedMargin": False,
            "enableUnifiedAccount": True,
            "unifiedMarginStatus": 5,
        }
        usual = {"apiKey": key, "secret": f"{key}-secret", "enableRateLimit": False, "timeout": 3_000}
        return {**usual, "urls": {"api": api}, "options": options, **more}

    def client(self, key: str = "alice", **more: Any) -> Any:
        client = ccxt.bybit(self.settings(key, **more))
        client.has["fetchCurrencies"] = False
        client.number = str
        client.load_markets()
        return client


Start = Callable[..., Paper]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start paper exchanges; they are stopped after the test."""
    running: list[PaperServer] = []

    def run(clock: Clock | None = None, **config: Any) -> Paper:
        accounts = tuple(
            AccountSpec(key=key, secret=f"{key}-secret", balance=Decimal(10_000)) for key in ("alice", "bob")
        )
        usual = {"feed": "manual", "accounts": accounts, "enforce_limits": False}
        server = PaperServer(PaperConfig(**{**usual, **config}), clock)
        server.start()
        running.append(server)
        return Paper(server)

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def at() -> Callable[[str], Paper]:
    """Look at a paper exchange that runs in another process."""
    return lambda url: Paper(None, url)


@pytest.fixture
def paper(start: Start) -> Paper:
    """A paper exchange with a manual feed; BTCUSDT stands at 60000."""
    return start()


@pytest.fixture
def alice(paper: Paper) -> Iterator[Any]:
    """Alice's ccxt client."""
    client = paper.client("alice")
    yield client
    client.session.close()
