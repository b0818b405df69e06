"""The simulated world: one heap of things to come, one clock, one source of chance. Everything else hangs on it.

Time passes only between events, so a seed that spans minutes runs in milliseconds. Every kind of chance has its own
generator, drawn from the seed and a name: leaving one fault out does not change the course of the others, which is what
lets a failing seed be shrunk.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from blitz.simulation.faults import Coverage, Fault, Swarm
from blitz.simulation.trace import Trace

EPOCH_MS = 1_700_000_000_000
EVENTS_MAX = 400_000
"""A seed that has more events than this runs in circles."""

Act = Callable[[], None]


class EndlessSeed(Exception):
    """The seed does not come to its end."""


@dataclass(slots=True)
class World:
    """Time, chance, and what is still to come."""

    seed: int
    swarm: Swarm
    trace: Trace
    coverage: Coverage = field(default_factory=Coverage)
    now_ms: int = EPOCH_MS
    calm: bool = False
    """After the chaos: no fault strikes any more."""
    _heap: list[tuple[int, int, Act]] = field(default_factory=list)
    _order: int = 0
    _events: int = 0
    _chances: dict[str, random.Random] = field(default_factory=dict)

    def chance(self, name: str) -> random.Random:
        """The generator of one kind of chance."""
        found = self._chances.get(name)
        if found is None:
            found = self._chances[name] = random.Random(f"{self.seed}:{name}")
        return found

    def strikes(self, fault: Fault, rate: float) -> bool:
        """Say whether a fault strikes now; `rate` is its usual probability, the swarm sharpens or blunts it."""
        strength = self.swarm.force.get(fault)
        if strength is None or self.calm:
            return False
        return self.chance(fault.value).random() < rate * strength

    def after(self, delay_ms: int, act: Act) -> None:
        """Let `act` happen `delay_ms` from now; acts of one moment keep their order."""
        self._order += 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._order, act))

    def run_until(self, moment_ms: int) -> None:
        """Let everything happen that is due up to `moment_ms`."""
        heap = self._heap
        while heap and heap[0][0] <= moment_ms:
            at_ms, _, act = heapq.heappop(heap)
            self.now_ms = max(self.now_ms, at_ms)
            self._events += 1
            if self._events > EVENTS_MAX:
                raise EndlessSeed(f"more than {EVENTS_MAX} events")
            act()
        self.now_ms = max(self.now_ms, moment_ms)

    def tell(self, line: str) -> None:
        """Add a line to the seed's story."""
        self.trace.tell(self.now_ms - EPOCH_MS, line)
