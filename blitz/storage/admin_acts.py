"""What administrators did, to whom, and what came of it; and what went wrong with anybody's bot. Used by web.

The record outlives whom it names: an address that is gone is shown by its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from blitz.clock import Clock
from blitz.core.records import BotEvent, EventKind
from blitz.storage.database import Database
from blitz.storage.rows import event_from_row
from blitz.storage.tables import admin_acts, events, users

OUTCOME_CHARACTERS_MAX = 500
PROBLEMS = (EventKind.FAILED, EventKind.UNPROTECTED, EventKind.ATTENTION, EventKind.LIQUIDATED)
LOOKED_BACK = 200_000
"""So many of the newest lines of all feeds are looked through for problems, so that asking never takes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of an administrator. A user of None: the server as a whole, or somebody who has no account."""

    id: int
    at_ms: int
    admin_id: int
    admin: str
    user_id: int | None
    user: str
    action: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemLine:
    """A line of somebody's feed that tells of trouble."""

    id: int
    user_id: int
    email: str
    event: BotEvent


class ActStore:
    """The admin_acts table."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def note(self, admin_id: int, action: str, outcomes: Sequence[tuple[int | None, str]]) -> None:
        """Keep what an administrator did: whom it met and what came of it, a row each. Never with a secret."""
        now_ms = self._clock.now_ms()
        rows = [
            {
                "at_ms": now_ms,
                "admin_id": admin_id,
                "user_id": user_id,
                "action": action,
                "outcome": outcome[:OUTCOME_CHARACTERS_MAX],
            }
            for user_id, outcome in outcomes
        ]
        if rows:
            with self._db.write_durable() as connection:
                connection.execute(insert(admin_acts), rows)

    def page(self, *, before_id: int | None = None, limit: int = 50) -> list[Act]:
        """Acts, newest first, and older than `before_id` for the next page."""
        whom = users.alias()
        query = (
            select(admin_acts, users.c.email.label("admin"), whom.c.email.label("user"))
            .outerjoin(users, users.c.id == admin_acts.c.admin_id)
            .outerjoin(whom, whom.c.id == admin_acts.c.user_id)
            .order_by(admin_acts.c.id.desc())
            .limit(limit)
        )
        if before_id is not None:
            query = query.where(admin_acts.c.id < before_id)
        with self._db.read() as connection:
            return [
                Act(**{**row, "admin": row["admin"] or "", "user": row["user"] or ""})
                for row in connection.execute(query).mappings()
            ]

    def problems(self, *, before_id: int | None = None, limit: int = 50) -> list[ProblemLine]:
        """What went wrong with anybody's bot lately, newest first."""
        own = events.c
        with self._db.read() as connection:
            newest = connection.scalar(select(func.max(own.id))) or 0
            query = (
                select(events, users.c.email)
                .join(users, users.c.id == own.user_id)
                .where(own.kind.in_(PROBLEMS), own.id > newest - LOOKED_BACK, own.id < (before_id or newest + 1))
                .order_by(own.id.desc())
                .limit(limit)
            )
            return [
                ProblemLine(id=row["id"], user_id=row["user_id"], email=row["email"], event=event_from_row(row))
                for row in connection.execute(query).mappings()
            ]
