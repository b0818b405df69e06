"""Moving prices: sweeps and jumps, the quiet range, tickers, books and bars."""

from decimal import Decimal

import pytest

from blitz.paper.engine import OrderStatus, TriggerDirection

MINUTE_MS = 60_000
START_MS = 1_700_006_400_000


def test_a_fall_fills_the_ladder_from_the_top_down(hand):
    for price in ("58000", "59400", "58800"):
        hand.buy("0.1", price)

    hand.sweep("58000")

    assert [row.price for row in hand.account.executions] == [Decimal(59_400), Decimal(58_800), Decimal(58_000)]


def test_a_jump_fills_crossed_limits_at_their_own_prices(hand):
    for price in ("59400", "58800"):
        hand.buy("0.1", price)

    hand.jump("50000")

    assert [(row.price, row.is_maker) for row in hand.account.executions] == [
        (Decimal(59_400), True),
        (Decimal(58_800), True),
    ]


def test_legs_and_take_profit_in_one_bar_happen_in_path_order(hand):
    hand.buy("0.1")
    leg = hand.buy("0.1", "59400")
    take_profit = hand.sell("0.1", "60300", reduce_only=True)

    hand.sweep("59000")
    hand.sweep("61000")

    assert hand.order(leg).status is OrderStatus.FILLED
    assert hand.order(take_profit).status is OrderStatus.FILLED
    assert hand.position().size == Decimal("0.1")


def test_the_quiet_range_lies_between_the_nearest_things_that_wait(hand):
    assert hand.venue.quiet_range("BTCUSDT") == (0, None)
    hand.buy("0.1", "59000")
    hand.sell("0.1", "61000")
    hand.buy("0.1", trigger_price="60500", trigger_direction=TriggerDirection.RISE)
    hand.sell("0.1", trigger_price="58000", trigger_direction=TriggerDirection.FALL)

    assert hand.venue.quiet_range("BTCUSDT") == (Decimal(59_000), Decimal(60_500))


def test_a_liquidation_level_bounds_the_quiet_range(hand):
    hand.buy("10")
    assert hand.venue.quiet_range("BTCUSDT") == (hand.position().liquidation_price, None)


def test_a_quiet_bar_moves_price_and_bars_without_events(hand):
    hand.venue.drain_events()
    prices = tuple(Decimal(text) for text in ("60000", "60100", "59900", "60050"))

    hand.venue.pass_quiet_bar("BTCUSDT", START_MS, prices, Decimal(3))

    (bar,) = hand.venue.klines("BTCUSDT", "1", None, None, 10, START_MS + MINUTE_MS)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (*prices, Decimal(3))
    assert hand.venue.last_price("BTCUSDT") == Decimal(60_050)
    assert hand.venue.drain_events() == []


@pytest.mark.parametrize(
    ("price", "code"), [("60000.05", 10001), ("0", 110003), ("-1", 110003), ("NaN", 110003), ("1e308", 110003)]
)
def test_a_market_price_that_cannot_be_is_refused(hand, price, code):
    assert hand.code(lambda: hand.jump(price)) == code


def test_bars_are_made_from_moves_newest_first(hand):
    for minute, price in enumerate(("60000", "60200", "59800", "60100", "60300", "60250")):
        hand.now_ms = START_MS + minute * MINUTE_MS
        hand.sweep(price)

    ones = hand.venue.klines("BTCUSDT", "1", None, None, 3, hand.now_ms)
    fives = hand.venue.klines("BTCUSDT", "5", None, None, 3, hand.now_ms)

    assert [bar.start_ms for bar in ones] == [START_MS + minute * MINUTE_MS for minute in (5, 4, 3)]
    assert [bar.confirmed for bar in ones] == [False, True, True]
    assert (fives[1].open, fives[1].high, fives[1].low, fives[1].close) == tuple(
        Decimal(text) for text in ("60000", "60300", "59800", "60300")
    )


def test_bars_without_a_trade_repeat_the_last_close(hand):
    hand.now_ms = START_MS
    hand.sweep("60100")
    hand.now_ms = START_MS + 3 * MINUTE_MS
    hand.sweep("60200")

    rows = hand.venue.klines("BTCUSDT", "1", START_MS, None, 10, hand.now_ms)

    assert [row.close for row in rows] == [Decimal(60_200), Decimal(60_100), Decimal(60_100), Decimal(60_100)]
    assert rows[1].volume == 0


@pytest.mark.parametrize("interval", ["60", "240", "D", "W", "M"])
def test_long_intervals_come_from_hours(hand, interval):
    for hour in range(30):
        hand.now_ms = START_MS + hour * 60 * MINUTE_MS
        hand.jump(str(60_000 + hour))

    rows = hand.venue.klines("BTCUSDT", interval, None, None, 200, hand.now_ms)

    assert rows[0].close == Decimal(60_029)
    assert rows[-1].open == Decimal(60_000)
    assert [row.start_ms for row in rows] == sorted((row.start_ms for row in rows), reverse=True)


def test_klines_refuse_an_unknown_interval(hand):
    assert hand.code(lambda: hand.venue.klines("BTCUSDT", "7", None, None, 10, 0)) == 10001


def test_the_ticker_reports_the_last_day(hand):
    hand.now_ms = START_MS
    hand.sweep("60000")
    hand.sweep("66000")
    hand.now_ms += 60 * MINUTE_MS
    hand.sweep("63000")
    hand.buy("0.1")

    ticker = hand.venue.ticker("BTCUSDT", hand.now_ms)

    assert (ticker.previous_price_24h, ticker.high_24h, ticker.low_24h) == (60_000, 66_000, 60_000)
    assert (ticker.change_24h, ticker.bid_price, ticker.ask_price) == (Decimal("0.05"), 63_000, 63_000)
    assert (ticker.open_interest, ticker.open_interest_value) == (Decimal("0.1"), Decimal(6_300))


def test_the_book_is_locked_at_last_and_grows_outward(hand):
    book = hand.venue.book("BTCUSDT", 3, 0)

    assert [price for price, _ in book.bids] == [Decimal(60_000), Decimal("59999.9"), Decimal("59999.8")]
    assert [price for price, _ in book.asks] == [Decimal(60_000), Decimal("60000.1"), Decimal("60000.2")]
    assert [size for _, size in book.bids] == sorted(size for _, size in book.bids)


def test_the_book_of_a_cheap_coin_never_reaches_zero(hand):
    hand.jump("0.0000005", "1000PEPEUSDT")
    assert all(price > 0 for price, _ in hand.venue.book("1000PEPEUSDT", 500, 0).bids)


def test_the_tape_shows_moves_and_fills_newest_first(hand):
    hand.sweep("60100")
    hand.buy("0.1")

    fill, move = hand.venue.recent_trades("BTCUSDT", 2)
    assert (fill.size, move.price) == (Decimal("0.1"), Decimal(60_100))


def test_at_least_twelve_perpetuals_are_listed_with_consistent_filters(hand):
    assert len(hand.venue.instruments) >= 12
    for instrument in hand.venue.instruments.values():
        assert instrument.is_on_tick(instrument.start_price)
        assert instrument.is_on_step(instrument.min_quantity)
        assert instrument.min_quantity * instrument.start_price < instrument.first_level_notional
        assert instrument.max_leverage == instrument.tiers[0].max_leverage
