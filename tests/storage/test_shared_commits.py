"""Saves that come at the same moment share a commit. The first one writes alone; the rest gather behind it."""

import threading
import time

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from blitz.core.orders import leg
from blitz.core.records import BotEvent, EventKind, EventNoted, Slot, SlotSaved
from blitz.errors import DatabaseProblem
from blitz.storage.journal import BotJournal

BEHIND = 10


@pytest.fixture
def people(users):
    return [users.create(f"user{number}@example.com", "correct horse battery staple") for number in range(BEHIND + 1)]


@pytest.fixture
def commits(db):
    seen: list[str] = []
    event.listen(db._engines.write, "commit", lambda _connection: seen.append("write"))
    event.listen(db._engines.durable, "commit", lambda _connection: seen.append("durable"))
    return seen


def save_all_at_once(db, saves):
    """Run `saves` so that all but the first gather behind it; return what each one raised, or None."""
    outcomes: list[Exception | None] = [None] * len(saves)

    def run(number):
        try:
            saves[number]()
        except (DatabaseProblem, IntegrityError) as failure:
            outcomes[number] = failure

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(saves))]
    with db.write():
        threads[0].start()
        wait_until(lambda: db._shared._somebody_writes and not db._shared._waiting)
        for count, thread in enumerate(threads[1:], start=1):
            thread.start()
            wait_until(lambda count=count: len(db._shared._waiting) == count)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return outcomes


def wait_until(true):
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.001)


def saver(db, user_id, *, durable=False, text_length=1):
    slot = Slot(key=leg(1), symbol="BTC/USDT:USDT")
    noted = BotEvent(kind=EventKind.STARTED, at_ms=1, data={"text": "x" * text_length})
    journal = BotJournal(db, user_id, "bybit:paper")
    return lambda: journal.save([SlotSaved(slot=slot), EventNoted(event=noted)], durable=durable)


def saved(db):
    with db.read() as connection:
        slots = set(connection.scalars(text("SELECT user_id FROM order_slots")))
        noted = set(connection.scalars(text("SELECT user_id FROM events")))
    assert slots == noted
    return slots


def test_those_who_gathered_share_one_commit(db, people, commits):
    outcomes = save_all_at_once(db, [saver(db, person.id) for person in people])

    assert outcomes == [None] * len(people)
    assert saved(db) == {person.id for person in people}
    assert commits == ["write"] * 3  # the block that held them back, the first, all the others


def test_one_intent_makes_the_shared_commit_durable(db, people, commits):
    save_all_at_once(db, [saver(db, person.id, durable=person is people[-1]) for person in people])

    assert commits == ["write", "write", "durable"]


def test_a_wrong_row_fails_its_own_save_only(db, people):
    saves = [saver(db, person.id) for person in people]
    saves[5] = saver(db, 404)

    outcomes = save_all_at_once(db, saves)

    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], IntegrityError)
    assert saved(db) == {person.id for person in people} - {people[5].id}


def test_a_disk_that_is_full_fails_all_who_share_and_stores_nothing_of_them(db, people):
    with db.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")
    saves = [saver(db, person.id) for person in people]
    saves[5] = saver(db, people[5].id, text_length=200_000)

    outcomes = save_all_at_once(db, saves)

    assert [type(outcome) for outcome in outcomes] == [type(None), *[DatabaseProblem] * BEHIND]
    assert saved(db) == {people[0].id}


def test_after_a_failure_saving_goes_on(db, people):
    test_a_disk_that_is_full_fails_all_who_share_and_stores_nothing_of_them(db, people)
    with db.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    outcomes = save_all_at_once(db, [saver(db, person.id) for person in people])

    assert outcomes == [None] * len(people)
    assert saved(db) == {person.id for person in people}


def test_more_than_fit_into_one_commit_take_several(db, people, commits, monkeypatch):
    monkeypatch.setattr("blitz.storage.shared_commits.SHARED_MAX", 4)

    save_all_at_once(db, [saver(db, person.id) for person in people])

    assert commits == ["write"] * 5  # held back, first, 4 + 4 + 2
    assert saved(db) == {person.id for person in people}
