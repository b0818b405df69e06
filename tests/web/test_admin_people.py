"""The administrators' API around bots: people, one-time links, notices, the server, and the record."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from blitz.core.records import EventKind
from tests.web.conftest import PASSWORD

OTHER_PASSWORD = "glass lantern orchard 71"


@pytest.fixture
def admin(world):
    return world.signed_in(world.admin)


def acts(admin):
    return [(row["action"], row["user"], row["outcome"]) for row in admin.get("/admin/server/acts").json["rows"]]


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
    assert admin.get("/admin/users?access=disabled").json["rows"][0]["email"] == world.trader.email
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
