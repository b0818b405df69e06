"""How evenly the machine runs: one small piece of work, the same each time, done between the fills of a bench.

A virtual machine may stand still for some milliseconds at any moment, and no program can answer within them. What the
work took tells how much of a bench's slowest figures is the machine's.
"""

import time

ROUNDS = 4_000
"""A quarter of a millisecond or so."""
MICROSECOND_NS = 1_000


class Evenness:
    """The times that the work took."""

    def __init__(self) -> None:
        self.took_us: list[int] = []

    def work(self) -> None:
        """Do it once more."""
        began = time.perf_counter_ns()
        total = 0
        for number in range(ROUNDS):
            total += number * number % 7
        self.took_us.append((time.perf_counter_ns() - began) // MICROSECOND_NS)
