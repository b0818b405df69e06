"""Signing in and out, accounts, and the first administrator."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.conftest import PASSWORD

BROWSER = {"Accept": "text/html", "Origin": "http://localhost"}


def test_signing_in_by_curl_sets_a_cookie_that_holds_only_a_random_id(world):
    client = world.visitor()

    answer = client.post("/login", data={"email": "trader@example.org", "password": PASSWORD})

    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("blitz_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert len(cookie.partition("=")[2].partition(";")[0]) == 43
    assert client.get("/api/bot/status").status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"email": "trader@example.org", "password": "wrong wrong wrong"},
        {"email": "nobody@example.org", "password": PASSWORD},
        {"email": "trader@example.org"},
        {"password": PASSWORD},
        {},
        {"email": "x" * 5000, "password": "y" * 5000},
        {"email": "\x00", "password": "\x00"},
    ],
)
def test_a_wrong_sign_in_is_a_401_that_does_not_say_what_was_wrong(world, form):
    answer = world.visitor().post("/login", data=form)

    assert answer.status_code == 401
    assert answer.json["message"] == "The e-mail address or the password is wrong."
    assert "Set-Cookie" not in answer.headers


def test_five_failures_in_a_minute_make_everybody_wait_even_the_one_with_the_password(world):
    client = world.visitor()
    for _ in range(5):
        client.post("/login", data={"email": "trader@example.org", "password": "wrong wrong wrong"})

    refused = client.post("/login", data={"email": "trader@example.org", "password": PASSWORD})
    world.clock.advance(61_000)
    later = client.post("/login", data={"email": "trader@example.org", "password": PASSWORD})

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert later.status_code == 200


def test_traders_with_the_right_passwords_are_all_let_in_at_the_same_moment(world):
    emails = [f"trader{number}@example.org" for number in range(64)]
    for email in emails:
        world.parts.users.create(email, PASSWORD)

    with ThreadPoolExecutor(64) as pool:
        sign_in = lambda email: world.visitor().post("/login", data={"email": email, "password": PASSWORD})  # noqa: E731
        codes = [answer.status_code for answer in pool.map(sign_in, emails)]

    assert codes == [200] * 64


def test_wrong_passwords_for_one_account_do_not_lock_others_on_that_address(world):
    client = world.visitor()
    wrong = [
        client.post("/login", data={"email": "trader@example.org", "password": "wrong wrong wrong"}).status_code
        for _ in range(20)
    ]

    other = client.post("/login", data={"email": "stranger@example.org", "password": PASSWORD})

    assert wrong == [401] * 5 + [429] * 15
    assert other.status_code == 200


def test_an_address_that_guesses_at_many_accounts_is_held_back(world):
    client = world.visitor()
    for number in range(60):
        client.post("/login", data={"email": f"nobody{number}@example.org", "password": PASSWORD})

    refused = client.post("/login", data={"email": "trader@example.org", "password": PASSWORD})

    assert refused.status_code == 429


def test_a_session_gets_a_new_id_at_sign_in_and_the_old_one_ends(world):
    client = world.signed_in(world.trader)
    old = client.get_cookie("blitz_session").value

    client.post("/login", data={"email": "trader@example.org", "password": PASSWORD})

    assert client.get_cookie("blitz_session").value != old
    thief = world.visitor()
    thief.set_cookie("blitz_session", old, domain="localhost")
    assert thief.get("/api/bot/status").status_code == 401


def test_signing_out_ends_the_session_on_the_server(world):
    client = world.signed_in(world.trader)
    cookie = client.get_cookie("blitz_session").value

    assert client.post("/logout").status_code == 200

    thief = world.visitor()
    thief.set_cookie("blitz_session", cookie, domain="localhost")
    assert thief.get("/api/bot/status").status_code == 401


def test_a_get_signs_nobody_out(client):
    client.get("/logout")

    assert client.get("/api/bot/status").status_code == 200


def test_a_session_ends_after_twelve_idle_hours(world):
    client = world.signed_in(world.trader)

    world.clock.advance(12 * 60 * 60 * 1000 + 1)

    assert client.get("/api/bot/status").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "é", "a" * 5000, "'; DROP TABLE users; --"])
def test_a_cookie_that_means_nothing_is_nobody(still_world, cookie):
    answer = still_world.visitor().get("/api/bot/status", headers={"Cookie": f"blitz_session={cookie}"})

    assert answer.status_code == 401


def test_a_page_sends_strangers_to_the_sign_in_page_and_back(still_world):
    client = still_world.visitor()

    sent = client.get("/settings", headers=BROWSER)
    page = client.get(sent.headers["Location"], headers=BROWSER).get_data(as_text=True)

    assert sent.headers["Location"] == "/login?next=/settings"
    assert 'name="next" value="/settings"' in page


@pytest.mark.parametrize("path", ["/", "/settings", "/admin/console"])
def test_curl_is_sent_to_the_sign_in_page_too(still_world, path):
    answer = still_world.visitor().get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\tx"]
)
def test_the_way_back_never_leads_to_another_site(still_world, target):
    client = still_world.signed_in(still_world.trader)

    answer = client.get("/login", query_string={"next": target}, headers=BROWSER)

    assert answer.headers["Location"] == "/"


def test_registration_is_closed_unless_opened(world, make_world):
    form = {"email": "new@example.org", "password": PASSWORD}

    closed = world.visitor().post("/register", data=form)
    open_world = make_world(registration="open")
    opened = open_world.visitor().post("/register", data=form)

    assert (closed.status_code, closed.json["status"]) == (403, "registration_closed")
    assert opened.status_code == 200
    created = open_world.parts.users.by_email("new@example.org")
    assert created is not None
    assert created.role == "trader"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"email": "admin@admin.com", "password": PASSWORD}, "email"),
        ({"email": "ADMIN@admin.com", "password": PASSWORD}, "email"),
        ({"email": "trader@example.org", "password": PASSWORD}, "email"),
        ({"email": "no address", "password": PASSWORD}, "email"),
        ({"email": "new@example.org", "password": "short"}, "password"),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_at_its_field(make_world, form, field):
    answer = make_world(registration="open").visitor().post("/register", data=form | {"role": "admin"})

    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]


@pytest.fixture
def fresh(make_world):
    """A server that has no administrator yet."""
    world = make_world()
    with world.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE users SET role = 'trader', email = 'once@example.org' WHERE role = 'admin'")
    return world


def test_the_setup_link_makes_one_administrator_and_works_once(fresh):
    token = fresh.parts.setup.issue()
    form = {"token": token, "email": "admin@admin.com", "password": PASSWORD}
    client = fresh.visitor()

    page = client.get(f"/setup?token={token}", headers=BROWSER)
    made = client.post("/setup", data=form)
    again = fresh.visitor().post("/setup", data=form | {"email": "second@example.org"})

    assert page.status_code == 200
    assert made.status_code == 200
    assert client.get("/admin/simple/status").status_code == 200
    assert again.status_code == 403


def test_a_typing_error_does_not_use_the_setup_link_up(fresh):
    token = fresh.parts.setup.issue()
    form = {"token": token, "email": "admin@admin.com", "password": "short"}

    refused = fresh.visitor().post("/setup", data=form)
    made = fresh.visitor().post("/setup", data=form | {"password": PASSWORD})

    assert (refused.status_code, made.status_code) == (400, 200)


def test_a_setup_link_is_worth_nothing_once_there_is_an_administrator(world):
    token = world.parts.setup.issue()

    assert world.visitor().get(f"/setup?token={token}").status_code == 403


def test_the_sign_in_page_of_a_fresh_server_says_where_to_begin(fresh):
    assert "setup link" in fresh.visitor().get("/login", headers=BROWSER).get_data(as_text=True)
