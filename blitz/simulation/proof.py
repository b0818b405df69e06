"""The proof that each safety guard is needed: switched off, a checker must go red within a bounded number of seeds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from blitz.core.guards import Guard
from blitz.simulation.faults import Fault
from blitz.simulation.houses import HouseName
from blitz.simulation.runner import run_seeds
from blitz.simulation.seeds import SeedOptions, run_seed

SEEDS_MAX = 2_000
"""A guard that this many seeds do not miss is one that the simulator is too kind to need."""


MARKET = frozenset({Fault.GAP_THROUGH_ALL, Fault.GAP_THROUGH_LEGS})
FOCUS: dict[Guard, frozenset[Fault]] = {
    Guard.SECOND_LOOK: MARKET | {Fault.CREATE_ANSWER_LOST, Fault.CREATE_LATE, Fault.EMPTY_LIST, Fault.NETWORK_DOWN},
    Guard.FRESH_LOOK: MARKET | {Fault.HUNG, Fault.LEG_CANCELLED_BY_HAND, Fault.CREATE_LOST},
    Guard.INTENT_EXPIRES: MARKET | {Fault.PAUSED, Fault.LEG_CANCELLED_BY_HAND},
    Guard.EXIT_FENCE: MARKET | {Fault.CREATE_LATE, Fault.CREATE_ANSWER_LOST},
    Guard.DOUBTED_EXITS: MARKET | {Fault.CREATE_LATE},
    Guard.SETTLED_FIRST: MARKET | {Fault.CREATE_LATE, Fault.CREATE_ANSWER_LOST, Fault.VANISHED},
    Guard.ORDERS_COHERENT: MARKET | {Fault.STALE_READ, Fault.LEG_PARTLY_FILLED},
    Guard.ADOPTED_LEGS: MARKET | {Fault.DATABASE_EMPTIED, Fault.BACKUP_RESTORED, Fault.STALE_READ},
    Guard.LISTED_TWICE: MARKET | {Fault.DATABASE_EMPTIED, Fault.BACKUP_RESTORED, Fault.EMPTY_LIST, Fault.NETWORK_DOWN},
    Guard.REPLACED_IS_OVER: MARKET | {Fault.AMEND_ANSWER_LOST, Fault.EMPTY_LIST, Fault.NETWORK_DOWN},
    Guard.LEGS_NOT_REPLACED: MARKET | {Fault.LEG_EDITED_BY_HAND, Fault.LEG_PARTLY_FILLED},
    Guard.OWN_STOPS: MARKET | {Fault.FOREIGN_STOP},
    Guard.RESTS: MARKET | {Fault.CLOSED_BY_HAND, Fault.COMMIT_UNANSWERED, Fault.KILLED_UNANSWERED},
    Guard.SURPLUS: MARKET | {Fault.SECOND_WRITER},
}
"""Guards that only matter when several things come together: their seeds have just these faults, at full force."""
HOUSE: dict[Guard, HouseName] = {
    Guard.DOUBTED_EXITS: HouseName.BYBIT,
    Guard.REPLACED_IS_OVER: HouseName.BINGX,
    Guard.LEGS_NOT_REPLACED: HouseName.BINGX,
    Guard.OWN_STOPS: HouseName.BINGX,
}
"""Guards that are missed by the rules of one exchange only, or much sooner."""


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


def options_for(guard: Guard) -> SeedOptions:
    """The seeds in which a guard is looked for."""
    return SeedOptions(every=FOCUS.get(guard), house=HOUSE.get(guard))


def _without(guard: Guard, seeds_max: int) -> Caught:
    """A seed counts only when it is green with the guard in force: what goes red then is the guard's doing."""
    kept = options_for(guard)
    seen, looked_at = 0, 0
    for found in run_seeds(range(seeds_max), replace(kept, switched_off=frozenset({guard}))):
        seen = found.seeds
        for verdict in sorted(found.failing[looked_at:], key=lambda one: one.seed):
            if run_seed(verdict.seed, kept).violations:
                continue
            broken = tuple(sorted({violation.invariant for violation in verdict.violations}))
            what = verdict.violations[0].what
            return Caught(guard=guard, seeds=seen, seed=verdict.seed, invariants=broken, what=what)
        looked_at = len(found.failing)
    return Caught(guard=guard, seeds=seen, seed=None)
