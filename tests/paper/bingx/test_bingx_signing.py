"""What is not signed and timed as BingX demands is refused with its number, and nothing happens."""

import ccxt
import pytest
import requests

from blitz.paper.wire.bingx.signing import signature_of

BALANCE = "/openApi/swap/v3/user/balance"


def ask(paper, query, key="alice"):
    headers = {"X-BX-APIKEY": key} if key else {}
    answer = requests.get(f"{paper.url}{BALANCE}?{query}", headers=headers, timeout=5)
    assert answer.status_code == 200
    return answer.json()["code"]


def now(paper):
    return requests.get(f"{paper.url}/openApi/swap/v2/server/time", timeout=5).json()["data"]["serverTime"]


def signed(paper, secret="alice-secret", drift_ms=0, **more):
    pairs = [*more.items(), ("timestamp", str(now(paper) + drift_ms))]
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{query}&signature={signature_of(secret, pairs)}"


def test_a_signed_request_in_time_is_granted(paper):
    assert ask(paper, signed(paper)) == 0


@pytest.mark.parametrize("key", ["", "nobody"])
def test_an_unknown_key_is_refused(paper, key):
    assert ask(paper, signed(paper), key) == 100413


def test_a_wrong_signature_is_refused(paper):
    assert ask(paper, signed(paper, "another-secret")) == 100001


def test_no_signature_at_all_has_a_number_of_its_own(paper):
    assert ask(paper, f"timestamp={now(paper)}") == 100412


@pytest.mark.parametrize(("drift_ms", "expected"), [(-4_000, 0), (4_000, 0), (-6_000, 100421), (6_000, 100421)])
def test_the_timestamp_may_be_five_seconds_off_either_way(paper, drift_ms, expected):
    assert ask(paper, signed(paper, drift_ms=drift_ms)) == expected


def test_a_window_of_the_clients_own_counts(paper):
    assert ask(paper, signed(paper, drift_ms=-2_000, recvWindow="1000")) == 100421


def test_parameters_are_hashed_in_order_of_their_names_however_they_were_sent(paper):
    pairs = [("timestamp", str(now(paper))), ("recvWindow", "5000"), ("asset", "USDT")]
    query = "&".join(f"{name}={value}" for name, value in pairs)
    assert ask(paper, f"{query}&signature={signature_of('alice-secret', pairs[::-1])}") == 0
    assert ask(paper, f"signature={signature_of('alice-secret', pairs)}&{query}") == 0


def test_json_in_a_parameter_is_hashed_as_it_reads_decoded(paper, alice):
    stop = {"positionSide": "LONG", "stopLoss": {"triggerPrice": "55000"}}
    assert alice.create_order("BTC/USDT:USDT", "market", "buy", "0.01", None, stop)["id"]


def test_a_client_whose_clock_is_off_is_told_that_it_is_the_time(paper, alice):
    alice.nonce = lambda: alice.milliseconds() - 60_000
    with pytest.raises(ccxt.BadSymbol, match="timestamp"):
        alice.fetch_balance()
