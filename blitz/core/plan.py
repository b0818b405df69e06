"""The plan: which orders should rest right now.

A pure function of the frozen settings, the market's rules and what was filled so far. What rests is no matter of its
own (but for the rest of a leg that could not be sent again); `core.diff` compares. Order of the answer is the order of
work: take-profit, stop-loss, then legs, nearest first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.core.instrument import Instrument, quantity_down_to_step
from blitz.core.ladder import leg_prices, leg_quantity, stop_loss_price, take_profit_price
from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, DesiredOrder, OrderKey, OrderType, leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is true of a cycle at this moment."""

    settings: LadderSettings
    instrument: Instrument
    quantity: Decimal
    """The position, never negative."""
    average: Decimal
    """Average entry price of the position; meaningless when flat."""
    entry_price: Decimal | None = None
    """Average fill price of leg 0 once its order is done; None before."""
    leg_filled: Mapping[int, Decimal] = field(default_factory=dict)
    """Filled quantity per leg index."""
    resting_legs: Collection[int] = ()
    """Legs that rest already: what is left of one may be smaller than a new order could be."""
    resting_exits: Mapping[OrderKey, Decimal] = field(default_factory=dict)
    """What rests of each exit: one that covers the position is left alone, though new rules would round it."""
    reserved: Mapping[OrderKey, Decimal] = field(default_factory=dict)
    """What orders of others leave nothing to close of, per exit that finds them in its way."""
    entries_allowed: bool = True
    """False while legs must not be added: the cycle is closing, or something blocks entries."""
    close_at_market: bool = False
    """The trader asked to close the position now."""


def plan(situation: Situation) -> tuple[DesiredOrder, ...]:
    """Answer the orders that should rest now. Flat means: nothing."""
    if situation.quantity <= 0:
        return ()
    exits = [order for order in (_take_profit(situation), _stop_loss(situation)) if order is not None]
    return (*exits, *_legs(situation))


def _take_profit(situation: Situation) -> DesiredOrder | None:
    direction = situation.settings.side.closing
    quantity = _exit_quantity(situation, TAKE_PROFIT)
    if quantity == 0:
        return None
    if situation.close_at_market:
        return DesiredOrder(key=TAKE_PROFIT, type=OrderType.MARKET, direction=direction, quantity=quantity)
    price = take_profit_price(situation.settings, situation.average, situation.instrument.tick)
    if price is None:
        return None
    return DesiredOrder(key=TAKE_PROFIT, type=OrderType.LIMIT, direction=direction, quantity=quantity, price=price)


def _stop_loss(situation: Situation) -> DesiredOrder | None:
    trigger = stop_loss_price(situation.settings, situation.average, situation.instrument.tick)
    quantity = _exit_quantity(situation, STOP_LOSS)
    if trigger is None or quantity == 0:
        return None
    return DesiredOrder(
        key=STOP_LOSS,
        type=OrderType.STOP_MARKET,
        direction=situation.settings.side.closing,
        quantity=quantity,
        trigger=trigger,
    )


def _exit_quantity(situation: Situation, key: OrderKey) -> Decimal:
    """The whole position, in steps the venue takes; less than one step is nothing that could be asked for (C5, C6)."""
    quantity = max(situation.quantity - situation.reserved.get(key, ZERO), ZERO)
    if situation.resting_exits.get(key) == quantity:
        return quantity
    return quantity_down_to_step(quantity, situation.instrument.step)


def _legs(situation: Situation) -> list[DesiredOrder]:
    """The limit legs that are not filled yet; what a partly filled one still lacks."""
    if not situation.entries_allowed or situation.entry_price is None:
        return []
    settings, instrument = situation.settings, situation.instrument
    wanted = []
    for index, price in enumerate(leg_prices(settings, situation.entry_price, instrument.tick)):
        if index == 0:
            continue
        whole = leg_quantity(settings, index, price, instrument.step)
        lacking = quantity_down_to_step(whole - situation.leg_filled.get(index, ZERO), instrument.step)
        # A remainder below the venue's minimum may go on resting but cannot be sent: the leg then counts as filled.
        sendable = lacking >= instrument.quantity_min and lacking * price >= instrument.notional_min
        if sendable or (lacking > 0 and index in situation.resting_legs):
            wanted.append(
                DesiredOrder(
                    key=leg(index),
                    type=OrderType.LIMIT,
                    direction=settings.side.opening,
                    quantity=lacking,
                    price=price,
                )
            )
    return wanted
