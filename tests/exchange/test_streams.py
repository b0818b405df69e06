"""Streams over real websockets: up, told, broken, silent, garbage, refused, and up again."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from blitz.core.credentials import Credentials
from blitz.exchange.bingx import stream as bingx_stream
from blitz.exchange.bingx.stream import LIMITS as BINGX_LIMITS
from blitz.exchange.bingx.stream import BingxPrivateStream
from blitz.exchange.bybit.stream import LIMITS as BYBIT_LIMITS
from blitz.exchange.bybit.stream import BybitPrivateStream
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams import hub as hub_module
from blitz.exchange.streams import link as link_module
from blitz.exchange.streams.dialect import StreamLimits, Told
from blitz.exchange.streams.happenings import FillSeen, LinkDown, LinkUp, News, OrderSeen, PositionSeen, Unread
from blitz.exchange.streams.hub import StreamHub
from blitz.exchange.streams.prices import Levels
from tests.bots.both import BOTH
from tests.bots.stage import until
from tests.exchange.world import CREDENTIALS, World

ONLY_BINGX = pytest.mark.parametrize("exchange", ["bingx"], indirect=True)
DIALECTS = {"bybit": BybitPrivateStream, "bingx": BingxPrivateStream}
WRONG = Credentials(api_key="nobody", api_secret="wrong")
"""BingX gives listen keys for an API key alone, Bybit checks the signature; nobody listens under a wrong key."""
MARKETS = {"bybit": "BTCUSDT", "bingx": "BTC-USDT"}


@pytest.fixture
def hub() -> Iterator[StreamHub]:
    made = StreamHub()
    made.start()
    yield made
    made.stop()


class Heard:
    """Everything one listener was told."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._guard = threading.Lock()

    def __call__(self, news: News | Unread) -> None:
        with self._guard:
            self.news += news.happenings() if isinstance(news, Unread) else [news]

    def of(self, kind: type) -> list:
        with self._guard:
            return [one for one in self.news if isinstance(one, kind)]


def listen(world: World, hub: StreamHub, credentials: Credentials = CREDENTIALS, *, counts: bool = False):
    heard = Heard()
    stream = Exchanges(world.clock, hub, clients=Clients(paper_counts=counts)).listen(world.venue, credentials, heard)
    assert stream is not None
    return heard, stream


def up(heard: Heard, times: int = 1) -> None:
    until(lambda: len(heard.of(LinkUp)) == times, f"the stream to be up {times} times")


@BOTH
def test_a_fill_is_told_with_everything_a_read_would_say(world, hub):
    heard, _ = listen(world, hub)
    up(heard)
    world.foreign("buy", "0.016")
    (told,) = until(lambda: heard.of(FillSeen), "the fill")
    read = world.account()["executions"][0]
    assert (told.fill.exec_id, told.fill.order_id) == (read["execId"], read["orderId"])
    assert (told.fill.quantity, told.fill.price) == (Decimal(read["execQty"]), Decimal(read["execPrice"]))
    until(lambda: heard.of(OrderSeen) and heard.of(PositionSeen), "order and position")
    assert heard.of(PositionSeen)[-1].quantity == Decimal("0.016")


@BOTH
def test_a_broken_stream_comes_back_by_itself_and_says_so(world, hub):
    heard, stream = listen(world, hub)
    up(heard)
    world.fault("drop_socket", count="1")
    world.foreign("buy", "0.016")
    up(heard, times=2)
    assert heard.of(LinkDown)
    assert stream.is_up


@BOTH
def test_a_link_that_says_nothing_is_found_dead(world, hub, monkeypatch):
    silence = 6.0 if world.exchange == "bingx" else 1.0  # BingX says something every five seconds
    quick = StreamLimits(
        connections=500, window_seconds=300.0, sockets_max=1_000, ping_seconds=0.3, silence_seconds=silence
    )
    monkeypatch.setattr(DIALECTS[world.exchange], "limits", quick)
    heard, _ = listen(world, hub)
    up(heard)
    world.fault("freeze_socket", count="1")
    world.foreign("buy", "0.016")
    up(heard, times=2)
    assert "Nothing was heard" in heard.of(LinkDown)[0].reason


