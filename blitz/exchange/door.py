"""The one door through which every request of every venue leaves.

Clients are cheap because they share one HTTP session. Redirects are off: a signed request must never follow one.
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


class OneDoor(ccxt.Exchange):  # type: ignore[misc]
    """Mixed into each venue's ccxt class, before it: whatever ccxt sends passes `fetch`."""

    def fetch(self, url: str, method: str = "GET", headers: object = None, body: object = None) -> object:
        """Send one request and wait for its answer."""
        return super().fetch(url, method, headers, body)


def client_config(venue: Venue, credentials: Credentials | None) -> dict[str, object]:
    """What every venue's client is built with."""
    config: dict[str, object] = {
        "session": shared_session(),
        "timeout": TIMEOUT_MS,
        # The paper exchange is on this machine; a real venue is paced by ccxt's own throttle.
        "enableRateLimit": venue.mode is not Mode.PAPER,
    }
    if credentials is not None:
        config |= {"apiKey": credentials.api_key, "secret": credentials.api_secret}
    return config


def ready(client: OneDoor, clock: Clock) -> None:
    """What every venue's client is told after it is built: numbers stay texts, time is the venue's, no currencies."""
    client.number = str
    client.nonce = clock.now_ms
    client.has["fetchCurrencies"] = False
