import re
import time

import pytest

from tests.web.test_bot_api import resting

FIELDS = ["cwd", "instance_path", "db_uri", "db_path", "db_exists", "timestamp"]


def test_a_program_on_this_machine_sees_where_the_database_is(still_world):
    answer = still_world.visitor().get("/__debug/db")

    assert answer.status_code == 200
    assert list(answer.json) == FIELDS
    assert answer.json["db_uri"] == f"sqlite:///{answer.json['db_path']}"
    assert answer.json["db_exists"] is True
    time.strptime(answer.json["timestamp"], "%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Proto": "https"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
)
def test_anything_that_came_through_something_else_does_not(still_world, still_client, headers):
    for visitor in (still_world.visitor(), still_client):
        answer = visitor.get("/__debug/db", headers=headers)
        assert (answer.status_code, answer.json["status"]) == (404, "not_found")


def test_another_machine_does_not_unless_it_is_the_administrators(still_world, still_client):
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}

    assert still_world.visitor().get("/__debug/db", environ_base=elsewhere).status_code == 404
    assert still_client.get("/__debug/db", environ_base=elsewhere).status_code == 404
    assert still_world.signed_in(still_world.admin).get("/__debug/db", environ_base=elsewhere).status_code == 200


def test_another_host_name_does_not(make_world):
    world = make_world(allowed_hosts=("trade.example.org",))

    assert world.visitor().get("/__debug/db", headers={"Host": "trade.example.org"}).status_code == 404


def test_behind_a_trusted_proxy_the_short_cut_is_off(make_world):
    assert make_world(trusted_proxies=("127.0.0.1/32",)).visitor().get("/__debug/db").status_code == 404


def test_a_closing_server_is_not_ready_but_healthy(world):
    assert world.visitor().get("/readyz").json == {"status": "ready"}

    world.parts.closing.set()

    assert world.visitor().get("/readyz").status_code == 503
    assert world.visitor().get("/healthz").json["status"] == "ok"


def test_an_open_server_without_a_proxy_says_that_tls_is_missing(make_world):
    assert make_world(web_host="0.0.0.0").visitor().get("/healthz").json["tls"] == "missing"


def test_the_figures_count_users_and_bots(world, client):
    client.post("/api/bot/start")

    text = world.visitor().get("/metrics").get_data(as_text=True)

    assert "blitz_users 3.0" in text
    assert "blitz_bots_running 1.0" in text


def test_the_figures_tell_how_many_positions_are_protected(world, client):
    client.post("/api/bot/start")
    resting(client)

    text = world.visitor().get("/metrics").get_data(as_text=True)

    figures = dict(re.findall(r"^(blitz_(?:positions|incidents|unprotected)_\w+) (\S+)$", text, re.MULTILINE))
    assert figures == {
        "blitz_positions_open": "1.0",
        "blitz_positions_protected": "1.0",
        "blitz_positions_unprotected": "0.0",
        "blitz_incidents_open": "0.0",
        "blitz_incidents_total": "0.0",
        "blitz_unprotected_seconds_max": "0.0",
    }


def test_the_figures_tell_how_the_exchange_stands_without_naming_anybody(world, client):
    client.post("/api/bot/start")
    resting(client)

    text = world.visitor().get("/metrics").get_data(as_text=True)

    figures = dict(re.findall(r'^(blitz_\w+)\{venue="Bybit \(paper\)"\} (\S+)$', text, re.MULTILINE))
    assert float(figures["blitz_requests_total"]) > 5
    assert figures["blitz_requests_window_limit"] == "600.0"
    assert figures["blitz_exchange_ban_seconds"] == figures["blitz_exchange_bans_total"] == "0.0"
    assert figures["blitz_requests_not_sent_total"] == figures["blitz_users_shut_out"] == "0.0"
    assert 0 <= float(figures["blitz_clock_unsure_seconds"]) < 1
    assert 'blitz_requests_waiting{priority="protect",venue="Bybit (paper)"} 0.0' in text
    assert "user" not in re.sub("blitz_users[_a-z]*|# .*", "", text)
