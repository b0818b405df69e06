"""A short run of the simulator: no invariant breaks, a seed is the same wherever it runs, a failing one shrinks."""

import functools
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blitz.core.guards import Guard
from blitz.errors import ConfigurationProblem
from blitz.simulation import command
from blitz.simulation.command import SimulateOptions, run_simulation
from blitz.simulation.faults import Fault
from blitz.simulation.journals import SqliteStore
from blitz.simulation.runner import Findings, run_seeds
from blitz.simulation.seeds import USERS, SeedOptions, Verdict, run_seed
from blitz.simulation.shrink import LINES_BEFORE, shrink, story
from blitz.simulation.template import make_template
from blitz.simulation.venue_orders import VenueIds
from tests.conftest import PROJECT_ROOT

SEEDS = 120
MAY_BE_MISSED = {Fault.DUST_LEFT, Fault.LIQUIDATED, Fault.POWER_CUT, Fault.BACKUP_RESTORED}
"""So rare that so few seeds may do without them, whenever the course of the seeds changes."""
FEW = ("gap_through_all", "gap_through_legs", "stale_read", "killed", "funded", "added_by_hand")
WITHOUT_FILLED_LEGS = SeedOptions(switched_off=frozenset({Guard.FILLED_LEGS}), only=frozenset(map(Fault, FEW)))
TRIES = range(40)


@pytest.fixture(scope="module")
def findings() -> Findings:
    *_, found = run_seeds(range(SEEDS), SeedOptions())
    return found


@pytest.fixture(scope="module")
def failing() -> Verdict:
    """A seed that breaks an invariant because what a leg has filled is ordered again."""
    for number in TRIES:
        verdict = run_seed(number, WITHOUT_FILLED_LEGS)
        if verdict.violations and len(verdict.swarm.force) > 1:
            return verdict
    raise AssertionError(f"no seed of {len(TRIES)} misses the guard")


def simulated(**options: object) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = io.StringIO()
    return run_simulation(SimulateOptions(**options), out), out.getvalue()  # type: ignore[arg-type]


def without_filled_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every seed of the command run without that guard."""
    broken = functools.partial(SeedOptions, switched_off=WITHOUT_FILLED_LEGS.switched_off)
    monkeypatch.setattr(command, "SeedOptions", broken)


# The run


@pytest.mark.slow
def test_no_seed_breaks_an_invariant(findings: Findings):
    assert [(verdict.seed, verdict.violations) for verdict in findings.failing] == []
    assert findings.seeds == SEEDS
    assert findings.cycles > SEEDS


def test_some_seeds_run_on_the_real_database_and_all_id_regimes_are_seen(findings: Findings):
    assert findings.on_sqlite == 5
    assert {ids.value for ids in VenueIds} == set(findings.by_ids)


def test_every_fault_strikes(findings: Findings):
    assert {fault for fault in Fault if not findings.coverage.total(fault)} <= MAY_BE_MISSED


# One seed is one course


def test_a_seed_is_the_same_run_every_time_and_another_one_is_another():
    assert run_seed(3).digest == run_seed(3, SeedOptions(trace=True)).digest
    assert run_seed(3).digest != run_seed(4).digest


def test_a_seed_does_not_depend_on_the_hash_seed_of_the_process():
    told = [
        subprocess.run(
            [sys.executable, "-m", "blitz", "simulate", "--seed", "7", "--json"], cwd=PROJECT_ROOT, timeout=60,
            env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]  # fmt: skip
    assert told[0] == told[1]
    assert json.loads(told[0]) == {"seed": 7, "trace": run_seed(7).digest, "violations": 0}


@pytest.mark.parametrize("number", [22, 45, 47])
def test_a_seed_on_the_real_database_is_the_seed_in_memory(number: int, tmp_path: Path):
    # These meet full and failing disks, commits without an answer, kills, a restored backup, an emptied database.
    # A power cut takes bytes of one store and saves of the other: there the two may differ.
    dry = SeedOptions(only=frozenset(Fault) - {Fault.POWER_CUT})
    template = make_template(tmp_path / "template.db", USERS)
    on_file = run_seed(number, replace(dry, make_store=lambda: SqliteStore(template, tmp_path)))
    assert on_file.digest == run_seed(number, dry).digest
    assert on_file.orders > 0


# A failing seed


def test_a_failing_seed_shrinks_to_a_short_story_of_the_same_violation(failing: Verdict):
    small = shrink(failing, WITHOUT_FILLED_LEGS)
    broken = failing.violations[0].invariant
    assert len(small.swarm.force) < len(failing.swarm.force)
    assert broken in {violation.invariant for violation in small.violations}
    lines = story(small)
    assert f"VIOLATION {small.violations[0].invariant}" in lines[-1]
    assert len(lines) <= LINES_BEFORE + 1


# The command


def test_the_command_prints_one_object_for_programs():
    code, printed = simulated(seeds=2, as_json=True)
    figures = json.loads(printed)
    assert code == 0
    assert printed.count("\n") == 1
    assert {"seeds", "violations", "seeds_per_minute", "faults"} <= set(figures)
    assert (figures["seeds"], figures["violations"]) == (2, 0)
    assert set(figures["faults"]) == set(Fault)


def test_only_the_named_faults_strike():
    _, printed = simulated(seeds=2, faults="stale_read, killed", as_json=True)
    struck = {fault for fault, count in json.loads(printed)["faults"].items() if count}
    assert struck & {"stale_read", "killed"}
    # What is never switched on but follows from the market by itself is counted all the same.
    assert struck <= {"stale_read", "killed", "id_taken", "too_late_to_amend", "dust_left", "event_before_reply"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (SimulateOptions(trace=True), "--trace tells the story of one seed: add --seed N."),
        (
            SimulateOptions(seed=5, guards=True),
            "--seed and --guards are different runs: ask for one of them",
        ),
        (SimulateOptions(policies=True, books=9), "--policies and --cycles, --id-flood and --books are different runs"),
    ],
)
def test_words_that_contradict_each_other_are_refused(options, sentence):
    with pytest.raises(ConfigurationProblem) as problem:
        run_simulation(options)
    assert sentence in str(problem.value)


def test_an_unknown_fault_is_answered_with_the_names_there_are():
    with pytest.raises(ConfigurationProblem) as problem:
        simulated(seeds=1, faults="rain")
    assert "'rain'" in str(problem.value)
    assert all(fault.value in str(problem.value) for fault in Fault)


def test_a_trace_tells_the_story_of_a_seed():
    code, printed = simulated(seed=3, trace=True)
    lines = printed.splitlines()
    assert code == 0
    assert "seed 3, bybit, ids" in lines[0]
    assert any("> send sm_leg_0_" in line for line in lines)
    assert lines[-1] == "No violation."


@pytest.mark.slow
def test_a_violation_is_told_with_its_seed_and_ends_with_code_1(failing: Verdict, monkeypatch: pytest.MonkeyPatch):
    without_filled_legs(monkeypatch)
    code, printed = simulated(first=failing.seed, seeds=1, faults=",".join(FEW))
    assert code == 1
    assert f"Seed {failing.seed} breaks" in printed
    assert f"Again: python3 run.py simulate --seed {failing.seed} --trace" in printed
    code, printed = simulated(seed=failing.seed, faults=",".join(FEW), as_json=True)
    assert code == 1
    assert json.loads(printed)["violations"] == len(failing.violations)
