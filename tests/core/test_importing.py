"""Pastes from elsewhere: converted exactly, said in words, and refused at their own fields."""

import json
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blitz.core.generator import Sizes
from blitz.core.importing import import_settings
from blitz.core.ladder import leg_prices, take_profit_price
from blitz.core.ladder_settings import LadderSettings, MarginMode, parse_settings
from blitz.core.orders import Side
from blitz.errors import SettingsProblem
from tests.core.ladders import LONG

THREE_COMMAS = {
    "name": "My bot",
    "account_id": 77,
    "pairs": ["USDT_BTCUSDT"],
    "strategy": "long",
    "base_order_volume": "200.0",
    "base_order_volume_type": "quote_currency",
    "safety_order_volume": "400.0",
    "safety_order_volume_type": "quote_currency",
    "max_safety_orders": 4,
    "active_safety_orders_count": 2,
    "safety_order_step_percentage": "1.5",
    "martingale_step_coefficient": "1.2",
    "martingale_volume_coefficient": "1.05",
    "take_profit": "1.5",
    "take_profit_type": "total",
    "stop_loss_percentage": "20.0",
    "leverage_type": "isolated",
    "leverage_custom_value": "8",
    "trailing_enabled": True,
    "cooldown": 0,
    "strategy_list": [{"strategy": "nonstop"}],
}


def taken(pasted, sizes=Sizes.NOTIONAL, base=LONG):
    return import_settings(pasted if isinstance(pasted, str) else json.dumps(pasted), base=base, sizes=sizes)


def refused(pasted) -> dict[str, list[str]]:
    with pytest.raises(SettingsProblem) as problem:
        taken(pasted)
    return problem.value.errors


def test_a_bot_of_3commas_becomes_a_ladder_at_the_same_prices():
    found = taken(THREE_COMMAS)
    settings = parse_settings(found.fields)

    assert found.kind == "3commas"
    assert (settings.symbol, settings.side, settings.leverage) == ("BTC/USDT:USDT", Side.LONG, Decimal(8))
    assert settings.margin_mode is MarginMode.ISOLATED
    assert settings.rounds == 5
    assert [str(row.amount) for row in settings.legs] == ["25", "50", "52.5", "55.13", "57.88"]
    prices = leg_prices(settings, Decimal(60_000), Decimal("0.01"))
    assert [str(price) for price in prices] == ["60000", "59100.00", "58020.00", "56724.00", "55168.80"]


def test_its_take_profit_of_the_price_lies_at_the_same_price_here():
    settings = parse_settings(taken(THREE_COMMAS).fields)

    assert settings.take_profit == Decimal(12)  # 1.5 % of the price at leverage 8
    assert take_profit_price(settings, Decimal(60_000), Decimal("0.1")) == Decimal(60_900)
    assert settings.stop_loss == Decimal(160)


def test_what_was_converted_and_what_was_left_out_is_said():
    found = taken(THREE_COMMAS)
    said = [str(each) for each in found.taken]

    assert "The take-profit of 1.5 % of the price is 12 % of the margin (ROE) at leverage 8." in said
    assert "The volumes were read as the value of each order: as margin they are divided by leverage 8." in said
    assert [each.field for each in found.left] == [
        "name",
        "account_id",
        "active_safety_orders_count",
        "trailing_enabled",
    ]


def test_volumes_are_margin_when_somebody_says_so():
    assert taken(THREE_COMMAS, Sizes.MARGIN).fields["grids"][0] == {"amount": "200", "gap": "0"}


def test_lines_and_the_words_of_its_pages_are_read_too():
    text = """
    # my favourite
    Pair: ETH/USDT
    Strategy = Short
    Base order size: 100
    Safety order size: 50,
    Max safety orders: 2
    Price deviation (%): 2%
    "Safety order volume scale": "2"
    Target profit: 1
    Leverage\t5
    """

    found = taken(text, Sizes.MARGIN)

    assert found.fields["symbol"] == "ETH/USDT:USDT"
    assert (found.fields["side"], found.fields["leverage"], found.fields["take_profit"]) == ("short", "5", "5")
    assert [row["amount"] for row in found.fields["grids"]] == ["100", "50", "100"]


