"""The account's routes: the look at a key, the password, sign-ins and preferences."""

from decimal import Decimal

import pytest
import requests

from blitz.paper.config import PaperConfig
from blitz.paper.server import AccountSpec, PaperServer
from blitz.web.browsers import browser_of, system_of
from tests.web.conftest import PASSWORD
from tests.web.test_bot_api import resting, wait_for

KEY, SECRET = "liveKey12345wxyz", "live-secret-0123456789abcdef"
OTHER = "copper violin meadow 58"
CHANGE = {"current_password": PASSWORD, "new_password": OTHER, "repeat_password": OTHER}
TRADES = {"ContractTrade": ["Order", "Position"], "Wallet": []}


class RealExchange(PaperServer):
    """A paper exchange in a real one's place."""

    def __init__(self, name):
        account = AccountSpec(key=KEY, secret=SECRET, balance=Decimal(1000), exchange=name)
        super().__init__(PaperConfig(feed="manual", enforce_limits=False, accounts=(account,)))
        self.name = name


@pytest.fixture(params=["bybit", "bingx"])
def exchange(request):
    exchange = RealExchange(request.param)
    exchange.start()
    yield exchange
    exchange.stop()


@pytest.fixture
def abroad(make_world, exchange):
    """A server whose demo and live are that exchange."""
    return make_world(rehearsal_url=exchange.url)


def stored(world, exchange, key=KEY, secret=SECRET, mode="live"):
    """The trader, who chose the exchange and entered a key."""
    client = world.signed_in(world.trader)
    body = {"exchange": exchange.name, "mode": mode, "api_key": key, "api_secret": secret}
    answer = client.put("/api/bot/settings", json=body)
    assert answer.status_code == 200, answer.json
    return client


def let_key(exchange, **facts):
    """What the key may do, as its owner sets it there."""
    body = {"key": KEY, "secret": SECRET, "exchange": exchange.name, **facts}
    requests.post(f"{exchange.url}/__paper/accounts", json=body, timeout=5).raise_for_status()


def refuse_with(exchange, code):
    body = {"fault": "ret_code", "endpoint": "user/query-api", "code": code, "message": "said so"}
    requests.post(f"{exchange.url}/__paper/faults", json=body, timeout=5).raise_for_status()


def looked(client):
    answer = client.post("/api/account/keys/test")
    assert answer.status_code == 200, answer.json
    return answer.json


# Keys


@pytest.mark.parametrize("mode", ["demo", "live"])
def test_a_key_that_works_is_told_with_its_balance_and_changes_nothing(abroad, exchange, mode):
    client = stored(abroad, exchange, mode=mode)
    before = abroad.parts.users.by_id(abroad.trader.id)

    found = looked(client)

    assert (found["status"], found["mode"], found["exchange"]) == ("works", mode, exchange.name)
    assert found["balance"] == {"equity": "1000", "available": "1000"}
    assert found["rights"]["trades"] is True
    assert [each["code"] for each in found["findings"]] == ["key_not_bound"]
    assert SECRET not in str(found)
    assert abroad.parts.users.by_id(abroad.trader.id) == before


def test_a_key_that_can_withdraw_is_dangerous(abroad, exchange):
    client = stored(abroad, exchange)
    let_key(exchange, permissions=[2, 3, 5] if exchange.name == "bingx" else TRADES | {"Wallet": ["Withdraw"]})

    found = looked(client)

    assert found["status"] == "dangerous"
    assert "may withdraw" in found["message"]


def test_a_key_that_may_only_read_cannot_trade(abroad, exchange):
    client = stored(abroad, exchange)
    let_key(exchange, readOnly=True)

    assert looked(client)["status"] == "cannot_trade"


def test_an_unknown_key_and_a_wrong_secret_are_told_apart_and_stay_stored(abroad, exchange):
    unknown = looked(stored(abroad, exchange, key="nobodysKey0000abcd"))
    wrong = looked(stored(abroad, exchange, secret="another-secret-0123456789"))

    assert (unknown["status"], wrong["status"]) == ("refused", "refused")
    assert "does not know this key" in unknown["message"]
    assert "secret does not belong" in wrong["message"]
    assert abroad.parts.users.credentials(abroad.trader.id).api_secret == "another-secret-0123456789"


