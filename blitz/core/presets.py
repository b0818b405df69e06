"""Three ladders to begin with, sized for the market they are to trade on. Pure.

A preset says distances, proportions and exits as percents of the price. `fit` makes settings of it: as large as the
preset's part of the balance, at least so large that the market takes every leg, with the leverage it allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from blitz.core.generator import SafetyOrders, generate
from blitz.core.instrument import Instrument, smallest_quantity
from blitz.core.ladder import HUNDRED, leg_prices
from blitz.core.ladder_settings import AMOUNT_MAX, LadderSettings, plain
from blitz.core.preview import LadderPreview, preview_ladder, smallest_amount

UNIT = Decimal(1)
"""Base orders are whole USDT."""
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A ladder without sizes."""

    name: str
    leverage: Decimal
    count: int
    """Safety orders; the first one is as large as the base order."""
    deviation: Decimal
    step_scale: Decimal
    volume_scale: Decimal
    take_profit: Decimal
    """Percent of the price."""
    stop_loss: Decimal
    """Percent of the price, beyond every leg; 0 is off."""
    share: Decimal
    """Percent of the balance that the whole ladder takes as margin."""
    amount: Decimal
    """USDT that it takes when nobody knows the balance."""


PRESETS = tuple(
    Preset(
        name=name,
        leverage=Decimal(leverage),
        count=count,
        deviation=Decimal(deviation),
        step_scale=Decimal("1.3"),
        volume_scale=Decimal(volume),
        take_profit=Decimal(take_profit),
        stop_loss=Decimal(stop_loss),
        share=Decimal(share),
        amount=Decimal(amount),
    )
    for name, leverage, count, deviation, volume, take_profit, stop_loss, share, amount in (
        ("careful", 3, 5, "2", "1.2", "1", 15, 10, 300),
        ("balanced", 5, 6, "1.2", "1.35", "0.8", 14, 20, 600),
        ("bold", 10, 7, "0.8", "1.5", "0.5", 0, 40, 1200),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPreset:
    """A preset as it would trade on one market."""

    name: str
    preview: LadderPreview
    says: tuple[str, ...]
    """What it covers, and what it takes."""

    def fields(self) -> Mapping[str, object]:
        """The settings that the preset chooses; the others stay as they are."""
        settings = self.preview.settings.to_json()
        return {name: settings[name] for name in ("leverage", "grids", "rounds", "take_profit", "stop_loss")}


def fit(
    preset: Preset, settings: LadderSettings, instrument: Instrument, price: Decimal, balance: Decimal | None
) -> FittedPreset:
    """Lay `preset` out on the market and the side of `settings`.

    Raises `SettingsProblem` when the market takes no such ladder, whatever its size.
    """
    leverage = _leverage(preset, instrument)
    chosen = replace(
        settings,
        leverage=leverage,
        rounds=preset.count + 1,
        take_profit=preset.take_profit * leverage,
        stop_loss=preset.stop_loss * leverage,
    )
    target = preset.amount if balance is None else balance * preset.share / HUNDRED
    parts = _proportions(preset)
    base = min(target / sum(parts), AMOUNT_MAX / max(parts)).to_integral_value(ROUND_FLOOR)
    least = _least_base(preset, chosen, instrument, price)
    chosen = _sized(preset, chosen, max(base, least))
    preview = preview_ladder(chosen, instrument, price, balance=balance)
    return FittedPreset(name=preset.name, preview=preview, says=_says(preview, balance, is_least=least > base))


def _leverage(preset: Preset, instrument: Instrument) -> Decimal:
    most = min(preset.leverage, instrument.leverage_max)
    steps = ((most / instrument.leverage_step).to_integral_value(ROUND_FLOOR)) * instrument.leverage_step
    return max(steps, instrument.leverage_min)


def _proportions(preset: Preset) -> list[Decimal]:
    """Size of each leg, the base order being 1."""
    return [UNIT, *(preset.volume_scale**number for number in range(preset.count))]


def _sized(preset: Preset, settings: LadderSettings, base: Decimal) -> LadderSettings:
    orders = SafetyOrders(
        side=settings.side,
        leverage=settings.leverage,
        base_order=base,
        safety_order=base,
        count=preset.count,
        deviation=preset.deviation,
        step_scale=preset.step_scale,
        volume_scale=preset.volume_scale,
    )
    return replace(settings, grids=generate(orders))


def _least_base(preset: Preset, settings: LadderSettings, instrument: Instrument, price: Decimal) -> Decimal:
    """The smallest base order, whole USDT, with which the market takes every leg."""
    prices = leg_prices(_sized(preset, settings, UNIT), price, instrument.tick)
    least = max(
        smallest_amount(settings, smallest_quantity(instrument, each), each) / part
        for each, part in zip(prices, _proportions(preset), strict=True)
    )
    return least.to_integral_value(ROUND_CEILING)


def _says(preview: LadderPreview, balance: Decimal | None, *, is_least: bool) -> tuple[str, ...]:
    covered, legs = plain(preview.legs[-1].from_entry_percent), len(preview.legs)
    leverage, margin = plain(preview.settings.leverage), plain(preview.margin.quantize(UNIT))
    said = [f"Covers a move of {covered} % against the entry with {legs} legs at leverage {leverage}."]
    if balance:
        share = plain((preview.margin / balance * HUNDRED).quantize(TENTH))
        said.append(f"All filled, they take {margin} USDT of margin, {share} % of the balance.")
    else:
        said.append(f"All filled, they take {margin} USDT of margin.")
    if is_least:
        said.append("This market takes no less.")
    return tuple(said)
