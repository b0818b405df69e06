"""Keeps the C library from hoarding memory: caches for each of a thousand threads, and what all of them have freed.

glibc gives every thread a cache of freed blocks. A bot's holds about 35 KiB, which it needs for a few milliseconds now
and then. The cache can only be switched off before the process starts, so the program starts itself once more.
"""

import ctypes
import gc
import os
import platform
import sys

TUNABLES = "GLIBC_TUNABLES"
NO_CACHES = "glibc.malloc.tcache_count=0:glibc.malloc.mmap_threshold=131072"
"""Large buffers, such as the 256 KiB that each TLS connection has and never fills, stay out of the heaps as well: there
every one would in time be made of pages that others have used."""


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


def leave_alone(*, search_all: bool) -> None:
    """Look for garbage, and let no later search of the interpreter's go through what is left.

    A thousand bots are a million objects that stay; a search through all of them stops everything for a third of a
    second, at whatever moment it comes. Without `search_all` only what is new since the last call is gone through, and
    whatever became garbage of the rest waits for a call with it.
    """
    if search_all:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
