"""Which bots should run, and how each was last seen. Used by the manager, which resumes them after a restart."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, select, update

from blitz.clock import Clock
from blitz.core.records import Desired
from blitz.storage.database import Database
from blitz.storage.tables import bots, users
from blitz.storage.upserts import insert_once


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRecord:
    """A user's bot as the database knows it."""

    user_id: int
    desired: Desired
    status: str
    message: str
    changed_ms: int


class BotStore:
    """The bots table. A user without a row has a bot that should rest and never ran."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def desired(self, user_id: int) -> Desired:
        """What this user's bot should do."""
        return self.record(user_id).desired

    def record(self, user_id: int) -> BotRecord:
        """What is known of this user's bot."""
        with self._db.read() as connection:
            row = connection.execute(select(bots).where(bots.c.user_id == user_id)).first()
        if row is None:
            return BotRecord(user_id=user_id, desired="stopped", status="not_running", message="", changed_ms=0)
        return BotRecord(
            user_id=user_id,
            desired=cast(Desired, row.desired),
            status=row.status,
            message=row.message,
            changed_ms=row.changed_ms,
        )

    def should_run(self) -> list[int]:
        """The users whose bots should be running: `running` and `after_cycle`, not those who are shut out."""
        query = (
            select(bots.c.user_id)
            .join(users, users.c.id == bots.c.user_id)
            .where(bots.c.desired.in_(("running", "after_cycle")), users.c.active)
            .order_by(bots.c.user_id)
        )
        with self._db.read() as connection:
            return list(connection.scalars(query))

    def set_desired(self, user_id: int, desired: Desired) -> None:
        """Remember what the trader wants; on the disk when this returns, since a restart acts on it."""
        with self._db.write_durable() as connection:
            self._change(connection, user_id, desired=desired)

    def record_status(self, user_id: int, status: str, message: str) -> None:
        """Remember how the bot was last seen. What it should do is left alone."""
        with self._db.write() as connection:
            self._change(connection, user_id, status=status, message=message)

    def _change(self, connection: Connection, user_id: int, **values: str) -> None:
        change_bot(connection, self._db.dialect, user_id, self._clock.now_ms(), **values)


def change_bot(connection: Connection, dialect: str, user_id: int, now_ms: int, **values: str) -> None:
    """Change the user's row, which need not be there yet."""
    first = {"user_id": user_id, "desired": "stopped", "status": "not_running", "message": "", "changed_ms": now_ms}
    connection.execute(insert_once(dialect, bots, "user_id"), first)
    connection.execute(update(bots).where(bots.c.user_id == user_id).values({**values, "changed_ms": now_ms}))
