"""In which language, theme and time zone a page speaks: what its reader chose, or what the browser asks for.

Templates use `_()`. Sentences that the parts below the web make are English, in the journal and in the log too;
`said` turns one into the reader's language on its way out.
"""

from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations
from flask import Flask, g, request
from flask_babel import Babel

from blitz.errors import DatabaseProblem
from blitz.storage.preferences import LANGUAGES, Preferences
from blitz.web.accounts import current_account
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
    """The language of the current answer, such as `ko`."""
    return preferences().language or request.accept_languages.best_match(LANGUAGES) or "en"


@cache
def catalogue(code: str) -> NullTranslations:
    """The sentences of a language; without a catalogue every sentence stays as it is."""
    return Translations.load(CATALOGUES, [code])


def said(text: str, code: str | None = None) -> str:
    """A sentence of the server in the language `code`, the reader's without one; as it is where nobody put it so."""
    return str(catalogue(code or language()).ugettext(text)) if text else text


def register(app: Flask) -> None:
    """Connect Flask-Babel with `app` and give templates what they ask for."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app, locale_selector=language)
    app.jinja_env.globals.update(language=language, preferences=preferences, languages=LANGUAGES, said=said)
    app.jinja_env.filters["said"] = said
