"""The limits of the BingX door: counted apart from Bybit's, switched together with them."""

import asyncio

import aiohttp
import ccxt
import pytest
import requests

from tests.paper.bingx.test_bingx_trading import SYMBOL, buy, code

TIME = "/openApi/swap/v2/server/time"
CONTRACTS = "/openApi/swap/v2/quote/contracts"


def test_the_sixth_read_within_a_second_is_too_many_and_stays_so(start):
    paper = start(enforce_limits=True)
    client = paper.client("alice")
    for _ in range(5):
        client.fetch_open_orders(SYMBOL)
    with pytest.raises(ccxt.OperationFailed) as refused:
        client.fetch_open_orders(SYMBOL)
    assert code(refused) == 100410
    assert client.fetch_positions() == []
    assert "X-Ratelimit-Requests-Remain" in client.last_response_headers


def test_ten_orders_a_second_are_granted_and_cancels_have_a_count_of_their_own(start):
    paper = start(enforce_limits=True)
    client = paper.client("alice")
    orders = [buy(client, "0.001") for _ in range(10)]
    with pytest.raises(ccxt.OperationFailed):
        buy(client, "0.001")
    assert client.cancel_order(orders[0]["id"], SYMBOL)["status"] == "canceled"


def test_a_shortened_ban_ends_and_the_switch_forgets_everything(start):
    paper = start(enforce_limits=True)
    client = paper.client("alice")
    paper.post("rules", ban_ms=0)
    for _ in range(5):
        client.fetch_positions()
    with pytest.raises(ccxt.OperationFailed):
        client.fetch_positions()
    paper.post("rules", enforce_limits=False)
    for _ in range(10):
        client.fetch_positions()
    report = paper.get("limits")["bingx"]
    assert report["users"]["GET /openApi/swap/v2/user/positions"]["breaches"] == 5


def test_an_address_that_asks_too_often_for_market_data_hears_418(start):
    paper = start(enforce_limits=True)
    with requests.Session() as session:
        statuses = [session.get(f"{paper.url}{CONTRACTS}", timeout=5).status_code for _ in range(501)]
        assert statuses == [200] * 500 + [418]
        assert session.get(f"{paper.url}{TIME}", timeout=5).status_code == 418
        assert session.get(f"{paper.url}/v5/market/time", timeout=5).status_code == 200


def test_an_address_has_sixty_links_at_once(start):
    paper = start(enforce_limits=True)

    async def run():
        async with aiohttp.ClientSession() as session:
            links = [await session.ws_connect(f"{paper.url}/swap-market") for _ in range(60)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{paper.url}/swap-market")
            assert refused.value.status == 429
            await links.pop().close()
            links.append(await session.ws_connect(f"{paper.url}/swap-market"))
            for link in links:
                await link.close()

    asyncio.run(asyncio.wait_for(run(), 20))
