"""Engine values as the venue writes them: account rows. Pure; used by REST answers and private streams alike.

Keys follow the recorded payloads of Bybit V5 and exchange-facts §1.4. Figures are plain strings, never exponents.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from blitz.paper.engine import ClosedPnl, Execution, Order, OrderType, Position, Side, Wallet
from blitz.paper.wire.text import JsonObject, average, plain

RATE_QUANTUM = Decimal("0.00000001")


def price_or(number: Decimal, absent: str) -> str:
    """A price, or the venue's word for none."""
    return plain(number) if number else absent


def order_row(order: Order, settle_coin: str = "USDT") -> JsonObject:
    """A row of order/realtime and order/history."""
    has_stops = bool(order.take_profit or order.stop_loss) or order.stop_order_type.is_position_stop
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "side": order.side.value,
        "orderType": order.order_type.value,
        "price": plain(order.price) if order.order_type is OrderType.LIMIT else "0",
        "qty": plain(order.quantity),
        "orderStatus": order.status.value,
        "timeInForce": order.time_in_force.value,
        "positionIdx": order.position_idx,
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_on_trigger,
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "createType": order.create_type,
        "tpslMode": order.tpsl_mode.value if has_stops else "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **_order_progress(order, settle_coin),
        **_order_trigger(order),
        **_ORDER_CONSTANTS,
    }


# Features the paper venue does not have; the keys are there because clients read them.
_ORDER_CONSTANTS: JsonObject = {
    "blockTradeId": "",
    "isLeverage": "",
    "orderIv": "",
    "tpLimitPrice": "0",
    "slLimitPrice": "0",
    "placeType": "",
    "smpType": "None",
    "smpGroup": 0,
    "smpOrderId": "",
    "slippageToleranceType": "UNKNOWN",
    "slippageTolerance": "0",
    "extraFees": "",
}


def _order_progress(order: Order, settle_coin: str) -> JsonObject:
    return {
        "cumExecQty": plain(order.filled_quantity),
        "cumExecValue": plain(order.filled_value),
        "cumExecFee": plain(order.fee_paid),
        "cumFeeDetail": {settle_coin: plain(order.fee_paid)} if order.filled_quantity else {},
        "avgPrice": average(order.average_price) if order.filled_quantity else "",
        "leavesQty": plain(order.leaves_quantity),
        "leavesValue": plain(order.leaves_quantity * order.price),
    }


def _order_trigger(order: Order) -> JsonObject:
    return {
        "triggerPrice": price_or(order.trigger_price, ""),
        "triggerDirection": int(order.trigger_direction),
        "triggerBy": order.trigger_by.value if order.is_conditional else "",
        "stopOrderType": order.stop_order_type.value,
        "takeProfit": price_or(order.take_profit, ""),
        "stopLoss": price_or(order.stop_loss, ""),
        "tpTriggerBy": order.tp_trigger_by.value if order.take_profit else "",
        "slTriggerBy": order.sl_trigger_by.value if order.stop_loss else "",
        "lastPriceOnCreated": plain(order.last_price_on_created),
    }


def order_event_row(order: Order) -> JsonObject:
    """A row of the `order` topic."""
    return {"category": "linear", "feeCurrency": "USDT", **order_row(order)}


