"""Legs from the field's own vocabulary: base order, safety orders, price deviation, step scale, volume scale.

What is stored and traded is always `grids`, whose gaps count from the previous leg. Others count from elsewhere, so the
distances are converted here. With d the deviation, s the step scale and n the number of the safety order, leg n lies at

- `base` (3Commas, Bitget): P0 · (1 ∓ d · (1 + s + … + sⁿ⁻¹) / 100), from the price of the base order;
- `previous` (the stored form): Pₙ₋₁ · (1 ∓ d · sⁿ⁻¹ / 100), from the leg before;
- `average` (Bybit's own bot, passivbot): Aₙ₋₁ · (1 ∓ d · sⁿ⁻¹ / 100), from the average of all legs before.

The sign is minus for a long and plus for a short. Safety order n takes v · as much as the one before it, v being the
volume scale: 3Commas, and Bybit by order cost. Prices are in units of the base order's price: no market is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from blitz.core.ladder import HUNDRED
from blitz.core.ladder_settings import AMOUNT_MAX, LEGS_MAX, GridRow, bounded, plain
from blitz.core.orders import ZERO, Side
from blitz.errors import SettingsProblem

CENT = Decimal("0.01")
GAP_PLACES = Decimal("0.000001")
"""A millionth of a percent: less than any market's tick, and rounding does not add up, see `_gap`."""
GAP_MAX = Decimal(99)
SCALE_LEAST, SCALE_MOST = Decimal("0.1"), Decimal(10)


class Anchor(StrEnum):
    """From which price a deviation counts."""

    BASE = "base"
    PREVIOUS = "previous"
    AVERAGE = "average"


