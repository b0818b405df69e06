"""What differs between the two exchanges around a handler: how a request is read, checked, counted and answered.

The gate (`rest.py`) runs every request the same way and asks a `Dialect` for these things. `bybit/dialect.py` and
`bingx/dialect.py` are the two.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from blitz.paper.engine import HouseName, VenueRefusal
from blitz.paper.wire.calls import Route
from blitz.paper.wire.faults import FaultKind
from blitz.paper.wire.limits import Allowance
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject

SecretOf = Callable[[str], str | None]


class MissingAuthentication(Exception):
    """A signed endpoint was called without any authentication. Bybit answers it with HTTP 401."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as received: raw payload for the signature, parameters for the handler (empty when unreadable)."""

    route: Route
    payload: bytes
    params: Params
    key: str
    headers: Mapping[str, str]
    symbol: str = ""
    """The engine's name of the market it is about, for fault rules."""


class Dialect(Protocol):
    """One exchange's manners."""

    house: HouseName

    def route(self, method: str, path: str) -> Route | None:
        """The endpoint, if there is one."""

    async def read(self, request: web.BaseRequest, route: Route) -> Incoming:
        """Take key, payload and parameters from a request."""

    def authenticate(self, incoming: Incoming, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
        """Refuse a request that is not signed and timed as the exchange demands."""

    def parameters(self, incoming: Incoming) -> Params:
        """The parameters once more, now refusing those that cannot be read."""

    def counted_as(self, route: Route) -> str:
        """The endpoint as the rate limits name it."""

    def limit_headers(self, allowance: Allowance) -> dict[str, str]:
        """The headers that say what is left of a window."""

    def too_many(self, allowance: Allowance) -> VenueRefusal:
        """The refusal of a user who asks too often."""

    def success(self, route: Route, result: Any, now_ms: int) -> JsonObject | None:
        """The envelope of a granted request; None for an answer without a body."""

    def refusal(self, no: VenueRefusal, now_ms: int) -> JsonObject:
        """The envelope of a refused request, with the exchange's own code."""

    def injected(self, code: int, message: str) -> VenueRefusal:
        """The refusal a fault rule asks for; without a message, with the code's usual one."""

    def shortened(self, answer: JsonObject, fault: FaultKind) -> JsonObject:
        """A list answer with rows missing and nothing that says so. Other answers stay as they are."""