def execution_row(execution: Execution, settle_coin: str = "USDT") -> JsonObject:
    """A row of execution/list."""
    return {
        "symbol": execution.symbol,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "side": execution.side.value,
        "orderPrice": plain(execution.order_price),
        "orderQty": plain(execution.order_quantity),
        "leavesQty": plain(execution.leaves_quantity),
        "createType": execution.create_type,
        "orderType": execution.order_type.value,
        "stopOrderType": execution.stop_order_type.value or "UNKNOWN",
        "execFee": plain(execution.fee),
        "execId": execution.exec_id,
        "execPrice": plain(execution.price),
        "execQty": plain(execution.quantity),
        "execType": execution.exec_type.value,
        "execValue": plain(execution.value),
        "execTime": str(execution.at_ms),
        "feeCurrency": settle_coin,
        "isMaker": execution.is_maker,
        "feeRate": plain(execution.fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(execution.mark_price),
        "indexPrice": plain(execution.mark_price),
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": plain(execution.closed_size),
        "extraFees": "",
        "seq": execution.sequence,
    }


def execution_event_row(execution: Execution) -> JsonObject:
    """A row of the `execution` topic."""
    return {"category": "linear", "isLeverage": "0", "execPnl": plain(execution.realised), **execution_row(execution)}


def fast_execution_row(execution: Execution) -> JsonObject:
    """A row of the `execution.fast` topic: fewer fields, and no link id for maker fills (as documented)."""
    return {
        "category": "linear",
        "symbol": execution.symbol,
        "execId": execution.exec_id,
        "execPrice": plain(execution.price),
        "execQty": plain(execution.quantity),
        "orderId": execution.order_id,
        "isMaker": execution.is_maker,
        "orderLinkId": "" if execution.is_maker else execution.link_id,
        "side": execution.side.value,
        "execTime": str(execution.at_ms),
        "seq": execution.sequence,
    }


def position_row(position: Position) -> JsonObject:
    """A row of position/list. A flat one has side "" and size "0"."""
    flat = position.side is Side.NONE
    margin, maintenance = plain(position.initial_margin), plain(position.maintenance_margin)
    return {
        "positionIdx": position.position_idx,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": position.symbol,
        "side": position.side.value,
        "size": "0" if flat else plain(position.size),
        "avgPrice": "0" if flat else average(position.average_price),
        "positionValue": "" if flat else plain(position.value),
        "tradeMode": 1 if position.is_isolated else 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0 if flat else 2,
        "leverage": plain(position.leverage),
        "positionBalance": "0" if flat else margin,
        "markPrice": plain(position.mark_price),
        "liqPrice": price_or(position.liquidation_price, ""),
        "bustPrice": price_or(position.bankruptcy_price, ""),
        "positionMM": maintenance,
        "positionIM": margin,
        "positionIMByMp": margin,
        "positionMMByMp": maintenance,
        "tpslMode": position.tpsl_mode.value,
        "takeProfit": price_or(position.take_profit, ""),
        "stopLoss": price_or(position.stop_loss, ""),
        "trailingStop": "0",
        "unrealisedPnl": "" if flat else plain(position.unrealised),
        "curRealisedPnl": plain(position.cycle_realised),
        "cumRealisedPnl": plain(position.total_realised),
        "sessionAvgPrice": "",
        "seq": position.sequence,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(position.created_ms),
        "updatedTime": str(position.updated_ms),
    }


def position_event_row(position: Position) -> JsonObject:
    """A row of the `position` topic, where the average is called `entryPrice`."""
    row = position_row(position)
    return {"category": "linear", "entryPrice": row.pop("avgPrice"), **row}


def wallet_row(wallet: Wallet) -> JsonObject:
    """The account row of wallet-balance. `availableToWithdraw` is empty, as on unified accounts since January 2025."""
    margin = wallet.position_initial_margin + wallet.order_initial_margin
    equity = plain(wallet.equity)
    return {
        "accountType": "UNIFIED",
        "accountIMRate": _rate(margin, wallet.equity),
        "accountMMRate": _rate(wallet.maintenance_margin, wallet.equity),
        "accountLTV": "0",
        "totalEquity": equity,
        "totalWalletBalance": plain(wallet.wallet_balance),
        "totalMarginBalance": equity,
        "totalAvailableBalance": plain(wallet.available),
        "totalPerpUPL": plain(wallet.unrealised),
        "totalInitialMargin": plain(margin),
        "totalMaintenanceMargin": plain(wallet.maintenance_margin),
        "coin": [_coin_row(wallet)],
    }


def wallet_event_row(wallet: Wallet) -> JsonObject:
    """The row of the `wallet` topic, which spells one key differently."""
    row = wallet_row(wallet)
    return {**row, "totalPerpUpl": row["totalPerpUPL"]}


def _coin_row(wallet: Wallet) -> JsonObject:
    equity = plain(wallet.equity)
    return {
        "coin": wallet.coin,
        "equity": equity,
        "usdValue": equity,
        "walletBalance": plain(wallet.wallet_balance),
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "bonus": "0",
        "locked": "0",
        "totalOrderIM": plain(wallet.order_initial_margin),
        "totalPositionIM": plain(wallet.position_initial_margin),
        "totalPositionMM": plain(wallet.maintenance_margin),
        "unrealisedPnl": plain(wallet.unrealised),
        "cumRealisedPnl": plain(wallet.realised - wallet.fees - wallet.funding),
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotBorrow": "0",
    }


def _rate(part: Decimal, whole: Decimal) -> str:
    if whole <= 0:
        return "0"
    return plain((part / whole).quantize(RATE_QUANTUM, rounding=ROUND_HALF_EVEN))


def closed_pnl_row(closed: ClosedPnl) -> JsonObject:
    """A row of position/closed-pnl."""
    return {
        "symbol": closed.symbol,
        "orderId": closed.order_id,
        "side": closed.side.value,
        "orderType": closed.order_type.value,
        "execType": closed.exec_type.value,
        "qty": plain(closed.quantity),
        "closedSize": plain(closed.quantity),
        "orderPrice": average(closed.average_exit_price),
        "cumEntryValue": plain(closed.entry_value),
        "cumExitValue": plain(closed.exit_value),
        "avgEntryPrice": average(closed.average_entry_price),
        "avgExitPrice": average(closed.average_exit_price),
        "openFee": plain(closed.open_fee),
        "closeFee": plain(closed.close_fee),
        "closedPnl": plain(closed.closed_pnl),
        "leverage": plain(closed.leverage),
        "fillCount": "1",
        "createdTime": str(closed.at_ms),
        "updatedTime": str(closed.at_ms),
    }
