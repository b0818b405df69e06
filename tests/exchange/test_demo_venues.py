"""Play money: where each kind of demo is asked, and with what. Nothing is sent; the requests are looked at."""

from urllib.parse import parse_qs, urlsplit

import pytest

from blitz.clock import ManualClock
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx.client import bingx_client
from blitz.exchange.bybit.client import bybit_client
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.profiles import PROFILES
from tests.exchange.world import CREDENTIALS, KEY, SYMBOL

NOW_MS = 1_750_000_000_000


class Requests:
    """Takes the place of the network under a ccxt client and keeps what would have been sent."""

    def __init__(self, client):
        self.sent = []
        client.fetch = self._fetch

    def _fetch(self, url, method="GET", headers=None, body=None):
        self.sent.append((method, url, dict(headers or {}), body))
        return {"retCode": 0, "retMsg": "OK", "result": {"orderId": "1", "orderLinkId": "x"}, "time": NOW_MS}


def bybit(mode, *, testnet=False, base_url=""):
    venue = Venue(exchange=ExchangeName.BYBIT, mode=mode, testnet=testnet, base_url=base_url)
    client = bybit_client(venue, ManualClock(NOW_MS), CREDENTIALS)
    return client, Requests(client)


@pytest.mark.parametrize(
    ("mode", "testnet", "host"),
    [
        (Mode.DEMO, False, "api-demo.bybit.com"),
        (Mode.DEMO, True, "api-testnet.bybit.com"),
        (Mode.LIVE, False, "api.bybit.com"),
    ],
)
def test_public_and_signed_requests_go_to_the_address_of_the_account(world, mode, testnet, host):
    client, requests = bybit(mode, testnet=testnet)
    client.set_markets_from_exchange(world.exchanges._markets.master(world.venue))

    client.public_get_v5_market_time()
    client.private_get_v5_position_list({"category": "linear", "symbol": "BTCUSDT"})
    client.create_order(SYMBOL, "limit", "buy", "0.016", "59400", {"clientOrderId": "sm_leg_1_7_BTCUSDTUSDT"})

    assert {urlsplit(url).netloc for _, url, _, _ in requests.sent} == {host}
    assert [urlsplit(url).path for _, url, _, _ in requests.sent] == [
        "/v5/market/time",
        "/v5/position/list",
        "/v5/order/create",
    ]
    assert all(url.startswith("https://") for _, url, _, _ in requests.sent)


@pytest.mark.parametrize("testnet", [False, True])
def test_a_demo_order_names_the_same_market_and_is_signed_with_the_venues_time(world, testnet):
    client, requests = bybit(Mode.DEMO, testnet=testnet)
    client.set_markets_from_exchange(world.exchanges._markets.master(world.venue))

    client.create_order(SYMBOL, "market", "buy", "0.016", None, {"clientOrderId": "sm_leg_0_7_BTCUSDTUSDT"})

    method, _, headers, body = requests.sent[-1]
    assert method == "POST"
    assert '"symbol":"BTCUSDT"' in body
    assert '"category":"linear"' in body
    assert headers["X-BAPI-API-KEY"] == KEY
    assert headers["X-BAPI-TIMESTAMP"] == str(NOW_MS)
    assert headers["X-BAPI-RECV-WINDOW"] == "5000"
    assert len(headers["X-BAPI-SIGN"]) == 64


@pytest.mark.parametrize(
    ("exchange", "mode", "testnet", "host"),
    [
        (ExchangeName.BYBIT, Mode.DEMO, False, "api-demo.bybit.com"),
        (ExchangeName.BYBIT, Mode.DEMO, True, "api-testnet.bybit.com"),
        (ExchangeName.BYBIT, Mode.LIVE, False, "api.bybit.com"),
        (ExchangeName.BINGX, Mode.DEMO, False, "open-api-vst.bingx.com"),
        (ExchangeName.BINGX, Mode.LIVE, False, "open-api.bingx.com"),
    ],
)
def test_the_clients_that_bots_get_ask_there_too(exchange, mode, testnet, host):
    venue = Venue(exchange=exchange, mode=mode, testnet=testnet)
    client = Clients().client(venue, ManualClock(NOW_MS), CREDENTIALS)
    sent = []

    def fetch(url, method="GET", headers=None, body=None):
        sent.append(urlsplit(url).netloc)
        return {"retCode": 0, "result": {}, "code": 0, "data": {}}

    client.fetch = fetch
    with pytest.raises(Malformed):  # the answer tells no time
        PROFILES[exchange].server_time_ms(client)

    assert PROFILES[exchange].hosts[venue.account.partition(":")[2]] == f"https://{host}"
    assert sent == [host]


