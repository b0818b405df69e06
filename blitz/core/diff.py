"""The gap between the plan and what rests, as a list of actions. Empty when they agree.

Nothing is performed here. Applying the answer to the resting orders makes the next answer empty (after one round more
where an order of the wrong kind has to go first); that sentence is a property test. Only orders that were read as ours
are ever handed in, so nothing foreign can be cancelled (S4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from blitz.core.orders import DesiredOrder, OpenOrder, OrderKey, OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Send this order; nothing of its tag rests."""

    order: DesiredOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend:
    """Change a resting order in place; fields that are None stay as they are."""

    key: OrderKey
    resting: OpenOrder
    quantity: Decimal | None
    """The new total, the filled part included."""
    price: Decimal | None
    trigger: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take back a resting order of ours."""

    key: OrderKey
    resting: OpenOrder


Action = Create | Amend | Cancel


def diff(desired: Sequence[DesiredOrder], resting: Mapping[OrderKey, OpenOrder]) -> tuple[Action, ...]:
    """Compare the plan with our resting orders.

    First whatever protects (exits created or moved), then cancels, then new legs: a position is covered before the
    ladder grows, and margin is freed before it is asked for.
    """
    protecting: list[Action] = []
    cancels: list[Action] = []
    growing: list[Action] = []
    wanted = {order.key: order for order in desired}
    for key, standing in resting.items():
        if key not in wanted or not _same_kind(wanted[key], standing):
            cancels.append(Cancel(key=key, resting=standing))
    for order in desired:
        action = _missing_or_moved(order, resting.get(order.key))
        if action is not None:
            (protecting if order.reduce_only else growing).append(action)
    return (*protecting, *cancels, *growing)


def _missing_or_moved(wanted: DesiredOrder, resting: OpenOrder | None) -> Action | None:
    if resting is None:
        return Create(order=wanted)
    if not _same_kind(wanted, resting):
        return None  # cancelled first; the next pass finds it missing
    quantity = None if resting.remaining == wanted.quantity else resting.filled + wanted.quantity
    price = None if resting.price == wanted.price or wanted.price is None else wanted.price
    trigger = None if resting.trigger == wanted.trigger or wanted.trigger is None else wanted.trigger
    if quantity is None and price is None and trigger is None:
        return None
    return Amend(key=wanted.key, resting=resting, quantity=quantity, price=price, trigger=trigger)


def _same_kind(wanted: DesiredOrder, resting: OpenOrder) -> bool:
    """An amend can move an order but never turn a limit into a market order or a buy into a sell."""
    same_type = wanted.type is resting.type and wanted.type is not OrderType.MARKET
    # Where long and short are kept apart, side and direction say that an order only closes; the flag may be missing.
    same_reach = wanted.reduce_only == resting.reduce_only or resting.side is not None
    return same_type and wanted.direction is resting.direction and same_reach
