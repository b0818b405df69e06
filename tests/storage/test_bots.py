import pytest

from blitz.storage.bots import BotStore
from tests.storage.conftest import NOON_MS


@pytest.fixture
def bots(db, clock):
    return BotStore(db, clock)


def test_a_bot_nobody_started_should_rest(bots, alice):
    assert bots.desired(alice.id) == "stopped"
    assert bots.record(alice.id).status == "not_running"
    assert bots.should_run() == []


@pytest.mark.parametrize(("desired", "runs"), [("running", True), ("after_cycle", True), ("stopped", False)])
def test_what_is_wanted_is_remembered(bots, alice, bob, desired, runs):
    bots.set_desired(alice.id, "running")
    bots.set_desired(alice.id, desired)

    assert bots.desired(alice.id) == desired
    assert bots.should_run() == ([alice.id] if runs else [])
    assert bots.desired(bob.id) == "stopped"


def test_a_status_does_not_change_what_is_wanted(bots, alice, clock):
    bots.set_desired(alice.id, "running")
    clock.advance(5)

    bots.record_status(alice.id, "needs_attention", "The key was revoked.")

    record = bots.record(alice.id)
    assert (record.desired, record.status, record.message) == ("running", "needs_attention", "The key was revoked.")
    assert record.changed_ms == NOON_MS + 5


def test_a_user_who_is_shut_out_does_not_run(bots, users, alice):
    bots.set_desired(alice.id, "running")
    users.set_active(alice.id, False)

    assert bots.should_run() == []
