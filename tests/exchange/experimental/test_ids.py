"""Every tag has one id on every venue, and only our ids are read as tags."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, leg
from blitz.core.tags import GENERATION_MAX, TagBook
from blitz.errors import SettingsProblem
from blitz.exchange.experimental.binance import BINANCE
from blitz.exchange.experimental.bitget import BITGET
from blitz.exchange.experimental.gate import GATE
from blitz.exchange.experimental.okx import OKX
from tests.exchange.experimental.venues import ALL

PROFILES = st.sampled_from(ALL)
KEYS = st.one_of(st.integers(0, 49).map(leg), st.sampled_from([TAKE_PROFIT, STOP_LOSS]))
USERS = st.integers(1, 10**9 - 1)
BASES = st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True)
SYMBOLS = st.builds(lambda base, settled: f"{base}/USDT" + ":USDT" * settled, BASES, st.booleans())
GENERATIONS = st.one_of(st.just(0), st.integers(1, GENERATION_MAX))


def tag_of(profile, key, user, symbol, generation):
    """A tag as the bot writes it for this venue; None when the ladder would be refused for its length."""
    book = TagBook(user_id=user, symbol=symbol, length_max=profile.ids.tag_length_max)
    tag = book.write(key, generation)
    return tag if len(tag) <= profile.ids.tag_length_max else None


@given(PROFILES, KEYS, USERS, SYMBOLS, GENERATIONS)
def test_an_id_reads_back_as_the_tag_it_was_made_of(profile, key, user, symbol, generation):
    tag = tag_of(profile, key, user, symbol, generation)
    if tag is None:
        return

    client_id = profile.ids.encode(tag)

    assert profile.ids.decode(client_id) == tag
    assert len(client_id) <= profile.ids.length_max
    assert re.fullmatch(f"[{profile.ids.alphabet}]+", client_id)
    assert client_id.startswith(profile.ids.prefix)


@given(PROFILES, st.tuples(KEYS, USERS, SYMBOLS, GENERATIONS), st.tuples(KEYS, USERS, SYMBOLS, GENERATIONS))
def test_two_tags_never_share_an_id(profile, one, other):
    tags = [tag_of(profile, *each) for each in (one, other)]
    if None in tags:
        return

    assert (profile.ids.encode(tags[0]) == profile.ids.encode(tags[1])) == (tags[0] == tags[1])


@given(PROFILES, st.text(max_size=40))
def test_what_no_tag_was_made_into_is_a_strangers(profile, text):
    tag = profile.ids.decode(text)

    assert tag is None or profile.ids.encode(tag) == text


WRITTEN = [
    (OKX, "sm_leg_1_7_BTCUSDTUSDT", "smxlegx1x7xBTCUSDTUSDT"),
    (OKX, "sm_tp_7_1000PEPEUSDT_x1x", "smxtpx7x1000PEPEUSDTxx1x"),
    (OKX, "sm_sl_123456789_BTCUSDT_zzzz", "smxslx123456789xBTCUSDTxzzzz"),
    (GATE, "sm_leg_10_1234567_BTCUSDT", "t-sm_leg_10_1234567_BTCUSDT"),
    (BITGET, "sm_tp_7_BTCUSDTUSDT_1", "sm_tp_7_BTCUSDTUSDT_1"),
    (BINANCE, "sm_leg_0_7_BTCUSDTUSDT", "sm_leg_0_7_BTCUSDTUSDT"),
]


@pytest.mark.parametrize(("profile", "tag", "client_id"), WRITTEN)
def test_ids_look_like_this(profile, tag, client_id):
    assert profile.ids.encode(tag) == client_id
    assert profile.ids.decode(client_id) == tag


@pytest.mark.parametrize(
    ("profile", "client_id"),
    [
        (OKX, "sm_leg_1_7_BTCUSDTUSDT"),
        (OKX, "smxlegx1x7xbtcusdtusdt"),
        (OKX, "smxlegx01x7xBTCUSDTUSDT"),
        (OKX, "smxlegx1x7xBTCUSDTUSDTx"),
        (OKX, "smxlegx1x7xBTCUSDTUSDTx1x2345"),
        (OKX, "SMXLEGX1X7XBTCUSDTUSDT"),
        (OKX, "e847386590ce4dBC" * 2),
        (GATE, "sm_tp_7_BTCUSDT"),
        (GATE, "t-t-sm_tp_7_BTCUSDT"),
        (GATE, "t-my_order"),
        (GATE, "api"),
        (BITGET, "sm_tp_0_BTCUSDT"),
        (BINANCE, "x-cvBPrNm9" + "0" * 22),
        (BINANCE, ""),
    ],
)
def test_these_are_strangers(profile, client_id):
    assert profile.ids.decode(client_id) is None


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
@pytest.mark.parametrize("text", ["", "sm_tp_7", "hello", "sm_leg_1_7_btcusdt", "t-sm_tp_7_BTCUSDT"])
def test_what_is_no_tag_gets_no_id(profile, text):
    with pytest.raises(ValueError, match="tag"):
        profile.ids.encode(text)


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_a_tag_that_is_too_long_is_refused_here_and_before_a_start(profile):
    symbol = "A" * 30 + "/USDT"
    book = TagBook(user_id=1234567, symbol=symbol, length_max=profile.traits.id_length_max)

    with pytest.raises(SettingsProblem):
        book.check(11)
    with pytest.raises(ValueError, match="not one that the venue takes"):
        profile.ids.encode(book.write(leg(10)))
