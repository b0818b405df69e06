"""Fields of a venue's rows. Pure; whatever is missing or odd raises `Malformed` at once, never a default."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from blitz.exchange.answers import Malformed

Row = Mapping[str, Any]


def number(row: Row, field: str) -> Decimal:
    """A number the row must have."""
    value = optional_number(row, field)
    if value is None:
        raise Malformed(f"The exchange sent a row without {field}.")
    return value


def optional_number(row: Row, field: str) -> Decimal | None:
    """A number that may be missing or an empty text, as venues send for "does not apply"."""
    text = row.get(field)
    if text is None or text == "":
        return None
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise Malformed(f"The exchange sent {field} as {str(text)[:40]!r}.") from None
    if not value.is_finite():
        raise Malformed(f"The exchange sent {field} as {value}.")
    return value


def text(row: Row, field: str) -> str:
    """A text the row must have; it may be empty."""
    value = row.get(field)
    if not isinstance(value, str):
        raise Malformed(f"The exchange sent a row without {field}.")
    return value


def milliseconds(row: Row, field: str) -> int:
    """A time the row must have."""
    return int(number(row, field))


def flag(row: Row, field: str) -> bool:
    """A truth value the row must have: taken for false, a take-profit of ours would pass for a stranger's order."""
    value = row.get(field)
    if not isinstance(value, bool):
        raise Malformed(f"The exchange sent a row without {field}.")
    return value


def identifier(row: Row, field: str) -> str:
    """An id the row must have, which some venues send as a number."""
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value):
        raise Malformed(f"The exchange sent a row without {field}.")
    return str(value)
