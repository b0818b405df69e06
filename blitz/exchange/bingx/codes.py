"""BingX's codes and the shape of its answers."""

from collections.abc import Mapping
from typing import Any

from blitz.core.calls import Refusal
from blitz.core.key_check import KeyFault
from blitz.exchange.answers import Envelope, Malformed

UNKNOWN_CODES = frozenset({-1, 500, 504, 80019, 100410, 100440, 100500, 100503, 109500, 110500})
"""Codes after which an order may or may not exist: busy, server error, in process."""

REFUSALS: Mapping[int, Refusal] = {
    418: Refusal.LIMIT,
    429: Refusal.LIMIT,
    80001: Refusal.FILTER,
    80013: Refusal.FILTER,
    80014: Refusal.FILTER,
    80016: Refusal.GONE,
    80017: Refusal.GONE,
    80018: Refusal.GONE,
    80020: Refusal.ACCOUNT,
    100001: Refusal.KEY,
    100004: Refusal.KEY,
    100202: Refusal.MARGIN,
    100400: Refusal.FILTER,
    100412: Refusal.KEY,
    100413: Refusal.KEY,
    100414: Refusal.KEY,
    100419: Refusal.KEY,
    101204: Refusal.MARGIN,
    101205: Refusal.NO_POSITION,
    101209: Refusal.ACCOUNT,
    101211: Refusal.FILTER,
    101212: Refusal.ACCOUNT,
    101215: Refusal.FILTER,
    101253: Refusal.MARGIN,
    101290: Refusal.NO_POSITION,
    101400: Refusal.FILTER,
    101415: Refusal.CLOSED_MARKET,
    101481: Refusal.TAKEN,
    101485: Refusal.FILTER,
    101514: Refusal.ACCOUNT,
    109201: Refusal.TAKEN,
    109400: Refusal.FILTER,
    109414: Refusal.GONE,
    109418: Refusal.CLOSED_MARKET,
    109421: Refusal.GONE,
    109425: Refusal.CLOSED_MARKET,
    110400: Refusal.FILTER,
    110411: Refusal.TRIGGER_PASSED,
    110412: Refusal.TRIGGER_PASSED,
    110413: Refusal.TRIGGER_PASSED,
    110424: Refusal.NO_POSITION,
    110425: Refusal.FILTER,
}
"""What each code means for a bot (exchange-facts §4.2)."""

ACCOUNT_WORDS = (
    "leverage",
    "position mode",
    "positionside",
    "position side",
    "hedge",
    "one-way",
    "reduceonly",
    "position or",
)


def meaning(code: int, message: str) -> Refusal | None:
    """What a refusal means; None when an order may exist all the same. Three codes are told apart by their words."""
    lowered = message.lower()
    if code == 80012:  # wraps another refusal, or says that the service is away
        return Refusal.MARGIN if "101253" in lowered or "margin" in lowered else None
    if code in UNKNOWN_CODES:
        return None
    if code == 100421:
        return Refusal.CLOCK if "timestamp" in lowered else Refusal.CLOSED_MARKET
    if code in {100400, 109400} and any(word in lowered for word in ACCOUNT_WORDS):
        return Refusal.ACCOUNT
    return REFUSALS.get(code, Refusal.OTHER)


KEY_FAULTS = {
    "100001": KeyFault.WRONG_SECRET,
    "100004": KeyFault.RIGHTS,
    "100413": KeyFault.UNKNOWN_KEY,
    "100419": KeyFault.ADDRESS,
}
"""BingX has one code for a key that it does not know, that was deleted and that has expired."""
ENVELOPE = Envelope(code="code", message="msg", payload="data", meaning=meaning, key_faults=KEY_FAULTS)


def data_of(answer: object) -> Mapping[str, Any]:
    """The `data` of a complete, successful envelope. Raises `Malformed` for anything else."""
    data = ENVELOPE.opened(answer)
    if not isinstance(data, Mapping):
        raise Malformed("The exchange's answer has no data.")
    return data


def listed(answer: object) -> list[Mapping[str, Any]]:
    """The rows of an answer whose `data` is the list. Raises `Malformed`: a missing list is not an empty one (A8)."""
    return checked_rows(ENVELOPE.opened(answer))


def rows_of(data: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The rows that `data` holds under `field`. Raises `Malformed` when the list is missing."""
    return checked_rows(data.get(field))


def checked_rows(rows: object) -> list[Mapping[str, Any]]:
    """A list of rows, or `Malformed`."""
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Malformed("The exchange's answer has no list.")
    return rows
