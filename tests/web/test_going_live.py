"""Going live by the API and by the page: the password, the key, the stake, and what takes it back."""

import json
import logging
import time
from decimal import Decimal

import pytest
import requests
from structlog.testing import capture_logs

from blitz.paper.config import PaperConfig
from blitz.paper.server import AccountSpec, PaperServer
from tests.exchange.world import lying_server
from tests.web.conftest import PASSWORD
from tests.web.test_bot_api import resting, wait_for

KEY, SECRET = "liveKey12345wxyz", "live-secret-0123456789abcdef"
OTHER_KEY, OTHER_SECRET = "otherKey5678abcd", "other-secret-0123456789abcdef"
GO = {"password": PASSWORD, "confirm": "live"}
BOUND = {"ips": ["203.0.113.7"]}
TRADES = {"ContractTrade": ["Order", "Position"], "Wallet": [], "Derivatives": ["DerivativesTrade"]}


class LiveExchange:
    """A paper exchange in the live one's place, whose words about keys a test may change."""

    def __init__(self, url, liar):
        self.url = liar.url
        self.says = {}
        """What the answer about the key says instead."""
        self.body = None
        """The whole answer about the key instead."""
        self._paper_url = url
        liar.behind, liar.edit = url, self._edit

    def _edit(self, path, real):
        if path != "/v5/user/query-api":
            return real
        if self.body is not None:
            return self.body
        answer = json.loads(real)
        answer["result"].update(self.says)
        return json.dumps(answer).encode()

    def orders(self):
        accounts = requests.get(f"{self._paper_url}/__paper/state", timeout=5).json()["accounts"]
        return {row["orderLinkId"] for account in accounts for row in account["open_orders"]}


@pytest.fixture
def exchange():
    pairs = ((KEY, SECRET), (OTHER_KEY, OTHER_SECRET))
    accounts = tuple(AccountSpec(key=key, secret=secret, balance=Decimal(1000)) for key, secret in pairs)
    paper = PaperServer(PaperConfig(feed="manual", enforce_limits=False, accounts=accounts))
    paper.start()
    with lying_server() as liar:
        yield LiveExchange(paper.url, liar)
    paper.stop()


@pytest.fixture
def paper_url():
    paper = PaperServer(PaperConfig(feed="manual", enforce_limits=False))
    paper.start()
    yield paper.url
    paper.stop()


@pytest.fixture
def world(make_world, exchange):
    return make_world(rehearsal_url=exchange.url)


@pytest.fixture
def client(world):
    """The trader, who chose live and entered a key."""
    client = world.signed_in(world.trader)
    answer = client.put("/api/bot/settings", json={"mode": "live", "api_key": KEY, "api_secret": SECRET})
    assert answer.status_code == 200, answer.json
    return client


def is_armed(world):
    return world.parts.users.by_id(world.trader.id).is_armed


def codes(findings):
    return [each["code"] for each in findings]


# What is shown


def test_saving_live_arms_nothing_and_says_so(world, client, exchange):
    settings = client.get("/api/bot/settings").json
    answer = client.post("/api/bot/start")

    assert (settings["mode"], settings["armed"], settings["live_since"]) == ("live", False, None)
    assert (answer.status_code, answer.json["status"]) == (409, "not_live")
    assert "Go live" in answer.json["message"]
    assert exchange.orders() == set()
    assert client.put("/api/bot/settings", json={"leverage": "9"}).json["message"] == (
        "Saved. Live is chosen; nothing is placed with real money before you go live."
    )


def test_the_check_shows_key_balance_ladder_and_worst_case(world, client, exchange):
    exchange.says = BOUND

    shown = client.get("/api/bot/live").json

    assert (shown["status"], shown["armed"], shown["key"]) == ("ready", False, "***wxyz")
    assert (shown["refusals"], shown["warnings"]) == ([], [])
    assert shown["rights"]["trades"] is True
    assert shown["balance"] == {"equity": "1000", "available": "1000"}
    assert [leg["quantity"] for leg in shown["plan"]["legs"]] == ["0.016", "0.016", "0.034", "0.069"]
    assert shown["plan"]["total"]["margin"] == "788.6267"
    assert shown["plan"]["legs"][3]["liquidation"] is not None
    assert shown["worst_loss"] == "1000"
    assert "whole balance" in shown["worst_case"]
    assert SECRET not in json.dumps(shown)
    assert KEY not in json.dumps(shown)


def test_a_balance_that_is_too_small_is_a_warning(world, client, exchange):
    exchange.says = BOUND
    client.put("/api/bot/settings", json={"grids": [{"amount": "5000"}]})

    shown = client.get("/api/bot/live").json

    assert codes(shown["warnings"]) == ["balance_short"]
    assert client.post("/api/bot/live", json=GO).status_code == 200


