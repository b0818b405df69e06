"""Which passwords are refused, and the sentence that says why. Used by `users`.

Length is what counts; the rest only keeps out what a guessing program tries first: common words in any spelling, rows
of keys, repetitions and the person's own address.
"""

import re
from functools import cache
from importlib.resources import files

from blitz.storage.passwords import LENGTH_MAX

LENGTH_MIN = 12
DIFFERENT_MIN = 5
WORDS_MAX = 3
"""A password made of at most so many common words is common itself."""
RUN_MIN = 3
"""So many neighbouring keys or letters in a row count as one thing to guess."""
OWN_LETTERS_MIN = 6
"""So many characters must be left once rows of keys, or the person's address, are taken away."""

_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm")
_RUNS = tuple(direction for row in _ROWS for direction in (row, row[::-1]))
_REPEATED = re.compile(r"(.{1,4}?)\1{2,}.{0,3}", re.DOTALL)
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LOOKALIKES = tuple(str.maketrans("@4301$57", letters) for letters in ("aaeoisst", "aaeolsst"))


def password_problems(password: str, email: str) -> list[str]:
    """Every reason to refuse `password` for the owner of `email`; none when it is accepted."""
    if len(password) < LENGTH_MIN:
        return [f"Use at least {LENGTH_MIN} characters."]
    if len(password) > LENGTH_MAX:
        return [f"Use at most {LENGTH_MAX} characters."]
    folded = password.casefold()
    if len(set(folded)) < DIFFERENT_MIN or _REPEATED.fullmatch(folded):
        return [
            "This repeats the same few characters; several unrelated words are easy to keep in mind and hard to guess."
        ]
    if folded.isdigit() or len(folded) - _covered_by_runs(folded) < OWN_LETTERS_MIN:
        return ["Rows of keys and plain numbers are guessed first; add words of your own."]
    if _is_mostly_address(folded, email.casefold()):
        return ["Do not build the password from your e-mail address."]
    if _is_common(folded):
        return ["This is one of the passwords that are guessed first; use several unrelated words."]
    return []


def _covered_by_runs(text: str) -> int:
    """How many characters belong to a row of keys or letters, such as 1234 or qwer, forwards or backwards."""
    covered = position = 0
    while position < len(text):
        length = max(_run_length(text, position, run) for run in _RUNS)
        covered += length if length >= RUN_MIN else 0
        position += length if length >= RUN_MIN else 1
    return covered


def _run_length(text: str, position: int, run: str) -> int:
    start = run.find(text[position])
    if start < 0:
        return 0
    length = 0
    for expected, found in zip(run[start:], text[position:], strict=False):
        if expected != found:
            break
        length += 1
    return length


def _is_mostly_address(text: str, email: str) -> bool:
    name, _, domain = email.partition("@")
    left = text
    for part in sorted({email, name, domain, domain.partition(".")[0]}, key=len, reverse=True):
        if len(part) >= RUN_MIN:
            left = left.replace(part, "")
    return left != text and len(_ENDS.sub("", left)) < OWN_LETTERS_MIN


def _is_common(text: str) -> bool:
    core = _ENDS.sub("", text)
    spellings = {re.sub(r"[\W\d_]", "", core), *(re.sub(r"[\W\d_]", "", core.translate(each)) for each in _LOOKALIKES)}
    return any(_common_words().fullmatch(spelling) for spelling in spellings)


@cache
def _common_words() -> re.Pattern[str]:
    lines = files("blitz.storage").joinpath("common_passwords.txt").read_text(encoding="utf-8").split("\n")
    words = sorted({line for line in lines if line and not line.startswith("#")}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, words))}){{0,{WORDS_MAX}}}")
