"""Where simulated bots keep what must survive: a store in memory, and the real database under real faults.

Both can lose what a power cut takes, be restored from an old backup, and be emptied. `MemoryStore` is a log of saves;
`SqliteStore` is `blitz.storage` itself on a SQLite file whose driver fails on demand. A test holds the two equal.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from blitz.core.orders import BookedFill, OrderKey
from blitz.core.records import (
    CLOSED_KEPT,
    Change,
    ClosedCycle,
    Cycle,
    CycleSaved,
    DesiredSaved,
    EventNoted,
    FillBooked,
    IdRegime,
    RegimeLearnt,
    Remembered,
    Slot,
    SlotSaved,
)
from blitz.errors import DatabaseProblem
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.journal import RECENT_MAX, BotJournal
from blitz.storage.paging import LIMIT_MAX

ACCOUNT = "bybit:paper"


class DiskFault(StrEnum):
    """What the disk does to one save."""

    BUSY = "database is locked"
    FULL = "database or disk is full"
    ERROR = "disk I/O error"
    UNANSWERED = "disk I/O error after the commit"
    """The changes are stored, and the writer is told that they are not."""


class Store(Protocol):
    """The database of one simulated server."""

    def load(self, user_id: int) -> Remembered:
        """What a bot of this user starts with."""

    def slots(self, user_id: int) -> Sequence[Slot]:
        """Every slot that is stored for this user."""

    def books(self, user_id: int) -> "Kept":
        """Everything that is stored for this user."""

    def fills(self, user_id: int) -> Iterable[BookedFill]:
        """The fills that are stored for the open cycle, at least."""

    def save(self, user_id: int, changes: Sequence[Change], *, durable: bool, fault: DiskFault | None) -> bool:
        """Write all or nothing; False when the writer is told that it failed."""

    def cut_power(self, share: float) -> None:
        """Lose a share of what was written since the last durable save."""

    def back_up(self) -> None:
        """Keep a copy of everything, to be restored later."""

    def restore(self) -> None:
        """Go back to the copy; without one, to the beginning."""

    def empty(self) -> None:
        """Lose everything."""

    def close(self) -> None:
        """Give back what the store holds."""


@dataclass(slots=True)
class Kept:
    """What one user has stored."""

    slots: dict[tuple[str, OrderKey], Slot] = field(default_factory=dict)
    cycles: dict[int, Cycle] = field(default_factory=dict)
    fills: dict[str, BookedFill] = field(default_factory=dict)
    regime: IdRegime = IdRegime.UNLEARNT
    rests: bool = False

    def apply(self, changes: Sequence[Change]) -> None:
        """Carry out the changes of one save."""
        for change in changes:
            match change:
                case SlotSaved(slot=slot):
                    self.slots[slot.symbol, slot.key] = slot
                case CycleSaved(cycle=cycle):
                    self.cycles[cycle.number] = cycle
                case FillBooked(booked=booked):
                    self.fills.setdefault(booked.fill.exec_id, booked)
                case RegimeLearnt(regime=regime):
                    self.regime = regime
                case DesiredSaved(desired=desired):
                    self.rests = desired == "stopped"
                case EventNoted():
                    pass

    def remembered(self) -> Remembered:
        """What a bot starts with."""
        cycle = max(
            (one for one in self.cycles.values() if one.ended_ms is None), key=lambda one: one.number, default=None
        )
        booked = sorted(self.fills.values(), key=lambda one: one.fill.moment)
        return Remembered(
            slots=tuple(sorted(self.slots.values(), key=lambda one: (one.symbol, one.key.role, one.key.leg))),
            cycle=cycle,
            fills=tuple(one for one in booked if cycle is not None and one.cycle == cycle.number),
            last_cycle=max(self.cycles, default=0),
            last_fill_ms=booked[-1].fill.at_ms if booked else 0,
            regime=self.regime,
            recent_exec_ids=tuple(one.fill.exec_id for one in reversed(booked[-RECENT_MAX:])),
            closed=self._closed(booked),
            rests=self.rests,
        )

    def _closed(self, booked: Sequence[BookedFill]) -> tuple[ClosedCycle, ...]:
        """Of the newest closed cycles those that had fills, newest first."""
        ended = sorted((number for number, one in self.cycles.items() if one.ended_ms is not None), reverse=True)
        closed = []
        for number in ended[:CLOSED_KEPT]:
            fills = [one.fill for one in booked if one.cycle == number]
            if fills:
                closed.append(
                    ClosedCycle(
                        cycle=self.cycles[number],
                        first_fill_ms=fills[0].at_ms,
                        last_fill_ms=fills[-1].at_ms,
                        exec_ids=frozenset(fill.exec_id for fill in fills),
                        order_ids=frozenset(fill.order_id for fill in fills),
                    )
                )
        return tuple(closed)


@dataclass(slots=True)
class MemoryStore:
    """A log of saves and what they come to."""

    kept: dict[int, Kept] = field(default_factory=dict)
    _log: list[tuple[int, tuple[Change, ...]]] = field(default_factory=list)
    _safe: int = 0
    """So many saves of the log are on the disk: no power cut takes them."""
    _copy: list[tuple[int, tuple[Change, ...]]] = field(default_factory=list)

    def load(self, user_id: int) -> Remembered:
        """What a bot of this user starts with."""
        return self.of(user_id).remembered()

    def slots(self, user_id: int) -> Sequence[Slot]:
        """Every slot that is stored for this user."""
        return tuple(self.of(user_id).slots.values())

    def books(self, user_id: int) -> Kept:
        """Everything that is stored for this user."""
        return self.of(user_id)

    def fills(self, user_id: int) -> Iterable[BookedFill]:
        """Every fill that is stored for this user."""
        return self.of(user_id).fills.values()

    def of(self, user_id: int) -> Kept:
        """Everything this user has stored."""
        return self.kept.setdefault(user_id, Kept())

    def save(self, user_id: int, changes: Sequence[Change], *, durable: bool, fault: DiskFault | None) -> bool:
        """Write all or nothing; False when the writer is told that it failed."""
        if fault not in {None, DiskFault.UNANSWERED}:
            return False
        self._log.append((user_id, tuple(changes)))
        if durable:
            self._safe = len(self._log)
        self.of(user_id).apply(changes)
        return fault is None

    def cut_power(self, share: float) -> None:
        """Lose a share of what was written since the last durable save; what is left after it has reached the disk."""
        self._keep(self._log[: len(self._log) - round((len(self._log) - self._safe) * share)])

    def back_up(self) -> None:
        """Keep a copy of everything, to be restored later."""
        self._copy = list(self._log)

    def restore(self) -> None:
        """Go back to the copy; without one, to the beginning."""
        self._keep(list(self._copy))

    def empty(self) -> None:
        """Lose everything."""
        self._keep([])
        self._copy = []

    def close(self) -> None:
        """Nothing is held."""

    def _keep(self, log: list[tuple[int, tuple[Change, ...]]]) -> None:
        self._log, self._safe = log, len(log)
        self.kept.clear()
        for user_id, changes in log:
            self.of(user_id).apply(changes)


@dataclass(slots=True)
class FaultSwitch:
    """What the driver of a simulated disk does next."""

    fault: DiskFault | None = None


def faulty_connection(switch: FaultSwitch) -> type[sqlite3.Connection]:
    """A driver connection that fails as the switch says: at the lock, at a row, at the commit or just after it."""

    class Cursor(sqlite3.Cursor):
        """Fails at statements."""

        def execute(self, sql: str, *parameters: Any) -> Any:
            if switch.fault is DiskFault.BUSY and sql.startswith("BEGIN IMMEDIATE"):
                raise sqlite3.OperationalError(switch.fault.value)
            if switch.fault is DiskFault.FULL and sql.startswith("INSERT"):
                raise sqlite3.OperationalError(switch.fault.value)
            return super().execute(sql, *parameters)

        def executemany(self, sql: str, parameters: Any, /) -> Any:
            if switch.fault is DiskFault.FULL:
                raise sqlite3.OperationalError(switch.fault.value)
            return super().executemany(sql, parameters)

    class Connection(sqlite3.Connection):
        """Fails at commits, and hands out cursors that fail."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            # The log must only grow: its length says what a power cut may take.
            super().execute("PRAGMA wal_autocheckpoint=0").close()

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            if switch.fault is DiskFault.ERROR:
                raise sqlite3.OperationalError(switch.fault.value)
            super().commit()
            if switch.fault is DiskFault.UNANSWERED:
                raise sqlite3.OperationalError(switch.fault.value)

    return Connection


