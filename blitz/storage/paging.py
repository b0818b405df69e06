"""Pages of a user's rows, by key and never by counting, so that the last page costs what the first does.

Used by `history`. A page is asked for by a row beside it: `before` for older ones, `after` for newer ones.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    Tuple,
    func,
    literal,
    select,
    tuple_,
)

Conditions = Sequence[ColumnElement[bool]]
LIMIT_MAX = 1000
"""So many rows at once, whoever asks."""


def mine(table: Table, user_id: int, account: str) -> Conditions:
    """The rows of one user on one account."""
    return [table.c.user_id == user_id, table.c.account == account]


def page_by_key(
    connection: Connection, query: Select[Any], key: Column[int], before: int | None, after: int | None, limit: int
) -> Sequence[RowMapping]:
    """A page of rows whose key says their order, newest first: next below `before` or above `after`, or the newest."""
    query = query.limit(bounded(limit))
    if after is not None:
        return connection.execute(query.where(key > after).order_by(key)).mappings().all()[::-1]
    if before is not None:
        query = query.where(key < before)
    return connection.execute(query.order_by(key.desc())).mappings().all()


def page_by_time(
    connection: Connection,
    table: Table,
    whose: Conditions,
    only: Conditions,
    before: int | None,
    after: int | None,
    limit: int,
    *,
    is_short: bool = False,
) -> Sequence[RowMapping]:
    """A page of rows by their time, and by their id within a moment, newest first; `before` and `after` are ids.

    What was written late stands where it belongs, and one index serves both the order and a span of time. `is_short`
    says that the conditions have an index of their own that leaves few rows: they are sorted instead of sought by their
    time.
    """
    at_ms = table.c.at_ms + 0 if is_short else table.c.at_ms
    place, newest_first = tuple_(at_ms, table.c.id), (at_ms.desc(), table.c.id.desc())
    query = select(table).where(*whose, *only).limit(bounded(limit))
    if after is not None:
        rows = query.where(place > _place(connection, table, whose, after)).order_by(at_ms, table.c.id)
        return connection.execute(rows).mappings().all()[::-1]
    if before is not None:
        query = query.where(place < _place(connection, table, whose, before))
    return connection.execute(query.order_by(*newest_first)).mappings().all()


def _place(connection: Connection, table: Table, whose: Conditions, row_id: int) -> Tuple:
    """Where a row stands. One that does not exist, or is somebody else's, stands at the beginning of time."""
    at_ms = connection.scalar(select(table.c.at_ms).where(*whose, table.c.id == row_id))
    return tuple_(literal(at_ms or 0), literal(row_id))


def accounts_in(connection: Connection, table: Table, user_id: int) -> list[str]:
    """The accounts a table knows of a user: from one to the next by the index, however many rows each has."""
    own, found = table.c, [""]
    while True:
        query = select(func.min(own.account)).where(own.user_id == user_id, own.account > found[-1])
        if (name := connection.scalar(query)) is None:
            return found[1:]
        found.append(str(name))


def bounded(limit: int) -> int:
    """At least one, at most `LIMIT_MAX`."""
    return max(1, min(limit, LIMIT_MAX))