class Sizes(StrEnum):
    """What the sizes of orders are: vendors differ."""

    MARGIN = "margin"
    """Margin, as `grids` has it: the position is leverage times as large."""
    NOTIONAL = "notional"
    """The value of the order, leverage included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyOrders:
    """A ladder as others describe it."""

    side: Side
    leverage: Decimal
    base_order: Decimal
    """USDT, see `sizes`."""
    safety_order: Decimal
    """Size of the first safety order, USDT."""
    count: int
    """How many safety orders; the base order is not one."""
    deviation: Decimal
    """Distance of the first safety order, percent of the price that `anchor` names."""
    step_scale: Decimal
    volume_scale: Decimal
    anchor: Anchor = Anchor.BASE
    sizes: Sizes = Sizes.MARGIN


def generate(orders: SafetyOrders) -> tuple[GridRow, ...]:
    """The legs, base order first. Raises `SettingsProblem` with what cannot be laid out."""
    amounts = _amounts(orders)
    rows = [GridRow(amount=amounts[0], gap=ZERO)]
    price, cost, quantity = Decimal(1), amounts[0], amounts[0]  # in units of the base order's price
    step = deviations = orders.deviation
    sign = orders.side.sign
    for number, amount in enumerate(amounts[1:], start=1):
        origin, percent = {
            Anchor.BASE: (Decimal(1), deviations),
            Anchor.PREVIOUS: (price, step),
            Anchor.AVERAGE: (cost / quantity, step),
        }[orders.anchor]
        gap = _gap(number, price, origin * (1 - sign * percent / HUNDRED), orders)
        price *= 1 - sign * gap / HUNDRED
        rows.append(GridRow(amount=amount, gap=gap))
        cost, quantity = cost + amount, quantity + amount / price
        step *= orders.step_scale
        deviations += step
    return tuple(rows)


def _gap(number: int, previous: Decimal, target: Decimal, orders: SafetyOrders) -> Decimal:
    """Percent from `previous`, the price that the rounded gaps so far lead to: so what is rounded off never adds up."""
    gap = (orders.side.sign * (1 - target / previous) * HUNDRED).quantize(GAP_PLACES, ROUND_HALF_UP)
    if target <= 0:
        refused = f"Safety order {number} would lie at a price of zero or less; choose fewer or a smaller step scale."
    elif gap <= 0:
        refused = f"Safety order {number} would not lie beyond the order before it; choose a larger deviation or scale."
    elif gap > GAP_MAX:
        refused = (
            f"Safety order {number} would lie {plain(gap)} % from the order before it; {plain(GAP_MAX)} % is the most."
        )
    else:
        return gap
    raise SettingsProblem({"deviation": [refused]})


def _amounts(orders: SafetyOrders) -> list[Decimal]:
    """Margin of each leg in whole cents. Raises `SettingsProblem` for one that is too small or too large to write."""
    divisor = orders.leverage if orders.sizes is Sizes.NOTIONAL else Decimal(1)
    sizes, size = [orders.base_order], orders.safety_order
    for _ in range(orders.count):
        sizes.append(size)
        size *= orders.volume_scale
    amounts = [(each / divisor).quantize(CENT, ROUND_HALF_UP) for each in sizes]
    for number, amount in enumerate(amounts):
        field = "safety_order" if number else "base_order"
        if amount <= 0:
            said = f"Leg {number} would be less than a cent of margin; choose a larger size or scale."
            raise SettingsProblem({field: [said]})
        if amount > AMOUNT_MAX:
            most = plain(AMOUNT_MAX)
            said = f"Leg {number} would take {plain(amount)} USDT; {most} is the most. Choose a smaller size or scale."
            raise SettingsProblem({"volume_scale" if number > 1 else field: [said]})
    return amounts


def coverage_percent(rows: Sequence[GridRow], side: Side) -> Decimal:
    """How far the last leg lies from the entry, percent of its price to two places."""
    price = Decimal(1)
    for row in rows[1:]:
        price *= 1 - side.sign * row.gap / HUNDRED
    return ((price - 1).copy_abs() * HUNDRED).quantize(Decimal("0.01"))


DEFAULTS: Mapping[str, object] = {"step_scale": 1, "volume_scale": 1, "measured_from": "base", "sizes": "margin"}
"""What a field that is left out means; the others are needed."""
LIMITS: Mapping[str, tuple[Decimal, Decimal]] = {
    "base_order": (CENT, AMOUNT_MAX),
    "safety_order": (CENT, AMOUNT_MAX),
    "safety_orders": (ZERO, Decimal(LEGS_MAX - 1)),
    "deviation": (Decimal("0.001"), GAP_MAX),
    "step_scale": (SCALE_LEAST, SCALE_MOST),
    "volume_scale": (SCALE_LEAST, SCALE_MOST),
}


def read_safety_orders(raw: Mapping[str, object], *, side: Side, leverage: Decimal) -> SafetyOrders:
    """Read a generator's fields from plain data. Raises `SettingsProblem` with every field that is wrong."""
    errors: dict[str, list[str]] = {}
    known = {*LIMITS, "measured_from", "sizes"}
    for unknown in sorted(set(map(str, raw)) - known):
        errors[unknown[:40]] = [f"is not known here; the fields are {', '.join([*LIMITS, 'measured_from', 'sizes'])}."]
    given = {**DEFAULTS, **raw}
    numbers: dict[str, Decimal] = {}
    for field, (least, most) in LIMITS.items():
        if given.get(field) in (None, ""):
            errors[field] = [f"is missing; choose {plain(least)} to {plain(most)}."]
            continue
        try:
            numbers[field] = bounded(given[field], least=least, most=most)
        except ValueError as problem:
            errors[field] = [str(problem)]
    count = numbers.get("safety_orders", ZERO)
    if count != count.to_integral_value():
        errors["safety_orders"] = [f"{plain(count)} is not a whole number."]
    anchor, sizes = str(given["measured_from"]), str(given["sizes"])
    if anchor not in set(Anchor):
        errors["measured_from"] = [f"choose {', '.join(Anchor)}."]
    if sizes not in set(Sizes):
        errors["sizes"] = [f"choose {' or '.join(Sizes)}."]
    if errors:
        raise SettingsProblem(errors)
    return SafetyOrders(
        side=side,
        leverage=leverage,
        base_order=numbers["base_order"],
        safety_order=numbers["safety_order"],
        count=int(count),
        deviation=numbers["deviation"],
        step_scale=numbers["step_scale"],
        volume_scale=numbers["volume_scale"],
        anchor=Anchor(anchor),
        sizes=Sizes(sizes),
    )
