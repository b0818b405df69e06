"""INSERT that meets a row already there: replace it, or leave it. The one statement whose form the databases differ in.

Each statement is built once and kept, because a bot's thread uses the same few on every save.
"""

from functools import cache

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

Upsert = sqlite.Insert | postgresql.Insert


@cache
def insert_or_replace(dialect: str, table: Table) -> Upsert:
    """Insert a row; where one with the same primary key is, every other column takes the new value."""
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


@cache
def insert_once(dialect: str, table: Table, *unique: str) -> Upsert:
    """Insert a row unless one with the same `unique` columns is there already."""
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=list(unique))


def _insert(dialect: str, table: Table) -> Upsert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
