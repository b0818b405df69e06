"""A sentence with its figures apart, so that it can be said in another language."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sentence:
    """`words` in English with {names} in it; `str()` puts the figures in."""

    words: str
    figures: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.words.format_map(self.figures)
