"""Margin arithmetic: initial and maintenance margin, liquidation prices, and the position and wallet reports.

Pure functions over an account and the markets. Formulas: initial margin is cost / leverage (isolated) or mark
value / leverage (cross); maintenance margin is value × rate − deduction of the risk tier. Nothing changes here.
"""

from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.instruments import Instrument, RiskTier
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, OrderType, Side, StopMode, StopOrderType
from blitz.paper.engine.positions import Holding, Position, Wallet, round_money

HEADROOM_DUST = Decimal("0.000000001")
"""Headroom of no more than this counts as none, so that rounding cannot keep a position between safe and not."""
NO_TIER = RiskTier(limit_value=ZERO, maintenance_rate=ZERO, deduction=ZERO, max_leverage=ZERO)


def tier_of(instrument: Instrument, value: Decimal) -> RiskTier:
    """The risk tier a position value falls into; beyond the last limit, the last."""
    for tier in instrument.tiers:
        if value <= tier.limit_value:
            return tier
    return instrument.tiers[-1]


def maintenance(instrument: Instrument, value: Decimal) -> Decimal:
    """Maintenance margin of a position value.

    Deductions keep it continuous and rates only grow, so the tier that applies is the one that asks for most.
    """
    return max(value * tier.maintenance_rate - tier.deduction for tier in instrument.at_risk)


def initial_margin(holding: Holding, mark: Decimal, leverage: Decimal, *, isolated: bool) -> Decimal:
    """Margin a position keeps occupied."""
    value = holding.cost if isolated else mark * holding.size
    return round_money(value / leverage)


def crossing_prices(
    constant: Decimal, long_size: Decimal, short_size: Decimal, tiers: tuple[RiskTier, ...]
) -> tuple[Decimal | None, Decimal | None]:
    """Where headroom(P) = constant + P·(long − short) − maintenance(P·long) − maintenance(P·short) meets zero.

    Maintenance is the highest of the tier lines, so headroom is the lowest of straight lines, and the first
    crossing in either direction is the nearest root of a line with the right slope. Returns (below, above).
    """
    below: list[Decimal] = []
    above: list[Decimal] = []
    for long_tier in tiers if long_size else (NO_TIER,):
        for short_tier in tiers if short_size else (NO_TIER,):
            kept = long_size * (1 - long_tier.maintenance_rate)
            slope = kept - short_size * (1 + short_tier.maintenance_rate)
            if not slope:
                continue
            root = -(constant + long_tier.deduction + short_tier.deduction) / slope
            (below if slope > 0 else above).append(root)
    return max(below, default=None), min(above, default=None)


def isolated_constant(holding: Holding, leverage: Decimal) -> Decimal:
    """The price-independent part of an isolated position's headroom."""
    margin = initial_margin(holding, ZERO, leverage, isolated=True)
    return margin + holding.cost if holding.side is Side.SELL else margin - holding.cost


def slot_headroom(instrument: Instrument, mark: Decimal, holding: Holding, leverage: Decimal) -> Decimal:
    """What an isolated position can still lose before it is liquidated."""
    moved = isolated_constant(holding, leverage) + holding.signed_size * mark
    return moved - maintenance(instrument, mark * holding.size)


def cross_headroom(floor: Floor, account: Account) -> Decimal:
    """What an account can still lose before its cross positions are liquidated.

    Balance without the margins of isolated positions (and without what is frozen, at a house that counts so), plus
    profit and minus maintenance margin of the cross ones.
    """
    headroom = account.wallet_balance
    if account.house.freezes:
        headroom -= frozen_margin(floor, account)
    for symbol, position_idx in account.open_slots():
        mark, holding = floor.market(symbol).mark, account.holding(symbol, position_idx)
        if account.isolates(symbol):
            headroom -= own_margin(floor, account, symbol, holding)
        else:
            headroom += holding.unrealised(mark) - maintenance(floor.terms(account, symbol), mark * holding.size)
    return headroom


