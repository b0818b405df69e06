import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blitz.errors import DatabaseProblem
from blitz.storage.database import Database

DOCUMENTED = {
    "journal_mode": "wal",
    "busy_timeout": 30_000,
    "temp_store": 2,  # MEMORY
    "cache_size": -20_000,
    "foreign_keys": 1,
}
NORMAL, FULL = 1, 2


def pragmas(connection):
    names = [*DOCUMENTED, "synchronous"]
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


@pytest.mark.parametrize(("kind", "synchronous"), [("read", NORMAL), ("write", NORMAL), ("write_durable", FULL)])
def test_every_connection_has_the_documented_pragmas(db, kind, synchronous):
    with getattr(db, kind)() as connection:
        assert pragmas(connection) == DOCUMENTED | {"synchronous": synchronous}


def test_readers_beyond_the_first_have_the_pragmas_too(db):
    with db.read() as first, db.read() as second, db.read() as third:
        assert pragmas(first) == pragmas(second) == pragmas(third) == DOCUMENTED | {"synchronous": NORMAL}


def test_the_pragmas_outlive_a_migration(db):
    db.migrate()

    with db.write_durable() as connection:
        assert pragmas(connection) == DOCUMENTED | {"synchronous": FULL}


def test_a_reader_cannot_write(db):
    with pytest.raises(DatabaseProblem, match="readonly"), db.read() as connection:
        connection.execute(text("DELETE FROM users"))


@pytest.mark.parametrize("kind", ["write", "write_durable"])
def test_a_writer_holds_the_write_lock_from_its_first_moment(db, path, kind):
    locked = pytest.raises(sqlite3.OperationalError, match="locked")
    with getattr(db, kind)(), closing(sqlite3.connect(path, timeout=0)) as stranger, locked:
        stranger.execute("BEGIN IMMEDIATE")


def test_a_reader_sees_one_state_while_others_write(db, alice):
    with db.read() as reader:
        before = reader.scalar(text("SELECT count(*) FROM users"))
        with db.write() as writer:
            writer.execute(text("UPDATE users SET email = 'else@example.com'"))
        assert reader.scalar(text("SELECT email FROM users")) == "alice@example.com"

    assert before == 1


def test_what_raises_is_rolled_back(db, alice):
    def change_and_fail():
        with db.write() as connection:
            connection.execute(text("UPDATE users SET email = 'else@example.com'"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    with db.read() as connection:
        assert connection.scalar(text("SELECT email FROM users")) == "alice@example.com"


def test_a_row_without_its_owner_is_refused(db):
    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(text("INSERT INTO bots VALUES (404, 'running', '', '', 0)"))


def test_the_error_of_a_statement_does_not_repeat_its_values(db):
    with pytest.raises(IntegrityError) as caught, db.write() as connection:
        connection.execute(text("INSERT INTO bots VALUES (404, :desired, '', '', 0)"), {"desired": "canary-value"})

    assert "canary-value" not in str(caught.value)


def test_a_writer_that_starts_a_second_transaction_is_a_fault_not_a_deadlock(db):
    with db.write(), pytest.raises(AssertionError, match="second transaction"), db.write_durable():
        pass


def test_a_writer_that_waits_too_long_is_told(db, monkeypatch):
    monkeypatch.setattr("blitz.storage.database.BUSY_SECONDS", 0.05)
    told = []

    def write():
        try:
            with db.write():
                pass
        except DatabaseProblem as problem:
            told.append(str(problem))

    with db.write():
        waiter = threading.Thread(target=write)
        waiter.start()
        waiter.join()

    assert told == ["The database was busy for 0.05 seconds; nothing was written."]


def test_few_connections_do_for_many_users(db):
    """The page cache may take 20 MB per connection: their number must not grow with the threads."""
    with db.write():
        pass
    threads = [threading.Thread(target=read_once, args=(db,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    open_files = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert sum(file == db.path for file in open_files) <= 6


def read_once(db):
    with db.read() as connection:
        connection.scalar(text("SELECT count(*) FROM users"))


def test_the_file_and_its_log_are_private(db, path, alice):
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"users.db": 0o600, "users.db-wal": 0o600, "users.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_was_there_keeps_its_rights(tmp_path):
    tmp_path.chmod(0o755)

    Database.open(tmp_path / "users.db").close()

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_open_to_others_is_closed_to_them(path, db):
    db.close()
    path.chmod(0o644)

    Database.open(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_path_is_absolute_and_the_address_as_documented(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    database = Database.open("instance/users.db")

    assert database.path == tmp_path / "instance" / "users.db"
    assert database.url == f"sqlite:///{tmp_path}/instance/users.db"
    database.close()


def test_a_url_opens_the_same_file(db, path, alice):
    again = Database.open(f"sqlite:///{path}", create=False)

    with again.read() as connection:
        assert connection.scalar(text("SELECT email FROM users")) == "alice@example.com"
    again.close()


def test_a_password_in_the_address_is_not_shown():
    with pytest.raises(DatabaseProblem) as caught:
        Database.open("mysql+nodriver://blitz:canary-password@localhost/blitz")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "nonsense://", "://", ":memory:"])
def test_an_address_that_is_no_file_is_refused(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DatabaseProblem):
        Database.open(address)

    assert list(tmp_path.iterdir()) == []


def test_without_create_a_missing_file_is_not_made(path):
    with pytest.raises(DatabaseProblem, match="no database"):
        Database.open(path, create=False)

    assert not path.parent.exists()


def test_a_sound_database_has_no_problems(db):
    assert db.check() == []


def test_the_doctor_names_orphans_and_open_rights(db, path, alice):
    with closing(sqlite3.connect(path)) as stranger:
        stranger.execute("INSERT INTO bots VALUES (404, 'running', '', '', 0)")
        stranger.commit()
    path.chmod(0o640)

    problems = db.check()

    assert len(problems) == 2
    assert "1 rows belong" in problems[0]
    assert "chmod 600" in problems[1]
