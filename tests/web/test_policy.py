"""Every route of the server, for everybody who may knock."""

import pytest
from flask import Flask

from blitz.web.policy import POLICIES, Policy, host_name, refuse_undeclared_routes

# method, path, then the status for: nobody, a trader, an administrator
TABLE = [
    ("GET", "/", 302, 200, 200),
    ("GET", "/settings", 302, 200, 200),
    ("GET", "/settings/live", 302, 200, 200),
    ("GET", "/history", 302, 200, 200),
    ("GET", "/account", 302, 200, 200),
    ("GET", "/admin/console", 302, 403, 200),
    ("GET", "/admin/lite", 302, 403, 200),
    ("GET", "/admin/console/1", 302, 403, 200),
    ("GET", "/login", 200, 303, 303),
    ("GET", "/register", 403, 403, 403),
    ("GET", "/setup", 403, 403, 403),
    ("GET", "/logout", 303, 200, 200),
    ("POST", "/logout", 303, 303, 303),
    ("POST", "/api/bot/start", 401, 200, 200),
    ("POST", "/api/bot/stop", 401, 409, 409),
    ("GET", "/api/bot/status", 401, 200, 200),
    ("POST", "/api/bot/recover?dry_run=1", 401, 200, 200),
    ("POST", "/api/bot/give_up", 401, 409, 409),
    ("GET", "/api/bot/settings", 401, 200, 200),
    ("PUT", "/api/bot/settings", 401, 200, 200),
    ("POST", "/api/bot/preview", 401, 200, 200),
    ("POST", "/api/bot/ladder/generate", 401, 400, 400),
    ("POST", "/api/bot/ladder/import", 401, 400, 400),
    ("POST", "/api/bot/ladder/presets", 401, 200, 200),
    ("GET", "/api/bot/market", 401, 200, 200),
    ("GET", "/api/bot/markets", 401, 200, 200),
    ("GET", "/api/bot/live", 401, 200, 200),
    ("POST", "/api/bot/live", 401, 400, 400),
    ("GET", "/api/bot/orders", 401, 200, 200),
    ("GET", "/api/bot/fills", 401, 200, 200),
    ("GET", "/api/bot/cycles", 401, 200, 200),
    ("GET", "/api/bot/cycles/4711", 401, 404, 404),
    ("GET", "/api/bot/statistics", 401, 200, 200),
    ("GET", "/api/bot/feed", 401, 200, 200),
    ("GET", "/api/bot/equity", 401, 200, 200),
    ("GET", "/api/bot/candles", 401, 200, 200),
    ("GET", "/api/bot/events", 401, 200, 200),
    ("POST", "/api/account/keys/test", 401, 200, 200),
    ("POST", "/api/account/password", 401, 400, 400),
    ("GET", "/api/account/sessions", 401, 200, 200),
    ("DELETE", "/api/account/sessions", 401, 200, 200),
    ("DELETE", "/api/account/sessions/999", 401, 404, 404),
    ("GET", "/api/account/tokens", 401, 200, 200),
    ("POST", "/api/account/tokens", 401, 400, 400),
    ("DELETE", "/api/account/tokens/999", 401, 404, 404),
    ("GET", "/api/account/preferences", 401, 200, 200),
    ("PUT", "/api/account/preferences", 401, 200, 200),
    ("GET", "/admin/simple/status", 401, 403, 200),
    ("POST", "/admin/users/1/start", 401, 403, 200),
    ("POST", "/admin/users/1/stop", 401, 403, 409),
    ("POST", "/admin/users/1/recover?dry_run=1", 401, 403, 200),
    ("GET", "/admin/users", 401, 403, 200),
    ("GET", "/admin/users/live?ids=1,2", 401, 403, 200),
    ("GET", "/admin/users/ids", 401, 403, 200),
    ("POST", "/admin/users/selection", 401, 403, 400),
    ("GET", "/admin/users/1", 401, 403, 200),
    ("POST", "/admin/users", 401, 403, 400),
    ("GET", "/admin/users/invitations", 401, 403, 200),
    ("POST", "/admin/users/invitations", 401, 403, 400),
    ("DELETE", "/admin/users/invitations/1", 401, 403, 404),
    ("POST", "/admin/users/999/link", 401, 403, 404),
    ("POST", "/admin/users/999/access", 401, 403, 400),
    ("POST", "/admin/users/commands", 401, 403, 400),
    ("GET", "/admin/server", 401, 403, 200),
    ("PUT", "/admin/server/notices/banner", 401, 403, 400),
    ("GET", "/admin/server/acts", 401, 403, 200),
    ("GET", "/admin/server/problems", 401, 403, 200),
    ("GET", "/api/notices", 200, 200, 200),
    ("GET", "/invite", 403, 403, 403),
    ("GET", "/__debug/db", 404, 404, 200),
    ("GET", "/metrics", 404, 404, 200),
    ("GET", "/healthz", 200, 200, 200),
    ("GET", "/readyz", 200, 200, 200),
    ("GET", "/api/openapi.json", 200, 200, 200),
    ("GET", "/api/docs", 200, 200, 200),
    ("GET", "/static/css/blitz.css", 200, 200, 200),
    ("POST", "/force_refresh", 308, 308, 308),
    ("POST", "/single_refresh", 308, 308, 308),
    ("POST", "/clear_force_refresh", 308, 308, 308),
    ("POST", "/exit_and_stop", 308, 308, 308),
]
# From another machine, so that the short cut for programs on this one does not hide the rule.
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
BROWSER = {"Accept": "text/html"}


