"""The administrators' API: lists of thousands, commands for many, people, links, notices, and the record."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from blitz.core.records import EventKind
from blitz.web import admin_commands
from blitz.web.admin_commands import carry_out
from tests.web.conftest import PASSWORD
from tests.web.crowd import insert_people, seat

OTHER_PASSWORD = "glass lantern orchard 71"


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


# People


def test_a_created_user_signs_in_with_the_first_password(world, admin):
    answer = admin.post("/admin/users", json={"email": "Carol@Example.org", "password": PASSWORD})

    assert answer.json["status"] == "created"
    signed_in = world.visitor().post("/login", data={"email": "carol@example.org", "password": PASSWORD})
    assert signed_in.json["success"]
    assert acts(admin)[0][:2] == ("create_user", "carol@example.org")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "trader@example.org", "password": PASSWORD}, "email"),
        ({"email": "nobody", "password": PASSWORD}, "email"),
        ({"email": "c@example.org", "password": "short"}, "password"),
        ({"email": "c@example.org", "password": PASSWORD, "role": "king"}, "role"),
        ({"email": "c@example.org"}, "password"),
        ({"email": ["c@example.org"], "password": PASSWORD}, "email"),
    ],
)
def test_a_user_who_cannot_be_made_is_a_400_at_the_field(world, admin, body, field):
    answer = admin.post("/admin/users", json=body)

    assert answer.status_code == 400
    assert field in answer.json["errors"]
    assert world.parts.users.count() == 3


def invited(admin, email="carol@example.org", **more):
    answer = admin.post("/admin/users/invitations", json={"email": email, **more})
    assert answer.status_code == 200, answer.json
    return answer.json["link"].removeprefix("http://localhost")


def test_an_invited_person_chooses_a_password_and_is_signed_in(world, admin):
    link = invited(admin)
    person = world.visitor()
    page = person.get(link, headers={"Accept": "text/html"})
    token = link.partition("token=")[2]

    refused = person.post("/invite", data={"token": token, "password": "short"})
    answer = person.post("/invite", data={"token": token, "password": OTHER_PASSWORD})

    assert page.status_code == 200
    assert "carol@example.org" in page.get_data(as_text=True)
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["password"])
    assert answer.status_code == 200
    assert person.get("/api/bot/status").json["status"] == "not_running"
    assert world.visitor().get(link).status_code == 403
    assert world.visitor().post("/invite", data={"token": token, "password": OTHER_PASSWORD}).status_code == 403


def test_a_link_is_shown_once_and_can_be_taken_back(world, admin):
    link = invited(admin, role="admin")
    waiting = admin.get("/admin/users/invitations").json["rows"]

    assert [(one["email"], one["role"]) for one in waiting] == [("carol@example.org", "admin")]
    assert link.partition("token=")[2] not in str(waiting)
    assert link.partition("token=")[2] not in str(admin.get("/admin/server/acts").json)
    assert admin.delete(f"/admin/users/invitations/{waiting[0]['id']}").json["success"]
    assert world.visitor().get(link).status_code == 403


def test_a_lost_password_is_set_anew_by_a_link(world, admin):
    session = world.signed_in(world.trader)
    token = admin.post(f"/admin/users/{world.trader.id}/link").json["link"].partition("token=")[2]
    person = world.visitor()
    answer = person.post("/invite", data={"token": token, "password": OTHER_PASSWORD})

    assert answer.status_code == 200
    assert person.get("/api/bot/status").status_code == 200
    assert session.get("/api/bot/status").status_code == 401
    assert world.parts.users.check_password(world.trader.email, PASSWORD) is None


@pytest.mark.parametrize("change", ["password", "disabled and enabled", "role", "password by the owner"])
def test_a_link_that_lies_about_does_not_undo_what_came_after_it(world, admin, change):
    token = admin.post(f"/admin/users/{world.trader.id}/link").json["link"].partition("token=")[2]
    other = admin.post(f"/admin/users/{world.stranger.id}/link").json["link"].partition("token=")[2]

    if change == "password":
        body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD, "repeat_password": OTHER_PASSWORD}
        assert world.signed_in(world.trader).post("/api/account/password", json=body).status_code == 200
    elif change == "role":
        world.parts.users.make_admin(world.trader.id)
    elif change == "password by the owner":
        world.parts.users.set_password(world.trader.id, OTHER_PASSWORD)
    else:
        for active in (False, True):
            assert admin.post(f"/admin/users/{world.trader.id}/access", json={"active": active}).status_code == 200

    thief = {"password": "thief thief ladder 12"}
    assert world.visitor().post("/invite", data={"token": token, **thief}).status_code == 403
    assert world.visitor().post("/invite", data={"token": other, **thief}).status_code == 200


def test_disabling_ends_the_session_at_once_and_leaves_the_bot_unless_asked(world, admin):
    trader = world.signed_in(world.trader)
    trader.post("/api/bot/start")

    answer = admin.post(f"/admin/users/{world.trader.id}/access", json={"active": False})

    assert "The bot goes on" in answer.json["message"]
    assert trader.get("/api/bot/status").status_code == 401
    assert world.manager.get_bot_status(world.trader.id)["running"]
    assert listed(admin, "access=disabled")["rows"][0]["email"] == world.trader.email
    assert admin.post(f"/admin/users/{world.trader.id}/link").json["status"] == "disabled"

    assert admin.post(f"/admin/users/{world.trader.id}/access", json={"active": True}).json["status"] == "enabled"
    admin.post(f"/admin/users/{world.trader.id}/access", json={"active": False, "stop": True})
    assert not world.manager.get_bot_status(world.trader.id)["running"]


def test_the_last_administrator_stays(world, admin):
    answer = admin.post(f"/admin/users/{world.admin.id}/access", json={"active": False})

    assert (answer.status_code, answer.json["status"]) == (409, "last_admin")
    assert admin.get("/admin/users").status_code == 200


# Notices


def test_maintenance_refuses_every_start_and_every_page_says_why(world, admin, client):
    client.post("/api/bot/start")
    told = admin.put("/admin/server/notices/maintenance", json={"message": "Back at 18:00."})

    own = world.signed_in(world.stranger).post("/api/bot/start")
    forced = admin.post(f"/admin/users/{world.stranger.id}/start")
    many = admin.post("/admin/users/commands", json={"command": "start", "user_ids": [world.stranger.id]})

    assert told.json["notices"][0]["name"] == "maintenance"
    assert [(one.status_code, one.json["status"]) for one in (own, forced)] == [(503, "maintenance")] * 2
    assert "Back at 18:00." in own.json["message"]
    assert many.json["results"][0]["status"] == "maintenance"
    assert client.get("/api/bot/status").json["running"]
    for visitor, path in ((client, "/"), (world.visitor(), "/login"), (admin, "/admin/console")):
        assert "Back at 18:00." in visitor.get(path).get_data(as_text=True)

    admin.put("/admin/server/notices/maintenance", json={"message": ""})
    assert world.signed_in(world.stranger).post("/api/bot/start").status_code == 200
    assert [one[0] for one in acts(admin)].count("maintenance") == 2


def test_a_banner_is_text_and_only_speaks(world, admin, client):
    admin.put("/admin/server/notices/banner", json={"message": "<b>Party</b> on Friday."})

    page = client.get("/settings").get_data(as_text=True)
    assert "&lt;b&gt;Party&lt;/b&gt; on Friday." in page
    assert world.visitor().get("/api/notices").json["notices"][0]["message"] == "<b>Party</b> on Friday."
    assert client.post("/api/bot/start").status_code == 200


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("other", {"message": "x"}, 404), ("banner", {"message": "x" * 301}, 400), ("banner", {}, 400)],
)
def test_a_notice_that_cannot_be_is_refused(admin, name, body, status):
    assert admin.put(f"/admin/server/notices/{name}", json=body).status_code == status


# The server and the record


def test_the_server_tells_how_it_does_and_what_each_exchange_allows(world, admin, client):
    client.post("/api/bot/start")
    told = admin.get("/admin/server").json

    assert (told["health"], told["streams"], told["notices"]) == ("ready", None, [])
    assert told["database_bytes"] > 0
    venue = next(one for one in told["venues"] if one["venue"] == "Bybit (paper)")
    assert venue["sent"] > 0
    assert (venue["banned_seconds"], venue["not_sent"], venue["counts"]) == (0, 0, False)


def test_health_is_what_readyz_says(world, admin):
    world.parts.closing.set()
    try:
        assert admin.get("/admin/server").json["health"] == admin.get("/readyz").json["status"] == "shutting_down"
    finally:
        world.parts.closing.clear()


def test_the_record_is_paged(admin):
    for place in range(5):
        admin.put("/admin/server/notices/banner", json={"message": f"Number {place}."})

    first = admin.get("/admin/server/acts?limit=3").json
    second = admin.get(f"/admin/server/acts?limit=3&before_id={first['next_before_id']}").json

    assert [row["outcome"] for row in (*first["rows"], *second["rows"])] == [f"Number {n}." for n in (4, 3, 2, 1, 0)]
    assert second["next_before_id"] is None


def test_the_documented_commands_are_in_the_record_too(world, admin):
    admin.post(f"/admin/users/{world.trader.id}/start")
    admin.post(f"/admin/users/{world.trader.id}/recover")
    admin.post(f"/admin/users/{world.trader.id}/stop")

    assert [one[:2] for one in acts(admin)] == [
        ("force_stop", world.trader.email),
        ("reconcile", world.trader.email),
        ("force_start", world.trader.email),
    ]


def test_problems_of_everybody_lead_to_their_user(world, admin):
    world.manager._tell_feed(world.trader.id, EventKind.ATTENTION, {"message": "Look at the key."})
    row = admin.get("/admin/server/problems").json["rows"][0]

    assert (row["user_id"], row["email"], row["tone"]) == (world.trader.id, world.trader.email, "bad")
    assert row["message"] == "Needs attention: Look at the key."


def test_many_administrators_at_once_make_one_user(world):
    clients = [world.signed_in(world.admin) for _ in range(6)]
    body = {"email": "carol@example.org", "password": PASSWORD}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: one.post("/admin/users", json=body).status_code, clients))

    assert sorted(answers) == [200, 400, 400, 400, 400, 400]
