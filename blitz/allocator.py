"""Keeps the C library from hoarding memory: caches for each of a thousand threads, and what all of them have freed.

glibc gives every thread a cache of freed blocks. A bot's holds about 35 KiB, which it needs for a few milliseconds now
and then. The cache can only be switched off before the process starts, so the program starts itself once more.
"""

import ctypes
import gc
import os
import platform
import sys
from collections import deque

TUNABLES = "GLIBC_TUNABLES"
NO_CACHES = "glibc.malloc.tcache_count=0:glibc.malloc.mmap_threshold=131072"
"""Large buffers, such as the 256 KiB that each TLS connection has and never fills, stay out of the heaps as well: there
every one would in time be made of pages that others have used."""

YOUNG_OBJECTS = 700
"""The interpreter looks for garbage whenever it has made this many more objects than it did away with: its default."""
NEVER = 2**30
CROWD_OBJECTS = 7_000
"""So many new ones within a second are a crowd: everybody is filled at once, and each millisecond counts."""
PUT_OFF_MAX = 20
FIRST_SEARCHES_SECONDS = (20.0, 60.0, 300.0)
"""When everything is gone through after the start: laying ladders leaves more behind than minding them."""
SEARCH_EVERY_SECONDS = 3_600.0


def without_thread_caches() -> None:
    """Start this very command again with thread caches off, in this process; return when that is so already.

    Whoever has set tunables of their own keeps them.
    """
    if TUNABLES in os.environ or platform.libc_ver()[0] != "glibc":
        return
    environment = {**os.environ, TUNABLES: NO_CACHES}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - no shell is wanted


def give_back() -> None:
    """Give freed memory back to the system, where the C library is one that has to be asked."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


class Tidying:
    """Looks for garbage when nobody has to wait for it. Made and told of the time by one thread of a program.

    Most of a thousand bots is a million objects that stay, and a search through all of them stops everything for a
    third of a second, at whatever moment it comes. So the interpreter itself only goes through what was made just now.
    What is new since the last second is gone through here, unless there is a crowd of it, and left alone from then on;
    whatever becomes garbage later waits for one of the few searches through everything.
    """

    def __init__(self, now: float) -> None:
        """`now`: seconds of a monotonic clock, as everywhere here."""
        gc.set_threshold(YOUNG_OBJECTS, NEVER)
        self._first = deque(now + seconds for seconds in FIRST_SEARCHES_SECONDS)
        self._next = self._first.popleft()
        self._before = gc.get_count()[1] * YOUNG_OBJECTS
        self._put_off = 0

    def tick(self, now: float) -> bool:
        """Do what is due; to be called once a second. True after a search through everything."""
        if now >= self._next:
            self._next = self._first.popleft() if self._first else now + SEARCH_EVERY_SECONDS
            leave_alone(search_all=True)
            return True
        new = gc.get_count()[1] * YOUNG_OBJECTS
        is_crowd = new - self._before > CROWD_OBJECTS and self._put_off < PUT_OFF_MAX
        self._put_off = self._put_off + 1 if is_crowd else 0
        self._before = new if is_crowd else 0
        if not is_crowd:
            leave_alone(search_all=False)
        return False


def leave_alone(*, search_all: bool) -> None:
    """Look for garbage in what is new since the last call, or in everything, and leave alone what remains."""
    if search_all:
        gc.unfreeze()
    gc.collect(2 if search_all else 1)
    gc.freeze()
