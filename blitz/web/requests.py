"""The request as our views see it: JSON read strictly, whatever its declared type.

`curl -d '{"legs": "keep"}'` declares a form; the body is read as the JSON it is. No body is `{}`.
"""

from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header
from werkzeug.utils import cached_property

from blitz.web.errors import Problem
from blitz.web.json_text import JsonProblem, read_json

BODY_BYTES_MAX = 64 * 1024
FORM_PARTS_MAX = 50
LANGUAGES_CHARACTERS_MAX = 400
"""Of the Accept-Language header; browsers send fifty, and looking through thousands of languages takes a second."""


class BlitzRequest(Request):
    """Flask's request with our reading rules and limits."""

    max_content_length = BODY_BYTES_MAX
    max_form_memory_size = BODY_BYTES_MAX
    max_form_parts = FORM_PARTS_MAX

    @cached_property
    def accept_languages(self) -> LanguageAccept:
        """The languages that the browser asks for, as many as fit into what is looked at."""
        header = self.headers.get("Accept-Language", "")[:LANGUAGES_CHARACTERS_MAX]
        return parse_accept_header(header, LanguageAccept)

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Read the body as one JSON object. Raises `Problem` 400 with what is wrong with it."""
        body = self.get_data(cache=True)
        if not body.strip():
            return {}
        try:
            value = read_json(body)
        except JsonProblem as problem:
            raise Problem(400, "invalid_json", str(problem)) from problem
        if not isinstance(value, dict):
            raise Problem(400, "invalid_json", "The body should be a JSON object.")
        return value


def register(app: Flask) -> None:
    """Make `app` use our request class and its limits."""
    app.request_class = BlitzRequest
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["MAX_FORM_MEMORY_SIZE"] = BODY_BYTES_MAX
    app.config["MAX_FORM_PARTS"] = FORM_PARTS_MAX
