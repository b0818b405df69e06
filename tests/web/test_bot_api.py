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


def left_open(world, client, **settings):
    """Stop in the middle of a cycle, and choose other settings; answers what rests."""
    client.post("/api/bot/start")
    orders = resting(client)
    client.post("/api/bot/stop", json={"legs": "keep"})
    user = world.parts.users.by_id(world.trader.id)
    world.parts.users.save_settings(user.id, parse_settings(settings, base=user.settings))
    return {row["tag"] for row in orders.values()}


def rests_at_the_exchange(world):
    return {row["orderLinkId"] for each in world.exchange_state()["accounts"] for row in each["open_orders"]}


def test_the_status_and_the_pages_tell_of_a_cycle_that_is_open_elsewhere(world, client):
    left_open(world, client, exchange="bingx")

    status = client.get("/api/bot/status").json
    settings = client.get("/api/bot/settings").json

    assert (status["exchange"], status["mode"], status["unfinished"]["cycle"]) == ("bybit", "paper", 1)
    assert status["unfinished"]["message"] == (
        "Cycle 1 is still open on Bybit (paper) and is finished first; your settings (BingX, paper) take effect with "
        "the next cycle."
    )
    assert settings["exchange"] == "bingx"
    assert settings["takes_effect"] == "next_cycle"
    assert settings["strip"]["mode"] == "paper"
    assert settings["strip"]["words"].endswith("the next cycle: BingX, PAPER")


def test_giving_up_leaves_everything_at_the_exchange_alone(world, client):
    tags = left_open(world, client, exchange="bingx")

    answer = client.post("/api/bot/give_up", json={"cycle": 1})

    assert (answer.status_code, answer.json["status"]) == (200, "given_up")
    assert "Nothing is cancelled or closed at Bybit." in answer.json["message"]
    assert rests_at_the_exchange(world) == tags
    lines = [row["message"] for row in client.get("/api/bot/feed").json["rows"]]
    assert answer.json["message"] in lines
    assert client.get("/api/bot/status").json["cycle"] is None
    assert client.get("/api/bot/settings").json["takes_effect"] == "now"
    again = client.post("/api/bot/give_up", json={"cycle": 1})
    assert (again.status_code, again.json["status"]) == (409, "no_open_cycle")


def test_giving_up_is_refused_in_a_sentence_while_the_bot_runs_and_for_what_is_no_number(client):
    idle = client.post("/api/bot/give_up")
    client.post("/api/bot/start")
    resting(client)
    running = client.post("/api/bot/give_up")
    odd = [client.post("/api/bot/give_up", json={"cycle": each}) for each in ("x", 0, -1, 2**60, [1])]

    assert (idle.status_code, idle.json["status"]) == (409, "no_open_cycle")
    assert (running.status_code, running.json["status"]) == (409, "bot_running")
    assert "Stop it first" in running.json["message"]
    assert [each.status_code for each in odd] == [400] * len(odd)
    assert client.post("/api/bot/give_up", json={"cycles": 1}).status_code == 400
    assert client.get("/api/bot/status").json["cycle"]["number"] == 1


def test_nobody_gives_up_somebody_elses_cycle(world, client):
    left_open(world, client)

    answers = [
        world.signed_in(other).post("/api/bot/give_up", json={"cycle": 1}) for other in (world.stranger, world.admin)
    ]
    from_elsewhere = client.post("/api/bot/give_up", headers={"Origin": "https://elsewhere.example"})

    assert [(each.status_code, each.json["status"]) for each in answers] == [(409, "no_open_cycle")] * 2
    assert from_elsewhere.status_code == 403
    assert client.get("/api/bot/status").json["cycle"]["number"] == 1


def test_a_cycle_given_up_twice_at_once_is_given_up_once(world, client):
    left_open(world, client)
    clients = [world.signed_in(world.trader) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: each.post("/api/bot/give_up", json={"cycle": 1}), clients))

    words = [each.json["status"] for each in answers]
    assert words.count("given_up") == 1
    assert set(words) <= {"given_up", "busy", "no_open_cycle"}


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
