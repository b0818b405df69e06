"""What a ladder would do, before it does it: every leg with its price, size, margin, average, targets and fees.

Uses the same functions as the live plan (`core.ladder`), so the table a trader sees is the table that is sent. It also
holds the checks that need a market and a price; they run again right before a bot starts.
"""

from dataclasses import dataclass
from decimal import Decimal

from blitz.core.instrument import Instrument, quantity_up_to_step, smallest_quantity
from blitz.core.ladder import (
    HUNDRED,
    leg_prices,
    leg_quantity,
    liquidation_estimate,
    stop_loss_price,
    take_profit_price,
)
from blitz.core.ladder_settings import LadderSettings, MarginMode, plain
from blitz.core.orders import ZERO
from blitz.errors import SettingsProblem

PERCENT = Decimal("0.01")
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPreview:
    """One leg, and the position as it would be once this leg and all before it are filled."""

    leg: int
    price: Decimal
    quantity: Decimal
    amount: Decimal
    """Margin the trader gave this leg, USDT."""
    margin: Decimal
    """Margin it really takes after rounding the quantity down."""
    notional: Decimal
    from_entry_percent: Decimal
    """How far the price has moved against the entry when this leg fills."""
    average: Decimal
    take_profit: Decimal | None
    stop_loss: Decimal | None
    total_margin: Decimal
    entry_fees: Decimal
    """Fees of this leg and all before it: taker for leg 0, maker for the others."""
    liquidation: Decimal | None
    smallest_amount: Decimal
    """The least margin that this leg works with, USDT in whole cents."""
    share_percent: Decimal
    """Its part of all amounts."""
    take_profit_net: Decimal | None
    """What a take-profit here earns after the fees of all entries and its own, as maker, USDT."""
    stop_loss_net: Decimal | None
    """What a stop-loss here costs after the fees of all entries and its own, as taker, USDT; slippage left out."""
    bounce_percent: Decimal | None
    """How far the price has to come back from this leg to its take-profit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPreview:
    """A whole ladder at one price."""

    settings: LadderSettings
    instrument: Instrument
    price: Decimal
    legs: tuple[LegPreview, ...]
    balance: Decimal | None = None
    """USDT, as it was handed in."""

    @property
    def margin(self) -> Decimal:
        """Worst case: margin with every leg filled."""
        return self.legs[-1].total_margin

    @property
    def notional(self) -> Decimal:
        """Worst case: value of the position with every leg filled."""
        return sum((row.notional for row in self.legs), ZERO)

    def to_json(self) -> dict[str, object]:
        """The API's form; numbers are strings, percents to two places."""
        settings = self.settings
        return {
            "symbol": settings.symbol,
            "side": settings.side.value,
            "mode": settings.mode.value,
            "margin_mode": settings.margin_mode.value,
            "price": plain(self.price),
            "leverage": plain(settings.leverage),
            "legs": [_leg_json(row) for row in self.legs],
            "total": {
                "margin": money(self.margin),
                "amount": money(sum((row.amount for row in settings.legs), ZERO)),
                "notional": money(self.notional),
                "entry_fees": money(self.legs[-1].entry_fees),
                "coverage_percent": plain(self.legs[-1].from_entry_percent),
            },
            "take_profit": _target_json(settings.take_profit, settings.leverage),
            "stop_loss": _target_json(settings.stop_loss, settings.leverage),
            "instrument": rules_json(self.instrument),
        }


