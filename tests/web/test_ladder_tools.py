"""The routes that help to fill in a ladder: market, presets, generator, import, and the balance of the preview."""

import json

import pytest

from blitz.bots.balances import FRESH_MS, Balances
from blitz.clock import ManualClock
from blitz.core.imported import NEVER
from tests.web.test_bot_api import resting, wait_for
from tests.web.test_settings_api import KEY, SECRET

GENERATOR = {"base_order": "100", "safety_order": "100", "safety_orders": 3, "deviation": "1.5", "step_scale": "1.2"}
THREE_COMMAS = {
    "base_order_volume": "200",
    "safety_order_volume": "400",
    "max_safety_orders": 2,
    "safety_order_step_percentage": "1.5",
    "take_profit": "1.5",
    "leverage_custom_value": "8",
    "api_secret": SECRET,
}


def stored(client):
    return client.get("/api/bot/settings").json


def test_generated_legs_preview_at_the_prices_of_the_other_bot(still_client):
    made = still_client.post("/api/bot/ladder/generate", json=GENERATOR).json

    plan = still_client.post("/api/bot/preview", json={"grids": made["grids"], "rounds": made["rounds"]}).json

    assert [leg["price"] for leg in plan["legs"]] == ["60000", "59100", "58020", "56724"]
    assert (made["rounds"], made["amount"], made["coverage_percent"]) == (4, "400", "5.46")


def test_a_short_is_generated_for_its_own_side(still_client):
    made = still_client.post("/api/bot/ladder/generate", json={**GENERATOR, "side": "short"}).json

    plan = still_client.post("/api/bot/preview", json={"grids": made["grids"], "rounds": 4, "side": "short"}).json

    assert [leg["price"] for leg in plan["legs"]] == ["60000", "60900", "61980", "63276"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"base_order", "safety_order", "safety_orders", "deviation"}),
        ({**GENERATOR, "deviation": "0"}, {"deviation"}),
        ({**GENERATOR, "safety_orders": 99}, {"safety_orders"}),
        ({**GENERATOR, "side": "up"}, {"side"}),
        ({**GENERATOR, "leverage": "x"}, {"leverage"}),
        ({**GENERATOR, "leverage": "1", "scale": "1"}, {"scale"}),
        ({**GENERATOR, "sizes": ["margin"]}, {"sizes"}),
    ],
)
def test_a_wrong_field_of_the_generator_is_a_400_at_its_name(still_client, body, fields):
    answer = still_client.post("/api/bot/ladder/generate", json=body)

    assert answer.status_code == 400
    assert set(answer.json["errors"]) == fields


def test_another_leverage_does_not_fall_over_the_stored_stop_loss(client):
    client.put("/api/bot/settings", json={"leverage": "10", "stop_loss": "600"})

    assert client.post("/api/bot/ladder/generate", json={**GENERATOR, "leverage": "2"}).status_code == 200
    assert client.get("/api/bot/market?leverage=2").status_code == 200


def test_an_import_answers_fields_and_words_and_stores_nothing(client):
    before = stored(client)

    answer = client.post("/api/bot/ladder/import", json={"text": json.dumps(THREE_COMMAS), "sizes": "notional"})

    assert answer.status_code == 200
    assert answer.json["kind"] == "3commas"
    assert answer.json["settings"]["take_profit"] == "12"
    assert answer.json["settings"]["grids"][0] == {"amount": "25", "gap": "0"}
    assert answer.json["left"] == [{"field": "api_secret", "message": NEVER}]
    assert SECRET not in answer.get_data(as_text=True)
    assert stored(client) == before
    assert client.put("/api/bot/settings", json=answer.json["settings"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "{"}, "text"),
        ({"text": "[" * 30_000}, "text"),
        ({"text": "x" * 50_000}, "text"),
        ({}, "text"),
        ({"text": 5}, "text"),
        ({"text": '{"base_order_volume": "x", "max_safety_orders": 0}'}, "base_order_volume"),
        ({"text": "[]", "sizes": "lots"}, "sizes"),
        ({"text": "[]", "file": "x"}, "file"),
    ],
)
def test_a_paste_that_cannot_be_read_is_a_400_with_a_sentence(still_client, body, field):
    answer = still_client.post("/api/bot/ladder/import", json=body)

    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    "market",
    [
        {"symbol": "BTC/USDT:USDT"},
        {"symbol": "1000PEPE/USDT:USDT", "side": "short"},
        {"symbol": "XRP/USDT:USDT", "exchange": "bingx", "margin_mode": "isolated"},
    ],
)
def test_each_preset_can_be_saved_for_the_market_that_was_asked_about(client, market):
    answer = client.post("/api/bot/ladder/presets", json={**market, "grids": "nonsense of the form"})

    assert [preset["name"] for preset in answer.json["presets"]] == ["careful", "balanced", "bold"]
    for preset in answer.json["presets"]:
        plan = client.post("/api/bot/preview", json={**market, **preset["settings"]})
        assert (plan.status_code, plan.json.get("warnings")) == (200, []), plan.json
        assert client.put("/api/bot/settings", json={**market, **preset["settings"]}).status_code == 200


