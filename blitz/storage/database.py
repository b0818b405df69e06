"""The database: opened, checked, brought up to date, and handed out in three kinds of transaction.

Every store in this package gets a `Database` and uses `read`, `write` or `write_durable`; nothing outside needs more
than `open`, `migrate`, `check` and `close`. Whatever the database says when it fails leaves here as `DatabaseProblem`.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from blitz.errors import DatabaseProblem
from blitz.storage import sqlite_file
from blitz.storage.shared_commits import SharedCommits
from blitz.storage.sqlite_engines import BUSY_SECONDS, Engines, sqlite_engines

POSTGRESQL_CONNECTIONS = 8


class Database:
    """One database. Safe to share between threads; a transaction belongs to the thread that opened it."""

    def __init__(self, url: URL, engines: Engines, path: Path | None) -> None:
        self.path = path
        """The absolute path of the SQLite file; None for a database server."""
        self.url = url.render_as_string(hide_password=True)
        """The address, fit to be shown: a password in it is ***."""
        self.dialect = engines.read.dialect.name
        self._engines = engines
        self._turn: AbstractContextManager[None] = WriterTurn() if self.dialect == "sqlite" else nullcontext()
        self._shared = SharedCommits(lambda durable: self.write_durable() if durable else self.write())

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        create: bool = True,
        connection_factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> Self:
        """Open a SQLite file, or whatever a SQLAlchemy URL names. `connection_factory`: a driver that fails on purpose.

        Raises `DatabaseProblem` with one sentence when it cannot be used: no permission, damaged, another program's, or
        written by a newer version of this one. A file that is refused is left as it was.
        """
        url = _url(url_or_path)
        if url.get_backend_name() != "sqlite":
            return cls(url, _server_engines(url), None)
        path = _sqlite_path(url)
        sqlite_file.prepare(path, create=create)
        database = cls(URL.create("sqlite", database=str(path)), sqlite_engines(path, connection_factory), path)
        with database.write():
            pass  # the first connection turns the write-ahead log on; here a lock or a full disk can still be told
        return database

    def migrate(self) -> None:
        """Bring the schema up to date, in one transaction: after a crash it is either the old or the new one."""
        from blitz.storage import migrations

        with self._turn, _told(), self._engines.durable.connect() as connection:
            migrations.upgrade(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Look at one consistent state of the database. Writing is refused here."""
        with _told(), self._engines.read.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Change the database: committed at the end of the block, rolled back when it raises."""
        with self._writing(self._engines.write) as connection:
            yield connection

    @contextmanager
    def write_durable(self) -> Iterator[Connection]:
        """As `write`, and on the disk when the block has ended: not even a power cut takes it back."""
        with self._writing(self._engines.durable) as connection:
            yield connection

    def write_together(self, work: Callable[[Connection], None], *, durable: bool) -> None:
        """Carry `work` out as `write` or `write_durable` would, sharing the commit with whoever else saves just now.

        For bots: there may be thousands, and the disk takes its time for each durable commit.
        """
        self._shared.write(work, durable=durable)

    @contextmanager
    def _writing(self, engine: Engine) -> Iterator[Connection]:
        with self._turn, _told(), engine.begin() as connection:
            yield connection

    def check(self) -> list[str]:
        """Look the whole database over, for the doctor: a sentence per problem, none when all is well."""
        return [] if self.path is None else sqlite_file.problems(self.path)

    def size_bytes(self) -> int | None:
        """How large the file is, what is not merged into it yet included; None for a database server."""
        if self.path is None:
            return None
        parts = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def close(self) -> None:
        """Close the connections. A transaction that is still open keeps its own until it ends."""
        self._engines.dispose()


class WriterTurn:
    """One writer at a time within this process.

    SQLite's own waiting is a sleep that grows, without a queue: with many threads some would starve. Here they wait for
    each other on a lock, and the database's own waiting is left for other processes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        me = threading.get_ident()
        assert self._holder != me, "a thread that is writing must not start a second transaction"
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise DatabaseProblem(f"The database was busy for {BUSY_SECONDS} seconds; nothing was written.")
        self._holder = me

    def __exit__(self, *_failure: object) -> None:
        self._holder = None
        self._lock.release()


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence what the database complains about; faults of our own statements pass as they are."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseProblem(f"The database was busy for {BUSY_SECONDS} seconds.") from error
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise
        raise DatabaseProblem(f"The database refused: {error.orig}.") from error


def _url(url_or_path: str | Path) -> URL:
    text = str(url_or_path)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        return make_url(text)
    except ArgumentError as error:  # its own text may repeat the password
        raise DatabaseProblem("BLITZ_DATABASE_URL is not an address of a database.") from error


def _sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.query:
        raise DatabaseProblem("A SQLite database must be a plain file: its address is sqlite:///<path>.")
    return Path(url.database).expanduser().absolute()


def _server_engines(url: URL) -> Engines:
    """A database server commits to disk by itself and lets many write at once: one engine does for all."""
    try:
        engine = create_engine(
            url, pool_size=POSTGRESQL_CONNECTIONS, max_overflow=0, pool_timeout=BUSY_SECONDS, hide_parameters=True
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseProblem(f"No driver is installed for a {url.get_backend_name()} database.") from error
    return Engines(read=engine, write=engine, durable=engine)
