"""What an import answers, and what both kinds of paste share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from blitz.core.ladder_settings import LadderSettings, parse_settings
from blitz.errors import SettingsProblem

_SYMBOLS = tuple(
    re.compile(pattern)
    for pattern in (
        r"([A-Z0-9]+)/USDT(?::USDT)?",
        r"USDT[_-]([A-Z0-9]+?)(?:USDT)?(?:[_-]PERP)?",
        r"([A-Z0-9]+?)[_-]?USDT(?:\.P|[_-](?:PERP|SWAP))?",
    )
)
"""BTC/USDT:USDT; 3Commas' USDT_BTC and USDT_BTCUSDT; BTCUSDT, BTC-USDT, BTCUSDT.P as exchanges and charts write it."""

SECRETS = frozenset({"api_key", "api_secret", "secret", "telegram_token", "telegram_chat_id", "password", "passphrase"})
NEVER = "Keys are never taken from a paste; enter them on the Account page."


@dataclass(frozen=True, slots=True)
class Left:
    """A field of the paste that was not taken over, and why."""

    field: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Fields for the form; nothing is stored."""

    kind: str
    """`3commas` or `blitz`."""
    fields: Mapping[str, object]
    """Settings in their stored form, only those that the paste decides."""
    taken: tuple[str, ...]
    """What was converted, and how."""
    left: tuple[Left, ...]


def settings_of(fields: Mapping[str, object], base: LadderSettings) -> dict[str, object]:
    """The fields in their stored form. Raises `SettingsProblem` for what cannot be traded."""
    read = parse_settings(fields, base=base).to_json()
    wanted = {*fields, "rounds"} if "grids" in fields else set(fields)
    return {name: value for name, value in read.items() if name in wanted}


def usdt_symbol(field: str, value: object) -> str:
    """A pair, however it is written, as BTC/USDT:USDT. Raises `SettingsProblem` at `field`."""
    text = value.strip().upper() if isinstance(value, str) else ""
    bare = text.rpartition(":")[2] if re.fullmatch(r"[A-Z]+:[A-Z0-9_.-]+", text) else text
    for pattern in _SYMBOLS:
        match = pattern.fullmatch(bare)
        if match is not None:
            return f"{match[1]}/USDT:USDT"
    shown = text[:40] or "nothing"
    raise SettingsProblem({field: [f"{shown} is not a USDT perpetual; write it like BTC/USDT:USDT."]})
