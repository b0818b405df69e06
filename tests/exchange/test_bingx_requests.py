"""What reaches BingX, parameter by parameter, and how its several lists become one story.

BingX is a server that answers as the documents and recordings say; the requests are ccxt's own.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from blitz.clock import SystemClock
from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
    Done,
    FillsRead,
    NotSent,
    OrderRead,
    PositionRead,
    PrepareAccount,
    ReadAccount,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    Refusal,
    Rejected,
    ReplaceOrder,
    Unknown,
)
from blitz.core.ladder_settings import ExchangeName, MarginMode, Mode
from blitz.core.orders import Direction, FillKind, Side
from blitz.exchange.bingx import fills as fills_module
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from tests.exchange.world import CREDENTIALS, SOON_MS, limit, market, send, settings_of, stop, target

V1, V2 = "/openApi/swap/v1", "/openApi/swap/v2"
NOW_MS = SystemClock().now_ms()
HOUR_MS = 3_600_000
CONTRACT = {
    "contractId": "100", "symbol": "BTC-USDT", "quantityPrecision": 4, "pricePrecision": 1, "makerFeeRate": 0.0002,
    "takerFeeRate": 0.0005, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2, "maxLongLeverage": 125,
    "maxShortLeverage": 125, "currency": "USDT", "asset": "BTC", "status": 1, "apiStateOpen": "true",
    "apiStateClose": "true",
}  # fmt: skip
POSITION = {
    "symbol": "BTC-USDT", "positionAmt": "0.016", "availableAmt": "0.016", "positionSide": "LONG", "isolated": False,
    "avgPrice": "60000", "leverage": 10, "liquidationPrice": 0, "markPrice": "60001",
}  # fmt: skip
FILL = {
    "symbol": "BTC-USDT", "qty": "0.016", "price": "60000", "quoteQty": "960", "commission": "-0.48", "role": "taker",
    "commissionAsset": "USDT", "orderId": "41", "tradeId": "7", "filledTime": "", "side": "BUY", "positionSide": "LONG",
}  # fmt: skip


def ok(data):
    return {"code": 0, "msg": "", "data": data}


def order_row(**changes):
    row = {
        "symbol": "BTC-USDT", "orderId": 41, "side": "BUY", "positionSide": "LONG", "type": "LIMIT", "price": "59400.0",
        "origQty": "0.0160", "executedQty": "0.0000", "avgPrice": "0.0", "stopPrice": "", "status": "NEW",
        "time": NOW_MS, "updateTime": NOW_MS, "clientOrderId": "", "reduceOnly": False,
    }  # fmt: skip
    return row | changes


def written(at_ms):
    """A time as BingX writes it."""
    at = datetime.fromtimestamp(at_ms / 1000, tz=timezone(timedelta(hours=8)))
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}+0800"


@pytest.fixture
def bingx(liar):
    """A hedge account at BingX, flat, cross margin, leverage 10 on both sides."""
    liar.tells |= {
        f"GET {V2}/quote/contracts": ok([CONTRACT]),
        f"GET {V2}/server/time": lambda query: ok({"serverTime": SystemClock().now_ms()}),
        f"GET {V1}/positionSide/dual": ok({"dualSidePosition": "true"}),
        f"GET {V2}/user/positions": ok([]),
        f"GET {V2}/trade/leverage": ok({"longLeverage": 10, "shortLeverage": 10}),
        f"GET {V2}/trade/marginType": ok({"marginType": "CROSSED"}),
        f"GET {V2}/trade/openOrders": ok({"orders": []}),
        f"GET {V2}/trade/fillHistory": ok({"fill_history_orders": [], "total": 0}),
        f"GET {V2}/trade/forceOrders": ok({"orders": []}),
        f"GET {V2}/user/income": ok([]),
        f"POST {V2}/trade/order": ok({"order": {"symbol": "BTC-USDT", "orderId": 1735950529123455000}}),
        f"DELETE {V2}/trade/order": ok({"order": {"symbol": "BTC-USDT", "orderId": 41}}),
        f"POST {V1}/trade/amend": ok({"orderId": 41, "quantity": 0.02}),
    }
    return liar


@pytest.fixture
def open_gateway(bingx):
    def opened(**settings):
        venue = Venue(exchange=ExchangeName.BINGX, mode=Mode.PAPER, base_url=bingx.url)
        gateway = Exchanges(SystemClock()).gateway(venue, CREDENTIALS, settings_of(exchange="bingx", **settings))
        gateway.execute(ReadPosition())
        bingx.asked.clear()
        return gateway

    return opened


@pytest.fixture
def gateway(open_gateway):
    return open_gateway()


@pytest.fixture
def one_way(bingx, open_gateway):
    bingx.tells[f"GET {V1}/positionSide/dual"] = ok({"dualSidePosition": False})
    return open_gateway()


def sent(bingx):
    """The last request: its path and its parameters without those of the signature."""
    path, _, query = bingx.asked[-1].partition("?")
    params = dict(parse_qsl(query, keep_blank_values=True))
    return path, {name: value for name, value in params.items() if name not in {"timestamp", "signature"}}


def test_a_leg_is_a_limit_with_its_tag_folded(gateway, bingx):
    reply = gateway.execute(send(limit("0.0160", "59400.1"), "sm_leg_1_7_BTCUSDTUSDT"))
    assert reply == Accepted(order_id="1735950529123455000")
    path, params = sent(bingx)
    assert path == f"{V2}/trade/order"
    assert params == {
        "symbol": "BTC-USDT", "type": "LIMIT", "side": "BUY", "positionSide": "LONG", "quantity": "0.016",
        "price": "59400.1", "clientOrderID": "sm_leg_1_7_btcusdtusdt", "recvWindow": "5000",
    }  # fmt: skip


def test_the_entry_is_a_market_order_with_its_tag(gateway, bingx):
    gateway.execute(send(market("0.0161"), "sm_leg_0_7_BTCUSDTUSDT"))
    params = sent(bingx)[1]
    assert (params["type"], params["quantity"], params["clientOrderID"]) == (
        "MARKET",
        "0.0161",
        "sm_leg_0_7_btcusdtusdt",
    )
    assert "price" not in params


def test_an_exit_of_a_hedge_account_is_the_opposite_side_and_never_reduce_only(gateway, bingx):
    gateway.execute(send(target("0.016", "60300"), "sm_tp_7_BTCUSDTUSDT"))
    params = sent(bingx)[1]
    assert (params["type"], params["side"], params["positionSide"]) == ("LIMIT", "SELL", "LONG")
    assert params["clientOrderID"] == "sm_tp_7_btcusdtusdt"
    assert "reduceOnly" not in params


def test_an_exit_of_a_one_way_account_is_reduce_only(one_way, bingx):
    one_way.execute(send(target("0.016", "60300")))
    params = sent(bingx)[1]
    assert (params["positionSide"], params["reduceOnly"]) == ("BOTH", "true")
    one_way.execute(send(limit()))
    params = sent(bingx)[1]
    assert (params["positionSide"], "reduceOnly" in params) == ("BOTH", False)


@pytest.mark.parametrize("hedged", [True, False])
def test_a_stop_carries_no_tag_and_waits_for_the_last_price(gateway, bingx, hedged):
    gateway._hedged = hedged
    gateway.execute(send(stop("0.016", "57600.5"), "sm_sl_7_BTCUSDTUSDT"))
    params = sent(bingx)[1]
    wanted = {
        "symbol": "BTC-USDT", "type": "STOP_MARKET", "side": "SELL", "quantity": "0.016", "stopPrice": "57600.5",
        "workingType": "CONTRACT_PRICE", "recvWindow": "5000",
    }  # fmt: skip
    assert params == wanted | ({"positionSide": "LONG"} if hedged else {"positionSide": "BOTH", "reduceOnly": "true"})


def test_a_short_trades_its_own_side(open_gateway, bingx):
    gateway = open_gateway(side="short")
    gateway.execute(send(limit(direction=Direction.SELL)))
    assert (sent(bingx)[1]["side"], sent(bingx)[1]["positionSide"]) == ("SELL", "SHORT")
    gateway.execute(send(target("0.016", "59000", Direction.BUY)))
    assert (sent(bingx)[1]["side"], sent(bingx)[1]["positionSide"]) == ("BUY", "SHORT")


def test_small_numbers_are_sent_as_digits(gateway, bingx):
    gateway.execute(send(limit("0.0001", "59400")))
    assert sent(bingx)[1]["quantity"] == "0.0001"


@pytest.mark.parametrize(
    "order", [limit("0.01605"), limit(price="59400.05"), limit("0.00001"), stop(trigger="57600.05")]
)
def test_what_does_not_fit_the_rules_never_leaves(gateway, bingx, order):
    reply = gateway.execute(send(order))
    assert isinstance(reply, Rejected)
    assert (reply.refusal, reply.code) == (Refusal.FILTER, "not sent")
    assert bingx.asked == []


def test_nothing_is_sent_late_or_without_knowing_the_position_mode(gateway, bingx):
    assert isinstance(gateway.execute(send(limit(), expires_ms=0)), NotSent)
    gateway._hedged = None
    assert isinstance(gateway.execute(send(limit())), NotSent)
    assert isinstance(gateway.execute(replace()), NotSent)
    assert bingx.asked == []


def replace(expires_ms=SOON_MS):
    order = target("0.016", "60400")
    return ReplaceOrder(order_id="41", order=order, client_id="sm_tp_7_BTCUSDTUSDT_1", expires_ms=expires_ms)


def test_a_new_price_replaces_the_order_and_stops_when_the_old_one_cannot_be_cancelled(gateway, bingx):
    bingx.tells[f"POST {V1}/trade/cancelReplace"] = ok(
        {"cancelResult": "true", "cancelMsg": "", "replaceResult": "true", "newOrderResponse": {"orderId": 42}}
    )
    assert gateway.execute(replace()) == Accepted(order_id="42")
    path, params = sent(bingx)
    assert path == f"{V1}/trade/cancelReplace"
    assert params == {
        "symbol": "BTC-USDT", "type": "LIMIT", "side": "SELL", "positionSide": "LONG", "quantity": "0.016",
        "price": "60400", "clientOrderID": "sm_tp_7_btcusdtusdt_1", "recvWindow": "5000", "cancelOrderId": "41",
        "cancelReplaceMode": "STOP_ON_FAILURE",
    }  # fmt: skip


def test_a_replacement_that_is_late_is_not_sent(gateway, bingx):
    assert isinstance(gateway.execute(replace(expires_ms=0)), NotSent)
    assert bingx.asked == []


def test_a_new_quantity_amends_the_order_by_its_number(gateway, bingx):
    amended = AmendOrder(order_id="41", quantity=Decimal("0.02"), price=None, trigger=None)
    assert gateway.execute(amended) == Done()
    assert sent(bingx) == (f"{V1}/trade/amend", {"symbol": "BTC-USDT", "orderId": "41", "quantity": "0.02"})


def test_a_price_cannot_be_amended(gateway, bingx):
    reply = gateway.execute(AmendOrder(order_id="41", quantity=None, price=Decimal(60_000), trigger=None))
    assert isinstance(reply, Rejected)
    assert reply.code == "not sent"
    assert bingx.asked == []


def test_a_cancel_names_one_order(gateway, bingx):
    assert gateway.execute(CancelOrder(order_id="41")) == Done()
    assert sent(bingx) == (f"{V2}/trade/order", {"symbol": "BTC-USDT", "orderId": "41"})


@pytest.mark.parametrize("data", [{}, {"order": None}, {"order": {"symbol": "BTC-USDT"}}, [], None])
def test_an_answer_that_names_no_order_proves_nothing(gateway, bingx, data):
    bingx.tells |= {f"POST {V2}/trade/order": ok(data), f"DELETE {V2}/trade/order": ok(data)}
    assert isinstance(gateway.execute(send(limit())), Unknown)
    assert isinstance(gateway.execute(CancelOrder(order_id="41")), Unknown)


def test_what_is_set_already_is_not_set_again(gateway, bingx):
    assert gateway.execute(PrepareAccount()) == Done()
    assert [path.partition("?")[0] for path in bingx.asked] == [f"{V2}/trade/marginType", f"{V2}/trade/leverage"]


@pytest.mark.parametrize(
    ("hedged", "side", "named"),
    [(True, "long", "LONG"), (True, "short", "SHORT"), (False, "long", "BOTH"), (False, "short", "BOTH")],
)
def test_leverage_is_set_for_our_side(open_gateway, bingx, hedged, side, named):
    bingx.tells[f"GET {V1}/positionSide/dual"] = ok({"dualSidePosition": hedged})
    bingx.tells[f"POST {V2}/trade/leverage"] = ok({"leverage": 7, "symbol": "BTC-USDT"})
    assert open_gateway(side=side, leverage="7").execute(PrepareAccount()) == Done()
    assert sent(bingx) == (f"{V2}/trade/leverage", {"symbol": "BTC-USDT", "side": named, "leverage": "7"})


def test_margin_mode_is_set_for_the_market_and_read_back(open_gateway, bingx):
    gateway = open_gateway(margin_mode="isolated")
    bingx.tells[f"POST {V2}/trade/marginType"] = {"code": 0, "msg": ""}
    assert isinstance(gateway.execute(PrepareAccount()), Unknown)  # it says done and shows the old one
    shown = iter(["CROSSED", "ISOLATED"])
    bingx.tells[f"GET {V2}/trade/marginType"] = lambda query: ok({"marginType": next(shown, "ISOLATED")})
    assert gateway.execute(PrepareAccount()) == Done()
    assert gateway.execute(ReadAccount()) == AccountRead(margin_mode=MarginMode.ISOLATED)


def test_a_flat_look_shows_position_mode_and_what_leverage_is_set(gateway, bingx):
    bingx.tells[f"GET {V2}/trade/leverage"] = ok({"longLeverage": 7, "shortLeverage": 9})
    read = gateway.execute(ReadPosition())
    assert isinstance(read, PositionRead)
    assert (read.position.quantity, read.position.leverage) == (Decimal(0), Decimal(7))
    assert read.position.hedged


def test_position_mode_is_asked_for_until_a_position_holds_it_fast(gateway, bingx):
    bingx.tells[f"GET {V2}/user/positions"] = ok([POSITION])
    for _ in range(3):
        assert gateway.execute(ReadPosition()).position.quantity == Decimal("0.016")
    assert sum("dual" in path for path in bingx.asked) == 1


def test_rows_of_another_market_are_nobodys_position_here(gateway, bingx):
    bingx.tells[f"GET {V2}/user/positions"] = ok([POSITION | {"symbol": "ETH-USDT"}])
    assert gateway.execute(ReadPosition()).position.quantity == 0


def test_an_order_is_asked_for_by_number_or_by_folded_tag(gateway, bingx):
    bingx.tells[f"GET {V2}/trade/order"] = ok({"order": order_row(clientOrderId="sm_leg_1_7_btcusdtusdt")})
    read = gateway.execute(ReadOrder(order_id="", client_id="sm_leg_1_7_BTCUSDTUSDT"))
    assert isinstance(read, OrderRead)
    assert read.record is not None
    assert (read.record.order.order_id, read.record.terminal) == ("41", False)
    assert sent(bingx)[1]["clientOrderId"] == sent(bingx)[1]["clientOrderID"] == "sm_leg_1_7_btcusdtusdt"
    gateway.execute(ReadOrder(order_id="41", client_id="sm_leg_1_7_BTCUSDTUSDT"))
    assert sent(bingx)[1] == {"symbol": "BTC-USDT", "orderId": "41"}


def test_only_the_codes_for_it_say_that_there_is_no_such_order(gateway, bingx):
    call = ReadOrder(order_id="41", client_id="")
    for code in (80016, 109421, "109414"):
        bingx.tells[f"GET {V2}/trade/order"] = {"code": code, "msg": "order not exist", "data": {}}
        assert gateway.execute(call) == OrderRead(record=None)
    for answer in ({"code": 100410, "msg": ""}, {}, ok({}), ok({"order": None}), ok({"order": {}})):
        bingx.tells[f"GET {V2}/trade/order"] = answer
        assert isinstance(gateway.execute(call), Unknown)


# Fills


def fills(gateway, bingx, rows, since_ms=NOW_MS - 60_000, **changes):
    bingx.tells[f"GET {V2}/trade/fillHistory"] = ok({"fill_history_orders": rows, "total": len(rows)} | changes)
    reply = gateway.execute(ReadFills(since_ms=since_ms))
    assert isinstance(reply, FillsRead), reply
    return reply.fills


def test_a_fill_is_booked_to_the_digit_with_the_tag_of_its_order(gateway, bingx):
    bingx.tells[f"GET {V2}/trade/order"] = ok({"order": order_row(clientOrderId="sm_leg_1_7_btcusdtusdt")})
    (fill,) = fills(gateway, bingx, [FILL | {"filledTime": written(NOW_MS), "role": "maker"}])
    assert (fill.exec_id, fill.order_id, fill.client_id) == ("7", "41", "sm_leg_1_7_btcusdtusdt")
    assert (fill.quantity, fill.price, fill.fee) == (Decimal("0.016"), Decimal(60_000), Decimal("0.48"))
    assert (fill.at_ms, fill.is_maker, fill.kind) == (NOW_MS, True, FillKind.TRADE)


def test_an_order_we_know_is_not_asked_for_again(gateway, bingx):
    gateway.execute(send(market(), "sm_leg_0_7_BTCUSDTUSDT"))
    bingx.tells[f"GET {V2}/trade/openOrders"] = ok({"orders": [order_row(clientOrderId="sm_leg_1_7_btcusdtusdt")]})
    gateway.execute(ReadOpenOrders())
    at = {"filledTime": written(NOW_MS)}
    rows = [FILL | at | {"orderId": "1735950529123455000", "tradeId": "6"}, FILL | at]
    entry, leg = fills(gateway, bingx, rows)
    assert (entry.client_id, leg.client_id) == ("sm_leg_0_7_btcusdtusdt", "sm_leg_1_7_btcusdtusdt")
    assert not any(path.startswith(f"{V2}/trade/order?") for path in bingx.asked[2:])


def test_orders_that_fell_out_of_memory_are_asked_for_again(gateway, bingx, monkeypatch):
    monkeypatch.setattr(fills_module, "KNOWN_MAX", 1)
    bingx.tells[f"GET {V2}/trade/order"] = lambda query: ok(
        {"order": order_row(clientOrderId=f"tag-{query['orderId']}")}
    )
    at = {"filledTime": written(NOW_MS)}
    rows = [FILL | at | {"orderId": number, "tradeId": number} for number in ("51", "52", "51")]
    assert [fill.client_id for fill in fills(gateway, bingx, rows, total=2)] == ["tag-51", "tag-52"]


@pytest.mark.parametrize(("word", "kind"), [("LIQUIDATION", FillKind.LIQUIDATION), ("ADL", FillKind.ADL)])
def test_a_fill_that_the_venue_forced_is_told_as_such(gateway, bingx, word, kind):
    bingx.tells[f"GET {V2}/trade/order"] = {"code": 109421, "msg": "order not exist"}
    bingx.tells[f"GET {V2}/trade/forceOrders"] = lambda query: ok(
        {"orders": [{"orderId": 41}] if query["autoCloseType"] == word else []}
    )
    (fill,) = fills(gateway, bingx, [FILL | {"filledTime": written(NOW_MS), "side": "SELL"}])
    assert (fill.kind, fill.client_id) == (kind, "")


def test_a_strangers_fill_is_a_trade_without_a_tag(gateway, bingx):
    bingx.tells[f"GET {V2}/trade/order"] = ok({"order": order_row()})
    (fill,) = fills(gateway, bingx, [FILL | {"filledTime": written(NOW_MS)}])
    assert (fill.kind, fill.client_id) == (FillKind.TRADE, "")


def test_fills_of_the_other_side_are_not_ours(gateway, bingx):
    assert fills(gateway, bingx, [FILL | {"filledTime": written(NOW_MS), "positionSide": "SHORT"}]) == ()


def test_a_list_that_is_shorter_than_it_says_is_unknown(gateway, bingx):
    row = FILL | {"filledTime": written(NOW_MS)}
    bingx.tells[f"GET {V2}/trade/order"] = ok({"order": order_row()})
    bingx.tells[f"GET {V2}/trade/fillHistory"] = ok({"fill_history_orders": [row], "total": 2})
    assert isinstance(gateway.execute(ReadFills(since_ms=NOW_MS)), Unknown)
    odd: list[Any] = [
        {"fill_history_orders": None, "total": 1},
        {"fill_history_orders": []},
        {"total": 0, "x": 1},
        None,
    ]
    for data in odd:
        bingx.tells[f"GET {V2}/trade/fillHistory"] = ok(data)
        expected = FillsRead if isinstance(data, dict) and data.get("total") == 0 else Unknown
        assert isinstance(gateway.execute(ReadFills(since_ms=NOW_MS)), expected)


def test_every_page_is_read_and_a_fill_on_two_of_them_counts_once(gateway, bingx):
    rows = [FILL | {"tradeId": str(number), "filledTime": written(NOW_MS + number)} for number in range(1_500)]

    def page(query):
        start = (int(query["pageIndex"]) - 1) * (int(query["pageSize"]) - 1)  # the last one again: the list moved
        return ok({"fill_history_orders": rows[start : start + int(query["pageSize"])], "total": len(rows)})

    bingx.tells[f"GET {V2}/trade/order"] = ok({"order": order_row()})
    bingx.tells[f"GET {V2}/trade/fillHistory"] = page
    reply = gateway.execute(ReadFills(since_ms=NOW_MS))
    assert [fill.exec_id for fill in reply.fills] == [str(number) for number in range(1_500)]


def test_a_long_past_is_read_window_by_window(gateway, bingx):
    gateway.execute(ReadFills(since_ms=NOW_MS - 20 * 24 * HOUR_MS))
    windows = [dict(parse_qsl(path.partition("?")[2])) for path in bingx.asked if "fillHistory" in path]
    assert len(windows) == 3
    assert all(int(query["endTs"]) - int(query["startTs"]) <= 7 * 24 * HOUR_MS for query in windows)


# Funding


HOUR = NOW_MS - NOW_MS % HOUR_MS


def payment(income, **changes):
    return {
        "symbol": "BTC-USDT", "incomeType": "FUNDING_FEE", "income": income, "asset": "USDT", "info": "Funding Fee",
        "time": HOUR + 15_000, "tranId": "9", "tradeId": "9",
    } | changes  # fmt: skip


def test_funding_is_booked_as_paid_or_received(one_way, bingx):
    bingx.tells[f"GET {V2}/user/income"] = ok([payment("-0.0292"), payment("0.01", tranId="10")])
    paid, received = fills(one_way, bingx, [], since_ms=HOUR)
    assert (paid.kind, paid.fee, paid.exec_id, paid.quantity) == (FillKind.FUNDING, Decimal("0.0292"), "income-9", 0)
    assert received.fee == Decimal("-0.01")
    assert paid.at_ms == HOUR  # listed fifteen seconds later, but that is what it was held for


@pytest.mark.parametrize(("rate", "long_pays"), [("0.0001", True), ("-0.0001", False)])
@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_a_hedge_account_books_the_payments_of_its_own_side(open_gateway, bingx, rate, long_pays, side):
    bingx.tells[f"GET {V2}/user/income"] = ok([payment("-0.5"), payment("0.4", tranId="10")])
    bingx.tells[f"GET {V2}/quote/fundingRate"] = ok([{"symbol": "BTC-USDT", "fundingRate": rate, "fundingTime": HOUR}])
    (fill,) = fills(open_gateway(side=side.value), bingx, [], since_ms=HOUR)
    assert fill.fee == (Decimal("0.5") if long_pays is (side is Side.LONG) else Decimal("-0.4"))


def test_a_payment_whose_rate_is_not_known_is_nobodys_yet(gateway, bingx):
    bingx.tells[f"GET {V2}/user/income"] = ok([payment("-0.5")])
    bingx.tells[f"GET {V2}/quote/fundingRate"] = ok([])
    assert isinstance(gateway.execute(ReadFills(since_ms=HOUR)), Unknown)


def test_payments_are_asked_for_only_where_a_full_hour_has_passed(gateway, bingx):
    now_ms = SystemClock().now_ms()
    gateway.execute(ReadFills(since_ms=now_ms))
    is_due = now_ms % HOUR_MS < fills_module.FUNDING_LAG_MS
    assert any("user/income" in path for path in bingx.asked) is is_due
    bingx.asked.clear()
    gateway.execute(ReadFills(since_ms=now_ms - HOUR_MS))
    assert any("user/income" in path for path in bingx.asked)


def test_other_money_flows_are_not_funding(one_way, bingx):
    rows = [payment("-1", incomeType="TRADING_FEE"), payment("-1", symbol="ETH-USDT"), payment("0")]
    bingx.tells[f"GET {V2}/user/income"] = ok(rows)
    assert fills(one_way, bingx, [], since_ms=HOUR) == ()