@pytest.mark.parametrize(
    ("code", "told"),
    [("10010", "from the address of this server"), ("33004", "has expired"), ("10005", "lacks rights")],
)
def test_why_a_key_is_refused_is_told_in_plain_words(abroad, exchange, code, told):
    client = stored(abroad, exchange)
    refuse_with(exchange, code)

    found = looked(client)

    assert found["status"] == "refused"
    assert told in found["message"]
    assert "said so" in found["words"]


def test_an_exchange_that_does_not_answer_says_neither_yes_nor_no(abroad, exchange):
    client = stored(abroad, exchange)
    exchange.stop()

    found = looked(client)

    assert found["status"] == "unknown"
    assert "is stored" in found["message"]
    assert abroad.parts.users.credentials(abroad.trader.id) is not None


def test_an_exchange_that_is_busy_says_nothing_about_the_key(abroad, exchange):
    client = stored(abroad, exchange)
    refuse_with(exchange, "10006")

    assert looked(client)["status"] == "unknown"


def test_paper_needs_no_key_and_says_what_an_own_one_is_there(world, client):
    without = looked(client)
    client.put("/api/bot/settings", json={"api_key": "myPaperKey123456", "api_secret": SECRET})
    own = looked(client)
    world.paper.stop()

    assert without["status"] == "not_needed"
    assert own["status"] == "works"
    assert "built-in paper exchange" in own["message"]
    assert (own["balance"]["equity"], own["findings"]) == ("10000", [])
    assert looked(client)["status"] == "unknown"


@pytest.mark.parametrize("mode", ["demo", "live"])
def test_without_a_stored_key_there_is_nothing_to_test(abroad, exchange, mode):
    client = abroad.signed_in(abroad.trader)
    client.put("/api/bot/settings", json={"exchange": exchange.name, "mode": mode})

    answer = client.post("/api/account/keys/test")

    assert (answer.status_code, answer.json["status"]) == (400, "missing_credentials")
    assert "api_key" in answer.json["errors"]


def test_the_page_says_that_keys_wait_while_a_cycle_is_open_on_paper(world, client):
    assert "keys-frozen" not in client.get("/account").get_data(as_text=True)
    client.post("/api/bot/start")
    wait_for(lambda: len(resting(client)) == 4)

    assert "keys-frozen" in client.get("/account").get_data(as_text=True)
    answer = client.put("/api/bot/settings", json={"api_key": "myPaperKey123456", "api_secret": SECRET})
    assert (answer.status_code, answer.json["status"]) == (409, "cycle_open")


# The password


def test_a_change_ends_every_other_sign_in_and_keeps_this_one_under_a_new_cookie(world, client):
    other, before = world.signed_in(world.trader), client.get_cookie("blitz_session").value
    somebody = world.signed_in(world.stranger)

    answer = client.post("/api/account/password", json=CHANGE)

    assert answer.status_code == 200, answer.json
    assert client.get_cookie("blitz_session").value != before
    assert client.get("/api/bot/status").status_code == 200
    assert other.get("/api/bot/status").status_code == 401
    assert somebody.get("/api/bot/status").status_code == 200
    thief = world.visitor()
    thief.set_cookie("blitz_session", before, domain="localhost")
    assert thief.get("/api/bot/status").status_code == 401
    assert world.parts.users.check_password("trader@example.org", OTHER) is not None
    assert world.parts.users.check_password("trader@example.org", PASSWORD) is None


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"current_password": ""}, {"current_password"}),
        ({"new_password": "", "repeat_password": ""}, {"new_password", "repeat_password"}),
        ({"new_password": "short", "repeat_password": "short"}, {"new_password"}),
        ({"new_password": "trader@example.org", "repeat_password": "trader@example.org"}, {"new_password"}),
        ({"repeat_password": OTHER + "x"}, {"repeat_password"}),
        ({"new_password": PASSWORD, "repeat_password": PASSWORD}, {"new_password"}),
        ({"current_password": 5}, {"current_password"}),
        ({"new_password": "x" * 2000, "repeat_password": "x" * 2000}, {"new_password", "repeat_password"}),
        ({"user_id": 2}, {"user_id"}),
    ],
)
def test_a_password_that_cannot_be_taken_is_refused_at_its_field(still_world, still_client, change, fields):
    answer = still_client.post("/api/account/password", json=CHANGE | change)

    assert answer.status_code == 400
    assert set(answer.json["errors"]) == fields
    assert PASSWORD not in answer.get_data(as_text=True)
    assert still_world.parts.users.check_password("trader@example.org", PASSWORD) is not None


