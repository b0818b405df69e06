"""BingX's frames, without any connection: what each says, and that what cannot be read ends nothing."""

import gzip
import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.core.orders import Direction, OrderType, Side
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx import stream as module
from blitz.exchange.bingx.stream import BingxPriceStream, BingxPrivateStream, stream_address
from blitz.exchange.connection import Venue
from blitz.exchange.streams.happenings import AccountTouched, FillSeen, OrderSeen, PositionSeen, PriceSeen

LIVE = Venue(exchange=ExchangeName.BINGX, mode=Mode.LIVE)
DEMO = Venue(exchange=ExchangeName.BINGX, mode=Mode.DEMO)
ORDER = {
    "s": "BTC-USDT", "c": "sm_leg_1_7_btcusdtusdt", "i": 41, "S": "BUY", "o": "LIMIT", "q": "0.016", "p": "59400",
    "sp": "0", "ap": "59400", "x": "TRADE", "X": "FILLED", "N": "USDT", "n": "-0.19", "T": 1_700_000_000_100,
    "ps": "LONG", "z": "0.016", "l": "0.016", "L": "59400", "ti": "77", "ro": False,
}  # fmt: skip
"""An order event's body: a leg of a long that has just filled."""


def private() -> BingxPrivateStream:
    def no_client():
        raise AssertionError("frames are read without any request")

    return BingxPrivateStream(LIVE, no_client)


def zipped(message) -> bytes:
    # Without its time: frames name tests here, and two workers have to find the same names.
    return gzip.compress(orjson.dumps(message), mtime=0)


def event(**changes) -> bytes:
    """An order event; a field that is changed to None is left out."""
    body = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
    return zipped(
        {"e": "ORDER_TRADE_UPDATE", "E": 1_700_000_000_200, "T": body.pop("at", 1_700_000_000_100), "o": body}
    )


def kinds(frame: bytes) -> list[type]:
    return [type(one) for one in private().read(frame).happenings]


def test_each_kind_of_account_has_its_own_host():
    assert stream_address(LIVE) == "wss://open-api-swap.bingx.com/swap-market"
    assert stream_address(DEMO) == "wss://vst-open-api-ws.bingx.com/swap-market"


@pytest.mark.parametrize("frame", [gzip.compress(b"Ping"), b"Ping"], ids=["zipped", "plain"])
@pytest.mark.parametrize("stream", [private(), BingxPriceStream(LIVE)], ids=["private", "prices"])
def test_a_ping_is_answered(stream, frame):
    told = stream.read(frame)
    assert told.answers == ("Pong",)
    assert not told.happenings


def test_a_fill_is_told_before_the_order_it_belongs_to():
    fill, order = private().read(event()).happenings
    assert isinstance(fill, FillSeen)
    assert (fill.fill.exec_id, fill.fill.order_id, fill.fill.client_id) == ("77", "41", "sm_leg_1_7_btcusdtusdt")
    assert (fill.fill.quantity, fill.fill.price) == (Decimal("0.016"), Decimal(59_400))
    assert (fill.fill.fee, fill.fill.direction, fill.fill.at_ms) == (Decimal("0.19"), Direction.BUY, 1_700_000_000_100)
    assert isinstance(order, OrderSeen)
    assert order.record.terminal
    assert order.record.order.filled == Decimal("0.016")
    assert not order.record.order.reduce_only


def test_a_stop_on_a_hedge_account_is_known_by_its_trigger_and_by_what_it_closes():
    frame = event(o="STOP_MARKET", S="SELL", x="NEW", X="NEW", p="0", sp="57600", z="0", ti="0", c="")
    (told,) = private().read(frame).happenings
    assert isinstance(told, OrderSeen)
    order = told.record.order
    assert (order.type, order.trigger, order.price) == (OrderType.STOP_MARKET, Decimal(57_600), None)
    assert order.reduce_only
    assert order.side is Side.LONG


@pytest.mark.parametrize("trade_id", [None, "", "0", 0], ids=repr)
def test_a_trade_without_an_id_only_says_that_the_order_has_filled(trade_id):
    assert kinds(event(ti=trade_id)) == [OrderSeen]


@pytest.mark.parametrize("changed", [{"X": "Unknown"}, {"X": None}, {"q": "much"}, {"ps": "NEITHER"}], ids=repr)
def test_a_fill_in_an_order_that_cannot_be_read_is_told_all_the_same(changed):
    assert kinds(event(**changed)) == [FillSeen, AccountTouched]


@pytest.mark.parametrize("changed", [{"L": None}, {"l": "x"}, {"i": None}, {"at": "1E+999999"}], ids=repr)
def test_a_fill_that_cannot_be_read_still_makes_the_bot_look(changed):
    assert kinds(event(**changed))[0] is AccountTouched


@pytest.mark.parametrize("at", [0, None, ""], ids=repr)
def test_an_event_without_a_time_has_that_of_its_envelope(at):
    frame = zipped({"e": "ORDER_TRADE_UPDATE", "E": 1_700_000_000_200, "T": at, "o": ORDER})
    (fill, _) = private().read(frame).happenings
    assert isinstance(fill, FillSeen)
    assert fill.fill.at_ms == 1_700_000_000_200


def test_an_endless_id_is_no_number_and_no_harm():
    (fill, _) = private().read(event(ti="9" * 5_000)).happenings
    assert isinstance(fill, FillSeen)
    assert fill.fill.sequence == 0


