"""Bybit's manners: parameters in query or JSON body, four signed headers, `retCode` in every answer."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from blitz.paper.engine import HouseName, VenueRefusal
from blitz.paper.wire.bybit.envelope import message_of, refusal, success
from blitz.paper.wire.bybit.routes import ROUTES
from blitz.paper.wire.bybit.signing import SignedHeaders, check_request
from blitz.paper.wire.calls import Route
from blitz.paper.wire.dialect import Incoming, SecretOf
from blitz.paper.wire.faults import FaultKind
from blitz.paper.wire.limits import Allowance
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject


class BybitDialect:
    """Bybit V5."""

    house = HouseName.BYBIT

    def route(self, method: str, path: str) -> Route | None:
        """The endpoint, if there is one."""
        return ROUTES.get((method, path))

    async def read(self, request: web.BaseRequest, route: Route) -> Incoming:
        """Take query or body, whichever the method carries."""
        payload = await request.read() if route.method == "POST" else _raw_query(request)
        try:
            params = Params.from_body(payload) if route.method == "POST" else Params.from_query(payload.decode())
        except (VenueRefusal, UnicodeDecodeError):
            # `parameters` parses again and refuses; a fault filter only needs to survive until then.
            params = Params({})
        return Incoming(
            route=route, payload=payload, params=params, key=request.headers.get("X-BAPI-API-KEY", ""),
            headers=request.headers, symbol=params.text("symbol"),
        )  # fmt: skip

    def authenticate(self, incoming: Incoming, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
        """Check the four headers: key 10003, time 10002, signature 10004. Raises `MissingAuthentication` without."""
        check_request(SignedHeaders.read(incoming.headers), incoming.payload, secret_of, now_ms)

    def parameters(self, incoming: Incoming) -> Params:
        """Parse a body once more, now refusing (10001) one that is no JSON object."""
        return Params.from_body(incoming.payload) if incoming.route.method == "POST" else incoming.params

    def counted_as(self, route: Route) -> str:
        """A path has one method, so it names the endpoint."""
        return route.path

    def limit_headers(self, allowance: Allowance) -> dict[str, str]:
        """The three X-Bapi-Limit headers."""
        return allowance.headers()

    def too_many(self, _allowance: Allowance) -> VenueRefusal:
        """10006."""
        return VenueRefusal(10006, message_of(10006))

    def success(self, _route: Route, result: Any, now_ms: int) -> JsonObject:
        """The envelope with retCode 0."""
        return success(result, now_ms)

    def refusal(self, no: VenueRefusal, now_ms: int) -> JsonObject:
        """The envelope with the code: the engine's codes are Bybit's."""
        return refusal(no.code, no.message, now_ms)

    def injected(self, code: int, message: str) -> VenueRefusal:
        """The refusal a fault rule asks for."""
        return VenueRefusal(code, message or message_of(code))

    def shortened(self, answer: JsonObject, fault: FaultKind) -> JsonObject:
        """Cut `result.list`, and let the cursor say that this was the last page."""
        result = answer["result"]
        rows = result.get("list")
        if not isinstance(rows, list):
            return answer
        kept = [] if fault is FaultKind.EMPTY_LIST else rows[: len(rows) // 2]
        cursor = {"nextPageCursor": ""} if "nextPageCursor" in result else {}
        return {**answer, "result": {**result, "list": kept, **cursor}}


def _raw_query(request: web.BaseRequest) -> bytes:
    # Exactly as received: a decoded and re-encoded query would hash differently.
    return request.raw_path.partition("?")[2].encode()
