"""Tables as CSV: every number digit for digit, every time in UTC, and no cell that a spreadsheet would run.

The three big tables have fixed columns (docs/history.md) and are sent row by row while they are read; what cannot be
sent whole is refused before the first row.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Response, make_response

ROWS_MAX = 200_000
"""So many rows in one file."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, the wide forms of East Asian keyboards included."""
UTC_NAMES = {"at": "at_utc", "started_at": "started_at_utc", "ended_at": "ended_at_utc"}
CYCLE_COLUMNS = (
    "account", "number", "symbol", "side", "mode", "started_at", "ended_at", "end", "legs_filled", "realised", "fees",
    "funding", "profit",
)  # fmt: skip
FILL_COLUMNS = (
    "account", "id", "at", "cycle", "order", "kind", "symbol", "direction", "quantity", "price", "value", "fee",
    "maker", "tag", "order_id", "exec_id",
)  # fmt: skip
FEED_COLUMNS = ("account", "id", "at", "kind", "tone", "cycle", "message")
COLUMNS = {"cycles": CYCLE_COLUMNS, "fills": FILL_COLUMNS, "feed": FEED_COLUMNS}

Row = Mapping[str, Any]


def csv_file(name: str, rows: Sequence[Row]) -> Response:
    """A short table, whose columns are those of its rows."""
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    return _attachment(make_response("".join(lines(columns, [rows]))), name)


def csv_stream(name: str, account: str, pages: Iterator[Sequence[Row]]) -> Response:
    """A table with fixed columns, sent page by page as it is read."""
    owned = ([{**row, "account": account} for row in page] for page in pages)
    return _attachment(Response(lines(COLUMNS[name], owned)), name)


def all_pages(read: Callable[[int | None], Sequence[Any]], key: Callable[[Any], int]) -> Iterator[Sequence[Any]]:
    """Every page of a table: `read` is given the key of the last row before, None for the first page."""
    before: int | None = None
    while page := read(before):
        yield page
        before = key(page[-1])


def lines(columns: Sequence[str], pages: Iterator[Sequence[Row]] | Sequence[Sequence[Row]]) -> Iterator[str]:
    """The lines of a table, its header first."""
    if columns:
        yield _text([[UTC_NAMES.get(column, column) for column in columns]])
    for page in pages:
        yield _text([[cell(row.get(column)) for column in columns] for row in page])


def cell(value: Any) -> str:
    """One cell. Nothing is written as an empty cell."""
    if value is None:
        return ""
    text = str(value)
    is_number = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not is_number else text


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _attachment(response: Response, name: str) -> Response:
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="blitz-{name}.csv"'
    return response
