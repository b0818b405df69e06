"""JSON in and out, without losing a digit.

Numbers with a point become `Decimal`, not `float`. What other readers would guess about is refused: NaN and
Infinity, a key given twice, numbers of absurd length, nesting without end, text that is no text. Every refusal is a
`JsonProblem` with a sentence. The app uses `DigitKeepingJson` for all its JSON.
"""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider

from blitz.core.ladder_settings import plain

DEPTH_MAX = 16
NUMBER_CHARACTERS_MAX = 40


class JsonProblem(ValueError):
    """The text is not JSON that we take; the message is a sentence for its sender."""


def read_json(text: str | bytes) -> Any:
    """Read JSON text into plain values with `Decimal` for every number that has a point or an exponent."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise JsonProblem("The body is not UTF-8 text.") from error
    refuse_deep_nesting(decoded)
    try:
        value = json.loads(
            decoded,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise JsonProblem(f"The body is not valid JSON: {error.msg} at {where}.") from error
    _refuse_unwritable_text(value)
    return value


def refuse_deep_nesting(text: str) -> None:
    """Count brackets outside of strings before anything recurses into them."""
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise JsonProblem(f"The body is nested more than {DEPTH_MAX} levels deep.")
        elif character in "]}":
            depth -= 1


def _decimal(text: str) -> Decimal:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise JsonProblem(f"A number has more than {NUMBER_CHARACTERS_MAX} characters.")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise JsonProblem(f"{text} is not a number that can be used.") from error


def _integer(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise JsonProblem(f"A number has more than {NUMBER_CHARACTERS_MAX} characters.")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise JsonProblem(f"{text} is not a number.")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise JsonProblem(f'The key "{key[:40]}" is given twice.')
        found[key] = value
    return found


def _refuse_unwritable_text(value: Any) -> None:
    """Half a surrogate pair or a NUL cannot be stored by every database, so it stops here."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise JsonProblem("A text holds a character that cannot be stored.")
    elif isinstance(value, dict):
        for key, each in value.items():
            _refuse_unwritable_text(key)
            _refuse_unwritable_text(each)
    elif isinstance(value, list):
        for each in value:
            _refuse_unwritable_text(each)


class DigitKeepingJson(DefaultJSONProvider):
    """Flask's JSON, reading with `read_json` and writing `Decimal` as its exact text."""

    sort_keys = False  # the documents show their fields in an order that tells a story
    compact = True
    mimetype = "application/json"

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read strictly; keyword arguments of the standard reader are not taken."""
        assert not kwargs, "the reading rules are fixed"
        return read_json(s)

    @staticmethod
    def default(value: Any) -> Any:
        """Write what the standard library does not know."""
        if isinstance(value, Decimal):
            return plain(value)
        return DefaultJSONProvider.default(value)