def preview_ladder(
    settings: LadderSettings, instrument: Instrument, price: Decimal, *, balance: Decimal | None = None
) -> LadderPreview:
    """Lay the ladder out at `price`.

    Where a cross position would be liquidated depends on the `balance` (USDT); without it the estimate is left out.
    Raises `SettingsProblem` when the market would refuse any part of it.
    """
    check_tradable(settings, instrument, price)
    rows: list[LegPreview] = []
    quantity = cost = margin = fees = ZERO
    amounts = sum((row.amount for row in settings.legs), ZERO)
    for index, leg_price in enumerate(leg_prices(settings, price, instrument.tick)):
        size = leg_quantity(settings, index, leg_price, instrument.step)
        notional = size * leg_price
        quantity, cost, margin = quantity + size, cost + notional, margin + notional / settings.leverage
        fees += notional * (instrument.taker_rate if index == 0 else instrument.maker_rate)
        average = cost / quantity
        behind = balance if settings.margin_mode is MarginMode.CROSS else margin
        take_profit = take_profit_price(settings, average, instrument.tick)
        stop_loss = stop_loss_price(settings, average, instrument.tick)
        earned = _Exit(settings, quantity, cost, fees)
        rows.append(
            LegPreview(
                leg=index,
                price=leg_price,
                quantity=size,
                amount=settings.grids[index].amount,
                margin=notional / settings.leverage,
                notional=notional,
                from_entry_percent=_apart(leg_price, price),
                average=average,
                take_profit=take_profit,
                stop_loss=stop_loss,
                total_margin=margin,
                entry_fees=fees,
                liquidation=None
                if behind is None
                else liquidation_estimate(settings, instrument, quantity, average, behind),
                smallest_amount=smallest_amount(settings, smallest_quantity(instrument, leg_price), leg_price),
                share_percent=(settings.grids[index].amount / amounts * HUNDRED).quantize(TENTH),
                take_profit_net=earned.net(take_profit, instrument.maker_rate),
                stop_loss_net=earned.net(stop_loss, instrument.taker_rate),
                bounce_percent=None if take_profit is None else _apart(take_profit, leg_price),
            )
        )
    return LadderPreview(settings=settings, instrument=instrument, price=price, legs=tuple(rows), balance=balance)


@dataclass(frozen=True, slots=True)
class _Exit:
    """The whole position, as it could be closed at once."""

    settings: LadderSettings
    quantity: Decimal
    cost: Decimal
    entry_fees: Decimal

    def net(self, price: Decimal | None, fee_rate: Decimal) -> Decimal | None:
        """Profit or loss after all fees, USDT."""
        if price is None:
            return None
        brings = price * self.quantity
        return self.settings.side.sign * (brings - self.cost) - self.entry_fees - brings * fee_rate


def _apart(price: Decimal, origin: Decimal) -> Decimal:
    return ((price / origin - 1).copy_abs() * HUNDRED).quantize(PERCENT)


def check_tradable(settings: LadderSettings, instrument: Instrument, price: Decimal) -> None:
    """Raise `SettingsProblem` with every reason why this market would refuse the ladder at `price`."""
    errors: dict[str, list[str]] = {}
    if not instrument.trading:
        errors["symbol"] = [f"{settings.symbol} does not trade at the moment; choose another market."]
    if settings.leverage > instrument.leverage_max:
        most = plain(instrument.leverage_max)
        errors["leverage"] = [f"{plain(settings.leverage)} is above this market's limit; choose at most {most}."]
    elif settings.leverage % instrument.leverage_step:
        errors["leverage"] = [f"must be a multiple of {plain(instrument.leverage_step)} on this market."]
    refused = _legs_refused(settings, instrument, price)
    if refused:
        errors["grids"] = refused
    if not refused and _beyond_zero(settings, instrument, price):
        errors["stop_loss"] = ["lies at a price of zero or less and can never trigger; choose a smaller one."]
    if errors:
        raise SettingsProblem(errors)


