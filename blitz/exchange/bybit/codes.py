"""Bybit's codes and the shape of its answers."""

from collections.abc import Mapping
from typing import Any

from blitz.core.calls import Refusal
from blitz.core.key_check import KeyFault
from blitz.exchange.answers import Envelope, Malformed

UNKNOWN_CODES = frozenset({-1, 429, 10000, 10014, 10016, 10019, 10429, 110079, 170032, 177002})
"""Codes after which an order may or may not exist: server error, duplicate request, system protection, in process."""

REFUSALS: Mapping[int, Refusal] = {
    10001: Refusal.FILTER,
    10002: Refusal.CLOCK,
    10003: Refusal.KEY,
    10004: Refusal.KEY,
    10005: Refusal.KEY,
    10006: Refusal.LIMIT,
    10007: Refusal.KEY,
    10008: Refusal.KEY,
    10009: Refusal.KEY,
    10010: Refusal.KEY,
    10018: Refusal.LIMIT,
    10024: Refusal.KEY,
    10027: Refusal.KEY,
    10028: Refusal.ACCOUNT,
    10029: Refusal.KEY,
    33004: Refusal.KEY,
    110001: Refusal.GONE,
    110003: Refusal.FILTER,
    110004: Refusal.MARGIN,
    110006: Refusal.MARGIN,
    110007: Refusal.MARGIN,
    110008: Refusal.GONE,
    110009: Refusal.FILTER,
    110010: Refusal.GONE,
    110012: Refusal.MARGIN,
    110013: Refusal.ACCOUNT,
    110017: Refusal.NO_POSITION,
    110020: Refusal.FILTER,
    110023: Refusal.CLOSED_MARKET,
    110024: Refusal.ACCOUNT,
    110025: Refusal.UNCHANGED,
    110026: Refusal.UNCHANGED,
    110028: Refusal.ACCOUNT,
    110030: Refusal.TAKEN,
    110034: Refusal.NO_POSITION,
    110043: Refusal.UNCHANGED,
    110044: Refusal.MARGIN,
    110045: Refusal.MARGIN,
    110052: Refusal.MARGIN,
    110063: Refusal.CLOSED_MARKET,
    110064: Refusal.GONE,
    110066: Refusal.CLOSED_MARKET,
    110072: Refusal.TAKEN,
    110090: Refusal.ACCOUNT,
    110092: Refusal.TRIGGER_PASSED,
    110093: Refusal.TRIGGER_PASSED,
    110094: Refusal.FILTER,
    30001: Refusal.TAKEN,
    170213: Refusal.GONE,
}
"""What each retCode means for a bot (Bybit V5 error list; exchange-facts §4.2)."""


def meaning(code: int, message: str) -> Refusal | None:
    """What a refusal means; None when an order may exist all the same. Only its words tell apart what 10001 covers."""
    if code in UNKNOWN_CODES:
        return None
    lowered = message.lower()
    if code == 10001 and ("not modified" in lowered or "unchanged" in lowered or "no change" in lowered):
        return Refusal.UNCHANGED
    if code == 10001 and "position idx" in lowered:
        return Refusal.ACCOUNT
    if code == 10001 and "trigger" in lowered:
        return Refusal.TRIGGER_PASSED
    return REFUSALS.get(code, Refusal.OTHER)


KEY_FAULTS = {
    "10003": KeyFault.UNKNOWN_KEY,
    "10004": KeyFault.WRONG_SECRET,
    "10005": KeyFault.RIGHTS,
    "10010": KeyFault.ADDRESS,
    "33004": KeyFault.EXPIRED,
}
ENVELOPE = Envelope(code="retCode", message="retMsg", payload="result", meaning=meaning, key_faults=KEY_FAULTS)


def result_of(answer: object) -> Mapping[str, Any]:
    """The `result` of a complete, successful envelope. Raises `Malformed` for anything else."""
    result = ENVELOPE.opened(answer)
    if not isinstance(result, Mapping):
        raise Malformed("The exchange's answer has no result.")
    return result


def rows_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of one page. Raises `Malformed` when the list is missing: a missing list is not an empty one (A8)."""
    rows = result.get("list")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Malformed("The exchange's answer has no list.")
    return rows
