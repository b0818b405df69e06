"""What happened in a seed, in order: a hash that names the whole course, and the story if somebody wants to read it."""

import hashlib
from dataclasses import dataclass, field

LINES_MAX = 200_000
"""A story that grows beyond this has lost its reader; the hash goes on."""


@dataclass(slots=True)
class Trace:
    """Takes one line per event. Two runs of a seed are the same run if and only if their digests are equal."""

    keeps_lines: bool = False
    lines: list[str] = field(default_factory=list)
    _hash: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))
    _pending: list[str] = field(default_factory=list)

    def tell(self, at_ms: int, line: str) -> None:
        """Note one event at a moment of the seed's own time."""
        told = f"{at_ms / 1000:10.3f}  {line}"
        self._pending.append(told)
        if len(self._pending) >= 512:
            self._flush()
        if self.keeps_lines and len(self.lines) < LINES_MAX:
            self.lines.append(told)

    @property
    def digest(self) -> str:
        """The hash so far."""
        self._flush()
        return self._hash.hexdigest()

    def _flush(self) -> None:
        self._hash.update("\n".join(self._pending).encode())
        self._pending.clear()
