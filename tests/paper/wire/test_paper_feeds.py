import time
from decimal import Decimal
from itertools import pairwise

import requests

from blitz.paper.config import PaperConfig
from blitz.paper.engine import default_instruments
from blitz.paper.server import PaperServer
from blitz.paper.wire.feeds.synthetic import SyntheticMarket

SYMBOL = "BTC/USDT:USDT"
BTC = default_instruments()[0]


def walk(seed, steps=3_000, instrument=BTC):
    market = SyntheticMarket(instrument, seed)
    return [market.step() for _ in range(steps)]


def eventually(condition, seconds=8.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_seed_gives_the_same_walk_and_another_seed_another():
    assert walk(4) == walk(4)
    assert walk(4) != walk(5)


def test_the_walk_stays_on_the_tick_above_zero_and_within_reach():
    for instrument in default_instruments():
        prices = [move.price for move in walk(1, instrument=instrument)]
        assert all(instrument.is_on_tick(price) and price > 0 for price in prices)
        assert max(prices) / min(prices) < 3


def test_the_walk_has_gaps_jumps_and_quiet_stretches():
    moves = walk(2, steps=20_000)
    assert any(not move.sweep for move in moves)
    steps = [abs(after.price / before.price - 1) for before, after in pairwise(moves)]
    assert max(steps) > Decimal("0.003")
    assert sorted(steps)[len(steps) // 2] < Decimal("0.001")


def test_the_synthetic_feed_moves_every_market_by_itself(start):
    paper = start(feed="synthetic:9", speed="50")
    before = paper.get("state", brief="1")["prices"]
    eventually(lambda: all(paper.get("state", brief="1")["prices"][name] != before[name] for name in before), 20)


def test_the_live_feed_follows_a_public_exchange(start):
    upstream = start()
    upstream.price("61234.5")
    follower = start(feed=f"live:bybit@{upstream.url}")
    eventually(lambda: follower.get("state", brief="1")["prices"]["BTCUSDT"] == "61234.5")
    client = follower.client()
    client.create_order(SYMBOL, "limit", "buy", "0.01", "61000", {"positionIdx": 0})
    upstream.price("60900")
    eventually(lambda: client.fetch_my_trades(SYMBOL))
    assert client.fetch_my_trades(SYMBOL)[0]["price"] == "61000"


def test_the_live_feed_outlives_a_source_that_goes_away(start):
    upstream = start()
    follower = start(feed=f"live:bybit@{upstream.url}")
    upstream.price("61234.5")
    eventually(lambda: follower.get("state", brief="1")["prices"]["BTCUSDT"] == "61234.5")
    upstream.server.stop()
    assert follower.client().fetch_ticker(SYMBOL)["last"] == "61234.5"


def test_a_fresh_made_up_market_has_traded_for_a_day_and_goes_on_where_that_ended():
    server = PaperServer(PaperConfig(feed="synthetic:4"))
    server.start()
    try:
        query = {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "1000"}
        deadline = time.monotonic() + 20
        while True:
            rows = requests.get(f"{server.url}/v5/market/kline", query, timeout=5).json()["result"]["list"]
            if len(rows) == 1000 or time.monotonic() > deadline:
                break
            time.sleep(0.1)
    finally:
        server.stop()

    assert len(rows) == 1000
    newer_first = [int(row[0]) for row in rows]
    assert newer_first == sorted(newer_first, reverse=True)
    assert all(Decimal(row[3]) <= Decimal(row[1]) <= Decimal(row[2]) for row in rows)
    past = rows[2:]
    assert all(older[4] == newer[1] for newer, older in pairwise(past))
