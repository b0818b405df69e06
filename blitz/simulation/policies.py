"""The order-id policies that other bots have, for a comparison: the real core with some of its guards switched off.

Each of them is what is left of the protocol of docs/reliability.md when a part of it is taken away. They run by the
rules of the exchange where every order keeps an id. Only lost, late and
unanswered orders, stale reads and kills are let loose: what the policies are supposed to deal with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from blitz.core.guards import Guard, IdPolicy
from blitz.simulation.faults import Fault
from blitz.simulation.houses import HouseName
from blitz.simulation.runner import run_seeds
from blitz.simulation.seeds import SeedOptions
from blitz.simulation.venue_orders import VenueIds


@dataclass(frozen=True, slots=True)
class Policy:
    """What is left of the protocol."""

    name: str
    id_policy: IdPolicy = IdPolicy.TAG
    switched_off: frozenset[Guard] = frozenset()


BLIND = frozenset({Guard.FENCE, Guard.SECOND_LOOK})
OURS = Policy("the fence (this server)")
POLICIES = (
    Policy("a new id for every try, made from the time", IdPolicy.TIME, BLIND),
    Policy("a new id after a timeout", IdPolicy.NEW_AFTER_TIMEOUT, BLIND),
    Policy("the same id, sent again at once", IdPolicy.TAG, BLIND),
    OURS,
)

NETWORK = frozenset(
    {
        Fault.CREATE_ANSWER_LOST,
        Fault.CREATE_LATE,
        Fault.CREATE_LOST,
        Fault.STALE_READ,
        Fault.VANISHED,
        Fault.KILLED,
        Fault.KILLED_UNANSWERED,
        Fault.GAP_THROUGH_LEGS,
        Fault.GAP_THROUGH_ALL,
    }
)
UNSAFE = frozenset({"S1", "S2", "S3", "S6"})
"""A doubled order, a leg that filled twice, a position above its budget, or books that miss an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many of a policy's seeds doubled or lost an order, in one id regime."""

    policy: str
    ids: VenueIds
    seeds: int
    unsafe: int


def compare(seeds: int, first: int = 0) -> Iterator[Comparison]:
    """Run every policy in every regime over the same seeds."""
    for policy in POLICIES:
        for ids in VenueIds:
            options = SeedOptions(
                ids=ids,
                house=HouseName.BYBIT,
                every=NETWORK,
                switched_off=policy.switched_off,
                id_policy=policy.id_policy,
            )
            *_, found = run_seeds(range(first, first + seeds), options)
            unsafe = sum(any(one.invariant in UNSAFE for one in verdict.violations) for verdict in found.failing)
            yield Comparison(policy=policy.name, ids=ids, seeds=seeds, unsafe=unsafe)
