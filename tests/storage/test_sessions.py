import hashlib

import pytest
from sqlalchemy import select

from blitz.storage.sessions import AGE_MS, IDLE_MS, SEEN_EVERY_MS, SESSIONS_MAX, SessionStore
from blitz.storage.tables import sessions as table
from tests.storage.conftest import NOON_MS


@pytest.fixture
def sessions(db, clock):
    return SessionStore(db, clock)


def test_a_session_is_found_by_its_token(sessions, alice):
    raw = sessions.create(alice.id, "192.0.2.1", "Browser")

    found = sessions.lookup(raw)

    assert found is not None
    assert (found.user_id, found.created_ms, found.peer, found.agent) == (alice.id, NOON_MS, "192.0.2.1", "Browser")


def test_only_the_hash_of_a_token_is_stored(db, sessions, alice):
    raw = sessions.create(alice.id, "", "")

    with db.read() as connection:
        stored = connection.scalar(select(table.c.token_hash))

    assert stored == hashlib.sha256(raw.encode()).hexdigest()
    assert sessions.lookup(stored) is None
    assert len(raw) >= 43  # 256 bits


@pytest.mark.parametrize("raw", ["", "x", "\ud800", "é" * 5_000])
def test_a_made_up_token_finds_nothing(sessions, alice, raw):
    sessions.create(alice.id, "", "")

    assert sessions.lookup(raw) is None


def test_a_session_ends_when_it_is_idle(sessions, alice, clock):
    raw = sessions.create(alice.id, "", "")
    clock.advance(IDLE_MS - 1)
    assert sessions.lookup(raw) is not None

    clock.advance(IDLE_MS)

    assert sessions.lookup(raw) is None


def test_a_session_ends_after_seven_days_however_busy(sessions, alice, clock):
    raw = sessions.create(alice.id, "", "")
    while clock.now_ms() + IDLE_MS // 2 < NOON_MS + AGE_MS:
        clock.advance(IDLE_MS // 2)
        assert sessions.lookup(raw) is not None

    clock.set(NOON_MS + AGE_MS)

    assert sessions.lookup(raw) is None


def test_a_busy_session_writes_once_a_minute(sessions, alice, clock):
    raw = sessions.create(alice.id, "", "")
    clock.advance(SEEN_EVERY_MS - 1)
    sessions.lookup(raw)
    assert sessions.for_user(alice.id)[0].seen_ms == NOON_MS

    clock.advance(1)
    sessions.lookup(raw)

    assert sessions.for_user(alice.id)[0].seen_ms == NOON_MS + SEEN_EVERY_MS


def test_rotating_changes_the_token_and_not_the_age(sessions, alice, clock):
    old = sessions.create(alice.id, "", "")
    clock.advance(1_000)

    new = sessions.rotate(old)

    assert new is not None
    assert sessions.lookup(old) is None
    assert sessions.lookup(new).created_ms == NOON_MS
    assert sessions.rotate(old) is None


def test_signing_out_ends_one_session(sessions, alice):
    one, other = sessions.create(alice.id, "", ""), sessions.create(alice.id, "", "")

    sessions.revoke(one)

    assert sessions.lookup(one) is None
    assert sessions.lookup(other) is not None


def test_all_others_end_but_the_one_that_asks(sessions, alice, bob):
    mine, other, his = (sessions.create(user.id, "", "") for user in (alice, alice, bob))

    sessions.revoke_all(alice.id, except_raw=mine)

    assert [sessions.lookup(raw) is not None for raw in (mine, other, his)] == [True, False, True]
    sessions.revoke_all(alice.id)
    assert sessions.lookup(mine) is None


def test_nobody_ends_a_session_of_somebody_else(sessions, alice, bob):
    raw = sessions.create(alice.id, "", "")
    session_id = sessions.lookup(raw).id

    assert not sessions.revoke_id(bob.id, session_id)
    assert sessions.lookup(raw) is not None
    assert sessions.revoke_id(alice.id, session_id)
    assert sessions.lookup(raw) is None


def test_the_list_shows_the_own_live_sessions_newest_first(sessions, alice, bob, clock):
    sessions.create(alice.id, "", "old")
    clock.advance(IDLE_MS)
    sessions.create(bob.id, "", "his")
    sessions.create(alice.id, "", "first")
    clock.advance(1)
    sessions.create(alice.id, "", "second")

    assert [each.agent for each in sessions.for_user(alice.id)] == ["second", "first"]


def test_too_many_sessions_push_out_the_least_used(sessions, alice, clock):
    first = sessions.create(alice.id, "", "")
    for _ in range(SESSIONS_MAX):
        clock.advance(1)
        sessions.create(alice.id, "", "")

    assert len(sessions.for_user(alice.id)) == SESSIONS_MAX
    assert sessions.lookup(first) is None


def test_what_a_stranger_sends_is_cut_to_a_length(sessions, alice):
    sessions.create(alice.id, "p" * 10_000, "a" * 10_000)

    (found,) = sessions.for_user(alice.id)
    assert (len(found.peer), len(found.agent)) == (64, 200)
