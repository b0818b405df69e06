"""A bot whose journal cannot be read when it begins waits for the database and goes on; it does not end (E1, E2)."""

import sqlite3
from typing import Any

import pytest

from blitz.storage.database import Database
from tests.bots.stage import until

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


class Disk:
    """Fails reads while it is told to. A driver connection of its own kind hands that to the real database."""

    def __init__(self) -> None:
        self.fails = False
        disk = self

        class Cursor(sqlite3.Cursor):
            def execute(self, sql: str, *parameters: Any) -> Any:
                if disk.fails and sql.startswith("SELECT"):
                    raise sqlite3.OperationalError("disk I/O error")
                return super().execute(sql, *parameters)

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

        self.connection_factory = Connection


@pytest.fixture
def disk(stage):
    """The disk under the journals of a new manager; everything else reads the same file as ever."""
    made = Disk()
    database = Database.open(stage.folder / "users.db", connection_factory=made.connection_factory)
    stage.manager.shut_down()
    stage.manager = stage.new_manager(database=database)
    yield made
    stage.manager.shut_down()
    database.close()


def test_a_start_waits_for_a_journal_that_cannot_be_read(disk, alice):
    disk.fails = True
    alice.start()
    until(lambda: "Waiting for the database" in alice.said(), "the bot to say what it waits for")
    assert alice.account()["counts"]["open_orders"] == "0"
    disk.fails = False
    alice.wait_for_names(*NAMES)


def test_a_bot_that_resumes_beside_its_orders_waits_and_leaves_them_alone(disk, stage, alice):
    alice.start()
    before = alice.wait_for_names(*NAMES)
    stage.manager.shut_down()
    stage.manager = stage.new_manager(database=stage.manager._parts.database)
    disk.fails = True
    stage.manager.resume_all()
    until(lambda: "Waiting for the database" in alice.said(), "the bot to say what it waits for")
    assert alice.ladder() == before
    disk.fails = False
    alice.wait_for_status("running")
    until(lambda: alice.status()["protected"]["yes"], "a look")
    assert alice.ladder() == before
