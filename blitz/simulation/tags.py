"""The checkers' own reading of order ids, written apart from the one in `core.tags` that it checks."""

from dataclasses import dataclass
from functools import lru_cache

from blitz.core.orders import Role

ROLES = {"leg": Role.LEG, "tp": Role.TAKE_PROFIT, "sl": Role.STOP_LOSS}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Tag:
    """What an order id says."""

    role: Role
    leg: int
    user_id: int
    symbol: str
    generation: int

    @property
    def place(self) -> tuple[Role, int, int]:
        """The one place of a ladder that it names: only one order may live there."""
        return self.role, self.leg, self.user_id


@lru_cache(maxsize=8_192)
def parsed(client_id: str) -> Tag | None:
    """Take an id apart, or None when it is not written as documented."""
    words = client_id.lower().split("_")
    if len(words) < 4 or words[0] != "sm" or words[1] not in ROLES:
        return None
    role = ROLES[words[1]]
    rest = words[2:]
    leg = 0
    if role is Role.LEG:
        if not _is_number(rest[0], 2):
            return None
        leg, rest = int(rest[0]), rest[1:]
    if len(rest) not in {2, 3} or not _is_number(rest[0], 9) or int(rest[0]) == 0:
        return None
    generation = 0
    if len(rest) == 3:
        digits = rest[2]
        if not 1 <= len(digits) <= 4 or digits[0] == "0" or any(digit not in DIGITS for digit in digits):
            return None
        generation = int(digits, 36)
    if len(rest[1]) < 3 or not (rest[1].isascii() and rest[1].isalnum()):
        return None
    return Tag(role, leg, int(rest[0]), rest[1], generation)


def _is_number(word: str, digits_max: int) -> bool:
    plain = word.isascii() and word.isdigit()
    return plain and len(word) <= digits_max and (word == "0" or word[0] != "0")
