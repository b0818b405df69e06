"""Values to JSON-ready dictionaries and back, for snapshots.

Works on the engine's frozen dataclasses by their type hints: Decimals and enums become strings, numbers and flags
stay. Reading back is strict: a missing, surplus or malformed field raises `SnapshotProblem`.
"""

import types
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum
from functools import partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from blitz.paper.engine.refusals import SnapshotProblem

T = TypeVar("T")
Row = dict[str, Any]
Readers = dict[str, Callable[[Any], Any]]


def encode(value: Any) -> Row:
    """Write a dataclass as a dictionary of strings, integers, flags and None."""
    return {name: _plain(getattr(value, name)) for name in _names(type(value))}


def decode(kind: type[T], row: Row) -> T:
    """Read back what `encode` wrote."""
    readers = _readers_of(kind)
    if row.keys() != readers.keys():
        raise SnapshotProblem(f"a stored {kind.__name__} has fields {sorted(row)} instead of {sorted(readers)}")
    try:
        return kind(**{name: readers[name](value) for name, value in row.items()})
    except (TypeError, ValueError, InvalidOperation) as problem:
        raise SnapshotProblem(f"a stored {kind.__name__} cannot be read: {problem}") from problem


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.value if isinstance(value, Enum) else value


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(_readers_of(kind))


_READERS: dict[type[Any], Readers] = {}


def _readers_of(kind: type[Any]) -> Readers:
    """Work out once per class how each field is read."""
    readers = _READERS.get(kind)
    if readers is None:
        hints = get_type_hints(kind)
        readers = _READERS[kind] = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    return readers


def _reader(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) in (types.UnionType, Union):
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if hint is Decimal:
        return _exact
    if issubclass(hint, IntEnum):
        return lambda value: hint(int(value))
    if issubclass(hint, Enum):
        return partial(_member, hint)
    return lambda value: _checked(hint, value)


def _exact(value: Any) -> Decimal:
    number = Decimal(_checked(str, value))
    if not number.is_finite():
        raise ValueError(f"{value} is not a number")
    return number


def _member(hint: type[Enum], value: Any) -> Enum:
    return hint(value)


def _checked(hint: type, value: Any) -> Any:
    if type(value) is not hint:
        raise ValueError(f"{value!r} is not of type {hint.__name__}")
    return value