def own_margin(floor: Floor, account: Account, symbol: str, holding: Holding) -> Decimal:
    """What stands behind an isolated position, taken out of the balance for it."""
    return initial_margin(holding, ZERO, floor.settings(account, symbol).leverage(holding.side), isolated=True)


def cross_constant(floor: Floor, account: Account, symbol: str, headroom: Decimal) -> Decimal:
    """The part of a cross account's headroom that does not depend on this symbol's price."""
    mark, terms = floor.market(symbol).mark, floor.terms(account, symbol)
    for position_idx in (0, 1, 2):
        holding = account.holding(symbol, position_idx)
        if holding.size:
            headroom += maintenance(terms, mark * holding.size) - holding.signed_size * mark
    return headroom


def sizes(account: Account, symbol: str) -> tuple[Decimal, Decimal]:
    """Long and short size of a symbol over all slots."""
    held = [account.holding(symbol, position_idx) for position_idx in (0, 1, 2)]
    longs = sum((holding.size for holding in held if holding.side is Side.BUY), ZERO)
    shorts = sum((holding.size for holding in held if holding.side is Side.SELL), ZERO)
    return longs, shorts


def liquidation_price(floor: Floor, account: Account, symbol: str, position_idx: int) -> Decimal:
    """Mark price at which the position is liquidated, to the tick away from safety; 0 when there is none.

    Exact for isolated margin. For cross it holds while every other market stands still.
    """
    holding = account.holding(symbol, position_idx)
    market = floor.market(symbol)
    tiers = floor.terms(account, symbol).at_risk
    if not holding.size:
        return ZERO
    is_long = holding.side is Side.BUY
    if account.isolates(symbol):
        leverage = floor.settings(account, symbol).leverage(holding.side)
        longs, shorts = (holding.size, ZERO) if is_long else (ZERO, holding.size)
        below, above = crossing_prices(isolated_constant(holding, leverage), longs, shorts, tiers)
    else:
        longs, shorts = sizes(account, symbol)
        constant = cross_constant(floor, account, symbol, cross_headroom(floor, account))
        below, above = crossing_prices(constant, longs, shorts, tiers)
    level = below if is_long else above
    if level is None or level <= 0 or level > market.instrument.max_price:
        return ZERO
    return tick_outward(market.instrument, level, falls=is_long)


def tick_outward(instrument: Instrument, price: Decimal, *, falls: bool) -> Decimal:
    """The first price on the tick that reaches `price`: at or below it when falling, at or above when rising."""
    ticks = price // instrument.tick_size
    reached = ticks * instrument.tick_size
    return reached if falls or reached == price else reached + instrument.tick_size


def bankruptcy_price(holding: Holding, leverage: Decimal, instrument: Instrument) -> Decimal:
    """Price at which an isolated position has lost its whole margin: entry × (1 ∓ 1/leverage).

    Rounded to the tick towards the entry, so that the loss never exceeds the margin.
    """
    is_long = holding.side is Side.BUY
    price = holding.average_price * (1 - 1 / leverage if is_long else 1 + 1 / leverage)
    return max(instrument.tick_size, tick_outward(instrument, price, falls=not is_long))


def order_margin(floor: Floor, account: Account, symbol: str, extra: Order | None = None) -> Decimal:
    """Margin that active opening orders of a symbol occupy, `extra` included: value × (1/leverage + taker fee).

    In one-way mode orders against the position are free up to its size, oldest first. Both sides count.
    """
    market = floor.market(symbol)
    settings, taker_fee_rate = floor.settings(account, symbol), floor.terms(account, symbol).taker_fee_rate
    free = {0: account.holding(symbol, 0)}
    covered = free[0].size
    total = ZERO
    orders = [order for order in account.open.values() if order.symbol == symbol and _occupies(order)]
    orders.sort(key=lambda order: order.sequence)
    for order in (*orders, *([extra] if extra is not None else [])):
        quantity = order.leaves_quantity
        if not order.position_idx and order.side is free[0].side.opposite:
            used = min(covered, quantity)
            covered -= used
            quantity -= used
        value = quantity * (order.price or market.last)
        total += value / settings.leverage(order.side) + value * taker_fee_rate
    return round_money(total)


