"""The connections that carry requests: kept alive, verified, and never waiting for an answer without an end.

When a thousand bots have to move their take-profits at once, what they wait for is the interpreter. So a request leaves
in one call of the system and its answer is mostly taken in one more, because with each call a thread gives the
interpreter up for a moment; and the head of an answer is read by llhttp, through httptools, in a tenth of the time that
the standard library needs. What follows the head is told apart here, to the byte.

A timeout of a socket bounds the pause between two bytes, not the answer: a byte now and then would hold a bot's thread
for hours. Here the whole answer has its time, from the first byte of its head to the last of its body.
"""

import atexit
import functools
import re
import select
import socket
import ssl
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from httptools import HttpParserError, HttpResponseParser
from urllib3.util import wait_for_write

from blitz.exchange.trust import tls_context

IDLE_CONNECTIONS_MAX = 64
"""Kept open to one host."""
ANSWER_SECONDS = 16.0
"""The whole answer; the longest honest one, a venue's list of markets, is two megabytes."""
ANSWER_BYTES_MAX = 8 * 1_048_576
HEAD_BYTES_MAX = 65_536
"""The head of an answer; so much, too, of each line between its chunks, and of all that may come behind them."""
PIECE_BYTES = 65_536
"""Taken from the system at once: more than a TLS record has, so that nothing stays behind where no poll sees it."""
SIGNS_OF_LIFE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Bots that are told ask nothing for minutes. A router on the way forgets such a connection without a word, and the
first exit after the pause would wait in vain: so the system keeps it alive, or finds it dead, in seconds."""
PORTS = {"http": 80, "https": 443}

URL = re.compile(r"(https?)://([^/?#\x00-\x20\x7f]+)((?:[/?][!\"$-~]*)?)(?:#[!-~]*)?", re.IGNORECASE | re.ASCII)
"""Scheme, host with its port, target; the fragment is not sent. No blank or control; ASCII but for the host."""
HOST = re.compile(
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]+)(?P<zone>%[\w.~-]+)?\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
NAME_OF_HOST = re.compile(r"[\w.~-]+", re.ASCII)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a method or the name of a header may be."""
UNSENDABLE = re.compile(r"[^ -~\xa0-\xff]")
"""Controls, which would begin another line or another request, and what is not latin-1."""
SIZE_OF_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\x00]*)?\r\n")


class NotCarried(Exception):
    """Nothing came of a request that can be trusted. What the network itself reports is an `OSError`."""


class UnsendableRequest(NotCarried):
    """What was to be sent would not arrive as it was meant. Nothing of it has left the machine."""


class WreckedAnswer(NotCarried):
    """Something came that is no answer to what was asked, or that cannot be unpacked."""


class EndlessAnswer(NotCarried):
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
    `ssl.SSLError` among them, and `NotCarried`.
    """
    parts = URL.fullmatch(url)
    if parts is None:
        raise UnsendableRequest("no address that a request could go to")
    scheme, netloc, target = parts.groups()
    place = (scheme.lower(), netloc, pause_seconds)
    if not target.startswith("/"):
        target = f"/{target}"
    request = _head(method, target, _address(place[0], netloc).told, headers, body) + (body or b"")
    connection = _connection_to(place)
    try:
        connection.send(request)
        incoming = _Incoming(connection)
        head = _AnswerHead(incoming.until(b"\r\n\r\n"))
        carried = Carried(
            status=head.status,
            reason=head.reason,
            headers=head.headers,
            body=_unpacked(_body(method, head, incoming), head.headers),
        )
    except BaseException:  # whatever it was: the rest of this answer must not be read as the next one's
        connection.close()
        raise
    if head.will_close or incoming.has_more or len(_idle[place]) >= IDLE_CONNECTIONS_MAX:
        connection.close()
    else:
        _idle[place].append(connection)
    return carried


# ------------------------------------------------------------------------------------------- what is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where a connection goes."""

    host: str
    """For the resolver: a name in ASCII, or an address with its zone."""
    verified: str
    """What a certificate has to name."""
    port: int
    told: str
    """What the server is told in `Host`."""


@functools.lru_cache(maxsize=64)
def _address(scheme: str, netloc: str) -> _Address:
    """Raises `UnsendableRequest` when this names no host and port; users and passwords have no place in it."""
    parts = HOST.fullmatch(netloc)
    if parts is None:
        raise UnsendableRequest("no host that a request could go to")
    port = int(parts["port"] or PORTS[scheme])
    if parts["literal"]:
        name, zone, told = parts["literal"], parts["zone"] or "", f"[{parts['literal']}]"
    else:
        name, zone, told = _ascii(parts["name"]), "", _ascii(parts["name"])
    if port > 65_535:
        raise UnsendableRequest("no port that a request could go to")
    return _Address(
        host=name + zone, verified=name, port=port, told=told if port == PORTS[scheme] else f"{told}:{port}"
    )


