"""The worked check of the ladder, long and short, on a fine market and on BTC's real filters; and named rounding."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.instrument import (
    price_to_nearest_tick,
    quantity_down_to_step,
    quantity_up_to_step,
    stop_loss_to_tick,
    take_profit_to_tick,
)
from blitz.core.ladder import leg_prices, leg_quantity, stop_loss_price, take_profit_price
from blitz.core.orders import Side
from blitz.core.plan import Situation, plan
from blitz.core.preview import LadderPreview, preview_ladder, smallest_amount
from blitz.errors import SettingsProblem
from blitz.simulation.ladders import BTC
from tests.core.ladders import ENTRY, FINE, LONG, SHORT

CENT = Decimal("0.01")


def texts(numbers) -> list[str]:
    return [str(number.quantize(CENT)) for number in numbers]


def decimals(words: str) -> list[Decimal]:
    return [Decimal(word) for word in words.split()]


WORKED = [
    (
        LONG,
        "60000.00 59400.00 58806.00 57629.88",
        "60000.00 59698.49 59248.89 58428.17",
        "60300.00 59996.98 59545.13 58720.31",
    ),
    (
        SHORT,
        "60000.00 60600.00 61206.00 62430.12",
        "60000.00 60298.51 60748.86 61578.02",
        "59700.00 59997.01 60445.12 61270.13",
    ),
]


@pytest.mark.parametrize(("settings", "prices", "averages", "targets"), WORKED, ids=["long", "short"])
def test_the_worked_check_to_two_decimals_on_a_fine_market(settings, prices, averages, targets):
    ladder = preview_ladder(settings, FINE, ENTRY)
    assert texts(row.price for row in ladder.legs) == prices.split()
    assert texts(row.average for row in ladder.legs) == averages.split()
    exact = [row.average * (1 + settings.side.sign * Decimal("0.005")) for row in ladder.legs]
    assert texts(exact) == targets.split()
    assert texts([ladder.margin, ladder.notional]) == ["800.00", "8000.00"]


REAL = [
    (
        LONG,
        "60000 59400 58806 57629.9",
        "0.016 0.016 0.034 0.069",
        "60300 59998.5 59535.7 58708.9",
    ),
    (
        SHORT,
        "60000 60600 61206 62430.1",
        "0.016 0.016 0.032 0.064",
        "59700 59998.5 60449.2 61283.5",
    ),
]


@pytest.mark.parametrize(("settings", "prices", "sizes", "targets"), REAL, ids=["long", "short"])
def test_the_worked_check_with_the_filters_of_btc(settings, prices, sizes, targets):
    ladder = preview_ladder(settings, BTC, ENTRY)
    assert [row.price for row in ladder.legs] == decimals(prices)
    assert [row.quantity for row in ladder.legs] == decimals(sizes)
    assert [row.take_profit for row in ladder.legs] == decimals(targets)


def test_margin_and_notional_of_the_real_ladder_never_exceed_what_was_given():
    ladder = preview_ladder(LONG, BTC, ENTRY)
    assert ladder.notional == sum(row.quantity * row.price for row in ladder.legs)
    assert ladder.margin == ladder.notional / 10 <= 800
    assert all(row.margin <= row.amount for row in ladder.legs)


def planned(preview: LadderPreview) -> list[tuple[Decimal | None, Decimal]]:
    """What the live plan rests when the entry filled at the preview's price."""
    entry = preview.legs[0]
    situation = Situation(
        settings=preview.settings,
        instrument=preview.instrument,
        quantity=entry.quantity,
        average=entry.price,
        entry_price=entry.price,
        leg_filled={0: entry.quantity},
    )
    return [(order.price, order.quantity) for order in plan(situation)]


@pytest.mark.parametrize("settings", [LONG, SHORT], ids=["long", "short"])
def test_what_the_preview_shows_is_what_the_plan_rests(settings):
    ladder = preview_ladder(settings, BTC, ENTRY)
    entry, *legs = ladder.legs
    assert planned(ladder) == [(entry.take_profit, entry.quantity), *((row.price, row.quantity) for row in legs)]


def test_only_as_many_legs_as_rounds_allow_are_used_and_the_first_gap_is_ignored():
    grids = (replace(LONG.grids[0], gap=Decimal(50)), *LONG.grids[1:])
    assert len(preview_ladder(replace(LONG, grids=grids, rounds=2), BTC, ENTRY).legs) == 2
    assert len(preview_ladder(replace(LONG, grids=grids, rounds=50), BTC, ENTRY).legs) == 4
    assert leg_prices(replace(LONG, grids=grids), ENTRY, BTC.tick)[0] == ENTRY


def test_prices_are_chained_on_rounded_prices():
    coarse = Decimal(1000)
    assert leg_prices(LONG, Decimal(60_700), coarse) == tuple(decimals("60700 60000 59000 58000"))


def test_targets_that_are_off_are_not_planned():
    off = replace(LONG, take_profit=Decimal(0), stop_loss=Decimal(0))
    assert take_profit_price(off, ENTRY, BTC.tick) is None
    assert stop_loss_price(off, ENTRY, BTC.tick) is None


