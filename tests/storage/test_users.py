import json
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text, update

from blitz.core.ladder_settings import DEFAULT_SETTINGS, GridRow, MarginMode, Mode
from blitz.core.orders import Side
from blitz.errors import DatabaseProblem, SecretUnreadable, SettingsProblem
from blitz.storage import tables
from blitz.storage.addresses import EmailTaken, ReservedEmail
from blitz.storage.passwords import Passwords
from blitz.storage.sessions import SessionStore
from blitz.storage.users import UnknownUser, UserStore, WeakPassword
from tests.storage.conftest import NOON_MS, PASSWORD

API_KEY, API_SECRET = "canaryKey1234wxyz", "canarySecret" + "0" * 24
TOKEN, CHAT = "123456789:" + "A" * 35, "-1001234567890"


def test_a_new_user_has_the_defaults_and_no_secrets(alice, users):
    assert users.by_id(alice.id) == alice
    assert (alice.email, alice.role, alice.active, alice.created_ms) == ("alice@example.com", "trader", True, NOON_MS)
    assert (alice.has_keys, alice.key_hint, alice.settings) == (False, "", DEFAULT_SETTINGS)
    assert users.credentials(alice.id) is None
    assert users.telegram(alice.id) is None


def test_the_table_has_the_documented_columns():
    documented = {
        "api_key",
        "api_secret",
        "telegram_token",
        "telegram_chat_id",
        "exchange",
        "symbol",
        "side",
        "leverage",
    }
    chosen = {"margin_mode", "grids", "rounds", "take_profit", "stop_loss", "repeat", "mode"}

    assert documented | chosen <= set(tables.users.columns.keys())


@pytest.mark.parametrize(
    "spelling", ["ALICE@Example.COM", " alice@example.com ", "ａｌｉｃｅ@example.com", "alice＠example.com"]
)
def test_one_address_is_one_account_in_any_spelling(alice, users, spelling):
    assert users.by_email(spelling) == alice
    with pytest.raises(EmailTaken) as caught:
        users.create(spelling, PASSWORD)
    assert list(caught.value.errors) == ["email"]


@pytest.mark.parametrize(
    "email", ["", "alice", "alice@", "@example.com", "a b@example.com", "a@b@c.com", "x" * 300 + "@b.com"]
)
def test_what_is_no_address_is_refused(users, email):
    with pytest.raises(SettingsProblem) as caught:
        users.create(email, PASSWORD)

    assert list(caught.value.errors) == ["email"]
    assert users.count() == 0


@pytest.mark.parametrize(
    "email", ["admin@admin.com", "Admin@ADMIN.com", "ａdmin@admin.com", "admin+x@admin.com", "admin＠admin.com"]
)
def test_the_administrators_address_is_for_administrators(users, email):
    with pytest.raises(ReservedEmail):
        users.create(email, PASSWORD)


def test_an_administrator_may_have_it(users):
    assert users.create("admin@admin.com", PASSWORD, role="admin").is_admin


def test_a_weak_password_makes_no_account(users):
    with pytest.raises(WeakPassword) as caught:
        users.create("alice@example.com", "password1234")

    assert list(caught.value.errors) == ["password"]
    assert users.count() == 0


def test_the_same_address_at_the_same_moment_makes_one_account(users):
    outcomes = []

    def register():
        try:
            outcomes.append(users.create("alice@example.com", PASSWORD).id)
        except EmailTaken:
            outcomes.append("taken")

    threads = [threading.Thread(target=register) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, outcomes)) == ["1", *["taken"] * 15]


def test_the_number_of_a_user_is_never_given_again(db, users, alice):
    with db.write() as connection:
        connection.execute(text("DELETE FROM users"))

    assert users.create("bob@example.com", PASSWORD).id == alice.id + 1


def test_signing_in(users, alice):
    assert users.check_password("Alice@example.com", PASSWORD) == alice
    assert users.check_password("alice@example.com", PASSWORD + "x") is None
    assert users.check_password("nobody@example.com", PASSWORD) is None


