"""The one door through which every request of every venue leaves.

ccxt builds, signs and reads requests; what carries them is ours, because the usual carrier costs three times the CPU
and keeps every answer alive. All clients share one pool of connections and one TLS context. Redirects are off: a signed
request must never follow one. Nothing is ever sent a second time by itself.
"""

import functools
import ssl
from collections.abc import Mapping, Sequence
from types import FunctionType

import ccxt
import requests

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.exchange.carrier import EndlessAnswer, NotCarried, carry
from blitz.exchange.passage import Passage

TIMEOUT_MS = 8_000


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

    def fetch(
        self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> object:
        """Send one request, once, and read its answer as ccxt does. Raises what ccxt raises."""
        sent = self.prepare_request_headers(headers)
        status, reason, told, text = self._carried(url, method, sent, body)
        text = self.on_rest_response(status, reason, url, method, told, text, sent, body)
        answer = self.parse_json(text)
        handled = self.handle_errors(status, reason, url, method, told, text, answer, sent, body)
        if status >= 400:
            if not handled:
                self.handle_http_status_code(status, reason, url, method, text)
            raise ccxt.ExchangeError(f"{self.id} {method} {url} {status}")
        return text if answer is None else answer

    def _carried(
        self, url: str, method: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[int, str, Mapping[str, str], str]:
        """Status, reason, headers and text of the answer."""
        details = f"{self.id} {method} {url}"
        try:
            answer = carry(method, url, headers, body.encode() if body else None, pause_seconds=self.timeout / 1000)
        except TimeoutError as problem:
            raise ccxt.RequestTimeout(details) from problem
        except ssl.SSLCertVerificationError as problem:
            raise ccxt.ExchangeError(details) from problem
        except EndlessAnswer as problem:
            raise ccxt.ExchangeError(f"{details} answered without an end") from problem
        except (NotCarried, OSError) as problem:
            raise ccxt.NetworkError(details) from problem
        return answer.status, answer.reason, answer.headers, answer.body.decode("utf-8", "replace")


def kind_of(pattern: OneDoor) -> type[OneDoor]:
    """A class of clients like `pattern`: what it holds belongs to the class, and each client only to what it changes.

    ccxt gives every client 160 attributes, 140 KiB in all, that are the same for everybody on a venue.
    """
    shared = {
        name: staticmethod(value) if isinstance(value, FunctionType) else value for name, value in vars(pattern).items()
    }
    return type(type(pattern).__name__, (type(pattern),), shared)


def client_of(kind: type[OneDoor], clock: Clock, credentials: Credentials | None) -> OneDoor:
    """One more client of this kind, signing with `clock`'s time."""
    client = kind.__new__(kind)  # all that ccxt would set up stands in the class
    client.apiKey = credentials.api_key if credentials else ""
    client.secret = credentials.api_secret if credentials else ""
    client.nonce = clock.now_ms
    return client


@functools.cache
def _no_session() -> requests.Session:
    """ccxt makes a session for each client unless it is given one; ours never carries a request."""
    return requests.Session()


def client_config(credentials: Credentials | None) -> dict[str, object]:
    """What every venue's client is built with."""
    config: dict[str, object] = {
        "session": _no_session(),
        "timeout": TIMEOUT_MS,
        # ccxt's throttle knows of one client only; requests are paced by the budget of the whole process.
        "enableRateLimit": False,
        # Kept with each client, the last answers would be most of what a bot costs.
        "enableLastHttpResponse": False,
        "enableLastJsonResponse": False,
        "enableLastResponseHeaders": False,
    }
    if credentials is not None:
        config |= {"apiKey": credentials.api_key, "secret": credentials.api_secret}
    return config


def ready(client: OneDoor, clock: Clock) -> None:
    """What every venue's client is told after it is built: numbers stay texts, time is the venue's, no currencies."""
    client.number = str
    client.nonce = clock.now_ms
    client.has["fetchCurrencies"] = False
