"""What Bybit says of a key and of its account, read from the wire; what it does not say is never a yes."""

import json
from decimal import Decimal

import pytest

from blitz.clock import ManualClock
from blitz.core.calls import Refusal, Rejected, Unknown
from blitz.core.credentials import Credentials
from blitz.core.going_live import AccountBalance, KeyRights
from blitz.core.ladder_settings import ExchangeName, Mode
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx import account as bingx
from blitz.exchange.bingx.profile import BINGX
from blitz.exchange.bybit import account
from blitz.exchange.connection import Venue
from tests.exchange.world import CREDENTIALS, lying_server, venue_at

TRADES = {"ContractTrade": ["Order", "Position"], "Wallet": [], "Derivatives": ["DerivativesTrade"]}


def usdt(equity, available):
    return AccountBalance(equity=Decimal(equity), available=Decimal(available))


def told(permissions=TRADES, **changes):
    return account.key_rights({"readOnly": 0, "ips": ["203.0.113.7"], "permissions": permissions} | changes)


def test_a_key_for_contracts_bound_to_an_address():
    assert told() == KeyRights(
        trades=True, read_only=False, withdraws=False, transfers=False, moves=False, bound_to_ip=True
    )


@pytest.mark.parametrize(
    ("kind", "words", "field"),
    [
        ("Wallet", ["Withdraw"], "withdraws"),
        ("Wallet", ["AccountTransfer", "Withdraw"], "withdraws"),
        ("FiatP2P", ["FiatP2POrder", "Advertising"], "withdraws"),
        ("FiatBybitPay", ["FaitPayOrder"], "withdraws"),
        ("BitCard", ["BitCard"], "withdraws"),
        ("Wallet", ["SubMemberTransfer"], "transfers"),
        ("Wallet", ["SubMemberTransferList"], "transfers"),
        ("Wallet", ["AccountTransfer"], "moves"),
    ],
)
def test_every_way_by_which_money_moves_is_seen(kind, words, field):
    assert getattr(told(TRADES | {kind: words}), field)


def test_a_right_over_money_that_nobody_told_us_of_is_named_apart():
    rights = told(TRADES | {"Wallet": ["GiveAway"]})

    assert (rights.opaque, rights.unfamiliar) == (("Wallet GiveAway",), ())


def test_other_kinds_of_rights_are_named_and_empty_ones_are_not():
    assert told(TRADES | {"ByXPost": ["ByXPost"], "Novelty": []}).unfamiliar == ("ByXPost",)
    assert told(TRADES | {"Spot": ["SpotTrade"], "Earn": ["Earn"], "Options": ["OptionsTrade"]}).unfamiliar == ()


@pytest.mark.parametrize("words", [[], ["Order"], ["Position"]])
def test_orders_alone_or_positions_alone_are_not_enough_to_trade(words):
    assert not told(TRADES | {"ContractTrade": words}).trades


@pytest.mark.parametrize(("ips", "bound"), [(["*"], False), ([], False), ([""], False), (["203.0.113.7"], True),
                                            (["203.0.113.7", "*"], False)])  # fmt: skip
def test_a_key_is_bound_only_to_listed_addresses(ips, bound):
    assert told(ips=ips).bound_to_ip is bound


@pytest.mark.parametrize(("said", "read_only"), [(0, False), (1, True), ("1", True)])
def test_a_key_that_only_reads(said, read_only):
    assert told(readOnly=said).read_only is read_only


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"readOnly": 0, "ips": ["*"]},
        {"readOnly": 0, "ips": ["*"], "permissions": {}},
        {"readOnly": 0, "ips": ["*"], "permissions": {"ContractTrade": ["Order", "Position"]}},
        {"readOnly": 0, "ips": ["*"], "permissions": {"Wallet": []}},
        {"readOnly": 0, "ips": ["*"], "permissions": TRADES | {"Wallet": "Withdraw"}},
        {"readOnly": 0, "ips": ["*"], "permissions": TRADES | {"Wallet": None}},
        {"readOnly": None, "ips": ["*"], "permissions": TRADES},
        {"ips": ["*"], "permissions": TRADES},
        {"readOnly": 0, "permissions": TRADES},
    ],
)
def test_half_an_answer_is_no_answer(row):
    with pytest.raises(Malformed):
        account.key_rights(row)


def test_free_is_what_the_margin_in_use_leaves_and_profit_on_paper_is_not_free():
    coin = {
        "coin": "USDT", "equity": "1200", "walletBalance": "1000", "availableToWithdraw": "", "locked": "10",
        "totalPositionIM": "200", "totalOrderIM": "90",
    }  # fmt: skip

    assert account.balance([{"coin": [coin]}]) == usdt(1200, 700)
    assert account.balance([{"coin": [coin | {"equity": "250"}]}]) == usdt(250, 0)
    assert account.balance([{"coin": []}]) == usdt(0, 0)


@pytest.mark.parametrize("rows", [[], [{}], [{"coin": None}], [{"coin": [{"coin": "USDT"}]}], [{"coin": []}] * 2])
def test_half_a_balance_is_none(rows):
    with pytest.raises(Malformed):
        account.balance(rows)


def test_the_recorded_wallet_reads(shared_data):
    recorded = json.loads(shared_data("bybit-recorded/http_get_wallet_balance.json").read_text())

    read = account.balance(recorded["result"]["list"])

    assert read.available <= read.equity


