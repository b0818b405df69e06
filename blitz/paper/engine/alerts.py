"""Liquidation alerts: the prices at which an account must be looked at, kept in each market's index.

Set again after everything that changes an account's money or size, so that a price move never has to visit
accounts it does not concern. For one position the alert is its liquidation price. A cross account with several
symbols gets, per symbol, the price at which that symbol alone has used up its equal share of the headroom:
until one alert is reached the account cannot be in danger, and reaching one re-deals the shares.
"""

from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.levels import Level, LevelIndex
from blitz.paper.engine.margin import (
    cross_constant,
    cross_headroom,
    crossing_prices,
    isolated_constant,
    sizes,
    tick_outward,
)
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import ZERO, Side


def rearm(floor: Floor, account: Account) -> None:
    """Recompute every alert of an account."""
    held = dict.fromkeys(symbol for symbol, _ in account.open_slots())
    crossed = [symbol for symbol in held if not account.isolates(symbol)]
    headroom = cross_headroom(floor, account) if crossed else ZERO
    for symbol in held:
        market = floor.market(symbol)
        if account.isolates(symbol):
            below, above = _isolated_alerts(floor, account, market)
        else:
            share = headroom / len(crossed)
            constant = cross_constant(floor, account, symbol, headroom) - (headroom - share)
            below, above = crossing_prices(constant, *sizes(account, symbol), floor.terms(account, symbol).at_risk)
        _disarm(market, account)
        armed = _armed(market, market.alerts_below, account, below), _armed(market, market.alerts_above, account, above)
        market.alerts[account.key] = armed
        for level, index in zip(armed, (market.alerts_below, market.alerts_above), strict=True):
            if level is not None and index.is_reached(level, market.mark):
                floor.endangered[account.key] = symbol
    for symbol in account.armed:
        if symbol not in held:
            _disarm(floor.market(symbol), account)
    account.armed = held


def _isolated_alerts(floor: Floor, account: Account, market: Market) -> tuple[Decimal | None, Decimal | None]:
    symbol = market.instrument.symbol
    tiers = floor.terms(account, symbol).at_risk
    below = above = None
    for position_idx in (0, 1, 2):
        holding = account.holding(symbol, position_idx)
        if not holding.size:
            continue
        is_long = holding.side is Side.BUY
        constant = isolated_constant(holding, floor.settings(account, symbol).leverage(holding.side))
        longs, shorts = (holding.size, ZERO) if is_long else (ZERO, holding.size)
        under, over = crossing_prices(constant, longs, shorts, tiers)
        below, above = (under, above) if is_long else (below, over)
    return below, above


def _armed(market: Market, index: LevelIndex, account: Account, price: Decimal | None) -> Level | None:
    if price is None or (index.falls and price < market.instrument.tick_size):
        return None
    level = index.level(tick_outward(market.instrument, price, falls=index.falls), account.user_id, account.key, "")
    index.add(level)
    return level


def _disarm(market: Market, account: Account) -> None:
    below, above = market.alerts.pop(account.key, (None, None))
    if below is not None:
        market.alerts_below.remove(below)
    if above is not None:
        market.alerts_above.remove(above)
