"""The administrators' API of bots: lists of thousands, one user in full, commands for many."""

import time

import pytest

from blitz.web import admin_commands
from blitz.web.admin_commands import carry_out
from tests.web.crowd import insert_people, seat


@pytest.fixture
def admin(world):
    return world.signed_in(world.admin)


@pytest.fixture
def crowd(world):
    """120 more users; the first 60 of them with a bot that runs."""
    ids = insert_people(world.parts.database, 120, cycles_each=2)
    for place, user_id in enumerate(ids[:60]):
        seat(world.manager, user_id, place)
    yield ids
    for user_id in ids:
        world.manager.managed_bots.pop(user_id, None)


def listed(admin, query=""):
    answer = admin.get(f"/admin/users?{query}")
    assert answer.status_code == 200, answer.json
    return answer.json


def acts(admin):
    return [(row["action"], row["user"], row["outcome"]) for row in admin.get("/admin/server/acts").json["rows"]]


# The list


def test_a_page_has_fifty_rows_and_says_how_many_there_are(admin, crowd):
    page = listed(admin)
    last = listed(admin, "page=99")

    assert (len(page["rows"]), page["found"], page["page"], page["pages"]) == (50, 123, 1, 3)
    assert (len(last["rows"]), last["page"]) == (23, 3)
    assert [row["id"] for row in page["rows"]] == sorted(row["id"] for row in page["rows"])


def test_a_row_has_everything_that_the_console_shows(admin, crowd):
    row = listed(admin, "q=trader00000")["rows"][0]

    assert {name: row[name] for name in ("email", "role", "active", "running", "status", "mode", "side")} == {
        "email": "trader00000@example.org",
        "role": "trader",
        "active": True,
        "running": True,
        "status": "running",
        "mode": "paper",
        "side": "long",
    }
    assert (row["legs_filled"], row["legs"], row["position"], row["protection"]) == (1, 4, True, "protected")
    assert (row["profit"], row["alarming"]) == ("2", False)
    assert row["protection_since"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=TRADER0001", 10),
        ("q=nobody-at-all", 0),
        ("status=running", 60),
        ("status=stopped", 63),
        ("status=unprotected", 2),
        ("status=attention", 2),
        ("status=error", 0),
        ("mode=live", 12),
        ("exchange=bingx", 40),
        ("role=admin", 1),
        ("access=disabled", 0),
        ("status=running&mode=live", 6),
    ],
)
def test_filters_narrow_the_list_on_the_server(admin, crowd, query, found):
    page = listed(admin, query)

    assert page["found"] == found
    assert sorted(admin.get(f"/admin/users/ids?{query}").json["ids"])[:50] == [row["id"] for row in page["rows"]]


@pytest.mark.parametrize("sort", ["id", "email", "status", "uptime", "market", "mode", "cycle", "protection", "profit"])
def test_every_order_turns_around(admin, crowd, sort):
    up, down = listed(admin, f"sort={sort}&role=trader"), listed(admin, f"sort={sort}&order=desc&role=trader")

    assert up["found"] == down["found"] == 122
    if sort in {"id", "email", "uptime"}:
        assert up["rows"][0][sort] < down["rows"][0][sort]


def test_trouble_comes_first_in_the_order_of_protection(admin, crowd):
    assert [row["alarming"] for row in listed(admin, "sort=protection")["rows"][:3]] == [True, True, False]


def test_the_totals_count_everybody_and_never_add_modes(admin, crowd):
    totals = listed(admin)["totals"]

    assert (totals["users"], totals["running"], totals["unprotected"], totals["attention"]) == (123, 60, 2, 2)
    assert totals["positions"] == 58
    assert totals["profit"] == {"paper": "168", "demo": "48", "live": "24", "complete": True}


def test_a_poll_answers_the_rows_that_were_asked_for_in_their_order(admin, crowd):
    wanted = [crowd[3], 999_999, crowd[1]]
    answer = admin.get(f"/admin/users/live?ids={','.join(map(str, wanted))}").json

    assert [row["id"] for row in answer["rows"]] == [crowd[3], crowd[1]]
    assert answer["totals"]["users"] == 123


def test_no_page_asks_for_the_status_of_each_bot(world, admin, crowd, monkeypatch):
    admin.get("/admin/users")
    asked = []
    whole = type(world.manager).get_bot_status

    def counted(self, user_id):
        asked.append(user_id)
        return whole(self, user_id)

    monkeypatch.setattr(type(world.manager), "get_bot_status", counted)

    listed(admin, "status=running")
    admin.get(f"/admin/users/live?ids={','.join(map(str, crowd[:50]))}")

    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/admin/users?page=0",
        "/admin/users?page=x",
        "/admin/users?sort=password_hash",
        "/admin/users?status=all",
        "/admin/users?unknown=1",
        f"/admin/users?q={'x' * 101}",
        "/admin/users/live?ids=1,x",
        f"/admin/users/live?ids={','.join(map(str, range(1, 103)))}",
        "/admin/users/live?ids=-1",
        f"/admin/users/live?ids={2**40}",
        "/admin/server/acts?limit=0",
        "/admin/server/problems?before_id=0",
    ],
)
def test_a_question_that_cannot_be_meant_is_a_400_with_its_field(admin, path):
    answer = admin.get(path)

    assert answer.status_code == 400, answer.json
    assert answer.json["errors"]


