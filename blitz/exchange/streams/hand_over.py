"""Whoever was just told of a fill goes on before the next one is told.

All threads share one interpreter. If the streams' thread reads on, everybody wakes while it still reads, each of them
stands in everybody's way, and of a thousand exits the first hundred leave when the last fill has been read. So it steps
back for a moment behind each fill: exits leave in the order in which fills come, and the first of them at once.
"""

import time
from collections import deque
from collections.abc import Callable

Work = Callable[[], None]

STEP_BACK_SECONDS = 0.000_05
"""Any real pause lets another thread have the interpreter; none at all would take it back before that thread woke."""
CROWD = 100
CROWD_SECONDS = 1.0
"""So many fills in so short a time are a crowd: everybody is filled at once, and exits need the whole machine."""


class HandOver:
    """One for all links of a hub. Everything happens on the loop thread.

    In a crowd, what one account is told in a row is one hand-over: a price that passes two of its levels moves its exit
    once, and costs one request where the exchange allows few.
    """

    __slots__ = ("_lately", "_pause", "_soon", "_told")

    def __init__(self, soon: Callable[[Work], object], pause: Callable[[float], None] = time.sleep) -> None:
        """`soon` has something done once the loop has read what has arrived by now."""
        self._soon = soon
        self._pause = pause
        self._told: object | None = None
        """Whose link has told a fill that nobody had time for yet."""
        self._lately: deque[float] = deque(maxlen=CROWD)
        """When the last fills were told, monotonic seconds."""

    def told(self, link: object) -> None:
        """A link has told of a fill."""
        self._lately.append(time.monotonic())
        is_first = self._told is None
        self._told = link
        if not self.is_crowded:
            self._step_back()
        elif is_first:
            self._soon(self._step_back)

    @property
    def is_crowded(self) -> bool:
        """Whether a crowd was told of fills within the last second. Safe in any thread."""
        lately = self._lately
        return len(lately) == lately.maxlen and time.monotonic() - lately[0] < CROWD_SECONDS

    def reads(self, link: object) -> None:
        """A link is about to read: those whom another one has told go first."""
        if self._told is not None and self._told is not link:
            self._step_back()

    def _step_back(self) -> None:
        if self._told is not None:
            self._told = None
            self._pause(STEP_BACK_SECONDS)
