"""The order-id policies that other bots have, for a comparison: the real core with some of its guards switched off.

Each of them is what is left of the protocol of docs/reliability.md when a part of it is taken away. Only lost, late and
unanswered orders, stale reads and kills are let loose: what the policies are supposed to deal with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from blitz.core.guards import Guard
from blitz.simulation.faults import Fault
from blitz.simulation.runner import run_seeds
from blitz.simulation.seeds import SeedOptions
from blitz.simulation.venue import VenueIds

POLICIES: dict[str, frozenset[Guard]] = {
    "a new id for every try, made from the time": frozenset(
        {Guard.FENCE, Guard.SECOND_LOOK, Guard.SAME_ID, Guard.STABLE_ID, Guard.DURABLE_INTENT}
    ),
    "a new id after a timeout": frozenset({Guard.FENCE, Guard.SECOND_LOOK, Guard.SAME_ID}),
    "the same id, sent again at once": frozenset({Guard.FENCE, Guard.SECOND_LOOK}),
    "the fence (this server)": frozenset(),
}

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
    for policy, switched_off in POLICIES.items():
        for ids in VenueIds:
            options = SeedOptions(ids=ids, every=NETWORK, switched_off=switched_off)
            *_, found = run_seeds(range(first, first + seeds), options)
            unsafe = sum(any(one.invariant in UNSAFE for one in verdict.violations) for verdict in found.failing)
            yield Comparison(policy=policy, ids=ids, seeds=seeds, unsafe=unsafe)
