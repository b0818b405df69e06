"""What a program may do with an API token, and what it may not, whatever else it sends."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import characters

from blitz.core.ladder_settings import Mode
from blitz.redaction import redact
from blitz.storage.api_tokens import Scope
from blitz.web.policy import POLICIES, TOKEN_SCOPES, Policy
from tests.web.test_policy import BROWSER, ELSEWHERE, TABLE

SAFE = {"GET", "HEAD", "OPTIONS"}
KEYS = {"api_key": "AbCdEfGhIjKlMnOpWXYZ", "api_secret": "s3cr3t-s3cr3t-s3cr3t-QQQQ"}


def bearer(world, user, scope):
    """The header of a new token."""
    return {"Authorization": f"Bearer {world.parts.tokens.create(user.id, 'a program', scope)[1]}"}


def endpoint(world, method, path):
    return world.app.url_map.bind("localhost").match(path.partition("?")[0], method=method)[0]


# The table


def test_a_route_takes_no_token_unless_the_table_says_so():
    assert {POLICIES[name] for name in TOKEN_SCOPES} == {Policy.SIGNED_IN}
    assert {name.partition(".")[0] for name in TOKEN_SCOPES} == {"bot", "ladder", "ladder_tools", "live", "history"}
    assert "live.go" not in TOKEN_SCOPES


def test_what_a_token_that_may_only_read_opens_changes_nothing(world):
    for rule in world.app.url_map.iter_rules():
        if TOKEN_SCOPES.get(rule.endpoint) is Scope.READ:
            assert rule.methods <= SAFE
            assert rule.rule.startswith("/api/bot/")


@pytest.mark.parametrize("scope", ["read", "control"])
def test_every_route_answers_a_token_as_the_table_says(world, scope):
    headers = bearer(world, world.admin, scope)  # not even an administrator's token opens more
    wrong = []
    for method, path, nobody, _, admin in TABLE:
        name = endpoint(world, method, path)
        needed = TOKEN_SCOPES.get(name)
        if needed is not None and path.endswith(("/start", "/stop", "/give_up", "/live")):
            continue  # these act; they have their own test
        with world.visitor().open(path, method=method, headers=headers | BROWSER, environ_base=ELSEWHERE) as answer:
            if POLICIES[name] is Policy.PUBLIC or not path.startswith("/api/"):
                expected = nobody
            elif needed is None or (needed is Scope.CONTROL and scope == "read"):
                expected = 403
            else:
                expected = admin
            if answer.status_code != expected:
                wrong.append((method, path, answer.status_code, expected))

    assert wrong == []


# What it may


def test_a_token_that_may_control_sends_commands_and_changes_the_ladder(world):
    headers, program = bearer(world, world.trader, "control"), world.visitor()

    assert program.put("/api/bot/settings", json={"leverage": "7"}, headers=headers).status_code == 200
    assert program.post("/api/bot/start", headers=headers).json["status"] == "started"
    assert program.get("/api/bot/status", headers=headers).json["running"] is True
    assert program.post("/api/bot/stop", headers=headers).status_code == 200
    assert program.post("/api/bot/give_up", headers=headers).status_code == 200
    assert world.parts.users.by_id(world.trader.id).settings.leverage == 7


def test_a_token_that_may_only_read_commands_nothing(world):
    headers, program = bearer(world, world.trader, "read"), world.visitor()

    for path in ("/api/bot/start", "/api/bot/stop", "/api/bot/recover", "/api/bot/give_up", "/api/bot/preview"):
        answer = program.post(path, headers=headers)
        assert (answer.status_code, answer.json["status"]) == (403, "token_may_only_read")
    assert program.put("/api/bot/settings", json={"leverage": "7"}, headers=headers).status_code == 403
    assert program.get("/api/bot/status", headers=headers).json["running"] is False


def test_a_token_sees_only_its_own_user(world):
    world.signed_in(world.stranger).put("/api/bot/settings", json={"leverage": "3"})

    seen = world.visitor().get("/api/bot/settings", headers=bearer(world, world.trader, "read")).json

    assert seen["leverage"] == "10"


def test_a_token_never_changes_credentials_even_by_clearing_them(world, client):
    client.put("/api/bot/settings", json=KEYS)
    headers, program = bearer(world, world.trader, "control"), world.visitor()

    for body in (KEYS, {"api_key": ""}, {"api_secret": ""}, {"telegram_token": ""}, {"telegram_chat_id": "123456789"}):
        answer = program.put("/api/bot/settings", json=body | {"leverage": "7"}, headers=headers)
        assert (answer.status_code, answer.json["status"]) == (403, "token_not_taken")
        assert list(answer.json["errors"]) == list(body)

    assert world.parts.users.credentials(world.trader.id).api_key == KEYS["api_key"]
    assert world.parts.users.by_id(world.trader.id).settings.leverage == 10


def test_settings_that_were_read_can_be_sent_back_with_a_token(world, client):
    client.put("/api/bot/settings", json=KEYS)
    headers, program = bearer(world, world.trader, "control"), world.visitor()

    settings = program.get("/api/bot/settings", headers=headers).json

    assert settings["api_key"] == "***WXYZ"
    assert program.put("/api/bot/settings", json=settings, headers=headers).status_code == 200


def test_a_token_neither_goes_live_nor_touches_the_account(world):
    headers, program = bearer(world, world.trader, "control"), world.visitor()
    asked = [
        ("POST", "/api/bot/live"),
        ("POST", "/api/account/password"),
        ("POST", "/api/account/keys/test"),
        ("GET", "/api/account/tokens"),
        ("POST", "/api/account/tokens"),
        ("DELETE", "/api/account/tokens/1"),
        ("GET", "/api/account/sessions"),
        ("DELETE", "/api/account/sessions"),
        ("DELETE", "/api/account/sessions/1"),
        ("GET", "/api/account/preferences"),
        ("PUT", "/api/account/preferences"),
    ]

    answers = [program.open(path, method=method, json={}, headers=headers) for method, path in asked]

    assert {(answer.status_code, answer.json["status"]) for answer in answers} == {(403, "token_not_taken")}


def test_a_page_sends_a_token_to_the_sign_in_page_even_with_a_good_cookie(world, client):
    headers = bearer(world, world.trader, "control")

    for path in ("/", "/settings", "/account", "/history"):
        answer = client.get(path, headers=headers | BROWSER)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login")
    assert "mode-strip" not in client.get("/api/docs", headers=headers | BROWSER).get_data(as_text=True)


def test_an_administrators_token_administers_nothing(world):
    headers = bearer(world, world.admin, "control")
    program = world.visitor()

    assert program.get("/admin/simple/status", headers=headers).status_code == 401
    assert program.post("/admin/users/1/start", headers=headers).status_code == 401
    assert program.get("/metrics", headers=headers, environ_base=ELSEWHERE).status_code == 404


# Tokens that are none


@pytest.mark.parametrize(
    "sent", ["Bearer", "Bearer ", "bearer x", "BEARER blitz_", f"Bearer blitz_{'A' * 43}", "Bearer \xe9", "Bearer a, b"]
)
def test_a_wrong_token_is_a_401_and_no_cookie_saves_it(still_world, still_client, sent):
    for visitor in (still_world.visitor(), still_client):
        answer = visitor.get("/api/bot/status", headers={"Authorization": sent})

        assert (answer.status_code, answer.json["status"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("sent", ["", "Basic dHJhZGVyOng=", "Digest x", "Bearerx y"])
def test_another_scheme_leaves_the_cookie_alone(still_client, sent):
    """A proxy in front may have its own sign-in, whose header it passes on."""
    assert still_client.get("/api/bot/status", headers={"Authorization": sent}).status_code == 200


@given(
    scheme=st.sampled_from(["Bearer ", "bearer\t", "Bearer  ", "Basic ", ""]),
    value=st.text(characters(max_codepoint=255, exclude_characters="\r\n"), max_size=200),
)
def test_no_header_makes_the_server_fail(still_world, scheme, value):
    answer = still_world.visitor().get("/api/bot/status", headers={"Authorization": scheme + value})

    assert answer.status_code == 401


def test_a_token_ends_with_its_revocation_and_with_its_user(world):
    program = world.visitor()
    made, raw = world.parts.tokens.create(world.trader.id, "one", "read")
    other = bearer(world, world.trader, "read")
    headers = {"Authorization": f"Bearer {raw}"}
    assert program.get("/api/bot/status", headers=headers).status_code == 200

    world.signed_in(world.trader).delete(f"/api/account/tokens/{made.id}")
    assert program.get("/api/bot/status", headers=headers).status_code == 401
    assert program.get("/api/bot/status", headers=other).status_code == 200
    world.parts.users.set_active(world.trader.id, active=False)

    assert program.get("/api/bot/status", headers=other).status_code == 401


def test_a_stream_ends_with_its_token(world, monkeypatch):
    monkeypatch.setattr("blitz.web.stream.HEARTBEAT_SECONDS", 0.2)
    made, raw = world.parts.tokens.create(world.trader.id, "a screen", "read")
    stream = world.visitor().get("/api/bot/events", headers={"Authorization": f"Bearer {raw}"})
    frames = iter(stream.response)
    assert b"retry" in next(frames)

    world.parts.tokens.revoke(world.trader.id, made.id)

    rest = list(itertools.islice(frames, 8))
    stream.close()
    assert sum(b"event: alive" in frame for frame in rest) <= 1


def test_a_browser_on_another_site_gains_nothing_with_a_token(world):
    headers = bearer(world, world.trader, "control") | {"Origin": "https://evil.example"}

    assert world.visitor().post("/api/bot/start", headers=headers).status_code == 403


# Making and ending them


def test_a_token_is_answered_once_and_never_listed(client):
    made = client.post("/api/account/tokens", json={"name": " my  script ", "scope": "control"}).json
    listed = client.get("/api/account/tokens")

    assert made["token"].startswith("blitz_")
    row = {"name": "my script", "scope": "control", "hint": made["token"][-4:], "last_used": None}
    assert listed.json["rows"] == [made["row"]]
    assert row.items() <= made["row"].items()
    assert made["token"] not in listed.get_data(as_text=True)
    assert made["token"] not in client.get("/account").get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "scope"}),
        ({"name": "x"}, {"scope"}),
        ({"name": 5, "scope": "read"}, {"name"}),
        ({"name": None, "scope": None}, {"name", "scope"}),
        ({"name": "x", "scope": "admin"}, {"scope"}),
        ({"name": "x" * 61, "scope": "read"}, {"name"}),
        ({"name": "x", "scope": "read", "user_id": 2}, {"user_id"}),
    ],
)
def test_a_token_that_cannot_be_made_is_refused_at_its_fields(still_client, body, fields):
    answer = still_client.post("/api/account/tokens", json=body)

    assert answer.status_code == 400
    assert set(answer.json["errors"]) == fields
    assert still_client.get("/api/account/tokens").json["rows"] == []


def test_the_twenty_first_token_is_a_409(client):
    for number in range(20):
        assert client.post("/api/account/tokens", json={"name": f"{number}", "scope": "read"}).status_code == 200

    answer = client.post("/api/account/tokens", json={"name": "one more", "scope": "read"})

    assert (answer.status_code, answer.json["status"]) == (409, "too_many_tokens")


def test_somebody_elses_token_is_as_missing_as_none(world, client):
    other, _ = world.parts.tokens.create(world.stranger.id, "theirs", "read")

    answers = [client.delete(f"/api/account/tokens/{number}") for number in (other.id, 999, 2**31, 2**70)]

    assert {answer.status_code for answer in answers} == {404}
    assert all(answer.json == answers[1].json for answer in answers)
    assert len(world.parts.tokens.for_user(world.stranger.id)) == 1


def test_a_token_never_stands_in_a_log_line(client):
    raw = client.post("/api/account/tokens", json={"name": "x", "scope": "read"}).json["token"]

    assert raw not in redact(f"GET /?x={raw} {raw.encode().hex()} {json.dumps({'a': raw})}")
    assert raw.encode().hex() not in redact(raw.encode().hex())
    assert redact("from before the restart: blitz_" + "A" * 43) == "from before the restart: ***"


def test_a_token_can_choose_live_but_nothing_is_traded_by_that(world):
    headers = bearer(world, world.trader, "control")

    assert world.visitor().put("/api/bot/settings", json={"mode": "live"}, headers=headers).status_code == 200

    user = world.parts.users.by_id(world.trader.id)
    assert (user.settings.mode, user.is_armed) == (Mode.LIVE, False)


def test_the_document_says_which_route_takes_which_token(world):
    document = world.visitor().get("/api/openapi.json").json

    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    start, status = document["paths"]["/api/bot/start"]["post"], document["paths"]["/api/bot/status"]["get"]
    assert start["security"] == [{"session": []}, {"token": []}]
    assert (start["x-token-scope"], status["x-token-scope"]) == ("control", "read")
    assert document["paths"]["/api/account/tokens"]["post"]["security"] == [{"session": []}]


def test_guessing_at_tokens_is_counted_like_everything_else(world):
    guess, guesser = {"Authorization": "Bearer blitz_" + "A" * 43}, world.visitor()

    answers = [guesser.get("/api/bot/status", headers=guess).status_code for _ in range(1201)]

    assert answers == [401] * 1200 + [429]
    assert world.signed_in(world.trader).get("/api/bot/status").status_code == 200


def test_tokens_are_not_made_without_end(world, client):
    def make():
        made = client.post("/api/account/tokens", json={"name": "x", "scope": "read"})
        if made.status_code == 200:
            client.delete(f"/api/account/tokens/{made.json['row']['id']}")
        return made.status_code

    assert [make() for _ in range(61)] == [200] * 60 + [429]