def _legs_refused(settings: LadderSettings, instrument: Instrument, price: Decimal) -> list[str]:
    """One sentence for each leg that the venue would not take, with the amount that would work."""
    sentences: list[str] = []
    previous: Decimal | None = None
    for index, leg_price in enumerate(leg_prices(settings, price, instrument.tick)):
        if not instrument.price_min <= leg_price <= instrument.price_max or leg_price <= 0:
            sentences.append(
                f"Leg {index}: its price {plain(leg_price)} is outside what the market takes "
                f"({plain(instrument.price_min)} to {plain(instrument.price_max)}); use smaller gaps."
            )
            break
        if index and leg_price == previous:
            sentences.append(f"Leg {index}: its gap is smaller than the market's price step; use a larger gap.")
            break
        previous = leg_price
        size = leg_quantity(settings, index, leg_price, instrument.step)
        least = smallest_quantity(instrument, leg_price)
        most = instrument.market_quantity_max if index == 0 else instrument.quantity_max
        if size < least:
            sentences.append(
                f"Leg {index}: {money(settings.grids[index].amount)} USDT buys {plain(size)}, below the market's "
                f"minimum of {plain(least)}; the smallest amount that works is "
                f"{plain(smallest_amount(settings, least, leg_price))} USDT."
            )
        elif size > most:
            sentences.append(f"Leg {index}: {plain(size)} is above the market's maximum of {plain(most)} per order.")
    return sentences


def smallest_amount(settings: LadderSettings, least: Decimal, price: Decimal) -> Decimal:
    """The smallest margin, in whole cents of USDT, that buys `least` at `price` with this leverage."""
    return quantity_up_to_step(least * price / settings.leverage, PERCENT)


def _beyond_zero(settings: LadderSettings, instrument: Instrument, price: Decimal) -> bool:
    stop = stop_loss_price(settings, price, instrument.tick)
    return stop is not None and stop <= 0


def money(amount: Decimal) -> str:
    """USDT to at most four places, for people."""
    return plain(amount.quantize(Decimal("0.0001")))


def _price(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)


def _target_json(roe: Decimal, leverage: Decimal) -> dict[str, str] | None:
    """A target both ways: as return on margin, as the trader set it, and as a move of the price."""
    if roe == 0:
        return None
    return {"roe_percent": plain(roe), "price_percent": plain((roe / leverage).quantize(Decimal("0.0001")))}


def _leg_json(row: LegPreview) -> dict[str, object]:
    return {
        "leg": row.leg,
        "price": plain(row.price),
        "quantity": plain(row.quantity),
        "amount": plain(row.amount),
        "margin": money(row.margin),
        "notional": money(row.notional),
        "from_entry_percent": plain(row.from_entry_percent),
        "average": plain(row.average.quantize(Decimal("0.00000001"))),
        "take_profit": _price(row.take_profit),
        "stop_loss": _price(row.stop_loss),
        "total_margin": money(row.total_margin),
        "entry_fees": money(row.entry_fees),
        "liquidation": _price(row.liquidation),
        "smallest_amount": plain(row.smallest_amount),
        "share_percent": plain(row.share_percent),
        "take_profit_net": None if row.take_profit_net is None else money(row.take_profit_net),
        "stop_loss_net": None if row.stop_loss_net is None else money(row.stop_loss_net),
        "bounce_percent": _price(row.bounce_percent),
    }


def rules_json(rules: Instrument) -> dict[str, str | None]:
    """What a market allows, for people: fees as percents, what has no limit as null."""
    return {
        "symbol": rules.symbol,
        "tick": plain(rules.tick),
        "step": plain(rules.step),
        "quantity_min": plain(rules.quantity_min),
        "quantity_max": _limit(rules.quantity_max),
        "market_quantity_max": _limit(rules.market_quantity_max),
        "notional_min": plain(rules.notional_min),
        "leverage_min": plain(rules.leverage_min),
        "leverage_max": plain(rules.leverage_max),
        "leverage_step": plain(rules.leverage_step),
        "taker_percent": plain(rules.taker_rate * HUNDRED),
        "maker_percent": plain(rules.maker_rate * HUNDRED),
        "maintenance_percent": plain(rules.maintenance_rate * HUNDRED),
    }


def _limit(number: Decimal) -> str | None:
    return plain(number) if number.is_finite() else None
