"""Hosts, origins, form tokens and headers: what a hostile web page would try."""

import re

import pytest

from blitz.settings import Settings
from blitz.web.headers import host_is_ours
from tests.web.conftest import PASSWORD

OWN = "http://localhost"


def token_of(client):
    page = client.get("/", headers={"Accept": "text/html"}).get_data(as_text=True)
    return re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_start_a_bot(still_client, headers):
    answer = still_client.post("/api/bot/start", headers=headers)

    assert (answer.status_code, answer.json["status"]) == (403, "cross_site")
    assert still_client.get("/api/bot/status").json["running"] is False


def test_our_own_page_may_and_curl_may(client):
    assert client.post("/api/bot/start", headers={"Origin": OWN}).status_code == 200
    assert client.post("/api/bot/stop").status_code == 200


def test_a_token_that_is_sent_must_be_valid(client):
    right = client.post("/api/bot/recover?dry_run=1", headers={"Origin": OWN, "X-CSRFToken": token_of(client)})
    wrong = client.post("/api/bot/recover?dry_run=1", headers={"X-CSRFToken": "made up"})
    empty = client.post("/api/bot/recover?dry_run=1", headers={"X-CSRFToken": ""})

    assert right.status_code == 200
    assert (wrong.status_code, wrong.json["status"]) == (400, "csrf_token_invalid")
    assert empty.status_code == 400


def test_somebody_elses_token_is_worth_nothing(world, client):
    stolen = token_of(world.signed_in(world.stranger))

    assert client.post("/api/bot/start", headers={"X-CSRFToken": stolen}).status_code == 400


def test_a_form_from_a_browser_needs_its_token(world):
    visitor = world.visitor()
    form = {"email": "trader@example.org", "password": PASSWORD}
    page = visitor.get("/login", headers={"Accept": "text/html"}).get_data(as_text=True)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]

    without = visitor.post("/login", data=form, headers={"Origin": OWN})
    with_it = visitor.post("/login", data=form | {"csrf_token": token}, headers={"Origin": OWN})

    assert without.status_code == 400
    assert with_it.status_code == 200


@pytest.mark.parametrize("path", ["/force_refresh", "/single_refresh", "/clear_force_refresh", "/exit_and_stop"])
def test_an_old_route_never_acts_on_a_get(still_client, path):
    answer = still_client.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert still_client.get("/api/bot/status").json["running"] is False


@pytest.mark.parametrize(
    ("path", "successor"),
    [
        ("/force_refresh", "/api/bot/start"),
        ("/single_refresh", "/api/bot/recover"),
        ("/clear_force_refresh", "/api/bot/stop"),
        ("/exit_and_stop", "/api/bot/stop"),
    ],
)
def test_an_old_route_sends_a_post_on_and_says_it_is_old(still_client, path, successor):
    answer = still_client.post(path)

    assert (answer.status_code, answer.headers["Location"]) == (308, successor)
    assert "Deprecation" in answer.headers


def test_no_get_changes_anything(world, client):
    client.post("/api/bot/start")
    before = world.parts.users.by_id(world.trader.id)

    for rule in world.app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments and rule.endpoint not in ("bot.events", "static"):
            client.get(rule.rule).close()

    assert world.parts.users.by_id(world.trader.id) == before
    assert client.get("/api/bot/status").json["running"] is True


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9999", "127.0.0.1:8000", "[::1]:8000"])
def test_loopback_names_are_ours(still_world, host):
    assert still_world.visitor().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.1", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_a_name_somebody_points_at_this_machine_is_refused(still_world, host):
    answer = still_world.visitor().get("/healthz", headers={"Host": host})

    assert (answer.status_code, answer.json["status"]) == (421, "unknown_host")


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({"web_host": "0.0.0.0"}, "192.0.2.1:8000", 200),
        ({"web_host": "0.0.0.0"}, "[2001:db8::1]:8000", 200),
        ({"web_host": "0.0.0.0"}, "evil.example", 421),
        ({"web_host": "0.0.0.0", "allowed_hosts": ("trade.example.org",)}, "192.0.2.1", 421),
        ({"allowed_hosts": ("trade.example.org",)}, "trade.example.org", 200),
        ({"allowed_hosts": ("trade.example.org:8443",)}, "trade.example.org:8443", 200),
        ({"allowed_hosts": ("trade.example.org:8443",)}, "trade.example.org:8000", 421),
        ({"allowed_hosts": ("*.example.org",)}, "a.example.org", 200),
        ({"allowed_hosts": (".example.org",)}, "a.example.org", 200),
        ({"allowed_hosts": ("*.example.org",)}, "aexample.org", 421),
    ],
)
def test_which_hosts_are_ours_follows_the_settings(tmp_path, settings, host, status):
    assert host_is_ours(host, Settings(home=tmp_path, **settings)) is (status == 200)


def test_every_answer_carries_the_security_headers(still_client):
    for path in ("/", "/login", "/api/bot/status", "/nope", "/static/css/blitz.css"):
        with still_client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Access-Control-Allow-Origin" not in headers


def test_a_nonce_is_used_once_and_every_script_carries_it(still_client):
    first, second = still_client.get("/"), still_client.get("/")

    nonces = {re.findall(r"'nonce-([^']+)'", each.headers["Content-Security-Policy"])[0] for each in (first, second)}
    assert len(nonces) == 2
    page = first.get_data(as_text=True)
    assert all(f'nonce="{nonce}"' in page or nonce not in page for nonce in nonces)
    assert all("nonce=" in tag for tag in re.findall(r"<script[^>]*>", page))
    assert not re.search(r"\son\w+=|style=", page)


def test_what_is_private_is_not_kept_by_caches(still_client):
    assert still_client.get("/api/bot/settings").headers["Cache-Control"] == "no-store"


def test_over_https_the_cookie_is_bound_to_the_host(make_world):
    world = make_world(trusted_proxies=("127.0.0.1/32",))
    secure = {"X-Forwarded-Proto": "https"}

    answer = world.visitor().post("/login", data={"email": "trader@example.org", "password": PASSWORD}, headers=secure)

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-blitz_session=")
    assert "Secure" in cookie
    assert "Strict-Transport-Security" in answer.headers


def test_forwarding_headers_of_anybody_else_mean_nothing(world):
    form = {"email": "trader@example.org", "password": PASSWORD}

    answer = world.visitor().post("/login", data=form, headers={"X-Forwarded-Proto": "https"})

    assert answer.headers["Set-Cookie"].startswith("blitz_session=")