def _ascii(host: str) -> str:
    """A host's name as resolvers and servers know it."""
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError as problem:
        raise UnsendableRequest("no name of a host") from problem
    if not NAME_OF_HOST.fullmatch(name):
        raise UnsendableRequest("no name of a host")
    return name


@functools.lru_cache(maxsize=256)
def _names(method: str, names: tuple[str, ...]) -> frozenset[str]:
    """The names of headers in lower case; there are few such sets. Raises `UnsendableRequest` for what is no word."""
    if not all(TOKEN.fullmatch(word) for word in (method, *names)):
        raise UnsendableRequest("the method or the name of a header is no word")
    given = frozenset(name.lower() for name in names)
    if given & {"content-length", "transfer-encoding"}:  # another length would make a second request of the rest
        raise UnsendableRequest("how long the body is is for us to say")
    return given


def _head(method: str, target: str, host: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The head of a request. Raises `UnsendableRequest` when something in it would not arrive as it was meant."""
    given = _names(method, tuple(headers))
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {host}")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    elif method in {"POST", "PUT", "PATCH"}:
        lines.append("Content-Length: 0")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    words = "".join(lines)
    if not (words.isascii() and words.isprintable()) and UNSENDABLE.search(words):
        raise UnsendableRequest("a control, or a letter that is not latin-1, in the head of a request")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# ------------------------------------------------------------------------------------------- what is received


class _AnswerHead:
    """What the first lines of an answer say, of which the parser tells."""

    __slots__ = ("headers", "is_whole", "reason", "status", "will_close")

    def __init__(self, head: bytes) -> None:
        """Raises `WreckedAnswer` when `head` is not the head of one answer."""
        self.headers: dict[str, str] = {}
        self.reason = ""
        self.is_whole = False
        parser = HttpResponseParser(self)
        try:
            parser.feed_data(head)
        except HttpParserError as problem:  # so for two lengths, and for a length of what comes in chunks
            raise WreckedAnswer(str(problem)) from problem
        self.status = parser.get_status_code()
        self.will_close = not parser.should_keep_alive()
        if not self.is_whole or not parser.get_http_version().startswith("1."):
            raise WreckedAnswer("no head of an answer")
        if self.status < 200:  # what it announces would be read as the next answer
            raise WreckedAnswer(f"an announcement, {self.status}, in place of an answer")

    # What httptools calls

    def on_status(self, reason: bytes) -> None:
        self.reason = reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        if key == "transfer-encoding" and key in self.headers:
            raise WreckedAnswer("packed into chunks twice")
        self.headers[key] = value.decode("latin-1").rstrip(" \t")

    def on_headers_complete(self) -> None:
        self.is_whole = True


class _Incoming:
    """The bytes of one answer as they come, all of them in time."""

    __slots__ = ("_connection", "_ends", "_held")

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._ends = time.monotonic() + ANSWER_SECONDS
        self._held = bytearray()

    @property
    def has_more(self) -> bool:
        """Whether something came that nobody took."""
        return bool(self._held)

    def until(self, mark: bytes) -> bytes:
        """All up to and with `mark`. Raises `WreckedAnswer` if that is too long or does not come."""
        looked = 0
        while (found := self._held.find(mark, looked, HEAD_BYTES_MAX)) < 0:
            if len(self._held) >= HEAD_BYTES_MAX:
                raise WreckedAnswer("a head or a line without an end")
            looked = max(0, len(self._held) - len(mark) + 1)
            self._receive()
        return self._taken(found + len(mark))

    def exactly(self, size: int) -> bytes:
        """As many bytes. Raises `WreckedAnswer` when the connection ends too soon."""
        while len(self._held) < size:
            self._receive()
        return self._taken(size)

    def rest(self) -> bytes:
        """All until the connection ends. Raises `EndlessAnswer`."""
        while len(self._held) <= ANSWER_BYTES_MAX:
            piece = self._connection.receive(self._ends)
            if not piece:
                return self._taken(len(self._held))
            self._held += piece
        raise EndlessAnswer

    def _receive(self) -> None:
        piece = self._connection.receive(self._ends)
        if not piece:
            raise WreckedAnswer("the connection ended too soon")
        self._held += piece

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def _body(method: str, head: _AnswerHead, incoming: _Incoming) -> bytes:
    """The whole body as it came. Raises `WreckedAnswer` and `EndlessAnswer`."""
    if method == "HEAD" or head.status in {204, 304}:
        return b""
    packing = head.headers.get("transfer-encoding")
    if packing is not None:
        if packing.lower() != "chunked":
            raise WreckedAnswer(f"transferred as {packing[:20]}")
        return _chunks(incoming)
    length = head.headers.get("content-length")
    if length is None:
        return incoming.rest()
    if int(length) > ANSWER_BYTES_MAX:
        raise EndlessAnswer
    return incoming.exactly(int(length))


def _chunks(incoming: _Incoming) -> bytes:
    """A body that comes in chunks, and what comes behind them."""
    body = bytearray()
    while size := _size_of_chunk(incoming.until(b"\r\n")):
        if len(body) + size > ANSWER_BYTES_MAX:
            raise EndlessAnswer
        body += incoming.exactly(size)
        if incoming.exactly(2) != b"\r\n":
            raise WreckedAnswer("a chunk that is longer than its size")
    behind = 0
    while (line := incoming.until(b"\r\n")) != b"\r\n":
        behind += len(line)
        if behind > HEAD_BYTES_MAX:
            raise WreckedAnswer("no end behind the chunks")
    return bytes(body)


def _size_of_chunk(line: bytes) -> int:
    size = SIZE_OF_CHUNK.fullmatch(line)
    if size is None:
        raise WreckedAnswer("a chunk without a size")
    return int(size[1], 16)


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


# ------------------------------------------------------------------------------------------- connections


class _Connection:
    """An open one, for one thread at a time. Its socket never blocks: a timeout of Python's asks before each call."""

    __slots__ = ("_can_read", "_pause", "sock")

    def __init__(self, place: "Place") -> None:
        """Connect. Raises `OSError`."""
        scheme, netloc, self._pause = place
        address = _address(scheme, netloc)
        self.sock: socket.socket = socket.create_connection((address.host, address.port), timeout=self._pause)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in SIGNS_OF_LIFE.items():
                if hasattr(socket, name):  # not every system knows all of them
                    self.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            if scheme == "https":
                self.sock = tls_context().wrap_socket(self.sock, server_hostname=address.verified)
            self.sock.setblocking(False)
        except BaseException:  # whatever it was: nobody else would close it
            self.sock.close()
            raise
        self._can_read = _readiness(self.sock)

    def send(self, request: bytes) -> None:
        """Send it whole. Raises `TimeoutError` and other kinds of `OSError`."""
        ends = time.monotonic() + self._pause
        while request := request[self._sent(request) :]:  # once around for all but the longest
            left = ends - time.monotonic()
            if left <= 0 or not wait_for_write(self.sock, left):
                raise TimeoutError("the request is not taken in time")

    def _sent(self, request: bytes) -> int:
        try:
            return self.sock.send(request)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0

    def receive(self, ends: float) -> bytes:
        """The next bytes, none at the end. Raises `TimeoutError` after a pause, or when it is `ends`; and `OSError`."""
        while True:
            left = min(self._pause, ends - time.monotonic())
            if left <= 0 or not self._can_read(left):
                raise TimeoutError("the answer is not complete in time")
            try:
                return self.sock.recv(PIECE_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):  # TLS talked of its own affairs, or had half a record
                continue

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for, not even a farewell."""
        return not self._can_read(0.0)

    def close(self) -> None:
        self.sock.close()


def _readiness(sock: socket.socket) -> Callable[[float], bool]:
    """What says whether there is something to read, after as many seconds at most."""
    if not hasattr(select, "poll"):  # Windows
        return lambda seconds: bool(select.select([sock], [], [], seconds)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return lambda seconds: bool(poll.poll(seconds * 1000))


Place = tuple[str, str, float]
"""Scheme, host, and the longest pause in seconds."""
_idle: defaultdict[Place, deque[_Connection]] = defaultdict(deque)
"""Connections that wait for a request, the one used last at the end. Threads need no lock here: appending and popping
are whole operations of the interpreter."""


@atexit.register
def close_idle() -> None:
    """End the connections that wait for a request."""
    for idle in list(_idle.values()):
        while idle:
            idle.pop().close()


def _connection_to(place: Place) -> _Connection:
    """One that is open, or a new one. What has anything to say unasked is closed, or says farewell."""
    idle = _idle[place]
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another thread was quicker
            break
        if connection.is_quiet():
            return connection
        connection.close()
    return _Connection(place)
