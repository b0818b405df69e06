"""Request parameters, read once and strictly. Handlers ask a `Params` for typed values and never see raw JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from blitz.paper.engine import VenueRefusal

DIGITS_MAX = 40
TRUE_WORDS = frozenset({"true", "1"})
FALSE_WORDS = frozenset({"false", "0", ""})


def invalid(name: str) -> VenueRefusal:
    """The refusal of a parameter that cannot be read."""
    return VenueRefusal(10001, f"params error: {name} invalid")


@dataclass(frozen=True, slots=True)
class Params:
    """Named values as text; absent, null and empty are the same, as on the venue."""

    values: Mapping[str, str]

    @classmethod
    def from_query(cls, raw: str) -> "Params":
        """Read a query string. A repeated name keeps its last value."""
        return cls(dict(parse_qsl(raw, keep_blank_values=True)))

    @classmethod
    def from_body(cls, raw: bytes) -> "Params":
        """Read a JSON object. Numbers stay the text they were written as, so nothing passes through a float."""
        return cls.from_object(parse_object(raw)) if raw else cls({})

    @classmethod
    def from_object(cls, parsed: object) -> "Params":
        """Take a parsed JSON object whose numbers are already text."""
        if not isinstance(parsed, dict):
            raise VenueRefusal(10001, "params error: the body is not a JSON object")
        return cls({str(name): _text(value) for name, value in parsed.items()})

    def text(self, name: str, default: str = "") -> str:
        """The value, or `default` when it is absent or empty."""
        return self.values.get(name) or default

    def required(self, name: str) -> str:
        """The value. Raises 10001 when it is absent."""
        value = self.values.get(name)
        if not value:
            raise VenueRefusal(10001, f"params error: {name} is required")
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A finite number, or None when absent."""
        value = self.values.get(name)
        if not value:
            return None
        if len(value) > DIGITS_MAX:
            raise invalid(name)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise invalid(name) from None
        if not number.is_finite() or abs(number.adjusted()) > DIGITS_MAX:
            raise invalid(name)
        return number

    def integer(self, name: str) -> int | None:
        """A whole number, or None when absent."""
        number = self.decimal(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise invalid(name)
        return int(number)

    def flag(self, name: str) -> bool:
        """A truth value; absent is false."""
        word = self.values.get(name, "").lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise invalid(name)


def parse_object(raw: bytes | str) -> dict[str, Any]:
    """Parse a JSON object, numbers kept as the text they were written as. Raises 10001 for anything else."""
    try:
        parsed = json.loads(raw, parse_float=str, parse_int=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise VenueRefusal(10001, "params error: the body is not valid JSON") from None
    if not isinstance(parsed, dict):
        raise VenueRefusal(10001, "params error: the body is not a JSON object")
    return parsed


def _no_constant(word: str) -> str:
    raise ValueError(word)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value)
