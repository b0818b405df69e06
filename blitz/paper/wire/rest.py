"""The REST side: one request from raw bytes to answer, with limits, faults, signature and saving in their order.

Order: address limit, faults before the venue, signature and time, user limit, handler (which saves), faults after
the venue, answer, events. What differs between the exchanges it asks a `Dialect`; each has a gate of its own.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from aiohttp import web

from blitz.paper.engine import VenueEvent, VenueRefusal
from blitz.paper.wire.calls import Call, Route
from blitz.paper.wire.dialect import Dialect, Incoming, MissingAuthentication
from blitz.paper.wire.faults import FaultKind, FaultRule
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject, encode

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
INSIDE = frozenset({FaultKind.HALF_REPLACE})
NO_AUTHENTICATION = 10007
NOT_PERMITTED = 10005
HUGE_BODY_BYTES = 16 * 1_048_576
GARBAGE = b"<html><body>upstream sent too big header</body></html>"
EVENT_LEAD_MS = 50
"""How far events run ahead of the answer when a rule names no delay."""


@dataclass(slots=True)
class Outcome:
    """An answer on its way out (None: no body), and the events that go with it."""

    answer: JsonObject | None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    events: list[VenueEvent] = field(default_factory=list)


class RestGate:
    """Answers the REST requests of one exchange."""

    def __init__(self, host: VenueHost, dialect: Dialect) -> None:
        self._host = host
        self._dialect = dialect
        self._limits = host.limits_of(dialect.house)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. Unknown paths are HTTP 404, a closed address HTTP 403 or 418."""
        host, dialect = self._host, self._dialect
        if not self._limits.admit_address(request.remote or "", host.clock.wall_ms(), request.path):
            status = self._limits.table.ban_status
            return web.Response(status=status, text=f"{status}, access too frequent")
        route = dialect.route(request.method, request.path)
        if route is None:
            return web.Response(status=404, text="404 page not found")
        try:
            incoming = await dialect.read(request, route)
        except ConnectionResetError:
            # A client that was killed between head and body of its request: nothing was asked, nobody is there to tell.
            log.debug("the client left before its request was whole")
            return web.Response(status=400)
        if route.changes:
            host.stopwatch.asked(incoming.key, route.names)
        before = host.faults.strike(BEFORE, incoming.key, route.names, incoming.symbol)
        if before is not None:
            early = await self._fail_before(request, before)
            if early is not None:
                return early
        outcome = self.run(incoming)
        after = host.faults.strike(AFTER, incoming.key, route.names, incoming.symbol)
        return await self._deliver(request, outcome, after)

    def run(self, incoming: Incoming) -> Outcome:
        """Check and perform one request. Never waits, so nothing comes between its parts."""
        host, dialect, route = self._host, self._dialect, incoming.route
        headers: dict[str, str] = {}
        try:
            if route.signed:
                dialect.authenticate(incoming, self.secret_of, host.clock.signing_times_ms())
                allowance = self._limits.count(incoming.key, dialect.counted_as(route), host.clock.wall_ms())
                headers = dialect.limit_headers(allowance)
                if not allowance.granted:
                    raise dialect.too_many(allowance)
                self._check_rights(incoming)
            return self.perform(route, incoming.key, dialect.parameters(incoming), headers, incoming.symbol)
        except MissingAuthentication:
            no = dialect.injected(NO_AUTHENTICATION, "")
            return Outcome(dialect.refusal(no, host.clock.now_ms()), status=401)
        except VenueRefusal as no:
            return Outcome(dialect.refusal(no, host.clock.now_ms()), headers=headers)

    def perform(self, route: Route, key: str, params: Params, headers: dict[str, str], symbol: str = "") -> Outcome:
        """Run a checked request and save what it changed. Raises `VenueRefusal`."""
        host = self._host
        now_ms = host.clock.now_ms()
        account = host.venue.account(key) if route.signed else None
        view = None
        if account is not None and not route.changes:
            view = host.view(account, route.names, symbol)
        fault = host.faults.strike(INSIDE, key, route.names, symbol) if route.halves else None
        call = Call(venue=host.venue, params=params, now_ms=now_ms, key=key, view=view, fault=fault)
        try:
            answer = self._dialect.success(route, route.answer(call), now_ms)
        except VenueRefusal:
            # A refusal may still end something else (an order that was just cancelled for it), so events count.
            host.publish(host.settle())
            raise
        return Outcome(answer, headers=headers, events=host.settle() if route.changes else [])

    def _check_rights(self, incoming: Incoming) -> None:
        """Refuse a change by a key that may only read."""
        account = self._host.venue.account(incoming.key)
        if incoming.route.changes and account is not None and account.key_facts.read_only:
            raise self._dialect.injected(NOT_PERMITTED, "")

    def secret_of(self, key: str) -> str | None:
        """The secret behind a key, if the key exists at this exchange."""
        account = self._host.venue.account(key)
        return None if account is None or account.house.name is not self._dialect.house else account.secret

    async def _fail_before(self, request: web.BaseRequest, rule: FaultRule) -> web.StreamResponse | None:
        """Apply a fault that comes before the venue. None when the request goes on, late."""
        await asyncio.sleep(rule.delay_ms / 1000)
        match rule.fault:
            case FaultKind.DROP_REQUEST:
                return _break(request)
            case FaultKind.HTTP_STATUS:
                return web.Response(status=rule.status, body=GARBAGE, content_type="text/html")
            case FaultKind.RET_CODE:
                no = self._dialect.injected(rule.code, rule.message)
                return _json(encode(self._dialect.refusal(no, self._host.clock.now_ms())), 200, {})
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
                    outcome.answer = outcome.answer and self._dialect.shortened(outcome.answer, fault.fault)
        response = _json(encode(outcome.answer) if outcome.answer is not None else b"", outcome.status, outcome.headers)
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


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def _break(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
