"""What a trader should know of a ladder that the market would take: it trades, and may not do what was meant. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from blitz.core.going_live import liquidated_before
from blitz.core.ladder_settings import plain
from blitz.core.orders import Side
from blitz.core.preview import LadderPreview, money


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderWarning:
    """One thing worth a second look."""

    code: str
    field: str
    """The setting that it is about."""
    leg: int | None = None
    says: str


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
    leg = next(row.leg for row in preview.legs if row.total_margin + row.entry_fees > free)
    says = (
        f"With every leg filled the ladder takes {_cents(needed)} USDT of margin and fees, and {_cents(free)} USDT are "
        f"there: the exchange will refuse legs from leg {leg} on."
    )
    yield LadderWarning(code="balance_short", field="grids", leg=leg, says=says)


def _rounds_above_legs(preview: LadderPreview) -> Iterator[LadderWarning]:
    settings = preview.settings
    if settings.rounds <= len(settings.grids):
        return
    says = f"There are fewer rows than that; legs used: {len(settings.grids)}."
    yield LadderWarning(code="rounds_above_legs", field="rounds", says=says)


def _legs_never_reached(preview: LadderPreview) -> Iterator[LadderWarning]:
    """Legs that lie beyond where the stop-loss, or the exchange, closes the position of the legs before."""
    side = preview.settings.side
    for before, row in pairwise(preview.legs):
        leg, price = row.leg, plain(row.price)
        if before.stop_loss is not None and _is_beyond(side, row.price, before.stop_loss):
            closes = plain(before.stop_loss)
            says = f"Leg {leg} at {price} is never reached: the stop-loss at {closes} closes the position before."
            yield LadderWarning(code="stop_before_leg", field="stop_loss", leg=leg, says=says)
            return
        if before.liquidation is not None and _is_beyond(side, row.price, before.liquidation):
            closes = plain(before.liquidation)
            says = f"Leg {leg} at {price} is never reached: at about {closes} the exchange liquidates the position."
            yield LadderWarning(code="liquidation_before_leg", field="leverage", leg=leg, says=says)
            return


def _is_beyond(side: Side, price: Decimal, exit_price: Decimal) -> bool:
    """Whether a price that moves against the position meets the exit first, or both at once."""
    return price <= exit_price if side is Side.LONG else price >= exit_price


def _liquidated_first(preview: LadderPreview) -> Iterator[LadderWarning]:
    late = next((row for row in preview.legs if liquidated_before(preview.settings.side, row)), None)
    if late is None:
        return
    leg, liquidation = late.leg, plain(late.liquidation or late.price)
    says = f"With leg {leg} filled the exchange liquidates the position at about {liquidation}, before the stop-loss."
    yield LadderWarning(code="liquidation_before_stop", field="stop_loss", leg=leg, says=says)


def _nothing_earned(preview: LadderPreview) -> Iterator[LadderWarning]:
    for row in preview.legs:
        if row.take_profit_net is not None and row.take_profit_net <= 0:
            leg, loss = row.leg, money(-row.take_profit_net)
            says = f"A take-profit at leg {leg} loses {loss} USDT after fees; set it further away."
            yield LadderWarning(code="fees_above_profit", field="take_profit", leg=leg, says=says)
            return


def _cents(amount: Decimal) -> str:
    return plain(amount.quantize(Decimal("0.01")))
