"""Live state as server-sent events: the page opens one stream instead of asking again and again.

A stream holds a thread of the web server, so there is a budget for each user and for all; beyond it the answer is
503 and the page polls `GET /api/bot/status`. Frames: `status` (the same JSON as that route) the moment something
changed, `feed` for each new line, `alive` every two seconds so that proxies and both ends notice a dead connection,
and `closing` when the server shuts down.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

from flask import Response, current_app, request

from blitz.web.accounts import still_signed_in, this_user
from blitz.web.errors import Problem
from blitz.web.feed import feed_row
from blitz.web.language import language, said_status
from blitz.web.services import Services, services

LOOK_SECONDS = 0.5
"""How long a page may lag behind the price; whatever else changes rings its bell."""
FRAME_SECONDS = 0.05
"""No page gets more than twenty frames a second, whatever rings."""
HEARTBEAT_SECONDS = 2.0
"""A page that was left is only noticed by writing to it, and holds its place until then."""
FEED_SECONDS = 2.0
"""So often the feed is looked at although nothing rang."""
STREAM_SECONDS_MAX = 3600.0
"""The browser then connects again by itself."""
STREAMS_PER_USER = 6
STREAMS_MAX = 64
FEED_LINES_MAX = 100
RECONNECT_MS = 2000
LINE_ID_DIGITS_MAX = 18


class StreamBudget:
    """Counts open streams; every `take` that answered True is followed by one `give_back`."""

    def __init__(self, per_user: int = STREAMS_PER_USER, in_all: int = STREAMS_MAX) -> None:
        self._lock = threading.Lock()
        self._per_user = per_user
        self._in_all = in_all
        self._open: Counter[int] = Counter()

    def take(self, user_id: int) -> bool:
        """Count one more stream, unless that is one too many."""
        with self._lock:
            if self._open[user_id] >= self._per_user or self._open.total() >= self._in_all:
                return False
            self._open[user_id] += 1
            return True

    def give_back(self, user_id: int) -> None:
        """A stream ended."""
        with self._lock:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]

    def open_streams(self) -> int:
        """How many are open now."""
        with self._lock:
            return self._open.total()


def open_stream() -> Response:
    """Answer with the stream of the signed-in user. Raises `Problem` 503 beyond the budget."""
    budget: StreamBudget = current_app.extensions["blitz_streams"]
    user_id = this_user().id
    if not budget.take(user_id):
        sentence = "Too many live views are open; this page asks every few seconds instead."
        raise Problem(503, "too_many_streams", sentence, headers={"Retry-After": "30"})
    response = Response(
        frames(services(), user_id, still_signed_in(), current_app.json.dumps, code=language(), after_id=last_seen()),
        mimetype="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
    # Not the generator's own `finally`: that never runs when the client is gone before the first frame.
    response.call_on_close(lambda: budget.give_back(user_id))
    return response


def last_seen() -> int | None:
    """The newest feed line the client has: what it says itself, or what its browser repeats after a reconnect."""
    given = request.headers.get("Last-Event-ID") or request.args.get("after_id", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= LINE_ID_DIGITS_MAX else None


def frames(
    parts: Services,
    user_id: int,
    is_let_in: Callable[[], bool],
    dumps: Any,
    *,
    code: str = "en",
    after_id: int | None = None,
) -> Generator[str, None, None]:
    """Yield frames in the language `code` until the server closes, its reader is let in no more or an hour is over.

    Feed lines begin after `after_id`, so that none is lost between a page and its stream; without it, with the next.
    """
    yield f"retry: {RECONNECT_MS}\n\n"
    newest = after_id
    if newest is None:
        newest = max((line.id for line in parts.history.latest_events(user_id, limit=1)), default=0)
    shown: dict[str, Any] | None = None
    now = time.monotonic()
    feed_due = heartbeat_due = now
    ends_at = now + STREAM_SECONDS_MAX
    with parts.manager.bells.watch(user_id) as bell:
        while (now := time.monotonic()) < ends_at:
            bell.clear()  # before the look: what rings from here on is seen by the next one
            status = parts.manager.get_bot_status(user_id)
            changed = without_time(status) != shown
            if changed:
                shown = without_time(status)
                yield f"event: status\ndata: {dumps(said_status(status, code))}\n\n"
            if changed or now >= feed_due:
                feed_due = now + FEED_SECONDS
                for line in parts.history.events(user_id, after_id=newest, limit=FEED_LINES_MAX):
                    newest = max(newest, line.id)
                    yield f"event: feed\nid: {line.id}\ndata: {dumps(feed_row(line, code))}\n\n"
            if now >= heartbeat_due:
                heartbeat_due = now + HEARTBEAT_SECONDS
                if not is_let_in():
                    return
                yield "event: alive\ndata: {}\n\n"
            if parts.closing.wait(FRAME_SECONDS):
                yield "event: closing\ndata: {}\n\n"
                return
            bell.wait(LOOK_SECONDS - FRAME_SECONDS)


def without_time(status: dict[str, Any]) -> dict[str, Any]:
    """A status without what changes by itself every second."""
    kept = {name: value for name, value in status.items() if name not in ("uptime", "looked_at")}
    protected = status.get("protected") or {}
    if protected.get("incident"):
        incident = {name: value for name, value in protected["incident"].items() if name != "seconds"}
        kept["protected"] = {**protected, "incident": incident}
    return kept