def test_what_the_paste_does_not_say_comes_from_the_form():
    plain = {
        "base_order_volume": 100,
        "safety_order_volume": 100,
        "max_safety_orders": 1,
        "safety_order_step_percentage": 1,
    }

    found = taken(plain, base=replace(LONG, side=Side.SHORT, leverage=Decimal(4)))

    assert (found.fields["side"], found.fields["leverage"], found.fields["stop_loss"]) == ("short", "4", "0")
    assert "take_profit" not in found.fields
    assert "symbol" not in found.fields
    assert "The paste has no stop-loss: it is off." in map(str, found.taken)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"take_profit_type": "base"}, "take_profit_type"),
        ({"take_profit_steps": [{"profit_percentage": 1}, {"profit_percentage": 2}]}, "take_profit_steps"),
        ({"strategy_list": [{"strategy": "rsi"}]}, "strategy_list"),
        ({"pairs": ["USDT_BTC", "USDT_ETH"]}, "pairs"),
        ({"disable_after_deals_count": 3}, "disable_after_deals_count"),
        ({"something_new": 1}, "something_new"),
    ],
)
def test_what_cannot_be_kept_is_listed(change, left):
    found = taken({**THREE_COMMAS, **change})

    assert left in [each.field for each in found.left]
    assert all(each.says.endswith(".") for each in found.left)


def test_one_deal_means_one_cycle():
    assert taken({**THREE_COMMAS, "disable_after_deals_count": 1}).fields["repeat"] is False


def test_a_single_step_of_the_take_profit_is_the_take_profit():
    pasted = {
        **THREE_COMMAS,
        "take_profit": "",
        "take_profit_steps": [{"amount_percentage": 100, "profit_percentage": "2"}],
    }

    assert taken(pasted).fields["take_profit"] == "16"


def test_no_safety_orders_is_a_ladder_of_one_leg():
    assert taken({"base_order_volume": 100, "max_safety_orders": 0}, Sizes.MARGIN).fields["grids"] == [
        {"amount": "100", "gap": "0"}
    ]


PAIRS = "USDT_BTC USDT_BTCUSDT btcusdt BTC/USDT BTC/USDT:USDT BTCUSDT.P BTC-USDT-SWAP BYBIT:BTCUSDT.P"


@pytest.mark.parametrize("text", PAIRS.split())
def test_a_pair_is_read_however_it_is_written(text):
    assert taken({**THREE_COMMAS, "pairs": text}).fields["symbol"] == "BTC/USDT:USDT"


FAULTS = [
    ({"base_order_volume": "x"}, "base_order_volume"),
    ({"base_order_volume": None}, "base_order_volume"),
    ({"base_order_volume_type": "percent"}, "base_order_volume_type"),
    ({"safety_order_volume": "-5"}, "safety_order_volume"),
    ({"max_safety_orders": 200}, "max_safety_orders"),
    ({"safety_order_step_percentage": "0"}, "safety_order_step_percentage"),
    ({"martingale_step_coefficient": "99"}, "martingale_step_coefficient"),
    ({"martingale_volume_coefficient": []}, "martingale_volume_coefficient"),
    ({"take_profit": "lots"}, "take_profit"),
    ({"take_profit": "9000"}, "take_profit"),
    ({"stop_loss_percentage": {}}, "stop_loss_percentage"),
    ({"leverage_custom_value": "0"}, "leverage_custom_value"),
    ({"strategy": "sideways"}, "strategy"),
    ({"pairs": "ETH_BTC"}, "pairs"),
    ({"pairs": [5]}, "pairs"),
]


@pytest.mark.parametrize(
    ("change", "field"), FAULTS, ids=[f"{field}-{index}" for index, (_, field) in enumerate(FAULTS)]
)
def test_a_wrong_field_is_named_as_the_paste_names_it(change, field):
    errors = refused({**THREE_COMMAS, **change})

    assert list(errors) == [field]
    assert all(sentence.endswith(".") for sentence in errors[field])


def test_all_wrong_fields_are_named_at_once():
    assert set(refused({**THREE_COMMAS, "strategy": "up", "take_profit": "x", "max_safety_orders": "y"})) == {
        "strategy",
        "take_profit",
        "max_safety_orders",
    }


