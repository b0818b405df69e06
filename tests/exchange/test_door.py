"""The door: what a broken or hostile server does to a request is an unknown answer, soon, and nothing else."""

import datetime
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import ccxt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from blitz.clock import SystemClock
from blitz.core.calls import Unknown
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange import carrier
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.profiles import PROFILES

FINE = {"retCode": 0}
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"retCode":0}'
Script = Callable[[socket.socket], None]


@contextmanager
def server(
    script: Script, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[tuple[str, list[bytes]]]:
    """Takes connections; reads each request and answers as `script` does. Gives its address and the requests."""
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        try:
            with connection if context is None else context.wrap_socket(connection, server_side=True) as talk:
                while head := talk.recv(65_536):
                    asked.append(head)
                    script(talk)
        except OSError:
            pass  # the client has left

    def take() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    family, named = (socket.AF_INET6, f"[{host}]") if ":" in host else (socket.AF_INET, host)
    with socket.create_server((host, 0), family=family) as listening:
        threading.Thread(target=take, daemon=True).start()
        yield f"http{'s' if context else ''}://{named}:{listening.getsockname()[1]}", asked
        listening.shutdown(socket.SHUT_RDWR)


def ask(url: str, path: str = "/v5/order/create?signature=s3cret") -> Any:
    venue = Venue(exchange=ExchangeName.BYBIT, mode=Mode.PAPER, base_url=url)
    return Clients().client(venue, SystemClock()).fetch(url + path)


def says(answer: bytes) -> Script:
    return lambda talk: talk.sendall(answer)


def drips(head: bytes, drop: bytes) -> Script:
    def drip(talk: socket.socket) -> None:
        talk.sendall(head)
        for _ in range(200):
            talk.sendall(drop)
            time.sleep(0.05)

    return drip


DRIPS = {
    "head": drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
    "chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "size of a chunk": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_holds_nobody_for_long(monkeypatch, script):
    monkeypatch.setattr(carrier, "ANSWER_SECONDS", 0.5)
    began = time.monotonic()
    with server(script) as (url, _), pytest.raises(ccxt.RequestTimeout):
        ask(url)
    assert time.monotonic() - began < 3


def packed(body: bytes, how: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: {how}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
WRECKS = {
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP": b"\x00\x01\x02\r\n\r\n",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    "chunk of less than nothing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "announcement": b"HTTP/1.1 103 Early Hints\r\nLink: </v5>\r\n\r\n",
    "nothing": b"",
    "cut head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    "another HTTP": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": LENGTH + b"Content-Length: 3\r\n\r\n{} ",
    "length of less than nothing": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "length and chunks": CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and length": LENGTH + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks in chunks": CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "packed on the way": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunk without a size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "chunk of more than nothing": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunk of garbage": CHUNKED + b"2 2\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "chunk without its end": CHUNKED + b"2\r\n{}--0\r\n\r\n",
    "no last chunk": CHUNKED + b"2\r\n{}\r\n",
    "no end behind the last chunk": CHUNKED + b"2\r\n{}\r\n0\r\nX-Sum: 1\r\n",
    "two gzips": packed(gzip.compress(b"{}", mtime=0) * 2, "gzip"),
    "unknown packing": packed(b"{}", "br"),
}


@pytest.mark.parametrize("answer", WRECKS.values(), ids=WRECKS)
def test_an_answer_that_is_wrecked_is_unknown_and_the_next_one_is_read(answer):
    answers, hung_up = [answer, OK], threading.Event()

    def one_each(talk: socket.socket) -> None:
        talk.sendall(answers.pop(0))
        if answers:
            talk.shutdown(socket.SHUT_RDWR)
            hung_up.set()

    with server(one_each) as (url, asked):
        with pytest.raises(ccxt.NetworkError):
            ask(url)
        assert len(asked) == 1, "a request went out a second time by itself"
        assert hung_up.wait(5), "an answer may be read before its connection ends"
        assert ask(url) == FINE


def test_more_than_was_promised_is_no_answer_to_the_next_request():
    """Left over in the connection, it would be read as the answer to whatever is asked next, perhaps by another."""
    answers = [OK + b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"retCode":1}', OK]
    with server(lambda talk: talk.sendall(answers.pop(0))) as (url, _):
        assert ask(url) == FINE
        assert ask(url) == FINE


def test_what_comes_behind_an_answer_is_no_answer_to_the_next_request():
    """It lies in the connection by then, and not in what was read with the first answer."""
    surplus, sent = [b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"retCode":1}'], threading.Event()

    def late(talk: socket.socket) -> None:
        talk.sendall(OK)
        if surplus:
            time.sleep(0.1)
            talk.sendall(surplus.pop())
            sent.set()

    with server(late) as (url, _):
        assert ask(url) == FINE
        assert sent.wait(5)
        assert ask(url) == FINE


def test_a_connection_that_the_server_has_ended_is_not_used_again():
    ended = threading.Event()

    def farewell(talk: socket.socket) -> None:
        talk.sendall(OK)
        talk.shutdown(socket.SHUT_RDWR)
        ended.set()

    with server(farewell) as (url, _):
        assert ask(url) == FINE
        assert ended.wait(5)
        assert ask(url) == FINE


def test_a_redirect_is_never_followed():
    with server(says(OK)) as (elsewhere, followed):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}/v5\r\nContent-Length: 0\r\n\r\n".encode()
        with server(says(moved)) as (url, _):
            assert not isinstance(ask(url), dict)
        assert not followed


def test_packed_and_odd_text_is_read(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # of a proxy that the environment names we know nothing
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    body = gzip.compress(b'{"retCode": 0, "said": "\xff"}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with server(says(head + body)) as (url, _):
        assert ask(url) == {"retCode": 0, "said": "\ufffd"}


@pytest.mark.parametrize("body", [zlib.compress(b'{"retCode":0}'), zlib.compress(b'{"retCode":0}', wbits=-15)])
def test_deflate_is_read_with_its_head_and_without(body):
    with server(says(packed(body, "deflate"))) as (url, _):
        assert ask(url) == FINE


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's context whose certificate names the right address and nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def test_a_certificate_nobody_vouches_for_gets_no_request(tmp_path):
    with server(says(OK), self_signed(tmp_path)) as (url, asked):
        with pytest.raises(ccxt.BaseError) as refused:
            ask(url)
        assert "CERTIFICATE_VERIFY_FAILED" in repr(refused.value.__cause__)
        assert not asked


def test_a_connection_that_idles_is_kept_alive():
    """Bots that are told ask nothing for minutes; what forgets idle connections must not swallow the next exit."""
    with server(says(OK)) as (url, _):
        ask(url)
        [connection] = carrier._idle["http", url.removeprefix("http://"), 8.0]
        assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 30
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_a_trader_is_told_of_a_failure_names_no_address():
    """At BingX the address of a signed request holds its signature."""
    for answer in WRECKS.values():

        def wreck(talk: socket.socket, answer: bytes = answer) -> None:
            talk.sendall(answer)
            talk.shutdown(socket.SHUT_RDWR)

        with server(wreck) as (url, _):
            told = PROFILES[ExchangeName.BINGX].envelope.asked(partial(ask, url))
        assert isinstance(told, Unknown)
        assert "s3cret" not in told.reason
