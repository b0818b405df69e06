"""The pure parts of streams: what frames say, when a connection may be opened, who waits for which price."""

import hmac
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.clock import ManualClock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange.answers import Malformed
from blitz.exchange.bybit.stream import BybitPriceStream, BybitPrivateStream
from blitz.exchange.connection import Venue
from blitz.exchange.streams.dialect import StreamLimits
from blitz.exchange.streams.hand_over import HandOver
from blitz.exchange.streams.happenings import PriceSeen
from blitz.exchange.streams.link import Link, LinkState
from blitz.exchange.streams.pacing import ConnectionPace
from blitz.exchange.streams.prices import Levels, PriceBoard

LIVE = Venue(exchange=ExchangeName.BYBIT, mode=Mode.LIVE)
KEYS = Credentials(api_key="key", api_secret="secret")


def private():
    return BybitPrivateStream(LIVE, ManualClock(1_700_000_000_000), KEYS)


def test_the_greeting_is_signed_as_the_venue_documents():
    frame = orjson.loads(private().greeting()[0])
    assert frame["op"] == "auth"
    assert frame["args"][:2] == ["key", "1700000010000"]
    assert frame["args"][2] == hmac.digest(b"secret", b"GET/realtime1700000010000", "sha256").hex()


@pytest.mark.parametrize(
    "pong",
    [b'{"op":"pong","args":["1"],"conn_id":"c"}', b'{"success":true,"ret_msg":"pong","op":"ping","conn_id":"c"}'],
)
def test_both_forms_of_pong_say_nothing(pong):
    told = private().read(pong)
    assert not told.happenings
    assert not told.refused
    assert not told.is_ready


def test_topics_are_asked_for_only_once_the_venue_agrees_to_the_sign_in():
    told = private().read(b'{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}')
    assert orjson.loads(told.answers[0])["args"] == ["order", "execution", "position"]
    assert not told.is_ready
    assert private().read(b'{"success":true,"ret_msg":"","op":"subscribe","conn_id":"c"}').is_ready


def test_a_refused_sign_in_is_told_with_the_venues_words():
    told = private().read(b'{"success":false,"ret_msg":"Params Error","op":"auth","conn_id":"c"}')
    assert "Params Error" in told.refused


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"topic":"order","data":{}}',
        b'{"topic":"order","data":[{"category":"linear"}]}',
    ],
)
def test_what_cannot_be_read_is_malformed_and_nothing_else(frame):
    with pytest.raises(Malformed):
        read_whole(frame)


def read_whole(frame):
    """Everything a frame says, what can wait too."""
    return [*private().read(frame).happenings]


def test_a_fill_is_read_at_once_and_what_goes_with_it_can_wait():
    execution = b'{"topic":"execution","data":[{"category":"spot"}]}'
    order = b'{"topic":"order","data":[{"category":"linear"}]}'  # a row that cannot be read, and is not until asked for
    assert not private().can_wait(execution)
    assert private().can_wait(order)


def test_what_can_wait_is_told_by_its_topic_and_not_by_what_a_trader_writes_into_an_order():
    assert private().can_wait(b'{"id":"x-1","topic":"position","creationTime":1,"data":[]}')
    named = b'{"topic":"execution","data":[{"orderLinkId":"\\"topic\\":\\"order\\"","note":[],"topic":"order"}]}'
    assert not private().can_wait(named)
    assert not private().can_wait(b'{"op":"auth","success":true}')


def test_a_message_that_comes_in_several_frames_is_read_once_it_is_whole():
    heard: list[Any] = []
    link = Link("bybit:paper", private(), heard.append, lambda link: None, HandOver(lambda work: None))
    link.state = LinkState.READY
    for piece in (b'{"topic":"position",', b'"data":'):
        link._take(piece, is_last=False)
    assert heard == []
    link._take(b"[]}", is_last=True)
    link._take(b'{"topic":"order","data":[]}', is_last=True)
    assert [unread.frame for unread in heard] == [b'{"topic":"position","data":[]}', b'{"topic":"order","data":[]}']


def test_what_could_wait_and_cannot_be_read_is_counted_once_somebody_reads_it():
    heard: list[Any] = []
    link = Link("bybit:paper", private(), heard.append, lambda link: None, HandOver(lambda work: None))
    link.state = LinkState.READY
    link._read(b'{"topic":"order","data":[{"category":"linear"}]}')
    (unread,) = heard
    assert link.unreadable == 0
    assert list(unread.happenings()) == list(unread.happenings()) == []
    assert link.unreadable == 1


