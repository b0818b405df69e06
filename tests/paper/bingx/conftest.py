"""A paper exchange that speaks BingX, and unmodified ccxt clients for it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
import requests

from blitz.clock import Clock
from blitz.paper.server import AccountSpec, PaperConfig, PaperServer


class BingxPaper:
    """A running paper exchange, its control interface, and clients for its BingX door."""

    def __init__(self, server: PaperServer) -> None:
        self.server = server

    @property
    def url(self) -> str:
        return self.server.url

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
        door = f"{self.url}/openApi"
        names = ("fund", "spot", "swap", "contract", "wallets", "user", "subAccount", "account", "copyTrading")
        api: dict[str, Any] = dict.fromkeys((*names, "cswap", "api"), door)
        socket = self.url.replace("http", "ws")
        api["ws"] = {"linear": f"{socket}/swap-market", "spot": f"{socket}/nowhere", "inverse": f"{socket}/nowhere"}
        usual = {"apiKey": key, "secret": f"{key}-secret", "enableRateLimit": False, "timeout": 3_000}
        options = {"defaultType": "swap", "sandboxMode": True}
        return {**usual, "urls": {"api": api}, "options": options, **more}

    def client(self, key: str = "alice", **more: Any) -> Any:
        client = ccxt.bingx(self.settings(key, **more))
        client.has["fetchCurrencies"] = False
        client.number = str
        client.load_markets()
        return client


Start = Callable[..., BingxPaper]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start paper exchanges; they are stopped after the test."""
    running: list[PaperServer] = []

    def run(clock: Clock | None = None, **config: Any) -> BingxPaper:
        accounts = tuple(
            AccountSpec(key=key, secret=f"{key}-secret", balance=Decimal(10_000), exchange=exchange)
            for key, exchange in (("alice", "bingx"), ("bob", "bingx"), ("carol", "bybit"))
        )
        usual = {"feed": "manual", "accounts": accounts, "enforce_limits": False}
        server = PaperServer(PaperConfig(**{**usual, **config}), clock)
        server.start()
        running.append(server)
        return BingxPaper(server)

    yield run
    for server in running:
        server.stop()


@pytest.fixture
def paper(start: Start) -> BingxPaper:
    """A paper exchange with a manual feed; BTC-USDT stands at 60000."""
    return start()


@pytest.fixture
def alice(paper: BingxPaper) -> Iterator[Any]:
    """Alice's ccxt client. Her account is hedged, as a new account at BingX is."""
    client = paper.client("alice")
    yield client
    client.session.close()