def test_an_unknown_address_costs_a_hash_too(users, cheap_passwords, monkeypatch):
    asked = []
    monkeypatch.setattr(cheap_passwords, "check", lambda stored, _password: asked.append(stored))

    users.check_password("nobody@example.com", PASSWORD)

    assert asked == [None]


def test_signing_in_renews_an_outdated_hash(db, box, clock, users, alice):
    stronger = UserStore(
        db, box, clock, passwords=Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    )

    assert stronger.check_password(alice.email, PASSWORD) == alice

    with db.read() as connection:
        assert "m=16,t=2" in connection.scalar(select(tables.users.c.password_hash))
    assert stronger.check_password(alice.email, PASSWORD) == alice


def test_a_new_password_replaces_the_old_and_ends_every_session(db, clock, users, alice, bob):
    sessions = SessionStore(db, clock)
    hers, his = sessions.create(alice.id, "", ""), sessions.create(bob.id, "", "")

    users.set_password(alice.id, "another good long secret")

    assert users.check_password(alice.email, PASSWORD) is None
    assert users.check_password(alice.email, "another good long secret") == alice
    assert sessions.lookup(hers) is None
    assert sessions.lookup(his) is not None


def test_who_is_shut_out_cannot_sign_in_and_is_out_at_once(db, clock, users, alice):
    sessions = SessionStore(db, clock)
    raw = sessions.create(alice.id, "", "")

    users.set_active(alice.id, False)

    assert users.check_password(alice.email, PASSWORD) is None
    assert sessions.lookup(raw) is None
    assert sessions.lookup(sessions.create(alice.id, "", "")) is None  # a sign-in that was under way just then
    users.set_active(alice.id, True)
    assert users.check_password(alice.email, PASSWORD) == alice


def test_the_administrators_role_is_given_by_name(users, alice, bob):
    users.make_admin(alice.id)

    assert [(user.email, user.role) for user in users.all()] == [(alice.email, "admin"), (bob.email, "trader")]


def test_settings_come_back_equal_and_belong_to_one_user(users, alice, bob):
    chosen = replace(
        DEFAULT_SETTINGS,
        symbol="1000PEPE/USDT:USDT",
        side=Side.SHORT,
        leverage=Decimal("12.5"),
        margin_mode=MarginMode.ISOLATED,
        grids=(
            GridRow(amount=Decimal("33.333333333333333"), gap=Decimal(0)),
            GridRow(amount=Decimal(7), gap=Decimal("0.1")),
        ),
        rounds=5,
        stop_loss=Decimal("40.5"),
        repeat=False,
        mode=Mode.LIVE,
    )

    users.save_settings(alice.id, chosen)

    assert users.by_id(alice.id).settings == chosen
    assert users.by_id(bob.id).settings == DEFAULT_SETTINGS


def test_grids_are_stored_as_text_that_any_program_reads(db, users, alice):
    with db.read() as connection:
        grids, leverage = connection.execute(text("SELECT grids, leverage FROM users")).one()

    assert json.loads(grids)[1] == {"amount": "100", "gap": "1"}
    assert leverage == "10"


def test_damaged_settings_are_told_not_guessed(db, users, alice):
    with db.write() as connection:
        connection.execute(update(tables.users).values(grids="[{"))

    with pytest.raises(DatabaseProblem, match="settings of user 1"):
        users.by_id(alice.id)


def test_keys_come_back_to_their_owner_only(users, alice, bob):
    users.save_credentials(alice.id, f" {API_KEY}\n", API_SECRET)

    stored = users.credentials(alice.id)

    assert stored is not None
    assert (stored.api_key, stored.api_secret) == (API_KEY, API_SECRET)
    assert users.credentials(bob.id) is None
    assert (users.by_id(alice.id).has_keys, users.by_id(alice.id).key_hint) == (True, "***wxyz")


