"""What an answer of an exchange says about its limits: how much is left, and whether somebody is shut out and how long.

Pure. Each venue has a reader, which belongs to its profile; whatever it does not understand says nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from blitz.exchange.budget.limits import SECOND_MS, Limits

STAMP = re.compile(r"\b1\d{12}\b")
"""A moment in milliseconds inside a sentence."""


class Scope(StrEnum):
    """Who is shut out."""

    ADDRESS = "address"
    """Everybody behind this server's address."""
    USER = "user"
    """This user, at this endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one answer said about limits."""

    limit: int | None = None
    """What the user may send to the endpoint per window."""
    left: int | None = None
    """How much of that is left, by the exchange's own count."""
    shut: Scope | None = None
    shut_ms: int = 0
    """For how long."""
    served: bool = False
    """The exchange has dealt with the request: it serves this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it came from the wire, as far as limits go."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    code: int | None
    """The venue's own code in the body; None when the body has none."""
    words: str = ""


Reader = Callable[[Answer, Limits, int], Told]
"""Reads an answer that came at this moment of the venue's clock."""


def read_bybit(answer: Answer, limits: Limits, venue_ms: int) -> Told:
    """403 shuts the address out for ten minutes, 10018 and 429 for a window; 10006 shuts the user out until reset."""
    window_ms = limits.address[0].quota.window_ms
    if answer.status == 403:
        return Told(shut=Scope.ADDRESS, shut_ms=limits.address_ban_ms)
    if answer.status in {418, 429} or answer.code == 10018:
        return Told(shut=Scope.ADDRESS, shut_ms=_retry_after_ms(answer, window_ms))
    limit, left = _number(answer, "x-bapi-limit"), _number(answer, "x-bapi-limit-status")
    if answer.code != 10006:
        return Told(limit=limit, left=left, served=answer.code is not None)
    # The moment is the exchange's own. One that cannot be is no reason to wait longer than the window is.
    reset_ms = (_number(answer, "x-bapi-limit-reset-timestamp") or 0) - venue_ms
    return Told(limit=limit, shut=Scope.USER, shut_ms=reset_ms if 0 < reset_ms <= SECOND_MS else SECOND_MS, served=True)


def read_bingx(answer: Answer, limits: Limits, venue_ms: int) -> Told:
    """100410 shuts the user out of the endpoint until the moment it names, or five minutes; 418 and 429 the address.

    The same code also says that the exchange is busy, in those words: then a second is enough.
    """
    if 418 in {answer.status, answer.code}:
        return Told(shut=Scope.ADDRESS, shut_ms=_retry_after_ms(answer, limits.address_ban_ms))
    if answer.status == 403 or 429 in {answer.status, answer.code}:
        window_ms = max(rule.quota.window_ms for rule in limits.address)
        return Told(shut=Scope.ADDRESS, shut_ms=_retry_after_ms(answer, window_ms))
    if answer.code != 100410:
        return Told(left=_number(answer, "x-ratelimit-requests-remain"), served=answer.code is not None)
    named = STAMP.search(answer.words)
    named_ms = int(named[0]) - venue_ms if named else 0
    usual_ms = SECOND_MS if "busy" in answer.words.lower() else limits.user_ban_ms
    is_believable = 0 < named_ms <= limits.user_ban_ms
    return Told(shut=Scope.USER, shut_ms=named_ms if is_believable else usual_ms, served=True)


def _retry_after_ms(answer: Answer, usual_ms: int) -> int:
    """What `Retry-After` asks for, in seconds there; at least the usual."""
    return max(usual_ms, (_number(answer, "retry-after") or 0) * 1000)


def _number(answer: Answer, name: str) -> int | None:
    text = answer.headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else None
