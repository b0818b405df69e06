"""The documented answers of the four commands, from the real manager on a real paper exchange."""

import time
from concurrent.futures import ThreadPoolExecutor

from blitz.core.ladder_settings import parse_settings


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def resting(client):
    """The orders of the ladder that rest, once all four are there."""

    def look():
        rows = client.get("/api/bot/orders").json["rows"]
        found = {row["order"]: row for row in rows if row["state"] == "resting"}
        return found if len(found) == 4 else None

    return wait_for(look)


def test_start_answers_as_documented(client):
    answer = client.post("/api/bot/start")

    assert answer.status_code == 200
    assert answer.json == {"success": True, "message": "Bot started successfully", "status": "started"}


def test_a_second_start_is_refused(client):
    client.post("/api/bot/start")

    answer = client.post("/api/bot/start")

    assert answer.status_code == 409
    assert answer.json["success"] is False
    assert answer.json["status"] == "already_running"


def test_many_at_once_start_one_bot(world):
    clients = [world.signed_in(world.trader) for _ in range(16)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda each: each.post("/api/bot/start").json["status"], clients))

    assert sorted(answers) == ["already_running"] * 15 + ["started"]


def test_stop_answers_as_documented(client):
    client.post("/api/bot/start")
    resting(client)

    answer = client.post("/api/bot/stop")

    assert answer.status_code == 200
    assert answer.json["success"] is True
    assert answer.json["status"] == "stopped"


def test_stopping_what_does_not_run_is_a_409(client):
    answer = client.post("/api/bot/stop")

    assert answer.status_code == 409
    assert answer.json["status"] == "not_running"


def test_stop_after_the_cycle(client):
    client.post("/api/bot/start")
    resting(client)

    answer = client.post("/api/bot/stop", json={"when": "after_cycle"})

    assert (answer.status_code, answer.json["status"]) == (200, "stopping_after_cycle")
    assert client.get("/api/bot/status").json["running"] is True


def test_json_that_curl_declares_as_a_form_still_counts(client):
    client.post("/api/bot/start")
    resting(client)

    answer = client.post(
        "/api/bot/stop", data='{"when": "after_cycle"}', content_type="application/x-www-form-urlencoded"
    )

    assert answer.json["status"] == "stopping_after_cycle"


def test_status_begins_with_the_four_documented_fields(client):
    idle = client.get("/api/bot/status")
    client.post("/api/bot/start")
    resting(client)
    busy = client.get("/api/bot/status")

    for answer in (idle, busy):
        assert answer.status_code == 200
        assert list(answer.json)[:4] == ["running", "status", "uptime", "message"]
    assert idle.json["running"] is False
    assert busy.json["running"] is True
    assert busy.json["status"] == "running"
    assert isinstance(busy.json["uptime"], int)
    assert busy.json["position"]["quantity"] == "0.016"


def test_uptime_counts_the_seconds_of_a_running_bot(client):
    begin = time.monotonic()
    client.post("/api/bot/start")

    up = wait_for(lambda: client.get("/api/bot/status").json["uptime"])
    assert 1 <= up <= time.monotonic() - begin

    client.post("/api/bot/stop")
    assert wait_for(lambda: client.get("/api/bot/status").json["uptime"] == 0)


def test_the_orders_carry_the_documented_tags(world, client):
    client.post("/api/bot/start")

    rows = resting(client)

    number = world.trader.id
    assert {row["tag"] for row in rows.values()} == {
        f"sm_leg_1_{number}_BTCUSDTUSDT",
        f"sm_leg_2_{number}_BTCUSDTUSDT",
        f"sm_leg_3_{number}_BTCUSDTUSDT",
        f"sm_tp_{number}_BTCUSDTUSDT",
    }


def test_recover_answers_as_documented_and_is_idempotent(client):
    client.post("/api/bot/start")
    resting(client)

    first, second = client.post("/api/bot/recover"), client.post("/api/bot/recover")

    assert first.status_code == second.status_code == 200
    assert first.json["success"] is True
    assert first.json["message"] == "Recovery process completed"
    assert first.json["actions"] == second.json["actions"] == ["checked_positions", "no_missing_orders"]


def test_a_dry_run_says_so(client):
    answer = client.post("/api/bot/recover?dry_run=1")

    assert answer.status_code == 200
    assert answer.json["dry_run"] is True


def test_a_mode_that_needs_keys_is_refused_without_them(world, client):
    world.parts.users.save_settings(world.trader.id, parse_settings({"mode": "demo"}))

    answer = client.post("/api/bot/start")

    assert (answer.status_code, answer.json["status"]) == (400, "missing_credentials")


def test_a_ladder_that_cannot_trade_is_refused_at_start(world, client):
    small = parse_settings({"grids": [{"amount": "0.01", "gap": "0"}]})
    world.parts.users.save_settings(world.trader.id, small)

    answer = client.post("/api/bot/start")

    assert (answer.status_code, answer.json["status"]) == (400, "invalid_settings")
    assert world.exchange_state()["accounts"] == [] or all(
        not account["open_orders"] and not account["executions"] for account in world.exchange_state()["accounts"]
    )


def test_start_while_shutting_down_is_a_503(world, client):
    world.manager.shut_down()

    answer = client.post("/api/bot/start")

    assert (answer.status_code, answer.json["status"]) == (503, "shutting_down")


def test_recover_without_an_exchange_says_so(world, client):
    world.paper.stop()

    answer = client.post("/api/bot/recover")

    assert answer.status_code == 502
    assert answer.json["success"] is False
    assert answer.json["message"]


def test_starting_one_user_starts_no_other(world, client):
    client.post("/api/bot/start")

    assert world.signed_in(world.stranger).get("/api/bot/status").json["running"] is False


def test_the_administrators_overview_has_the_documented_shape(world, client):
    client.post("/api/bot/start")

    answer = world.signed_in(world.admin).get("/admin/simple/status")

    assert list(answer.json) == ["users", "totals"]
    assert list(answer.json["users"]) == [str(world.trader.id)]
    assert list(answer.json["users"][str(world.trader.id)]) == ["running", "status", "uptime"]
    assert answer.json["totals"]["total_managed"] == answer.json["totals"]["total_running"] == 1
    time.strptime(answer.json["totals"]["timestamp"], "%Y-%m-%dT%H:%M:%S")


def test_an_administrator_starts_reconciles_and_stops_somebody_elses_bot(world, client):
    admin, path = world.signed_in(world.admin), f"/admin/users/{world.trader.id}"

    assert admin.post(f"{path}/start").json["status"] == "started"
    resting(client)
    assert admin.post(f"{path}/recover").json["actions"] == ["checked_positions", "no_missing_orders"]
    assert admin.post(f"{path}/stop").json["status"] == "stopped"
