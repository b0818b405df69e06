"""Our rows beside payloads recorded from the real venue: every recorded key must be there."""

import json
from typing import Any

import pytest

SYMBOL = "BTC/USDT:USDT"
# Recorded, but not part of the linear answer today.
LEGACY = {"feeCurrency", "openTime", "totalPerpUpl"}


@pytest.fixture
def traded(paper, alice):
    """An account with a position, a resting order, a fill and a funding charge."""
    alice.create_order(SYMBOL, "market", "buy", "0.02", None, {"positionIdx": 0})
    alice.create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"positionIdx": 0})
    alice.create_order(SYMBOL, "market", "sell", "0.01", None, {"positionIdx": 0, "reduceOnly": True})
    paper.post("clock", advance_ms=9 * 3_600_000)
    alice.load_time_difference()
    alice.options["adjustForTimeDifference"] = True
    return alice


CASES = {
    "http_get_orders_realtime.json": ("order_realtime", {"category": "linear", "symbol": "BTCUSDT"}),
    "http_get_orders_realtime_tp_sl.json": ("order_realtime", {"category": "linear", "symbol": "BTCUSDT"}),
    "http_get_orders_history.json": ("order_history", {"category": "linear"}),
    "http_get_executions.json": ("execution_list", {"category": "linear"}),
    "http_get_positions.json": ("position_list", {"category": "linear", "symbol": "BTCUSDT"}),
    "http_get_wallet_balance.json": ("account_wallet_balance", {"accountType": "UNIFIED"}),
    "http_get_fee_rate.json": ("account_fee_rate", {"category": "linear"}),
    "http_get_instruments_linear.json": ("market_instruments_info", {"category": "linear"}),
    "http_get_funding_history.json": ("market_funding_history", {"category": "linear", "symbol": "BTCUSDT"}),
    "http_get_trades_recent.json": ("market_recent_trade", {"category": "linear", "symbol": "BTCUSDT"}),
}


def keys(value):
    """Every key of a row, nested ones with their path."""
    if not isinstance(value, dict):
        return set()
    nested = {f"{name}.{inner}" for name, one in value.items() for inner in keys(one)}
    return set(value) | nested


@pytest.mark.parametrize("name", sorted(CASES))
def test_list_rows_carry_every_recorded_key(traded, shared_data, name):
    recorded = json.loads(shared_data(f"bybit-recorded/{name}").read_text())["result"]["list"]
    endpoint, query = CASES[name]
    side = "public" if endpoint.startswith("market") else "private"
    ours = getattr(traded, f"{side}_get_v5_{endpoint}")(query)["result"]["list"]
    assert ours
    assert {key for row in recorded for key in keys(row)} - LEGACY <= keys(ours[0])


def test_account_info_and_the_order_book_carry_every_recorded_key(traded, shared_data):
    info = json.loads(shared_data("bybit-recorded/http_get_account_info.json").read_text())["result"]
    book = json.loads(shared_data("bybit-recorded/http_get_orderbook.json").read_text())["result"]
    assert keys(info) <= keys(traded.private_get_v5_account_info()["result"])
    ours = traded.public_get_v5_market_orderbook({"category": "linear", "symbol": "BTCUSDT"})["result"]
    assert keys(book) <= keys(ours)
    row = traded.public_get_v5_market_kline({"category": "linear", "symbol": "BTCUSDT", "interval": "1"})
    recorded = json.loads(shared_data("bybit-recorded/http_get_klines_linear.json").read_text())["result"]
    assert keys(recorded) <= keys(row["result"])


EVENTS = {
    "ws_account_order.json": "order_event_row",
    "ws_account_execution.json": "execution_event_row",
    "ws_account_execution_fast.json": "fast_execution_row",
    "ws_account_position.json": "position_event_row",
    "ws_account_wallet.json": "wallet_event_row",
}


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_event_rows_carry_every_recorded_key(venue_rows, shared_data, name):
    recorded = json.loads(shared_data(f"bybit-recorded/{name}").read_text())["data"]
    assert {key for row in recorded for key in keys(row)} <= keys(venue_rows[EVENTS[name]])


@pytest.fixture
def venue_rows():
    """One event row of each kind, straight from the engine."""
    from decimal import Decimal

    from blitz.paper.engine import EventKind, OrderRequest, OrderType, Side, Venue, default_instruments
    from blitz.paper.wire.bybit import rows

    venue = Venue(default_instruments())
    account = venue.open_account("k", "s", Decimal(10_000))
    order = OrderRequest(symbol="BTCUSDT", side=Side.BUY, order_type=OrderType.MARKET, quantity=Decimal("0.01"))
    venue.place_order(account, order, 1_000)
    latest: dict[EventKind, Any] = {event.kind: event.row for event in venue.drain_events()}
    return {
        "order_event_row": rows.order_event_row(latest[EventKind.ORDER]),
        "execution_event_row": rows.execution_event_row(latest[EventKind.EXECUTION]),
        "fast_execution_row": rows.fast_execution_row(latest[EventKind.EXECUTION]),
        "position_event_row": rows.position_event_row(latest[EventKind.POSITION]),
        "wallet_event_row": rows.wallet_event_row(latest[EventKind.WALLET]),
    }
