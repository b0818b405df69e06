"""Whether an order may be placed: every check that comes before anything happens, and the order made from a request.

Called by the order desk for new and amended orders. Raises `VenueRefusal`; changes nothing.
"""

from dataclasses import replace
from decimal import Decimal

from blitz.paper.engine import refusals
from blitz.paper.engine.accounts import Account
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.followers import closable, reserved, stopped
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.margin import order_margin, tier_of, wallet_report
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import (
    ZERO,
    IdRegime,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StopOrderType,
    TimeInForce,
    TriggerDirection,
)
from blitz.paper.engine.position_stops import check_stop_price, check_stop_side
from blitz.paper.engine.refusals import PARAMETER_ERROR, VenueRefusal

ACTIVE_ORDERS_MAX = 500
"""Active orders one account may have per symbol."""


def as_taken(account: Account, request: OrderRequest, terms: Instrument) -> OrderRequest:
    """The request as the account's house takes it: its client id folded or dropped, surplus digits cut off."""
    house, link_id = account.house, request.link_id
    if house.folds_link_ids:
        link_id = link_id.lower()
    if request.trigger_price and not house.names_conditionals:
        link_id = ""
    if not house.truncates:
        return replace(request, link_id=link_id) if link_id != request.link_id else request
    return replace(
        request,
        link_id=link_id,
        quantity=truncated(request.quantity, terms.quantity_step),
        price=None if request.price is None else truncated(request.price, terms.tick_size),
        trigger_price=None if request.trigger_price is None else truncated(request.trigger_price, terms.tick_size),
    )


