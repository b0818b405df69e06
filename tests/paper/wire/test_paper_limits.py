import ccxt
import pytest
import requests

from blitz.paper.wire.limits import RateLimits

SYMBOL = "BTC/USDT:USDT"


def test_the_eleventh_order_within_a_second_is_refused_with_10006(start):
    client = start(enforce_limits=True).client()
    order = (SYMBOL, "limit", "buy", "0.001", "50000", {"positionIdx": 0})
    for _ in range(10):
        client.create_order(*order)
    with pytest.raises(ccxt.RateLimitExceeded, match="10006"):
        client.create_order(*order)
    headers = client.last_response_headers
    assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("10", "0")
    assert int(headers["X-Bapi-Limit-Reset-Timestamp"]) > 0


def test_endpoints_and_users_are_counted_apart():
    limits = RateLimits(enforced=True)
    granted = [limits.count(key, path, 1_000).granted for key in "ab" for path in ("/v5/order/create", "/x")]
    assert granted == [True] * 4
    for _ in range(9):
        limits.count("a", "/v5/order/create", 1_000)
    assert not limits.count("a", "/v5/order/create", 1_500).granted
    assert limits.count("b", "/v5/order/create", 1_500).granted
    assert limits.count("a", "/v5/order/create", 2_001).granted


def test_an_address_that_asks_too_often_is_shut_out_for_ten_minutes():
    limits = RateLimits(enforced=True)
    assert all(limits.admit_address("here", 0) for _ in range(600))
    assert not limits.admit_address("here", 4_000)
    assert not limits.admit_address("here", 599_000)
    assert limits.admit_address("there", 4_000)
    assert limits.admit_address("here", 604_001)


def test_the_shut_out_answers_http_403_and_the_rules_lift_it(start):
    paper = start(enforce_limits=True)
    with requests.Session() as session:
        codes = [session.get(f"{paper.url}/v5/market/time", timeout=5).status_code for _ in range(601)]
        assert codes == [200] * 600 + [403]
        assert paper.post("rules", enforce_limits=False)["enforce_limits"] is False
        assert session.get(f"{paper.url}/v5/market/time", timeout=5).status_code == 200
