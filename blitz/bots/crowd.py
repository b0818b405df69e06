"""Keeps a crowd of threads from stepping on each other's feet.

When a thousand bots are told of their fills at once, a thousand threads want to compute and send. Only one of them can
compute at a time; the others would wake, find a lock taken and sleep again, over and over. So only a few are let
through at a time. The rest sleep until it is their turn, but never longer than a moment: somebody's slow exchange must
not hold up others (L8).
"""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from blitz.core.ladder_settings import Mode

NEAR = 4
"""At an exchange on this machine more at once would only wait for each other."""
FAR = 100
"""At a real one each waits for the network most of the time."""
PATIENCE_SECONDS = 0.5


class Doorway:
    """Lets so many through at a time, in the order in which they came, and everybody after a moment."""

    def __init__(self, width: int) -> None:
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(width):
            self._free.put(None)

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Wait for a place and hold it."""
        try:
            self._free.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            yield
            return
        try:
            yield
        finally:
            self._free.put(None)


class Doorways:
    """One for the paper exchange and one for those far away; shared by all bots of a server."""

    def __init__(self) -> None:
        self._near, self._far = Doorway(NEAR), Doorway(FAR)

    def of(self, mode: Mode) -> Doorway:
        """The one for this mode."""
        return self._near if mode is Mode.PAPER else self._far
