"""What one bot remembers: the only way a bot's thread reads or writes the database.

`BotJournal.save` writes the changes of one step in one transaction. A durable save has reached the disk when it
returns: intents are saved so before an order is sent (S1). Nothing here decides anything, and no connection is kept
between calls.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Select, Table, func, insert, select

from blitz.core.orders import BookedFill
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
    RowChange,
    Slot,
    SlotSaved,
)
from blitz.storage.bots import change_bot
from blitz.storage.database import Database
from blitz.storage.rows import (
    Row,
    cycle_from_row,
    cycle_to_row,
    event_to_row,
    fill_from_row,
    fill_to_row,
    slot_from_row,
    slot_to_row,
)
from blitz.storage.tables import bots, cycles, events, fills, id_regimes, order_slots
from blitz.storage.upserts import insert_once, insert_or_replace

RECENT_MAX = 500
"""So many exec ids a bot is handed at start; its first read of fills reaches back far less."""


def open_cycle(db: Database, user_id: int) -> Cycle | None:
    """The newest cycle of the user that has not ended, on whatever account."""
    with db.read() as connection:
        row = connection.execute(newest_open(user_id)).mappings().first()
    return None if row is None else cycle_from_row(row)


def newest_open(user_id: int) -> Select[Any]:
    """The query for the newest cycle of the user that has not ended."""
    own = cycles.c
    return select(cycles).where(own.user_id == user_id, own.ended_ms.is_(None)).order_by(own.number.desc()).limit(1)


class BotJournal:
    """The memory of one user's bot on one account of a venue, such as "bybit:paper"."""

    def __init__(self, db: Database, user_id: int, account: str) -> None:
        self._db = db
        self._user_id = user_id
        self._account = account

    def load(self) -> Remembered:
        """Everything a bot needs to go on. Raises `DatabaseProblem` when a row does not read."""
        with self._db.read() as connection:
            cycle = self._open_cycle(connection)
            return Remembered(
                slots=self._slots(connection),
                cycle=cycle,
                fills=self._fills_of(connection, cycle.number) if cycle else (),
                last_cycle=self._last_cycle(connection),
                last_fill_ms=self._last_fill_ms(connection),
                regime=self._regime(connection),
                recent_exec_ids=self._recent_exec_ids(connection),
                closed=self._closed_cycles(connection),
                rests=self._rests(connection),
            )

    def save(self, changes: Sequence[Change], *, durable: bool) -> None:
        """Write all changes or none. Raises `DatabaseProblem` when they are not written."""
        if not changes:
            return
        wishes = [change for change in changes if isinstance(change, DesiredSaved)]
        batches = self._batches([change for change in changes if not isinstance(change, DesiredSaved)])

        def write(connection: Connection) -> None:
            for statement, rows in batches:
                connection.execute(statement, rows)
            for wish in wishes:
                change_bot(connection, self._db.dialect, self._user_id, wish.at_ms, desired=wish.desired)

        self._db.write_together(write, durable=durable)

    def _batches(self, changes: Sequence[RowChange]) -> list[tuple[Insert, list[Row]]]:
        """One statement per table with all its rows, in the order they were asked for."""
        batches: dict[Table, list[Row]] = {}
        for change in changes:
            table, row = self._row(change)
            batches.setdefault(table, []).append(row)
        return [(self._statement(table), rows) for table, rows in batches.items()]

    def _row(self, change: RowChange) -> tuple[Table, Row]:
        user_id, account = self._user_id, self._account
        match change:
            case SlotSaved(slot=slot):
                return order_slots, slot_to_row(slot, user_id, account)
            case CycleSaved(cycle=cycle):
                return cycles, cycle_to_row(cycle, user_id, account)
            case FillBooked(booked=booked):
                return fills, fill_to_row(booked, user_id, account)
            case RegimeLearnt(regime=regime):
                return id_regimes, {"user_id": user_id, "account": account, "regime": regime.value}
            case EventNoted(event=event):
                return events, event_to_row(event, user_id, account)

    def _statement(self, table: Table) -> Insert:
        if table is fills:  # a fill that is booked already stays as it is (S6)
            return insert_once(self._db.dialect, fills, "user_id", "account", "exec_id")
        if table is events:
            return insert(events)
        return insert_or_replace(self._db.dialect, table)

    def _slots(self, connection: Connection) -> tuple[Slot, ...]:
        own = order_slots.c
        query = (
            select(order_slots)
            .where(own.user_id == self._user_id, own.account == self._account)
            .order_by(own.symbol, own.role, own.leg)
        )
        return tuple(map(slot_from_row, connection.execute(query).mappings()))

    def _open_cycle(self, connection: Connection) -> Cycle | None:
        query = newest_open(self._user_id).where(cycles.c.account == self._account)
        row = connection.execute(query).mappings().first()
        return None if row is None else cycle_from_row(row)

    def _closed_cycles(self, connection: Connection) -> tuple[ClosedCycle, ...]:
        """The newest closed cycles that had fills, newest first."""
        own = cycles.c
        query = (
            select(cycles)
            .where(own.user_id == self._user_id, own.account == self._account, own.ended_ms.is_not(None))
            .order_by(own.number.desc())
            .limit(CLOSED_KEPT)
        )
        closed = [cycle_from_row(row) for row in connection.execute(query).mappings()]
        recent = [cycle for cycle in closed if cycle.number > closed[0].number - CLOSED_KEPT]
        return tuple(each for cycle in recent if (each := self._closed_cycle(connection, cycle)) is not None)

    def _closed_cycle(self, connection: Connection, cycle: Cycle) -> ClosedCycle | None:
        own = fills.c
        query = select(own.exec_id, own.at_ms, own.order_id).where(
            own.user_id == self._user_id, own.account == self._account, own.cycle == cycle.number
        )
        rows = connection.execute(query).all()
        if not rows:
            return None
        times = {row.exec_id: row.at_ms for row in rows}
        return ClosedCycle(
            cycle=cycle,
            first_fill_ms=min(times.values()),
            last_fill_ms=max(times.values()),
            exec_ids=frozenset(times),
            order_ids=frozenset(row.order_id for row in rows),
        )

    def _last_cycle(self, connection: Connection) -> int:
        """Numbers go on when the user changes to another account, so that a number names one cycle of a user."""
        return connection.scalar(select(func.max(cycles.c.number)).where(cycles.c.user_id == self._user_id)) or 0

    def _fills_of(self, connection: Connection, cycle: int) -> tuple[BookedFill, ...]:
        own = fills.c
        query = (
            select(fills)
            .where(own.user_id == self._user_id, own.account == self._account, own.cycle == cycle)
            .order_by(own.at_ms, own.sequence, own.id)
        )
        return tuple(map(fill_from_row, connection.execute(query).mappings()))

    def _last_fill_ms(self, connection: Connection) -> int:
        own = fills.c
        query = select(func.max(own.at_ms)).where(own.user_id == self._user_id, own.account == self._account)
        return connection.scalar(query) or 0

    def _rests(self, connection: Connection) -> bool:
        return connection.scalar(select(bots.c.desired).where(bots.c.user_id == self._user_id)) == "stopped"

    def _recent_exec_ids(self, connection: Connection) -> tuple[str, ...]:
        own = fills.c
        query = select(own.exec_id).where(own.user_id == self._user_id, own.account == self._account)
        return tuple(
            connection.scalars(query.order_by(own.at_ms.desc(), own.sequence.desc(), own.id.desc()).limit(RECENT_MAX))
        )

    def _regime(self, connection: Connection) -> IdRegime:
        own = id_regimes.c
        query = select(own.regime).where(own.user_id == self._user_id, own.account == self._account)
        return IdRegime(connection.scalar(query) or IdRegime.UNLEARNT)
