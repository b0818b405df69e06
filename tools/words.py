#!/usr/bin/env python3
"""Keeps the pages' words in two languages: `python tools/words.py`, and `--check` to only look.

Three kinds of texts are collected: `_()` of templates and Python, `t()` of the pages' modules, and the sentences of the
parts below (`tools/sentences.py`). All stand in one catalogue, `blitz/web/translations/ko/LC_MESSAGES/messages.po`, in
which their Korean is written by hand; `messages.mo` for the server and `js/words/ko.js` for the pages are made from it.
"""

import argparse
import io
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools.sentences import server_sentences  # noqa: E402  # the line above makes it importable

WEB = ROOT / "blitz/web"
LANGUAGE = "ko"
PO = WEB / f"translations/{LANGUAGE}/LC_MESSAGES/messages.po"
MO = PO.with_suffix(".mo")
JS = WEB / f"static/js/words/{LANGUAGE}.js"
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""The catalogue's date: it changes with its words only."""
PLACE = re.compile(r"\{[a-z]\w*\}|%\(\w+\)[sd]")


def main() -> int:
    """Run the command; 1 when something is missing or out of date."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="change nothing; say what is wrong")
    if arguments.parse_args().check:
        wrong = problems()
    else:
        update()
        wrong = untranslated()
    sys.stdout.write("\n".join(wrong or ["Every text has its Korean."]) + "\n")
    return 1 if wrong else 0


def update() -> None:
    """Bring the catalogue in line with the code, keeping what is translated, and make the two files from it."""
    catalogue = updated()
    PO.parent.mkdir(parents=True, exist_ok=True)
    JS.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(as_po(catalogue))
    MO.write_bytes(as_mo(catalogue))
    JS.write_text(as_js(catalogue), "utf-8")


def updated() -> Catalog:
    """The catalogue with exactly the texts that the code says now."""
    old = stored()
    new = Catalog(
        locale=LANGUAGE,
        header_comment="# Korean for the pages. Made by tools/words.py; write msgstr by hand.",
        project="Blitz",
        version="1",
        msgid_bugs_address="none",
        last_translator="Blitz",
        language_team="Korean",
        creation_date=ALWAYS,
        revision_date=ALWAYS,
        fuzzy=False,
    )
    for text, files in sorted(texts().items()):
        known = old.get(text)
        new.add(text, string=known.string if known else "", locations=[(name, 1) for name in sorted(files)])
    return new


def texts() -> dict[str, set[str]]:
    """Every text that can reach a person, with the files that say it."""
    found = server_sentences(ROOT)
    for path in sorted(WEB.rglob("*.py")):
        _collect(found, path, "python", {"_": None, "gettext": None, "lazy_gettext": None})
    for path in sorted((WEB / "templates").rglob("*.html")):
        _collect(found, path, "jinja2.ext:babel_extract", {"_": None, "gettext": None})
    for path in sorted((WEB / "static/js").rglob("*.js")):
        if path.parent.name != "words":
            _collect(found, path, "javascript", {"t": None})
    return found


def _collect(found: dict[str, set[str]], path: Path, method: str, keywords: dict[str, None]) -> None:
    for _, message, _, _ in extract_from_file(method, path, keywords=keywords):
        text = message if isinstance(message, str) else message[0]
        found.setdefault(text, set()).add(path.relative_to(ROOT).as_posix())


def stored() -> Catalog:
    """The catalogue as it lies in the repository."""
    return read_po(io.BytesIO(PO.read_bytes() if PO.exists() else b""), locale=LANGUAGE)


def problems() -> list[str]:
    """Everything that is wrong, a line each."""
    old, said = stored(), texts()
    known = {str(message.id) for message in old if message.id}
    wrong = [f"new, no Korean yet: {text!r} ({', '.join(sorted(said[text]))})" for text in sorted(said.keys() - known)]
    wrong += [f"said nowhere any more: {text!r}" for text in sorted(known - said.keys())]
    wrong += untranslated()
    wrong += differing_places(old)
    if not MO.exists() or words_in(MO.read_bytes()) != words_in(as_mo(old)):
        wrong.append(f"{MO.relative_to(ROOT)} is not made from the catalogue: run python tools/words.py")
    if not JS.exists() or JS.read_text("utf-8") != as_js(old):
        wrong.append(f"{JS.relative_to(ROOT)} is not made from the catalogue: run python tools/words.py")
    return wrong


def untranslated() -> list[str]:
    """Messages of the catalogue without Korean."""
    return [f"no Korean: {one.id!r} ({', '.join(files_of(one))})" for one in stored() if one.id and not one.string]


def differing_places(catalogue: Catalog) -> list[str]:
    """Messages whose Korean has other values than the English, or lost some."""
    return [
        f"other places in the Korean of {one.id!r}: {one.string!r}"
        for one in catalogue
        if one.id and one.string and set(PLACE.findall(str(one.id))) != set(PLACE.findall(str(one.string)))
    ]


def files_of(message: object) -> list[str]:
    """Where a message of the catalogue is said."""
    return [name for name, _ in getattr(message, "locations", ())]


def as_po(catalogue: Catalog) -> bytes:
    """The catalogue as text."""
    written = io.BytesIO()
    write_po(written, catalogue, width=0, include_lineno=False, sort_output=True)
    return written.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """What the server reads: every message but those of the pages' modules alone."""
    kept = Catalog(locale=LANGUAGE, creation_date=ALWAYS, revision_date=ALWAYS, fuzzy=False)
    for one in catalogue:
        if one.id and any(not name.endswith(".js") for name in files_of(one)):
            kept.add(one.id, string=one.string)
    written = io.BytesIO()
    write_mo(written, kept)
    return written.getvalue()


def words_in(compiled: bytes) -> dict[str, str]:
    """The messages of a compiled catalogue, without its header."""
    return {str(one.id): str(one.string) for one in read_mo(io.BytesIO(compiled)) if one.id}


def as_js(catalogue: Catalog) -> str:
    """What the pages' modules read: their own messages."""
    words = {
        str(one.id): one.string
        for one in catalogue
        if one.id and one.string and any(name.endswith(".js") for name in files_of(one))
    }
    made = json.dumps(words, ensure_ascii=False, indent=0, sort_keys=True)
    return f"// Made by tools/words.py from translations/{LANGUAGE}; do not edit.\nglobalThis.blitzWords = {made};\n"


if __name__ == "__main__":
    sys.exit(main())
