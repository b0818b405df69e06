"""How evenly the machine runs: one small piece of work, the same each time, done between the fills of a bench.

A virtual machine may stand still for some milliseconds at any moment, and no program can answer within them. What the
work took tells how much of a bench's slowest figures is the machine's.
"""

import time

ROUNDS = 4_000
"""A quarter of a millisecond or so."""
MICROSECOND_NS = 1_000


def work_us() -> int:
    """Do it once more; answers the microseconds that it took."""
    began = time.perf_counter_ns()
    total = 0
    for number in range(ROUNDS):
        total += number * number % 7
    return (time.perf_counter_ns() - began) // MICROSECOND_NS