def test_a_key_that_works_from_everywhere_is_a_warning(world, client):
    assert codes(client.get("/api/bot/live").json["warnings"]) == ["key_not_bound"]
    assert codes(client.post("/api/bot/live", json=GO).json["warnings"]) == ["key_not_bound"]
    assert is_armed(world)


# Going live


def test_the_right_password_goes_live_and_start_then_trades_there(world, client, exchange):
    answer = client.post("/api/bot/live", json=GO)

    assert (answer.status_code, answer.json["status"], answer.json["armed"]) == (200, "live", True)
    assert client.get("/api/bot/settings").json["live_since"] == answer.json["live_since"] is not None
    assert client.post("/api/bot/start").status_code == 200
    wait_for(lambda: len(resting(client)) == 4)
    assert len(exchange.orders()) == 4
    assert client.get("/api/bot/status").json["mode"] == "live"
    assert world.exchange_state()["accounts"] == []  # nothing on the embedded paper exchange


def test_the_feed_and_the_log_keep_who_went_live_with_which_key(world, client):
    with capture_logs() as lines:
        client.post("/api/bot/live", json=GO)

    told = client.get("/api/bot/feed").json["rows"][0]
    assert told["kind"] == "went_live"
    assert told["message"].startswith(
        "LIVE: trader@example.org allowed the bot to trade real money on bybit with the key ***wxyz."
    )
    logged = next(line for line in lines if line.get("action") == "went_live")
    assert (logged["user_id"], logged["peer"], logged["exchange"]) == (world.trader.id, "127.0.0.1", "bybit")


def test_another_user_is_not_live_because_one_is(world, client):
    client.post("/api/bot/live", json=GO)

    stranger = world.signed_in(world.stranger)

    assert stranger.get("/api/bot/settings").json["armed"] is False
    assert stranger.get("/api/bot/live").json["status"] == "refused"


# The password


