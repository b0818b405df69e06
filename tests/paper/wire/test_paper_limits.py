import asyncio

import aiohttp
import ccxt
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from blitz.paper.wire.limit_tables import BINGX_LIMITS
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


def test_a_window_slides_so_that_no_two_seconds_edge_lets_twice_the_limit_through():
    limits = RateLimits(enforced=True)
    assert all(limits.count("a", "/v5/order/create", 990).granted for _ in range(10))
    assert not limits.count("a", "/v5/order/create", 1_010).granted
    assert limits.count("a", "/v5/order/create", 1_990).granted


@given(st.lists(st.integers(0, 40), min_size=1, max_size=400))
def test_no_stretch_of_five_seconds_ever_has_more_than_600_granted(pauses):
    limits, now_ms, granted = RateLimits(enforced=True), 0, []
    limits.shorten_bans(0)
    for pause in pauses:
        now_ms += pause
        granted += [now_ms for _ in range(5) if limits.admit_address("here", now_ms)]
    for first, beyond in zip(granted, granted[600:], strict=False):
        assert beyond - first >= 5_000


def test_what_came_is_counted_although_nothing_is_refused():
    limits = RateLimits(enforced=False)
    assert all(limits.admit_address("here", 0) for _ in range(603))
    assert all(limits.count("a", "/v5/order/create", 0).granted for _ in range(12))
    limits.count("b", "/v5/order/create", 0)
    report = limits.report("b", 0)
    assert report["breaches"] == 3 + 2
    assert report["addresses"][0]["peak"] == 603
    endpoint = report["users"]["/v5/order/create"]
    assert (endpoint["peak"], endpoint["peak_of"], endpoint["breaches"], endpoint["refused"]) == (12, "a", 2, 0)
    assert report["key"]["/v5/order/create"]["peak"] == 1


def test_requests_during_a_shut_out_are_told():
    limits = RateLimits(enforced=True)
    for _ in range(603):
        limits.admit_address("here", 0)
    assert limits.report("", 60_000)["bans"] == [{"of": ["here"], "left_ms": 540_000, "requests_meanwhile": 2}]


def test_bingx_keeps_a_user_out_of_an_endpoint_for_five_minutes():
    limits = RateLimits(BINGX_LIMITS, enforced=True)
    place = "POST /openApi/swap/v2/trade/order"
    assert all(limits.count("a", place, 0).granted for _ in range(10))
    assert not limits.count("a", place, 0).granted
    assert not limits.count("a", place, 299_999).granted
    assert limits.count("a", "GET /openApi/swap/v2/trade/openOrders", 299_999).granted
    assert limits.count("a", place, 300_000).granted


def test_bingx_counts_market_paths_and_each_account_path_apart():
    limits = RateLimits(BINGX_LIMITS, enforced=True)
    assert all(limits.admit_address("here", 0, "/openApi/swap/v3/quote/klines") for _ in range(500))
    assert all(limits.admit_address("here", 0, "/openApi/swap/v2/user/positions") for _ in range(300))
    assert all(limits.admit_address("here", 0, "/openApi/swap/v2/trade/order") for _ in range(300))
    assert not limits.admit_address("here", 0, "/openApi/swap/v2/user/positions")


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


def test_a_shut_out_may_be_made_short_and_ends_by_itself(start):
    paper = start(enforce_limits=True)
    assert paper.post("rules", ban_ms=1)["ban_ms"] == 1
    with requests.Session() as session:
        codes = [session.get(f"{paper.url}/v5/market/time", timeout=5).status_code for _ in range(605)]
    assert 403 in codes[600:]
    report = paper.get("limits")
    assert report["addresses"][0]["refused"] >= 1
    assert report["breaches"] >= 1


def test_the_501st_new_socket_of_an_address_within_five_minutes_is_refused(start):
    paper = start(enforce_limits=True)

    async def connect(times: int) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(times):
                async with session.ws_connect(f"{paper.url}/v5/public/linear"):
                    pass

    asyncio.run(connect(500))
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(connect(1))
    assert paper.get("limits")["sockets"][0]["refused"] == 1