def test_of_many_links_every_one_is_looked_over(world, hub, monkeypatch):
    quick = StreamLimits(
        connections=500, window_seconds=300.0, sockets_max=1_000, ping_seconds=0.3, silence_seconds=1.0
    )
    monkeypatch.setattr(BybitPrivateStream, "limits", quick)
    monkeypatch.setattr(hub_module, "CHECKED_AT_ONCE", 2)
    ears = [listen(world, hub)[0] for _ in range(5)]
    for heard in ears:
        up(heard)
    world.fault("freeze_socket")
    world.foreign("buy", "0.016")
    until(lambda: all(heard.of(LinkDown) for heard in ears), "all five to be found dead")


@BOTH
def test_garbage_is_counted_and_ends_nothing(world, hub):
    heard, _ = listen(world, hub)
    up(heard)
    world.fault("garbage_frame", count="2")
    world.foreign("buy", "0.016")
    until(lambda: heard.of(FillSeen), "the fill behind the garbage")
    until(lambda: hub.standing().unreadable == 2, "both frames to be counted")
    assert not heard.of(LinkDown)


@BOTH
def test_a_wrong_key_is_refused_and_told(world, hub):
    heard, stream = listen(world, hub, WRONG)
    until(lambda: "The exchange refuses the stream" in stream.reason, "the refusal")
    assert not stream.is_up
    assert not heard.of(LinkUp)


@BOTH
def test_a_stream_waits_for_an_exchange_that_is_away(world, hub):
    exchanges = Exchanges(world.clock, hub)
    exchanges.clock(world.venue)
    world.paper.stop()
    heard = Heard()
    stream = exchanges.listen(world.venue, CREDENTIALS, heard)
    assert stream is not None
    wanted = "gives no key" if world.exchange == "bingx" else "cannot be reached"
    until(lambda: wanted in stream.reason, "the reason")
    assert not heard.of(LinkUp)


@BOTH
def test_a_stream_that_was_given_up_tells_nothing_more(world, hub):
    heard, stream = listen(world, hub)
    up(heard)
    stream.close()
    until(lambda: hub.standing().ready == 0, "the stream to be closed")
    world.foreign("buy", "0.016")
    assert not heard.of(FillSeen)
    assert not heard.of(LinkDown)


@BOTH
def test_connections_beyond_the_venues_limit_wait_their_turn(world, hub, monkeypatch):
    few = StreamLimits(connections=2, window_seconds=2.0, sockets_max=1_000)
    monkeypatch.setattr(DIALECTS[world.exchange], "limits", few)
    streams = [listen(world, hub, counts=True) for _ in range(4)]
    until(lambda: sum("waits for its turn" in stream.reason for _, stream in streams) == 2, "two to wait")
    until(lambda: all(stream.is_up for _, stream in streams), "all to be up in the next window")


@BOTH
def test_a_price_that_reaches_a_level_is_told_once(world, hub):
    feed, market = Exchanges(world.clock, hub).prices(world.venue), MARKETS[world.exchange]
    assert feed is not None
    reached: list[int] = []
    first = Levels(low=Decimal(59_000), high=Decimal(61_000), on_reached=lambda: reached.append(1))
    feed.wait_for(market, first)
    until(lambda: feed.last_price(market) == Decimal(60_000), "the first price")
    world.price("59500")
    until(lambda: feed.last_price(market) == Decimal(59_500), "the next price")
    assert reached == []
    world.price("58900")
    world.price("61100")
    until(lambda: feed.last_price(market) == Decimal(61_100), "the last price")
    assert reached == [1]


def test_the_limits_are_the_documented_ones():
    of_bybit, of_bingx = BYBIT_LIMITS, BINGX_LIMITS
    assert (of_bybit.connections, of_bybit.window_seconds) == (500, 300.0)
    assert of_bybit.sockets_max > 100_000, "open private streams are not counted there"
    assert of_bingx.sockets_max == 60


