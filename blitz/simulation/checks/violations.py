"""What the checkers found: each broken invariant once per seed and user, with the moment and the sentence."""

from dataclasses import dataclass, field

from blitz.simulation.world import EPOCH_MS, World

VIOLATIONS_MAX = 20
"""A seed that has gone this wrong says nothing more."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant."""

    invariant: str
    """Its name in docs/reliability.md, such as S1."""
    at_ms: int
    """Milliseconds since the seed began."""
    what: str


@dataclass(slots=True)
class Violations:
    """Collects them."""

    world: World
    found: list[Violation] = field(default_factory=list)
    _told: set[tuple[str, int]] = field(default_factory=set)

    def add(self, invariant: str, user_id: int, what: str) -> None:
        """Note one, the first of its kind for a user."""
        if (invariant, user_id) in self._told or len(self.found) >= VIOLATIONS_MAX:
            return
        self._told.add((invariant, user_id))
        self.found.append(Violation(invariant, self.world.now_ms - EPOCH_MS, f"user {user_id}: {what}"))
        self.world.tell(f"VIOLATION {invariant} user {user_id}: {what}")
