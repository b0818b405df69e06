"""The database that every `SqliteStore` begins with: migrated by the real migrations, with the users of the seeds."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from blitz.clock import ManualClock
from blitz.storage.database import Database
from blitz.storage.secrets import SecretBox
from blitz.storage.users import UserStore


def make_template(path: Path, users: Iterable[int]) -> Path:
    """Make the file at `path`, with one user per number."""
    database = Database.open(path)
    try:
        database.migrate()
        # One is made as the server makes it; the others are copies, because a password hash takes a tenth of a second.
        first = UserStore(database, SecretBox(bytes(32)), ManualClock()).create(
            "somebody@example.com", "a password that nobody uses", role="trader"
        )
    finally:
        database.close()
    connection = sqlite3.connect(path)
    try:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(users)") if row[1] not in {"id", "email"}]
        names = ", ".join(columns)
        for user_id in users:
            if user_id != first.id:
                connection.execute(
                    f"INSERT INTO users (id, email, {names}) SELECT ?, ?, {names} FROM users WHERE id = ?",  # noqa: S608 - names of our own table
                    (user_id, f"user{user_id}@example.com", first.id),
                )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        connection.close()
    return path
