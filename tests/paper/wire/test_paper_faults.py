import time

import ccxt
import pytest
import requests

SYMBOL = "BTC/USDT:USDT"


def buy(client, price="59000", **params):
    return client.create_order(SYMBOL, "limit", "buy", "0.01", price, {"positionIdx": 0, **params})


def links(client):
    return [order["clientOrderId"] for order in client.fetch_open_orders(SYMBOL)]


def test_a_dropped_response_loses_the_answer_but_not_the_order(paper, alice):
    paper.post("faults", fault="drop_response", endpoint="order/create", count="1")
    with pytest.raises(ccxt.NetworkError):
        buy(alice, clientOrderId="lost")
    assert links(alice) == ["lost"]
    with pytest.raises(ccxt.InvalidOrder, match="110072"):
        buy(alice, clientOrderId="lost")


def test_a_dropped_request_never_happened(paper, alice):
    paper.post("faults", fault="drop_request", endpoint="order/create", count="1")
    with pytest.raises(ccxt.NetworkError):
        buy(alice, clientOrderId="again")
    assert links(alice) == []
    assert buy(alice, clientOrderId="again")["clientOrderId"] == "again"


def test_a_late_delivery_beyond_the_window_is_refused_on_arrival(paper, alice):
    alice.options["recvWindow"] = 200
    paper.post("faults", fault="delay_delivery", endpoint="order/create", delay_ms="400", count="1")
    with pytest.raises(ccxt.InvalidNonce):
        buy(alice, clientOrderId="late")
    assert links(alice) == []


def test_a_delayed_response_times_out_although_the_order_stands(paper):
    client = paper.client("alice", timeout=150)
    paper.post("faults", fault="delay_response", endpoint="order/create", delay_ms="600", count="1")
    with pytest.raises(ccxt.RequestTimeout):
        buy(client, clientOrderId="slow")
    assert links(client) == ["slow"]


@pytest.mark.parametrize("fault", ["empty_body", "garbage_body"])
def test_a_broken_body_is_http_200_and_the_order_stands(paper, alice, fault):
    paper.post("faults", fault=fault, endpoint="order/create", count="1")
    assert buy(alice, clientOrderId="odd")["id"] is None
    assert links(alice) == ["odd"]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"fault": "http_status", "status": "503"}, ccxt.ExchangeNotAvailable),
        ({"fault": "http_status", "status": "403"}, ccxt.RateLimitExceeded),
        ({"fault": "ret_code", "code": "10006"}, ccxt.RateLimitExceeded),
        ({"fault": "ret_code", "code": "10016"}, ccxt.ExchangeError),
        ({"fault": "ret_code", "code": "33004"}, ccxt.AuthenticationError),
    ],
)
def test_an_injected_refusal_stops_the_request_before_the_venue(paper, alice, rule, error):
    paper.post("faults", endpoint="order/create", count="1", **rule)
    with pytest.raises(error):
        buy(alice, clientOrderId="no")
    assert links(alice) == []


def test_a_rule_for_one_account_spares_the_other(paper, alice):
    paper.post("faults", fault="ret_code", account="bob", code="10016")
    assert buy(alice)["id"]
    with pytest.raises(ccxt.ExchangeError):
        buy(paper.client("bob"))


def test_skip_count_and_probability_decide_who_is_hit(paper, alice):
    paper.post("faults", fault="ret_code", endpoint="market/time", skip="2", count="1")
    hits = []
    for _ in range(5):
        try:
            alice.fetch_time()
            hits.append(False)
        except ccxt.ExchangeError:
            hits.append(True)
    assert hits == [False, False, True, False, False]


def test_the_same_seed_hits_the_same_requests(paper, alice):
    def run():
        number = paper.post("faults", fault="ret_code", endpoint="market/time", probability="0.5", seed="7")["id"]
        struck = []
        for _ in range(20):
            try:
                alice.fetch_time()
                struck.append(0)
            except ccxt.ExchangeError:
                struck.append(1)
        paper.post("faults", fault="ret_code", endpoint="nothing")
        return number, struck

    _, first = run()
    requests.delete(f"{paper.url}/__paper/faults", timeout=5)
    _, second = run()
    assert first == second
    assert 0 < sum(first) < 20