def test_the_paper_exchange_is_asked_with_the_traders_own_key(world):
    rights = world.exchanges.key_rights(world.venue, CREDENTIALS)

    assert isinstance(rights, KeyRights)
    assert (rights.trades, rights.withdraws, rights.bound_to_ip) == (True, False, False)
    assert world.exchanges.balance(world.venue, CREDENTIALS) == usdt(10_000, 10_000)


def test_a_key_that_the_exchange_does_not_know_is_refused_by_its_number(world):
    stranger = Credentials(api_key="nobody", api_secret="nothing")

    answer = world.exchanges.key_rights(world.venue, stranger)

    assert isinstance(answer, Rejected)
    assert (answer.refusal, answer.code) == (Refusal.KEY, "10003")


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"<html>busy</html>", b'{"retCode":10016,"retMsg":"busy"}'])
def test_an_answer_that_says_nothing_is_unknown_and_not_a_yes(world, body):
    def edit(path, real):
        return body if path == "/v5/user/query-api" else real

    with lying_server() as liar:
        liar.behind, liar.edit = world.url, edit
        answer = world.exchanges.key_rights(venue_at(liar.url), CREDENTIALS)

    assert isinstance(answer, Unknown)


def test_an_exchange_that_is_not_there_is_unknown(world):
    assert isinstance(world.exchanges.key_rights(venue_at("http://127.0.0.1:9"), CREDENTIALS), Unknown)


# BingX


def numbers(*permissions, addresses=("203.0.113.7",)):
    return {
        "code": 0,
        "msg": "",
        "data": {"permissions": list(permissions), "ipAddresses": list(addresses), "note": "n"},
    }


FLAGS = {
    "ipRestrict": True, "createTime": 1_671_262_117_327, "permitsUniversalTransfer": False, "enableReading": True,
    "enableFutures": True, "enableSpotAndMarginTrading": False, "enableWithdrawals": False,
    "enableInternalTransfer": False,
}  # fmt: skip


@pytest.mark.parametrize("answer", [numbers(2, 3), numbers("2", "3"), numbers(1, 2, 3)["data"], FLAGS,
                                    {"code": 0, "msg": "", "data": FLAGS}])  # fmt: skip
def test_bingx_says_what_a_key_may_do_in_two_forms(answer):
    assert bingx.key_rights(answer) == KeyRights(
        trades=True, read_only=False, withdraws=False, transfers=False, moves=False, bound_to_ip=True
    )


@pytest.mark.parametrize(
    ("answer", "field", "value"),
    [
        (numbers(2, 3, 5), "withdraws", True),
        (numbers(2, 3, 4), "transfers", True),
        (numbers(2, 3, 7), "transfers", True),
        (numbers(2, 3, 9), "opaque", ("9",)),
        (numbers(2), "read_only", True),
        (numbers(1, 2), "trades", False),
        (numbers(2, 3, addresses=()), "bound_to_ip", False),
        (FLAGS | {"enableWithdrawals": True}, "withdraws", True),
        (FLAGS | {"permitsUniversalTransfer": True}, "transfers", True),
        (FLAGS | {"enableInternalTransfer": "true"}, "transfers", True),
        (FLAGS | {"enableFutures": False}, "read_only", True),
        (FLAGS | {"ipRestrict": False}, "bound_to_ip", False),
    ],
)
def test_every_right_of_a_bingx_key_is_seen(answer, field, value):
    assert getattr(bingx.key_rights(answer), field) == value


@pytest.mark.parametrize(
    "answer",
    [None, {}, [], {"code": 0}, {"code": 0, "data": {}}, {"code": 0, "data": []}, {"permissions": "2,3"},
     {"permissions": [2, 3]}, {"permissions": [2, 3], "ipAddresses": None},
     {name: value for name, value in FLAGS.items() if name != "enableWithdrawals"}],
)  # fmt: skip
def test_half_an_answer_of_bingx_is_no_answer(answer):
    with pytest.raises(Malformed):
        bingx.key_rights(answer)


def test_the_balance_of_bingx_is_read_from_its_recorded_payload(shared_data):
    recorded = shared_data("bingx-recorded/Account_GetBalances.txt").read_text()
    rows = json.loads(recorded[recorded.index("{") :])["data"]

    assert bingx.balance(rows) == AccountBalance(equity=Decimal("19.9003"), available=Decimal("19.9003"))
    assert bingx.balance([rows[0] | {"asset": "VST"}]).equity == Decimal("19.9003")
    assert bingx.balance([]) == usdt(0, 0)


def test_bingx_is_asked_for_the_rights_of_the_key_that_signs():
    venue = Venue(exchange=ExchangeName.BINGX, mode=Mode.LIVE)
    client = BINGX.client(venue, ManualClock(1_750_000_000_000), CREDENTIALS)
    sent = []

    def fetch(url, method="GET", headers=None, body=None):
        sent.append((method, url.partition("?")[0], headers["X-BX-APIKEY"]))
        return numbers(2, 3)

    client.fetch = fetch  # type: ignore[method-assign]

    assert BINGX.key_rights(client).trades
    assert sent == [("GET", "https://open-api.bingx.com/openApi/v1/account/apiPermissions", CREDENTIALS.api_key)]