def knock(client, method, path):
    with client.open(path, method=method, headers=BROWSER, environ_base=ELSEWHERE) as response:
        return response.status_code


@pytest.mark.parametrize("who", ["nobody", "trader", "admin"])
def test_every_route_answers_everybody_as_the_table_says(world, who):
    def client():
        return world.visitor() if who == "nobody" else world.signed_in(getattr(world, who))

    column = {"nobody": 2, "trader": 3, "admin": 4}[who]
    got = []
    for row in TABLE:
        if row[1] == "/api/bot/stop" or row[1].endswith("/stop"):
            world.manager.stop_bot_for_user(getattr(world, who, world.trader).id)
        got.append((*row[:2], knock(client(), *row[:2])))
        if row[1].endswith("/start"):
            for user in (world.trader, world.admin):
                world.manager.stop_bot_for_user(user.id, position="close")

    assert got == [(*row[:2], row[column]) for row in TABLE]


def test_the_table_covers_every_declared_route(world):
    adapter = world.app.url_map.bind("localhost")
    reached = {adapter.match(path.partition("?")[0], method=method)[0] for method, path, *_ in TABLE}

    assert reached == POLICIES.keys()


def test_a_route_without_a_policy_keeps_the_app_from_being_built(world):
    app = Flask("undeclared")
    view = lambda: ""  # noqa: E731 - one view for every route
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint != "static":
            app.add_url_rule(rule.rule, rule.endpoint, view, methods=["GET"])
    refuse_undeclared_routes(app)
    app.add_url_rule("/forgotten", "forgotten", view)

    with pytest.raises(LookupError, match="forgotten"):
        refuse_undeclared_routes(app)


def test_only_the_legacy_signposts_and_sign_in_take_unsafe_methods_from_strangers(world):
    open_to_all = {name for name, policy in POLICIES.items() if policy is Policy.PUBLIC}
    unsafe = {
        rule.endpoint
        for rule in world.app.url_map.iter_rules()
        if rule.endpoint in open_to_all and rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
    }

    assert unsafe == {
        "auth.login", "auth.logout", "auth.register", "auth.setup", "invite.accept",
        "legacy.force_refresh", "legacy.single_refresh", "legacy.clear_force_refresh", "legacy.exit_and_stop",
    }  # fmt: skip


def test_a_missing_user_and_a_number_beyond_all_users_are_the_same_404(world):
    admin = world.signed_in(world.admin)

    missing = [admin.post(f"/admin/users/{user_id}/start") for user_id in (999, 2**40)]

    assert {answer.status_code for answer in missing} == {404}
    assert missing[0].json == missing[1].json


def test_a_lost_role_is_lost_with_the_next_request(world):
    admin = world.signed_in(world.admin)
    assert admin.get("/admin/simple/status").status_code == 200

    world.parts.users.set_active(world.admin.id, active=False)

    assert admin.get("/admin/simple/status").status_code == 401


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("LOCALHOST:8000", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8000", "[::1]"),
        ("[::1]", "[::1]"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_the_host_is_read_without_its_port(header, name):
    assert host_name(header) == name
