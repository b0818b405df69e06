"""`run.py simulate`: what it is asked for, and what it prints. Exit code 1 on any violation."""

import json
import sys
from dataclasses import dataclass, replace
from typing import TextIO

from blitz.core.guards import Guard
from blitz.errors import ConfigurationProblem
from blitz.simulation.book_flood import run_books
from blitz.simulation.endurance_cycles import run_courses
from blitz.simulation.faults import ROWS, Fault
from blitz.simulation.houses import HouseName
from blitz.simulation.id_flood import run_ids
from blitz.simulation.policies import OURS, POLICIES, compare
from blitz.simulation.proof import prove
from blitz.simulation.runner import Findings, run_one, run_seeds
from blitz.simulation.seeds import SeedOptions, Verdict
from blitz.simulation.shrink import shrink, story
from blitz.simulation.venue_orders import VenueIds

STATES = ("flat", "entering", "holding", "unanswered", "attention", "stopped", "down")
"""Where a bot may be when a fault strikes it."""
SHOWN_MAX = 3
"""So many failing seeds are shrunk and told; the others are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions:
    """The words of the command line."""

    seeds: int = 200
    first: int = 0
    seed: int | None = None
    trace: bool = False
    faults: str | None = None
    ids: str | None = None
    exchange: str | None = None
    guards: bool = False
    policies: bool = False
    cycles: int | None = None
    id_flood: int | None = None
    books: int | None = None
    as_json: bool = False


def run_simulation(options: SimulateOptions, out: TextIO = sys.stdout) -> int:
    """Do what was asked for. Raises `ConfigurationProblem` with a sentence for words that mean nothing."""
    _check(options)
    printer = Printer(out, quiet=options.as_json)
    if options.guards:
        return _guards(printer, options)
    if options.policies:
        return _policies(printer, options)
    if options.cycles or options.id_flood or options.books:
        return _endurance(printer, options)
    seed_options = SeedOptions(
        ids=None if options.ids is None else VenueIds(options.ids),
        house=None if options.exchange is None else HouseName(options.exchange),
        only=_named(options.faults),
    )
    if options.seed is not None:
        return _one(printer, options, seed_options)
    return _many(printer, options, seed_options)


def _check(options: SimulateOptions) -> None:
    """Refuse words that contradict each other, instead of leaving one of them out."""
    endurance = options.cycles or options.id_flood or options.books
    asked = {
        "--seed": options.seed is not None,
        "--guards": options.guards,
        "--policies": options.policies,
        "--cycles, --id-flood and --books": bool(endurance),
    }
    kinds = [words for words, wanted in asked.items() if wanted]
    if len(kinds) > 1:
        raise ConfigurationProblem(f"{kinds[0]} and {kinds[1]} are different runs: ask for one of them at a time.")
    if options.trace and options.seed is None:
        raise ConfigurationProblem("--trace tells the story of one seed: add --seed N.")


class Printer:
    """Prints lines for a person, or keeps quiet and prints one object for a program."""

    def __init__(self, out: TextIO, *, quiet: bool) -> None:
        self._out = out
        self._quiet = quiet

    def line(self, text: str = "") -> None:
        """A line for a person."""
        if not self._quiet:
            self._out.write(text + "\n")
            self._out.flush()

    def progress(self, text: str) -> None:
        """A line that the next one replaces, where somebody watches."""
        if not self._quiet and self._out.isatty():
            self._out.write(f"\r\x1b[2K{text}")
            self._out.flush()

    def end_progress(self) -> None:
        """Leave the replaced line."""
        self.progress("")

    def object(self, figures: object) -> None:
        """The one object for a program."""
        if self._quiet:
            self._out.write(json.dumps(figures) + "\n")


def _named(faults: str | None) -> frozenset[Fault] | None:
    if faults is None:
        return None
    try:
        return frozenset(Fault(name.strip()) for name in faults.split(",") if name.strip())
    except ValueError as problem:
        raise ConfigurationProblem(
            f"There is no fault of that name ({problem}). There are: {', '.join(Fault)}."
        ) from None


def _one(printer: Printer, options: SimulateOptions, seed_options: SeedOptions) -> int:
    assert options.seed is not None
    verdict = run_one(options.seed, replace(seed_options, trace=True), None)
    for line in verdict.story if options.trace else story(verdict) if verdict.violations else []:
        printer.line(line)
    printer.line(f"seed {verdict.seed}: {verdict.house.value}, ids {verdict.ids.value}, {verdict.cycles} cycles, "
                 f"{verdict.fills} fills, trace {verdict.digest}")  # fmt: skip
    for violation in verdict.violations:
        printer.line(f"  {violation.invariant} at {violation.at_ms / 1000:.3f} s: {violation.what}")
    printer.line("No violation." if not verdict.violations else "")
    printer.object({"seed": verdict.seed, "trace": verdict.digest, "violations": len(verdict.violations)})
    return 1 if verdict.violations else 0


def _many(printer: Printer, options: SimulateOptions, seed_options: SeedOptions) -> int:
    found = Findings()
    for found in run_seeds(range(options.first, options.first + options.seeds), seed_options):
        printer.progress(f"{found.seeds} of {options.seeds} seeds, {len(found.failing)} failing")
    printer.end_progress()
    _tell_coverage(printer, found)
    _tell_failing(printer, found, seed_options)
    regimes = ", ".join(f"{count} {ids}" for ids, count in sorted(found.by_ids.items()))
    houses = ", ".join(f"{count} {house}" for house, count in sorted(found.by_house.items()))
    printer.line(f"{found.seeds} seeds in {found.seconds:.0f} s ({found.seeds_per_minute} a minute); rules: {houses}; "
                 f"ids: {regimes}; {found.on_sqlite} of them on SQLite")  # fmt: skip
    printer.line(f"{found.cycles} cycles, {found.fills} fills, {found.orders} orders at the venue")
    printer.line(f"{found.violations} violations" + ("" if found.failing else ": every invariant held in every seed"))
    printer.object(
        {
            "seeds": found.seeds,
            "violations": found.violations,
            "seeds_per_minute": found.seeds_per_minute,
            "faults": {fault.value: found.coverage.total(fault) for fault in Fault},
            "failing": sorted(verdict.seed for verdict in found.failing),
            "ids": dict(found.by_ids),
            "exchanges": dict(found.by_house),
            "on_sqlite": found.on_sqlite,
            "cycles": found.cycles,
            "fills": found.fills,
            "orders": found.orders,
        }
    )
    return 1 if found.failing else 0


def _tell_coverage(printer: Printer, found: Findings) -> None:
    """How often each fault struck a bot in each of its states."""
    width = max(len(fault.value) for fault in Fault)
    printer.line(f"{'fault':{width}} {'row':>7} {'in all':>8} " + " ".join(f"{state:>10}" for state in STATES))
    for fault in Fault:
        counts = [found.coverage.struck[fault.value, state] for state in STATES]
        row = ROWS[fault].replace(" ", ",")
        printer.line(f"{fault.value:{width}} {row:>7} {sum(counts):8} " + " ".join(f"{count:10}" for count in counts))
    printer.line()


def _tell_failing(printer: Printer, found: Findings, options: SeedOptions) -> None:
    failing = sorted(found.failing, key=lambda verdict: verdict.seed)
    for verdict in failing[:SHOWN_MAX]:
        _tell_story(printer, shrink(verdict, options))
    if len(failing) > SHOWN_MAX:
        printer.line(f"Failing too: {', '.join(str(verdict.seed) for verdict in failing[SHOWN_MAX:])}")


def _tell_story(printer: Printer, verdict: Verdict) -> None:
    printer.line(f"Seed {verdict.seed} breaks {verdict.violations[0].invariant} with nothing but these faults: "
                 f"{', '.join(sorted(verdict.swarm.force)) or 'none'}")  # fmt: skip
    for line in story(verdict):
        printer.line(f"  {line}")
    printer.line(f"Again: python3 run.py simulate --seed {verdict.seed} --trace")
    printer.line()


def _endurance(printer: Printer, options: SimulateOptions) -> int:
    """What only shows after very many repetitions: cycles in a row, ids, books."""
    lines: list[str] = []
    violations: list[str] = []
    if options.cycles:
        for course in run_courses(options.cycles):
            lines.append(course.line)
            violations += course.violations
    if options.id_flood:
        ids = run_ids(options.id_flood)
        lines.append(ids.line)
        violations += ids.violations
    if options.books:
        books = run_books(options.books)
        lines.append(books.line)
        violations += books.violations
    for line in [*lines, *violations]:
        printer.line(line)
    printer.object({"told": lines, "violations": violations})
    return 1 if violations else 0


def _guards(printer: Printer, options: SimulateOptions) -> int:
    """Switch each guard off in turn."""
    uncaught = []
    results = []
    printer.line(f"{'guard switched off':20} {'seeds':>6}  caught by")
    for caught in prove(seeds_max=options.seeds):
        told = (
            f"{', '.join(caught.invariants)} in seed {caught.seed}: {caught.what}" if caught.invariants else "NOTHING"
        )
        printer.line(f"{caught.guard.value:20} {caught.seeds:6}  {told}")
        results.append({"guard": caught.guard.value, "seeds": caught.seeds, "invariants": list(caught.invariants)})
        if caught.seed is None:
            uncaught.append(caught.guard)
    printer.line(f"{len(Guard) - len(uncaught)} of {len(Guard)} guards are needed and caught when missing")
    printer.object({"guards": results, "uncaught": [guard.value for guard in uncaught]})
    return 1 if uncaught else 0


def _policies(printer: Printer, options: SimulateOptions) -> int:
    """The share of seeds in which each policy doubles or loses an order."""
    rows: dict[str, list[str]] = {policy.name: [] for policy in POLICIES}
    figures = []
    unsafe = 0
    for row in compare(options.seeds, options.first):
        rows[row.policy].append(f"{row.unsafe}/{row.seeds}")
        figures.append({"policy": row.policy, "ids": row.ids.value, "seeds": row.seeds, "unsafe": row.unsafe})
        unsafe += row.unsafe if row.policy == OURS.name else 0
    printer.line("| policy | " + " | ".join(f"ids {ids.value}" for ids in VenueIds) + " |")
    printer.line("|---" * (len(VenueIds) + 1) + "|")
    for policy, shares in rows.items():
        printer.line(f"| {policy} | " + " | ".join(shares) + " |")
    printer.object({"policies": figures})
    return 1 if unsafe else 0
