"""The readable order id: `sm_leg_{i}_{userId}_{symbol}`, `sm_tp_…`, `sm_sl_…`, with `_{generation}` only on proof.

Formatting and parsing are exact opposites. Parsing is strict, ignores case (some venues fold it) and is bound to one
user and one market: whatever does not parse is foreign and is never touched (S4). The first id ever used for a tag is
exactly the documented pattern; a generation is appended once a venue has proved that the id is taken for good (S14).
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from blitz.core.orders import OrderKey, Role
from blitz.errors import SettingsProblem

GENERATION_MAX = 36**4 - 1
SUFFIX_LENGTH = 5
"""Room that a generation may need: an underscore and four digits of base 36."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG = re.compile(
    r"sm_(?:leg_(?P<leg>0|[1-9][0-9]?)|(?P<exit>tp|sl))"
    r"_(?P<user>[1-9][0-9]{0,8})_(?P<symbol>[a-z0-9]{3,})(?:_(?P<generation>[1-9a-z][0-9a-z]{0,3}))?"
)


def symbol_code(symbol: str) -> str:
    """The stored symbol without `/` and `:`, as the documents write it: BTC/USDT:USDT is BTCUSDTUSDT."""
    return symbol.replace("/", "").replace(":", "")


def base_tag(key: OrderKey, user_id: int, symbol: str) -> str:
    """The documented pattern, without a generation."""
    name = f"leg_{key.leg}" if key.role is Role.LEG else key.role.value
    return f"sm_{name}_{user_id}_{symbol_code(symbol)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBook:
    """Writes and reads the tags of one user on one market of one venue."""

    user_id: int
    symbol: str
    """As stored; a symbol with or without its `:USDT` is the same market and both are read."""
    length_max: int = 36
    """The longest client order id the venue takes (36 on Bybit, 40 on BingX)."""

    def check(self, legs: int) -> None:
        """Raise `SettingsProblem` when the longest tag of a ladder of `legs` legs is longer than the venue takes."""
        longest = base_tag(OrderKey(role=Role.LEG, leg=legs - 1), self.user_id, self.symbol)
        if len(longest) <= self.length_max:
            return
        short = self.symbol.partition(":")[0]
        remedy = f"write the symbol as {short}" if short != self.symbol else "use fewer legs or another market"
        said = (
            f"makes the order id {longest}, longer than the {self.length_max} characters the exchange takes; {remedy}."
        )
        raise SettingsProblem({"symbol": [said]})

    def write(self, key: OrderKey, generation: int = 0) -> str:
        """The client order id for `key` in its `generation`; generation 0 is the documented pattern itself."""
        base = base_tag(key, self.user_id, self.symbol)
        if generation == 0:
            return base
        if not 0 < generation <= GENERATION_MAX:
            raise ValueError(f"generation {generation} is outside 0…{GENERATION_MAX}")
        if len(base) + SUFFIX_LENGTH > self.length_max:
            base = base.removesuffix(symbol_code(self.symbol)) + _short_code(self.symbol)
        return f"{base}_{_base36(generation)}"

    def read(self, client_id: str, *, any_user: bool = False) -> tuple[OrderKey, int] | None:
        """The key and generation `client_id` stands for, or None when it is not one of ours on this market.

        `any_user` is for a simulator that proves the check to be needed.
        """
        match = _TAG.fullmatch(client_id.lower())
        if match is None or (int(match["user"]) != self.user_id and not any_user):
            return None
        suffix = match["generation"]
        generation = int(suffix, 36) if suffix else 0
        codes = self._codes() if generation == 0 else self._codes() | {_short_code(self.symbol).lower()}
        if match["symbol"] not in codes:
            return None
        if match["leg"] is not None:
            return OrderKey(role=Role.LEG, leg=int(match["leg"])), generation
        return OrderKey(role=Role(match["exit"])), generation

    def _codes(self) -> set[str]:
        short = self.symbol.partition(":")[0]
        quote = short.partition("/")[2]
        return {symbol_code(form).lower() for form in (short, f"{short}:{quote}")}


def _short_code(symbol: str) -> str:
    """Six letters and four characters of a hash: for ids that must leave room for a generation."""
    whole = symbol.partition(":")[0]
    digest = base64.b32encode(hashlib.sha256(whole.encode()).digest()).decode()
    return symbol_code(whole)[:6] + digest[:4]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
