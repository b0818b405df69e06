"""Reading orders, fills, positions, single orders and prices from the paper exchange."""

from decimal import Decimal

import pytest

from blitz.core.calls import (
    FillsRead,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PrepareAccount,
    PriceRead,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
)
from blitz.core.orders import Direction, FillKind, OrderType, Side
from tests.bots.both import BOTH
from tests.bots.plain import place_of
from tests.exchange.world import SYMBOL, limit, market, send, stop, target

pytestmark = BOTH

DAY_MS = 24 * 3_600_000


def orders_of(gateway):
    read = gateway.execute(ReadOpenOrders())
    assert isinstance(read, OpenOrdersRead), read
    return read.orders


def fills_of(gateway, since_ms=None):
    recently_ms = gateway._clock.now_ms() - 60_000
    read = gateway.execute(ReadFills(since_ms=recently_ms if since_ms is None else since_ms))
    assert isinstance(read, FillsRead), read
    return read.fills


def position_of(gateway):
    read = gateway.execute(ReadPosition())
    assert isinstance(read, PositionRead), read
    return read.position


def record_of(gateway, order_id="", client_id=""):
    read = gateway.execute(ReadOrder(order_id=order_id, client_id=client_id))
    assert isinstance(read, OrderRead), read
    return read.record


def test_open_orders_carry_what_was_sent(world):
    gateway = world.gateway()
    gateway.execute(send(market(), "sm_leg_0_7_BTCUSDTUSDT"))
    gateway.execute(send(limit(), "sm_leg_1_7_BTCUSDTUSDT"))
    gateway.execute(send(target(), "sm_tp_7_BTCUSDTUSDT"))
    gateway.execute(send(stop(), "sm_sl_7_BTCUSDTUSDT"))
    by_tag = {order.client_id: order for order in orders_of(gateway)}
    assert len(by_tag) == 3  # the market order has filled
    leg, tp = (by_tag[world.kept(f"sm_{name}_7_BTCUSDTUSDT")] for name in ("leg_1", "tp"))
    sl = by_tag["sm_sl_7_BTCUSDTUSDT" if gateway.traits.stops_carry_ids else ""]
    assert (leg.direction, leg.type) == (Direction.BUY, OrderType.LIMIT)
    assert (leg.quantity, leg.filled, leg.price, leg.trigger) == (Decimal("0.016"), 0, Decimal(59400), None)
    assert (leg.reduce_only, tp.reduce_only, sl.reduce_only) == (False, True, True)
    assert (tp.type, tp.direction, tp.price) == (OrderType.LIMIT, Direction.SELL, Decimal(60300))
    assert (sl.type, sl.price, sl.trigger) == (OrderType.STOP_MARKET, None, Decimal(57600))


def test_more_orders_than_a_page_holds_are_all_read(world):
    gateway = world.gateway()
    tags = {f"sm_leg_{number}_7_BTCUSDTUSDT" for number in range(60)}
    for number, tag in enumerate(sorted(tags)):
        gateway.execute(send(limit("0.001", str(50_000 + number)), tag))
    orders = orders_of(gateway)
    assert len(orders) == 60
    assert {order.client_id for order in orders} == {world.kept(tag) for tag in tags}


def test_more_fills_than_a_page_holds_are_all_read_oldest_first(world):
    gateway = world.gateway()
    sent = [f"fill-{number}" for number in range(120)]
    for tag in sent:
        gateway.execute(send(market("0.001"), tag))
    fills = fills_of(gateway)
    assert [fill.client_id for fill in fills] == sent
    assert len({fill.exec_id for fill in fills}) == 120
    sequences = [fill.sequence for fill in fills]
    assert sequences == sorted(set(sequences))
    assert sequences[0] > 0


def test_fills_are_read_over_more_weeks_than_one_question_may_span(world):
    gateway = world.gateway()
    gateway.execute(send(market("0.001"), "long-ago"))
    began = world.clock.now_ms()
    world.post("clock", advance_ms=str(16 * DAY_MS))
    gateway._clock.measure(gateway._client)
    gateway.execute(send(market("0.001"), "today"))
    trades = [fill.client_id for fill in fills_of(gateway, began - DAY_MS) if fill.kind is FillKind.TRADE]
    assert trades == ["long-ago", "today"]
    assert [fill.client_id for fill in fills_of(gateway, began + 15 * DAY_MS)][-1] == "today"


def test_a_fill_is_read_exactly(world):
    gateway = world.gateway()
    gateway.execute(send(market("0.016"), "sm_leg_0_7_BTCUSDTUSDT"))
    (fill,) = fills_of(gateway)
    fee = {"bybit": Decimal("0.528"), "bingx": Decimal("0.48")}[world.exchange]
    assert (fill.quantity, fill.price, fill.fee) == (Decimal("0.016"), Decimal(60000), fee)
    assert (fill.kind, fill.direction, fill.is_maker) == (FillKind.TRADE, Direction.BUY, False)
    assert fill.symbol == gateway._instrument.venue_symbol


