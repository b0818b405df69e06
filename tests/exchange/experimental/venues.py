"""What tests of the experimental profiles stand on: clients whose network is a table, and one market on each venue."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from blitz.core.credentials import Credentials
from blitz.exchange.experimental.binance import BINANCE
from blitz.exchange.experimental.bitget import BITGET
from blitz.exchange.experimental.gate import GATE
from blitz.exchange.experimental.okx import OKX
from blitz.exchange.experimental.profile import ExperimentalProfile, Request

SYMBOL = "BTC/USDT:USDT"
KEYS = Credentials(api_key="experimental-key", api_secret="experimental-secret")
NOW_MS = 1_750_000_000_000
ALL = (OKX, BITGET, GATE, BINANCE)

MARKETS: dict[str, Any] = {
    "okx": {
        "code": "0",
        "data": [
            {
                "instId": "BTC-USDT-SWAP", "instType": "SWAP", "uly": "BTC-USDT", "ctType": "linear", "ctVal": "0.01",
                "ctValCcy": "BTC", "ctMult": "1", "settleCcy": "USDT", "tickSz": "0.1", "lotSz": "0.01",
                "minSz": "0.01", "state": "live", "lever": "100", "baseCcy": "", "quoteCcy": "",
            }
        ],
    },
    "bitget": {
        "code": "00000",
        "data": [
            {
                "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "supportMarginCoins": ["USDT"],
                "symbolType": "perpetual", "symbolStatus": "normal", "minTradeNum": "0.001", "pricePlace": "1",
                "priceEndStep": "1", "volumePlace": "4", "sizeMultiplier": "0.0001", "makerFeeRate": "0.0002",
                "takerFeeRate": "0.0006", "minTradeUSDT": "5", "maxLever": "125", "minLever": "1",
            }
        ],
    },
    "gate": [
        {
            "name": "BTC_USDT", "type": "direct", "quanto_multiplier": "0.0001", "order_price_round": "0.1",
            "order_size_min": 1, "order_size_max": 1000000, "leverage_min": "1", "leverage_max": "100",
            "in_delisting": False, "enable_decimal": False, "mark_price_round": "0.01", "order_price_deviate": "0.5",
        }
    ],
    "binance": {
        "symbols": [
            {
                "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
                "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 1,
                "quantityPrecision": 3, "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
                "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
                "filters": [
                    {"filterType": "PRICE_FILTER", "tickSize": "0.10", "minPrice": "100", "maxPrice": "1000000"},
                    {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
                ],
            }
        ]
    },
}  # fmt: skip


LOADED: dict[tuple[str, bool], Any] = {}
"""Clients whose markets are shared by those that come after them."""


@dataclass
class Sent:
    """One request as it would have gone out."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the address or of a form, without what signs them."""
        text = self.body if isinstance(self.body, str) and "=" in self.body else urlsplit(self.url).query
        unsigned = {"signature", "timestamp", "recvWindow"}
        return {name: value[0] for name, value in parse_qs(text).items() if name not in unsigned}


@dataclass
class Wire:
    """A client of a profile whose requests end here."""

    profile: ExperimentalProfile
    demo: bool = False
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.profile.client(KEYS)
        self.client.password = "passphrase"
        self.client.nonce = lambda: NOW_MS
        if self.demo:
            self.profile.use_demo(self.client)
        self.client.fetch = self._fetch
        loaded = LOADED.setdefault((self.profile.name, self.demo), self.client)
        if loaded is self.client:
            self.client.load_markets()
        else:
            self.client.set_markets_from_exchange(loaded)
        self.sent.clear()

    def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        self.sent.append(Sent(method=method, url=url, headers=dict(headers or {}), body=body))
        if "productType=" in url and "productType=USDT-FUTURES" not in url:
            return {"code": "00000", "data": []}  # Bitget lists each kind of contract apart
        return MARKETS[self.profile.name]

    def carry_out(self, request: Request) -> Sent:
        """Let ccxt sign and send what a profile built."""
        getattr(self.client, request.method)(request.body)
        return self.sent[-1]
