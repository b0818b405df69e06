"""The connections that carry requests: kept alive, verified, and never waiting for an answer without an end.

The standard library speaks the HTTP. Libraries on top of it call the system ten times per request, and with each call
a thread gives up the interpreter for a moment; when a thousand bots have to move their take-profits at once, that is
what they wait for. Here it is half as many.

A timeout of a socket bounds the pause between two bytes, not the answer: a byte now and then would hold a bot's thread
for hours. Here the whole answer has its time, from the first byte of its head to the last of its body.
"""

import atexit
import http.client
import io
import socket
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

from blitz.exchange.trust import tls_context

IDLE_CONNECTIONS_MAX = 64
"""Kept open to one host."""
ANSWER_SECONDS = 16.0
"""The whole answer; the longest honest one, a venue's list of markets, is two megabytes."""
ANSWER_BYTES_MAX = 8 * 1_048_576
SIGNS_OF_LIFE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Bots that are told ask nothing for minutes. A router on the way forgets such a connection without a word, and the
first exit after the pause would wait in vain: so the system keeps it alive, or finds it dead, in seconds."""


class WreckedAnswer(http.client.HTTPException):
    """Something came that is no answer to what was asked, or that cannot be unpacked."""


class EndlessAnswer(http.client.HTTPException):
    """The answer is longer than any honest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An answer, whatever it says."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Unpacked."""


def carry(method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, pause_seconds: float) -> Carried:
    """Send one request, once, to an absolute `url`. Redirects are not followed; the environment's proxies are not ours.

    Neither connecting nor the next byte may take longer than `pause_seconds`. Raises `OSError`, `TimeoutError` and
    `ssl.SSLError` among them, and `http.client.HTTPException`.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    place = (parts.scheme, parts.netloc, pause_seconds)
    connection = _connection_to(place)
    try:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        if answer.status < 200:  # the library knows of 100 alone: another one's answer would be read as the next one's
            raise WreckedAnswer(f"an announcement, {answer.status}, in place of an answer")
        told = {name.lower(): value for name, value in answer.getheaders()}
        carried = Carried(status=answer.status, reason=answer.reason, headers=told, body=_unpacked(_read(answer), told))
    except BaseException:  # whatever it was: the rest of this answer must not be read as the next one's
        connection.close()
        raise
    if answer.will_close or len(_idle[place]) >= IDLE_CONNECTIONS_MAX:
        connection.close()
    else:
        _idle[place].append(connection)
    return carried


class _InTime(io.RawIOBase):
    """What a socket receives, until the time is over."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._pause_max = sock.gettimeout() or ANSWER_SECONDS
        self._pause = self._pause_max
        self._ends = time.monotonic() + ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer is not complete in time")
        if left < self._pause:
            self._pause = left
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if self._pause != self._pause_max:
            self._sock.settimeout(self._pause_max)
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose head and body have to come in time."""

    def __init__(self, sock: socket.socket, *rest: Any, **more: Any) -> None:
        super().__init__(sock, *rest, **more)
        buffered: Any = self.fp
        self.fp = io.BufferedReader(_InTime(buffered.detach(), sock))

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError("a chunk of less than nothing")  # the library makes a cut answer of it
        return size


class _Plain(http.client.HTTPConnection):
    """Head and body of a request leave together, as one packet and one call of the system."""

    response_class = _Answer
    _pieces: list[bytes] | None = None

    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in SIGNS_OF_LIFE.items():
            if hasattr(socket, name):  # not every system knows all of them
                self.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def request(self, *words: Any, **options: Any) -> None:
        """Send a request. A connection that was never made is made first."""
        if self.sock is None:
            self.connect()
        pieces: list[bytes] = []
        self._pieces = pieces
        try:
            super().request(*words, **options)
        finally:
            self._pieces = None
        self.send(b"".join(pieces))

    def send(self, data: Any) -> None:
        """Keep what belongs to the request that is being put together; send anything else."""
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)


class _Secure(_Plain, http.client.HTTPSConnection):
    """The same over TLS."""


Place = tuple[str, str, float]
"""Scheme, host, and the longest pause in seconds."""
_idle: defaultdict[Place, deque[_Plain]] = defaultdict(deque)
"""Connections that wait for a request, the one used last at the end. Threads need no lock here: appending and popping
are whole operations of the interpreter."""


@atexit.register
def close_idle() -> None:
    """End the connections that wait for a request."""
    for idle in list(_idle.values()):
        while idle:
            idle.pop().close()


def _connection_to(place: Place) -> _Plain:
    """One that is open, or a new one that will be. What has anything to say unasked is closed, or says farewell."""
    idle = _idle[place]
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another thread was quicker
            break
        if not wait_for_read(connection.sock, timeout=0.0):
            return connection
        connection.close()
    scheme, host, pause_seconds = place
    if scheme == "https":
        return _Secure(host, timeout=pause_seconds, context=tls_context())
    return _Plain(host, timeout=pause_seconds)


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The whole body as it came. Raises `IncompleteRead` when the connection ended too soon."""
    if answer.length is None:  # in chunks, or until the connection ends
        body = answer.read(ANSWER_BYTES_MAX + 1)
    elif answer.length > ANSWER_BYTES_MAX:
        raise EndlessAnswer
    else:
        body = answer.read()
    if len(body) > ANSWER_BYTES_MAX:
        raise EndlessAnswer
    answer.close()
    return body


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    packing = headers.get("content-encoding", "identity").lower()
    if packing == "identity" or not body:
        return body
    if packing not in {"gzip", "deflate"}:
        raise WreckedAnswer(f"packed as {packing[:20]}")
    # Some send deflate without its head, whose four lowest bits are 8.
    is_bare = packing == "deflate" and body[0] & 0x0F != 8
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS if is_bare else zlib.MAX_WBITS | 32)  # 32: the head of either kind
    try:
        whole = unpacker.decompress(body, ANSWER_BYTES_MAX + 1)
    except zlib.error as problem:
        raise WreckedAnswer(str(problem)) from problem
    if len(whole) > ANSWER_BYTES_MAX:
        raise EndlessAnswer
    if not unpacker.eof or unpacker.unused_data:
        raise WreckedAnswer("the packed body ends too soon, or too late")
    return whole
