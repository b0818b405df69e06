"""Decides what an answer of Bybit is worth: the thing asked for, a definite refusal, or unknown.

Decisions are made by the venue's code and never by ccxt's exception class: 10002 is a `NetworkError` there, a duplicate
id an `InvalidOrder`. An answer that is not a complete envelope is unknown, because an empty 200 looks like "no orders".
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import ccxt

from blitz.core.calls import Refusal, Rejected, Unknown

T = TypeVar("T")
MESSAGE_MAX = 200

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


class Malformed(Exception):
    """The answer is not what this request is answered with; the caller turns it into `Unknown`."""


def asked(request: Callable[[], T]) -> T | Rejected | Unknown:
    """Run a request that changes nothing or whose effect the venue would tell of; classify what goes wrong."""
    try:
        return request()
    except Malformed as problem:
        return Unknown(reason=str(problem))
    except UnicodeDecodeError:  # ccxt hands through what is not even text
        return Unknown(reason="The exchange's answer is not text.")
    except ccxt.BaseError as problem:
        return classified(problem)


def classified(problem: ccxt.BaseError) -> Rejected | Unknown:
    """A definite refusal when the venue's own code says so, else unknown."""
    text = str(problem)
    envelope = _envelope_in(text)
    if envelope is None or "retCode" not in envelope:
        if isinstance(problem, ccxt.NetworkError):  # its text is an address: nothing a trader could use
            return Unknown(reason=f"The exchange does not answer ({type(problem).__name__}).")
        return Unknown(reason=_short(f"{type(problem).__name__}: {text}"))
    code, message = int(envelope["retCode"]), _short(str(envelope.get("retMsg", "")))
    if code == 0 or code in UNKNOWN_CODES:  # an error around a success: ccxt stumbled, the venue may have acted
        return Unknown(reason=f"{code}: {message}")
    return Rejected(refusal=_refusal(code, message), code=str(code), message=message)


def _refusal(code: int, message: str) -> Refusal:
    """10001 covers several things; its words tell them apart."""
    lowered = message.lower()
    if code == 10001 and ("not modified" in lowered or "unchanged" in lowered or "no change" in lowered):
        return Refusal.UNCHANGED
    if code == 10001 and "position idx" in lowered:
        return Refusal.ACCOUNT
    if code == 10001 and "trigger" in lowered:
        return Refusal.TRIGGER_PASSED
    return REFUSALS.get(code, Refusal.OTHER)


def _envelope_in(text: str) -> dict[str, Any] | None:
    """The JSON body that ccxt puts behind its exchange id in the message of an error."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        body, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    is_code = isinstance(body, dict) and isinstance(body.get("retCode"), int)
    return body if is_code else None


def result_of(answer: object) -> Mapping[str, Any]:
    """The `result` of a complete, successful envelope. Raises `Malformed` for anything else."""
    if not isinstance(answer, Mapping) or "retCode" not in answer:
        raise Malformed("The exchange's answer is empty or not an answer of its API.")
    if str(answer["retCode"]) != "0":
        raise Malformed(f"The exchange answered {answer['retCode']} without saying it as an error.")
    result = answer.get("result")
    if not isinstance(result, Mapping):
        raise Malformed("The exchange's answer has no result.")
    return result


def rows_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of one page. Raises `Malformed` when the list is missing: a missing list is not an empty one (A8)."""
    rows = result.get("list")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Malformed("The exchange's answer has no list.")
    return rows


def misfit(problem: Exception) -> Rejected:
    """The request could not be built by the market's rules as they are known here: it never left this machine."""
    return Rejected(refusal=Refusal.FILTER, code="not sent", message=_short(str(problem)))


def _short(text: str) -> str:
    cleaned = " ".join(text.split())
    return cleaned if len(cleaned) <= MESSAGE_MAX else cleaned[:MESSAGE_MAX] + "…"
