"""The signature and time rules of signed requests, REST and websocket.

`rest` and the private sockets call it with the raw bytes received, because re-encoded parameters hash differently.
It knows neither accounts nor handlers: secrets come in as an argument.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.bybit.envelope import message_of
from blitz.paper.wire.dialect import MissingAuthentication, SecretOf

DEFAULT_RECV_WINDOW_MS = 5_000
MAX_AHEAD_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHeaders:
    """The four headers of a signed request, still text."""

    key: str
    timestamp: str
    recv_window: str
    signature: str

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "SignedHeaders":
        """Take them from the request. Raises `MissingAuthentication` when key or signature is absent."""
        key = headers.get("X-BAPI-API-KEY", "")
        signature = headers.get("X-BAPI-SIGN", "")
        if not key or not signature:
            raise MissingAuthentication
        return cls(
            key=key,
            timestamp=headers.get("X-BAPI-TIMESTAMP", ""),
            recv_window=headers.get("X-BAPI-RECV-WINDOW", ""),
            signature=signature,
        )


def hex_signature(secret: str, text: bytes) -> str:
    """Lower-case hex HMAC-SHA256."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def check_request(headers: SignedHeaders, payload: bytes, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
    """Refuse a request that is not signed and timed as the venue demands.

    `payload` is the raw query of a GET, the raw body of a POST. Key first (10003), then time (10002), then signature
    (10004). The time rule: server time - recvWindow <= timestamp < server time + 1000 ms.
    """
    secret = secret_of(headers.key)
    if secret is None:
        raise VenueRefusal(10003, message_of(10003))
    check_time(headers.timestamp, headers.recv_window, now_ms)
    signed = (headers.timestamp + headers.key + headers.recv_window).encode() + payload
    if not hmac.compare_digest(hex_signature(secret, signed), headers.signature):
        raise VenueRefusal(10004, message_of(10004))


def check_time(timestamp: str, recv_window: str, now_ms: Sequence[int]) -> None:
    """The time rule alone, against any of `now_ms`. Raises 10002 with the figures in the text, as the venue does."""
    if not timestamp.isdigit() or not (recv_window or "0").isdigit():
        raise VenueRefusal(10002, "invalid request, please check your server timestamp or recv_window param")
    stamp, window = int(timestamp), int(recv_window or DEFAULT_RECV_WINDOW_MS)
    if any(now - window <= stamp < now + MAX_AHEAD_MS for now in now_ms):
        return
    raise VenueRefusal(
        10002,
        "invalid request, please check your server timestamp or recv_window param. "
        f"req_timestamp[{stamp}],server_timestamp[{now_ms[0]}],recv_window[{window}]",
    )


def check_socket(key: str, expires: str, signature: str, secret_of: SecretOf, now_ms: Sequence[int]) -> None:
    """Refuse a websocket `auth` whose key, expiry or signature is wrong. Signed is `GET/realtime` + expires."""
    secret = secret_of(key)
    if secret is None:
        raise VenueRefusal(10003, "Invalid apikey")
    if not expires.isdigit() or not any(int(expires) > now for now in now_ms):
        raise VenueRefusal(10002, "Params expires error")
    if not hmac.compare_digest(hex_signature(secret, f"GET/realtime{expires}".encode()), signature):
        raise VenueRefusal(10004, "Params sign error")
