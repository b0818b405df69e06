"""The three websocket paths: reads frames, answers ops (auth, subscribe, ping, order entry), keeps links in order.

Reply forms differ between the paths as on the venue: the public pong is a `ping` with success, the private one a
`pong`; the trade socket answers with `retCode`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.bybit.envelope import message_of
from blitz.paper.wire.bybit.routes import ROUTES
from blitz.paper.wire.bybit.signing import DEFAULT_RECV_WINDOW_MS, check_socket, check_time
from blitz.paper.wire.bybit.streams.private import PrivateStreams
from blitz.paper.wire.bybit.streams.public import PublicStreams
from blitz.paper.wire.faults import FaultKind
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.params import Params, parse_object
from blitz.paper.wire.rest import RestGate
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.departures import Departures
from blitz.paper.wire.text import JsonObject

log = logging.getLogger(__name__)

SUBSCRIBE_ARGS_MAX = 21_000
TRADE_PATHS = {"order.create": "/v5/order/create", "order.amend": "/v5/order/amend", "order.cancel": "/v5/order/cancel"}
RET_CODE = frozenset({FaultKind.RET_CODE})
LOSING = frozenset({FaultKind.DROP_REQUEST, FaultKind.DROP_RESPONSE})
Answerer = Callable[[Connection, JsonObject], None]


class Sockets:
    """Accepts websocket links and answers their frames."""

    def __init__(self, host: VenueHost, gate: RestGate) -> None:
        self._host = host
        self._gate = gate
        self.public = PublicStreams(host)
        self.private = PrivateStreams(host)
        self._departures = Departures()
        self._open: dict[Connection, None] = {}
        self._answerers: dict[str, Answerer] = {
            "/v5/public/linear": self._answer_public,
            "/v5/private": self._answer_private,
            "/v5/trade": self._answer_trade,
        }
        host.attach(self.private)
        host.attach(self.public)

    def serves(self, path: str) -> bool:
        """Whether a path is one of the websockets."""
        return path in self._answerers

    async def accept(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one link until it closes. HTTP 403 for an address that opened too many of late."""
        if not self._host.limits.admit_socket(request.remote or "", self._host.clock.wall_ms()):
            return web.Response(status=403, text="403, too many connections")
        connection = Connection(self._departures)
        answer = self._answerers[request.path]
        writer = await connection.open(request)
        self._open[connection] = None
        try:
            async for frame in connection.socket:
                if frame.type is WSMsgType.TEXT:
                    self._read(connection, frame.data, answer)
        except TimeoutError:
            log.debug("%s was silent for too long", connection.identity)
        finally:
            self._open.pop(connection, None)
            self.public.forget(connection)
            self.private.forget(connection)
            connection.finish()
            await writer
        return connection.socket

    async def close(self) -> None:
        """Close every link: the server stops."""
        await asyncio.gather(*(connection.close() for connection in self._open), return_exceptions=True)

    def _read(self, connection: Connection, text: str, answer: Answerer) -> None:
        try:
            message = parse_object(text)
        except VenueRefusal as no:
            connection.send({"success": False, "ret_msg": no.message, "conn_id": connection.identity, "op": ""})
            return
        answer(connection, message)

    # -- public
    def _answer_public(self, connection: Connection, message: JsonObject) -> None:
        match message.get("op"):
            case "ping":
                connection.send(_reply(connection, message, ret_msg="pong"))
            case "subscribe":
                self._subscribe(connection, message, self.public)
            case "unsubscribe":
                for name in _topics(message):
                    self.public.unsubscribe(connection, name)
                connection.send(_reply(connection, message))
            case _:
                connection.send(_reply(connection, message, success=False, ret_msg="error:op is not supported"))

    # -- private
    def _answer_private(self, connection: Connection, message: JsonObject) -> None:
        match message.get("op"):
            case "ping":
                connection.send(self._pong(connection, message))
            case "auth":
                self._authenticate(connection, message)
            case "subscribe" if connection.key:
                self._subscribe(connection, message, self.private)
            case "subscribe":
                connection.send(_reply(connection, message, success=False, ret_msg="Request not authorized"))
            case "unsubscribe":
                for name in _topics(message):
                    connection.topics.pop(name, None)
                connection.send(_reply(connection, message))
            case _:
                connection.send(_reply(connection, message, success=False, ret_msg="error:op is not supported"))

    def _authenticate(self, connection: Connection, message: JsonObject) -> None:
        refused = self._check_auth(message)
        if refused is None:
            self.private.admit(connection, _arguments(message)[0])
            connection.send(_reply(connection, message))
        else:
            connection.send(_reply(connection, message, success=False, ret_msg=refused.message))

    def _check_auth(self, message: JsonObject) -> VenueRefusal | None:
        arguments = _arguments(message)
        if len(arguments) != 3:
            return VenueRefusal(10001, "Params error")
        try:
            key, expires, signature = arguments
            check_socket(key, expires, signature, self._gate.secret_of, self._host.clock.signing_times_ms())
        except VenueRefusal as no:
            return no
        return None

    def _pong(self, connection: Connection, message: JsonObject) -> JsonObject:
        moment = [str(self._host.clock.now_ms())]
        return {"req_id": message.get("req_id", ""), "op": "pong", "args": moment, "conn_id": connection.identity}

    # -- order entry
    def _answer_trade(self, connection: Connection, message: JsonObject) -> None:
        op = str(message.get("op"))
        if op == "ping":
            connection.send({**self._pong(connection, message), "retCode": 0, "retMsg": ""})
        elif op == "auth":
            refused = self._check_auth(message)
            if refused is None:
                connection.key = _arguments(message)[0]
            connection.send(_trade_reply(connection, message, refused))
        elif op not in TRADE_PATHS:
            connection.send(_trade_reply(connection, message, VenueRefusal(10404, "op type is not found")))
        elif not connection.key:
            connection.send(_trade_reply(connection, message, VenueRefusal(10003, "not authorized")))
        else:
            self._trade(connection, message, TRADE_PATHS[op])

    def _trade(self, connection: Connection, message: JsonObject, path: str) -> None:
        host = self._host
        losing = host.faults.strike(LOSING, connection.key, path)
        if losing is not None and losing.fault is FaultKind.DROP_REQUEST:
            connection.abort()
            return
        events, data, refused = [], {}, None
        try:
            self._check_trade(connection, message, path)
            outcome = self._gate.perform(ROUTES[("POST", path)], connection.key, _order_arguments(message), {})
            events, data = outcome.events, (outcome.answer or {})["result"]
        except VenueRefusal as no:
            refused = no
        if losing is not None:
            connection.abort()
        else:
            connection.send(_trade_reply(connection, message, refused, data))
        host.publish(events)

    def _check_trade(self, connection: Connection, message: JsonObject, path: str) -> None:
        host = self._host
        injected = host.faults.strike(RET_CODE, connection.key, path)
        if injected is not None:
            raise VenueRefusal(injected.code, injected.message or message_of(injected.code))
        header = message.get("header")
        stamps = Params.from_object(header if isinstance(header, dict) else {})
        window = stamps.text("X-BAPI-RECV-WINDOW", str(DEFAULT_RECV_WINDOW_MS))
        check_time(stamps.text("X-BAPI-TIMESTAMP"), window, host.clock.signing_times_ms())
        if not host.limits.count(connection.key, path, host.clock.wall_ms()).granted:
            raise VenueRefusal(10006, message_of(10006))

    def _subscribe(self, connection: Connection, message: JsonObject, streams: PublicStreams | PrivateStreams) -> None:
        names = _topics(message)
        if sum(map(len, names)) > SUBSCRIBE_ARGS_MAX:
            connection.send(_reply(connection, message, success=False, ret_msg="error:args is too long"))
            return
        # One unknown topic fails the whole request, as on the venue; the ack comes before the first snapshot.
        unknown = next((name for name in names if not streams.knows(name)), None)
        if unknown is not None:
            text = f"error:handler not found,topic:{unknown}"
            connection.send(_reply(connection, message, success=False, ret_msg=text))
            return
        connection.send(_reply(connection, message))
        for name in names:
            streams.subscribe(connection, name)


def _reply(connection: Connection, message: JsonObject, *, success: bool = True, ret_msg: str = "") -> JsonObject:
    reply = {"success": success, "ret_msg": ret_msg, "conn_id": connection.identity}
    return {**reply, "req_id": str(message.get("req_id", "")), "op": message.get("op", "")}


def _trade_reply(
    connection: Connection, message: JsonObject, refused: VenueRefusal | None, data: JsonObject | None = None
) -> JsonObject:
    return {
        "reqId": message.get("reqId") or message.get("req_id") or "",
        "retCode": 0 if refused is None else refused.code,
        "retMsg": "OK" if refused is None else refused.message,
        "op": message.get("op", ""),
        "data": data or {},
        "retExtInfo": {},
        "connId": connection.identity,
    }


def _arguments(message: JsonObject) -> list[str]:
    arguments = message.get("args")
    return [str(argument) for argument in arguments] if isinstance(arguments, list) else []


def _topics(message: JsonObject) -> list[str]:
    return _arguments(message)


def _order_arguments(message: JsonObject) -> Params:
    arguments: Any = message.get("args")
    if not isinstance(arguments, list) or len(arguments) != 1:
        raise VenueRefusal(10001, "params error: args must hold one order")
    return Params.from_object(arguments[0])
