"""Real payloads of BingX, as others recorded them: every row reads, and reads as what it is."""

import json
from decimal import Decimal
from typing import Any

import pytest

from blitz.core.calls import Accepted
from blitz.core.orders import Direction, OrderType, Side
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx import replacing
from blitz.exchange.bingx import rows as read
from blitz.exchange.bingx.codes import data_of, listed, rows_of


@pytest.fixture
def recorded(shared_data):
    def payload(name):
        """The answer below the three lines that name its request."""
        return json.loads(shared_data(f"bingx-recorded/{name}.txt").read_text().split("\n", 3)[3])

    return payload


@pytest.mark.parametrize("name", ["Trading_GetOpenOrders", "Trading_GetClosedOrders", "Trading_GetOrders"])
def test_recorded_orders_read_to_the_digit(recorded, name):
    rows = rows_of(data_of(recorded(name)), "orders")
    assert rows
    for row in rows:
        record = read.order_record(row)
        assert record.order.order_id == str(row["orderId"])
        assert (record.order.quantity, record.order.filled) == (Decimal(row["origQty"]), Decimal(row["executedQty"]))
        assert record.terminal is (row["status"] == "FILLED")


def test_a_closing_order_of_a_hedge_account_is_reduce_only_though_no_field_says_so(recorded):
    order = read.open_order(rows_of(data_of(recorded("Trading_GetOpenOrders")), "orders")[0])
    assert (order.side, order.direction, order.type) == (Side.LONG, Direction.SELL, OrderType.LIMIT)
    assert order.reduce_only
    opening = read.open_order(rows_of(data_of(recorded("Trading_GetClosedOrders")), "orders")[0])
    assert (opening.side, opening.direction) == (Side.SHORT, Direction.SELL)
    assert not opening.reduce_only


def test_an_order_of_a_one_way_account_has_to_say_whether_it_is_reduce_only(recorded):
    row = {**rows_of(data_of(recorded("Trading_GetOpenOrders")), "orders")[0]} | {"positionSide": "BOTH"}
    with pytest.raises(Malformed, match="reduceOnly"):
        read.open_order(row)
    assert read.open_order(row | {"reduceOnly": True}).reduce_only
    assert not read.open_order(row | {"reduceOnly": "false"}).reduce_only


def test_a_recorded_order_keeps_its_long_number(recorded):
    row = data_of(recorded("Trading_GetOrder"))["order"]
    assert read.order_record(row).order.order_id == "1736012449498123500"


@pytest.mark.parametrize("status", ["", "Unknown", "TRIGGERED", "DONE"])
def test_a_status_nobody_told_us_of_is_neither_alive_nor_dead(recorded, status):
    row = data_of(recorded("Trading_GetOrder"))["order"] | {"status": status}
    with pytest.raises(Malformed, match="status"):
        read.order_record(row)


@pytest.mark.parametrize(
    ("status", "terminal"),
    [
        ("NEW", False), ("PENDING", False), ("PARTIALLY_FILLED", False), ("FILLED", True), ("CANCELED", True),
        ("CANCELLED", True), ("FAILED", True), ("EXPIRED", True),
    ],
)  # fmt: skip
def test_every_documented_status_is_terminal_or_alive(recorded, status, terminal):
    row = data_of(recorded("Trading_GetOrder"))["order"] | {"status": status}
    assert read.order_record(row).terminal is terminal


def test_a_recorded_position_reads(recorded):
    (row,) = listed(recorded("Trading_GetPositions"))
    short = read.position([row], Side.SHORT, hedged=True, leverage_when_flat=Decimal(3))
    assert (short.quantity, short.average, short.leverage) == (Decimal("0.20"), Decimal("246.43"), Decimal(5))
    assert short.liquidation == Decimal("294.16914617776246")
    long = read.position([row], Side.LONG, hedged=True, leverage_when_flat=Decimal(3))
    assert (long.quantity, long.opposite_quantity, long.leverage) == (Decimal(0), Decimal("0.20"), Decimal(3))


def test_a_one_way_position_points_where_its_sign_says(recorded):
    (row,) = listed(recorded("Trading_GetPositions"))
    sold = {**row} | {"positionSide": "BOTH", "positionAmt": "-0.20"}
    assert read.position([sold], Side.SHORT, hedged=False, leverage_when_flat=Decimal(1)).quantity == Decimal("0.20")
    long = read.position([sold], Side.LONG, hedged=False, leverage_when_flat=Decimal(1))
    assert (long.quantity, long.opposite_quantity) == (Decimal(0), Decimal("0.20"))


def test_no_position_row_is_a_flat_account_and_no_list_is_not():
    assert listed({"code": 0, "msg": "", "data": []}) == []
    broken: list[Any] = [{"code": 0, "msg": "", "data": None}, {"code": 0, "msg": ""}, {"data": []}, [], None, ""]
    for answer in broken:
        with pytest.raises(Malformed):
            listed(answer)


def test_recorded_contracts_read(recorded):
    bitcoin, ether = (read.instrument("X/USDT:USDT", row) for row in listed(recorded("ExchangeData_GetContracts")))
    assert (bitcoin.tick, bitcoin.step, bitcoin.quantity_min) == (Decimal("0.1"), Decimal("0.0001"), Decimal("0.0001"))
    assert (ether.tick, ether.step) == (Decimal("0.01"), Decimal("0.01"))
    assert (bitcoin.notional_min, bitcoin.leverage_max, bitcoin.leverage_step) == (Decimal(2), Decimal(125), Decimal(1))
    assert (bitcoin.taker_rate, bitcoin.maker_rate) == (Decimal("0.0005"), Decimal("0.0002"))
    assert bitcoin.trading


@pytest.mark.parametrize("change", [{"status": 25}, {"apiStateOpen": "false"}, {"apiStateClose": "false"}])
def test_a_contract_that_is_closed_to_programs_does_not_trade(recorded, change):
    row = listed(recorded("ExchangeData_GetContracts"))[0]
    assert not read.instrument("BTC/USDT:USDT", row | change).trading


@pytest.mark.parametrize(
    ("written", "at_ms"),
    [
        ("2023-12-16T20:58:36.000+0800", 1_702_731_516_000),
        ("2023-12-16T20:58:36.999+0800", 1_702_731_516_999),
        ("2023-12-16T12:58:36.500Z", 1_702_731_516_500),
    ],
)
def test_a_fill_happened_when_its_zone_says(written, at_ms):
    assert read.moment({"filledTime": written}, "filledTime") == at_ms


@pytest.mark.parametrize("written", ["2023-12-16T20:58:36.000", "", "yesterday", "1702731516000"])
def test_a_time_without_a_zone_is_no_time(written):
    with pytest.raises(Malformed, match="filledTime"):
        read.moment({"filledTime": written}, "filledTime")


def test_a_recorded_replacement_names_the_new_order(recorded):
    assert replacing.outcome(recorded("Trading_CancelReplaceOrder")) == Accepted(order_id="987654321")


def test_recorded_candles_and_prices_read(recorded):
    (row,) = listed(recorded("ExchangeData_GetKlines"))
    assert read.candle(row) == {
        "time": 1_702_717_200, "open": "0.7034", "high": "0.7081", "low": "0.7033", "close": "0.7065",
        "volume": "635494.00",
    }  # fmt: skip
    assert read.last_price(data_of(recorded("ExchangeData_GetTicker"))) == Decimal("0.7409")
