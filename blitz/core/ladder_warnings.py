"""What a trader should know of a ladder that the market would take: it trades, and may not do what was meant. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from blitz.core.going_live import liquidated_before
from blitz.core.ladder_settings import plain
from blitz.core.orders import Side
from blitz.core.preview import LadderPreview, LegPreview, money
from blitz.core.sentence import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderWarning:
    """One thing worth a second look."""

    code: str
    field: str
    """The setting that it is about."""
    leg: int | None = None
    says: Sentence


def ladder_warnings(preview: LadderPreview, free: Decimal | None = None) -> list[LadderWarning]:
    """Everything worth a second look. `free` is what may be used as margin, USDT; None when nobody knows."""
    return [
        *_above_balance(preview, free),
        *_rounds_above_legs(preview),
        *_legs_never_reached(preview),
        *_liquidated_first(preview),
        *_nothing_earned(preview),
    ]


def _above_balance(preview: LadderPreview, free: Decimal | None) -> Iterator[LadderWarning]:
    needed = preview.margin + preview.legs[-1].entry_fees
    if free is None or needed <= free:
        return
    words = (
        "With every leg filled the ladder takes {needed} USDT of margin and fees, and {free} USDT are there: the "
        "exchange will refuse legs from leg {leg} on."
    )
    first = next(row.leg for row in preview.legs if row.total_margin + row.entry_fees > free)
    figures = {"needed": _cents(needed), "free": _cents(free), "leg": str(first)}
    yield LadderWarning(code="balance_short", field="grids", leg=first, says=Sentence(words, figures))


def _rounds_above_legs(preview: LadderPreview) -> Iterator[LadderWarning]:
    settings = preview.settings
    if settings.rounds <= len(settings.grids):
        return
    words = "There are fewer rows than that: {rows} legs are used."
    figures = {"rows": str(len(settings.grids))}
    yield LadderWarning(code="rounds_above_legs", field="rounds", says=Sentence(words, figures))


def _legs_never_reached(preview: LadderPreview) -> Iterator[LadderWarning]:
    """Legs that lie beyond where the stop-loss, or the exchange, closes the position of the legs before."""
    side = preview.settings.side
    for before, row in pairwise(preview.legs):
        figures = {"leg": str(row.leg), "price": plain(row.price)}
        if _is_beyond(side, row.price, before.stop_loss):
            words = "Leg {leg} at {price} is never reached: the stop-loss at {exit} closes the position before."
            figures["exit"] = plain(before.stop_loss or row.price)
            yield LadderWarning(code="stop_before_leg", field="stop_loss", leg=row.leg, says=Sentence(words, figures))
            return
        if _is_beyond(side, row.price, before.liquidation):
            words = (
                "Leg {leg} at {price} is never reached: the exchange liquidates the position at about {exit} before."
            )
            figures["exit"] = plain(before.liquidation or row.price)
            yield LadderWarning(
                code="liquidation_before_leg", field="leverage", leg=row.leg, says=Sentence(words, figures)
            )
            return


def _is_beyond(side: Side, price: Decimal, exit_price: Decimal | None) -> bool:
    """Whether a price that moves against the position meets the exit first, or both at once."""
    return exit_price is not None and (price <= exit_price if side is Side.LONG else price >= exit_price)


def _liquidated_first(preview: LadderPreview) -> Iterator[LadderWarning]:
    late = next((row for row in preview.legs if liquidated_before(preview.settings.side, row)), None)
    if late is None:
        return
    words = "With leg {leg} filled the exchange liquidates the position at about {liquidation}, before the stop-loss."
    figures = {"leg": str(late.leg), "liquidation": plain(late.liquidation or late.price)}
    yield LadderWarning(code="liquidation_before_stop", field="stop_loss", leg=late.leg, says=Sentence(words, figures))


def _nothing_earned(preview: LadderPreview) -> Iterator[LadderWarning]:
    poor: LegPreview | None = None
    for row in preview.legs:
        if row.take_profit_net is not None and row.take_profit_net <= 0:
            poor = row
            break
    if poor is None or poor.take_profit_net is None:
        return
    words = "A take-profit at leg {leg} loses {loss} USDT after fees; set it further away."
    figures = {"leg": str(poor.leg), "loss": money(-poor.take_profit_net)}
    yield LadderWarning(code="fees_above_profit", field="take_profit", leg=poor.leg, says=Sentence(words, figures))


def _cents(amount: Decimal) -> str:
    return plain(amount.quantize(Decimal("0.01")))