def test_positions_of_both_kinds_of_account_are_told_without_sign():
    rows = [
        {"s": "BTC-USDT", "pa": "0.016", "ps": "LONG"},
        {"s": "BTC-USDT", "pa": "0", "ps": "SHORT"},
        {"s": "ETH-USDT", "pa": "-2", "ps": "BOTH"},
    ]
    told = private().read(zipped({"e": "ACCOUNT_UPDATE", "E": 1, "a": {"m": "ORDER", "B": [], "P": rows}})).happenings
    assert [(one.symbol, one.side, one.quantity, one.leverage) for one in told if isinstance(one, PositionSeen)] == [
        ("BTC-USDT", Side.LONG, Decimal("0.016"), None),
        ("BTC-USDT", Side.SHORT, Decimal(0), None),
        ("ETH-USDT", None, Decimal(2), None),
    ]


def funding(at_ms: int) -> bytes:
    return zipped({"e": "ACCOUNT_UPDATE", "E": at_ms, "a": {"m": "FUNDING_FEE", "B": [], "P": []}})


def test_funding_makes_the_bot_look_once_though_the_account_is_pushed_every_five_seconds():
    stream, hour = private(), 3_600_000
    charged = [list(stream.read(funding(at_ms)).happenings) for at_ms in (8 * hour, 8 * hour + 5_000, 9 * hour - 1)]
    assert charged == [[AccountTouched()], [], []]
    assert list(stream.read(funding(9 * hour)).happenings) == [AccountTouched()]
    assert list(stream.read(funding(8 * hour + 10_000)).happenings) == []  # late, and behind a younger one


def test_changed_settings_make_the_bot_look_and_an_ended_key_ends_the_link():
    assert kinds(zipped({"e": "ACCOUNT_CONFIG_UPDATE", "E": 1, "ac": {"s": "BTC-USDT", "l": 5, "S": 5}})) == [
        AccountTouched
    ]
    assert "expired" in private().read(zipped({"e": "listenKeyExpired", "E": 1, "listenKey": "k"})).refused


def test_what_it_knows_nothing_of_says_nothing():
    assert kinds(zipped({"e": "SNAPSHOT", "E": 1})) == []


def test_a_frame_that_unpacks_to_far_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(module, "FRAME_MAX_BYTES", 10_000)
    with pytest.raises(Malformed, match="too much"):
        private().read(gzip.compress(b"0" * 10_000_000))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"\x1f\x8b",
        b"\x1f\x8bnonsense",
        zipped({})[:-12],
        zipped([]),
        zipped({"e": "ORDER_TRADE_UPDATE"}),
        zipped({"e": "ACCOUNT_UPDATE", "a": {"P": [{"s": "BTC-USDT"}]}}),
    ],
)
def test_what_cannot_be_read_is_malformed_and_nothing_else(frame):
    with pytest.raises(Malformed):
        private().read(frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.sampled_from(list(ORDER)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ORDER, "P", "e"]), inner, max_size=9),
    max_leaves=12,
)


@settings(deadline=None)  # threads of tests before it may still be ending
@given(st.binary(max_size=200), st.booleans())
def test_no_frame_at_all_raises_anything_but_malformed(body, packed):
    for stream in (private(), BingxPriceStream(LIVE)):
        try:
            stream.read(gzip.compress(body) if packed else body)
        except Malformed:
            pass


@settings(deadline=None)  # threads of tests before it may still be ending
@given(st.dictionaries(st.sampled_from(list(ORDER)), JSON, max_size=6), JSON, JSON)
def test_no_odd_field_raises_anything_but_malformed(changed, account, time):
    order = {**ORDER, **changed}
    for message in (
        {"e": "ORDER_TRADE_UPDATE", "E": time, "T": time, "o": order},
        {"e": "ACCOUNT_UPDATE", "E": time, "a": account},
        {"e": "ACCOUNT_UPDATE", "E": time, "a": {"P": account}},
        {"code": changed, "data": account},
        {"code": 0, "data": {"s": account, "c": time}},
    ):
        for stream in (private(), BingxPriceStream(LIVE)):
            try:
                stream.read(zipped(message))
            except Malformed:
                pass


# Prices


def test_markets_are_asked_for_one_by_one_and_again_after_a_reconnect():
    stream = BingxPriceStream(LIVE)
    first = orjson.loads(stream.add("BTC-USDT"))
    stream.add("ETH-USDT")
    assert (first["reqType"], first["dataType"]) == ("sub", "BTC-USDT@ticker")
    again = [orjson.loads(frame) for frame in stream.greeting()]
    assert [one["dataType"] for one in again] == ["BTC-USDT@ticker", "ETH-USDT@ticker"]
    assert len({one["id"] for one in [first, *again]}) == 3


def test_a_refused_market_takes_no_others_prices_away():
    stream = BingxPriceStream(LIVE)
    with pytest.raises(Malformed, match="not supported"):
        stream.read(zipped({"id": "1", "code": 80015, "msg": "dataType X-USDT@ticker not supported", "data": None}))
    assert stream.read(zipped({"id": "2", "code": 0, "msg": "", "dataType": "", "data": None})).is_ready


def test_the_recorded_ticker_reads(shared_data):
    sent, answered, _, told = shared_data("bingx-recorded/ws_Ticker.txt").read_text().split("\n", 3)
    stream = BingxPriceStream(LIVE)
    asked, recorded = orjson.loads(stream.add("ETH-USDT")), json.loads(sent.removeprefix("> "))
    assert {**recorded, "id": asked["id"]} == asked
    assert stream.read(answered.removeprefix("< ").encode()).is_ready
    assert stream.read(told.strip().encode()).happenings == (PriceSeen(symbol="ETH-USDT", price=Decimal("2986.23")),)