def test_wrong_guesses_are_slowed_down_like_those_of_the_sign_in(world, client):
    guess = CHANGE | {"current_password": "wrong wrong wrong"}
    answers = [client.post("/api/account/password", json=guess) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert list(answers[0].json["errors"]) == ["current_password"]
    assert client.post("/api/account/password", json=CHANGE).status_code == 429
    world.clock.advance(61_000)
    assert client.post("/api/account/password", json=CHANGE).status_code == 200


# Sign-ins


def test_sign_ins_are_listed_with_where_and_since_when(world, client):
    world.parts.sessions.create(world.stranger.id, "192.0.2.9", "not mine")
    world.clock.advance(120_000)
    world.parts.sessions.create(world.trader.id, "192.0.2.7", "curl/8.14")

    rows = client.get("/api/account/sessions").json["rows"]

    assert [(row["browser"], row["address"], row["this_one"]) for row in rows] == [
        ("curl", "192.0.2.7", False),
        ("a", "127.0.0.1", True),
    ]
    assert (rows[1]["since"], rows[1]["last_seen"]) == ("2025-01-01T12:00:00", "2025-01-01T12:02:00")


def test_one_sign_in_is_ended_or_all_others(world, client):
    first, second = world.signed_in(world.trader), world.signed_in(world.trader)
    rows = client.get("/api/account/sessions").json["rows"]
    mine = {row["id"] for row in rows if row["this_one"]}

    assert client.delete(f"/api/account/sessions/{max({row['id'] for row in rows} - mine)}").status_code == 200
    assert sorted(each.get("/api/bot/status").status_code for each in (first, second)) == [200, 401]
    assert client.delete("/api/account/sessions").status_code == 200

    assert [each.get("/api/bot/status").status_code for each in (first, second, client)] == [401, 401, 200]


def test_somebody_elses_sign_in_is_as_missing_as_none(world, client):
    stranger = world.signed_in(world.stranger)
    theirs = stranger.get("/api/account/sessions").json["rows"][0]["id"]

    answers = [client.delete(f"/api/account/sessions/{number}") for number in (theirs, 999, 2**31, 2**70)]

    assert {answer.status_code for answer in answers} == {404}
    assert all(answer.json == answers[1].json for answer in answers)
    assert stranger.get("/api/bot/status").status_code == 200
    client.delete("/api/account/sessions")
    assert stranger.get("/api/bot/status").status_code == 200


WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome", "Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge", "Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605", "Safari", "macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT} CriOS/140 Safari/604", "Chrome", "iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} SamsungBrowser/28.0 Safari/537", "Samsung Internet", "Android"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Windows"),
        ("python-requests/2.32", "python-requests", ""),
        ("Mozilla/5.0", "", ""),
        ("", "", ""),
        ("<script>alert(1)</script>", "", ""),
    ],
)
def test_a_browser_is_told_in_words(agent, browser, system):
    assert (browser_of(agent), system_of(agent)) == (browser, system)


# Preferences


def test_preferences_are_stored_field_by_field(world, client):
    client.put("/api/account/preferences", json={"theme": "dark"})

    saved = client.put("/api/account/preferences", json={"language": "ko", "time_zone": "Asia/Seoul"})

    assert saved.json == {"success": True, "language": "ko", "theme": "dark", "time_zone": "Asia/Seoul"}
    assert client.get("/api/account/preferences").json == saved.json
    page = client.get("/account").get_data(as_text=True)
    assert '<html lang="ko" data-theme="dark" data-zone="Asia/Seoul">' in page
    assert world.parts.preferences.of(world.stranger.id).theme == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "xx"}, "language"),
        ({"language": 5}, "language"),
        ({"theme": "pink"}, "theme"),
        ({"theme": None}, "theme"),
        ({"time_zone": "Middle-Earth/Shire"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_preference_that_does_not_exist_is_refused_at_its_field(still_client, body, field):
    before = still_client.get("/api/account/preferences").json

    answer = still_client.put("/api/account/preferences", json={"theme": "dark"} | body)

    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]
    assert still_client.get("/api/account/preferences").json == before


def test_every_zone_that_the_page_offers_can_be_stored(client):
    page = client.get("/account").get_data(as_text=True)

    for zone in ("UTC", "Asia/Seoul", "America/Argentina/Buenos_Aires"):
        assert f'<option value="{zone}">' in page
        assert client.put("/api/account/preferences", json={"time_zone": zone}).status_code == 200
    assert 'value="posixrules"' not in page
