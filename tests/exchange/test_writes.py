"""Sending, amending, cancelling, preparing: what reaches the exchange, and what each refusal is taken for."""

import json
from decimal import Decimal

import pytest

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
    Done,
    NotSent,
    PrepareAccount,
    ReadAccount,
    ReadOpenOrders,
    ReadPosition,
    Refusal,
    Rejected,
    ReplaceOrder,
)
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import Direction
from blitz.exchange.bybit.gateway import order_params
from tests.bots.both import BOTH
from tests.exchange.world import CREDENTIALS, SYMBOL, limit, lying_server, market, send, stop, target

SIX = ("text", "clientOrderId", "clientOrderID", "newClientOrderId", "orderLinkId", "label")


def refusal_of(reply):
    assert isinstance(reply, Rejected), reply
    return reply.refusal


def body_of(gateway):
    """The last body sent; any float in it fails."""
    return json.loads(gateway._client.last_request_body, parse_float=lambda text: pytest.fail(f"a float: {text}"))


def sent_row(world, order_id):
    rows = world.account()["open_orders"] + world.account()["order_history"]
    return next(row for row in rows if row["orderId"] == order_id)


def amend(order_id, quantity=None, price=None, trigger=None):
    values = [None if value is None else Decimal(value) for value in (quantity, price, trigger)]
    return AmendOrder(order_id=order_id, quantity=values[0], price=values[1], trigger=values[2])


def test_a_tag_goes_into_all_six_documented_fields():
    assert order_params("sm_tp_7_BTCUSDT") == dict.fromkeys(SIX, "sm_tp_7_BTCUSDT")


def test_a_leg_reaches_the_exchange_with_its_tag_and_its_numbers_as_texts(world):
    gateway = world.gateway()
    accepted = gateway.execute(send(limit("0.016", "59400.1")))
    body = body_of(gateway)
    read_by_ccxt = {"clientOrderId"}  # ccxt's own name: it becomes orderLinkId on the way
    assert {name for name in SIX if body.get(name) == "sm_leg_1_7_BTCUSDTUSDT"} == set(SIX) - read_by_ccxt
    assert (body["qty"], body["price"], body["side"], body["orderType"]) == ("0.016", "59400.1", "Buy", "Limit")
    assert (body["positionIdx"], body["category"], body["symbol"]) == (0, "linear", "BTCUSDT")
    assert "reduceOnly" not in body
    assert isinstance(accepted, Accepted)
    assert sent_row(world, accepted.order_id)["orderLinkId"] == "sm_leg_1_7_BTCUSDTUSDT"


@BOTH
def test_a_market_entry_fills(world):
    gateway = world.gateway()
    accepted = gateway.execute(send(market(), "sm_leg_0_7_BTCUSDTUSDT"))
    assert sent_row(world, accepted.order_id)["orderStatus"] == "Filled"


@pytest.mark.parametrize(
    ("side", "direction", "trigger", "waits_for"),
    [("long", Direction.SELL, "57600", 2), ("short", Direction.BUY, "62400", 1)],
)
def test_a_stop_waits_for_the_right_direction_and_only_reduces(world, side, direction, trigger, waits_for):
    gateway = world.gateway(side=side)
    gateway.execute(send(market(direction=direction.opposite), "entry"))
    accepted = gateway.execute(send(stop(trigger=trigger, direction=direction), "sm_sl_7_BTCUSDTUSDT"))
    body = body_of(gateway)
    assert (body["triggerDirection"], body["triggerPrice"], body["reduceOnly"]) == (waits_for, trigger, True)
    row = sent_row(world, accepted.order_id)
    assert (row["orderStatus"], row["orderLinkId"]) == ("Untriggered", "sm_sl_7_BTCUSDTUSDT")


