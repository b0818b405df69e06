import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from blitz.clock import ManualClock
from blitz.errors import DatabaseProblem
from blitz.storage import migrations
from blitz.storage.database import Database
from blitz.storage.journal import BotJournal
from blitz.storage.secrets import SecretBox
from blitz.storage.tables import cycles, fills, metadata
from blitz.storage.upserts import insert_once, insert_or_replace
from blitz.storage.users import UserStore

ROOT = Path(__file__).parents[2]


def test_the_migrations_build_exactly_the_tables(db):
    with db.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_the_list_of_versions_is_what_alembic_finds():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)

    found = [revision.revision for revision in script.walk_revisions()]

    assert tuple(reversed(found)) == migrations.VERSIONS


def test_migrating_twice_changes_nothing(db, alice):
    db.migrate()

    with db.read() as connection:
        assert connection.scalar(text("SELECT email FROM users")) == "alice@example.com"
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == migrations.VERSIONS[-1]


class Cut(Exception):
    """The moment at which a migration is interrupted."""


def migrate_until(database, statement_count):
    """Migrate, but fail at the given statement. True when it got to the end before."""
    done = 0

    def stop(*_args):
        nonlocal done
        if done == statement_count:
            raise Cut
        done += 1

    engine = database._engines.durable
    event.listen(engine, "before_cursor_execute", stop)
    try:
        database.migrate()
    except Cut:
        return False
    else:
        return True
    finally:
        event.remove(engine, "before_cursor_execute", stop)


def test_a_migration_cut_at_any_statement_starts_over(tmp_path):
    for cut in range(200):
        database = Database.open(tmp_path / f"{cut}.db")
        finished = migrate_until(database, cut)
        with database.read() as connection:
            tables = connection.execute(text("SELECT name FROM sqlite_master")).all()
        assert finished or tables == []
        database.migrate()
        assert database.check() == []
        database.close()
        if finished:
            return
    pytest.fail("the migration never came to its end")


KILLED = """
import os, sys
from sqlalchemy import event
from blitz.storage.database import Database
from blitz.storage.journal import BotJournal
from blitz.storage.secrets import SecretBox

database = Database.open(sys.argv[1])
count = 0

def die(*_args):
    global count
    count += 1
    if count == 12:
        os._exit(9)

event.listen(database._engines.durable, "after_cursor_execute", die)
database.migrate()
"""


def test_a_migration_killed_in_the_middle_starts_over(path):
    died = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, timeout=60)

    database = Database.open(path)
    database.migrate()

    assert died.returncode == 9
    assert database.check() == []
    database.close()


def test_two_starts_at_once_migrate_once(path):
    databases = [Database.open(path) for _ in range(4)]
    failures = []

    def migrate(database):
        try:
            database.migrate()
        except DatabaseProblem as problem:
            failures.append(problem)

    threads = [threading.Thread(target=migrate, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()

    assert failures == []


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(db, path):
    look = f"from blitz.storage.database import Database; Database.open({str(path)!r}).migrate(); import sys"

    subprocess.run(
        [sys.executable, "-c", f"{look}; sys.exit('alembic' in sys.modules)"], cwd=ROOT, check=True, timeout=60
    )


def test_the_schema_compiles_for_postgresql():
    dialect = postgresql.dialect()

    built = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    replaced = str(insert_or_replace("postgresql", cycles).compile(dialect=dialect))
    once = str(insert_once("postgresql", fills, "user_id", "account", "exec_id").compile(dialect=dialect))

    assert len(built) == len(metadata.tables)
    assert "ON CONFLICT (user_id, account, number) DO UPDATE SET" in replaced
    assert "ON CONFLICT (user_id, account, exec_id) DO NOTHING" in once


def test_the_migrations_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    database = Database.open("users.db")
    database.migrate()

    assert database.check() == []
    database.close()


def at_version(path, version):
    """A database as an older program left it."""
    database = Database.open(path)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database._engines.durable.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    return database


OLD_USER = (
    "INSERT INTO users (id, email, password_hash, role, active, created_ms, api_key_hint, exchange, symbol, side, "
    "leverage, margin_mode, grids, rounds, take_profit, stop_loss, repeat, mode) VALUES (1, 'a@example.com', 'x', "
    "'trader', 1, 1, '', 'bybit', 'BTC/USDT:USDT', 'long', '10', 'cross', '[{\"amount\":\"100\",\"gap\":\"0\"}]', 1, "
    "'5', '0', 1, :mode)"
)


@pytest.mark.parametrize("mode", ["paper", "demo", "live"])
def test_nobody_has_gone_live_after_an_upgrade(tmp_path, mode):
    database = at_version(tmp_path / "old.db", "0002")
    with database.write() as connection:
        connection.execute(text(OLD_USER), {"mode": mode})

    database.migrate()

    user = UserStore(database, SecretBox(bytes(32)), ManualClock()).by_id(1)
    assert user is not None
    assert (user.settings.mode, user.settings.testnet) == (mode, False)
    assert (user.is_armed, user.live_since_ms) == (False, None)
    database.close()


def test_an_older_database_keeps_its_slots_whatever_moment_the_upgrade_is_cut_at(tmp_path):
    insert = (
        "INSERT INTO order_slots VALUES (1, 'bybit:paper', 'sm_tp_1_BTCUSDTUSDT', 'BTC/USDT:USDT', 'tp', 0, 'unknown', "
        "3, 1, 0, 'sm_tp_1_BTCUSDTUSDT_3', '', '', 1, 'limit', 'sell', '0.016', '60000', NULL, 1700000000000)"
    )
    for cut in range(50):
        database = at_version(tmp_path / f"{cut}.db", "0001")
        with database.write() as connection:
            connection.execute(text(OLD_USER), {"mode": "paper"})
            connection.execute(text(insert))
        finished = migrate_until(database, cut)
        database.migrate()
        slots = BotJournal(database, 1, "bybit:paper").load().slots
        database.close()
        assert [(slot.client_id, slot.generation, slot.doubted_until_ms) for slot in slots] == [
            ("sm_tp_1_BTCUSDTUSDT_3", 3, 0)
        ]
        if finished:
            return
    raise AssertionError("the upgrade never came to its end")
