"""A language's sentences, and how an English sentence that was made from a template finds its own.

Most sentences below the web hold values: a price, an order's name, what the exchange said. The catalogue knows their
templates, such as `{order} filled: {quantity} at {price}.`; a sentence is compared with the fixed parts of each, the
one with most letters first, and its values are put into the other language's template. A value that is a sentence or a
known word is put so too. What nobody knows stays as it is, such as an exchange's own words.

The texts are not ours alone, so the work on one is bounded: its length, its depth, and how often it is looked up.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

TEXT_MAX = 4000
"""Characters; a longer text is nobody's sentence."""
DEPTH_MAX = 8
LOOKUPS_MAX = 400
TOGETHER_MAX = 12
"""Sentences of one text that are tried as one."""
REMEMBERED = 2048
INDEX_LETTERS = 4

PLACES = re.compile(r"((?:\{[a-z]\w*\}\s*)*\{[a-z]\w*\})")
"""Places beside each other count as one: nothing says where one value ends and the next begins."""
NAME = re.compile(r"\{([a-z]\w*)\}")
SENTENCE_END = re.compile(r"(?<=[.!?…]) +")
LISTED = re.compile(r", | and | or ")
FIELD = re.compile(r"([\w.-]{1,40}): (?=\S)")
SEVERAL = re.compile(rf"{LISTED.pattern}|{FIELD.pattern}|{SENTENCE_END.pattern}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A sentence with places for values, and the same in the other language."""

    fixed: tuple[str, ...]
    """What stands before, between and behind the places."""
    names: tuple[tuple[str, ...], ...]
    """The names of each place; several when they stand beside each other."""
    other: str

    def values(self, text: str) -> list[str] | None:
        """What stands in the places of `text`, or None when it was not made from this template."""
        head, *middle, tail = self.fixed
        place, end = len(head), len(text) - len(tail)
        if place > end or not text.startswith(head) or not text.endswith(tail):
            return None
        found = []
        for part in middle:
            at = text.find(part, place, end)
            if at < 0:
                return None
            found.append(text[place:at])
            place = at + len(part)
        return [*found, text[place:end]]

    def filled(self, values: list[str]) -> str:
        """The other language's sentence with these values."""
        words = {name: "" for names in self.names for name in names}
        words |= {names[0]: value for names, value in zip(self.names, values, strict=True)}
        made = NAME.sub(lambda place: words.get(place[1], place[0]), self.other)
        is_merged = any(len(names) > 1 for names in self.names)
        return " ".join(made.split()) if is_merged else made


class Phrasebook:
    """What is known of one language."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._exact = {text: other for text, other in messages.items() if other}
        templates = [made for text, other in self._exact.items() if (made := template_of(text, other)) is not None]
        templates.sort(key=lambda one: -sum(map(len, one.fixed)))
        self._all = list(enumerate(templates))
        self._by_start: dict[str, list[tuple[int, Template]]] = {}
        for rank, one in self._all:
            self._by_start.setdefault(one.fixed[0][:INDEX_LETTERS], []).append((rank, one))
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._said)

    def say(self, text: str) -> str:
        """The text in this language as far as it is known."""
        known = self._exact.get(text)
        if known is not None:
            return known
        return self._remembered(text) if 0 < len(text) <= TEXT_MAX else text

    def _said(self, text: str) -> str:
        return _Search(self).say(text, DEPTH_MAX)

    def exact(self, text: str) -> str | None:
        """A text that is known as a whole, with or without its full stop."""
        known = self._exact.get(text)
        if known is None and text.endswith("."):
            known = self._exact.get(text[:-1])
            return None if known is None else f"{known}."
        if known is None and (ended := self._exact.get(f"{text}.")) is not None:
            return ended.removesuffix(".")
        return known

    def matches(self, text: str) -> Iterator[tuple[Template, list[str]]]:
        """The templates that a text may have been made from, the likeliest first."""
        starts = [self._by_start.get(text[:length], ()) for length in range(INDEX_LETTERS + 1)]
        for _, one in sorted((each for group in starts for each in group), key=lambda each: each[0]):
            values = one.values(text)
            if values is not None:
                yield one, values


class _Search:
    """The work on one text, counted."""

    def __init__(self, book: Phrasebook) -> None:
        self._book = book
        self._left = LOOKUPS_MAX

    def say(self, text: str, depth: int) -> str:
        """The text in the other language as far as it is known."""
        if not any(map(str.isalpha, text)):
            return text
        whole = self._whole(text, depth)
        if whole is not None:
            return whole
        if "\n" in text:
            return "\n".join(self.say(line, depth - 1) for line in text.split("\n")) if depth > 0 else text
        sentences = SENTENCE_END.split(text)
        if len(sentences) > 1:
            return self._one_by_one(sentences, depth)
        field = FIELD.match(text)
        if field and depth > 0:
            return field[0] + self.say(text[field.end() :], depth - 1)
        listed = self._listed(text, depth)
        return listed or self._whole(text, depth, even_doubtful=True) or text

    def _whole(self, text: str, depth: int, *, even_doubtful: bool = False) -> str | None:
        """A text that is one sentence of the catalogue; a doubtful reading of it only when asked for."""
        if self._left <= 0 or depth < 0:
            return None
        self._left -= 1
        known = self._book.exact(text)
        if known is not None:
            return known
        made = self._made(text, depth, even_doubtful)
        if made is None and not text.endswith("."):  # as a part of another sentence it may have lost its full stop
            made = self._made(f"{text}.", depth, even_doubtful)
            return None if made is None else made.removesuffix(".")
        return made

    def _made(self, text: str, depth: int, even_doubtful: bool) -> str | None:
        for template, values in self._book.matches(text):
            if even_doubtful or template.fixed[0] or not self._is_doubtful(values[0], depth - 1):
                return template.filled([self.say(value, depth - 1) for value in values])
        return None

    def _is_doubtful(self, first: str, depth: int) -> bool:
        """Whether what stands before a template's first word may be a part of something else.

        `the take-profit and 3` is no number of ladder legs; a whole sentence may well stand there.
        """
        if not SEVERAL.search(first) or self._whole(first, depth) is not None:
            return False
        return len(SENTENCE_END.split(first)) == 1 or self.say(first, depth) == first

    def _one_by_one(self, sentences: list[str], depth: int) -> str:
        """Sentences behind each other: as many together as one template explains."""
        said, first = [], 0
        while first < len(sentences):
            for last in range(min(len(sentences), first + TOGETHER_MAX), first, -1):
                part = " ".join(sentences[first:last])
                known = self._whole(part, depth - 1)
                if known is not None or last == first + 1:
                    said.append(self.say(part, depth - 1) if known is None and depth > 0 else known or part)
                    first = last
                    break
        return " ".join(said)

    def _listed(self, text: str, depth: int) -> str | None:
        """Words in a row, `the take-profit and 2 ladder legs`, if all but code words are known."""
        words = LISTED.split(text)
        if len(words) == 1:
            return None
        said = [self._whole(word, depth - 1) or (None if " " in word else word) for word in words]
        return None if None in said else ", ".join(map(str, said))


def template_of(text: str, other: str) -> Template | None:
    """A message with places in braces as a template; None for a text without."""
    parts = PLACES.split(text)
    if len(parts) == 1:
        return None
    names = tuple(tuple(NAME.findall(place)) for place in parts[1::2])
    return Template(fixed=tuple(parts[::2]), names=names, other=other)
