"""Where ids come from: a seeded counter, so that the same inputs give the same ids on every run.

Used by the registry, the settlement and the markets. There is no randomness: an id is a digest of seed and counter.
"""

import hashlib

NUMBERS_FROM = 1_900_000_000_000_000_000
"""Ids that are numbers have nineteen digits."""


class IdSource:
    """Makes UUID-like ids and creation numbers. `counter` is all the state there is."""

    def __init__(self, seed: int, counter: int = 0) -> None:
        self.seed = seed
        self.counter = counter

    def sequence(self) -> int:
        """The next creation number, from 1, never reused."""
        self.counter += 1
        return self.counter

    def number(self, sequence: int) -> str:
        """The id that belongs to a creation number, as a number of nineteen digits."""
        return str(NUMBERS_FROM + sequence)

    def uuid(self, kind: str, sequence: int) -> str:
        """The id that belongs to a creation number, in the shape 8-4-4-4-12."""
        digest = hashlib.sha256(f"{self.seed}:{kind}:{sequence}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