def test_a_lagging_read_shows_the_past_and_catches_up(paper, alice):
    paper.post("faults", fault="lag", endpoint="order/realtime", account="alice", delay_ms="300")
    buy(alice, clientOrderId="fresh")
    assert links(alice) == []
    assert alice.fetch_canceled_and_closed_orders(SYMBOL) == []
    time.sleep(0.4)
    assert links(alice) == ["fresh"]


def test_endpoints_lag_apart_so_position_and_orders_disagree(paper, alice):
    buy(alice)
    paper.post("faults", fault="lag", endpoint="position/list", delay_ms="300")
    paper.price("59000")
    assert alice.fetch_open_orders(SYMBOL) == []
    assert alice.fetch_positions([SYMBOL])[0]["info"]["size"] == "0"
    time.sleep(0.4)
    assert alice.fetch_positions([SYMBOL])[0]["contracts"] == "0.01"


def test_a_filled_order_may_vanish_from_every_list_for_a_while(paper, alice):
    order = buy(alice)
    paper.post("faults", fault="vanish_ms", delay_ms="300")
    paper.price("59000")
    assert alice.fetch_open_orders(SYMBOL) == []
    assert alice.fetch_closed_orders(SYMBOL) == []
    assert len(alice.fetch_my_trades(SYMBOL)) == 1
    time.sleep(0.4)
    assert alice.fetch_closed_orders(SYMBOL)[0]["id"] == order["id"]


def test_partial_fills_come_touch_by_touch_until_the_rule_is_lifted(paper, alice):
    paper.post("faults", fault="partial_fill", account="alice", quantity="0.004")
    order = buy(alice)
    for filled in ("0.004", "0.008"):
        paper.price("59000")
        assert alice.fetch_open_orders(SYMBOL)[0]["filled"] == filled
        paper.price("59500")
    assert requests.delete(f"{paper.url}/__paper/faults", timeout=5).json() == {"lifted": 1}
    paper.price("59000")
    assert alice.fetch_order(order["id"], SYMBOL, {"acknowledged": True})["status"] == "closed"


def test_a_list_can_come_empty_or_cut_without_saying_so(paper, alice):
    for step in range(4):
        buy(alice, price=str(59_000 + step))
    paper.post("faults", fault="empty_list", endpoint="order/realtime", count="1")
    paper.post("faults", fault="truncated_page", endpoint="order/realtime", count="1")
    assert [len(alice.fetch_open_orders(SYMBOL)) for _ in range(3)] == [0, 2, 4]


def test_a_huge_body_is_more_than_anyone_should_read(paper, alice):
    paper.post("faults", fault="huge_body", endpoint="market/time", count="1")
    assert len(requests.get(f"{paper.url}/v5/market/time", timeout=10).content) == 16 * 1_048_576


def test_a_venue_that_restarted_has_forgotten_the_past(paper, alice):
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, {"positionIdx": 0})
    time.sleep(0.05)
    paper.post("faults", fault="forget_history", delay_ms="30")
    assert alice.fetch_my_trades(SYMBOL) == []
    assert alice.fetch_closed_orders(SYMBOL) == []
    assert alice.fetch_positions([SYMBOL])[0]["contracts"] == "0.01"


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "sabotage"},
        {"fault": "lag"},
        {"fault": "ret_code", "probability": "2"},
        {"fault": "partial_fill"},
        {"fault": "ret_code", "colour": "red"},
        {"fault": "delay_response", "delay_ms": "9999999999"},
        {"fault": "http_status", "status": "200"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(paper, rule):
    answer = requests.post(f"{paper.url}/__paper/faults", json=rule, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
