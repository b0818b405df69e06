"""What an account of the house BingX may do otherwise than one of Bybit, on the same markets."""

import json
from decimal import Decimal

import pytest

from blitz.paper.engine import BINGX, OrderStatus, Side, Venue, default_instruments
from tests.paper.engine.conftest import Hand

LONG, SHORT = 1, 2


@pytest.fixture
def bingx(venue):
    """Trades BTCUSDT on an account of 10,000 USDT at BingX: hedged, cross, leverage 10."""
    return Hand(venue, venue.open_account("bingx", "secret", Decimal(10_000), BINGX))


def restored(venue):
    return Venue.restore(json.loads(json.dumps(venue.snapshot())), default_instruments())


def test_fees_are_the_houses(bingx):
    order = bingx.buy("0.1", position_idx=LONG)
    assert order.fee_paid == Decimal(6_000) * Decimal("0.0005")


def test_ids_are_numbers_of_nineteen_digits_that_grow(bingx):
    first, second = bingx.buy("0.1", "50000", position_idx=LONG), bingx.buy("0.1", "50000", position_idx=LONG)
    assert (len(first.order_id), len(second.order_id)) == (19, 19)
    assert int(first.order_id) < int(second.order_id)


def test_a_key_belongs_to_one_house(venue, bingx, hand):
    assert hand.code(lambda: venue.open_account("bingx", "secret", Decimal(1))) == 10003


def test_the_fee_of_closing_counts_towards_liquidation(venue, bingx):
    venue.set_symbol_margin_mode(bingx.account, "BTCUSDT", isolated=True, now_ms=0)
    bingx.buy("0.1", position_idx=LONG)
    level = bingx.position(LONG).liquidation_price
    # margin + (P - EP)·S = P·S·(0.38 % + 0.05 %), to the tick away from safety
    exact = (6_000 - Decimal(600)) / (Decimal("0.1") * (1 - Decimal("0.0043")))
    assert level == (exact // Decimal("0.1")) * Decimal("0.1")
    bingx.jump(str(level + Decimal("0.1")))
    assert bingx.position(LONG).size
    bingx.jump(str(level))
    assert not bingx.position(LONG).size


def test_the_second_tier_asks_for_more(venue, bingx):
    rich = Hand(venue, venue.open_account("rich", "secret", Decimal(100_000), BINGX))
    rich.buy("5", position_idx=LONG)
    value = 5 * rich.position(LONG).mark_price
    assert rich.position(LONG).maintenance_margin == value * Decimal("0.0045") - 30


def test_an_isolated_loss_leaves_the_cross_position_alone(venue, bingx):
    venue.set_symbol_margin_mode(bingx.account, "BTCUSDT", isolated=True, now_ms=0)
    eth = Hand(venue, bingx.account, "ETHUSDT")
    bingx.buy("0.5", position_idx=LONG)
    eth.buy("10", position_idx=LONG)
    bingx.jump("50000")
    assert not bingx.position(LONG).size
    assert eth.position(LONG).size == 10
    lost = Decimal(10_000) - bingx.account.wallet_balance
    assert Decimal(3_000) <= lost < Decimal(3_100)


def test_a_cross_liquidation_spares_the_isolated_position_and_its_margin(venue, bingx):
    venue.set_symbol_margin_mode(bingx.account, "BTCUSDT", isolated=True, now_ms=0)
    eth = Hand(venue, bingx.account, "ETHUSDT")
    bingx.buy("0.5", position_idx=LONG)
    eth.buy("20", position_idx=LONG)
    eth.jump("2600")
    assert not eth.position(LONG).size
    assert bingx.position(LONG).size == Decimal("0.5")
    assert bingx.account.wallet_balance >= Decimal(3_000)


def test_what_is_frozen_hastens_the_danger_and_goes_before_the_position(venue, bingx):
    bingx.buy("1", position_idx=LONG)
    order = bingx.buy("0.2", "50000", position_idx=LONG)
    frozen = venue.wallet(bingx.account).order_initial_margin
    level = bingx.position(LONG).liquidation_price
    # balance - frozen + (P - EP)·S = P·S·0.43 %, to the tick away from safety
    exact = (60_000 - Decimal(9_970) + frozen) / (1 - Decimal("0.0043"))
    assert frozen == 1_005
    assert level == (exact // Decimal("0.1")) * Decimal("0.1")
    bingx.jump(str(level + Decimal("0.1")))
    assert bingx.order(order).status is OrderStatus.NEW
    bingx.jump(str(level))
    assert (bingx.order(order).status, bingx.order(order).cancel_type) == (OrderStatus.CANCELLED, "CancelAllBeforeLiq")
    assert bingx.position(LONG).size == 1
    assert bingx.position(LONG).liquidation_price < level


def test_what_is_available_keeps_isolated_margin_apart(venue, bingx):
    venue.set_symbol_margin_mode(bingx.account, "BTCUSDT", isolated=True, now_ms=0)
    bingx.buy("0.5", position_idx=LONG)
    before = venue.wallet(bingx.account).available
    bingx.jump("61000")
    assert venue.wallet(bingx.account).available == before


def test_margin_mode_and_house_survive_a_restart(venue, bingx):
    venue.set_symbol_margin_mode(bingx.account, "BTCUSDT", isolated=True, now_ms=0)
    bingx.buy("0.1", position_idx=LONG, link_id="Leg")
    again = restored(venue).account("bingx")
    assert (again.house, again.isolates("BTCUSDT"), again.isolates("ETHUSDT")) == (BINGX, True, False)
    assert "leg" in again.used_link_ids
    assert restored(venue).snapshot() == venue.snapshot()


def test_a_state_from_before_there_were_houses_is_bybits(hand):
    hand.buy("0.1")
    snapshot = json.loads(json.dumps(hand.venue.snapshot()))
    for name in ("house", "isolated_symbols", "key_facts"):
        del snapshot["accounts"][0]["state"][name]
    assert Venue.restore(snapshot, default_instruments()).snapshot() == hand.venue.snapshot()


def test_closing_orders_of_one_side_never_promise_more_than_it_holds(bingx):
    bingx.buy("0.3", position_idx=LONG)
    bingx.sell("0.2", "61000", position_idx=LONG)
    assert bingx.code(lambda: bingx.sell("0.2", "62000", position_idx=LONG)) == 110424
    assert bingx.code(lambda: bingx.sell("0.2", position_idx=LONG)) == 110424
    assert bingx.sell("0.1", position_idx=LONG).status is OrderStatus.FILLED
    assert bingx.code(lambda: bingx.buy("0.1", "59000", position_idx=SHORT)) == 101205


def test_the_venue_taking_a_position_still_cuts_what_rests(venue, bingx):
    bingx.buy("0.3", position_idx=LONG)
    order = bingx.sell("0.3", "61000", position_idx=LONG)
    venue.deleverage(bingx.account, "BTCUSDT", LONG, Decimal("0.1"), bingx.now_ms)
    assert bingx.order(order).quantity == Decimal("0.2")


def test_bybit_accounts_beside_it_are_served_as_ever(hand, bingx):
    bingx.buy("0.1", position_idx=LONG)
    order = hand.buy("0.1")
    assert (order.fee_paid, len(order.order_id)) == (Decimal(6_000) * Decimal("0.00055"), 36)
    assert hand.position().side is Side.BUY
