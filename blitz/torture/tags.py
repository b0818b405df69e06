"""Reads the readable order ids, in this package's own words: the grammar is in docs/glossary.md and ARCHITECTURE.md.

The server has a parser of its own. This one shares nothing with it, so that the two cannot be wrong together.
"""

from dataclasses import dataclass

from blitz.torture.truth import LiveOrder

DIGITS = frozenset("0123456789")
BASE_36 = DIGITS | frozenset("abcdefghijklmnopqrstuvwxyz")
ROLES = ("leg", "tp", "sl")
GENERATION_DIGITS_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What an order id says its order is: the generation is left out, since generations share one tag."""

    role: str
    leg: int | None = None

    def __str__(self) -> str:
        return self.role if self.leg is None else f"{self.role}_{self.leg}"


def read_tag(link_id: str, user_id: int, symbol: str) -> Tag | None:
    """The tag of `user_id` on the market `symbol` (as stored, BTC/USDT:USDT); None for anybody else's order."""
    words = link_id.lower().split("_")
    if len(words) < 4 or words[0] != "sm" or words[1] not in ROLES:
        return None
    leg = None
    rest = words[2:]
    if words[1] == "leg":
        if not _is_number(rest[0], digits_max=2, zero=True):
            return None
        leg, rest = int(rest[0]), rest[1:]
    if len(rest) not in (2, 3) or not _is_number(rest[0], digits_max=9) or int(rest[0]) != user_id:
        return None
    if rest[1] not in _market_codes(symbol) or (len(rest) == 3 and not _is_generation(rest[2])):
        return None
    return Tag(role=words[1], leg=leg)


def tag_of(order: LiveOrder, user_id: int, symbol: str) -> Tag | None:
    """The tag of a live order. BingX keeps no id on stops; nobody else here places any, so one without is a bot's."""
    tag = read_tag(order.link_id, user_id, symbol)
    if tag is None and not order.link_id and order.trigger and order.is_reduce_only:
        return Tag(role="sl")
    return tag


def _is_number(text: str, *, digits_max: int, zero: bool = False) -> bool:
    if not text or len(text) > digits_max or not set(text) <= DIGITS:
        return False
    return text[0] != "0" or (zero and text == "0")


def _is_generation(text: str) -> bool:
    return 0 < len(text) <= GENERATION_DIGITS_MAX and set(text) <= BASE_36 and text[0] != "0"


def _market_codes(symbol: str) -> set[str]:
    whole = symbol.partition(":")[0]
    settle = whole.partition("/")[2]
    return {form.replace("/", "").replace(":", "").lower() for form in (whole, f"{whole}:{settle}")}
