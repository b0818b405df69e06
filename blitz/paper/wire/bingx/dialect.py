"""BingX's manners: every parameter in the query, a signed and timed query, HTTP 200 and a `code` in every answer."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from blitz.paper.engine import HouseName, VenueRefusal
from blitz.paper.wire.bingx.envelope import code_of, message_of, refusal, success
from blitz.paper.wire.bingx.listen_keys import ListenKeys
from blitz.paper.wire.bingx.routes import ROUTES
from blitz.paper.wire.bingx.signing import WRONG_KEY, check_request
from blitz.paper.wire.bingx.symbols import in_the_engine
from blitz.paper.wire.calls import Route
from blitz.paper.wire.dialect import Incoming, SecretOf
from blitz.paper.wire.faults import FaultKind
from blitz.paper.wire.limits import Allowance
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject

LISTS = ("orders", "fill_orders", "fill_history_orders")


class BingxDialect:
    """BingX perpetual futures."""

    house = HouseName.BINGX

    def __init__(self, listen_keys: ListenKeys) -> None:
        own = {(route.method, route.path): route for route in listen_keys.routes()}
        self._routes = {**ROUTES, **own}

    def route(self, method: str, path: str) -> Route | None:
        """The endpoint, if there is one."""
        return self._routes.get((method, path))

    async def read(self, request: web.BaseRequest, route: Route) -> Incoming:
        """Take the query as it was received: a decoded and encoded one would not prove anything. No body counts."""
        query = request.raw_path.partition("?")[2]
        params = Params.from_query(query)
        return Incoming(
            route=route, payload=query.encode(), params=params, key=request.headers.get("X-BX-APIKEY", ""),
            headers=request.headers, symbol=in_the_engine(params.text("symbol")),
        )  # fmt: skip

    def authenticate(self, incoming: Incoming, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
        """Check key, signature and time of the query; where the key alone opens, the key alone."""
        if not incoming.route.bare:
            check_request(incoming.key, incoming.payload, secret_of, now_ms)
        elif secret_of(incoming.key) is None:
            raise VenueRefusal(WRONG_KEY, message_of(WRONG_KEY))

    def parameters(self, incoming: Incoming) -> Params:
        """A query can always be read."""
        return incoming.params

    def counted_as(self, route: Route) -> str:
        """One path serves several methods, each with limits of its own."""
        return f"{route.method} {route.path}"

    def limit_headers(self, allowance: Allowance) -> dict[str, str]:
        """The two X-RateLimit headers."""
        return allowance.bingx_headers()

    def too_many(self, allowance: Allowance) -> VenueRefusal:
        """100410, with the moment until which the endpoint stays closed."""
        text = f"code:100410:over 1 error code occur in 1s, please unblock after {allowance.reset_at_ms}"
        return VenueRefusal(100410, text)

    def success(self, route: Route, result: Any, _now_ms: int) -> JsonObject | None:
        """The envelope with code 0; a bare answer as it is."""
        return result if route.bare else success(result)

    def refusal(self, no: VenueRefusal, _now_ms: int) -> JsonObject:
        """The envelope with BingX's number for the engine's reason."""
        return refusal(no)

    def injected(self, code: int, message: str) -> VenueRefusal:
        """The refusal a fault rule asks for; a number of Bybit's means the same thing here."""
        own = code_of(code)
        return VenueRefusal(own, message or message_of(own))

    def shortened(self, answer: JsonObject, fault: FaultKind) -> JsonObject:
        """Cut `data`, or the list in it."""
        data = answer.get("data")
        if isinstance(data, list):
            return {**answer, "data": _cut(data, fault)}
        name = next((name for name in LISTS if isinstance(data, dict) and isinstance(data.get(name), list)), None)
        if name is None or not isinstance(data, dict):
            return answer
        kept = _cut(data[name], fault)
        total = {"total": len(kept)} if "total" in data else {}
        return {**answer, "data": {**data, name: kept, **total}}


def _cut(rows: list[Any], fault: FaultKind) -> list[Any]:
    return [] if fault is FaultKind.EMPTY_LIST else rows[: len(rows) // 2]
