"""How values become text on either exchange's wire: figures without exponent, JSON bytes."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import orjson

JsonObject = dict[str, Any]
AVERAGE_QUANTUM = Decimal("0.000000000001")


def plain(number: Decimal) -> str:
    """A figure without exponent, digits as the engine keeps them."""
    return format(number, "f")


def average(number: Decimal) -> str:
    """A quotient, rounded half-even to twelve places, without trailing zeros: for display, never for books."""
    text = format(number.quantize(AVERAGE_QUANTUM, rounding=ROUND_HALF_EVEN), "f").rstrip("0").rstrip(".")
    return text or "0"


def encode(answer: JsonObject) -> bytes:
    """JSON bytes. Figures are already strings; a Decimal that slips through is an error, not a float."""
    return orjson.dumps(answer)
