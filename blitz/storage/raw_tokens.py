"""Random tokens that somebody carries, and that the database knows by their hash alone. Used by every table of them."""

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """A token of 256 random bits, as text of 43 characters that may stand in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hashed(raw: str) -> str:
    """What is stored of a token, or of whatever somebody sent as one.

    256 random bits cannot be tried out, so nothing slower is needed.
    """
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