def test_keys_are_never_printed(users, alice):
    users.save_credentials(alice.id, API_KEY, API_SECRET)
    users.save_telegram(alice.id, TOKEN, CHAT)

    printed = f"{users.credentials(alice.id)!r} {users.telegram(alice.id)} {users.by_id(alice.id)!r}"

    assert not any(secret in printed for secret in (API_KEY, API_SECRET, TOKEN, CHAT))


def test_none_leaves_a_key_and_an_empty_string_clears_it(users, alice):
    users.save_credentials(alice.id, API_KEY, API_SECRET)

    users.save_credentials(alice.id, None, "newSecret")
    assert users.credentials(alice.id).api_secret == "newSecret"
    users.save_credentials(alice.id, "", None)

    assert users.credentials(alice.id) is None
    assert (users.by_id(alice.id).has_keys, users.by_id(alice.id).key_hint) == (False, "")


def test_a_short_key_gives_no_hint_of_itself(users, alice):
    users.save_credentials(alice.id, "abcd1234", API_SECRET)

    assert users.by_id(alice.id).key_hint == "***"


@pytest.mark.parametrize("value", ["two words", "x" * 201, "schlüssel", "line\nbreak"])
def test_what_no_exchange_gives_out_is_refused_without_repeating_it(users, alice, value):
    with pytest.raises(SettingsProblem) as caught:
        users.save_credentials(alice.id, API_KEY, value)

    assert list(caught.value.errors) == ["api_secret"]
    assert value not in str(caught.value)
    assert not users.by_id(alice.id).has_keys


def test_telegram_is_stored_and_cleared(users, alice):
    users.save_telegram(alice.id, TOKEN, CHAT)
    assert (users.telegram(alice.id).token, users.telegram(alice.id).chat_id) == (TOKEN, CHAT)

    users.save_telegram(alice.id, "", None)
    assert users.telegram(alice.id) is None


def test_what_is_no_telegram_bot_is_refused(users, alice):
    with pytest.raises(SettingsProblem) as caught:
        users.save_telegram(alice.id, "https://evil.example/", "../../etc")

    assert list(caught.value.errors) == ["telegram_token", "telegram_chat_id"]


@pytest.mark.parametrize("column", ["api_key", "api_secret"])
def test_a_secret_moved_to_another_user_does_not_open(db, users, alice, bob, column):
    users.save_credentials(alice.id, API_KEY, API_SECRET)
    users.save_credentials(bob.id, "bobsKey123456", "bobsSecret")
    hers = select(tables.users.c[column]).where(tables.users.c.id == alice.id).scalar_subquery()

    with db.write() as connection:
        connection.execute(update(tables.users).where(tables.users.c.id == bob.id).values({column: hers}))

    with pytest.raises(SecretUnreadable, match=f"{column} of user {bob.id}"):
        users.credentials(bob.id)
    assert users.credentials(alice.id) is not None


def test_a_secret_moved_to_another_column_does_not_open(db, users, alice):
    users.save_credentials(alice.id, API_KEY, API_SECRET)

    with db.write() as connection:
        connection.execute(text("UPDATE users SET api_key = api_secret, api_secret = api_key"))

    with pytest.raises(SecretUnreadable):
        users.credentials(alice.id)


def test_paper_keys_are_made_once_per_user_even_by_many_threads(users, alice, bob):
    made = []
    threads = [threading.Thread(target=lambda: made.append(users.paper_credentials(alice.id))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 16
    assert len({(each.api_key, each.api_secret) for each in made}) == 1
    assert users.paper_credentials(bob.id) != made[0]
    assert not users.by_id(alice.id).has_keys


@pytest.mark.parametrize(
    "change",
    [
        lambda users: users.save_settings(404, DEFAULT_SETTINGS),
        lambda users: users.save_credentials(404, API_KEY, API_SECRET),
        lambda users: users.set_password(404, "another good long secret"),
        lambda users: users.make_admin(404),
        lambda users: users.set_active(404, False),
        lambda users: users.paper_credentials(404),
    ],
)
def test_a_user_who_is_not_there_is_told(users, change):
    with pytest.raises(UnknownUser):
        change(users)