@pytest.mark.parametrize("password", ["wrong wrong wrong", "", PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_changes_nothing(world, client, password):
    answer = client.post("/api/bot/live", json={**GO, "password": password})

    assert (answer.status_code, answer.json["status"]) == (403, "wrong_password")
    assert list(answer.json["errors"]) == ["password"]
    assert not is_armed(world)
    assert client.get("/api/bot/status").status_code == 200  # the session is still good


HALVES = [
    {},
    {"password": PASSWORD},
    {"confirm": "live"},
    {**GO, "confirm": "yes"},
    {**GO, "more": 1},
    {**GO, "password": 5},
    {**GO, "password": None},
    {**GO, "password": "x" * 5000},
]


@pytest.mark.parametrize("body", HALVES)
def test_half_a_confirmation_is_none(world, client, body):
    answer = client.post("/api/bot/live", json=body)

    assert answer.status_code == 400
    assert not is_armed(world)
    assert PASSWORD not in answer.text


def test_guessing_is_slowed_down_together_with_the_sign_in(world, client):
    for _ in range(3):
        client.post("/api/bot/live", json={**GO, "password": "wrong wrong wrong"})
    for _ in range(2):
        world.visitor().post("/login", data={"email": world.trader.email, "password": "wrong wrong wrong"})

    refused = client.post("/api/bot/live", json=GO)
    sign_in = world.visitor().post("/login", data={"email": world.trader.email, "password": PASSWORD})
    world.clock.advance(61_000)
    later = client.post("/api/bot/live", json=GO)

    assert (refused.status_code, refused.json["status"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert sign_in.status_code == 429
    assert later.status_code == 200


def test_somebody_elses_password_is_a_wrong_one(world, client):
    world.parts.users.set_password(world.stranger.id, "quite another sentence 77")

    assert client.post("/api/bot/live", json={**GO, "password": "quite another sentence 77"}).status_code == 403


def test_the_password_is_nowhere_afterwards(world, client, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "almost the right password 31"
    with capture_logs() as lines:
        for body in ({**GO, "password": wrong}, {"password": wrong}, GO):
            client.post("/api/bot/live", json=body)
        client.post("/settings/live", data=GO)

    said = json.dumps(lines, default=str) + caplog.text
    stored = world.parts.settings.db_path.read_bytes() + b"".join(
        each.read_bytes() for each in world.parts.settings.db_path.parent.glob("users.db-*")
    )
    assert is_armed(world)
    assert not any(each in said or each.encode() in stored for each in (PASSWORD, wrong))


# The key


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ({"permissions": TRADES | {"Wallet": ["Withdraw"]}}, "key_can_withdraw"),
        ({"permissions": TRADES | {"Wallet": ["AccountTransfer", "SubMemberTransfer"]}}, "key_can_transfer"),
        ({"permissions": TRADES | {"ContractTrade": []}}, "key_cannot_trade"),
        ({"permissions": TRADES | {"ContractTrade": ["Order"]}}, "key_cannot_trade"),
        ({"readOnly": 1}, "key_read_only"),
    ],
)
def test_a_key_with_wrong_rights_does_not_go_live(world, client, exchange, says, code):
    exchange.says = says

    shown = client.get("/api/bot/live").json
    answer = client.post("/api/bot/live", json=GO)

    assert (shown["status"], codes(shown["refusals"])) == ("refused", [code])
    assert (answer.status_code, answer.json["status"]) == (409, code)
    assert answer.json["message"] == shown["refusals"][0]["message"]
    assert not is_armed(world)
    assert client.post("/api/bot/start").json["status"] == "not_live"


SILENCES = [
    b"",
    b"{}",
    b"<html>",
    b'{"retCode":0,"result":{},"retMsg":"OK"}',
    b'{"retCode":10016,"retMsg":"Server error."}',
    b'{"retCode":10006,"retMsg":"Too many visits."}',
]


@pytest.mark.parametrize("body", SILENCES)
def test_an_exchange_that_does_not_say_is_not_a_yes_and_may_be_asked_again(world, client, exchange, body):
    exchange.body = body
    shown = client.get("/api/bot/live").json
    refused = client.post("/api/bot/live", json=GO)
    exchange.body = None
    again = client.post("/api/bot/live", json=GO)

    assert codes(shown["refusals"]) == ["unknown"]
    assert (refused.status_code, refused.json["status"]) == (502, "unknown")
    assert "not a yes" in refused.json["message"]
    assert "Try again" in refused.json["message"]
    assert again.status_code == 200


def test_a_key_that_the_exchange_does_not_know_is_refused_with_its_words(world, client):
    client.put("/api/bot/settings", json={"api_key": "unknownKey999999", "api_secret": "x" * 20})

    answer = client.post("/api/bot/live", json=GO)

    assert (answer.status_code, answer.json["status"]) == (409, "key_rejected")
    assert "10003" in answer.json["message"]


def test_without_keys_and_without_the_mode_there_is_nothing_to_go_live_with(world, client):
    client.put("/api/bot/settings", json={"api_key": "", "api_secret": ""})
    keyless = client.post("/api/bot/live", json=GO)
    client.put("/api/bot/settings", json={"mode": "paper"})
    paper = client.post("/api/bot/live", json=GO)

    assert (keyless.status_code, keyless.json["status"]) == (400, "missing_credentials")
    assert (paper.status_code, paper.json["status"]) == (409, "mode_not_live")


# What takes it back


@pytest.mark.parametrize(
    "change",
    [
        {"api_key": OTHER_KEY, "api_secret": OTHER_SECRET},
        {"api_secret": OTHER_SECRET},
        {"api_key": "", "api_secret": ""},
        {"mode": "paper"},
        {"mode": "demo"},
        {"exchange": "bingx"},
    ],
)
def test_another_key_mode_or_exchange_takes_it_back(world, client, change):
    client.post("/api/bot/live", json=GO)

    answer = client.put("/api/bot/settings", json=change)
    client.put("/api/bot/settings", json={"mode": "live", "exchange": "bybit"})

    assert (answer.status_code, answer.json["armed"]) == (200, False)
    assert not is_armed(world)


def test_a_new_key_says_that_it_has_to_be_done_again(world, client):
    client.post("/api/bot/live", json=GO)

    answer = client.put("/api/bot/settings", json={"api_key": OTHER_KEY, "api_secret": OTHER_SECRET})

    assert answer.json["message"].endswith("nothing is placed with real money before you go live again with it.")
    assert client.post("/api/bot/live", json=GO).status_code == 200


def test_another_ladder_leaves_it(world, client):
    client.post("/api/bot/live", json=GO)

    answer = client.put("/api/bot/settings", json={"side": "short", "leverage": "3", "take_profit": "4"})

    assert (answer.json["armed"], answer.json["message"]) == (True, "Saved.")


# Each exchange by its own rules, as the paper exchange tells them

RIGHTS = [
    ("bybit", {}, None),
    ("bybit", {"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["Withdraw"]}}, "key_can_withdraw"),
    ("bybit", {"permissions": {"ContractTrade": [], "Wallet": []}}, "key_cannot_trade"),
    ("bybit", {"readOnly": True}, "key_read_only"),
    ("bingx", {}, None),
    ("bingx", {"permissions": [2, 3, 5]}, "key_can_withdraw"),
    ("bingx", {"permissions": [2, 3, 4]}, "key_can_transfer"),
    ("bingx", {"permissions": [1, 2]}, "key_cannot_trade"),
    ("bingx", {"readOnly": True}, "key_read_only"),
]


@pytest.mark.parametrize("ips", [[], ["203.0.113.7"]], ids=["from anywhere", "bound"])
@pytest.mark.parametrize(("name", "rights", "code"), RIGHTS)
def test_the_rights_of_a_key_are_read_from_its_exchange(make_world, paper_url, name, rights, code, ips):
    account = {"key": "ownKey0123456789", "secret": SECRET, "balance": "2000", "exchange": name, "ips": ips, **rights}
    requests.post(f"{paper_url}/__paper/accounts", json=account, timeout=5).raise_for_status()
    world = make_world(rehearsal_url=paper_url)
    client = world.signed_in(world.trader)
    chosen = {"mode": "live", "exchange": name, "api_key": account["key"], "api_secret": SECRET}
    assert client.put("/api/bot/settings", json=chosen).status_code == 200

    shown, answer = client.get("/api/bot/live").json, client.post("/api/bot/live", json=GO)

    assert codes(shown["refusals"]) == ([code] if code else [])
    assert (answer.status_code, answer.json["status"]) == ((409, code) if code else (200, "live"))
    assert shown["balance"]["equity"] == "2000"
    assert shown["plan"]["total"]["margin"].startswith("788.6")
    assert codes(shown["warnings"]) == ([] if ips else ["key_not_bound"])
    assert is_armed(world) == (code is None)


def test_a_server_that_follows_another_asks_nothing_until_what_that_one_sent_counts_no_more(make_world, exchange):
    began = time.monotonic()
    world = make_world(rehearsal_url=exchange.url, after_another=True)
    client = world.signed_in(world.trader)

    client.put("/api/bot/settings", json={"mode": "live", "api_key": KEY, "api_secret": SECRET})

    assert client.get("/api/bot/live").json["status"] == "ready"
    assert time.monotonic() - began > 5, "the longest window of Bybit"


# The page and the strip


def test_the_page_shows_what_will_be_placed_and_goes_live_without_a_script(world, client):
    page = client.get("/settings/live").text
    for figure in (
        "788.62 USDT",
        "0.069",
        "***wxyz on Bybit",
        "1,000 USDT",
        "57,629.9",
        "58,416.7933",
        "whole balance",
    ):
        assert figure in page
    assert 'action="/settings/live"' in page

    answer = client.post("/settings/live", data=GO)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/live")
    assert "You are live since" in client.get("/settings/live").text
    assert is_armed(world)


def test_the_page_tells_a_wrong_password_and_shows_the_ladder_again(world, client):
    answer = client.post("/settings/live", data={**GO, "password": "wrong wrong wrong"})

    assert answer.status_code == 403
    assert "The password is wrong." in answer.text
    assert "788.62 USDT" in answer.text
    assert not is_armed(world)


def test_a_browser_needs_the_pages_token_and_another_site_gets_nowhere(world, client):
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}

    assert client.post("/settings/live", data=GO, headers=own).status_code == 400
    assert client.post("/settings/live", data=GO, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/bot/live", json=GO, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not is_armed(world)


def test_the_page_offers_no_form_for_a_key_that_must_not_go_live(world, client, exchange):
    exchange.says = {"permissions": TRADES | {"Wallet": ["Withdraw"]}}

    page = client.get("/settings/live").text

    assert "may withdraw" in page
    assert 'name="password"' not in page


@pytest.mark.parametrize("path", ["/", "/settings", "/settings/live", "/api/docs", "/nowhere"])
def test_every_page_says_whose_money_it_is(world, client, path):
    def strip():
        page = client.get(path, headers={"Accept": "text/html"}).text
        return page.partition('class="mode-strip"')[2].partition("</section>")[0]

    unarmed = strip()
    client.post("/api/bot/live", json=GO)
    armed = strip()
    client.put("/api/bot/settings", json={"mode": "demo", "testnet": True})
    demo = strip()
    client.put("/api/bot/settings", json={"mode": "paper"})
    paper = strip()

    assert 'data-mode="live"' in unarmed
    assert "nothing is placed with real money" in unarmed
    assert 'data-mode="live"' in armed
    assert ">real money" in armed
    assert "REHEARSAL" in armed
    assert 'data-mode="demo"' in demo
    assert "testnet" in demo
    assert 'data-mode="paper"' in paper
    assert "REHEARSAL" not in paper


def test_the_strip_tells_a_live_cycle_that_runs_though_another_mode_was_saved(world, client):
    client.post("/api/bot/live", json=GO)
    client.post("/api/bot/start")
    wait_for(lambda: len(resting(client)) == 4)

    client.put("/api/bot/settings", json={"mode": "paper"})

    page = client.get("/settings").text
    assert 'data-mode="live"' in page.partition('id="mode-strip"')[2][:40]
    assert "the next cycle: PAPER" in page


def test_an_administrator_cannot_start_what_its_trader_has_not_let_go_live(world, client):
    admin = world.signed_in(world.admin)

    answer = admin.post(f"/admin/users/{world.trader.id}/start")

    assert (answer.status_code, answer.json["status"]) == (409, "not_live")
