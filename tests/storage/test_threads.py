"""Many writers at once: nothing is lost and nobody is told that the database is locked."""

import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from blitz.core.orders import leg
from blitz.core.records import BotEvent, EventKind, EventNoted, Slot, SlotSaved, SlotState
from blitz.storage.journal import BotJournal
from blitz.storage.tables import bots, events, order_slots

ROOT = Path(__file__).parents[2]
THREADS = 24
SAVES = 25


def together(threads, work):
    """Run `work(number)` in so many threads at once and return what went wrong."""
    failures: list[Exception] = []
    gate = threading.Barrier(threads)

    def run(number):
        gate.wait()
        try:
            work(number)
        except Exception as failure:  # noqa: BLE001 - whatever went wrong, the test shows it
            failures.append(failure)

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return failures


@pytest.mark.parametrize("durable", [False, True])
def test_every_save_of_every_bot_is_there(db, users, durable):
    people = [users.create(f"user{number}@example.com", "correct horse battery staple") for number in range(THREADS)]
    journals = [BotJournal(db, person.id, "bybit:paper") for person in people]

    def trade(number):
        for count in range(SAVES):
            slot = Slot(key=leg(number), symbol="BTC/USDT:USDT", state=SlotState.LIVE, quantity=Decimal(count))
            noted = EventNoted(event=BotEvent(kind=EventKind.ORDER_PLACED, at_ms=count))
            journals[number].save([SlotSaved(slot=slot), noted], durable=durable)
            assert journals[number].load().slots == (slot,)

    assert together(THREADS, trade) == []
    with db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(events)) == THREADS * SAVES
        assert set(connection.scalars(select(order_slots.c.quantity))) == {Decimal(SAVES - 1)}


def test_reading_and_then_writing_loses_no_update(db, alice):
    """The classic loss: two read 5, both write 6. BEGIN IMMEDIATE makes the second read wait."""
    with db.write() as connection:
        connection.execute(text("INSERT INTO bots VALUES (1, 'stopped', '', '', 0)"))

    def count_up(number):
        for _ in range(SAVES):
            with db.write() if number % 2 else db.write_durable() as connection:
                value = connection.scalar(select(bots.c.changed_ms))
                connection.execute(update(bots).values(changed_ms=value + 1))

    assert together(THREADS, count_up) == []
    with db.read() as connection:
        assert connection.scalar(select(bots.c.changed_ms)) == THREADS * SAVES


OTHER_PROCESS = """
import sys
from sqlalchemy import select, update
from blitz.storage.database import Database
from blitz.storage.tables import bots

database = Database.open(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with database.write() as connection:
        value = connection.scalar(select(bots.c.changed_ms))
        connection.execute(update(bots).values(changed_ms=value + 1))
"""


def test_the_command_line_may_write_beside_the_server(db, path, alice):
    with db.write() as connection:
        connection.execute(text("INSERT INTO bots VALUES (1, 'stopped', '', '', 0)"))
    command = [sys.executable, "-c", OTHER_PROCESS, str(path), "100"]

    others = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    for _ in range(100):
        with db.write() as connection:
            value = connection.scalar(select(bots.c.changed_ms))
            connection.execute(update(bots).values(changed_ms=value + 1))

    assert [other.wait(60) for other in others] == [0, 0]
    with db.read() as connection:
        assert connection.scalar(select(bots.c.changed_ms)) == 300
