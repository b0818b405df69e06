"""What is told of a key can be set for each account, on both exchanges, and outlives a restart."""

from decimal import Decimal

import ccxt
import pytest
import requests

from blitz.paper.server import AccountSpec, PaperStartError
from tests.paper.bingx.test_bingx_trading import SYMBOL, buy


def permissions(client):
    return client.account_v1_private_get_account_apipermissions()["data"]


def restrictions(client):
    return client.account_v1_private_get_account_apirestrictions()["data"]


def bybit_key(paper):
    urls = {"api": {"private": paper.url, "public": paper.url}}
    client = ccxt.bybit({"apiKey": "carol", "secret": "carol-secret", "urls": urls})
    return client.private_get_v5_user_query_api()["result"]


def test_a_usual_key_trades_and_is_bound_to_no_address(alice):
    assert (permissions(alice)["permissions"], permissions(alice)["ipAddresses"]) == ([2, 3], [])
    flags = restrictions(alice)
    assert (flags["enableFutures"], flags["enableWithdrawals"], flags["ipRestrict"]) == (True, False, False)


def test_rights_and_addresses_are_set_over_the_control_interface(paper, alice):
    paper.post("accounts", key="alice", secret="alice-secret", exchange="bingx", permissions=[2, 3, 5], ips=["1.2.3.4"])
    assert (permissions(alice)["permissions"], permissions(alice)["ipAddresses"]) == ([2, 3, 5], ["1.2.3.4"])
    flags = restrictions(alice)
    assert (flags["enableWithdrawals"], flags["ipRestrict"]) == (True, True)


def test_a_key_that_may_only_read_places_nothing(paper, alice):
    paper.post("accounts", key="alice", secret="alice-secret", exchange="bingx", readOnly=True)
    assert permissions(alice)["permissions"] == [2]
    with pytest.raises(ccxt.PermissionDenied):
        buy(alice)
    assert alice.fetch_open_orders(SYMBOL) == []


def test_bybit_tells_what_is_set_in_its_own_words(paper):
    assert (bybit_key(paper)["ips"], bybit_key(paper)["readOnly"]) == (["*"], 0)
    rights = {"Wallet": ["Withdraw"], "ContractTrade": []}
    paper.post("accounts", key="carol", secret="carol-secret", permissions=rights, ips="1.2.3.4,5.6.7.8", readOnly=True)
    told = bybit_key(paper)
    assert (told["permissions"], told["ips"], told["readOnly"]) == (rights, ["1.2.3.4", "5.6.7.8"], 1)


@pytest.mark.parametrize(("exchange", "wrong"), [("bingx", {"Wallet": []}), ("bybit", [2, 3])])
def test_rights_in_the_others_words_are_refused(paper, exchange, wrong):
    body = {"key": "dave", "secret": "s", "exchange": exchange, "permissions": wrong}
    answer = requests.post(f"{paper.url}/__paper/accounts", json=body, timeout=5)
    assert answer.status_code == 400
    assert "permissions" in answer.json()["error"]


def test_an_account_may_be_named_at_the_start():
    assert AccountSpec.parse("k:s:10:bingx") == AccountSpec(key="k", secret="s", balance=Decimal(10), exchange="bingx")
    with pytest.raises(PaperStartError, match="bybit, bingx"):
        AccountSpec.parse("k:s:10:kraken")
