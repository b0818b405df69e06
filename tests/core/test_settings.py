"""Settings from outside: read exactly, or refused at the right field before anything is sent."""

from decimal import Decimal

import pytest

from blitz.core.ladder_settings import DEFAULT_SETTINGS, LEGS_MAX, bounded, parse_settings, plain
from blitz.errors import SettingsProblem

ROW = {"amount": "100", "gap": "1"}


def errors_of(**raw: object) -> dict[str, list[str]]:
    with pytest.raises(SettingsProblem) as caught:
        parse_settings(raw)
    return caught.value.errors


@pytest.mark.parametrize("half", [Decimal("0.5"), "0.5", "0.5%", " 0.5 % ", ".5"])
def test_half_a_percent_is_half_a_percent_however_it_is_written(half):
    read = parse_settings({"take_profit": half, "stop_loss": half, "grids": [ROW, {"amount": "100", "gap": half}]})
    assert read.take_profit == read.stop_loss == read.grids[1].gap == Decimal("0.5")


@pytest.mark.parametrize("nothing", ["", None, 0, "0", "0%"])
def test_an_empty_or_zero_target_is_off(nothing):
    assert parse_settings({"take_profit": nothing}).take_profit == 0


@pytest.mark.parametrize("gap", ["", "-", "–", None, 0, "1"])
def test_leg_0_needs_no_gap(gap):
    assert parse_settings({"grids": [{"amount": 1, "gap": gap}]}).rounds == 1


def named(bad: object) -> str:
    """A short name for a bad value: Python itself cannot write the longest of them."""
    return "long" if isinstance(bad, int) and bad.bit_length() > 99 else ascii(bad)[:24]


NOT_NUMBERS = [
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "1e-999",
    "-1",
    "-0.0001",
    "abc",
    "1,5",
    "1_0",
    "0x10",
    "٥",
    "５",
    "5\x00",
    "\x00",
    "1" * 41,
    10**30,
    10**5000,
    0.5,
    float("nan"),
    True,
    False,
    [],
    {},
    b"5",
    "5%%",
    "1.0000000000000000001",
]


@pytest.mark.parametrize("bad", NOT_NUMBERS, ids=named)
@pytest.mark.parametrize("field", ["leverage", "rounds", "take_profit", "stop_loss"])
def test_what_is_no_sensible_number_is_refused_at_its_field(field, bad):
    assert list(errors_of(**{field: bad})) == [field]


@pytest.mark.parametrize("bad", [*NOT_NUMBERS, "", None, 0, "0"], ids=named)
@pytest.mark.parametrize("cell", ["amount", "gap"])
def test_a_bad_cell_of_a_leg_is_refused_with_the_leg_and_the_cell(cell, bad):
    (sentence,) = errors_of(grids=[ROW, ROW | {cell: bad}])["grids"]
    assert sentence.startswith(f"Leg 1: {cell} ")


@pytest.mark.parametrize("bad", [[], {}, 1.5, True, "NaN"])
def test_a_bad_gap_of_leg_0_is_refused_too(bad):
    assert list(errors_of(grids=[{"amount": "100", "gap": bad}])) == ["grids"]


@pytest.mark.parametrize(
    "bad",
    [[], (), "", None, 5, {}, "abc", b"abc", range(10**9), [ROW] * (LEGS_MAX + 1), [1], [None], [[]], [ROW | {"x": 1}]],
    ids=named,
)
def test_bad_lists_of_legs_are_refused_at_grids(bad):
    assert "grids" in errors_of(grids=bad)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("symbol", "BTC"),
        ("symbol", "BTCUSDT"),
        ("symbol", "BTC/USD:BTC"),
        ("symbol", "BTC/USDT:USDC"),
        ("symbol", "BTC/USDT:USDT\x00"),
        ("symbol", "B_TC/USDT"),
        ("symbol", "١/USDT"),
        ("symbol", ""),
        ("symbol", None),
        ("symbol", 7),
        ("symbol", "A" * 25 + "/USDT"),
        ("side", "up"),
        ("side", None),
        ("side", 10**5000),
        ("exchange", "okx"),
        ("margin_mode", "none"),
        ("mode", "real"),
        ("mode", ["live"]),
        ("repeat", "maybe"),
        ("repeat", None),
        ("repeat", 2),
        ("repeat", ""),
        ("repeat", 10**5000),
        ("leverage", "0"),
        ("leverage", "0.5"),
        ("leverage", "201"),
        ("leverage", ""),
        ("rounds", 0),
        ("rounds", "2.5"),
        ("rounds", LEGS_MAX + 1),
        ("testnet", "perhaps"),
        ("take_proft", "5"),
    ],
    ids=named,
)
def test_every_other_bad_value_is_refused_at_its_field(field, bad):
    assert list(errors_of(**{field: bad})) == [field]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"side": "short", "leverage": 10, "take_profit": "1000"}, "take_profit"),
        ({"side": "long", "leverage": 10, "stop_loss": "1000"}, "stop_loss"),
    ],
)
def test_a_target_at_a_price_of_zero_is_refused(raw, field):
    assert list(errors_of(**raw)) == [field]


def test_all_problems_are_told_at_once():
    assert set(errors_of(leverage="x", side="x", grids=[])) == {"leverage", "side", "grids"}


@pytest.mark.parametrize(("text", "chosen"), [(True, True), ("on", True), ("0", False), (False, False)])
def test_the_testnet_is_a_kind_of_demo_that_bybit_has(text, chosen):
    assert parse_settings({"mode": "demo", "testnet": text}).testnet is chosen


def test_an_exchange_without_a_testnet_is_refused_there_and_only_in_demo():
    assert list(errors_of(exchange="bingx", mode="demo", testnet=True)) == ["testnet"]
    assert parse_settings({"exchange": "bingx", "mode": "live", "testnet": True}).account == "bingx:live"


def test_a_field_that_is_absent_keeps_its_value_and_new_grids_use_all_their_legs():
    assert parse_settings({}) == DEFAULT_SETTINGS
    assert parse_settings({"grids": [ROW] * 7}).rounds == 7


@pytest.mark.parametrize("chosen", [1, 3, 9])
def test_a_chosen_number_of_legs_stays_when_only_the_rows_change(chosen):
    base = parse_settings({"rounds": chosen})

    assert parse_settings({"grids": [ROW] * 7}, base=base).rounds == chosen
    assert parse_settings({"grids": [ROW] * 2}, base=base).rounds == chosen
    assert parse_settings({"grids": [ROW] * 7, "rounds": 5}, base=base).rounds == 5


def test_words_are_read_in_any_case_and_with_spaces_around():
    read = parse_settings({"symbol": " eth/usdt:usdt ", "side": "SHORT", "repeat": "off"})
    assert (read.symbol, read.side.value, read.repeat) == ("ETH/USDT:USDT", "short", False)


def test_numbers_are_shown_plain():
    assert [plain(Decimal(text)) for text in ("1E+1", "0.500", "-0.0", "100")] == ["10", "0.5", "0", "100"]
    assert str(bounded("-0", least=Decimal(0), most=Decimal(1))) == "0"
