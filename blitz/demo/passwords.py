"""Passwords of a demo: drawn anew each time, and easy to type."""

import secrets

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for each other."""
GROUPS, GROUP_LETTERS = 4, 4


def new_password() -> str:
    """Sixteen characters by chance, some 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP_LETTERS)) for _ in range(GROUPS))