def truncated(number: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` at or below a number. One that is on the step already keeps its digits."""
    return number if not number.is_finite() or not number % step else number // step * step


def check_link_id(floor: Floor, account: Account, link_id: str) -> None:
    """Refuse a malformed client id (10001) or one the id regime counts as taken (110072)."""
    if not link_id:
        return
    if not account.house.link_id.fullmatch(link_id):
        raise VenueRefusal(PARAMETER_ERROR, "params error: orderLinkId invalid")
    taken = {
        IdRegime.NEVER: link_id in account.used_link_ids,
        IdRegime.REUSABLE: link_id in account.open_link_ids,
        IdRegime.UNENFORCED: False,
    }
    if taken[floor.id_regime]:
        raise VenueRefusal(refusals.DUPLICATE_LINK_ID, "OrderLinkedID is duplicate")


def check_price(instrument: Instrument, price: Decimal, name: str = "price") -> None:
    """Refuse a price outside the instrument's range (110003) or off the tick (10001)."""
    if not price.is_finite() or price <= 0:
        raise VenueRefusal(PARAMETER_ERROR, f"params error: {name} invalid")
    if not instrument.min_price <= price <= instrument.max_price:
        raise VenueRefusal(refusals.PRICE_OUT_OF_RANGE, "Order price exceeds the allowable range")
    if not instrument.is_on_tick(price):
        raise VenueRefusal(PARAMETER_ERROR, f"params error: {name} is not a multiple of the tick size")


def check_quantity(account: Account, instrument: Instrument, quantity: Decimal, order_type: OrderType) -> None:
    """Refuse (10001) a quantity that is off the step, too small or too large."""
    if account.house.truncates and quantity.is_finite() and quantity < instrument.min_quantity:
        smallest = f"{instrument.min_quantity} {instrument.base_coin}"
        raise VenueRefusal(refusals.BELOW_MINIMUM_QUANTITY, f"The minimum order amount is {smallest}.")
    largest = instrument.max_market_quantity if order_type is OrderType.MARKET else instrument.max_quantity
    fits = quantity.is_finite() and instrument.min_quantity <= quantity <= largest
    if not fits or not instrument.is_on_step(quantity):
        raise VenueRefusal(PARAMETER_ERROR, "params error: Qty invalid")


def check_position_idx(floor: Floor, account: Account, symbol: str, position_idx: int) -> None:
    """Refuse (10001) a position index that does not belong to the symbol's mode."""
    if position_idx not in floor.settings(account, symbol).slots:
        raise VenueRefusal(PARAMETER_ERROR, "position idx not match position mode")


def check_trigger(market: Market, order: Order) -> None:
    """Refuse a trigger price that has been reached already: 110092 for a rise, 110093 for a fall."""
    check_price(market.instrument, order.trigger_price, "triggerPrice")
    current = market.price(order.trigger_by)
    if order.trigger_direction is TriggerDirection.RISE and order.trigger_price <= current:
        message = f"expect Rising, but trigger_price[{order.trigger_price}] <= current[{current}]"
        raise VenueRefusal(refusals.TRIGGER_NOT_ABOVE_PRICE, message)
    if order.trigger_direction is TriggerDirection.FALL and order.trigger_price >= current:
        message = f"expect Falling, but trigger_price[{order.trigger_price}] >= current[{current}]"
        raise VenueRefusal(refusals.TRIGGER_NOT_BELOW_PRICE, message)


def check_notional(market: Market, terms: Instrument, order: Order) -> None:
    """Refuse an opening order worth less than the minimum (110094). Closing orders may be of any worth."""
    price = order.price or order.trigger_price or market.last
    if not order.reduce_only and order.leaves_quantity * price < terms.min_notional:
        raise VenueRefusal(refusals.BELOW_MINIMUM_VALUE, "Order does not meet minimum order value")


def check_attached_stops(market: Market, order: Order) -> None:
    """Refuse a take-profit or stop-loss that is off the tick, on the wrong side, or on a conditional order."""
    if not (order.take_profit or order.stop_loss):
        return
    if order.is_conditional:
        raise VenueRefusal(refusals.TAKE_PROFIT_ON_CONDITIONAL, "TP/SL cannot be set on a conditional order")
    base = order.price or market.last
    is_long = order.side is Side.BUY
    for name, price, above in (("TakeProfit", order.take_profit, is_long), ("StopLoss", order.stop_loss, not is_long)):
        check_stop_price(market.instrument, name, price)
        check_stop_side(name, price, base, above=above, position=order.side)


def check_counts(account: Account, order: Order) -> None:
    """Refuse a conditional order too many (110009) or the 501st active order (110020) of a symbol."""
    others = [other for other in account.open.values() if other.symbol == order.symbol]
    if order.status is OrderStatus.UNTRIGGERED:
        waiting = sum(o.status is OrderStatus.UNTRIGGERED and o.stop_order_type is StopOrderType.STOP for o in others)
        if waiting >= account.house.conditional_orders_max:
            raise VenueRefusal(refusals.TOO_MANY_CONDITIONAL_ORDERS, "The number of stop orders exceeds the limit")
    elif sum(other.status is not OrderStatus.UNTRIGGERED for other in others) >= ACTIVE_ORDERS_MAX:
        raise VenueRefusal(refusals.TOO_MANY_ACTIVE_ORDERS, "Too many active orders for this symbol")


def check_reduce_only(account: Account, request: OrderRequest) -> None:
    """Refuse (109400) a reduce-only mark on a hedged order, where the house wants sides to say it."""
    if request.reduce_only and request.position_idx and not account.house.reduce_only_in_hedge:
        message = "In the Hedge mode, the 'ReduceOnly' field can not be filled."
        raise VenueRefusal(refusals.REDUCE_ONLY_IN_HEDGE, message)


def check_available(account: Account, order: Order) -> None:
    """At a house where closing orders reserve what they close: refuse one without a position (101205), or above what
    others leave over (110424). What waits for a trigger reserves nothing; stops of one kind count together.
    """
    if not account.house.reserves or not order.reduce_only or order.stop_order_type is StopOrderType.STOP:
        return
    size = closable(account, order.symbol, order.position_idx, order.side)
    if not size:
        raise VenueRefusal(refusals.NO_POSITION_TO_CLOSE, "No position to close")
    if order.status is OrderStatus.UNTRIGGERED:
        taken = stopped(account, order)
    else:
        taken = reserved(account, order.symbol, order.position_idx, except_id=order.order_id)
    if order.leaves_quantity > size - taken:
        message = f"The order size must be less than the available amount of {size - taken}"
        raise VenueRefusal(refusals.ABOVE_AVAILABLE, message)


def check_margin(floor: Floor, account: Account, order: Order) -> None:
    """Refuse an opening order the account cannot carry (110007) or the risk tier does not allow (110090)."""
    if order.reduce_only:
        return
    market, terms = floor.market(order.symbol), floor.terms(account, order.symbol)
    leverage = floor.settings(account, order.symbol).leverage(order.side)
    covered = closable(account, order.symbol, order.position_idx, order.side)
    holding = account.holding(order.symbol, order.position_idx)
    same = holding.size if holding.side is order.side else ZERO
    opening = max(ZERO, order.leaves_quantity - covered) + same
    value = opening * (order.price or market.last)
    if leverage > tier_of(terms, value).max_leverage or value > terms.tiers[-1].limit_value:
        raise VenueRefusal(refusals.ABOVE_RISK_LIMIT, "position may exceed the max limit; adjust the leverage")
    extra = order_margin(floor, account, order.symbol, order) - order_margin(floor, account, order.symbol)
    if extra > 0 and extra > wallet_report(floor, account).available:
        raise VenueRefusal(refusals.INSUFFICIENT_BALANCE, "ab not enough for new order")


def order_from(floor: Floor, account: Account, request: OrderRequest, now_ms: int) -> Order:
    """Check a request against every rule but margin and reduce-only room, and make the order from it."""
    market, terms = floor.market(request.symbol), floor.terms(account, request.symbol)
    request = as_taken(account, request, terms)
    check_link_id(floor, account, request.link_id)
    check_position_idx(floor, account, request.symbol, request.position_idx)
    check_reduce_only(account, request)
    closes = request.reduce_only or request.stop_kind.is_position_stop
    closes_all = request.quantity == 0 and closes and request.close_on_trigger
    if not closes_all:
        check_quantity(account, terms, request.quantity, request.order_type)
    order = _made(floor, account, request, now_ms, closes_all=closes_all)
    if order.order_type is OrderType.LIMIT:
        check_price(market.instrument, order.price)
    if order.is_conditional:
        check_trigger(market, order)
    if not closes_all:
        check_notional(market, terms, order)
    check_attached_stops(market, order)
    check_counts(account, order)
    check_available(account, order)
    return order


def _made(floor: Floor, account: Account, request: OrderRequest, now_ms: int, *, closes_all: bool) -> Order:
    conditional = request.trigger_price is not None and request.trigger_price != 0
    if conditional and request.trigger_direction is TriggerDirection.NONE:
        raise VenueRefusal(PARAMETER_ERROR, "params error: triggerDirection invalid")
    is_limit = request.order_type is OrderType.LIMIT
    if is_limit and request.price is None:
        raise VenueRefusal(PARAMETER_ERROR, "params error: price is required for a limit order")
    # In hedge mode an order against its own side can only close, whatever the flag says.
    closing_side = {1: Side.SELL, 2: Side.BUY}.get(request.position_idx)
    stops = conditional and request.stop_kind.is_position_stop
    held = closable(account, request.symbol, request.position_idx, request.side)
    sequence = floor.ids.counter + 1
    return Order(
        order_id=floor.new_id(account, "order", sequence),
        sequence=sequence,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        quantity=held if closes_all and (stops or not conditional) else request.quantity,
        price=request.price if is_limit and request.price is not None else ZERO,
        status=OrderStatus.UNTRIGGERED if conditional else OrderStatus.NEW,
        created_ms=now_ms,
        updated_ms=now_ms,
        link_id=request.link_id,
        time_in_force=request.time_in_force if is_limit else TimeInForce.IOC,
        position_idx=request.position_idx,
        reduce_only=request.reduce_only or request.close_on_trigger or request.side is closing_side or stops,
        close_on_trigger=request.close_on_trigger,
        trigger_price=request.trigger_price if conditional and request.trigger_price is not None else ZERO,
        trigger_direction=request.trigger_direction if conditional else TriggerDirection.NONE,
        trigger_by=request.trigger_by,
        stop_order_type=request.stop_kind if conditional else StopOrderType.NONE,
        tpsl_mode=request.tpsl_mode,
        take_profit=request.take_profit or ZERO,
        stop_loss=request.stop_loss or ZERO,
        tp_trigger_by=request.tp_trigger_by,
        sl_trigger_by=request.sl_trigger_by,
        last_price_on_created=floor.market(request.symbol).last,
    )
