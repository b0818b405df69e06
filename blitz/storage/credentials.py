"""The secrets a user may store, checked on the way in. Used by `users`; the values never appear in a message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from blitz.core.credentials import Credentials
from blitz.errors import SettingsProblem

CREDENTIAL_LENGTH_MAX = 200
KEY_PAIR = ("api_key", "api_secret")
HINT_LENGTH = 4
HINT_FROM_LENGTH = 12
"""Of a shorter key the last four characters would already say too much."""

_CREDENTIAL = re.compile(r"[!-~]+")
_TELEGRAM_TOKEN = re.compile(r"[0-9]{6,12}:[A-Za-z0-9_-]{30,64}")
_TELEGRAM_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{5,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """Where a user wants to be told. Never printed."""

    token: str = field(repr=False)
    chat_id: str = field(repr=False)


def checked_credential(column: str, value: str) -> str:
    """A key or secret without the spaces that copying brings. Raises `SettingsProblem`."""
    text = value.strip()
    if text and (len(text) > CREDENTIAL_LENGTH_MAX or _CREDENTIAL.fullmatch(text) is None):
        raise SettingsProblem({column: ["This is not what an exchange gives out; copy it again."]})
    return text


def joined_keys(stored: Credentials | None, sent: Mapping[str, str]) -> Credentials | None:
    """The keys once `sent` is stored too, None for none. A field that was not sent keeps its stored value.

    Half a pair signs nothing: an empty field clears both, unless the other one comes with a value. Raises
    `SettingsProblem` at the field that is missing then.
    """
    given = {name: checked_credential(name, sent[name]) for name in KEY_PAIR if name in sent}
    if not any(given.values()):
        return None if given else stored
    pair = {name: given.get(name, getattr(stored, name, "")) for name in KEY_PAIR}
    missing = [name for name in KEY_PAIR if not pair[name]]
    if missing:
        raise SettingsProblem({missing[0]: ["is missing; API key and API secret belong together, enter both."]})
    return Credentials(**pair)


def checked_telegram(token: str, chat_id: str) -> Telegram:
    """A bot's token and a chat, either of which may be empty. Raises `SettingsProblem`."""
    token, chat_id = token.strip(), chat_id.strip()
    errors = {}
    if token and _TELEGRAM_TOKEN.fullmatch(token) is None:
        errors["telegram_token"] = ["This is not a token of a Telegram bot; it looks like 123456789:AbC…"]
    if chat_id and _TELEGRAM_CHAT.fullmatch(chat_id) is None:
        errors["telegram_chat_id"] = ["This is not a chat's number, such as 123456789 or -1001234567890."]
    if errors:
        raise SettingsProblem(errors)
    return Telegram(token=token, chat_id=chat_id)


def key_hint(api_key: str) -> str:
    """What may be shown of a key, by its last four characters; never made of a secret."""
    if not api_key:
        return ""
    return "***" + (api_key[-HINT_LENGTH:] if len(api_key) >= HINT_FROM_LENGTH else "")
