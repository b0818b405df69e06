"""Striking secrets out of text: by value, for every secret this process has seen, and by the shapes secrets have.

Called for every log line, and by whoever hands a foreign message (an exchange's, a library's) to a person.
Knows nothing of logging, and never raises.
"""

import base64
import re
import threading
from urllib.parse import quote, quote_plus

SECRET_CHARACTERS_MIN = 6  # shorter values are everyday words; striking those would shred the log
STRUCK = "***"

# The name of a secret, a separator, and the value: `api_secret=…`, `"token": "…"`, `X-BAPI-SIGN: …`, `sign=…&`.
NAMED_SECRET = re.compile(
    r"""(?P<name>\b(?:[\w-]*(?:secret|password|passwd|passphrase|token|signature|csrf|api[-_]?key|private[-_]?key)
        |sign|x-bapi-sign|cookie|set-cookie|session|authorization)\b["']?\s*[=:]\s*["']?)
        (?P<value>(?:(?:bearer|basic|token)\s+)?[^\s"'&,;}\])]+)""",
    re.IGNORECASE | re.VERBOSE,
)
TELEGRAM_TOKEN = re.compile(r"\b(?:bot)?\d{6,12}:[A-Za-z0-9_-]{30,}")
API_TOKEN = re.compile(r"\bblitz_[A-Za-z0-9_-]{20,}")
URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")
KEY_NAME = re.compile(r"api[-_]?key", re.IGNORECASE)

_lock = threading.Lock()
# Every known value under its first characters. One look-up per character of the text finds them all, however many
# there are; one large alternation would cost every line some time for every user.
_known: dict[str, dict[str, str]] = {}


def register_secret(value: str | None, *, is_key_id: bool = False) -> None:
    """Never show `value` again, nor its URL-quoted, base64 and hexadecimal forms.

    The id of an API key (`is_key_id`) keeps its last four characters, as `***XXXX`, so that people can tell keys apart.
    """
    if not value or len(value) < SECRET_CHARACTERS_MIN:
        return
    shown = mask_key(value) if is_key_id else STRUCK
    with _lock:
        for form in secret_forms(value):
            known = dict(_known.get(form[:SECRET_CHARACTERS_MIN], {}))
            known[form] = shown
            # Longest first: a secret that begins like another one is struck out whole.
            _known[form[:SECRET_CHARACTERS_MIN]] = dict(sorted(known.items(), key=lambda each: -len(each[0])))


def secret_forms(value: str) -> set[str]:
    """The ways in which a value turns up in URLs, headers and dumps."""
    raw = value.encode()
    encoded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    forms = {value, quote(value, safe=""), quote_plus(value), raw.hex(), raw.hex().upper()}
    return forms | {each.decode().rstrip("=") for each in encoded}


def redact(text: str) -> str:
    """Return `text` without secrets."""
    text = strike_known(text)
    text = TELEGRAM_TOKEN.sub(STRUCK, text)
    text = API_TOKEN.sub(STRUCK, text)
    text = URL_PASSWORD.sub(rf"\1:{STRUCK}@", text)
    return NAMED_SECRET.sub(strike_named, text)


def strike_known(text: str) -> str:
    """Strike out every registered value."""
    if not _known:
        return text
    parts, start, at = [], 0, 0
    while at <= len(text) - SECRET_CHARACTERS_MIN:
        candidates = _known.get(text[at : at + SECRET_CHARACTERS_MIN])
        found = next((form for form in candidates if text.startswith(form, at)), None) if candidates else None
        if found is None or candidates is None:
            at += 1
            continue
        parts += [text[start:at], candidates[found]]
        at += len(found)
        start = at
    return "".join([*parts, text[start:]])


def strike_named(match: re.Match[str]) -> str:
    """Keep the name, strike the value; key ids keep their last four characters."""
    value = match["value"]
    if value.startswith(STRUCK) or value in ("None", "null", "True", "False", "true", "false"):
        return match[0]
    return match["name"] + (mask_key(value) if KEY_NAME.search(match["name"]) else STRUCK)


def mask_key(key: str) -> str:
    """Show an API key's id as `***XXXX`; of a short one not even that."""
    return f"{STRUCK}{key[-4:]}" if len(key) >= 12 else STRUCK
