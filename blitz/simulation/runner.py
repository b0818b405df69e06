"""Runs many seeds on all cores and adds up what they found. Called by `run.py simulate` and by the tests.

Every `SQLITE_EVERY`th seed runs on the real database instead of the store in memory: it costs five times as much.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from blitz.simulation.faults import Coverage
from blitz.simulation.journals import SqliteStore
from blitz.simulation.seeds import USERS, SeedOptions, Verdict, run_seed
from blitz.simulation.template import make_template

SQLITE_EVERY = 25
CHUNK = 25
WORKERS_MAX = 8


@dataclass(slots=True)
class Findings:
    """What a number of seeds found, all together."""

    seeds: int = 0
    on_sqlite: int = 0
    seconds: float = 0.0
    failing: list[Verdict] = field(default_factory=list)
    """Verdicts with violations; their stories are only kept when somebody asked for them."""
    coverage: Coverage = field(default_factory=Coverage)
    by_ids: Counter[str] = field(default_factory=Counter)
    """Seeds per id regime."""
    by_house: Counter[str] = field(default_factory=Counter)
    """Seeds per exchange's rules."""
    cycles: int = 0
    fills: int = 0
    orders: int = 0

    @property
    def violations(self) -> int:
        """How many invariants were broken, each counted once per seed and user."""
        return sum(len(verdict.violations) for verdict in self.failing)

    @property
    def seeds_per_minute(self) -> int:
        """How fast it went."""
        return round(self.seeds / self.seconds * 60) if self.seconds else 0

    def add(self, verdict: Verdict, *, on_sqlite: bool) -> None:
        """Count one seed."""
        self.seeds += 1
        self.on_sqlite += on_sqlite
        self.by_ids[verdict.ids.value] += 1
        self.by_house[verdict.house.value] += 1
        self.coverage.add(verdict.coverage)
        self.cycles += verdict.cycles
        self.fills += verdict.fills
        self.orders += verdict.orders
        if verdict.violations:
            self.failing.append(verdict)

    def join(self, other: "Findings") -> None:
        """Count what another worker found."""
        self.seeds += other.seeds
        self.on_sqlite += other.on_sqlite
        self.failing += other.failing
        self.coverage.add(other.coverage)
        self.by_ids.update(other.by_ids)
        self.by_house.update(other.by_house)
        self.cycles += other.cycles
        self.fills += other.fills
        self.orders += other.orders


def run_one(number: int, options: SeedOptions, template: Path | None) -> Verdict:
    """Run one seed, on the real database when `template` names one to begin with."""
    if template is None:
        return run_seed(number, options)
    with tempfile.TemporaryDirectory(prefix="blitz-simulation-") as folder:
        return run_seed(number, replace(options, make_store=lambda: SqliteStore(template, Path(folder))))


def run_chunk(numbers: Sequence[int], options: SeedOptions, template: Path | None) -> Findings:
    """Run some seeds one after the other."""
    found = Findings()
    for number in numbers:
        on_sqlite = template is not None and number % SQLITE_EVERY == 0
        found.add(run_one(number, options, template if on_sqlite else None), on_sqlite=on_sqlite)
    return found


def run_seeds(numbers: Iterable[int], options: SeedOptions, *, workers: int | None = None) -> Iterator[Findings]:
    """Run seeds on all cores; yields what has been found so far, after each chunk. The last one is the whole."""
    total = Findings()
    began = time.monotonic()
    chunks = list(_chunks(numbers))
    with tempfile.TemporaryDirectory(prefix="blitz-simulation-") as folder:
        template = make_template(Path(folder) / "template.db", USERS)
        count = min(workers or os.cpu_count() or 1, WORKERS_MAX)
        with ProcessPoolExecutor(max_workers=count) as pool:
            for found in pool.map(run_chunk, chunks, [options] * len(chunks), [template] * len(chunks)):
                total.join(found)
                total.seconds = time.monotonic() - began
                yield total


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for number in numbers:
        chunk.append(number)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
