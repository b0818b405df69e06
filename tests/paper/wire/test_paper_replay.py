import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests

from blitz.paper.wire.feeds.replay import Replay

SYMBOL = "BTC/USDT:USDT"
START = 1_640_995_200_000  # 2022-01-01 00:00 UTC
MINUTE = 60_000


@pytest.fixture
def replay(start, tmp_path):
    """Start a lock-step replay of bars given as `open high low close` texts."""

    def run(*bars, start_ms=START, **config):
        path = tmp_path / "bars.csv"
        rows = [f"{start_ms + number * MINUTE}," + ",".join(bar.split()) + ",5\n" for number, bar in enumerate(bars)]
        path.write_text("timestamp,open,high,low,close,volume\n" + "".join(rows))
        return start(feed=f"candles:{path}", speed="max", **config)

    return run


def buy(client, price, quantity="0.01"):
    return client.create_order(SYMBOL, "limit", "buy", quantity, price, {"positionIdx": 0})


QUIET = "1000 1010 990 1000"


def test_the_market_opens_at_the_first_bar_and_stands_still(replay):
    paper = replay("1000 1010 990 1005")
    assert paper.client().fetch_ticker(SYMBOL)["last"] == "1000"
    assert paper.client().fetch_time() == START


def test_advance_stops_at_the_price_where_something_happens(replay):
    paper = replay(QUIET, QUIET, "1000 1010 940 1000", QUIET)
    client = paper.client()
    buy(client, "950")
    stop = paper.post("advance", until="event")
    # The nearer extreme (1010) comes at +20 s; on the way to the low at +40 s the order is met.
    at = START + 2 * MINUTE + 40_000
    assert (stop["at"], stop["price"], stop["bars_started"], stop["done"]) == (at, "950", 3, False)
    assert stop["events"] > 0
    assert client.fetch_my_trades(SYMBOL)[0]["price"] == "950"
    assert client.fetch_time() == at


def test_an_order_placed_at_the_stop_is_met_on_the_same_leg(replay):
    paper = replay(QUIET, "1000 1010 940 1000")
    client = paper.client()
    buy(client, "950")
    first = paper.post("advance")
    buy(client, "945")
    second = paper.post("advance")
    assert (second["at"], second["price"]) == (first["at"], "945")


def test_both_extremes_of_a_bar_trade(replay):
    paper = replay("1000 1030 960 1000")
    client = paper.client()
    buy(client, "965")
    client.create_order(SYMBOL, "limit", "sell", "0.02", "1025", {"positionIdx": 0})
    paper.post("advance", until="end")
    assert sorted(trade["price"] for trade in client.fetch_my_trades(SYMBOL)) == ["1025", "965"]


def test_a_gap_between_bars_fills_resting_orders_at_their_own_price(replay):
    paper = replay(QUIET, "900 905 895 900")
    client = paper.client()
    buy(client, "950")
    stop = paper.post("advance")
    assert (stop["at"], stop["price"]) == (START + MINUTE, "900")
    assert client.fetch_my_trades(SYMBOL)[0]["price"] == "950"


def test_an_open_at_the_last_price_is_still_a_point_for_orders_placed_meanwhile(replay):
    paper = replay("1000 1010 990 1000", "1000 1010 990 1000")
    client = paper.client()
    paper.post("advance", until="bar")
    assert client.fetch_ticker(SYMBOL)["last"] == "1000"
    client.create_order(SYMBOL, "limit", "buy", "0.01", "999", {"positionIdx": 0})
    stop = paper.post("advance")
    assert stop["at"] == START + MINUTE + 20_000


def test_funding_is_charged_at_its_time_and_stops_the_replay(replay):
    eight = START + 8 * 60 * MINUTE
    paper = replay(*[QUIET] * 6, start_ms=eight - 3 * MINUTE)
    client = paper.client()
    client.create_order(SYMBOL, "market", "buy", "0.1", None, {"positionIdx": 0})
    stop = paper.post("advance")
    assert (stop["at"], stop["bars_started"]) == (eight, 4)
    books = paper.account()
    assert Decimal(books["funding"]) == Decimal(1000) * Decimal("0.1") * Decimal("0.0001")
    assert books["executions"][-1]["execType"] == "Funding"
    assert paper.post("advance")["done"] is True


