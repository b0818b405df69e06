"""Engine values as BingX writes them: orders, fills, positions, balance. Pure; for REST answers.

Keys and types follow the recorded payloads: figures are strings, except where BingX gives a number; a commission that
was paid is negative.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson

from blitz.paper.engine import (
    Execution,
    Order,
    OrderStatus,
    OrderType,
    Position,
    Side,
    StopOrderType,
    SymbolSettings,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from blitz.paper.wire.bingx.symbols import SIDE_NAMES, on_the_wire
from blitz.paper.wire.text import JsonObject, average, plain

STATUS_NAMES = {
    OrderStatus.UNTRIGGERED: "NEW",
    OrderStatus.TRIGGERED: "NEW",
    OrderStatus.NEW: "PENDING",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELLED",
    OrderStatus.DEACTIVATED: "CANCELLED",
    OrderStatus.REJECTED: "FAILED",
}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL", Side.NONE: ""}
WORKING_TYPES = {
    TriggerBy.MARK: "MARK_PRICE", TriggerBy.LAST: "CONTRACT_PRICE", TriggerBy.INDEX: "INDEX_PRICE",
}  # fmt: skip
LOCAL_TIME = timedelta(hours=8)
"""BingX writes fill times of its own zone; see `local_times`."""


def number(figure: Decimal) -> orjson.Fragment:
    """A figure that BingX gives as a JSON number: its exact digits, never by way of a float."""
    return orjson.Fragment(plain(figure).encode())


def type_of(order: Order) -> str:
    """BingX's name of an order's type."""
    at_market = order.order_type is OrderType.MARKET
    if order.stop_order_type is StopOrderType.NONE:
        return "MARKET" if at_market else "LIMIT"
    if order.stop_order_type is StopOrderType.STOP:
        return "TRIGGER_MARKET" if at_market else "TRIGGER_LIMIT"
    if order.stop_order_type.takes_profit:
        return "TAKE_PROFIT_MARKET" if at_market else "TAKE_PROFIT"
    return "STOP_MARKET" if at_market else "STOP"


def working_type(order: Order) -> str:
    """Which price its trigger watches; orders without one name the default."""
    return WORKING_TYPES[order.trigger_by] if order.is_conditional else "MARK_PRICE"


def commission(fee: Decimal) -> str:
    """A fee as BingX signs it: paid is negative."""
    return plain(-fee) if fee else "0.0"


def placed_row(order: Order) -> JsonObject:
    """The `order` of an accepted trade/order. The client id is spelled otherwise here than in queries."""
    return {
        "symbol": on_the_wire(order.symbol),
        "orderId": int(order.order_id),
        "side": SIDES[order.side],
        "positionSide": SIDE_NAMES[order.position_idx],
        "type": type_of(order),
        "clientOrderID": order.link_id,
        "workingType": working_type(order),
    }


def order_row(order: Order, leverage: Decimal, profit: Decimal = Decimal(0)) -> JsonObject:
    """An order as queries, cancels and histories show it. `profit`: what its fills have realised."""
    return {
        "symbol": on_the_wire(order.symbol),
        "orderId": int(order.order_id),
        "side": SIDES[order.side],
        "positionSide": SIDE_NAMES[order.position_idx],
        "type": type_of(order),
        "origQty": plain(order.quantity),
        "price": plain(order.price) if order.order_type is OrderType.LIMIT else "0.0",
        "executedQty": plain(order.filled_quantity),
        "avgPrice": average(order.average_price) if order.filled_quantity else "0.0",
        "cumQuote": plain(order.filled_value),
        "stopPrice": plain(order.trigger_price) if order.trigger_price else "",
        "profit": plain(profit),
        "commission": commission(order.fee_paid),
        "status": STATUS_NAMES[order.status],
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "clientOrderId": order.link_id,
        "leverage": f"{plain(leverage)}X",
        "takeProfit": _attached(order.take_profit, order.tp_trigger_by, "TAKE_PROFIT_MARKET"),
        "stopLoss": _attached(order.stop_loss, order.sl_trigger_by, "STOP_MARKET"),
        "reduceOnly": order.reduce_only and not order.position_idx,
        "postOnly": order.time_in_force is TimeInForce.POST_ONLY,
        "workingType": working_type(order),
        "onlyOnePosition": not order.position_idx,
        "triggerOrderId": 0,
        **_ORDER_CONSTANTS,
    }


# Features the paper venue does not have; the keys are there because clients read them.
_ORDER_CONSTANTS: JsonObject = {
    "advanceAttr": 0,
    "positionID": 0,
    "takeProfitEntrustPrice": 0,
    "stopLossEntrustPrice": 0,
    "orderType": "",
    "stopGuaranteed": False,
    "trailingStopRate": 0,
    "trailingStopDistance": 0,
}


def _attached(price: Decimal, trigger_by: TriggerBy, kind: str) -> JsonObject:
    if not price:
        return {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": "", "StopGuaranteed": ""}
    return {
        "type": kind, "quantity": 0, "stopPrice": number(price), "price": 0, "workingType": WORKING_TYPES[trigger_by],
        "StopGuaranteed": "",
    }  # fmt: skip


def profits(orders: Iterable[Order], executions: Iterable[Execution]) -> dict[str, Decimal]:
    """What the fills of each order that has some have realised, by order id."""
    totals = {order.order_id: Decimal(0) for order in orders if order.filled_quantity}
    if totals:
        for execution in executions:
            if execution.order_id in totals:
                totals[execution.order_id] += execution.realised
    return totals


def local_times(at_ms: int) -> tuple[str, str]:
    """(filledTm, filledTime) of a moment. Both show the local time of UTC+8; the first says `Z` all the same.

    Source: recorded allFillOrders. A client that believes the `Z` is eight hours off.
    """
    local = datetime.fromtimestamp(at_ms // 1000, UTC) + LOCAL_TIME
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}Z", f"{text}.{at_ms % 1000:03d}+0800"


def fill_row(execution: Execution) -> JsonObject:
    """A row of allFillOrders: no trade id, and nothing that tells maker from taker."""
    short, long = local_times(execution.at_ms)
    return {
        "filledTm": short,
        "volume": plain(execution.quantity),
        "price": plain(execution.price),
        "amount": plain(execution.value),
        "commission": commission(execution.fee),
        "currency": "USDT",
        "orderId": execution.order_id,
        "liquidatedPrice": "",
        "liquidatedMarginRatio": "",
        "filledTime": long,
        "clientOrderID": execution.link_id,
        "symbol": on_the_wire(execution.symbol),
        "side": SIDES[execution.side],
        "positionSide": SIDE_NAMES[execution.position_idx],
        "type": _execution_type(execution),
    }


def _execution_type(execution: Execution) -> str:
    return "LIMIT" if execution.order_type is OrderType.LIMIT else "MARKET"


def fill_history_row(execution: Execution) -> JsonObject:
    """A row of fillHistory: the one that carries a trade id and the role, but no client id."""
    short, long = local_times(execution.at_ms)
    return {
        "filledTm": short,
        "volume": plain(execution.quantity),
        "price": plain(execution.price),
        "qty": plain(execution.quantity),
        "quoteQty": plain(execution.value),
        "commission": commission(execution.fee),
        "commissionAsset": "USDT",
        "orderId": execution.order_id,
        "tradeId": execution.exec_id,
        "filledTime": long,
        "symbol": on_the_wire(execution.symbol),
        "role": "maker" if execution.is_maker else "taker",
        "side": SIDES[execution.side],
        "positionSide": SIDE_NAMES[execution.position_idx],
    }


def position_row(position: Position, available: Decimal, user_id: int) -> JsonObject:
    """A row of user/positions. `available`: what closing orders may still close."""
    return {
        "positionId": f"{position.created_ms}{user_id % 100_000:05d}{position.position_idx}",
        "symbol": on_the_wire(position.symbol),
        "currency": "USDT",
        "positionAmt": plain(position.size),
        "availableAmt": plain(available),
        "positionSide": "SHORT" if position.side is Side.SELL else "LONG",
        "isolated": position.is_isolated,
        "avgPrice": average(position.average_price),
        "initialMargin": plain(position.initial_margin),
        "margin": plain(position.initial_margin + position.unrealised),
        "leverage": number(position.leverage),
        "unrealizedProfit": plain(position.unrealised),
        "realisedProfit": plain(position.cycle_realised),
        "liquidationPrice": number(position.liquidation_price),
        "pnlRatio": _ratio(position.unrealised, position.initial_margin),
        "maxMarginReduction": "0.0000",
        "riskRate": _ratio(position.maintenance_margin, position.initial_margin + position.unrealised),
        "markPrice": plain(position.mark_price),
        "positionValue": plain(position.size * position.mark_price),
        "onlyOnePosition": not position.position_idx,
        "createTime": position.created_ms,
        "updateTime": position.updated_ms,
    }


def _ratio(part: Decimal, whole: Decimal) -> str:
    return average((part / whole).quantize(Decimal("0.0001"))) if whole else "0.0000"


def balance_rows(wallet: Wallet, user_id: int) -> list[JsonObject]:
    """The rows of user/balance: the wallet, and the second settle coin that every account lists."""
    figures = {
        "balance": wallet.wallet_balance,
        "equity": wallet.equity,
        "unrealizedProfit": wallet.unrealised,
        "realisedProfit": wallet.realised - wallet.fees - wallet.funding,
        "availableMargin": wallet.available,
        "usedMargin": wallet.position_initial_margin,
        "freezedMargin": wallet.order_initial_margin,
    }
    owner = {"userId": str(user_id)}
    return [
        {**owner, "asset": wallet.coin, **{name: plain(figure) for name, figure in figures.items()}, **_short(user_id)},
        {**owner, "asset": "USDC", **dict.fromkeys(figures, "0.0000"), **_short(user_id)},
    ]


def _short(user_id: int) -> JsonObject:
    return {"shortUid": str(user_id)}


def leverage_row(settings: SymbolSettings, largest: Decimal) -> JsonObject:
    """The data of GET trade/leverage."""
    return {
        "longLeverage": number(settings.buy_leverage),
        "shortLeverage": number(settings.sell_leverage),
        "maxLongLeverage": number(largest),
        "maxShortLeverage": number(largest),
    }
