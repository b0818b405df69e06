"""How a venue writes our tags as its client order ids, and how they are read back.

The mapping is reversible and leaves nothing to chance: each tag has one id, no two tags share one, and an id that does
not stand for a tag is a stranger's. Grammar of the tags: `core.tags`.
"""

import re
from dataclasses import dataclass

_PARTS = (
    r"sm{s}(?:(?P<leg>leg{s}(?:0|[1-9][0-9]?))|(?P<exit>tp|sl)){s}(?P<user>[1-9][0-9]{{0,8}}){s}(?P<symbol>[A-Z0-9]{{3,}})"
    r"(?:{s}(?P<generation>[1-9a-z][0-9a-z]{{0,3}}))?"
)
UNDERSCORE = "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIds:
    """What a venue takes as a client order id."""

    length_max: int
    """Of the whole id, its prefix included."""
    alphabet: str
    """The characters it takes, as the inside of a regular expression's brackets."""
    prefix: str = ""
    """What every id has to begin with."""
    separator: str = UNDERSCORE
    """What stands for the underscores of a tag: a small letter where the venue takes none.

    Outside its generation a tag has small letters only in its fixed words, so the parts stay apart.
    """

    @property
    def tag_length_max(self) -> int:
        """The longest tag that fits."""
        return self.length_max - len(self.prefix)

    def encode(self, tag: str) -> str:
        """The venue's id for one of our tags. Raises `ValueError` for anything that is no tag, or does not fit."""
        match = re.fullmatch(_PARTS.format(s=UNDERSCORE), tag)
        if match is None:
            raise ValueError(f"{tag!r} is not one of our tags")
        client_id = self.prefix + self.separator.join(_parts(match, UNDERSCORE))
        if len(client_id) > self.length_max or not re.fullmatch(f"[{self.alphabet}]+", client_id):
            raise ValueError(f"the id {client_id} is not one that the venue takes")
        return client_id

    def decode(self, client_id: str) -> str | None:
        """The tag that an id of the venue stands for; None for a stranger's."""
        if not client_id.startswith(self.prefix) or len(client_id) > self.length_max:
            return None
        match = re.fullmatch(_PARTS.format(s=self.separator), client_id.removeprefix(self.prefix))
        return None if match is None else UNDERSCORE.join(_parts(match, self.separator))


def _parts(match: "re.Match[str]", separator: str) -> list[str]:
    """The parts of a tag: sm, leg and its number or the exit's name, user, symbol, and a generation if it has one."""
    name = match["leg"].split(separator, 1) if match["leg"] else [match["exit"]]
    parts = ["sm", *name, match["user"], match["symbol"], match["generation"]]
    return [part for part in parts if part is not None]
