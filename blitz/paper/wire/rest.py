"""The REST side: one request from raw bytes to answer, with limits, faults, signature and saving in their order.

Order: address limit, faults before the venue, signature and time, user limit, handler (which saves), faults after
the venue, answer, events. Called by the server for every path below `/v5/`.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from aiohttp import web

from blitz.paper.engine import VenueEvent, VenueRefusal
from blitz.paper.wire.bybit.envelope import JsonObject, encode, message_of, refusal, success
from blitz.paper.wire.bybit.routes import ROUTES, Route
from blitz.paper.wire.bybit.signing import MissingAuthentication, SignedHeaders, check_request
from blitz.paper.wire.calls import Call
from blitz.paper.wire.faults import FaultKind, FaultRule
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.params import Params

log = logging.getLogger(__name__)

BEFORE = frozenset({FaultKind.DROP_REQUEST, FaultKind.DELAY_DELIVERY, FaultKind.HTTP_STATUS, FaultKind.RET_CODE})
AFTER = frozenset(
    {
        FaultKind.DROP_RESPONSE,
        FaultKind.DELAY_RESPONSE,
        FaultKind.EMPTY_BODY,
        FaultKind.GARBAGE_BODY,
        FaultKind.HUGE_BODY,
        FaultKind.EMPTY_LIST,
        FaultKind.TRUNCATED_PAGE,
        FaultKind.EVENT_BEFORE_REPLY,
    }
)
HUGE_BODY_BYTES = 16 * 1_048_576
GARBAGE = b"<html><body>upstream sent too big header</body></html>"
EVENT_LEAD_MS = 50
"""How far events run ahead of the answer when a rule names no delay."""


@dataclass(slots=True)
class Outcome:
    """An answer on its way out, and the events that go with it."""

    answer: JsonObject
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    events: list[VenueEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as received: raw payload for the signature, parameters for the handler (empty when unreadable)."""

    route: Route
    payload: bytes
    params: Params
    key: str

    @classmethod
    async def read(cls, request: web.BaseRequest, route: Route) -> "Incoming":
        """Take query or body, whichever the method carries."""
        payload = await request.read() if route.method == "POST" else _raw_query(request)
        try:
            params = Params.from_body(payload) if route.method == "POST" else Params.from_query(payload.decode())
        except (VenueRefusal, UnicodeDecodeError):
            # The handler phase parses again and refuses; a fault filter only needs to survive until then.
            params = Params({})
        return cls(route=route, payload=payload, params=params, key=request.headers.get("X-BAPI-API-KEY", ""))


