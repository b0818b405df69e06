"""Money in the database: a `Decimal` is kept as text, digit for digit.

SQLite has no exact decimal type, and SQLAlchemy's `Numeric` would pass through `float` there. Sums are therefore made
in Python, never in SQL. Used by `tables` only.
"""

from decimal import Decimal

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

EXPONENT_MAX = 100
"""No price or quantity comes near; without a bound, 1E+999999 would be written out with a million zeros."""


class DecimalText(TypeDecorator[Decimal]):
    """A column of exact decimal numbers, written without exponent so that a person can read the row."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - their name
        """Write the number out. A float, NaN or infinity is a fault of the caller and is refused."""
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"money must be Decimal, not {type(value).__name__}")
        if not value.is_finite() or abs(value.adjusted()) > EXPONENT_MAX:
            raise ValueError(f"{value} is not an amount of money")
        return format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - their name
        """Read the number back with every digit it had."""
        return None if value is None else Decimal(value)
