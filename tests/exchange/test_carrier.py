"""The carrier: what it sends, to the byte, what it never sends, and which connections it uses again."""

import select
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import ccxt
import pytest

from blitz.exchange import carrier
from blitz.exchange.carrier import Carried, EndlessAnswer, NotCarried, UnsendableRequest, WreckedAnswer, carry
from blitz.exchange.trust import tls_context
from tests.exchange.test_door import CHUNKED, FINE, OK, Script, ask, drips, says, self_signed, server

BODY = b'{"retCode":0}'


def get(url: str, method: str = "GET", pause_seconds: float = 5.0) -> Carried:
    return carry(method, f"{url}/v5", {}, None, pause_seconds=pause_seconds)


class Talks:
    """Answers each request with the next of the answers, the last one for ever, and knows its connections."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.met: list[socket.socket] = []

    def __call__(self, talk: socket.socket) -> None:
        if talk not in self.met:
            self.met.append(talk)
        talk.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def ends_after(answer: bytes) -> Script:
    def end(talk: socket.socket) -> None:
        talk.sendall(answer)
        talk.shutdown(socket.SHUT_RDWR)

    return end


@pytest.fixture
def unasked() -> Iterator[str]:
    """An address to which nobody may even connect."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


# What is sent


def test_a_request_leaves_whole_and_says_what_it_must():
    with server(says(OK)) as (url, asked):
        carry("POST", f"{url}/v5/a?b=%20#c", {"X-Key": "k\xe9y", "Content-Type": "a/b"}, b"{}\r\n", pause_seconds=5.0)
    host = url.removeprefix("http://").encode()
    assert asked == [
        b"POST /v5/a?b=%20 HTTP/1.1\r\nHost: " + host + b"\r\nAccept-Encoding: identity\r\nContent-Length: 4\r\n"
        b"X-Key: k\xe9y\r\nContent-Type: a/b\r\n\r\n{}\r\n"
    ]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, b""),
        ("DELETE", None, b""),
        ("POST", None, b"Content-Length: 0\r\n"),
        ("PUT", None, b"Content-Length: 0\r\n"),
        ("PATCH", None, b"Content-Length: 0\r\n"),
        ("GET", b"", b"Content-Length: 0\r\n"),
    ],
)
def test_a_request_without_a_body_says_so_where_one_is_expected(method, body, length):
    with server(says(OK)) as (url, asked):
        carry(method, url, {"host": "elsewhere", "accept-encoding": "gzip"}, body, pause_seconds=5.0)
    start = f"{method} / HTTP/1.1\r\n".encode()
    assert asked == [start + length + b"host: elsewhere\r\naccept-encoding: gzip\r\n\r\n"]


UNSENDABLE = {
    "another request in the target": ("GET", "/v5 HTTP/1.1\r\nX: 1\r\n\r\nGET /", {}),
    "line feed in the target": ("GET", "/v5\n", {}),
    "tab in the target": ("GET", "/\tv5", {}),
    "blank in the target": ("GET", "/v5 6", {}),
    "no ASCII in the target": ("GET", "/v\xe9", {}),
    "a letter like k in the target": ("GET", "/\u212a", {}),
    "control in the fragment": ("GET", "/v5#\r\n", {}),
    "another line in the method": ("GET / HTTP/1.1\r\nX: 1\r\n\r\nGET", "/", {}),
    "blank in the method": ("GET /", "/", {}),
    "no method": ("", "/", {}),
    "another line in a name": ("GET", "/", {"X: 1\r\nY": "1"}),
    "colon in a name": ("GET", "/", {"X:": "1"}),
    "no name": ("GET", "/", {"": "1"}),
    "no ASCII in a name": ("GET", "/", {"\xe9": "1"}),
    "another line in a value": ("GET", "/", {"X": "1\r\nY: 2"}),
    "folded value": ("GET", "/", {"X": "1\r\n 2"}),
    "carriage return in a value": ("GET", "/", {"X": "1\r"}),
    "line feed in a value": ("GET", "/", {"X": "\n1"}),
    "NUL in a value": ("GET", "/", {"X": "\0"}),
    "DEL in a value": ("GET", "/", {"X": "\x7f"}),
    "next line in a value": ("GET", "/", {"X": "\x85"}),
    "no latin-1 in a value": ("GET", "/", {"X": "\u20ac"}),
    "a length of its own": ("GET", "/", {"content-length": "5"}),
    "chunks of its own": ("GET", "/", {"Transfer-Encoding": "chunked"}),
}


