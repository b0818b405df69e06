"""Settings in and out: bad input is named at its field, secrets only ever go in."""

from dataclasses import replace

import pytest

from blitz.core.ladder_settings import Mode
from tests.web.test_bot_api import resting, wait_for

KEY, SECRET = "AbCdEfGhIjKlMnOpWXYZ", "s3cr3t-s3cr3t-s3cr3t-QQQQ"
TOKEN = "123456789:AAabcdefghijklmnopqrstuvwxyz-_0123"


def test_what_is_saved_is_read_back_as_strings(client):
    answer = client.put("/api/bot/settings", json={"leverage": 5, "take_profit": "2.5%", "side": "short"})

    assert answer.status_code == 200
    stored = client.get("/api/bot/settings").json
    assert (stored["leverage"], stored["take_profit"], stored["side"]) == ("5", "2.5", "short")
    assert stored["grids"][1] == {"amount": "100", "gap": "1"}


def test_a_number_keeps_its_digits_on_the_way_in(client):
    client.put("/api/bot/settings", data=b'{"take_profit": 5.12345678901234567}')

    assert client.get("/api/bot/settings").json["take_profit"] == "5.12345678901234567"


BAD = [
    ({"leverage": "0"}, "leverage"),
    ({"leverage": "101"}, "leverage"),
    ({"leverage": "NaN"}, "leverage"),
    ({"leverage": None}, "leverage"),
    ({"leverage": []}, "leverage"),
    ({"leverage": True}, "leverage"),
    ({"leverage": "1e9"}, "leverage"),
    ({"side": "up"}, "side"),
    ({"side": 1}, "side"),
    ({"mode": "real"}, "mode"),
    ({"exchange": "nowhere"}, "exchange"),
    ({"margin_mode": ""}, "margin_mode"),
    ({"symbol": ""}, "symbol"),
    ({"symbol": "NOPE/USDT:USDT"}, "symbol"),
    ({"symbol": "<script>"}, "symbol"),
    ({"grids": []}, "grids"),
    ({"grids": "x"}, "grids"),
    ({"grids": [{"amount": "-1", "gap": "0"}]}, "grids"),
    ({"grids": [{"amount": "0.01", "gap": "0"}]}, "grids"),
    ({"grids": [{"amount": "100"}, {"amount": "100", "gap": "0"}]}, "grids"),
    ({"grids": [{"amount": "100"}, {"amount": "100", "gap": "100"}]}, "grids"),
    ({"grids": [{"amount": "100"}] * 51}, "grids"),
    ({"grids": [{"amount": "100", "size": "1"}]}, "grids"),
    ({"rounds": 0}, "rounds"),
    ({"rounds": "1.5"}, "rounds"),
    ({"rounds": 10**9}, "rounds"),
    ({"take_profit": "-1"}, "take_profit"),
    ({"take_profit": "abc"}, "take_profit"),
    ({"stop_loss": "99999999"}, "stop_loss"),
    ({"stop_loss": "1000"}, "stop_loss"),
    ({"repeat": "maybe"}, "repeat"),
    ({"take_proft": "5"}, "take_proft"),
    ({"role": "admin"}, "role"),
    ({"user_id": 2}, "user_id"),
    ({"api_key": "two words"}, "api_key"),
    ({"api_key": 5}, "api_key"),
    ({"api_secret": "x" * 400}, "api_secret"),
    ({"telegram_token": "http://evil"}, "telegram_token"),
    ({"telegram_chat_id": "me"}, "telegram_chat_id"),
]


@pytest.mark.parametrize(("body", "field"), BAD, ids=[f"{field}-{index}" for index, (_, field) in enumerate(BAD)])
def test_bad_input_is_refused_at_its_field_and_nothing_is_stored(still_client, body, field):
    before = still_client.get("/api/bot/settings").json

    answer = still_client.put("/api/bot/settings", json=body)

    assert answer.status_code == 400
    assert set(answer.json) == {"success", "status", "message", "errors"}
    assert answer.json["success"] is False
    assert list(answer.json["errors"]) == [field]
    assert all(sentence.endswith((".", "…")) for sentence in answer.json["errors"][field])
    assert still_client.get("/api/bot/settings").json == before


def test_all_faults_are_said_at_once(still_client):
    answer = still_client.put("/api/bot/settings", json={"leverage": "x", "side": "y", "api_key": "two words"})

    assert set(answer.json["errors"]) == {"leverage", "side", "api_key"}


@pytest.mark.parametrize("method", ["put", "post"])
@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"null", b'{"a": NaN}', b"\xff", b"[" * 30_000])
def test_a_body_that_is_no_json_object_is_a_400_with_a_sentence(still_client, method, body):
    path = "/api/bot/settings" if method == "put" else "/api/bot/preview"

    answer = still_client.open(path, method=method, data=body)

    assert answer.status_code == 400
    assert answer.json["status"] == "invalid_json"
    assert answer.json["message"].endswith(".")


