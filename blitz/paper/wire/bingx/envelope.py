"""BingX's answer envelope, its codes and their usual texts. HTTP stays 200 whatever the code says.

The engine refuses with Bybit's numbers for what both exchanges know and with BingX's own for the rest; `code_of` is
the one place where the former become BingX's.
"""

from typing import Any

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.text import JsonObject

WITHOUT_DATA: JsonObject = {}
"""What a handler answers when the envelope carries no data."""

CODES = {
    10001: 109400,
    10002: 100421,
    10003: 100413,
    10004: 100001,
    10005: 100004,
    10006: 100410,
    10007: 100413,
    10010: 100419,
    10016: 109500,
    10018: 100410,
    10028: 100004,
    33004: 100413,
    110001: 109421,
    110003: 109400,
    110007: 101204,
    110009: 80013,
    110012: 101204,
    110013: 109400,
    110017: 101290,
    110020: 80013,
    110024: 109400,
    110028: 109400,
    110043: 109400,
    110057: 109400,
    110064: 109400,
    110072: 101481,
    110090: 101209,
    110092: 110412,
    110093: 110413,
    110094: 110425,
    3400045: 101253,
}
"""The engine's (and Bybit's) numbers as BingX gives them."""

MESSAGES = {
    80013: "The number of your entrusted orders has reached the system limit",
    80018: "The order is already filled",
    100001: "Signature verification failed",
    100004: "Permission denied, the API key was created without the permission",
    100410: "The current system is busy, please try again later",
    100413: "Incorrect apiKey",
    100419: "IP does not match IP whitelist",
    100421: "Null timestamp or timestamp mismatch",
    100500: "The current system is busy, please try again later",
    101204: "Insufficient margin",
    101205: "No position to close",
    101209: "The maximum position value for this leverage has been reached",
    101215: "The Post Only order would take liquidity and was not placed",
    101253: "margin is not enough",
    101290: "The Reduce Only order can only decrease your position",
    101481: "The client order ID already exists",
    109201: "The same order was submitted within one second",
    109421: "The order does not exist",
    109500: "The current system is busy, please try again later",
    110500: "The current system is busy, please try again later",
}

PARAMETERS = 109400
PAIR_UNKNOWN = 109425
ORDER_FILLED = 80018
ORDER_UNKNOWN = 109421
OWN_WORDS = frozenset({101204, 101209, 101253, 101290, 101481, 80013, 109421})
"""Codes whose text is BingX's even when the engine has words of its own."""


def code_of(code: int) -> int:
    """A refusal's number as BingX gives it."""
    return CODES.get(code, code)


def success(result: Any) -> JsonObject:
    """The envelope of a granted request."""
    envelope = {"code": 0, "msg": ""}
    return envelope if result is WITHOUT_DATA else {**envelope, "data": result}


def refusal(no: VenueRefusal) -> JsonObject:
    """The envelope of a refused request."""
    code = code_of(no.code)
    if code == PARAMETERS and no.code == 10001:
        return {"code": code, "msg": f"Invalid parameters, err:{no.message.removeprefix('params error: ')}", "data": {}}
    message = MESSAGES[code] if code in OWN_WORDS else no.message
    return {"code": code, "msg": message, "data": {}}


def message_of(code: int) -> str:
    """The usual text of a code."""
    return MESSAGES.get(code, "The request was refused")
