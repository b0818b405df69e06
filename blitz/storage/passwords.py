"""How passwords are stored and compared. What is accepted as one is in `password_rules`.

Stored with argon2id. One hash takes 64 MiB and about a tenth of a second, so only a few are made at once however many
people sign in. Used by `users`.
"""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MAX = 1024
"""Characters; longer ones are refused unread, so that nobody can keep the hashing busy."""
PARALLEL_HASHES = 2


class Passwords:
    """Hashes and checks passwords, a few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None, *, parallel: int = PARALLEL_HASHES) -> None:
        """Use `hasher` (tests pass a cheap one); at most `parallel` hashes are made at once."""
        self._hasher = hasher or PasswordHasher()
        self._slots = threading.BoundedSemaphore(parallel)
        self._nobody = self.hash("a password that nobody has")

    def hash(self, password: str) -> str:
        """The form to store, with its own salt and parameters in it."""
        with self._slots:
            return self._hasher.hash(_normal(password))

    def check(self, stored: str | None, password: str) -> bool:
        """Say whether `password` is the stored one. For nobody (None) it takes as long and is never right."""
        if len(password) > LENGTH_MAX:
            return False
        with self._slots:
            try:
                self._hasher.verify(self._nobody if stored is None else stored, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Say whether `stored` was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """One form for what looks the same, so that another keyboard does not lock anybody out."""
    return unicodedata.normalize("NFKC", password)
