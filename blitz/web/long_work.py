"""Answers that cost more than others: a user gets so many at once, and so much of the processor in a minute.

Counting requests is no bound here: one look at a long history takes seconds, at a short one nothing. While somebody's
figures are added up the bots of everybody else wait, so whoever has used up a share is told to wait a moment. Files of
whole tables have places of their own: whoever reads one slowly holds a thread of the web server until the end.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from flask import Flask, Response, current_app

from blitz.web.errors import WORDS, Problem
from blitz.web.stream import StreamBudget

T = TypeVar("T")

AT_ONCE = 4
"""Per user: two pages that ask for figures and a table each."""
SECONDS_MAX = 20.0
"""Of the processor, per user and window."""
WINDOW_SECONDS = 60.0
FILES_PER_USER = 4
FILES_MAX = 8
"""Half of the threads that event streams leave to everybody."""


class LongWork:
    """What each user's answers cost lately. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = StreamBudget(AT_ONCE, AT_ONCE * FILES_MAX)
        self._spent: dict[int, deque[tuple[float, float]]] = {}

    @contextmanager
    def of(self, user_id: int) -> Iterator[None]:
        """Do something for a user that may take long. Raises `Problem` 429 when that is too much."""
        self.check(user_id)
        if not self._under_way.take(user_id):
            refuse()
        began = time.thread_time()
        try:
            yield
        finally:
            self._under_way.give_back(user_id)
            self._add(user_id, time.thread_time() - began)

    def check(self, user_id: int) -> None:
        """Raise `Problem` 429 when the user has used up what there is for now."""
        if self.seconds_of(user_id) >= SECONDS_MAX:
            refuse()

    def counted(self, user_id: int, pages: Iterable[T]) -> Iterator[T]:
        """The pages of a file, whose making counts for the user; the time that its reader takes does not."""
        began = time.thread_time()
        for page in pages:
            self._add(user_id, time.thread_time() - began)
            yield page
            began = time.thread_time()

    def _add(self, user_id: int, seconds: float) -> None:
        with self._lock:
            self._spent.setdefault(user_id, deque()).append((time.monotonic(), seconds))

    def seconds_of(self, user_id: int) -> float:
        """What the user has used in the window."""
        with self._lock:
            spent, begin = self._spent.get(user_id), time.monotonic() - WINDOW_SECONDS
            if spent is None:
                return 0.0
            while spent and spent[0][0] <= begin:
                spent.popleft()
            if not spent:
                del self._spent[user_id]
            return sum(seconds for _, seconds in spent)


def refuse() -> NoReturn:
    """Tell a user to wait."""
    raise Problem(429, *WORDS[429], headers={"Retry-After": "10"})


def long_work() -> LongWork:
    """That of the app which answers the current request."""
    found: LongWork = current_app.extensions["blitz_long_work"]
    return found


def take_place_for_file(user_id: int) -> StreamBudget:
    """Count one more file that is being sent. Raises `Problem` 429 when that is too much."""
    long_work().check(user_id)
    places: StreamBudget = current_app.extensions["blitz_files"]
    if not places.take(user_id):
        refuse()
    return places


def until_sent(response: Response, places: StreamBudget, user_id: int) -> Response:
    """Give the place back when the file has been sent, or nobody reads it any more."""
    response.call_on_close(lambda: places.give_back(user_id))
    return response


def register(app: Flask) -> None:
    """Count for `app`."""
    app.extensions["blitz_long_work"] = LongWork()
    app.extensions["blitz_files"] = StreamBudget(FILES_PER_USER, FILES_MAX)
