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
    if request.endpoint != "static":
        return response
    response.vary.add("Accept-Encoding")
    response.headers["Accept-Ranges"] = "none"
    is_whole_text = response.status_code == 200 and response.mimetype in TEXT_TYPES
    if not is_whole_text or not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    response.set_data(compressed(response.get_data()))
    response.headers["Content-Encoding"] = "gzip"
    etag, _ = response.get_etag()
    if etag is not None:  # that of the plain file, and these are not its bytes
        response.set_etag(etag, weak=True)
    return response


def send_whole() -> None:
    """Files are small and sent whole: a part of one form must never be put behind a part of the other."""
    if request.endpoint == "static":
        request.environ.pop("HTTP_RANGE", None)


def register(app: Flask) -> None:
    """Compress what `app` sends of its files."""
    app.before_request(send_whole)
    app.after_request(compress)
