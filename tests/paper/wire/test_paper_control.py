import json

import pytest
import requests

SYMBOL = "BTC/USDT:USDT"


def test_an_account_is_opened_once_and_refused_with_another_secret(paper):
    first = paper.post("accounts", key="carol", secret="x", balance="250.5")
    again = paper.post("accounts", key="carol", secret="x", balance="999")
    assert (first["created"], again["created"], again["deposited"]) == (True, False, first["deposited"])
    answer = requests.post(f"{paper.url}/__paper/accounts", json={"key": "carol", "secret": "y"}, timeout=5)
    assert answer.status_code == 400


def test_the_state_tells_everything_but_secrets(paper, alice):
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, {"positionIdx": 0})
    alice.create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"positionIdx": 0, "clientOrderId": "leg"})
    state = paper.get("state")
    assert "alice-secret" not in json.dumps(state)
    account = state["accounts"][0]
    assert (account["key"], account["wallet_balance"]) == ("alice", "9999.67000000")
    assert account["balance"] == account["wallet_balance"]
    assert [order["orderLinkId"] for order in account["open_orders"]] == ["leg"]
    assert [row["execQty"] for row in account["executions"]] == ["0.01"]
    assert account["fills"] == account["executions"]
    assert account["positions"][0]["size"] == "0.01"
    assert state["prices"]["BTCUSDT"] == "60000"
    assert only_text(state)


def only_text(value):
    """Whether every number in a report is a string."""
    if isinstance(value, dict):
        return all(only_text(one) for one in value.values())
    if isinstance(value, list):
        return all(only_text(one) for one in value)
    return isinstance(value, str | bool)


def test_the_state_can_be_narrowed_and_shortened(paper):
    [account] = paper.get("state", key="bob", brief="1")["accounts"]
    assert account["key"] == "bob"
    assert not {"orders", "open_orders", "executions", "fills"} & set(account)
    assert requests.get(f"{paper.url}/__paper/state?key=nobody", timeout=5).status_code == 404


def test_a_watcher_reads_open_orders_and_the_executions_it_has_not_seen(paper, alice):
    alice.create_order(SYMBOL, "market", "buy", "0.01", None, {"positionIdx": 0})
    alice.create_order(SYMBOL, "market", "buy", "0.02", None, {"positionIdx": 0})
    alice.create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"positionIdx": 0, "clientOrderId": "leg"})

    [watched] = paper.get("state", key="alice", open="1")["accounts"]
    [seen_one] = paper.get("state", key="alice", open="1", executions_from="1")["accounts"]

    assert [order["orderLinkId"] for order in watched["open_orders"]] == ["leg"]
    assert not {"orders", "order_history", "executions", "closed_pnl"} & set(watched)
    assert [row["execQty"] for row in seen_one["executions"]] == ["0.02"]
    assert requests.get(f"{paper.url}/__paper/state?executions_from=1", timeout=5).status_code == 400


def test_the_state_lists_open_and_ended_orders_in_the_order_they_were_made(paper, alice):
    for link in ("first", "second", "third"):
        alice.create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"positionIdx": 0, "clientOrderId": link})
    alice.cancel_order("", SYMBOL, {"orderLinkId": "second"})
    account = paper.account()
    assert [order["orderLinkId"] for order in account["orders"]] == ["first", "second", "third"]
    assert [order["orderStatus"] for order in account["orders"]] == ["New", "Cancelled", "New"]
    assert account["orders"] == [account["open_orders"][0], account["order_history"][0], account["open_orders"][1]]


