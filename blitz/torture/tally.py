"""What a run has counted and found so far, and the story of what the harness did when."""

import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from blitz.torture.truth import ZERO

VIOLATIONS_MAX = 50
"""After so many the run ends: more of them tell nothing new."""


@dataclass(slots=True)
class Tally:
    """The figures of a report."""

    rounds: int = 0
    kills: int = 0
    """SIGKILLs of the server."""
    deploys: int = 0
    pauses: int = 0
    exchange_kills: int = 0
    hand_orders: int = 0
    faults: int = 0
    """Requests that a fault struck."""
    cycles: int = 0
    fills: int = 0
    duplicates: int = 0
    resent_exits: int = 0
    """Exits that rested twice for a moment where ids are not enforced; see `twins.py`."""
    lost_fills: int = 0
    foreign_cancels: int = 0
    unprotected_max_seconds: float = 0.0
    unprotected_after_restart_max_seconds: float = 0.0
    resume_max_seconds: float = 0.0
    difference: Decimal = ZERO
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    @property
    def is_spoilt(self) -> bool:
        """Whether there is no point in going on."""
        return len(self.violations) >= VIOLATIONS_MAX

    def to_json(self) -> str:
        """The object that `--json` prints; money is a number with every digit."""
        figures: dict[str, Any] = {
            "rounds": self.rounds,
            "kills": self.kills,
            "duplicates": self.duplicates,
            "lost_fills": self.lost_fills,
            "foreign_cancels": self.foreign_cancels,
            "unprotected_max_seconds": round(self.unprotected_max_seconds, 2),
            "unprotected_after_restart_max_seconds": round(self.unprotected_after_restart_max_seconds, 2),
            "resume_max_seconds": round(self.resume_max_seconds, 2),
            "difference": None,
            "deploys": self.deploys,
            "pauses": self.pauses,
            "exchange_kills": self.exchange_kills,
            "faults": self.faults,
            "hand_orders": self.hand_orders,
            "resent_exits": self.resent_exits,
            "cycles": self.cycles,
            "fills": self.fills,
            "seconds": round(self.seconds, 1),
            "violations": self.violations,
        }
        # Not as a float: that would round what must be exact.
        return json.dumps(figures).replace('"difference": null', f'"difference": {self.shown_difference}', 1)

    @property
    def shown_difference(self) -> str:
        """The difference without an exponent; none at all is 0."""
        return format(self.difference, "f") if self.difference else "0"


class Story:
    """One line for everything the harness did; kept in the run's folder and shown when something went wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()
        self.lines: list[str] = []

    def tell(self, sentence: str) -> None:
        """Add a line."""
        line = f"{time.monotonic() - self._began:8.2f} s  {sentence}"
        self.lines.append(line)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