@pytest.mark.parametrize(("side", "index"), [("long", "1"), ("short", "2")])
def test_a_hedge_account_gets_the_index_of_the_side(world, side, index):
    world.other.set_position_mode(True, SYMBOL)
    gateway = world.gateway(side=side)
    opening = Direction.BUY if side == "long" else Direction.SELL
    entry = gateway.execute(send(market(direction=opening), "entry"))
    price = "60300" if side == "long" else "59700"
    exit_order = gateway.execute(send(target(price=price, direction=opening.opposite), "exit"))
    assert sent_row(world, entry.order_id)["positionIdx"] == index
    row = sent_row(world, exit_order.order_id)
    assert (row["positionIdx"], row["reduceOnly"]) == (index, True)


@BOTH
def test_nothing_is_sent_before_the_position_mode_is_known(world):
    gateway = world.opened()
    assert isinstance(gateway.execute(send(limit())), NotSent)
    assert world.account()["counts"]["open_orders"] == "0"
    gateway.execute(ReadPosition())
    assert isinstance(gateway.execute(send(limit())), Accepted)


@BOTH
def test_an_intent_that_has_expired_is_not_sent(world):
    gateway = world.gateway()
    reply = gateway.execute(send(limit(), expires_ms=world.clock.now_ms() - 1_000))
    assert isinstance(reply, NotSent)
    assert world.account()["counts"]["open_orders"] == "0"


def test_bybit_moves_orders_in_place_and_replaces_none(world):
    gateway = world.gateway()
    resting = gateway.execute(send(limit()))
    order = send(limit(price="59000"), "other")
    call = ReplaceOrder(
        order_id=resting.order_id, order=order.order, client_id=order.client_id, expires_ms=order.expires_ms
    )
    assert gateway.traits.amends_price
    assert isinstance(gateway.execute(call), NotSent)
    assert sent_row(world, resting.order_id)["price"] == str(limit().price)


@BOTH
@pytest.mark.parametrize(
    "order", [limit("0.0165"), limit(price="59400.05"), limit("0.0001")], ids=["off step", "off tick", "too small"]
)
def test_what_does_not_fit_the_market_is_not_sent_rounded(world, order):
    reply = world.gateway().execute(send(order))
    assert isinstance(reply, Rejected)
    assert (reply.refusal, reply.code) == (Refusal.FILTER, "not sent")
    assert world.account()["counts"]["open_orders"] == "0"


@BOTH
@pytest.mark.parametrize(
    ("order", "refusal", "code"),
    [
        (limit("0.5", "50000"), None, {}),
        (limit("10", "59000"), Refusal.MARGIN, {"bybit": "110007", "bingx": "101204"}),
        (limit("0.001", "1900"), Refusal.FILTER, {"bybit": "110094", "bingx": "110425"}),
        (target(), Refusal.NO_POSITION, {"bybit": "110017", "bingx": "101205"}),
    ],
    ids=["fits", "margin", "notional", "nothing to reduce"],
)
def test_each_refusal_is_taken_for_what_it_is(world, order, refusal, code):
    reply = world.gateway().execute(send(order))
    if refusal is None:
        assert isinstance(reply, Accepted)
    else:
        assert refusal_of(reply) is refusal
        assert reply.code == code[world.exchange]
        assert reply.message


@BOTH
def test_a_stop_beyond_the_price_has_passed_already(world):
    gateway = world.gateway()
    gateway.execute(send(market(), "entry"))
    assert refusal_of(gateway.execute(send(stop(trigger="60600"), "stop"))) is Refusal.TRIGGER_PASSED


@BOTH
@pytest.mark.parametrize(("regime", "taken"), [("never", True), ("reusable", True), ("unenforced", False)])
def test_an_id_that_is_taken_is_said_to_be(world, regime, taken):
    world.post("rules", id_regime=regime)
    gateway = world.gateway()
    gateway.execute(send(limit()))
    reply = gateway.execute(send(limit()))
    assert (refusal_of(reply) is Refusal.TAKEN) if taken else isinstance(reply, Accepted)