def test_an_unknown_market_has_neither_rules_nor_presets(still_client):
    for answer in (
        still_client.post("/api/bot/ladder/presets", json={"symbol": "NOPE/USDT:USDT"}),
        still_client.get("/api/bot/market?symbol=NOPE/USDT:USDT"),
    ):
        assert (answer.status_code, list(answer.json["errors"])) == (400, ["symbol"])


def test_the_market_tells_its_rules_and_the_least_that_a_leg_may_be(still_client):
    found = still_client.get("/api/bot/market?symbol=BTC/USDT:USDT&leverage=20").json

    assert (found["price"], found["smallest_amount"]) == ("60000", "3")
    rules = found["instrument"]
    assert (rules["tick"], rules["step"], rules["leverage_max"], rules["leverage_step"]) == (
        "0.1",
        "0.001",
        "100",
        "0.01",
    )
    assert (rules["taker_percent"], rules["maker_percent"]) == ("0.055", "0.02")


def test_every_market_of_an_exchange_is_listed(still_client):
    assert "BTC/USDT:USDT" in still_client.get("/api/bot/markets?exchange=bingx&mode=paper").json["symbols"]
    assert still_client.get("/api/bot/markets?exchange=nowhere").status_code == 400


def preview(client, **body):
    answer = client.post("/api/bot/preview", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_a_paper_account_that_is_not_there_yet_will_begin_with_its_balance_and_is_not_opened(world, client):
    balance = preview(client)["balance"]

    assert (balance["equity"], balance["available"], balance["coming"]) == ("10000", "10000", False)
    assert balance["note"] == "A new paper account begins with this balance."
    assert world.exchange_state()["accounts"] == []


def test_the_balance_of_an_open_paper_account_gives_cross_its_liquidation(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    plan = preview(client, leverage="50", grids=[{"amount": "4000"}], rounds=1)

    assert (plan["balance"]["equity"], plan["balance"]["note"]) == ("10000", None)
    assert 0 < float(plan["legs"][0]["liquidation"]) < 60_000


def test_a_ladder_above_the_balance_is_warned_of_at_its_leg_and_not_refused(client):
    grids = [{"amount": "100"}, {"amount": "20000", "gap": "1"}]

    plan = preview(client, grids=grids, rounds=2)

    assert [(each["code"], each["field"], each["leg"]) for each in plan["warnings"]] == [("balance_short", "grids", 1)]
    assert client.put("/api/bot/settings", json={"grids": grids, "rounds": 2}).status_code == 200


def test_margin_that_the_open_cycle_binds_counts_as_free_for_the_next(client):
    client.put("/api/bot/settings", json={"grids": [{"amount": "6000"}], "rounds": 1})
    client.post("/api/bot/start")
    wait_for(lambda: (client.get("/api/bot/status").json.get("position") or {}).get("quantity"))

    assert preview(client)["warnings"] == []


def test_another_account_than_the_stored_one_is_not_asked_with_the_traders_key(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})

    balance = preview(client, exchange="bingx")["balance"]

    assert balance == {
        "equity": None,
        "available": None,
        "note": "The balance is not known: save this exchange and mode first.",
        "coming": False,
    }


def test_a_slow_exchange_holds_no_preview_up(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    preview(client, symbol="ETH/USDT:USDT")  # clocks and tables are known from here on
    balances = Balances(world.parts.desk._exchanges, world.parts.desk._venues, ManualClock())
    world.control("faults", {"fault": "delay_response", "endpoint": "account/wallet-balance", "delay_ms": "3000"})
    user = world.parts.users.by_id(world.trader.id)

    began = world.parts.clock.monotonic_ms()
    known = balances.known(user, user.settings)

    assert world.parts.clock.monotonic_ms() - began < 2_000
    assert known.balance is None
    assert "has not answered" in str(known.note)
    assert known.is_coming


def test_the_balance_is_asked_once_in_ten_seconds(world, client):
    client.put("/api/bot/settings", json={"api_key": KEY, "api_secret": SECRET})
    clock = ManualClock()
    balances = Balances(world.parts.desk._exchanges, world.parts.desk._venues, clock)
    user = world.parts.users.by_id(world.trader.id)
    before = balances.known(user, user.settings).balance
    client.post("/api/bot/start")
    resting(client)

    clock.advance(FRESH_MS - 1)
    remembered = balances.known(user, user.settings).balance
    clock.advance(1)
    fresh = balances.known(user, user.settings).balance

    assert before is not None
    assert remembered == before
    assert fresh is not None
    assert fresh.available < before.available  # the open position binds margin


def test_a_key_that_cannot_be_read_or_is_missing_is_an_unknown_balance(world, client):
    client.put("/api/bot/settings", json={"mode": "demo"})
    user = world.parts.users.by_id(world.trader.id)

    known = world.parts.desk.balance(user, user.settings)

    assert (known.balance, str(known.note)) == (None, "The balance is not known: no API key is stored.")
