"""Bells: who watches a user's bot is woken the moment there is something new to see, instead of asking again and again.

Rung by the bots' threads, which must not wait: without a watcher a ring costs a look into a dictionary.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Bells:
    """One bell for each watcher of each user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[threading.Event, ...]] = {}

    def ring(self, user_id: int) -> None:
        """There is something new to see of this user's bot."""
        for bell in self._watched.get(user_id, ()):
            bell.set()

    @contextmanager
    def watch(self, user_id: int) -> Iterator[threading.Event]:
        """Answer an event that is set from now on whenever something changes; whoever waits on it clears it."""
        bell = threading.Event()
        with self._lock:
            self._watched[user_id] = (*self._watched.get(user_id, ()), bell)
        try:
            yield bell
        finally:
            with self._lock:
                left = tuple(each for each in self._watched[user_id] if each is not bell)
                if left:
                    self._watched[user_id] = left
                else:
                    del self._watched[user_id]
