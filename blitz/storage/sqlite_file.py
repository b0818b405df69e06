"""The SQLite file itself: made private, and looked at before anything opens it for writing. Used by `database` only.

Looking happens over a connection that cannot write, so that a file which is refused is left as it was.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from blitz.errors import DatabaseProblem
from blitz.storage.migrations import known_versions

QUICK_CHECK_BYTES_MAX = 64 * 1024 * 1024
"""Up to this size every page is looked at on opening (well under a second); beyond, only the doctor does it."""

PROBLEMS_MAX = 20
MAGIC = b"SQLite format 3\x00"


def prepare(path: Path, *, create: bool) -> None:
    """See that `path` is a file of ours that can be written, or make an empty private one."""
    with _told(path):
        if path.exists():
            if not path.is_file():
                raise DatabaseProblem(f"{path} is not a file, so it cannot be the database.")
            _refuse_foreign(path)
            make_private(path)
        elif create:
            _make(path)
        else:
            raise DatabaseProblem(f"There is no database at {path}; start the server once to make it.")
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise DatabaseProblem(f"{path} and its folder must be writable for this user.")


def make_private(path: Path) -> None:
    """Take the rights of everybody else away; SQLite gives its -wal and -shm files the same ones."""
    for file in (path, *_companions(path)):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(stat.S_IRUSR | stat.S_IWUSR)


def problems(path: Path) -> list[str]:
    """Everything that is wrong with the file, as sentences."""
    with _told(path), closing(_look(path)) as connection:
        said = [_one_line(row[0]) for row in connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})")]
        orphans = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    found = [f"Database: {each}." for each in said if each != "ok"]
    if orphans:
        found.append(f"Database: {orphans} rows belong to a row that is not there.")
    if path.stat().st_mode & 0o077:
        found.append(f"Other users of this machine may open {path}; run `chmod 600 {path}`.")
    return found


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _refuse_foreign(path: Path) -> None:
    size = path.stat().st_size
    if size == 0:
        return
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DatabaseProblem(f"{path} is not a database, or it is damaged; restore it from a backup.")
    with closing(_look(path)) as connection:
        if size <= QUICK_CHECK_BYTES_MAX:
            said = _one_line(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if said != "ok":
                raise DatabaseProblem(f"{path} is damaged ({said}); restore it from a backup.")
        _refuse_other_schema(path, connection)


def _refuse_other_schema(path: Path, connection: sqlite3.Connection) -> None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return
    if "alembic_version" not in tables:
        raise DatabaseProblem(f"{path} is the database of another program; choose another BLITZ_DB_PATH.")
    for (version,) in connection.execute("SELECT version_num FROM alembic_version"):
        if version not in known_versions():
            raise DatabaseProblem(f"{path} was written by a newer version of Blitz (schema {version}); start that one.")


def _one_line(said: str) -> str:
    return " ".join(said.removeprefix("*** in database main ***").split())


def _look(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence what the file system or SQLite complains about."""
    try:
        yield
    except OSError as error:
        raise DatabaseProblem(f"The database {path} cannot be opened: {error.strerror}.") from error
    except sqlite3.DatabaseError as error:
        raise DatabaseProblem(f"{path} cannot be read as a database ({error}); restore it from a backup.") from error
