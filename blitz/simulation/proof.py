"""The proof that each safety guard is needed: switched off, a checker must go red within a bounded number of seeds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blitz.core.guards import Guard
from blitz.simulation.faults import Fault
from blitz.simulation.runner import run_seeds
from blitz.simulation.seeds import SeedOptions

SEEDS_MAX = 2_000
"""A guard that this many seeds do not miss is one that the simulator is too kind to need."""


MARKET = frozenset({Fault.GAP_THROUGH_ALL, Fault.GAP_THROUGH_LEGS})
FOCUS: dict[Guard, frozenset[Fault]] = {
    Guard.SECOND_LOOK: MARKET | {Fault.CREATE_ANSWER_LOST, Fault.CREATE_LATE, Fault.EMPTY_LIST, Fault.NETWORK_DOWN},
    Guard.FRESH_LOOK: MARKET | {Fault.HUNG, Fault.LEG_CANCELLED_BY_HAND},
    Guard.INTENT_EXPIRES: MARKET | {Fault.PAUSED, Fault.LEG_CANCELLED_BY_HAND},
    Guard.DOUBTED_EXITS: MARKET | {Fault.CREATE_LATE},
    Guard.SETTLED_FIRST: MARKET | {Fault.CREATE_LATE, Fault.CREATE_ANSWER_LOST, Fault.VANISHED},
    Guard.ORDERS_COHERENT: MARKET | {Fault.STALE_READ, Fault.LEG_PARTLY_FILLED},
    Guard.CLOSING_CYCLE: MARKET | {Fault.CLOSED_BY_HAND, Fault.VANISHED, Fault.STALE_READ},
    Guard.SURPLUS: MARKET | {Fault.SECOND_WRITER},
}
"""Guards that only matter when several things come together: their seeds have just these faults, at full force."""


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
    options = SeedOptions(switched_off=frozenset({guard}), every=FOCUS.get(guard))
    seen = 0
    for found in run_seeds(range(seeds_max), options):
        seen = found.seeds
        if found.failing:
            first = min(found.failing, key=lambda verdict: verdict.seed)
            broken = tuple(sorted({violation.invariant for violation in first.violations}))
            return Caught(guard=guard, seeds=seen, seed=first.seed, invariants=broken, what=first.violations[0].what)
    return Caught(guard=guard, seeds=seen, seed=None)
