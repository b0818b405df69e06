"""Legs from base and safety orders: they lie where the other bot's would, whatever a deviation counts from."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blitz.core.generator import Anchor, SafetyOrders, Sizes, generate, read_safety_orders
from blitz.core.ladder import leg_prices
from blitz.core.ladder_settings import parse_settings, plain
from blitz.core.orders import Side
from blitz.errors import SettingsProblem
from tests.core.ladders import LONG

BASE = Decimal(60_000)
FINE_TICK = Decimal("1E-12")
ORDERS = SafetyOrders(
    side=Side.LONG,
    leverage=Decimal(10),
    base_order=Decimal(100),
    safety_order=Decimal(150),
    count=5,
    deviation=Decimal("1.5"),
    step_scale=Decimal("1.2"),
    volume_scale=Decimal("1.05"),
)


def prices_of(orders: SafetyOrders) -> tuple[Decimal, ...]:
    """Where the ladder's own arithmetic puts the legs that the generator made."""
    rows = generate(orders)
    settings = replace(LONG, side=orders.side, grids=rows, rounds=len(rows))
    return leg_prices(settings, BASE, FINE_TICK)


def test_a_long_of_3commas_lies_at_the_published_prices():
    # d = 1.5, s = 1.2: deviations 1.5, 3.3, 5.46, 8.052, 11.1624 percent from the base order.
    expected = [Decimal(price) for price in ("60000", "59100", "58020", "56724", "55168.8", "53302.56")]

    found = prices_of(ORDERS)

    assert [abs(price - target) < Decimal("0.001") for price, target in zip(found, expected, strict=True)] == [True] * 6


def test_each_safety_order_takes_the_volume_scale_times_the_one_before():
    assert [plain(row.amount) for row in generate(ORDERS)] == ["100", "150", "157.5", "165.38", "173.64", "182.33"]


def test_sizes_with_leverage_included_are_divided_by_it():
    rows = generate(replace(ORDERS, sizes=Sizes.NOTIONAL))

    assert [plain(row.amount) for row in rows[:3]] == ["10", "15", "15.75"]


def test_a_deviation_from_the_leg_before_is_the_gap_itself():
    rows = generate(replace(ORDERS, anchor=Anchor.PREVIOUS, count=3))

    assert [plain(row.gap) for row in rows] == ["0", "1.5", "1.8", "2.16"]


@pytest.mark.parametrize("side", list(Side))
def test_a_deviation_from_the_average_counts_from_the_average_of_the_legs_before(side: Side):
    orders = replace(ORDERS, side=side, anchor=Anchor.AVERAGE, step_scale=Decimal("1.5"))
    rows, prices = generate(orders), prices_of(orders)

    for index in range(1, len(rows)):
        amounts = [row.amount for row in rows[:index]]
        quantities = [amount / price for amount, price in zip(amounts, prices[:index], strict=True)]
        average = sum(amounts, Decimal(0)) / sum(quantities, Decimal(0))
        step = orders.deviation * orders.step_scale ** Decimal(index - 1)
        assert abs(prices[index] - average * (1 - side.sign * step / 100)) < Decimal("0.001")


@given(
    side=st.sampled_from(list(Side)),
    count=st.integers(1, 49),
    deviation=st.decimals("0.05", "3", places=2),
    step_scale=st.decimals("0.8", "1.3", places=2),
)
def test_leg_n_lies_at_its_deviation_from_the_base_order_and_rounding_does_not_add_up(
    side: Side, count: int, deviation: Decimal, step_scale: Decimal
):
    orders = replace(
        ORDERS, side=side, count=count, deviation=deviation, step_scale=step_scale, volume_scale=Decimal(1)
    )
    try:
        prices = prices_of(orders)
    except SettingsProblem as problem:
        refused = list(problem.errors)
        prices = ()
    else:
        refused = ["deviation"]
    assert refused == ["deviation"]

    total = Decimal(0)
    for number, price in enumerate(prices[1:]):
        total += deviation * step_scale**number
        target = BASE * (1 - side.sign * total / 100)
        # Half a millionth of a percent of the price before it, and never more, however many legs there are.
        assert abs(price - target) <= prices[number] * Decimal("0.6E-8")


@given(count=st.integers(0, 49), volume=st.decimals("0.1", "1.4", places=2), anchor=st.sampled_from(list(Anchor)))
def test_what_is_generated_is_what_the_settings_take(count: int, volume: Decimal, anchor: Anchor):
    orders = replace(ORDERS, count=count, volume_scale=volume, anchor=anchor, deviation=Decimal("0.5"))
    try:
        rows = generate(replace(orders, step_scale=Decimal(1)))
    except SettingsProblem:
        return  # refused at its field: the table below

    raw = [{"amount": plain(row.amount), "gap": plain(row.gap)} for row in rows]
    assert parse_settings({"grids": raw}).grids == rows


REFUSED = [
    ({"count": 30, "step_scale": Decimal("1.3")}, "deviation", "price of zero or less"),
    ({"anchor": Anchor.AVERAGE, "step_scale": Decimal("0.5")}, "deviation", "beyond the order before it"),
    ({"base_order": Decimal("0.02"), "sizes": Sizes.NOTIONAL}, "base_order", "less than a cent"),
    ({"volume_scale": Decimal("0.1"), "count": 6}, "safety_order", "less than a cent"),
    ({"volume_scale": Decimal(10), "count": 8}, "volume_scale", "is the most"),
]


@pytest.mark.parametrize(("change", "field", "words"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_cannot_be_laid_out_is_refused_at_its_field(change, field, words):
    with pytest.raises(SettingsProblem) as refused:
        generate(replace(ORDERS, **change))

    assert list(refused.value.errors) == [field]
    assert words in refused.value.errors[field][0]


GOOD = {"base_order": "100", "safety_order": 50, "safety_orders": "3", "deviation": "1.5%"}
BAD = [
    ({"base_order": ""}, "base_order"),
    ({"base_order": "x"}, "base_order"),
    ({"base_order": 0}, "base_order"),
    ({"safety_order": "-1"}, "safety_order"),
    ({"safety_orders": 50}, "safety_orders"),
    ({"safety_orders": "1.5"}, "safety_orders"),
    ({"deviation": 100}, "deviation"),
    ({"step_scale": "0.01"}, "step_scale"),
    ({"step_scale": True}, "step_scale"),
    ({"volume_scale": []}, "volume_scale"),
    ({"measured_from": "moon"}, "measured_from"),
    ({"sizes": {}}, "sizes"),
    ({"setp_scale": 1}, "setp_scale"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[f"{field}-{index}" for index, (_, field) in enumerate(BAD)])
def test_a_wrong_field_of_the_generator_is_named(change, field):
    with pytest.raises(SettingsProblem) as refused:
        read_safety_orders({**GOOD, **change}, side=Side.LONG, leverage=Decimal(5))

    assert list(refused.value.errors) == [field]


def test_what_is_left_out_scales_by_one_and_counts_from_the_base_order():
    read = read_safety_orders(GOOD, side=Side.SHORT, leverage=Decimal(5))

    assert (read.step_scale, read.volume_scale) == (Decimal(1), Decimal(1))
    assert (read.anchor, read.sizes) == (Anchor.BASE, Sizes.MARGIN)
    assert read.deviation == Decimal("1.5")
