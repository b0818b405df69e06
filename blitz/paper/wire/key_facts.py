"""What an API key may do, as the control interface sets it and each exchange tells it."""

import json
from typing import Any

from blitz.paper.engine import HouseName, KeyFacts
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject

ANYWHERE = "*"
BYBIT_USUAL = {"ContractTrade": ["Order", "Position"], "Wallet": [], "Derivatives": ["DerivativesTrade"]}
SPOT, READ, TRADE, UNIVERSAL_TRANSFER, WITHDRAW, SUB_TRANSFER = 1, 2, 3, 4, 5, 7
"""BingX's numbers of what a key may do."""
BINGX_USUAL = [READ, TRADE]
BINGX_KNOWN = frozenset(map(str, (SPOT, READ, TRADE, UNIVERSAL_TRANSFER, WITHDRAW, SUB_TRANSFER)))


def read_key_facts(params: Params, before: KeyFacts, house: HouseName) -> KeyFacts:
    """What a control request says of a key; what it leaves out stays. Raises `ValueError` with a sentence."""
    permissions = params.text("permissions") or before.permissions
    if permissions:
        _check_shape(permissions, house)
    ips = before.ips if "ips" not in params.values else ",".join(_addresses(params.text("ips")))
    read_only = params.flag("readOnly") if params.text("readOnly") else before.read_only
    return KeyFacts(permissions=permissions, ips=ips, read_only=read_only)


def _check_shape(permissions: str, house: HouseName) -> None:
    try:
        parsed = json.loads(permissions)
    except ValueError:
        parsed = None
    if house is HouseName.BYBIT and not isinstance(parsed, dict):
        raise ValueError('permissions is an object as Bybit writes it, such as {"Wallet": ["Withdraw"]}.')
    if house is HouseName.BINGX and not (isinstance(parsed, list) and all(str(one) in BINGX_KNOWN for one in parsed)):
        raise ValueError("permissions is a list of BingX's numbers, such as [2, 3, 5].")


def _addresses(text: str) -> list[str]:
    """Addresses from a JSON list or from text with commas."""
    parsed = json.loads(text) if text.startswith("[") else text.split(",")
    return [str(address).strip() for address in parsed if str(address).strip()]


def bybit_facts(facts: KeyFacts) -> JsonObject:
    """Bybit's words: `readOnly`, `permissions`, `ips`, where `*` is any address."""
    permissions: Any = json.loads(facts.permissions) if facts.permissions else BYBIT_USUAL
    return {
        "readOnly": int(facts.read_only),
        "permissions": permissions,
        "ips": facts.ips.split(",") if facts.ips else [ANYWHERE],
    }


def bingx_numbers(facts: KeyFacts) -> list[int]:
    """BingX's numbers; a key that may only read has nothing but that."""
    if facts.read_only:
        return [READ]
    return [int(number) for number in json.loads(facts.permissions)] if facts.permissions else BINGX_USUAL


def bingx_addresses(facts: KeyFacts) -> list[str]:
    """The addresses a key is bound to; none when it is not."""
    return facts.ips.split(",") if facts.ips else []
