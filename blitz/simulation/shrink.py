"""Makes a failing seed small enough to read: fewer faults, a shorter chaos, and only the lines that matter.

Each fault of a seed draws from a generator of its own, so leaving one out leaves the others as they were. What is left
at the end are the faults without which the seed does not fail.
"""

from dataclasses import replace

from blitz.simulation.faults import Swarm
from blitz.simulation.seeds import SeedOptions, Verdict, run_seed

CHAOS_MIN_MS = 5_000
LINES_BEFORE = 60


def shrink(failing: Verdict, options: SeedOptions) -> Verdict:
    """Answer the smallest run found that breaks the same invariant, with its story."""
    broken = failing.violations[0].invariant
    best = failing
    best_options = replace(options, swarm=failing.swarm)
    for fault in sorted(failing.swarm.force):
        smaller = replace(best_options, swarm=_swarm(best_options).without(fault))
        verdict = run_seed(failing.seed, smaller)
        if _breaks(verdict, broken):
            best, best_options = verdict, smaller
    chaos_ms = best_options.chaos_ms
    while chaos_ms > CHAOS_MIN_MS:
        chaos_ms = chaos_ms * 3 // 4
        shorter = replace(best_options, chaos_ms=chaos_ms)
        verdict = run_seed(failing.seed, shorter)
        if not _breaks(verdict, broken):
            break
        best, best_options = verdict, shorter
    return run_seed(best.seed, replace(best_options, trace=True))


def story(verdict: Verdict) -> list[str]:
    """The lines that lead to the first violation, of the user it is about."""
    if not verdict.violations:
        return list(verdict.story)
    user = verdict.violations[0].what.partition(":")[0].removeprefix("user ")
    end = next(number for number, line in enumerate(verdict.story) if "VIOLATION" in line)
    ours = (
        f"bot {user} ",
        f"user {user}:",
        f"user {user} ",
        f"of user {user}:",
        "server",
        "operator",
        "market",
        "calm",
    )
    lines = [line for line in verdict.story[: end + 1] if any(word in line for word in ours) and "> Read" not in line]
    return [verdict.story[0], *lines[-LINES_BEFORE:]]


def _swarm(options: SeedOptions) -> Swarm:
    assert options.swarm is not None
    return options.swarm


def _breaks(verdict: Verdict, invariant: str) -> bool:
    return any(violation.invariant == invariant for violation in verdict.violations)