@BOTH
def test_every_private_stream_together_leaves_room_for_prices(world, hub, monkeypatch):
    few = StreamLimits(connections=100, window_seconds=300.0, sockets_max=3, sockets_for_prices=1)
    monkeypatch.setattr(DIALECTS[world.exchange], "limits", few)
    exchanges = Exchanges(world.clock, hub, clients=Clients(paper_counts=True))
    streams = [exchanges.listen(world.venue, CREDENTIALS, Heard()) for _ in range(4)]
    until(lambda: sum(one is not None and one.is_up for one in streams) == 2, "all but one place to be taken")
    feed, market = exchanges.prices(world.venue), MARKETS[world.exchange]
    assert feed is not None
    feed.wait_for(market, Levels(low=Decimal(1), high=None, on_reached=lambda: None))
    until(lambda: feed.last_price(market) == Decimal(60_000), "the price")
    assert sum(one is not None and one.is_up for one in streams) == 2


@BOTH
def test_a_stream_that_is_refused_is_tried_ever_more_slowly(world, hub):
    listen(world, hub, WRONG)
    (link,) = until(hub.links, "the link")
    until(lambda: link.failures >= 3, "three tries to have failed")
    assert abs(hub.standing().reconnects - link.failures) <= 1, "each failure counts, once"


@BOTH
def test_a_stream_that_is_closed_before_it_is_ready_is_tried_ever_more_slowly(world, hub, monkeypatch):
    """An exchange that takes connections and ends them at once is not asked several times a second for ever."""
    monkeypatch.setattr(link_module, "READY_SECONDS", 0.0)
    monkeypatch.setattr(DIALECTS[world.exchange], "read", lambda self, frame: Told())
    listen(world, hub)
    (link,) = until(hub.links, "the link")
    until(lambda: link.failures >= 2, "two tries to have failed")


@ONLY_BINGX
def test_a_listen_key_is_renewed_before_it_ends(world, hub, monkeypatch):
    monkeypatch.setattr(bingx_stream, "KEY_RENEWED_SECONDS", 0.5)
    world.foreign("buy", "0.016", "59400")
    clients, heard = Clients(), Heard()
    stream = Exchanges(world.clock, hub, clients=clients).listen(world.venue, CREDENTIALS, heard)
    assert stream is not None
    up(heard)
    for _ in range(2):  # together more than an hour
        world.post("clock", advance_ms="3000000")
        wait_for_renewals(clients)
    world.price("59400")
    until(lambda: heard.of(FillSeen), "the fill")
    assert stream.is_up
    assert not heard.of(LinkDown)


@ONLY_BINGX
def test_a_renewal_that_fails_is_asked_for_again(world, hub, monkeypatch):
    monkeypatch.setattr(bingx_stream, "KEY_RENEWED_SECONDS", 0.5)
    monkeypatch.setattr(hub_module, "RENEW_AGAIN_SECONDS", 0.5)
    clients, heard = Clients(), Heard()
    Exchanges(world.clock, hub, clients=clients).listen(world.venue, CREDENTIALS, heard)
    up(heard)
    world.fault("http_status", status="500")
    wait_for_renewals(clients, times=3)
    assert not heard.of(LinkDown)


def wait_for_renewals(clients: Clients, times: int = 2) -> None:
    asked = requests_to_bingx(clients)
    until(lambda: requests_to_bingx(clients) >= asked + times, f"the key to be renewed {times} times")


def requests_to_bingx(clients: Clients) -> int:
    """How many requests have passed BingX's turnstile: the time, listen keys, renewals."""
    return next(one.turns_total for one in clients.standings() if "BingX" in one.name)


@ONLY_BINGX
def test_a_listen_key_that_expires_is_told_and_the_next_one_asked_for(world, hub):
    heard, stream = listen(world, hub)
    up(heard)
    world.fault("expire_listen_key")
    up(heard, times=2)
    assert "listen key has expired" in heard.of(LinkDown)[0].reason
    world.foreign("buy", "0.016")
    until(lambda: heard.of(FillSeen), "the fill")
    assert stream.is_up


