"""Engine values as BingX's private events write them. Pure.

Figures are strings. An order's event says with `x` what happened and with `X` how the order stands; only a TRADE
carries the fill itself (`l`, `L`, `n`, `ti`).
"""

from collections.abc import Iterable
from decimal import Decimal

from blitz.paper.engine import Execution, Order, OrderStatus, OrderType, Position, Side, SymbolSettings, Wallet
from blitz.paper.wire.bingx.rows import SIDES, commission, type_of, working_type
from blitz.paper.wire.bingx.symbols import SIDE_NAMES, on_the_wire
from blitz.paper.wire.text import JsonObject, average, plain

STATES = {
    OrderStatus.UNTRIGGERED: "NEW",
    OrderStatus.TRIGGERED: "NEW",
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.DEACTIVATED: "CANCELED",
    OrderStatus.REJECTED: "EXPIRED",
}
"""How an order stands, as streams spell it: not as REST does."""
HAPPENED = {"CANCELED": "CANCELED", "EXPIRED": "EXPIRED"}


def order_event(order: Order, at_ms: int) -> JsonObject:
    """ORDER_TRADE_UPDATE of an order that was placed, changed or ended without a fill."""
    state = STATES[order.status]
    happened = HAPPENED.get(state) or ("NEW" if order.created_ms == order.updated_ms else "REPLACED")
    body = _order_body(order, happened, state, at_ms)
    return _event(at_ms, {**body, "z": plain(order.filled_quantity), "ap": _average(order.filled_value, order)})


def trade_event(order: Order, execution: Execution, value_so_far: Decimal, at_ms: int) -> JsonObject:
    """ORDER_TRADE_UPDATE of one fill. `value_so_far`: what the order has traded up to and with this fill, in USDT."""
    filled = execution.order_quantity - execution.leaves_quantity
    state = "PARTIALLY_FILLED" if execution.leaves_quantity else "FILLED"
    body = {
        **_order_body(order, "TRADE", state, at_ms),
        "z": plain(filled),
        "ap": average(value_so_far / filled),
        "l": plain(execution.quantity),
        "L": plain(execution.price),
        "n": commission(execution.fee),
        "rp": plain(execution.realised),
        "ti": execution.exec_id,
        "m": execution.is_maker,
    }
    return _event(at_ms, body)


def _average(value: Decimal, order: Order) -> str:
    return average(value / order.filled_quantity) if order.filled_quantity else "0.0"


def _event(at_ms: int, body: JsonObject) -> JsonObject:
    return {"e": "ORDER_TRADE_UPDATE", "E": at_ms, "T": at_ms, "o": body}


def _order_body(order: Order, happened: str, state: str, at_ms: int) -> JsonObject:
    return {
        "s": on_the_wire(order.symbol),
        "c": order.link_id,
        "i": order.order_id,
        "S": SIDES[order.side],
        "o": type_of(order),
        "q": plain(order.quantity),
        "p": plain(order.price) if order.order_type is OrderType.LIMIT else "0.0",
        "sp": plain(order.trigger_price) if order.trigger_price else "0.0",
        "x": happened,
        "X": state,
        "N": "USDT",
        "n": commission(order.fee_paid),
        "T": at_ms,
        "wt": working_type(order),
        "ps": SIDE_NAMES[order.position_idx],
        "rp": "0.0",
        "ro": order.reduce_only and not order.position_idx,
        "ti": "0",
    }


def account_event(
    reason: str, wallet: Wallet, positions: Iterable[Position], change: Decimal, at_ms: int
) -> JsonObject:
    """ACCOUNT_UPDATE: balance and positions. `change`: what the balance gained by the reason, fees apart."""
    balance = {
        "a": wallet.coin,
        "wb": plain(wallet.wallet_balance),
        "cw": plain(wallet.available),
        "bc": plain(change),
    }
    rows = [_position_row(position) for position in positions]
    return {"e": "ACCOUNT_UPDATE", "E": at_ms, "T": at_ms, "a": {"m": reason, "B": [balance], "P": rows}}


def _position_row(position: Position) -> JsonObject:
    """One-way positions are BOTH and signed by their direction."""
    signed = -position.size if position.side is Side.SELL and not position.position_idx else position.size
    return {
        "s": on_the_wire(position.symbol),
        "pa": plain(signed),
        "ep": average(position.average_price),
        "up": plain(position.unrealised),
        "mt": "isolated" if position.is_isolated else "cross",
        "iw": plain(position.initial_margin) if position.is_isolated else "0.0",
        "ps": SIDE_NAMES[position.position_idx],
        "cr": plain(position.cycle_realised),
    }


def config_event(symbol: str, settings: SymbolSettings, *, isolated: bool, at_ms: int) -> JsonObject:
    """ACCOUNT_CONFIG_UPDATE: leverages and margin mode of a pair after a change."""
    changed = {
        "s": on_the_wire(symbol),
        "l": int(settings.buy_leverage),
        "S": int(settings.sell_leverage),
        "mt": "isolated" if isolated else "cross",
    }
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": at_ms, "ac": changed}


def expiry_event(listen_key: str, at_ms: int) -> JsonObject:
    """A listen key has ended, and with it what it opened."""
    return {"e": "listenKeyExpired", "E": at_ms, "listenKey": listen_key}
