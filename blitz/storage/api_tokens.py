"""What programs sign in with: tokens that a user makes by name, each of which can be ended by itself.

A token is shown once, when it is made; the database holds only its hash, so that a stolen copy signs nobody in. Used by
web.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from blitz.clock import Clock
from blitz.errors import SettingsProblem
from blitz.storage.database import Database
from blitz.storage.raw_tokens import hashed, new_token
from blitz.storage.tables import api_tokens, users

PREFIX = "blitz_"
"""What every token begins with, so that a person, a log and a scanner of leaked secrets know one."""
HINT_LENGTH = 4
NAME_LENGTH_MAX = 60
TOKENS_MAX = 20
"""Per user."""
USED_EVERY_MS = 60 * 1000
"""`used_ms` may lag by so much: a program that polls must not write with every request."""

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


class Scope(StrEnum):
    """What a token may do with its user's own bot."""

    READ = "read"
    """Look."""
    CONTROL = "control"
    """Look, send commands and change settings; never credentials."""


class TooManyTokens(SettingsProblem):
    """The user has as many tokens as one may have."""

    def __init__(self) -> None:
        super().__init__({"name": [f"You have {TOKENS_MAX} tokens, and that is the most; revoke one first."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token of one user; what it is stays with whoever made it."""

    id: int
    user_id: int
    name: str
    scope: Scope
    hint: str
    """Its last four characters."""
    created_ms: int
    used_ms: int | None
    """None before its first use."""


class ApiTokenStore:
    """The api_tokens table. A raw token is never stored; `on_new` is told each new one, so that logs hide it."""

    def __init__(self, db: Database, clock: Clock, *, on_new: Callable[[str], object]) -> None:
        self._db = db
        self._clock = clock
        self._on_new = on_new

    def create(self, user_id: int, name: str, scope: str) -> tuple[ApiToken, str]:
        """Make a token and return it with its raw form, which cannot be read again.

        Raises `SettingsProblem` at the field that cannot be used, `TooManyTokens`.
        """
        chosen, said = _checked(name, scope)
        raw = PREFIX + new_token()
        self._on_new(raw)
        row = {
            "token_hash": hashed(raw),
            "user_id": user_id,
            "name": chosen,
            "scope": said.value,
            "hint": raw[-HINT_LENGTH:],
            "created_ms": self._clock.now_ms(),
        }
        with self._db.write_durable() as connection:
            own = select(func.count()).select_from(api_tokens).where(api_tokens.c.user_id == user_id)
            if (connection.scalar(own) or 0) >= TOKENS_MAX:
                raise TooManyTokens
            made = connection.execute(insert(api_tokens).values(row).returning(api_tokens)).one()
        return _token(made), raw

    def lookup(self, raw: str) -> ApiToken | None:
        """The token with this raw form, its user not shut out."""
        if _TOKEN.fullmatch(raw) is None:
            return None
        now = self._clock.now_ms()
        query = (
            select(api_tokens)
            .join(users, users.c.id == api_tokens.c.user_id)
            .where(api_tokens.c.token_hash == hashed(raw), users.c.active)
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if row.used_ms is None or now - row.used_ms >= USED_EVERY_MS:
            with self._db.write() as connection:
                connection.execute(update(api_tokens).where(api_tokens.c.id == row.id).values(used_ms=now))
        return _token(row)

    def revoke(self, user_id: int, token_id: int) -> bool:
        """End a token; False when it is not the user's."""
        own = (api_tokens.c.user_id == user_id, api_tokens.c.id == token_id)
        with self._db.write_durable() as connection:
            return connection.execute(delete(api_tokens).where(*own)).rowcount == 1

    def for_user(self, user_id: int) -> list[ApiToken]:
        """The user's tokens, the newest first."""
        query = select(api_tokens).where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.id.desc())
        with self._db.read() as connection:
            return [_token(row) for row in connection.execute(query)]


def _checked(name: str, scope: str) -> tuple[str, Scope]:
    name, errors = " ".join(name.split()), {}
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        errors["name"] = [f"Give the token a name of at most {NAME_LENGTH_MAX} characters, such as the program's."]
    if scope not in list(Scope):
        errors["scope"] = [f"Choose one of {', '.join(Scope)}."]
    if errors:
        raise SettingsProblem(errors)
    return name, Scope(scope)


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        scope=Scope(row.scope),
        hint=row.hint,
        created_ms=row.created_ms,
        used_ms=row.used_ms,
    )
