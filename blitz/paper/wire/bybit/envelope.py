"""Bybit's answer envelope and the texts of its codes. Every REST answer is made here; it decides nothing."""

from blitz.paper.wire.text import JsonObject

# Texts as the venue's error table gives them, for answers made by the wire itself or by an injected fault.
MESSAGES = {
    10001: "Request parameter error.",
    10002: "The request time exceeds the time window range.",
    10003: "API key is invalid.",
    10004: "Error sign, please check your signature generation algorithm.",
    10005: "Permission denied, please check your API key permissions.",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10007: "User authentication failed.",
    10010: "Unmatched IP, please check your API key's bound IP addresses.",
    10016: "Internal server error.",
    10018: "Exceeded the IP Rate Limit.",
    10028: "The API can only be accessed by unified account users.",
    33004: "Your api key has expired.",
    110001: "order not exists or too late to replace",
    110007: "ab not enough for new order",
    110017: "current position is zero, cannot fix reduce-only order qty",
    110072: "OrderLinkedID is duplicate",
}


def success(result: JsonObject, now_ms: int) -> JsonObject:
    """The envelope of a granted request."""
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}


def refusal(code: int, message: str, now_ms: int) -> JsonObject:
    """The envelope of a refused request: HTTP stays 200, the code tells."""
    return {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": now_ms}


def message_of(code: int) -> str:
    """The usual text of a code."""
    return MESSAGES.get(code, "Request refused.")
