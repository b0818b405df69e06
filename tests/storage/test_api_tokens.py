"""API tokens at rest: only their hash is stored, each belongs to one user, and one that ended signs nobody in."""

import hashlib
import re

import pytest
from sqlalchemy import select

from blitz.errors import SettingsProblem
from blitz.storage.api_tokens import NAME_LENGTH_MAX, TOKENS_MAX, USED_EVERY_MS, ApiTokenStore, Scope, TooManyTokens
from blitz.storage.tables import api_tokens as table
from tests.storage.conftest import NOON_MS, PASSWORD


@pytest.fixture
def told():
    """Every raw token that logs were told to hide."""
    return []


@pytest.fixture
def tokens(db, clock, told):
    return ApiTokenStore(db, clock, on_new=told.append)


def test_a_token_is_found_by_its_raw_form(tokens, alice):
    made, raw = tokens.create(alice.id, "dashboard", "read")

    found = tokens.lookup(raw)

    assert found == made
    assert (found.user_id, found.name, found.scope, found.created_ms) == (alice.id, "dashboard", Scope.READ, NOON_MS)
    assert re.fullmatch(r"blitz_[A-Za-z0-9_-]{43}", raw)  # 256 bits
    assert found.hint == raw[-4:]


def test_only_the_hash_is_stored_and_logs_are_told_of_the_token(db, tokens, alice, told):
    _, raw = tokens.create(alice.id, "dashboard", "read")

    with db.read() as connection:
        row = connection.execute(select(table)).mappings().one()

    assert row["token_hash"] == hashlib.sha256(raw.encode()).hexdigest()
    assert all(raw not in str(value) for value in row.values())
    assert tokens.lookup(row["token_hash"]) is None
    assert told == [raw]


@pytest.mark.parametrize("raw", ["", "x", "\ud800", "é" * 5_000, "blitz_", "blitz_" + "A" * 43, "blitz_" + "A" * 44])
def test_a_made_up_token_finds_nothing(tokens, alice, raw):
    tokens.create(alice.id, "dashboard", "read")

    assert tokens.lookup(raw) is None


def test_a_token_of_somebody_who_is_shut_out_is_dead_while_he_is(tokens, users, alice):
    _, raw = tokens.create(alice.id, "dashboard", "read")

    users.set_active(alice.id, active=False)

    assert tokens.lookup(raw) is None


def test_its_last_use_is_noted_once_a_minute(tokens, alice, clock):
    _, raw = tokens.create(alice.id, "dashboard", "read")
    assert tokens.for_user(alice.id)[0].used_ms is None

    tokens.lookup(raw)
    clock.advance(USED_EVERY_MS - 1)
    tokens.lookup(raw)
    first = tokens.for_user(alice.id)[0].used_ms
    clock.advance(1)
    tokens.lookup(raw)

    assert first == NOON_MS
    assert tokens.for_user(alice.id)[0].used_ms == NOON_MS + USED_EVERY_MS


def test_a_revoked_token_is_dead_and_nobody_revokes_anothers(tokens, alice, bob):
    made, raw = tokens.create(alice.id, "dashboard", "read")

    assert tokens.revoke(bob.id, made.id) is False
    assert tokens.lookup(raw) is not None
    assert tokens.revoke(alice.id, made.id) is True
    assert tokens.revoke(alice.id, made.id) is False
    assert tokens.lookup(raw) is None


def test_each_sees_only_his_own_the_newest_first(tokens, alice, bob):
    tokens.create(alice.id, "first", "read")
    tokens.create(bob.id, "other", "read")
    tokens.create(alice.id, "second", "control")

    assert [each.name for each in tokens.for_user(alice.id)] == ["second", "first"]


def test_there_is_an_end_to_how_many_there_may_be(tokens, alice, bob):
    made = [tokens.create(alice.id, f"token {number}", "read")[0] for number in range(TOKENS_MAX)]

    with pytest.raises(TooManyTokens):
        tokens.create(alice.id, "one more", "read")

    tokens.create(bob.id, "of somebody else", "read")
    tokens.revoke(alice.id, made[0].id)
    tokens.create(alice.id, "in its place", "read")


@pytest.mark.parametrize(
    ("name", "scope", "field"),
    [
        ("", "read", "name"),
        (" \t\n", "read", "name"),
        ("x" * (NAME_LENGTH_MAX + 1), "read", "name"),
        ("a\x07b", "read", "name"),
        ("a\u202eb", "read", "name"),
        ("dashboard", "", "scope"),
        ("dashboard", "admin", "scope"),
        ("dashboard", "READ", "scope"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(tokens, alice, name, scope, field):
    with pytest.raises(SettingsProblem) as refused:
        tokens.create(alice.id, name, scope)

    assert list(refused.value.errors) == [field]
    assert tokens.for_user(alice.id) == []


def test_a_password_that_is_set_from_outside_ends_the_tokens_and_one_that_is_changed_does_not(tokens, users, alice):
    _, raw = tokens.create(alice.id, "dashboard", "read")

    users.change_password(alice.id, f"{PASSWORD} changed", keep_session=0)
    assert tokens.lookup(raw) is not None
    users.set_password(alice.id, f"{PASSWORD} set")

    assert tokens.lookup(raw) is None
