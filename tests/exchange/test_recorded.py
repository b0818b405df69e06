"""Real payloads of the exchange, as others recorded them: every row reads, and reads as what it is."""

import json
from decimal import Decimal

import pytest

from blitz.core.orders import Direction, FillKind, OrderType, Side
from blitz.exchange.bybit import rows as read
from blitz.exchange.bybit.codes import result_of, rows_of

ORDERS = (
    "http_get_orders_realtime", "http_get_orders_realtime_tp_sl", "http_get_orders_history",
    "http_get_orders_history_with_duplicate", "http_get_order_partially_filled_rejected",
)  # fmt: skip
STREAMED = (
    "ws_account_order", "ws_account_order_buy_stop_market", "ws_account_order_filled",
    "ws_account_order_limit_if_touched", "ws_account_order_market_if_touched",
    "ws_account_order_partially_filled_rejected", "ws_account_order_sell_market_if_touched",
    "ws_account_order_stop_limit", "ws_account_order_stop_loss", "ws_account_order_stop_market",
    "ws_account_order_take_profit",
)  # fmt: skip


@pytest.fixture
def recorded(shared_data):
    def payload(name):
        return json.loads(shared_data(f"bybit-recorded/{name}.json").read_text())

    return payload


@pytest.fixture
def rows(recorded):
    return lambda name: rows_of(result_of(recorded(name)))


@pytest.mark.parametrize("name", ORDERS)
def test_recorded_orders_read_to_the_digit(rows, name):
    for row in rows(name):
        record = read.order_record(row)
        assert record.order.order_id == row["orderId"]
        assert (record.order.quantity, record.order.filled) == (Decimal(row["qty"]), Decimal(row["cumExecQty"]))
        assert record.terminal is (row["orderStatus"] in {"Cancelled", "Filled", "Rejected"})


@pytest.mark.parametrize("name", STREAMED)
def test_recorded_streamed_orders_have_the_same_shape(recorded, name):
    for row in recorded(name)["data"]:
        assert read.order_record(row).order.client_id == row["orderLinkId"]


def test_a_rejected_order_may_have_filled_in_part(rows):
    (row,) = rows("http_get_order_partially_filled_rejected")
    record = read.order_record(row)
    assert (record.terminal, record.order.filled) == (True, Decimal("0.005"))
    assert "INSUFFICIENT_MARGIN" in record.reason


def test_recorded_children_of_a_position_are_untriggered_stops(rows):
    for row in rows("http_get_orders_realtime_tp_sl"):
        order = read.open_order(row)
        assert (order.type is OrderType.STOP_MARKET) is (row["orderType"] == "Market")
        assert (order.reduce_only, order.trigger) == (True, Decimal(row["triggerPrice"]))


def test_recorded_executions_read(rows):
    first, second = (read.fill(row) for row in rows("http_get_executions"))
    assert (first.quantity, first.price, first.fee) == (Decimal("0.1"), Decimal(50000), Decimal("0.015"))
    assert (first.direction, second.direction) == (Direction.BUY, Direction.SELL)
    assert read.fill_side(rows("http_get_executions")[0]) is Side.LONG


def test_a_recorded_auto_deleveraging_has_no_client_id(recorded):
    (row,) = recorded("ws_account_execution_adl")["data"]
    fill = read.fill(row)
    assert (fill.kind, fill.client_id) == (FillKind.ADL, "")


@pytest.mark.parametrize("name", ["http_get_positions", "http_get_positions_with_open_time"])
def test_recorded_positions_read(rows, name):
    for row in rows(name):
        side = Side.LONG if row["side"] in {"Buy", ""} else Side.SHORT
        position = read.position([row], side)
        assert position.quantity == Decimal(row["size"])
        assert position.hedged is False


@pytest.mark.parametrize("name", ["http_get_instruments_linear", "http_get_instruments_linear_symbol_type"])
def test_recorded_instruments_read(rows, name):
    for row in rows(name):
        rules = read.instrument("X/USDT:USDT", row, taker_rate=Decimal("0.00055"), maker_rate=Decimal("0.0002"))
        assert (rules.tick, rules.step) == (
            Decimal(row["priceFilter"]["tickSize"]), Decimal(row["lotSizeFilter"]["qtyStep"]),
        )  # fmt: skip
        assert rules.trading
