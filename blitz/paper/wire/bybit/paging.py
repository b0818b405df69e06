"""Pages and cursors of list endpoints, with the venue's default and largest sizes.

A cursor holds the rank of the last row that was given, not an offset, so rows that arrive meanwhile neither repeat
nor skip.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from blitz.paper.wire.params import Params, invalid

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRule:
    """How many rows a list endpoint gives when not asked, and at most."""

    default: int
    largest: int


REALTIME = PageRule(default=20, largest=50)
ORDER_HISTORY = PageRule(default=20, largest=50)
EXECUTIONS = PageRule(default=50, largest=100)
CLOSED_PNL = PageRule(default=50, largest=100)
POSITIONS = PageRule(default=20, largest=200)
INSTRUMENTS = PageRule(default=500, largest=1000)
FUNDING_HISTORY = PageRule(default=200, largest=200)
TRANSACTIONS = PageRule(default=20, largest=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """The rows to answer with; `cursor` is empty on the last page."""

    rows: Sequence[Row]
    cursor: str


def page_of(rows: Sequence[Row], params: Params, rule: PageRule, rank_of: Callable[[Row], int]) -> Page[Row]:
    """Cut `rows` by the request's `limit` and `cursor`.

    `rows` stand in falling order of `rank_of` (newest first). Raises 10001 for a size or cursor that makes no sense.
    """
    size = page_size(params, rule)
    start = _start(rows, params.text("cursor"), rank_of)
    cut = rows[start : start + size]
    more = start + size < len(rows)
    return Page(rows=cut, cursor=encode_cursor(rank_of(cut[-1])) if more and cut else "")


def page_size(params: Params, rule: PageRule) -> int:
    """The request's `limit`: the default when absent, the largest allowed when above it."""
    asked = params.integer("limit")
    if asked is None:
        return rule.default
    if asked <= 0:
        raise invalid("limit")
    return min(asked, rule.largest)


def encode_cursor(rank: int) -> str:
    """Write a row's rank as a cursor that survives a query string unquoted."""
    return base64.urlsafe_b64encode(f"rank:{rank}".encode()).decode().rstrip("=")


def _start(rows: Sequence[Row], cursor: str, rank_of: Callable[[Row], int]) -> int:
    if not cursor:
        return 0
    try:
        word, _, rank = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        last = int(rank)
    except (binascii.Error, ValueError):
        raise invalid("cursor") from None
    if word != "rank":
        raise invalid("cursor")
    # The named row may have left the list meanwhile (an order that was filled); its rank still says where to go on.
    return next((position for position, row in enumerate(rows) if rank_of(row) < last), len(rows))