OLD = {
    "symbol": "BTC/USDT:USDT", "side": "short", "leverage": 15, "rounds": 2, "repeat": True, "take_profit": "0.5%",
    "stop_loss": "0", "grids": [{"amount": 100, "gap": 0}, {"amount": "200", "gap": "1.5"}, {"amount": 400, "gap": 2}],
}  # fmt: skip


def test_settings_of_the_old_server_stay_as_they_are():
    found = taken(OLD)
    settings = parse_settings(found.fields)

    assert found.kind == "blitz"
    assert (settings.leverage, settings.take_profit) == (Decimal(15), Decimal("0.5"))
    assert (settings.rounds, settings.stop_loss) == (2, Decimal(0))
    assert settings.side is Side.SHORT
    assert [str(row.amount) for row in settings.grids] == ["100", "200", "400"]
    assert found.left == ()


def test_its_grids_alone_are_enough_and_use_all_their_rows():
    found = taken(OLD["grids"], base=replace(LONG, rounds=2))

    assert set(found.fields) == {"grids", "rounds"}
    assert len(found.fields["grids"]) == 3


def test_grids_stored_as_text_are_read():
    assert len(taken({**OLD, "grids": json.dumps(OLD["grids"])}).fields["grids"]) == 3


def test_keys_and_mode_are_never_taken_and_never_repeated():
    found = taken({**OLD, "api_key": "abc123", "api_secret": "s3cr3t", "mode": "live", "exchange": "okx", "uid": 5})

    assert [each.field for each in found.left] == ["api_key", "api_secret", "exchange", "mode", "uid"]
    assert set(found.fields).isdisjoint({"api_key", "api_secret", "mode", "exchange"})
    assert "s3cr3t" not in repr(found)


@pytest.mark.parametrize(
    ("pasted", "field", "words"),
    [
        ("", "text", "is empty"),
        ("   \n", "text", "is empty"),
        ('{"grids": [', "text", "not valid JSON"),
        ('{"grids": [1}', "text", "line 1, column 13"),
        ('{"a": 1}', "text", "holds neither"),
        ("hello world", "text", "Line 1 is not of the form"),
        ("[" * 30_000, "text", "nested too deeply"),
        ('{"base_order_volume": NaN}', "text", "not a number"),
        ('{"base_order_volume": ' + "9" * 5000 + "}", "text", "not a number"),
        ('{"grids": 1, "grids": 2}', "text", "twice"),
        ('{"grids": 5}', "grids", "must be a list"),
        ('{"grids": []}', "grids", "must be a list"),
        ("[5]", "grids", "Leg 0"),
        ('[{"amount": 100}, {"amount": 100, "gap": 0}]', "grids", "Leg 1"),
        ('{"grids": [{"amount": 100}], "leverage": "many"}', "leverage", "not a number"),
        ('{"grids": [{"amount": 100}], "symbol": "BTC/EUR"}', "symbol", "not a USDT perpetual"),
        ("a: 1\n" * 500, "text", "lines"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(pasted, field, words):
    errors = refused(pasted)

    assert list(errors) == [field]
    assert words in errors[field][0]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"(" * 39_000: 1}),
        json.dumps({"(a" * 19_000: 1}),
        "(" * 39_000 + ": 1",
        "a" + " " * 39_000 + "b",
        '"a"' + " " * 39_000 + "b",
        json.dumps({f"{number}": 1 for number in range(3_000)})[:-1] + ', "2999": 1}',
    ],
    ids=lambda text: text[:6],
)
def test_a_hostile_paste_is_soon_done(text):
    began = time.thread_time()

    outcome(text)

    assert time.thread_time() - began < 0.3


NAMES = st.sampled_from([*THREE_COMMAS, *OLD, "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@given(st.text(max_size=200) | VALUES.map(json.dumps))
def test_whatever_is_pasted_is_taken_or_refused_with_sentences(text):
    found = outcome(text)

    assert isinstance(found, LadderSettings) or (found and all(found.values()))


def outcome(text: str) -> LadderSettings | dict[str, list[str]]:
    try:
        return parse_settings(import_settings(text, base=LONG, sizes=Sizes.MARGIN).fields, base=LONG)
    except SettingsProblem as problem:
        return problem.errors