# BingX: the same markets and the same keys; only the address keeps VST from real money.

CONTRACT = {
    "contractId": "100", "symbol": "BTC-USDT", "asset": "BTC", "currency": "USDT", "pricePrecision": 1,
    "quantityPrecision": 4, "tradeMinQuantity": 0.0001, "tradeMinUSDT": 2, "status": 1, "apiStateOpen": "true",
    "apiStateClose": "true", "makerFeeRate": 0.0002, "takerFeeRate": 0.0005, "displayName": "BTC-USDT",
}  # fmt: skip


def bingx(mode, base_url=""):
    venue = Venue(exchange=ExchangeName.BINGX, mode=mode, base_url=base_url)
    client = bingx_client(venue, ManualClock(NOW_MS), CREDENTIALS)
    sent = []

    def fetch(url, method="GET", headers=None, body=None):
        sent.append((method, url, dict(headers or {}), body))
        return {"code": 0, "msg": "", "data": [CONTRACT] if "contracts" in url else {"order": {"orderId": "1"}}}

    client.fetch = fetch  # type: ignore[method-assign]
    return client, sent


@pytest.mark.parametrize(("mode", "host"), [(Mode.DEMO, "open-api-vst.bingx.com"), (Mode.LIVE, "open-api.bingx.com")])
def test_a_bingx_order_goes_to_the_address_of_its_mode_and_names_the_same_market(mode, host):
    client, sent = bingx(mode)
    client.load_markets()

    params = {"positionSide": "LONG", "clientOrderId": "sm_leg_1_7_BTCUSDTUSDT"}
    client.create_order(SYMBOL, "limit", "buy", "0.016", "59400", params)

    method, url, headers, body = sent[-1]
    query = parse_qs(urlsplit(url).query)
    assert list(client.markets) == [SYMBOL]
    assert (method, urlsplit(url).netloc, urlsplit(url).path) == ("POST", host, "/openApi/swap/v2/trade/order")
    assert (query["symbol"], query["positionSide"], query["timestamp"]) == (["BTC-USDT"], ["LONG"], [str(NOW_MS)])
    assert (headers["X-BX-APIKEY"], body) == (KEY, None)
    assert len(query["signature"][0]) == 64
    assert {urlsplit(each[1]).netloc for each in sent} == {host}


@pytest.mark.parametrize("mode", [Mode.DEMO, Mode.LIVE])
def test_a_rehearsal_of_bingx_asks_this_machine_and_nobody_else(mode):
    client, sent = bingx(mode, base_url="http://127.0.0.1:8100")
    client.load_markets()

    client.swap_v3_private_get_user_balance()
    client.account_v1_private_get_account_apipermissions()

    assert {urlsplit(each[1]).netloc for each in sent} == {"127.0.0.1:8100"}
    assert urlsplit(sent[-1][1]).path == "/openApi/v1/account/apiPermissions"


@pytest.mark.parametrize(("mode", "testnet"), [(Mode.DEMO, False), (Mode.DEMO, True), (Mode.LIVE, False)])
def test_a_rehearsal_asks_this_machine_and_nobody_else(mode, testnet):
    client, requests = bybit(mode, testnet=testnet, base_url="http://127.0.0.1:8100")

    client.public_get_v5_market_time()
    client.private_get_v5_user_query_api()

    assert {urlsplit(url).netloc for _, url, _, _ in requests.sent} == {"127.0.0.1:8100"}
