"""What came of a cancel-and-replace: two outcomes in one answer, of which the second may be bad news alone.

With `STOP_ON_FAILURE` an order that cannot be cancelled stops the whole: nothing changes. An order that was cancelled
and whose successor was refused leaves nothing at rest (trap 21).
"""

import re
from collections.abc import Mapping
from typing import Any

import ccxt

from blitz.core.calls import Accepted, Pulled, Refusal, Rejected, Unknown
from blitz.exchange.answers import Malformed, body_in, shortened
from blitz.exchange.bingx import rows as read
from blitz.exchange.bingx.codes import ENVELOPE, data_of, meaning
from blitz.exchange.rows import identifier

NOTHING_DONE = frozenset({Refusal.KEY, Refusal.CLOCK, Refusal.LIMIT, Refusal.CLOSED_MARKET, Refusal.GONE})
"""Refusals of the whole request, or of its first half; any other one may have come after the old order was gone."""

GONE_WORDS = ("not exist", "not found", "already filled", "already cancel", "been filled", "been cancel")


def outcome(answer: object) -> Accepted | Rejected | Pulled | Unknown:
    """Read a successful answer. Raises `Malformed` when one of the two outcomes is missing."""
    data = data_of(answer)
    if not read.truth(data, "cancelResult"):
        return _kept(str(data.get("cancelMsg", "")))
    if read.truth(data, "replaceResult"):
        order = data.get("newOrderResponse")
        if not isinstance(order, Mapping):
            raise Malformed("The exchange's answer names no new order.")
        return Accepted(order_id=identifier(order, "orderId"))
    return _pulled(str(data.get("replaceMsg", "")))


def refused(problem: ccxt.BaseError) -> Rejected | Pulled | Unknown:
    """Read an error. It may still carry both outcomes; without them only a refusal of the whole is certain."""
    said = ENVELOPE.classified(problem)
    if isinstance(said, Unknown):
        return said
    data = body_in(str(problem)).get("data")
    if isinstance(data, Mapping) and "cancelResult" in data:
        return _refused_half(data, said)
    return said if said.refusal in NOTHING_DONE else Unknown(reason=f"{said.code}: {said.message}")


def _refused_half(data: Mapping[str, Any], said: Rejected) -> Rejected | Pulled | Unknown:
    try:
        was_cancelled = read.truth(data, "cancelResult")
    except Malformed as problem:
        return Unknown(reason=str(problem))
    if not was_cancelled:
        return said
    return Pulled(refusal=said.refusal, code=said.code, message=said.message)


def _kept(message: str) -> Rejected:
    """The old order could not be cancelled. Without a reason nobody knows whether it still rests; a look tells."""
    refusal, code = _refusal_in(message)
    if any(word in message.lower() for word in GONE_WORDS):
        refusal = Refusal.GONE
    return Rejected(refusal=refusal, code=code, message=shortened(message))


def _pulled(message: str) -> Pulled:
    refusal, code = _refusal_in(message)
    return Pulled(refusal=refusal, code=code, message=shortened(message))


def _refusal_in(message: str) -> tuple[Refusal, str]:
    """What the code in the words of one half means; these words carry their code only within the text."""
    for code in re.findall(r"(?<!\d)\d{5,6}(?!\d)", message):
        refusal = meaning(int(code), message)
        if refusal not in {None, Refusal.OTHER}:
            return refusal or Refusal.OTHER, code
    return Refusal.OTHER, ""
