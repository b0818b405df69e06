"""Who is signed in: a row per session, so that each can be listed and ended.

The cookie holds a random token; the database holds only its hash, so that a stolen copy signs nobody in. Used by web.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from blitz.clock import Clock
from blitz.storage.database import Database
from blitz.storage.raw_tokens import hashed, new_token
from blitz.storage.tables import sessions, users

IDLE_MS = 12 * 60 * 60 * 1000
AGE_MS = 7 * 24 * 60 * 60 * 1000
SEEN_EVERY_MS = 60 * 1000
"""`seen_ms` may lag by so much: a page that polls must not write on every request."""
SESSIONS_MAX = 20
"""Per user; signing in once more ends the one that was used least recently."""
PEER_LENGTH_MAX = 64
AGENT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in of one user."""

    id: int
    user_id: int
    created_ms: int
    seen_ms: int
    peer: str
    """The address it was opened from."""
    agent: str
    """What the browser calls itself, cut to a length."""


class SessionStore:
    """The sessions table. A raw token is what the cookie holds; it is never stored and never logged."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def create(self, user_id: int, peer: str, agent: str) -> str:
        """Open a session and return its raw token, which cannot be read again."""
        raw, now = new_token(), self._clock.now_ms()
        row = {
            "token_hash": hashed(raw),
            "user_id": user_id,
            "created_ms": now,
            "seen_ms": now,
            "peer": peer[:PEER_LENGTH_MAX],
            "agent": agent[:AGENT_LENGTH_MAX],
        }
        with self._db.write() as connection:
            self._forget_old(connection, user_id, now)
            connection.execute(insert(sessions).values(row))
        return raw

    def lookup(self, raw: str) -> Session | None:
        """The live session of this token: not idle for 12 hours, not older than 7 days, its user not shut out."""
        now = self._clock.now_ms()
        query = (
            select(sessions)
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.token_hash == hashed(raw), users.c.active, *_live(now))
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if now - row.seen_ms >= SEEN_EVERY_MS:
            with self._db.write() as connection:
                connection.execute(update(sessions).where(sessions.c.id == row.id).values(seen_ms=now))
        return _session(row)

    def rotate(self, raw: str) -> str | None:
        """Give a live session a new token, after its rights changed; its age goes on. None when it is not live."""
        new, now = new_token(), self._clock.now_ms()
        own = sessions.c.token_hash == hashed(raw)
        with self._db.write() as connection:
            changed = connection.execute(update(sessions).where(own, *_live(now)).values(token_hash=hashed(new)))
        return new if changed.rowcount == 1 else None

    def revoke(self, raw: str) -> None:
        """End the session of this token."""
        with self._db.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == hashed(raw)))

    def revoke_id(self, user_id: int, session_id: int) -> bool:
        """End one session from the user's own list; False when it is not the user's."""
        own = (sessions.c.user_id == user_id, sessions.c.id == session_id)
        with self._db.write() as connection:
            return connection.execute(delete(sessions).where(*own)).rowcount == 1

    def revoke_all(self, user_id: int, except_raw: str | None = None) -> None:
        """End every session of the user, or every other one."""
        query = delete(sessions).where(sessions.c.user_id == user_id)
        if except_raw is not None:
            query = query.where(sessions.c.token_hash != hashed(except_raw))
        with self._db.write() as connection:
            connection.execute(query)

    def for_user(self, user_id: int) -> list[Session]:
        """The user's live sessions, the one used last first."""
        query = (
            select(sessions)
            .where(sessions.c.user_id == user_id, *_live(self._clock.now_ms()))
            .order_by(sessions.c.seen_ms.desc(), sessions.c.id.desc())
        )
        with self._db.read() as connection:
            return [_session(row) for row in connection.execute(query)]

    def _forget_old(self, connection: Connection, user_id: int, now: int) -> None:
        """Make room for one more: drop everybody's dead sessions and this user's least recently used ones."""
        dead = (sessions.c.seen_ms <= now - IDLE_MS) | (sessions.c.created_ms <= now - AGE_MS)
        connection.execute(delete(sessions).where(dead))
        newest = (
            select(sessions.c.id)
            .where(sessions.c.user_id == user_id)
            .order_by(sessions.c.seen_ms.desc(), sessions.c.id.desc())
            .limit(SESSIONS_MAX - 1)
        )
        connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id.not_in(newest)))


def _live(now: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return sessions.c.seen_ms > now - IDLE_MS, sessions.c.created_ms > now - AGE_MS


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id, user_id=row.user_id, created_ms=row.created_ms, seen_ms=row.seen_ms, peer=row.peer, agent=row.agent
    )