@pytest.mark.parametrize(
    ("side", "price", "average", "expected"),
    [
        (Side.LONG, "60300.01", "60000", "60300.1"),
        (Side.LONG, "60000.01", "60000", "60000.1"),
        (Side.LONG, "60000.06", "60000.05", "60000.2"),
        (Side.SHORT, "59699.99", "60000", "59699.9"),
        (Side.SHORT, "59999.99", "60000", "59999.9"),
        (Side.SHORT, "60000.04", "60000.05", "59999.9"),
    ],
)
def test_a_take_profit_is_never_nearer_than_asked_and_at_least_one_tick_away(side, price, average, expected):
    assert take_profit_to_tick(Decimal(price), Decimal(average), side, BTC.tick) == Decimal(expected)


@pytest.mark.parametrize(
    ("side", "price", "average", "expected"),
    [
        (Side.LONG, "57600.01", "60000", "57600.1"),
        (Side.LONG, "59999.99", "60000", "59999.9"),
        (Side.SHORT, "62400.09", "60000", "62400.0"),
        (Side.SHORT, "60000.01", "60000", "60000.1"),
    ],
)
def test_a_stop_is_never_farther_than_asked_and_at_least_one_tick_away(side, price, average, expected):
    assert stop_loss_to_tick(Decimal(price), Decimal(average), side, BTC.tick) == Decimal(expected)


def test_quantities_round_down_or_up_by_name_and_prices_to_the_nearest_tick():
    assert quantity_down_to_step(Decimal("0.0169"), BTC.step) == Decimal("0.016")
    assert quantity_up_to_step(Decimal("0.0161"), BTC.step) == Decimal("0.017")
    assert price_to_nearest_tick(Decimal("57629.85"), BTC.tick) == Decimal("57629.9")


# What a market refuses


def refused(settings, instrument=BTC, price=ENTRY) -> dict[str, list[str]]:
    with pytest.raises(SettingsProblem) as caught:
        preview_ladder(settings, instrument, price)
    return caught.value.errors


def with_amount(index: int, amount: Decimal):
    rows = list(LONG.grids)
    rows[index] = replace(rows[index], amount=amount)
    return replace(LONG, grids=tuple(rows))


@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize("notional_min", ["5", "100"])
def test_a_leg_below_the_minimum_is_named_with_the_smallest_amount_and_that_amount_works(index, notional_min):
    market = replace(BTC, notional_min=Decimal(notional_min))
    (sentence,) = refused(with_amount(index, Decimal("0.3")), market)["grids"]
    assert sentence.startswith(f"Leg {index}:")
    smallest = Decimal(sentence.rsplit("amount that works is ", 1)[1].removesuffix(" USDT."))
    preview_ladder(with_amount(index, smallest), market, ENTRY)
    assert refused(with_amount(index, smallest - CENT), market)["grids"]


def test_the_smallest_amount_works_for_leverages_that_divide_badly():
    for leverage in (3, 7, 13, 33):
        settings = replace(LONG, leverage=Decimal(leverage))
        amount = smallest_amount(settings, BTC.quantity_min, ENTRY)
        small = replace(settings, grids=(replace(LONG.grids[0], amount=amount),))
        assert leg_quantity(small, 0, ENTRY, BTC.step) >= BTC.quantity_min


@pytest.mark.parametrize(
    ("settings", "instrument", "field"),
    [
        (replace(LONG, leverage=Decimal("100.01")), BTC, "leverage"),
        (replace(LONG, leverage=Decimal("10.005")), BTC, "leverage"),
        (LONG, replace(BTC, trading=False), "symbol"),
        (LONG, replace(BTC, market_quantity_max=Decimal("0.015")), "grids"),
        (LONG, replace(BTC, quantity_max=Decimal("0.015")), "grids"),
        (LONG, replace(BTC, price_min=Decimal(58_000)), "grids"),
        (SHORT, replace(BTC, price_max=Decimal(62_000)), "grids"),
        (replace(LONG, grids=tuple(replace(row, gap=Decimal(99)) for row in LONG.grids * 5), rounds=20), BTC, "grids"),
    ],
)
def test_what_the_market_would_refuse_is_refused_before_at_its_field(settings, instrument, field):
    assert list(refused(settings, instrument)) == [field]


def test_everything_wrong_is_said_at_once():
    worst = replace(with_amount(0, Decimal("0.1")), leverage=Decimal(150))
    assert set(refused(worst, replace(BTC, trading=False))) == {"symbol", "leverage", "grids"}


def test_the_json_of_a_preview_has_strings_for_numbers_and_targets_both_ways():
    shown = preview_ladder(LONG, BTC, ENTRY).to_json()
    assert shown["take_profit"] == {"roe_percent": "5", "price_percent": "0.5"}
    assert shown["stop_loss"] is None
    assert shown["legs"][1]["price"] == "59400"  # type: ignore[index]
