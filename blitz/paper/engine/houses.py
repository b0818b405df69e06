"""Houses: what one exchange's rules leave different from another's, as one immutable value that an account carries.

Markets, prices and matching are the same for everybody; an account of a house trades them by that house's rules and
on its terms (fees, smallest orders, risk tiers). Read wherever a rule differs; nothing here has state.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from blitz.paper.engine.instruments import Instrument, RiskTier


class HouseName(StrEnum):
    """The exchanges this venue can be."""

    BYBIT = "bybit"
    BINGX = "bingx"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rules of one exchange."""

    name: HouseName
    link_id: re.Pattern[str]
    """What a client id may look like."""
    folds_link_ids: bool = False
    """Client ids are kept in lower case, whatever was sent."""
    names_conditionals: bool = True
    """Conditional orders keep their client id too."""
    numbers_ids: bool = False
    """Order and trade ids are numbers rather than UUIDs."""
    truncates: bool = False
    """Digits beyond tick and step are cut off rather than refused."""
    starts_in_hedge: bool = False
    """The position mode of a new account."""
    reduce_only_in_hedge: bool = True
    """A hedged account may mark orders as reduce-only."""
    leverage_by_side: bool = False
    """Long and short may differ in every mode with two sides, not only with isolated margin."""
    reserves: bool = False
    """Closing orders reserve what they close: one above what is left is refused, never cut."""
    freezes: bool = False
    """What opening orders have frozen does not stand behind cross positions."""
    refuses_taking_post_only: bool = False
    """A post-only order that would take is refused rather than accepted and cancelled."""
    reports_settings: bool = False
    """A change of leverage or margin mode is an event."""
    conditional_orders_max: int
    """Untriggered conditional orders one account may have per symbol, position stops apart."""
    terms: Callable[[Instrument], Instrument]
    """A market on the house's terms."""


def _as_listed(instrument: Instrument) -> Instrument:
    return instrument


BINGX_TAKER_FEE_RATE = Decimal("0.0005")
BINGX_MAKER_FEE_RATE = Decimal("0.0002")
BINGX_MIN_NOTIONAL = Decimal(2)


def _tier(limit: str, rate: str, deduction: str, leverage: str) -> RiskTier:
    return RiskTier(
        limit_value=Decimal(limit), maintenance_rate=Decimal(rate), deduction=Decimal(deduction),
        max_leverage=Decimal(leverage),
    )  # fmt: skip


BINGX_BTC_TIERS = (
    _tier("150000", "0.0038", "0", "100"),
    _tier("900000", "0.004", "30", "100"),
    _tier("2000000", "0.005", "930", "75"),
    _tier("10000000", "0.01", "10930", "50"),
    _tier("50000000", "0.025", "160930", "20"),
)
"""The first two as recorded from swap/v1/maintMarginRatio; the others go on from there, continuous at each limit."""


def _bingx_terms(instrument: Instrument) -> Instrument:
    tiers = BINGX_BTC_TIERS if instrument.symbol == "BTCUSDT" else instrument.tiers
    # Risk is (maintenance + fee of closing) / (margin + profit), so at liquidation the fee is part of the rate.
    closing = tuple(replace(tier, maintenance_rate=tier.maintenance_rate + BINGX_TAKER_FEE_RATE) for tier in tiers)
    return replace(
        instrument,
        taker_fee_rate=BINGX_TAKER_FEE_RATE,
        maker_fee_rate=BINGX_MAKER_FEE_RATE,
        min_notional=BINGX_MIN_NOTIONAL,
        # Steps are digits after the point there: no step is larger than one.
        quantity_step=min(instrument.quantity_step, Decimal(1)),
        leverage_step=Decimal(1),
        tiers=tiers,
        closing_tiers=closing,
    )


BYBIT = House(
    name=HouseName.BYBIT,
    link_id=re.compile(r"[0-9A-Za-z_-]{1,36}"),
    conditional_orders_max=10,
    terms=_as_listed,
)
"""Bybit V5, unified account, linear contracts."""

BINGX = House(
    name=HouseName.BINGX,
    link_id=re.compile(r"[!-~]{1,40}"),
    folds_link_ids=True,
    names_conditionals=False,
    numbers_ids=True,
    truncates=True,
    starts_in_hedge=True,
    reduce_only_in_hedge=False,
    leverage_by_side=True,
    reserves=True,
    freezes=True,
    refuses_taking_post_only=True,
    reports_settings=True,
    conditional_orders_max=200,
    terms=_bingx_terms,
)
"""BingX perpetual futures. Which signs an id may have is not published, so all printable ones pass."""

HOUSES: dict[HouseName, House] = {house.name: house for house in (BYBIT, BINGX)}