# One user


def test_one_user_is_shown_without_secrets(world, admin):
    world.parts.users.save_credentials(world.trader.id, "KEYKEYKEY1234", "secret-secret-9876")
    answer = admin.get(f"/admin/users/{world.trader.id}")

    assert (answer.status_code, answer.json["person"]["email"]) == (200, world.trader.email)
    assert answer.json["settings"]["api_key"] == "***1234"
    assert not any(secret in answer.get_data(as_text=True) for secret in ("KEYKEYKEY1234", "secret-secret-9876"))


@pytest.mark.parametrize("user_id", [999, 2**40])
def test_a_user_that_nobody_is_is_a_404_everywhere(admin, user_id):
    answers = [
        admin.get(f"/admin/users/{user_id}"),
        admin.get(f"/admin/console/{user_id}"),
        admin.post(f"/admin/users/{user_id}/link"),
        admin.post(f"/admin/users/{user_id}/access", json={"active": False}),
        admin.delete(f"/admin/users/invitations/{user_id}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


# Commands


def test_a_selection_is_started_reconciled_and_stopped(world, admin):
    both = {"user_ids": [world.trader.id, world.stranger.id]}
    started = admin.post("/admin/users/commands", json={"command": "start", **both}).json["results"]
    again = admin.post("/admin/users/commands", json={"command": "start", **both}).json["results"]
    reconciled = admin.post("/admin/users/commands", json={"command": "reconcile", **both}).json["results"]
    stopped = admin.post("/admin/users/commands", json={"command": "stop", "legs": "keep", **both}).json["results"]

    assert [(one["user_id"], one["status"]) for one in started] == [(1, "started"), (2, "started")]
    assert [(one["success"], one["status"]) for one in again] == [(False, "already_running")] * 2
    assert all("checked_positions" in one["actions"] for one in reconciled)
    assert [one["status"] for one in stopped] == ["stopped", "stopped"]
    assert acts(admin)[0][0] == "force_stop"
    assert len(acts(admin)) == 8


def test_whoever_does_not_exist_gets_a_line_and_holds_nobody_up(world, admin):
    answer = admin.post("/admin/users/commands", json={"command": "start", "user_ids": [999, world.trader.id, 999]})

    assert [(one["user_id"], one["status"]) for one in answer.json["results"]] == [(999, "not_found"), (1, "started")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": "start", "user_ids": []},
        {"command": "explode", "user_ids": [1]},
        {"command": "start", "user_ids": [0]},
        {"command": "start", "user_ids": ["x"]},
        {"command": "start", "user_ids": list(range(1, 202))},
        {"command": "stop", "user_ids": [1], "legs": "maybe"},
        {"command": "stop", "user_ids": [1], "all": True},
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_as_a_whole(world, admin, body):
    answer = admin.post("/admin/users/commands", json=body)

    assert (answer.status_code, answer.json["status"]) == (400, "invalid_request")
    assert world.manager.overview() == {}


def test_closing_names_how_many_positions_it_would_close(admin, crowd):
    answer = admin.post("/admin/users/selection", json={"user_ids": [*crowd[:20], 999_999]}).json

    assert answer == {"users": 21, "running": 20, "positions": 19, "live_positions": 2}
    assert admin.post("/admin/users/selection", json={"user_ids": []}).status_code == 400


def test_a_slow_exchange_holds_up_only_its_own(monkeypatch):
    monkeypatch.setattr(admin_commands, "AT_ONCE", 2)
    slow = {1}

    def work(user_id):
        if user_id in slow:
            time.sleep(1.5)
        return {"success": True, "status": "started", "message": "Bot started successfully"}

    began = time.monotonic()
    done = carry_out(work, [1, 2, 3, 4], 0.5)

    assert time.monotonic() - began < 1.2
    assert [done[user_id]["status"] for user_id in (1, 2, 3, 4)] == ["in_progress", "started", "started", "started"]


def test_whoever_was_not_begun_in_time_is_told_so(monkeypatch):
    monkeypatch.setattr(admin_commands, "AT_ONCE", 1)

    def work(_user_id):
        time.sleep(0.6)
        return {"success": True, "status": "started", "message": "Bot started successfully"}

    done = carry_out(work, [1, 2], 0.2)

    assert [(one["success"], one["status"]) for one in done.values()] == [(True, "in_progress"), (False, "not_begun")]


def test_a_command_that_fails_is_a_line_of_its_own():
    def work(user_id):
        if user_id == 1:
            raise ZeroDivisionError
        return {"success": True, "status": "started", "message": "Bot started successfully"}

    done = carry_out(work, [1, 2], 5)

    assert [one["status"] for one in done.values()] == ["failed", "started"]