def _occupies(order: Order) -> bool:
    return not order.reduce_only and order.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def frozen_margin(floor: Floor, account: Account) -> Decimal:
    """Margin that active opening orders of all symbols occupy."""
    symbols = dict.fromkeys(order.symbol for order in account.open.values() if _occupies(order))
    return sum((order_margin(floor, account, symbol) for symbol in symbols), ZERO)


def wallet_report(floor: Floor, account: Account) -> Wallet:
    """The account's money at the current marks."""
    unrealised = cross_unrealised = position_margin = maintained = ZERO
    for symbol, position_idx in account.open_slots():
        market, holding = floor.market(symbol), account.holding(symbol, position_idx)
        leverage = floor.settings(account, symbol).leverage(holding.side)
        isolated, profit = account.isolates(symbol), holding.unrealised(market.mark)
        unrealised += profit
        cross_unrealised += ZERO if isolated else profit
        position_margin += initial_margin(holding, market.mark, leverage, isolated=isolated)
        maintained += round_money(maintenance(floor.terms(account, symbol), market.mark * holding.size))
    orders_margin = frozen_margin(floor, account)
    balance = account.wallet_balance
    return Wallet(
        coin="USDT",
        deposited=account.deposited,
        wallet_balance=balance,
        realised=account.realised,
        fees=account.fees,
        funding=account.funding,
        unrealised=unrealised,
        equity=balance + unrealised,
        position_initial_margin=position_margin,
        order_initial_margin=orders_margin,
        maintenance_margin=maintained,
        available=balance + cross_unrealised - position_margin - orders_margin,
    )


def position_report(floor: Floor, account: Account, symbol: str, position_idx: int) -> Position:
    """One slot at the current mark."""
    holding = account.holding(symbol, position_idx)
    market = floor.market(symbol)
    side = holding.side if holding.size else (Side.SELL if position_idx == 2 else Side.BUY)
    leverage = floor.settings(account, symbol).leverage(side)
    stops = _full_stops(account, symbol, position_idx)
    return Position(
        symbol=symbol,
        position_idx=position_idx,
        side=holding.side,
        size=holding.size,
        average_price=holding.average_price,
        value=holding.cost,
        leverage=leverage,
        mark_price=market.mark,
        liquidation_price=liquidation_price(floor, account, symbol, position_idx),
        bankruptcy_price=bankruptcy_price(holding, leverage, market.instrument) if holding.size else ZERO,
        initial_margin=initial_margin(holding, market.mark, leverage, isolated=account.isolates(symbol)),
        maintenance_margin=round_money(maintenance(floor.terms(account, symbol), market.mark * holding.size)),
        unrealised=holding.unrealised(market.mark),
        cycle_realised=holding.cycle_realised,
        total_realised=holding.total_realised,
        take_profit=stops.get(StopOrderType.TAKE_PROFIT, ZERO),
        stop_loss=stops.get(StopOrderType.STOP_LOSS, ZERO),
        tpsl_mode=account.stop_modes.get((symbol, position_idx), StopMode.FULL),
        is_isolated=account.isolates(symbol),
        created_ms=holding.opened_ms,
        updated_ms=holding.updated_ms,
        sequence=floor.ids.counter,
    )


def _full_stops(account: Account, symbol: str, position_idx: int) -> dict[StopOrderType, Decimal]:
    return {
        order.stop_order_type: order.trigger_price
        for order in account.open.values()
        if order.symbol == symbol
        and order.position_idx == position_idx
        and order.stop_order_type.is_position_stop
        and order.order_type is OrderType.MARKET
    }