@pytest.mark.parametrize("path", ["/api/bot/preview", "/api/bot/start", "/login", "/api/bot/stop"])
def test_a_body_above_64_kib_is_a_413_in_the_same_shape(still_client, path):
    answer = still_client.post(path, data=b" " * (64 * 1024 + 1))

    assert answer.status_code == 413
    assert answer.json["status"] == "too_large"


def test_a_market_that_cannot_be_asked_does_not_keep_anybody_from_saving(world, client):
    world.paper.stop()

    answer = client.put("/api/bot/settings", json={"take_profit": "6"})

    assert answer.status_code == 200
    assert "checked when the bot starts" in answer.json["message"]
    assert client.post("/api/bot/preview").status_code == 502


def test_the_worked_check_comes_back_from_the_preview(still_client):
    answer = still_client.post("/api/bot/preview", json={"symbol": "BTC/USDT:USDT"})

    legs = answer.json["legs"]
    assert [leg["price"] for leg in legs] == ["60000", "59400", "58806", "57629.9"]
    assert answer.json["take_profit"] == {"roe_percent": "5", "price_percent": "0.5"}
    assert legs[0]["take_profit"] == "60300"


def test_secrets_go_in_and_never_come_out(client):
    given = {"api_key": KEY, "api_secret": SECRET, "telegram_token": TOKEN, "telegram_chat_id": "12345678901"}

    saved = client.put("/api/bot/settings", json=given)

    assert saved.json["api_key"] == "***WXYZ"
    assert saved.json["keys_stored"] is saved.json["telegram_stored"] is True
    for path in ("/api/bot/settings", "/api/bot/status", "/settings", "/"):
        text = client.get(path).get_data(as_text=True)
        assert all(secret not in text for secret in (*given.values(), SECRET[-4:]))


