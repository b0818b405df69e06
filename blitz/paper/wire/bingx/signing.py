"""BingX's signature and time rule: everything travels in the query, timestamp and signature too.

Signed is `k=v` of every parameter but the signature, sorted by name, joined with `&`, as it reads after URL decoding:
parameters that hold JSON would hash differently in their encoded form.
"""

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.dialect import SecretOf

DEFAULT_RECV_WINDOW_MS = 5_000
DIGITS_MAX = 20
WRONG_SIGNATURE = 100001
NO_SIGNATURE = 100412
WRONG_KEY = 100413
WRONG_TIME = 100421


def signature_of(secret: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Lower-case hex HMAC-SHA256 of the sorted, decoded parameters."""
    text = "&".join(f"{name}={value}" for name, value in sorted(pairs) if name != "signature")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_request(key: str, query: bytes, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
    """Refuse a request that is not signed and timed as BingX demands.

    Key first (100413), then a signature at all (100412), then time (100421, both ways within `recvWindow`), then the
    signature (100001).
    """
    secret = secret_of(key) if key else None
    if secret is None:
        raise VenueRefusal(WRONG_KEY, "Incorrect apiKey")
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True)
    except UnicodeDecodeError:
        raise VenueRefusal(WRONG_SIGNATURE, "Signature verification failed") from None
    values = dict(pairs)
    if not values.get("signature"):
        raise VenueRefusal(NO_SIGNATURE, "Null signature")
    _check_time(values.get("timestamp", ""), values.get("recvWindow", ""), now_ms)
    if not hmac.compare_digest(signature_of(secret, pairs), values["signature"]):
        raise VenueRefusal(WRONG_SIGNATURE, "Signature verification failed due to signature mismatch")


def _check_time(timestamp: str, recv_window: str, now_ms: Sequence[int]) -> None:
    if not all(text.isdecimal() and len(text) <= DIGITS_MAX for text in (timestamp, recv_window or "0")):
        raise VenueRefusal(WRONG_TIME, "Null timestamp or timestamp mismatch")
    window_ms = int(recv_window or DEFAULT_RECV_WINDOW_MS)
    if not any(abs(now - int(timestamp)) <= window_ms for now in now_ms):
        raise VenueRefusal(WRONG_TIME, f"timestamp is invalid, server time is {now_ms[0]}")