def test_funding_is_a_fill_without_a_trade(world):
    gateway = world.gateway()
    gateway.execute(send(market()))
    world.post("clock", advance_ms=str(9 * 3_600_000))
    gateway._clock.measure(gateway._client)
    kinds = {fill.kind for fill in fills_of(gateway, world.clock.now_ms() - DAY_MS)}
    assert kinds == {FillKind.TRADE, FillKind.FUNDING}


def test_a_liquidation_is_a_fill_of_its_own_kind_without_a_client_id(world):
    gateway = world.gateway(leverage="50", margin_mode="isolated")
    gateway.execute(PrepareAccount())
    gateway.execute(send(market("0.1")))
    world.price("57000")
    last = fills_of(gateway)[-1]
    assert (last.kind, last.client_id) == (FillKind.LIQUIDATION, "")


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_flat_account_is_flat(world, side):
    position = position_of(world.gateway(side=side))
    assert (position.quantity, position.average, position.opposite_quantity) == (0, 0, 0)
    assert position.hedged is False


def test_a_position_on_our_side_is_ours_and_one_on_the_other_is_opposite(world):
    world.foreign("buy", "0.05")
    ours, theirs = position_of(world.gateway(side="long")), position_of(world.gateway(side="short"))
    assert (ours.quantity, ours.average, ours.opposite_quantity) == (Decimal("0.05"), Decimal(60000), 0)
    assert (theirs.quantity, theirs.average, theirs.opposite_quantity) == (0, 0, Decimal("0.05"))
    assert ours.leverage == 10
    assert ours.mark == 60000


def test_a_hedge_account_keeps_its_sides_apart(world):
    world.keep_both_sides()
    world.foreign("buy", "0.05", slot="long")
    world.foreign("sell", "0.02", slot="short")
    long, short = position_of(world.gateway(side="long")), position_of(world.gateway(side="short"))
    assert (long.hedged, long.quantity, long.opposite_quantity) == (True, Decimal("0.05"), Decimal("0.02"))
    assert (short.hedged, short.quantity, short.opposite_quantity) == (True, Decimal("0.02"), Decimal("0.05"))


def test_a_hedge_account_lists_only_the_fills_of_its_side(world):
    world.keep_both_sides()
    world.foreign("buy", "0.05", slot="long", clientOrderId="long-open")
    world.foreign("sell", "0.02", slot="short", clientOrderId="short-open")
    world.foreign("sell", "0.03", slot="long", reduceOnly=True, clientOrderId="long-close")
    assert [fill.client_id for fill in fills_of(world.gateway(side="long"))] == ["long-open", "long-close"]
    assert [fill.client_id for fill in fills_of(world.gateway(side="short"))] == ["short-open"]


def test_orders_of_a_hedge_account_name_their_side(world):
    world.keep_both_sides()
    world.foreign("buy", "0.01", "50000", slot="long")
    world.foreign("sell", "0.01", "70000", slot="short")
    assert {order.side for order in orders_of(world.gateway())} == {Side.LONG, Side.SHORT}


def test_an_order_is_found_alive_filled_and_cancelled_by_either_id(world):
    gateway = world.gateway()
    resting = gateway.execute(send(limit(), "resting")).order_id
    filled = gateway.execute(send(market(), "filled")).order_id
    gone = world.foreign("buy", "0.01", "40000", clientOrderId="gone")
    world.other.cancel_order(gone, SYMBOL)
    for ids in ({"order_id": resting}, {"client_id": "resting"}):
        assert record_of(gateway, **ids).terminal is False
    for ids in ({"order_id": filled}, {"client_id": "filled"}):
        record = record_of(gateway, **ids)
        assert (record.terminal, record.order.filled, record.order.order_id) == (True, Decimal("0.016"), filled)
    for ids in ({"order_id": gone}, {"client_id": "gone"}):
        record = record_of(gateway, **ids)
        assert (record.terminal, record.order.filled, record.reason) == (
            True,
            0,
            {"bybit": "CancelByUser", "bingx": "CANCELLED"}[world.exchange],
        )


def test_an_order_nobody_placed_is_known_not_to_exist(world):
    assert record_of(world.gateway(), client_id="never") is None


def test_of_orders_with_one_id_the_newest_is_meant(world):
    world.post("rules", id_regime="reusable")
    gateway = world.gateway()
    for _ in range(2):
        last = gateway.execute(send(market("0.001"), "again")).order_id
    assert record_of(gateway, client_id="again").order.order_id == last


def test_the_price_is_the_last_one_traded(world):
    gateway = world.gateway()
    world.price("61234.5")
    assert gateway.execute(ReadPrice()) == PriceRead(price=Decimal("61234.5"))


def test_only_our_market_is_read(world):
    anywhere = place_of(world.other, "buy")
    world.other.create_order("ETH/USDT:USDT", "market", "buy", "1", None, anywhere)
    world.other.create_order("ETH/USDT:USDT", "limit", "buy", "1", "1000", anywhere)
    gateway = world.gateway()
    assert orders_of(gateway) == ()
    assert fills_of(gateway) == ()
    assert position_of(gateway).quantity == 0