def test_max_bars_and_the_end(replay):
    paper = replay(*[QUIET] * 5)
    first = paper.post("advance", until="event", max_bars=2)
    assert (first["bars_started"], first["done"]) == (2, False)
    second = paper.post("advance", until="end")
    assert (second["bars_started"], second["bars_total"], second["done"]) == (3, 5, True)
    assert paper.post("advance")["done"] is True


def test_bars_passed_whole_leave_the_same_klines_as_bars_played(replay):
    bars = ["1000 1010 990 1005", "1005 1008 1001 1002"]
    whole, played = replay(*bars), replay(*bars)
    # An order inside the range makes every bar loud.
    buy(played.client(), "991")
    buy(played.client(), "1000.5")
    for paper in (whole, played):
        paper.post("advance", until="end")
    figures = [[row[:5] for row in paper.client().fetch_ohlcv(SYMBOL, "1m")] for paper in (whole, played)]
    assert figures[0] == figures[1]


def test_two_runs_of_a_seeded_market_are_the_same(start):
    def run():
        paper = start(feed="synthetic:5", speed="max", seed=1)
        client = paper.client()
        price = Decimal(client.fetch_ticker(SYMBOL)["last"])
        for step in range(1, 6):
            buy(client, str((price * (100 - step) / 100).quantize(Decimal("0.1"))))
        stops = [paper.post("advance", until="event", max_bars=2_000) for _ in range(4)]
        return stops, [row["execId"] for row in paper.account()["executions"]]

    assert run() == run()


def test_a_month_of_quiet_bars_is_passed_whole_but_for_the_funding_hours(start, shared_data, monkeypatch):
    played: list[int] = []
    play_point = Replay._play_point

    def counted(replay: Replay) -> int:
        played.append(1)
        return play_point(replay)

    monkeypatch.setattr(Replay, "_play_point", counted)
    paper = start(feed=f"candles:{shared_data('btc-perp-1m-2022-01.csv')}", speed="max")
    end = paper.post("advance")
    assert (end["bars_started"], end["done"]) == (45_031, True)
    assert len(played) < 1_000  # of 180,124 points: about 94 funding hours, a bar or two at each


def test_requests_are_answered_while_a_replay_runs(start, shared_data):
    paper = start(feed=f"candles:{shared_data('btc-perp-1m-2022-01.csv')}", speed="max")
    client = paper.client()
    worker = threading.Thread(target=paper.post, args=("advance",), kwargs={"until": "end"})
    answered_meanwhile = 0
    worker.start()
    while worker.is_alive():
        client.fetch_time()
        answered_meanwhile += worker.is_alive()
    assert answered_meanwhile >= 3


def test_of_two_advances_at_once_one_is_told_that_another_runs(start, shared_data):
    paper = start(feed=f"candles:{shared_data('btc-perp-1m-2022-01.csv')}", speed="max")
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(requests.post, f"{paper.url}/__paper/advance", json={}, timeout=30) for _ in range(2)]
        statuses = sorted(answer.result().status_code for answer in asked)
    assert statuses in ([200, 409], [200, 200])  # the second may come when the first is through


def test_a_paced_replay_moves_price_and_clock_by_itself(replay, start, tmp_path):
    path = tmp_path / "paced.csv"
    path.write_text(
        f"timestamp,open,high,low,close,volume\n{START},1000,1010,990,1005,5\n{START + MINUTE},1005,1006,1004,1005,1\n"
    )
    paper = start(feed=f"candles:{path}", speed="1000")
    deadline = time.monotonic() + 5
    while paper.client().fetch_time() < START + MINUTE + 59_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert paper.client().fetch_ticker(SYMBOL)["last"] == "1005"


def test_without_bars_there_is_nothing_to_advance(paper):
    answer = requests.post(f"{paper.url}/__paper/advance", json={}, timeout=5)
    assert (answer.status_code, "speed max" in answer.json()["error"]) == (409, True)
