"""Margin, liquidation prices and liquidation itself, in isolated and cross mode."""

from decimal import Decimal

import pytest

from blitz.paper.engine import OrderStatus, Side, TriggerDirection, Venue, default_instruments
from blitz.paper.engine.instruments import risk_tiers
from blitz.paper.engine.margin import crossing_prices, maintenance


def isolate(hand, leverage="50"):
    hand.venue.set_margin_mode(hand.account, isolated=True, now_ms=0)
    hand.venue.set_leverage(hand.account, hand.symbol, Decimal(leverage), Decimal(leverage), 0)


def busts(hand):
    return [row for row in hand.account.executions if row.exec_type.value == "BustTrade"]


def test_maintenance_margin_is_continuous_where_tiers_meet():
    for instrument in default_instruments():
        for lower, upper in zip(instrument.tiers, instrument.tiers[1:], strict=False):
            edge = lower.limit_value
            at_edge = [edge * tier.maintenance_rate - tier.deduction for tier in (lower, upper)]
            assert at_edge[0] == at_edge[1] == maintenance(instrument, edge)


@pytest.mark.parametrize(
    ("size", "margin", "level"),
    [
        ("1", "400", "19698.49"),  # the reference case: (20,000 − 400) / (1 − 0.5 %)
        ("1", "20000", "0.00"),  # fully paid: nothing to liquidate above zero
        ("200", "80000", "19747.47"),  # 4 M, second tier: (4,000,000 − 80,000 − 10,000) / (200 × 0.99)
    ],
)
def test_the_liquidation_level_of_a_long_solves_the_margin_equation(size, margin, level):
    held, tiers = Decimal(size), risk_tiers("2000000", "100")
    constant = Decimal(margin) - 20_000 * held

    below, above = crossing_prices(constant, held, Decimal(0), tiers)

    assert above is None
    assert below is not None
    assert below.quantize(Decimal("0.01")) == Decimal(level)
    instrument = default_instruments()[0]
    assert abs(constant + below * held - maintenance(instrument, below * held)) < Decimal("1e-15")


def test_an_isolated_long_is_liquidated_at_its_level_and_pays_its_margin(hand):
    isolate(hand)
    hand.buy("1")
    level = hand.position().liquidation_price
    assert level == Decimal("59095.4")  # 58,800 / 0.995 = 59,095.477…, down to the tick

    hand.sweep("59095.5")
    assert hand.position().size == 1
    hand.sweep("59095.4")

    (fill,) = busts(hand)
    assert (fill.price, fill.link_id, fill.side) == (Decimal(58_800), "", Side.SELL)
    assert hand.account.realised == Decimal(-1200)
    assert hand.position().size == 0


def test_an_isolated_short_is_liquidated_above(hand):
    isolate(hand)
    hand.sell("1")
    assert hand.position().liquidation_price == Decimal("60895.6")  # 61,200 / 1.005 = 60,895.52…, up to the tick

    hand.sweep("60895.6")

    assert busts(hand)[0].price == Decimal(61_200)
    assert hand.account.realised == Decimal(-1200)


def test_liquidation_cancels_the_symbols_orders_and_leaves_other_symbols_alone(hand):
    isolate(hand)
    hand.buy("1")
    doomed = hand.sell("1", "70000", reduce_only=True)
    survivor = hand.buy("1", "2000", symbol="ETHUSDT")

    hand.sweep("59000")

    assert hand.order(doomed).cancel_type == "CancelAllBeforeLiq"
    assert hand.order(survivor).status is OrderStatus.NEW


def test_a_cross_account_is_liquidated_when_its_whole_balance_is_used_up(hand):
    hand.buy("10")
    level = hand.position().liquidation_price
    # 100,000 − 330 fee: 10·P − 500,330 = 0.005·10·P  →  P = 50,284.42
    assert level == Decimal("50284.4")

    hand.jump("50284.5")
    assert hand.position().size == 10
    hand.jump("50284.4")

    assert hand.position().size == 0
    assert 0 <= hand.account.wallet_balance < Decimal(1)


def test_a_gap_far_beyond_bankruptcy_leaves_a_cross_wallet_at_zero_not_below(hand):
    hand.buy("10")

    hand.jump("20000")

    assert 0 <= hand.account.wallet_balance < Decimal(1)
    assert hand.account.wallet_balance == hand.account.deposited + hand.account.realised - hand.account.fees


def test_cross_positions_in_two_symbols_share_the_balance(hand):
    hand.buy("6")
    hand.buy("120", symbol="ETHUSDT")

    for drop in range(1, 40):
        hand.jump(str(60_000 - 300 * drop))
        hand.jump(str(3_000 - 15 * drop), "ETHUSDT")
        wallet = hand.venue.wallet(hand.account)
        alive = bool(hand.account.open_slots())
        assert (wallet.equity > wallet.maintenance_margin) if alive else wallet.equity < 1

    assert {row.symbol for row in busts(hand)} == {"BTCUSDT", "ETHUSDT"}


