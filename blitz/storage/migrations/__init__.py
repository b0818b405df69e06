"""The schema's history, and the way to its newest state. Called by `Database.migrate`.

A new version is a file `versions/rNNNN_what_changed.py` and its number in `VERSIONS`. It runs inside one transaction
with foreign keys off (a table that is rebuilt would otherwise take its children's rows with it); they are checked
before the commit. Versions are never edited once released, and they do not import `tables`, which moves on.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from blitz.errors import DatabaseProblem

VERSIONS = ("0001", "0002", "0003", "0004")
"""Oldest first. Kept by hand so that a start with nothing to do need not load Alembic; a test compares it."""


def known_versions() -> tuple[str, ...]:
    """The schema versions this program can read or upgrade."""
    return VERSIONS


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest version and commit, or leave it as it was and raise."""
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        _set_foreign_keys(connection, "OFF")
    try:
        with connection.begin():
            version = _version(connection)
            if version is not None and version not in VERSIONS:
                raise DatabaseProblem(f"The database was written by a newer version of Blitz (schema {version}).")
            if version != VERSIONS[-1]:
                _run(connection)
            if on_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise DatabaseProblem("The database holds rows whose owner is missing; nothing was upgraded.")
    finally:
        if on_sqlite:
            _set_foreign_keys(connection, "ON")


def _set_foreign_keys(connection: Connection, setting: str) -> None:
    """SQLite ignores this inside a transaction, so it goes past SQLAlchemy, which would begin one."""
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
    driver.execute(f"PRAGMA foreign_keys={setting}").close()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if version is None else str(version)


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