def test_account_narrows_the_state_like_key(paper):
    assert [one["key"] for one in paper.get("state", account="bob")["accounts"]] == ["bob"]
    assert requests.get(f"{paper.url}/__paper/state?account=nobody", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("query", "named"),
    [("acount=bob", "'acount'"), ("key=bob&breif=1", "'breif'"), ("key=bob&account=alice", "one of")],
)
def test_a_query_of_the_state_that_cannot_be_meant_gets_a_sentence(paper, query, named):
    answer = requests.get(f"{paper.url}/__paper/state?{query}", timeout=5)
    assert (answer.status_code, named in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_pages_and_foreign_names_are_refused(paper, headers):
    answer = requests.get(f"{paper.url}/__paper/state", headers=headers, timeout=5)
    assert (answer.status_code, "error" in answer.json()) == (403, True)


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("price", {"symbol": "BTCUSDT"}, 400),
        ("price", {"symbol": "BTCUSDT", "price": "-1"}, 400),
        ("price", {"symbol": "BTCUSDT", "price": "0"}, 400),
        ("price", {"symbol": "BTCUSDT", "price": "NaN"}, 400),
        ("price", {"symbol": "BTCUSDT", "price": "1e39"}, 400),
        ("price", {"symbol": "BTC/EUR", "price": "1"}, 404),
        ("price", {"symbol": "NOPE", "price": "1"}, 404),
        ("clock", {}, 400),
        ("clock", {"now_ms": "1"}, 400),
        ("rules", {"id_regime": "sometimes"}, 400),
        ("deposit", {"key": "nobody", "amount": "1"}, 404),
        ("accounts", {"key": "x"}, 400),
        ("nothing", {}, 404),
    ],
)
def test_a_request_that_cannot_be_done_gets_a_sentence(paper, what, body, status):
    answer = requests.post(f"{paper.url}/__paper/{what}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("asked", "used"),
    [("57629.88", "57629.9"), ("57629.85", "57629.9"), ("57629.84", "57629.8"), ("57630", "57630"), ("0.04", "0.1")],
)
def test_a_price_off_the_tick_is_rounded_half_up_and_the_answer_says_so(paper, asked, used):
    assert paper.price(asked)["price"] == used
    assert paper.get("state", brief="1")["prices"]["BTCUSDT"] == used


@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "BTC/USDT"])
def test_a_symbol_may_be_written_in_the_unified_form(paper, symbol):
    assert paper.price("61000", symbol=symbol)["symbol"] == "BTCUSDT"
    assert paper.post("mark", symbol=symbol, mark="60900")["mark"] == "60900"
    paper.post("faults", fault="lag", symbol=symbol, delay_ms=1)
    assert paper.get("faults")["faults"][0]["symbol"] == "BTCUSDT"


def test_a_body_that_is_no_json_gets_a_sentence(paper):
    answer = requests.post(f"{paper.url}/__paper/price", data=b"{", timeout=5)
    assert (answer.status_code, "JSON" in answer.json()["error"]) == (400, True)


def test_funding_falls_due_when_the_clock_is_moved(start):
    from blitz.clock import ManualClock

    paper = start(clock=ManualClock(1_640_995_200_000 + 3_600_000))
    client = paper.client()
    client.create_order(SYMBOL, "market", "buy", "0.1", None, {"positionIdx": 0})
    paper.post("clock", advance_ms=7 * 3_600_000)
    assert paper.account()["funding"] == "0.60000000"


def test_the_mark_can_be_set_apart_to_liquidate(paper, alice):
    alice.set_margin_mode("isolated")
    alice.create_order(SYMBOL, "market", "buy", "0.1", None, {"positionIdx": 0})
    paper.post("mark", symbol="BTCUSDT", mark="50000")
    books = paper.account()
    assert books["positions"] == []
    last = books["executions"][-1]
    assert (last["execType"], last["orderLinkId"]) == ("BustTrade", "")


def test_auto_deleveraging_reduces_a_position_without_a_link_id(paper, alice):
    alice.create_order(SYMBOL, "market", "buy", "0.1", None, {"positionIdx": 0})
    paper.post("adl", key="alice", symbol="BTCUSDT", quantity="0.04")
    books = paper.account()
    assert (books["positions"][0]["size"], books["executions"][-1]["execType"]) == ("0.06", "AdlTrade")


def test_deposits_and_withdrawals_change_the_wallet(paper):
    assert paper.post("deposit", key="alice", amount="500")["wallet_balance"] == "10500.00000000"
    assert paper.post("deposit", key="alice", amount="-10000")["wallet_balance"] == "500.00000000"


def test_a_thin_book_makes_a_market_order_slip(paper, alice):
    paper.post("book", symbol="BTCUSDT", first_level_notional="600", spread_ticks="2")
    order = alice.create_order(SYMBOL, "market", "buy", "0.05", None, {"positionIdx": 0})
    fills = [trade["price"] for trade in alice.fetch_order_trades(order["id"], SYMBOL)]
    assert len(set(fills)) > 1
    assert min(fills) > "60000"
