import time

import ccxt
import pytest
import requests

from blitz.clock import ManualClock
from blitz.paper.wire.bybit.signing import hex_signature

BALANCE = "/v5/account/wallet-balance"


def signed(paper, *, key="alice", secret="alice-secret", stamp=None, window="5000", query="accountType=UNIFIED"):
    stamp = str(int(time.time() * 1000) if stamp is None else stamp)
    headers = {
        "X-BAPI-API-KEY": key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": window,
        "X-BAPI-SIGN": hex_signature(secret, f"{stamp}{key}{window}{query}".encode()),
    }
    return requests.get(f"{paper.url}{BALANCE}?{query}", headers=headers, timeout=5)


def test_a_well_signed_request_is_granted(paper):
    assert signed(paper).json()["retCode"] == 0


def test_the_raw_query_is_what_is_signed(paper):
    # An encoded comma must be hashed as received, not as decoded.
    assert signed(paper, query="accountType=UNIFIED&coin=USDT%2CBTC").json()["retCode"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "nobody"}, 10003),
        ({"secret": "wrong"}, 10004),
        ({"stamp": "soon"}, 10002),
        ({"window": "x"}, 10002),
    ],
)
def test_a_bad_key_signature_or_time_is_refused(paper, change, code):
    answer = signed(paper, **change)
    assert answer.status_code == 200
    assert answer.json()["retCode"] == code


@pytest.mark.parametrize(("shift_ms", "code"), [(-4_000, 0), (-6_000, 10002), (500, 0), (2_000, 10002)])
def test_the_time_window_is_recv_window_back_and_one_second_ahead(paper, shift_ms, code):
    assert signed(paper, stamp=int(time.time() * 1000) + shift_ms).json()["retCode"] == code


def test_a_request_without_authentication_is_http_401(paper):
    assert requests.get(f"{paper.url}{BALANCE}", timeout=5).status_code == 401


def test_ccxt_sees_an_authentication_error(paper):
    with pytest.raises(ccxt.AuthenticationError):
        paper.client("alice", secret="wrong").fetch_balance()


def test_a_server_clock_that_ran_ahead_refuses_until_the_client_asks_the_time(paper, alice):
    paper.post("clock", advance_ms=60_000)
    with pytest.raises(ccxt.InvalidNonce):
        alice.fetch_balance()
    alice.load_time_difference()
    alice.options["adjustForTimeDifference"] = True
    assert alice.fetch_balance()["USDT"]["total"]


def test_a_replayed_clock_accepts_a_client_of_today(start):
    old = start(clock=ManualClock(1_640_995_260_000))
    assert signed(old).json()["retCode"] == 0
    assert signed(old, stamp=1_640_995_260_000).json()["retCode"] == 0


def test_an_unknown_path_is_http_404(paper):
    assert requests.get(f"{paper.url}/v5/nothing", timeout=5).status_code == 404
