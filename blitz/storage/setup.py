"""The one-time link that makes the first administrator. Issued by the server at start, redeemed by web."""

from sqlalchemy import ColumnElement, delete, func, insert, select

from blitz.clock import Clock
from blitz.storage.database import Database
from blitz.storage.raw_tokens import hashed, new_token
from blitz.storage.tables import setup_tokens, users

VALID_MS = 24 * 60 * 60 * 1000


class SetupTokens:
    """One token at a time; only its hash is stored."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def needed(self) -> bool:
        """Say whether nobody is administrator yet."""
        query = select(func.count()).select_from(users).where(users.c.role == "admin")
        with self._db.read() as connection:
            return connection.scalar(query) == 0

    def issue(self) -> str:
        """Make a token that is valid for 24 hours; one that was issued before is valid no longer."""
        raw = new_token()
        row = {"token_hash": hashed(raw), "expires_ms": self._clock.now_ms() + VALID_MS}
        with self._db.write() as connection:
            connection.execute(delete(setup_tokens))
            connection.execute(insert(setup_tokens).values(row))
        return raw

    def is_valid(self, raw: str) -> bool:
        """Say whether `redeem` would accept the token now; it stays unused."""
        query = select(setup_tokens.c.token_hash).where(*self._matches(raw))
        with self._db.read() as connection:
            return connection.scalar(query) is not None

    def redeem(self, raw: str) -> bool:
        """Use the token up. True exactly once, however many try at the same moment."""
        with self._db.write_durable() as connection:
            return connection.execute(delete(setup_tokens).where(*self._matches(raw))).rowcount == 1

    def _matches(self, raw: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return setup_tokens.c.token_hash == hashed(raw), setup_tokens.c.expires_ms > self._clock.now_ms()
