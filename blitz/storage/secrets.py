"""Secrets at rest: AES-256-GCM, bound to the very field they belong to, and the key that opens them.

Used by `users`, and by the server, which loads the key once at start. The key is never in the database or its folder's
backup; the secrets are never anywhere else in readable form.
"""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from blitz.errors import ConfigurationProblem, SecretUnreadable

KEY_VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
GIVEN_LENGTH_MIN = 32
GIVEN_DIFFERENT_MIN = 10


class SecretBox:
    """Seals and opens the secret fields of users."""

    def __init__(self, key: bytes, *, on_open: Callable[[str], object] | None = None) -> None:
        """Take the master key; `on_open` is told every secret that is opened or sealed, so that logs can hide it."""
        self._cipher = AESGCM(_derived(key, "blitz secrets at rest"))
        self._on_open = on_open or (lambda _secret: None)

    def seal(self, text: str, *, table: str, user_id: int, column: str) -> str:
        """Encrypt `text` for this one field; each call gives a different result."""
        self._on_open(text)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), _place(table, user_id, column))
        return f"{KEY_VERSION}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, table: str, user_id: int, column: str) -> str:
        """Decrypt a field. Raises `SecretUnreadable` for another key, field, user or a single changed bit."""
        version, _, encoded = sealed.partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
            if version != KEY_VERSION or len(raw) <= NONCE_BYTES:
                raise InvalidTag
            text = self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _place(table, user_id, column)).decode()
        except (InvalidTag, binascii.Error, UnicodeDecodeError):
            raise SecretUnreadable(
                f"The stored {column} of user {user_id} cannot be decrypted: the row is damaged or this is not the "
                "key it was stored with; put the right key back or enter the value again."
            ) from None
        self._on_open(text)
        return text


def cookie_key(key: bytes) -> str:
    """A key for signing cookies, derived from the master key and of no use against the secrets."""
    return _derived(key, "blitz cookies").hex()


def load_or_create_key(path: Path, given: SecretStr | None) -> bytes:
    """The master key: from `BLITZ_SECRET_KEY` when given, else from the key file, which is made at the first start.

    Raises `ConfigurationProblem` when the given one is weak, or the file is damaged or open to other users.
    """
    if given is not None:
        return _from_given(given.get_secret_value())
    try:
        if not path.exists():
            _make_key_file(path)
        return _read_key_file(path)
    except OSError as error:
        raise ConfigurationProblem(f"The key file {path} cannot be used: {error.strerror}.") from error


def _from_given(text: str) -> bytes:
    if len(text) < GIVEN_LENGTH_MIN or len(set(text)) < GIVEN_DIFFERENT_MIN:
        raise ConfigurationProblem(
            f"BLITZ_SECRET_KEY is too easy to guess: give at least {GIVEN_LENGTH_MIN} random characters, "
            "such as the output of `openssl rand -hex 32`."
        )
    return _derived(text.encode(), "blitz master key")


def _make_key_file(path: Path) -> None:
    """Write a new key aside and link it in place: two first starts agree on one key, and none is ever half written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other start was first: its key is the one
    finally:
        draft.unlink()


def _read_key_file(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationProblem(f"Other users of this machine may read the key file; run `chmod 600 {path}`.")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationProblem(f"The key file {path} is damaged; restore it, stored secrets need exactly that key.")
    return key


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def _place(table: str, user_id: int, column: str) -> bytes:
    return f"{table}:{user_id}:{column}:{KEY_VERSION}".encode()