@settings(deadline=None)  # threads of tests before it may still be ending
@given(st.binary(max_size=200))
def test_no_frame_at_all_raises_anything_but_malformed(frame):
    try:
        read_whole(frame)
    except Malformed:
        pass


def test_a_delta_without_a_price_says_nothing():
    stream = BybitPriceStream(LIVE)
    stream.add("BTCUSDT")
    whole = b'{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"60000.10"}}'
    assert stream.read(whole).happenings == (PriceSeen(symbol="BTCUSDT", price=Decimal("60000.10")),)
    assert not stream.read(b'{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT"}}').happenings


def test_prices_are_asked_for_again_after_a_reconnect():
    stream = BybitPriceStream(LIVE)
    stream.add("BTCUSDT")
    stream.add("ETHUSDT")
    assert [orjson.loads(frame)["args"] for frame in stream.greeting()] == [["tickers.BTCUSDT"], ["tickers.ETHUSDT"]]


def test_a_market_that_is_listed_no_more_costs_the_others_nothing():
    refusal = b'{"success":false,"ret_msg":"error:handler not found,topic:tickers.GONEUSDT","op":"subscribe"}'
    told = BybitPriceStream(LIVE).read(refusal)
    assert not told.refused
    assert not told.is_ready


def limits(connections=3, sockets=100):
    return StreamLimits(connections=connections, window_seconds=300.0, sockets_max=sockets)


TRIES = st.tuples(
    st.integers(min_value=0, max_value=200), st.integers(min_value=0, max_value=400), st.sampled_from([0.0, 0.5, 1.0])
)
"""How long after the one before, how long it takes, and when in that time the venue counts it."""


@given(st.lists(TRIES, max_size=60))
def test_no_window_ever_sees_more_connections_than_the_venue_allows(tries):
    pace, now = ConnectionPace(limits()), 0.0
    under_way: list[float] = []
    counted: list[float] = []
    for pause, takes, part in tries:
        now += pause
        for ends in sorted(end for end in under_way if end <= now):
            pace.tried(ends)
            under_way.remove(ends)
        if pace.wait_seconds(now) == 0:
            pace.opened()
            under_way.append(now + takes)
            counted.append(now + takes * part)
    for first in counted:
        assert sum(1 for at in counted if first <= at < first + 300.0) <= 3


def test_who_has_to_wait_is_told_how_long():
    pace = ConnectionPace(limits())
    for at in (0.0, 1.0, 2.0):
        assert pace.wait_seconds(at) == 0
        pace.opened()
        pace.tried(at + 5.0)
    assert pace.wait_seconds(10.0) == 295.0
    assert pace.wait_seconds(305.0) == 0


def test_no_more_sockets_are_open_than_the_venue_allows():
    pace = ConnectionPace(limits(sockets=2))
    pace.opened()
    pace.opened()
    assert pace.is_full()
    assert pace.is_full(for_prices=True)
    assert pace.wait_seconds(1.0) > 0
    pace.closed()
    assert pace.wait_seconds(1.0) == 0


def test_the_places_kept_for_prices_are_for_nothing_else():
    kept = StreamLimits(connections=9, window_seconds=300.0, sockets_max=2, sockets_for_prices=1)
    pace = ConnectionPace(kept)
    pace.opened()
    assert pace.wait_seconds(1.0) > 0
    assert pace.wait_seconds(1.0, for_prices=True) == 0


PRICES = st.integers(min_value=1, max_value=30).map(Decimal)


@given(st.lists(st.tuples(PRICES, PRICES), max_size=12), st.lists(PRICES, max_size=30))
def test_everybody_is_told_at_the_first_price_that_reaches_his_level_and_once(wanted, path):
    board = PriceBoard()
    board.moved(Decimal(15))
    told: dict[int, Decimal | None] = {}

    def tell(number):
        assert number not in told
        told[number] = board.price

    expected: dict[int, Decimal | None] = {}
    for number, (low, high) in enumerate(wanted):
        board.wait_for(Levels(low=low, high=high, on_reached=partial(tell, number)))
        reached = (price for price in path if price <= low or price >= high)
        first = next(reached, None)
        if first is not None:
            expected[number] = first
    for price in path:
        board.moved(price)
    assert told == expected


def test_levels_that_were_given_up_leave_the_board():
    board = PriceBoard()
    waits = [Levels(low=Decimal(1), high=Decimal(9), on_reached=lambda: None) for _ in range(5)]
    for one in waits:
        board.wait_for(one)
        one.is_over = True
    board.forget_over()
    assert board.size == 0
