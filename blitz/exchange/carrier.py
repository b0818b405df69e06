"""The connections that carry requests: kept alive, verified, and never waiting for an answer without an end.

A timeout of a socket bounds the pause between two bytes, not the answer: a byte now and then would hold a bot's thread
for hours. Here the whole answer has its time, from the first byte of its head to the last of its body.
"""

import functools
import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from blitz.exchange.trust import tls_context

POOL_CONNECTIONS_MAX = 64
ANSWER_SECONDS = 16.0
"""The whole answer; the longest honest one, a venue's list of markets, is two megabytes."""
SIGNS_OF_LIFE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Bots that are told ask nothing for minutes. A router on the way forgets such a connection without a word, and the
first exit after the pause would wait in vain: so the system keeps it alive, or finds it dead, in seconds."""


class _InTime(io.RawIOBase):
    """What a socket receives, until the time is over."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._pause_max = sock.gettimeout()
        self._ends = time.monotonic() + ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer is not complete in time")
        self._sock.settimeout(left if self._pause_max is None else min(left, self._pause_max))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose head and body have to come in time."""

    def __init__(self, sock: socket.socket, *rest: Any, **more: Any) -> None:
        super().__init__(sock, *rest, **more)
        buffered: Any = self.fp
        self.fp = io.BufferedReader(_InTime(buffered.detach(), sock))


class _SentWhole:
    """Mixed into a connection: head and body of a request leave together, as one packet and one call of the system."""

    _pieces: list[bytes] | None = None

    def request(self, *words: Any, **options: Any) -> None:
        """Send a request. A connection that was never made, or has ended, is made first."""
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()  # type: ignore[attr-defined]
        pieces: list[bytes] = []
        self._pieces = pieces
        try:
            super().request(*words, **options)  # type: ignore[misc]
        finally:
            self._pieces = None
        self.send(b"".join(pieces))

    def send(self, data: Any) -> None:
        """Keep what belongs to the request that is being put together; send anything else."""
        if self._pieces is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._pieces.append(data)


class _Plain(_SentWhole, HTTPConnection):
    response_class = _Answer


class _Secure(_SentWhole, HTTPSConnection):
    response_class = _Answer


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


ONCE = urllib3.Retry(total=False, redirect=False)
"""Nothing is sent a second time, and no redirect is followed."""


def connections_to(url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
    """The connections to the host of an absolute `url`, and what to ask for there."""
    path = url.find("/", url.index("//") + 2)
    base, target = (url, "/") if path < 0 else (url[:path], url[path:])
    return _connections_to(base), target


@functools.lru_cache(maxsize=64)
def _connections_to(base: str) -> urllib3.HTTPConnectionPool:
    return shared_pool().connection_from_url(base)


@functools.cache
def shared_pool() -> urllib3.PoolManager:
    """The connections of all clients. Proxies that the environment names are none of ours."""
    options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in SIGNS_OF_LIFE.items():
        if hasattr(socket, name):  # not every system knows all of them
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    pool = urllib3.PoolManager(
        num_pools=16, maxsize=POOL_CONNECTIONS_MAX, ssl_context=tls_context(), socket_options=options
    )
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return pool