class RestGate:
    """Answers REST requests of the venue."""

    def __init__(self, host: VenueHost) -> None:
        self._host = host

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Unknown paths are HTTP 404, a closed address HTTP 403."""
        host = self._host
        if not host.limits.admit_address(request.remote or "", host.clock.wall_ms(), request.path):
            status = host.limits.table.ban_status
            return web.Response(status=status, text=f"{status}, access too frequent")
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return web.Response(status=404, text="404 page not found")
        try:
            incoming = await Incoming.read(request, route)
        except ConnectionResetError:
            # A client that was killed between head and body of its request: nothing was asked, nobody is there to tell.
            log.debug("the client left before its request was whole")
            return web.Response(status=400)
        before = host.faults.strike(BEFORE, incoming.key, route.path, incoming.params.text("symbol"))
        if before is not None:
            early = await self._fail_before(request, before)
            if early is not None:
                return early
        outcome = self.run(request, incoming)
        after = host.faults.strike(AFTER, incoming.key, route.path, incoming.params.text("symbol"))
        return await self._deliver(request, outcome, after)

    def run(self, request: web.BaseRequest, incoming: Incoming) -> Outcome:
        """Check and perform one request. Never waits, so nothing comes between its parts."""
        host, route = self._host, incoming.route
        headers: dict[str, str] = {}
        try:
            if route.signed:
                signed = SignedHeaders.read(request.headers)
                check_request(signed, incoming.payload, self.secret_of, host.clock.signing_times_ms())
                allowance = host.limits.count(incoming.key, route.path, host.clock.wall_ms())
                headers = allowance.headers()
                if not allowance.granted:
                    raise VenueRefusal(10006, message_of(10006))
            params = Params.from_body(incoming.payload) if route.method == "POST" else incoming.params
            return self.perform(route, incoming.key, params, headers)
        except MissingAuthentication:
            return Outcome(refusal(10007, message_of(10007), host.clock.now_ms()), status=401)
        except VenueRefusal as no:
            return Outcome(refusal(no.code, no.message, host.clock.now_ms()), headers=headers)

    def perform(self, route: Route, key: str, params: Params, headers: dict[str, str]) -> Outcome:
        """Run a checked request and save what it changed. Raises `VenueRefusal`."""
        host = self._host
        now_ms = host.clock.now_ms()
        account = host.venue.account(key) if route.signed else None
        view = None
        if account is not None and not route.changes:
            view = host.view(account, route.path, params.text("symbol"))
        call = Call(venue=host.venue, params=params, now_ms=now_ms, key=key, view=view)
        try:
            answer = success(route.answer(call), now_ms)
        except VenueRefusal:
            # A refusal may still end something else (an order that was just cancelled for it), so events count.
            host.publish(host.settle())
            raise
        return Outcome(answer, headers=headers, events=host.settle() if route.changes else [])

    def secret_of(self, key: str) -> str | None:
        """The secret behind a key, if the key exists."""
        account = self._host.venue.account(key)
        return None if account is None else account.secret

    async def _fail_before(self, request: web.BaseRequest, rule: FaultRule) -> web.StreamResponse | None:
        """Apply a fault that comes before the venue. None when the request goes on, late."""
        await asyncio.sleep(rule.delay_ms / 1000)
        match rule.fault:
            case FaultKind.DROP_REQUEST:
                return _break(request)
            case FaultKind.HTTP_STATUS:
                return web.Response(status=rule.status, body=GARBAGE, content_type="text/html")
            case FaultKind.RET_CODE:
                message = rule.message or message_of(rule.code)
                return _json(encode(refusal(rule.code, message, self._host.clock.now_ms())), 200, {})
            case _:
                return None

    async def _deliver(self, request: web.BaseRequest, outcome: Outcome, fault: FaultRule | None) -> web.StreamResponse:
        """Send the answer, then the events; or, under a fault, something else."""
        if fault is not None:
            # The venue has acted: its events do not wait for an answer that is late or never comes.
            self._host.publish(outcome.events)
            outcome.events = []
            default_ms = EVENT_LEAD_MS if fault.fault is FaultKind.EVENT_BEFORE_REPLY else 0
            await asyncio.sleep((fault.delay_ms or default_ms) / 1000)
            match fault.fault:
                case FaultKind.DROP_RESPONSE:
                    return _break(request)
                case FaultKind.EMPTY_BODY:
                    return _json(b"", 200, outcome.headers)
                case FaultKind.GARBAGE_BODY:
                    return _json(GARBAGE, 200, outcome.headers)
                case FaultKind.HUGE_BODY:
                    return _json(b" " * HUGE_BODY_BYTES, 200, outcome.headers)
                case FaultKind.EMPTY_LIST | FaultKind.TRUNCATED_PAGE:
                    outcome.answer = _shortened(outcome.answer, fault.fault)
        response = _json(encode(outcome.answer), outcome.status, outcome.headers)
        if not outcome.events:
            return response
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionResetError:
            log.debug("the client left before its answer")
        finally:
            self._host.publish(outcome.events)
        return response


def _shortened(answer: JsonObject, fault: FaultKind) -> JsonObject:
    """A list answer with rows missing and nothing that says so. Other answers stay as they are."""
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


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def _break(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