def test_an_amend_moves_price_quantity_and_trigger_and_keeps_the_id(world):
    gateway = world.gateway()
    gateway.execute(send(market(), "entry"))
    resting = gateway.execute(send(limit(), "leg")).order_id
    waiting = gateway.execute(send(stop(), "sl")).order_id
    assert gateway.execute(amend(resting, "0.02", "59300.1")) == Done()
    assert gateway.execute(amend(waiting, trigger="57500")) == Done()
    body_of(gateway)
    orders = {order.order_id: order for order in gateway.execute(ReadOpenOrders()).orders}
    assert (orders[resting].quantity, orders[resting].price) == (Decimal("0.02"), Decimal("59300.1"))
    assert orders[resting].client_id == "leg"
    assert orders[waiting].trigger == 57500


def test_an_amend_to_what_is_there_is_called_unchanged(world):
    gateway = world.gateway()
    resting = gateway.execute(send(limit())).order_id
    assert refusal_of(gateway.execute(amend(resting, "0.016", "59400"))) is Refusal.UNCHANGED


@BOTH
def test_an_order_that_is_gone_can_neither_be_amended_nor_cancelled(world):
    gateway = world.gateway()
    resting = gateway.execute(send(limit())).order_id
    assert gateway.execute(CancelOrder(order_id=resting)) == Done()
    assert refusal_of(gateway.execute(amend(resting, "0.02"))) is Refusal.GONE
    assert refusal_of(gateway.execute(CancelOrder(order_id=resting))) is Refusal.GONE


@BOTH
def test_a_cancel_takes_back_one_order_only(world):
    gateway = world.gateway()
    first, second = (gateway.execute(send(limit(), tag)).order_id for tag in ("first", "second"))
    gateway.execute(CancelOrder(order_id=first))
    assert [order.order_id for order in gateway.execute(ReadOpenOrders()).orders] == [second]


@BOTH
def test_preparing_sets_margin_mode_and_leverage_and_may_be_repeated(world):
    gateway = world.gateway(leverage="12", margin_mode="isolated")
    assert gateway.execute(PrepareAccount()) == Done()
    assert gateway.execute(PrepareAccount()) == Done()
    gateway.execute(send(market()))
    account = world.account()
    assert gateway.execute(ReadAccount()) == AccountRead(margin_mode=MarginMode.ISOLATED)
    assert gateway.execute(ReadPosition()).position.leverage == 12
    assert account["positions"][0]["leverage"] == "12"
    assert gateway.execute(PrepareAccount()) == Done()


def test_portfolio_margin_is_not_ours_to_switch_off(world):
    with lying_server() as liar:
        liar.says({"retCode": 0, "retMsg": "OK", "result": {"marginMode": "PORTFOLIO_MARGIN"}, "time": 1})
        reply = world.gateway_at(liar.url).execute(PrepareAccount())
    assert refusal_of(reply) is Refusal.ACCOUNT
    assert len(liar.asked) == 1  # and nothing was set


@BOTH
def test_a_leverage_beyond_the_market_is_refused(world):
    reply = world.gateway(leverage="150").execute(PrepareAccount())
    assert refusal_of(reply) is Refusal.ACCOUNT


@BOTH
def test_a_wrong_key_and_a_wrong_secret_are_refusals_of_the_key(world):
    for credentials in (
        Credentials(api_key="nobody", api_secret="x"),
        Credentials(api_key=CREDENTIALS.api_key, api_secret="x"),
    ):
        gateway = world.opened(credentials)
        assert refusal_of(gateway.execute(ReadPosition())) is Refusal.KEY


@BOTH
def test_a_clock_that_is_off_is_refused_once_and_then_measured(world):
    gateway = world.gateway()
    world.post("clock", advance_ms="60000")
    assert refusal_of(gateway.execute(send(limit()))) is Refusal.CLOCK
    assert 59_000 < gateway._clock.offset_ms < 61_000
    assert isinstance(gateway.execute(send(limit())), Accepted)
