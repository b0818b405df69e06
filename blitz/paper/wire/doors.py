"""The doors of the one venue: Bybit's below `/v5/`, BingX's below `/openApi/` and at `/swap-market`."""

import asyncio

from aiohttp import web

from blitz.paper.wire.bingx.dialect import BingxDialect
from blitz.paper.wire.bingx.listen_keys import ListenKeys
from blitz.paper.wire.bingx.streams.sockets import BingxSockets
from blitz.paper.wire.bybit.dialect import BybitDialect
from blitz.paper.wire.bybit.streams.sockets import Sockets
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.rest import RestGate

BINGX_PREFIX = "/openApi/"


class Doors:
    """Sends a request to the part that answers its path, and looks after the links of both exchanges."""

    def __init__(self, host: VenueHost) -> None:
        listen_keys = ListenKeys(host.clock.now_ms)
        self._bybit = RestGate(host, BybitDialect())
        self._bingx = RestGate(host, BingxDialect(listen_keys))
        self._bybit_sockets = Sockets(host, self._bybit)
        self._bingx_sockets = BingxSockets(host, listen_keys)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client. Paths of nobody are Bybit's 404."""
        if self._bybit_sockets.serves(request.path):
            return await self._bybit_sockets.accept(request)
        if self._bingx_sockets.serves(request.path):
            return await self._bingx_sockets.accept(request)
        gate = self._bingx if request.path.startswith(BINGX_PREFIX) else self._bybit
        return await gate.answer(request)

    def break_links(self, account: str) -> int:
        """Break an account's private links, or all; returns how many."""
        streams = (self._bybit_sockets.private, self._bingx_sockets.private)
        return sum(links.break_links(account) for links in streams)

    def expire_listen_keys(self, account: str) -> int:
        """End an account's listen keys, or all; returns how many."""
        return self._bingx_sockets.expire_listen_keys(account)

    async def keep_alive(self) -> None:
        """What BingX's links need by the second, for as long as the server runs."""
        await self._bingx_sockets.keep_alive()

    async def close(self) -> None:
        """Close every link: the server stops."""
        await asyncio.gather(self._bybit_sockets.close(), self._bingx_sockets.close())
