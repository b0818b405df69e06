"""Builds ccxt clients: unmodified ccxt classes, our settings.

Clients are cheap because they share one market table and one HTTP session per venue. Redirects are off: a signed
request must never follow one. Nothing here decides anything about orders.
"""

import functools

import ccxt
import requests
from requests.adapters import HTTPAdapter

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import Mode
from blitz.exchange.connection import Venue

TIMEOUT_MS = 8_000
POOL_CONNECTIONS_MAX = 64


@functools.cache
def shared_session() -> requests.Session:
    """One HTTP session for everybody: thousands of clients, one TLS context and one connection pool per host."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    adapter = HTTPAdapter(pool_connections=16, pool_maxsize=POOL_CONNECTIONS_MAX)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def bybit_client(venue: Venue, clock: Clock, credentials: Credentials | None = None) -> ccxt.bybit:
    """A Bybit client for `venue`, signing with `clock`'s time.

    The account options are given beforehand, so that no order waits for two questions about the account type.
    """
    config: dict[str, object] = {
        "session": shared_session(),
        "timeout": TIMEOUT_MS,
        # The paper exchange is on this machine; a real venue is paced by ccxt's own throttle.
        "enableRateLimit": venue.mode is not Mode.PAPER,
        "options": {
            "defaultType": "swap",
            "fetchMarkets": {"types": ["linear"]},
            "enableUnifiedMargin": False,
            "enableUnifiedAccount": True,
            "unifiedMarginStatus": 5,
        },
    }
    if venue.base_url:
        config["urls"] = {"api": dict.fromkeys(("public", "private", "spot", "futures", "v2"), venue.base_url)}
    if credentials is not None:
        config |= {"apiKey": credentials.api_key, "secret": credentials.api_secret}
    client = ccxt.bybit(config)
    client.number = str
    client.has["fetchCurrencies"] = False
    if venue.mode is Mode.DEMO:
        client.enable_demo_trading(True)
    client.nonce = clock.now_ms
    return client
