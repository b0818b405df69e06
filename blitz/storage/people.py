"""Everybody on this server at a glance: a light row each, for lists of thousands. Used by the admin console.

No secret and no ladder is read here; whoever wants all of one user asks `users`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select

from blitz.core.ladder_settings import account_name
from blitz.storage.addresses import normal_email
from blitz.storage.database import Database
from blitz.storage.tables import bots, cycles, users

SEARCH_MAX = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A user as a list shows him. Mode, exchange, market and side are those of the stored settings."""

    id: int
    email: str
    role: str
    active: bool
    created_ms: int
    exchange: str
    mode: str
    testnet: bool
    symbol: str
    side: str
    status: str
    """As the bot was last recorded; what runs now knows better."""
    message: str

    @property
    def account(self) -> str:
        """The account that the settings name."""
        return account_name(self.exchange, self.mode, testnet=self.testnet)


@dataclass(frozen=True, slots=True)
class OpenCycle:
    """A cycle that the books have not closed, as somebody left it who may not run."""

    account: str
    symbol: str
    side: str


class People:
    """Reads the users table as a list."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def find(self, search: str = "", *, role: str = "", active: bool | None = None) -> list[Person]:
        """Everybody whose address holds `search`, in any spelling, or whose number it is; by number.

        One statement, ten microseconds or so a user.
        """
        query = _light().where(*_conditions(search, role, active)).order_by(users.c.id)
        with self._db.read() as connection:
            return [_person(row) for row in connection.execute(query)]

    def page(
        self,
        search: str = "",
        *,
        role: str = "",
        active: bool | None = None,
        by_email: bool = False,
        is_descending: bool = False,
        page: int,
        rows: int,
    ) -> tuple[list[Person], int]:
        """One page of whom `find` would find, in the order of numbers or addresses, and how many they are in all.

        A page beyond the last is the last. Costs little, however many they are.
        """
        conditions = _conditions(search, role, active)
        order = users.c.email if by_email else users.c.id
        with self._db.read() as connection:
            found = connection.scalar(select(func.count()).select_from(users).where(*conditions)) or 0
            start = (min(page, max(1, -(-found // rows))) - 1) * rows
            query = _light().where(*conditions).order_by(order.desc() if is_descending else order)
            return [_person(row) for row in connection.execute(query.limit(rows).offset(start))], found

    def of(self, user_ids: Collection[int]) -> dict[int, Person]:
        """These users, by number; whoever does not exist is left out."""
        with self._db.read() as connection:
            rows = connection.execute(_light().where(users.c.id.in_(user_ids)))
            return {row.id: _person(row) for row in rows}

    def open_cycles(self, user_ids: Collection[int]) -> dict[int, OpenCycle]:
        """The open cycle of each of these users who has one."""
        own = cycles.c
        columns = select(own.user_id, own.account, own.symbol, own.side)
        query = columns.where(own.user_id.in_(user_ids), own.ended_ms.is_(None))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(own.user_id, own.number))
            return {row.user_id: OpenCycle(row.account, row.symbol, row.side) for row in rows}


def _conditions(search: str, role: str, active: bool | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search:
        text = normal_email(search[:SEARCH_MAX])
        named = users.c.email.contains(text, autoescape=True)
        conditions.append(or_(named, cast(users.c.id, String) == text.removeprefix("#")))
    if role:
        conditions.append(users.c.role == role)
    if active is not None:
        conditions.append(users.c.active.is_(active))
    return conditions


def _light() -> Select[Any]:
    own = users.c
    columns = (own.id, own.email, own.role, own.active, own.created_ms, own.exchange, own.mode, own.testnet)
    bot = (func.coalesce(bots.c.status, "not_running"), func.coalesce(bots.c.message, ""))
    return select(*columns, own.symbol, own.side, *bot).select_from(users.outerjoin(bots, bots.c.user_id == own.id))


def _person(row: Sequence[Any]) -> Person:
    return Person(*row)
