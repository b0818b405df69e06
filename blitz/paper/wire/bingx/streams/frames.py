"""Frames: everything BingX sends is gzip in a binary frame, its `Ping` too."""

import gzip
from typing import Any

import orjson

FASTEST = 1


def zipped(message: dict[str, Any]) -> bytes:
    """A message as a frame."""
    return gzip.compress(orjson.dumps(message), FASTEST, mtime=0)


PING = gzip.compress(b"Ping", FASTEST, mtime=0)
