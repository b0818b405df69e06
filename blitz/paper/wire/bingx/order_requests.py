"""Reading the parameters of a new order: trade/order and the new half of cancelReplace take the same ones."""

from decimal import Decimal
from typing import TypeVar

from blitz.paper.engine import (
    OrderRequest,
    OrderType,
    Side,
    StopOrderType,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    VenueRefusal,
)
from blitz.paper.wire.bingx.envelope import PARAMETERS
from blitz.paper.wire.bingx.symbols import SLOTS, needed_symbol
from blitz.paper.wire.calls import Call
from blitz.paper.wire.params import Params, parse_object

Chosen = TypeVar("Chosen")
Kind = tuple[OrderType, StopOrderType]
TYPES: dict[str, Kind] = {
    "MARKET": (OrderType.MARKET, StopOrderType.NONE),
    "LIMIT": (OrderType.LIMIT, StopOrderType.NONE),
    "TRIGGER_MARKET": (OrderType.MARKET, StopOrderType.STOP),
    "TRIGGER_LIMIT": (OrderType.LIMIT, StopOrderType.STOP),
    "STOP_MARKET": (OrderType.MARKET, StopOrderType.PARTIAL_STOP_LOSS),
    "STOP": (OrderType.LIMIT, StopOrderType.PARTIAL_STOP_LOSS),
    "TAKE_PROFIT_MARKET": (OrderType.MARKET, StopOrderType.PARTIAL_TAKE_PROFIT),
    "TAKE_PROFIT": (OrderType.LIMIT, StopOrderType.PARTIAL_TAKE_PROFIT),
}
WHOLE = {
    StopOrderType.PARTIAL_STOP_LOSS: StopOrderType.STOP_LOSS,
    StopOrderType.PARTIAL_TAKE_PROFIT: StopOrderType.TAKE_PROFIT,
}
"""With closePosition=true a stop covers the whole position, whatever that becomes."""
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
WORKING_TYPES = {
    "MARK_PRICE": TriggerBy.MARK, "CONTRACT_PRICE": TriggerBy.LAST, "INDEX_PRICE": TriggerBy.INDEX,
}  # fmt: skip


def order_request(call: Call) -> OrderRequest:
    """Read a new order. Raises 109400 for what cannot be meant, 109425 for a pair not listed."""
    params, symbol = call.params, needed_symbol(call)
    order_type, kind = _chosen(params, "type", TYPES)
    side = _chosen(params, "side", SIDES)
    position_idx = slot_of(call, symbol)
    conditional = kind is not StopOrderType.NONE
    stop_price = _needed(params, "stopPrice") if conditional else None
    whole = params.flag("closePosition")
    if whole and kind not in WHOLE:
        raise _invalid("closePosition: only with STOP_MARKET or TAKE_PROFIT_MARKET")
    take_profit, tp_trigger_by = _attached(params, "takeProfit")
    stop_loss, sl_trigger_by = _attached(params, "stopLoss")
    return OrderRequest(
        symbol=symbol,
        side=side,
        order_type=order_type,
        quantity=Decimal(0) if whole else _quantity(call, symbol),
        price=_needed(params, "price") if order_type is OrderType.LIMIT else None,
        time_in_force=_time_in_force(params, order_type),
        link_id=params.text("clientOrderID") or params.text("clientOrderId"),
        position_idx=position_idx,
        reduce_only=params.flag("reduceOnly") or (whole and not position_idx),
        close_on_trigger=whole,
        trigger_price=stop_price,
        trigger_direction=_direction(call, symbol, side, kind, stop_price),
        trigger_by=working_type(params),
        stop_kind=WHOLE[kind] if whole else kind,
        take_profit=take_profit,
        stop_loss=stop_loss,
        tp_trigger_by=tp_trigger_by,
        sl_trigger_by=sl_trigger_by,
    )


def slot_of(call: Call, symbol: str) -> int:
    """The position index that `positionSide` means. Raises 109400 for one that the account's mode does not have."""
    is_hedge = call.venue.settings(call.account, symbol).is_hedge
    side = call.params.text("positionSide", "LONG" if is_hedge else "BOTH")
    if side not in SLOTS:
        raise _invalid("positionSide: must be one of BOTH, LONG, SHORT")
    if is_hedge and side == "BOTH":
        message = "In the Hedge mode, the 'PositionSide' field can only be set to LONG or SHORT."
        raise VenueRefusal(PARAMETERS, message)
    if not is_hedge and side != "BOTH":
        raise VenueRefusal(PARAMETERS, "In the One-way mode, the 'PositionSide' field can only be set to BOTH.")
    return SLOTS[side]


def _quantity(call: Call, symbol: str) -> Decimal:
    """What is asked for in base coin, or (quoteOrderQty) in USDT at the last price."""
    params = call.params
    cost = params.decimal("quoteOrderQty")
    if cost is not None:
        return cost / call.venue.last_price(symbol)
    return _needed(params, "quantity")


def _direction(
    call: Call, symbol: str, side: Side, kind: StopOrderType, stop_price: Decimal | None
) -> TriggerDirection:
    """From where the price has to come: said by the type for stops, by where the price stands now for triggers."""
    if stop_price is None:
        return TriggerDirection.NONE
    if kind is StopOrderType.STOP:
        watches_mark = working_type(call.params) is TriggerBy.MARK
        rises = stop_price > (call.venue.mark_price(symbol) if watches_mark else call.venue.last_price(symbol))
    else:
        rises = kind.takes_profit is (side is Side.SELL)
    return TriggerDirection.RISE if rises else TriggerDirection.FALL


def _time_in_force(params: Params, order_type: OrderType) -> TimeInForce:
    usual = TimeInForce.IOC if order_type is OrderType.MARKET else TimeInForce.GTC
    if not params.text("timeInForce"):
        return usual
    return _chosen(params, "timeInForce", {word.value: word for word in TimeInForce})


def working_type(params: Params) -> TriggerBy:
    """Which price a trigger watches: the mark price unless `workingType` says otherwise."""
    word = params.text("workingType")
    if word and word not in WORKING_TYPES:
        raise _invalid(f"workingType: must be one of {', '.join(WORKING_TYPES)}")
    return WORKING_TYPES[word or "MARK_PRICE"]


def _attached(params: Params, name: str) -> tuple[Decimal | None, TriggerBy]:
    """The trigger of a takeProfit or stopLoss that the order carries as JSON text. It closes at market."""
    text = params.text(name)
    if not text:
        return None, TriggerBy.MARK
    carried = Params.from_object(parse_object(text))
    if carried.text("type") not in ("", "STOP_MARKET", "TAKE_PROFIT_MARKET"):
        raise _invalid(f"{name}: this paper exchange attaches stops at market only")
    return _needed(carried, "stopPrice"), working_type(carried)


def _chosen(params: Params, name: str, words: dict[str, Chosen]) -> Chosen:
    word = params.text(name)
    if word not in words:
        raise _invalid(f"{name}: must be one of {', '.join(words)}")
    return words[word]


def _needed(params: Params, name: str) -> Decimal:
    figure = params.decimal(name)
    if figure is None:
        raise _invalid(f"{name}: This field is required")
    return figure


def _invalid(text: str) -> VenueRefusal:
    return VenueRefusal(PARAMETERS, f"Invalid parameters, err:{text}")
