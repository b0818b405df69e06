"""The one door through which every request of every venue leaves.

Clients are cheap because they share one HTTP session. Redirects are off: a signed request must never follow one.
"""

import functools
from collections.abc import Mapping, Sequence

import ccxt
import requests
from requests.adapters import HTTPAdapter

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.exchange.passage import Passage

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
    """Mixed into each venue's ccxt class, before it: whatever ccxt sends passes `fetch2`, and then `fetch`."""

    passage: Passage | None = None
    """The way through the venue's turnstile; a client without one is a tool's or a test's own."""

    def fetch2(
        self,
        path: str,
        api: Sequence[str] = ("public",),
        method: str = "GET",
        params: object = None,
        config: object = None,
    ) -> object:
        """Wait for a turn, then sign and send one request. Raises `NoTurn` besides what ccxt raises."""
        if self.passage is None:
            return super().fetch2(path, api, method, params or {}, config or {})
        with self.passage.turn(path, api, method):
            return super().fetch2(path, api, method, params or {}, config or {})

    def on_rest_response(
        self, code: int, reason: str, url: str, method: str, headers: Mapping[str, str], body: str, *request: object
    ) -> str:
        """Hear what the answer says of limits before anybody reads it; ccxt calls this for every answer."""
        if self.passage is not None:
            self.passage.heard(code, headers, body)
        answered: str = super().on_rest_response(code, reason, url, method, headers, body, *request)
        return answered

    def fetch(self, url: str, method: str = "GET", headers: object = None, body: object = None) -> object:
        """Send one request and wait for its answer."""
        return super().fetch(url, method, headers, body)


def client_config(credentials: Credentials | None) -> dict[str, object]:
    """What every venue's client is built with."""
    config: dict[str, object] = {
        "session": shared_session(),
        "timeout": TIMEOUT_MS,
        # ccxt's throttle knows of one client only; requests are paced by the budget of the whole process.
        "enableRateLimit": False,
    }
    if credentials is not None:
        config |= {"apiKey": credentials.api_key, "secret": credentials.api_secret}
    return config


def ready(client: OneDoor, clock: Clock) -> None:
    """What every venue's client is told after it is built: numbers stay texts, time is the venue's, no currencies."""
    client.number = str
    client.nonce = clock.now_ms
    client.has["fetchCurrencies"] = False
