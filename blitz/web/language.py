"""In which language, theme and time zone a page speaks: what its reader chose, or what the browser asks for.

Templates use `_()`. Sentences that the parts below the web make are English, in the journal and in the log too;
`said` turns one into the reader's language on its way out. Where no request is being answered, such as in a stream, the
language is an argument.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import read_mo
from flask import Flask, g, has_request_context, request
from flask_babel import Babel

from blitz.errors import DatabaseProblem
from blitz.storage.preferences import LANGUAGES, Preferences
from blitz.web.accounts import current_account
from blitz.web.phrasebook import Phrasebook
from blitz.web.remedies import REMEDIES
from blitz.web.services import services

CATALOGUES = Path(__file__).parent / "translations"


def preferences() -> Preferences:
    """What the reader of the current answer chose; nothing for a stranger."""
    if "preferences" not in g:
        g.preferences = _chosen()
    found: Preferences = g.preferences
    return found


def _chosen() -> Preferences:
    try:
        account = current_account()
        return services().preferences.of(account.user.id) if account else Preferences()
    except DatabaseProblem:  # the page that tells of it can still be drawn
        return Preferences()


def language() -> str:
    """The language of the current answer, such as `ko`; English where nobody is being answered."""
    if not has_request_context():
        return "en"
    if "language" not in g:  # a page asks with each of its sentences
        g.language = preferences().language or request.accept_languages.best_match(LANGUAGES) or "en"
    return str(g.language)


@cache
def phrasebook(code: str) -> Phrasebook:
    """The sentences of a language; without a catalogue every sentence stays as it is."""
    compiled = CATALOGUES / code / "LC_MESSAGES/messages.mo"
    if not compiled.exists():
        return Phrasebook({})
    with compiled.open("rb") as file:
        return Phrasebook({str(one.id): str(one.string) for one in read_mo(file) if one.id})


def said(text: str, code: str | None = None) -> str:
    """A sentence of the server in the language `code`, the reader's without one; as it is where nobody put it so."""
    return phrasebook(code or language()).say(text)


def said_errors(errors: Mapping[str, Sequence[str]], code: str | None = None) -> dict[str, list[str]]:
    """Faults by field, each sentence put so."""
    code = code or language()
    return {field: [said(sentence, code) for sentence in sentences] for field, sentences in errors.items()}


STATUS_TEXTS = (
    ("message",),
    ("attention", "message"),
    ("protected", "why"),
    ("protected", "incident", "cause"),
    ("stream", "why"),
    ("unfinished", "message"),
    ("unfinished", "warning"),
)
"""Where the status of a bot holds a sentence."""


def said_status(status: Mapping[str, Any], code: str | None = None) -> dict[str, Any]:
    """A bot's status with its sentences put so, and what to do about a missing protection. The code words stay.

    The status itself is left alone.
    """
    code = code or language()
    told = dict(status)
    for path in STATUS_TEXTS:
        _put(told, path, code)
    guard = told.get("protected")
    if isinstance(guard, dict) and "cause" in guard:
        guard["remedy"] = said(REMEDIES[guard["cause"]], code) if guard["cause"] else None
    return told


def _put(told: dict[str, Any], path: Sequence[str], code: str) -> None:
    name, *rest = path
    inner = told.get(name)
    if isinstance(inner, str) and not rest:
        told[name] = said(inner, code)
    elif isinstance(inner, Mapping) and rest:
        told[name] = dict(inner)
        _put(told[name], rest, code)


def register(app: Flask) -> None:
    """Connect Flask-Babel with `app` and give templates what they ask for."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app, locale_selector=language)
    app.jinja_env.globals.update(language=language, preferences=preferences, languages=LANGUAGES, said=said)
    app.jinja_env.filters["said"] = said
