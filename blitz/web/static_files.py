"""Files of the pages, compressed once. Pages themselves are not: they hold tokens beside what a stranger may choose."""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

TEXT_TYPES = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
FILES_MAX = 64
LEVEL = 6


@lru_cache(maxsize=FILES_MAX)
def compressed(body: bytes) -> bytes:
    """The same bytes, smaller."""
    return gzip.compress(body, LEVEL, mtime=0)


def compress(response: Response) -> Response:
    """Send a text file compressed to whoever takes it so."""
    if request.endpoint != "static" or response.status_code != 200 or response.mimetype not in TEXT_TYPES:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    response.set_data(compressed(response.get_data()))
    response.headers["Content-Encoding"] = "gzip"
    return response


def register(app: Flask) -> None:
    """Compress what `app` sends of its files."""
    app.after_request(compress)