def test_a_secret_that_is_left_out_stays_and_an_empty_one_is_cleared(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    client.put("/api/bot/settings", json={"leverage": "7"})
    kept = world.parts.users.credentials(world.trader.id)
    client.put("/api/bot/settings", json={"api_key": "", "api_secret": ""})

    assert kept is not None
    assert kept.api_secret == SECRET
    assert world.parts.users.credentials(world.trader.id) is None
    assert client.get("/api/bot/settings").json["api_key"] == ""


@pytest.mark.parametrize(
    ("stored", "sent", "missing"),
    [
        ({}, {"api_key": KEY}, "api_secret"),
        ({}, {"api_secret": SECRET}, "api_key"),
        ({}, {"api_key": "", "api_secret": SECRET}, "api_key"),
        ({"api_key": KEY, "api_secret": SECRET}, {"api_key": KEY, "api_secret": " "}, "api_secret"),
    ],
)
def test_half_a_pair_of_keys_is_refused_at_the_half_that_is_missing(world, client, stored, sent, missing):
    client.put("/api/bot/settings", json=stored)
    before = world.parts.users.credentials(world.trader.id)

    answer = client.put("/api/bot/settings", json={**sent, "leverage": "7"})

    assert (answer.status_code, list(answer.json["errors"])) == (400, [missing])
    assert world.parts.users.credentials(world.trader.id) == before
    assert client.get("/api/bot/settings").json["leverage"] == "10"


@pytest.mark.parametrize("field", ["api_key", "api_secret"])
def test_clearing_one_of_the_keys_clears_both(client, field):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    cleared = client.put("/api/bot/settings", json={field: ""})

    assert (cleared.status_code, cleared.json["api_key"], cleared.json["keys_stored"]) == (200, "", False)
    assert client.put("/api/bot/settings", json={"api_secret": SECRET}).status_code == 400


def test_keys_that_cannot_be_read_any_more_are_replaced_as_a_pair(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    with world.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE users SET api_secret = api_key")

    half = client.put("/api/bot/settings", json={"api_secret": SECRET})
    both = client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    assert (half.status_code, list(half.json["errors"])) == (400, ["api_key"])
    assert both.status_code == 200


def paper_keys(world):
    return [account["key"] for account in world.exchange_state()["accounts"]]


def test_own_keys_name_the_paper_account_from_the_moment_they_are_saved(world, client):
    assert paper_keys(world) == []

    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    assert paper_keys(world) == [KEY]


def test_bingx_is_chosen_by_its_name_and_previewed_by_its_own_rules(world, client):
    grids = [{"amount": "0.35"}, {"amount": "100", "gap": "1"}]  # 3 USDT at ten times: too little for Bybit alone

    refused = client.post("/api/bot/preview", json={"symbol": "XRP/USDT:USDT", "grids": grids, "rounds": 2})
    taken = client.post(
        "/api/bot/preview", json={"exchange": "bingx", "symbol": "XRP/USDT:USDT", "grids": grids, "rounds": 2}
    )
    saved = client.put("/api/bot/settings", json={"exchange": "bingx"})

    assert (refused.status_code, taken.status_code, saved.status_code) == (400, 200, 200), taken.json
    assert client.get("/api/bot/settings").json["exchange"] == "bingx"


def test_a_paper_account_belongs_to_one_exchange(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    answer = client.put("/api/bot/settings", json={"exchange": "bingx"})

    assert (answer.status_code, list(answer.json["errors"])) == (400, ["api_secret"])
    assert "another exchange" in answer.json["errors"]["api_secret"][0]
    assert client.get("/api/bot/settings").json["exchange"] == "bybit"


def test_without_keys_each_exchange_has_a_paper_account_of_its_own(world, client):
    for exchange in ("bybit", "bingx"):
        client.put("/api/bot/settings", json={"exchange": exchange})
        assert client.post("/api/bot/start").status_code == 200
        resting(client)
        client.post("/api/bot/stop", json={"position": "close"})

    first, second = paper_keys(world)
    assert second == f"{first}-bingx"


def test_keys_of_another_mode_open_no_paper_account_until_paper_is_chosen(world, client):
    world.parts.users.save_settings(world.trader.id, replace(world.trader.settings, mode=Mode.DEMO))

    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    before = paper_keys(world)
    client.put("/api/bot/settings", json={"mode": "paper"})

    assert (before, paper_keys(world)) == ([], [KEY])


def test_a_wrong_secret_of_a_paper_account_is_refused_and_nothing_is_stored(world, client):
    stranger = world.signed_in(world.stranger)
    stranger.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    answer = client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET[::-1], "leverage": "7"})

    assert (answer.status_code, list(answer.json["errors"])) == (400, ["api_secret"])
    assert SECRET[::-1] not in answer.get_data(as_text=True)
    assert world.parts.users.credentials(world.trader.id) is None
    assert client.get("/api/bot/settings").json["leverage"] == "10"


def test_a_paper_exchange_that_does_not_answer_keeps_nobody_from_saving_keys(world, client):
    world.paper.stop()

    answer = client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    assert (answer.status_code, answer.json["keys_stored"]) == (200, True)
    assert "checked when the bot starts" in answer.json["message"]


@pytest.mark.parametrize("sent", [{"api_key": KEY[::-1]}, {"api_key": "", "api_secret": ""}])
def test_other_keys_are_refused_while_a_cycle_is_open_on_the_account_of_the_old_ones(world, client, sent):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    client.post("/api/bot/start")
    resting(client)

    refused = client.put("/api/bot/settings", json={**sent, "leverage": "7"})
    same = client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET, "leverage": "8"})

    assert (refused.status_code, refused.json["status"]) == (409, "cycle_open")
    assert "close the position first" in refused.json["message"]
    assert (same.status_code, same.json["leverage"]) == (200, "8")
    stored = world.parts.users.credentials(world.trader.id)
    assert stored is not None
    assert stored.api_key == KEY


def test_keys_may_be_changed_again_once_the_position_is_closed(client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    client.post("/api/bot/start")
    resting(client)
    client.post("/api/bot/stop", json={"position": "close"})
    wait_for(lambda: client.get("/api/bot/status").json["running"] is False)

    changed = client.put("/api/bot/settings", json={"api_key": KEY[::-1], "api_secret": SECRET})

    assert changed.status_code == 200, changed.json


def test_a_chosen_number_of_legs_stays_when_only_the_rows_change(client):
    rows = [{"amount": "100", "gap": "1"}] * 6

    unlimited = client.put("/api/bot/settings", json={"grids": rows}).json["rounds"]
    client.put("/api/bot/settings", json={"rounds": 2})
    limited = client.put("/api/bot/settings", json={"grids": rows[:5]}).json["rounds"]

    assert (unlimited, limited) == (6, 2)


def test_an_answer_can_be_edited_and_sent_back(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    answer = client.get("/api/bot/settings").json

    sent_back = client.put("/api/bot/settings", json={**answer, "leverage": "3"})

    assert sent_back.status_code == 200
    assert sent_back.json["leverage"] == "3"
    stored = world.parts.users.credentials(world.trader.id)
    assert stored is not None
    assert stored.api_key == KEY


def test_a_lost_paper_key_may_be_replaced_though_its_cycle_is_open(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    client.post("/api/bot/start")
    resting(client)
    client.post("/api/bot/stop")
    world.parts.users.save_credentials(world.trader.id, KEY, SECRET[::-1])  # what the exchange does not know
    refused = client.post("/api/bot/start")
    assert (refused.status_code, refused.json["status"]) == (400, "missing_credentials")
    assert "give cycle 1 up" in refused.json["message"]

    answer = client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    assert answer.status_code == 200, answer.json
    assert client.post("/api/bot/start").json["status"] == "started"
