"""Whoever was just told of a fill goes on before the next one is told.

All threads share one interpreter. If the streams' thread reads on, everybody wakes while it still reads, each of them
stands in everybody's way, and of a thousand exits the first hundred leave when the last fill has been read. So it steps
back for a moment after each account: exits leave in the order in which fills come, and the first of them at once.
"""

import time
from collections.abc import Callable

Work = Callable[[], None]

STEP_BACK_SECONDS = 0.000_05
"""Any real pause lets another thread have the interpreter; none at all would take it back before that thread woke."""


class HandOver:
    """One for all links of a hub. Everything happens on the loop thread.

    What one account is told in a row is one hand-over: a price that passes two of its levels moves its exit once.
    """

    __slots__ = ("_pause", "_soon", "_told")

    def __init__(
        self, soon: Callable[[Callable[[], None]], object], pause: Callable[[float], None] = time.sleep
    ) -> None:
        """`soon` has something done once the loop has read what has arrived."""
        self._soon = soon
        self._pause = pause
        self._told: object | None = None
        """Whose link has told a fill that nobody had time for yet."""

    def told(self, link: object) -> None:
        """A link has told of a fill."""
        if self._told is None:
            self._soon(self._step_back)
        self._told = link

    def reads(self, link: object) -> None:
        """A link is about to read: those whom another one has told go first."""
        if self._told is not None and self._told is not link:
            self._step_back()

    def _step_back(self) -> None:
        if self._told is not None:
            self._told = None
            self._pause(STEP_BACK_SECONDS)