def test_a_fully_hedged_position_has_no_level_nearby(hand):
    hand.venue.switch_position_mode(hand.account, symbol="BTCUSDT", coin=None, hedge=True, now_ms=0)
    hand.buy("1", position_idx=1)
    hand.sell("1", position_idx=2)

    hand.jump("30000")
    hand.jump("120000")

    assert not busts(hand)
    assert hand.venue.wallet(hand.account).unrealised == 0


def test_the_mark_price_liquidates_not_the_last(hand):
    isolate(hand)
    hand.buy("1")
    hand.venue.set_mark("BTCUSDT", Decimal(60_000), 0)

    hand.jump("50000")
    assert hand.position().size == 1
    hand.venue.set_mark("BTCUSDT", Decimal(59_000), 0)
    assert busts(hand)[0].price == Decimal(58_800)


def test_a_stop_above_the_liquidation_level_saves_the_position_in_a_sweep(hand):
    isolate(hand)
    hand.buy("1")
    hand.stops(stop_loss="59500")

    hand.sweep("50000")

    assert not busts(hand)
    assert hand.account.executions[-1].price == Decimal(59_500)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_stop_cannot_save_a_position_from_a_gap_past_bankruptcy(hand, isolated):
    hand.venue.set_margin_mode(hand.account, isolated=True, now_ms=0) if isolated else None
    hand.buy("15")
    hand.stops(stop_loss="59500")

    hand.jump("20000")

    assert len(busts(hand)) == 1
    assert hand.account.wallet_balance >= 0


def test_a_gap_that_leaves_equity_is_survived_by_the_stop(hand):
    hand.buy("10")
    hand.stops(stop_loss="59500")

    hand.jump("50200")

    assert not busts(hand)
    assert hand.account.wallet_balance > 1_000


def test_one_accounts_liquidation_leaves_the_others_alone(hand, other):
    isolate(hand)
    hand.buy("1")
    other.buy("1")

    hand.sweep("59000")

    assert (hand.position().size, other.position().size) == (0, 1)


def test_open_orders_occupy_margin_and_give_it_back(hand):
    hand.buy("10", "50000")
    wallet = hand.venue.wallet(hand.account)

    assert wallet.order_initial_margin == Decimal(50_000) + Decimal(500_000) * Decimal("0.00055")
    assert wallet.available == 100_000 - wallet.order_initial_margin
    hand.venue.cancel_all(hand.account, "BTCUSDT", None, None, 0)
    assert hand.venue.wallet(hand.account).available == 100_000


def test_orders_against_the_position_occupy_no_margin_up_to_its_size(hand):
    hand.buy("1")
    before = hand.venue.wallet(hand.account).order_initial_margin
    hand.sell("1", "61000")
    assert hand.venue.wallet(hand.account).order_initial_margin == before == 0
    hand.sell("1", "61000")
    assert hand.venue.wallet(hand.account).order_initial_margin > 0


def test_profit_can_be_traded_with_in_cross_but_not_in_isolated(hand):
    hand.buy("1")
    hand.jump("70000")
    cross = hand.venue.wallet(hand.account).available
    hand.venue.set_margin_mode(hand.account, isolated=True, now_ms=0)

    assert cross == Decimal(99967) + 10_000 - 7_000
    assert hand.venue.wallet(hand.account).available == Decimal(99967) - 6_000


def test_a_position_too_large_for_its_leverage_is_refused(hand):
    hand.venue.deposit(hand.account, Decimal(1_000_000_000), 0)
    hand.venue.set_leverage(hand.account, "BTCUSDT", Decimal(100), Decimal(100), 0)

    assert hand.code(lambda: hand.buy("100", "59000")) == 110090
    assert hand.buy("30", "59000").status is OrderStatus.NEW


def test_withdrawing_more_than_is_available_is_refused(hand):
    hand.buy("10")
    assert hand.code(lambda: hand.venue.deposit(hand.account, Decimal(-50_000), 0)) == 110007
    hand.venue.deposit(hand.account, Decimal(-30_000), 0)
    assert hand.account.deposited == 70_000


def test_thousands_of_accounts_cost_a_quiet_move_nothing():
    venue = Venue(default_instruments())
    for number in range(2_000):
        venue.open_account(f"key-{number}", "secret", Decimal(1_000))
    venue.drain_events()

    venue.move_price("BTCUSDT", Decimal(50_000), 0, sweep=True)

    assert [event.kind.value for event in venue.drain_events()] == ["trade", "ticker"]


def test_a_position_opened_by_a_jump_is_not_judged_by_the_price_before_it(hand):
    isolate(hand)
    hand.buy("1", trigger_price="61000", trigger_direction=TriggerDirection.RISE)

    hand.jump("70000")

    assert hand.position().liquidation_price > Decimal(61_000)
    assert hand.position().size == 1


def test_a_loss_in_one_market_liquidates_what_it_leaves_uncovered_in_another(hand):
    hand.buy("200", symbol="ETHUSDT")
    hand.buy("3")
    hand.stops(stop_loss="59000")

    hand.jump("27800")

    assert [row.symbol for row in busts(hand)] == ["ETHUSDT"]
    assert not hand.account.open_slots()
    assert hand.account.wallet_balance >= 0