@ONLY_BINGX
def test_listen_keys_are_asked_for_within_the_budget(world, hub):
    clients, heard = Clients(paper_counts=True), Heard()
    Exchanges(world.clock, hub, clients=clients).listen(world.venue, CREDENTIALS, heard)
    up(heard)
    assert requests_to_bingx(clients) == 1 + 1  # the venue's time, and the key


class Awkward(BybitPrivateStream):
    """A dialect whose parts misbehave when a test wants them to."""

    def __init__(self, world: World) -> None:
        super().__init__(world.venue, world.clock, CREDENTIALS)
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fault: Exception | None = None
        self.is_deaf = False

    def address(self) -> str:
        self.asked += 1
        self.may_answer.wait(5)
        if self.fault is not None:
            raise self.fault
        return super().address()

    def ping(self) -> str:
        if self.fault is not None:
            raise self.fault
        return super().ping()

    def read(self, frame: bytes) -> Told:
        if self.is_deaf:
            raise KeyError("a fault in the dialect")
        return super().read(frame)


def test_a_stream_given_up_while_it_asks_for_its_address_never_opens(world, hub):
    """It would tell a bot that has gone, and nobody would close it ever again."""
    dialect, heard = Awkward(world), Heard()
    dialect.may_answer.clear()
    stream = hub.open("bybit:paper", dialect, heard)
    until(lambda: dialect.asked, "the address to be asked for")
    stream.close()
    until(lambda: not hub.links(), "the stream to be given up")
    dialect.may_answer.set()
    time.sleep(0.5)
    assert not stream.is_up
    assert not heard.news


@contextmanager
def rude_server(*, answers: bool) -> Iterator[str]:
    """A server that takes connections and closes them at once, or says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                taken.append(connection)
                if answers:
                    connection.recv(1_000)
                    connection.close()

        threading.Thread(target=take, daemon=True).start()
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/v5/private"
        listening.shutdown(socket.SHUT_RDWR)
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("answers", [True, False])
def test_a_stream_whose_handshake_is_not_answered_is_tried_again(world, hub, monkeypatch, answers):
    monkeypatch.setattr("blitz.exchange.streams.hub.HANDSHAKE_SECONDS", 0.3)
    dialect, heard = Awkward(world), Heard()
    with rude_server(answers=answers) as address:
        dialect._address, right = address, dialect._address
        hub.open("bybit:paper", dialect, heard)
        until(lambda: dialect.asked >= 2, "a second try")
        dialect._address = right
        up(heard)


def test_a_fault_while_opening_is_one_more_failure_and_the_stream_comes_back(world, hub):
    dialect, heard = Awkward(world), Heard()
    dialect.fault = KeyError("a fault in the dialect")
    stream = hub.open("bybit:paper", dialect, heard)
    until(lambda: "a fault in the server" in stream.reason, "the fault to be told")
    dialect.fault = None
    up(heard)


def test_a_fault_in_one_stream_leaves_the_others_watched(world, hub, monkeypatch):
    quick = StreamLimits(
        connections=500, window_seconds=300.0, sockets_max=1_000, ping_seconds=0.3, silence_seconds=1.0
    )
    monkeypatch.setattr(BybitPrivateStream, "limits", quick)
    dialect, heard = Awkward(world), Heard()
    hub.open("bybit:paper", dialect, heard)
    up(heard)
    dialect.fault = KeyError("a fault in the dialect")
    until(lambda: heard.of(LinkDown), "the link that cannot ping any more to be found dead")
    dialect.fault = None
    up(heard, times=2)


def test_a_stream_that_breaks_as_soon_as_it_is_up_comes_back_ever_more_slowly(world, hub):
    """At four times a second it would use up everybody's new connections within two minutes."""
    dialect, heard = Awkward(world), Heard()
    hub.open("bybit:paper", dialect, heard)
    up(heard)
    asked, dialect.is_deaf = dialect.asked, True  # each answer to its greeting breaks it
    world.foreign("buy", "0.016")
    time.sleep(3.0)
    assert 1 <= dialect.asked - asked <= 5
    dialect.is_deaf = False
    up(heard, times=2)