@pytest.mark.parametrize(("method", "target", "headers"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_would_not_arrive_as_it_was_meant_does_not_leave(unasked, method, target, headers):
    with pytest.raises(UnsendableRequest) as refused:
        carry(method, unasked + target, headers, None, pause_seconds=5.0)
    assert "v5" not in str(refused.value)


def test_what_does_not_leave_is_a_failure_of_the_network_to_those_who_asked(unasked):
    with pytest.raises(ccxt.NetworkError):
        ask(unasked, "/v5/order/create?signature=s3cret\r\nX: 1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1:{}/",
        "http\u017f://127.0.0.1:{}/",
        "127.0.0.1:{}",
        "http:///v5",
        "http://user@127.0.0.1:{}/",
        "http://user:word@127.0.0.1:{}/",
        "http://127.0.0.1:{}0000/",
        "http://127.0.0.1:99999/?{}",
        "http://127.0.0.1:-{}/",
        "http://127.0.0.1:a/?{}",
        "http://127.0.0.1 :{}/",
        "http://127.0.0.1\r\n:{}/",
        "http://::1:{}/",
        "http://[::1/?{}",
        "http://a..b:{}/",
        "http://%s:{}/" % ("a" * 64),
        "http://\u2100:{}/",
        "http://a\\b:{}/",
    ],
)
def test_what_names_no_host_is_asked_nothing(unasked, url):
    with pytest.raises(UnsendableRequest):
        carry("GET", url.format(unasked.rpartition(":")[2]), {}, None, pause_seconds=5.0)


@pytest.mark.parametrize(
    ("scheme", "netloc", "host", "port", "told"),
    [
        ("http", "api.bybit.com", "api.bybit.com", 80, "api.bybit.com"),
        ("https", "api.bybit.com", "api.bybit.com", 443, "api.bybit.com"),
        ("https", "api.bybit.com:", "api.bybit.com", 443, "api.bybit.com"),
        ("https", "api.bybit.com:443", "api.bybit.com", 443, "api.bybit.com"),
        ("http", "api.bybit.com:443", "api.bybit.com", 443, "api.bybit.com:443"),
        ("http", "b\xfccher.example:8000", "xn--bcher-kva.example", 8000, "xn--bcher-kva.example:8000"),
        ("http", "paper_exchange:8001", "paper_exchange", 8001, "paper_exchange:8001"),
        ("https", "[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]"),
        ("http", "[::1]:8001", "::1", 8001, "[::1]:8001"),
    ],
)
def test_a_host_is_named_as_resolvers_and_servers_know_it(scheme, netloc, host, port, told):
    address = carrier._address(scheme, netloc)
    assert (address.host, address.verified, address.port, address.told) == (host, host, port, told)


def test_the_zone_of_an_address_is_for_this_machine_alone():
    address = carrier._address("http", "[fe80::1%eth0]:8001")
    assert (address.host, address.verified, address.told) == ("fe80::1%eth0", "fe80::1", "[fe80::1]:8001")


def test_a_request_goes_to_an_address_of_the_sixth_version():
    with server(says(OK), host="::1") as (url, asked):
        assert url.startswith("http://[::1]:")
        assert get(url).body == BODY
    assert f"\r\nHost: {url.removeprefix('http://')}\r\n".encode() in asked[0]


def test_a_long_request_to_a_slow_reader_arrives_whole():
    body, read = b"0123456789" * 1_000_000, bytearray()

    def slow(talk: socket.socket) -> None:
        while len(read) < len(body) - 65_536:
            time.sleep(0.001)
            read.extend(talk.recv(262_144))
        talk.settimeout(0.3)
        try:
            while piece := talk.recv(262_144):
                read.extend(piece)
        except TimeoutError:
            talk.settimeout(None)
        talk.sendall(OK)

    with server(slow) as (url, asked):
        assert carry("POST", url, {}, body, pause_seconds=5.0).body == BODY
    assert (asked[0] + read).partition(b"\r\n\r\n")[2] == body


def test_a_request_that_is_not_taken_holds_nobody_for_long():
    began = time.monotonic()
    with server(lambda talk: time.sleep(1.5)) as (url, _), pytest.raises(TimeoutError):
        carry("POST", url, {}, bytes(20_000_000), pause_seconds=0.3)
    assert time.monotonic() - began < 1.2


# What is received


def test_silence_holds_nobody_for_longer_than_a_pause():
    began = time.monotonic()
    with server(lambda talk: time.sleep(2)) as (url, _), pytest.raises(TimeoutError):
        get(url, pause_seconds=0.3)
    assert time.monotonic() - began < 1.5


TOO_MUCH = {
    "a line of the head": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000,
    "a head that ends": b"HTTP/1.1 200 OK\r\n" + b"X-Long: 12345678\r\n" * 4_000 + b"Content-Length: 2\r\n\r\n{}",
    "the size of a chunk": CHUNKED + b"1;" + b"x" * 70_000,
    "lines behind the chunks": CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X-Sum: 123456\r\n" * 5_000,
}


@pytest.mark.parametrize("answer", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_around_a_body_has_an_end_or_is_not_waited_for(answer):
    answers = [answer, OK]
    with server(lambda talk: talk.sendall(answers.pop(0))) as (url, asked):
        with pytest.raises(WreckedAnswer):
            get(url)
        assert len(asked) == 1
        assert get(url).body == BODY


def test_a_head_that_ends_too_late_is_refused_however_it_comes():
    def halting(talk: socket.socket) -> None:
        talk.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Long: 12345678\r\n" * 3_500)
        time.sleep(0.2)
        talk.sendall(b"X-Long: 12345678\r\n" * 500 + b"Content-Length: 2\r\n\r\n{}")

    with server(halting) as (url, _), pytest.raises(WreckedAnswer):
        get(url)


def test_an_answer_says_what_it_said():
    head = b"HTTP/1.1 404 Not \xe9 Found\r\nX-One: a\r\nX-ONE: c\xe9\r\nX-Two:  a b \t\r\nX-Empty:\r\n"
    answer = head + b"Content-Length: 2\r\n\r\n{}"
    with server(says(answer)) as (url, _):
        told = get(url)
    assert (told.status, told.reason, told.body) == (404, "Not \xe9 Found", b"{}")
    assert told.headers == {"x-one": "c\xe9", "x-two": "a b", "x-empty": "", "content-length": "2"}


CHUNKS = CHUNKED + b'2;a="b"\r\n{"\r\n0000A \r\nretCode":0\r\n1\r\n}\r\n0\r\nX-Sum: 1\r\nContent-Encoding: br\r\n\r\n'


def test_chunks_are_joined_and_what_is_said_behind_them_changes_nothing():
    talks = Talks(CHUNKS)
    with server(talks) as (url, _):
        for _ in range(2):
            told = get(url)
            assert (told.body, told.headers) == (BODY, {"transfer-encoding": "chunked"})
    assert len(talks.met) == 1


@pytest.mark.parametrize("answer", [OK, CHUNKS], ids=["length", "chunks"])
def test_an_answer_that_comes_byte_by_byte_is_the_same(answer):
    def patter(talk: socket.socket) -> None:
        talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in answer:
            talk.sendall(bytes([byte]))
            time.sleep(0.0005)

    with server(patter) as (url, _):
        assert get(url).body == get(url).body == BODY


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_body_of_unknown_length_goes_until_the_connection_ends(version):
    body = b'{"retCode":0,"long":"' + b"x" * 200_000 + b'"}'
    with server(ends_after(b"HTTP/" + version + b" 200 OK\r\nConnection: keep-alive\r\n\r\n" + body)) as (url, asked):
        assert get(url).body == get(url).body == body
    assert len(asked) == 2


ENDLESS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    "chunks": CHUNKED + (b"64\r\n" + b"x" * 100 + b"\r\n") * 11,
    "one chunk": CHUNKED + b"3e9\r\n",
    "until the connection ends": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_longer_than_any_honest_one_is_not_waited_for(monkeypatch, answer):
    monkeypatch.setattr(carrier, "ANSWER_BYTES_MAX", 1000)
    with server(says(answer)) as (url, _):
        with pytest.raises(EndlessAnswer):
            get(url)
        with pytest.raises(ccxt.ExchangeError, match="without an end"):
            ask(url)


@pytest.mark.parametrize("form", ["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", "HTTP/1.1 200 OK\r\n\r\n{}"])
def test_the_longest_honest_answer_is_read(monkeypatch, form):
    monkeypatch.setattr(carrier, "ANSWER_BYTES_MAX", 1000)
    with server(ends_after(form.format("x" * 1000).encode())) as (url, _):
        assert get(url).body == b"x" * 1000


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 13\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_an_answer_that_has_no_body_is_not_waited_for(method, answer):
    talks = Talks(answer, OK)
    with server(talks) as (url, _):
        assert get(url, method).body == b""
        assert get(url).body == BODY
    assert len(talks.met) == 1


# Which connections are used again

KEPT = {
    "HTTP/1.1": OK,
    "HTTP/1.0 that says so": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 13\r\n\r\n" + BODY,
}
CLOSED = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\n" + BODY,
    "Connection: close": b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 13\r\n\r\n" + BODY,
    "close among others": b"HTTP/1.1 200 OK\r\nConnection: te, close\r\nContent-Length: 13\r\n\r\n" + BODY,
    "a line left over": OK + b"\r\n",
    "a line left over behind chunks": CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\n\r\n\r\n",
    "an answer left over behind chunks": CHUNKED + b"d\r\n" + BODY + b"\r\n0\r\n\r\n" + OK,
}


@pytest.mark.parametrize("answer", KEPT.values(), ids=KEPT)
def test_a_connection_is_used_again(answer):
    talks = Talks(answer)
    with server(talks) as (url, _):
        for _ in range(3):
            assert get(url).body == BODY
    assert len(talks.met) == 1


@pytest.mark.parametrize("answer", CLOSED.values(), ids=CLOSED)
def test_a_connection_that_is_over_is_not_used_again(answer):
    talks = Talks(answer)
    with server(talks) as (url, _):
        for _ in range(3):
            assert get(url).body == BODY
    assert len(talks.met) == 3


FAILED = {
    "announcement": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "wreck": CHUNKED + b"-1\r\n",
    "pause": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", FAILED.values(), ids=FAILED)
def test_a_connection_on_which_an_answer_failed_is_not_used_again(answer):
    talks = Talks(answer, OK)
    with server(talks) as (url, _):
        with pytest.raises((NotCarried, TimeoutError)):
            get(url, pause_seconds=0.3)
        assert get(url, pause_seconds=0.3).body == BODY
    assert len(talks.met) == 2


def test_what_is_left_over_behind_no_body_is_no_answer_to_the_next_request():
    talks = Talks(b"HTTP/1.1 204 No Content\r\n\r\n" + OK.replace(b":0", b":1"), OK)
    with server(talks) as (url, _):
        assert get(url).body == b""
        assert get(url).body == BODY
    assert len(talks.met) == 2


def test_where_the_system_has_no_poll_it_is_the_same(monkeypatch):
    monkeypatch.delattr(select, "poll")
    talks = Talks(OK)
    with server(talks) as (url, _):
        assert get(url).body == get(url).body == BODY
    assert len(talks.met) == 1
    with server(lambda talk: time.sleep(2)) as (url, _), pytest.raises(TimeoutError):
        get(url, pause_seconds=0.3)


# Over TLS


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch) -> Iterator[ssl.SSLContext]:
    """The context of a server whom this machine trusts."""
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    tls_context.cache_clear()
    yield context
    tls_context.cache_clear()


def test_over_tls_connections_are_used_again_and_long_answers_whole(trusted):
    long = b"x" * 300_000
    talks = Talks(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + long, CHUNKS)
    with server(talks, trusted) as (url, _):
        assert url.startswith("https://")
        assert [get(url).body for _ in range(4)] == [BODY, long, BODY, BODY]
    assert len(talks.met) == 1


def test_over_tls_an_answer_that_drips_holds_nobody_for_long(trusted, monkeypatch):
    monkeypatch.setattr(carrier, "ANSWER_SECONDS", 0.5)
    began = time.monotonic()
    with server(drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), trusted) as (url, _), pytest.raises(TimeoutError):
        get(url)
    assert time.monotonic() - began < 3


def test_over_tls_what_was_left_over_or_cut_off_is_noticed(trusted):
    with server(Talks(OK + OK.replace(b":0", b":1"), OK), trusted) as (url, _):
        assert get(url).body == get(url).body == BODY
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"
    with server(ends_after(cut), trusted) as (url, _), pytest.raises((WreckedAnswer, OSError)):
        get(url)


def test_a_certificate_for_another_host_gets_no_request(trusted):
    with server(says(OK), trusted) as (url, asked):
        with pytest.raises(ssl.SSLCertVerificationError):
            get(url.replace("127.0.0.1", "localhost"))
        assert not asked


def test_a_trader_hears_the_same_over_tls(trusted):
    with server(says(OK), trusted) as (url, _):
        assert ask(url) == FINE
