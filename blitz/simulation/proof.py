"""The proof that each safety guard is needed: switched off, a checker must go red within a bounded number of seeds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blitz.core.guards import Guard
from blitz.simulation.runner import run_seeds
from blitz.simulation.seeds import SeedOptions

SEEDS_MAX = 2_000
"""A guard that this many seeds do not miss is one that the simulator is too kind to need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What happened without a guard."""

    guard: Guard
    seeds: int
    """How many seeds it took."""
    seed: int | None
    """The first that went red; None when none did."""
    invariants: tuple[str, ...] = ()
    what: str = ""


def prove(guards: Iterable[Guard] = tuple(Guard), *, seeds_max: int = SEEDS_MAX) -> Iterator[Caught]:
    """Switch each guard off in turn, and run seeds until one goes red."""
    for guard in guards:
        yield _without(guard, seeds_max)


def _without(guard: Guard, seeds_max: int) -> Caught:
    options = SeedOptions(switched_off=frozenset({guard}))
    seen = 0
    for found in run_seeds(range(seeds_max), options):
        seen = found.seeds
        if found.failing:
            first = min(found.failing, key=lambda verdict: verdict.seed)
            broken = tuple(sorted({violation.invariant for violation in first.violations}))
            return Caught(guard=guard, seeds=seen, seed=first.seed, invariants=broken, what=first.violations[0].what)
    return Caught(guard=guard, seeds=seen, seed=None)