class SqliteStore:
    """`blitz.storage` on a file of its own. `template` is a migrated database that has the users."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._path = folder / "simulated.db"
        self._backup = folder / "backup.db"
        self._switch = FaultSwitch()
        self._durable_bytes = 0
        """How long the write-ahead log was when a durable save had just reached the disk."""
        self._journals: dict[int, BotJournal] = {}
        self._copy(template, self._path)
        self._database = self._open()
        self.back_up()

    def load(self, user_id: int) -> Remembered:
        """What a bot of this user starts with."""
        return self._journal(user_id).load()

    def slots(self, user_id: int) -> Sequence[Slot]:
        """Every slot that is stored for this user."""
        return self.load(user_id).slots

    def fills(self, user_id: int) -> Iterable[BookedFill]:
        """The fills that are stored for the open cycle."""
        return self.load(user_id).fills

    def books(self, user_id: int) -> Kept:
        """Everything that is stored for this user, read back row by row."""
        history = History(self._database)
        remembered = self.load(user_id)
        kept = Kept(regime=remembered.regime, rests=remembered.rests)
        kept.slots = {(slot.symbol, slot.key): slot for slot in self.slots(user_id)}
        kept.cycles = {one.number: one for one in history.cycles(user_id, limit=LIMIT_MAX, account=ACCOUNT)}
        booked = [row.booked for row in history.fills(user_id, limit=LIMIT_MAX, account=ACCOUNT)]
        kept.fills = {one.fill.exec_id: one for one in reversed(booked)}
        return kept

    def save(self, user_id: int, changes: Sequence[Change], *, durable: bool, fault: DiskFault | None) -> bool:
        """Write all or nothing; False when the writer is told that it failed."""
        self._switch.fault = fault
        told = True
        try:
            self._journal(user_id).save(changes, durable=durable)
        except DatabaseProblem:
            told = False
        finally:
            self._switch.fault = None
        if durable and (told or fault is DiskFault.UNANSWERED):
            self._durable_bytes = self._log_bytes()
        return told

    def cut_power(self, share: float) -> None:
        """Cut the write-ahead log off somewhere behind the last durable save, as a power cut would."""
        # Taken while the connections are open: the last one to close writes the log back into the file.
        log = self._path.with_name(f"{self._path.name}-wal")
        stored, logged = self._path.read_bytes(), log.read_bytes() if log.exists() else b""
        self.close()
        lost = int((len(logged) - min(self._durable_bytes, len(logged))) * share)
        left = logged[: len(logged) - lost]
        self._path.write_bytes(stored)
        log.write_bytes(left)
        self._durable_bytes = len(left)
        self._path.with_name(f"{self._path.name}-shm").unlink(missing_ok=True)
        self._database = self._open()

    def back_up(self) -> None:
        """Keep a copy of everything, made by the database's own backup while it is in use."""
        self._backup.unlink(missing_ok=True)
        source, target = sqlite3.connect(self._path), sqlite3.connect(self._backup)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()

    def restore(self) -> None:
        """Go back to the copy."""
        self._replace(self._backup)

    def empty(self) -> None:
        """Lose everything but the users."""
        self._replace(self._template)
        self.back_up()

    def close(self) -> None:
        """Close the database."""
        self._database.close()
        self._journals.clear()

    def _replace(self, source: Path) -> None:
        self.close()
        for name in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + name).unlink(missing_ok=True)
        self._copy(source, self._path)
        self._database = self._open()
        self._durable_bytes = 0

    def _copy(self, source: Path, target: Path) -> None:
        shutil.copyfile(source, target)
        target.chmod(0o600)

    def _open(self) -> Database:
        return Database.open(self._path, connection_factory=faulty_connection(self._switch))

    def _journal(self, user_id: int) -> BotJournal:
        if user_id not in self._journals:
            self._journals[user_id] = BotJournal(self._database, user_id, ACCOUNT)
        return self._journals[user_id]

    def _log_bytes(self) -> int:
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.stat().st_size if log.exists() else 0
