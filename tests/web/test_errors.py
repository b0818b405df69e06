"""One shape for every failure, and nothing of the inside in any of them."""

import re

import pytest

SHAPE = {"success", "status", "message"}


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("GET", "/api/nope", 404, "not_found"),
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/api/bot/start", 405, "method_not_allowed"),
        ("DELETE", "/api/bot/settings", 405, "method_not_allowed"),
        ("TRACE", "/api/bot/status", 405, "method_not_allowed"),
        ("GET", "/api/bot/fills?limit=0", 400, "invalid_request"),
        ("GET", "/api/bot/fills?limit=x", 400, "invalid_request"),
        ("GET", "/api/bot/fills?unknown=1", 400, "invalid_request"),
        ("GET", "/api/bot/fills?before_id=99999999999999999999999", 400, "invalid_request"),
        ("GET", "/api/bot/candles?timeframe=7m", 400, "invalid_request"),
        ("GET", "/api/bot/cycles?format=xml", 400, "invalid_request"),
        ("POST", "/api/bot/recover?dry_run=maybe", 400, "invalid_request"),
    ],
)
def test_a_program_gets_the_one_shape(still_client, method, path, status, word):
    answer = still_client.open(path, method=method)

    assert answer.status_code == status
    assert set(answer.json) - {"errors"} == SHAPE
    assert answer.json["success"] is False
    assert answer.json["status"] == word


@pytest.mark.parametrize("body", ['{"legs": "all"}', '{"when": 1}', '{"position": null}', '{"close": true}'])
def test_a_stop_that_is_not_understood_stops_nothing(world, client, body):
    client.post("/api/bot/start")

    answer = client.post("/api/bot/stop", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert len(answer.json["errors"]) == 1
    assert client.get("/api/bot/status").json["running"] is True


def test_a_person_gets_a_page(still_client):
    answer = still_client.get("/nope", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert "There is nothing here." in answer.get_data(as_text=True)


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_fault_of_ours_gives_a_reference_and_no_internals(world, client, monkeypatch, accept):
    def broken(user_id):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(world.manager, "get_bot_status", broken)

    answer = client.get("/", headers={"Accept": accept})

    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "Reference: " in text
    assert "secret detail" not in text
    assert "Traceback" not in text


def test_a_flood_of_one_user_is_told_to_wait_and_others_are_served(world, client):
    answers = {client.post("/api/bot/stop").status_code for _ in range(310)}

    assert answers == {409, 429}
    assert world.signed_in(world.stranger).post("/api/bot/stop").status_code == 409


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**20, 10**400])
def test_a_number_that_no_row_can_have_is_not_found_on_every_route(world, number):
    admin = world.signed_in(world.admin)
    for rule in world.app.url_map.iter_rules():
        if "<int:" in rule.rule:
            path = re.sub(r"<int:\w+>", str(number), rule.rule)
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                body = {"active": False} if path.endswith("/access") else {}
                answer = admin.open(path, method=method, json=None if method == "GET" else body)
                assert answer.status_code == 404, (method, path[:60], answer.status_code)
