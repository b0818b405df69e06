"""How this project opens a SQLite file: which connections there are and how each is set up. Used by `database` only.

Readers, one writer and one durable writer have an engine each. SQLite lets one connection write at a time, so more
writing connections would only wait for each other; and every connection may use up to 20 MB for its page cache, so
there are few of them however many users there are.
"""

import sqlite3
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

BUSY_SECONDS = 30
READERS_MAX = 4

PRAGMAS = (
    f"busy_timeout={BUSY_SECONDS * 1000}",  # first, so that the others wait for a lock too
    "journal_mode=WAL",
    "temp_store=MEMORY",
    "cache_size=-20000",
    "foreign_keys=ON",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Three ways to the same database."""

    read: Engine
    """Cannot write; sees one consistent state per block."""
    write: Engine
    """Survives a crash of the program; a power cut may take the last moments."""
    durable: Engine
    """What it committed survives a power cut too."""

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        for engine in (self.read, self.write, self.durable):
            engine.dispose()


def sqlite_engines(path: Path, connection_factory: type[sqlite3.Connection] = sqlite3.Connection) -> Engines:
    """The three engines of one file. Nothing is opened yet. A simulator hands in a driver connection that fails."""
    url = URL.create("sqlite", database=str(path))
    writing = partial(_engine, url, connection_factory, connections=1, begin="BEGIN IMMEDIATE")
    return Engines(
        read=_engine(
            url,
            connection_factory,
            connections=READERS_MAX,
            begin="BEGIN",
            pragmas=("synchronous=NORMAL", "query_only=ON"),
        ),
        write=writing(pragmas=("synchronous=NORMAL",)),
        durable=writing(pragmas=("synchronous=FULL",)),
    )


def _engine(
    url: URL, factory: type[sqlite3.Connection], *, connections: int, begin: str, pragmas: tuple[str, ...]
) -> Engine:
    engine = create_engine(
        url,
        connect_args={"factory": factory},
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        hide_parameters=True,  # an error's text must not carry what a row holds
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN comes late and is deferred: two writers that both read first could then never upgrade.
        connection.isolation_level = None
        for pragma in (*PRAGMAS, *pragmas):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
