"""Everything that can go wrong in a request, in one shape.

For programs: `{"success": false, "status": word, "message": sentence, "errors"?: {field: [sentence]}}`. For people:
a page with the same sentence. Both in the language of whoever asks; the word never changes. Views raise `Problem` or
one of the project's own errors; nothing internal ever leaves.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, jsonify, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from blitz.errors import ConfigurationProblem, GatewayProblem, SecretUnreadable, SettingsProblem
from blitz.web.language import said, said_errors

log = structlog.get_logger("blitz.web")

JSON_PREFIXES = (
    "/api/", "/admin/simple/", "/admin/users", "/admin/server", "/__debug/", "/healthz", "/readyz", "/metrics",
)  # fmt: skip
JSON_PAGES = ("/api/docs",)
WORDS = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("not_signed_in", "Sign in first."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not answer that method."),
    408: ("too_slow", "The request took too long to arrive."),
    413: ("too_large", "The request is larger than 64 KiB."),
    414: ("too_long", "The address is too long."),
    415: ("unsupported_media_type", "The body should be JSON."),
    421: ("unknown_host", "This server does not go by that host name; its owner lists names in BLITZ_ALLOWED_HOSTS."),
    429: ("too_many_requests", "Too many requests; wait a moment."),
    431: ("too_large", "The request's headers are too large."),
}


class Problem(Exception):
    """A refusal with everything its answer needs."""

    def __init__(
        self,
        http_status: int,
        status: str,
        message: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})


def wants_json() -> bool:
    """Whether the asker is a program: an API path, or anybody who does not ask for a page."""
    if request.path.startswith(JSON_PREFIXES) and request.path not in JSON_PAGES:
        return True
    return "text/html" not in request.headers.get("Accept", "")


def error_body(status: str, message: str, errors: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """The one shape of a JSON error. `message` and `errors` are English; the body speaks the asker's language."""
    body: dict[str, Any] = {"success": False, "status": status, "message": said(message)}
    if errors:
        body["errors"] = said_errors(errors)
    return body


def register(app: APIFlask) -> None:
    """Give every kind of failure its answer."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPError, _from_input)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(SettingsProblem, _from_settings)
    app.register_error_handler(GatewayProblem, _from_gateway)
    app.register_error_handler(SecretUnreadable, _from_secret)
    app.register_error_handler(ConfigurationProblem, _from_configuration)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    """Answer a problem: JSON for programs, the sign-in page for strangers, an error page for people."""
    if problem.http_status == 401 and request.blueprint == "pages":
        return make_response(redirect(f"/login?next={quote(request.path)}" if request.path != "/" else "/login"))
    if wants_json():
        response = make_response(jsonify(error_body(problem.status, problem.message, problem.errors)))
    else:
        response = make_response(render_template("error.html", problem=problem))
    response.status_code = problem.http_status
    response.headers.update(problem.headers)
    return response


def _from_input(error: Exception) -> Response:
    """A pydantic model refused a query or a body."""
    assert isinstance(error, HTTPError)
    errors: dict[str, list[str]] = {}
    for fields in dict(error.detail).values():
        for field, sentences in fields.items():
            errors.setdefault("body" if field == "_schema" else field, []).extend(map(_sentence, sentences))
    message = "The request has fields that cannot be used."
    return answer(Problem(error.status_code, "invalid_request", message, errors=errors))


def _sentence(text: str) -> str:
    """A sentence of pydantic, or of ours without what pydantic puts before it."""
    text = text.removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."


def _from_http(error: Exception) -> Response | HTTPException:
    assert isinstance(error, HTTPException)
    code = error.code or 500
    if code < 400:  # a redirect of the router is an HTTPException too
        return error
    word, message = WORDS.get(code, ("error", error.description or "The request failed."))
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return answer(Problem(code, word, message, headers=headers))


def _from_settings(error: Exception) -> Response:
    assert isinstance(error, SettingsProblem)
    return answer(Problem(400, "invalid_settings", "These settings cannot trade; see the fields.", errors=error.errors))


def _from_gateway(error: Exception) -> Response:
    return answer(Problem(502, "exchange_unavailable", str(error)))


def _from_secret(error: Exception) -> Response:
    return answer(Problem(409, "secret_unreadable", str(error)))


def _from_configuration(error: Exception) -> Response:
    """The database or a file stopped working under a running server; the sentence goes to the log only."""
    incident = new_incident()
    log.error("A part of the server does not work.", incident=incident, problem=str(error), path=request.path)
    return answer(Problem(503, "unavailable", f"The server cannot do this right now. Reference: {incident}."))


def _unexpected(error: Exception) -> Response:
    """A fault of ours: the log gets all of it, the sender a reference."""
    incident = new_incident()
    log.error("A request failed.", incident=incident, path=request.path, method=request.method, exc_info=error)
    return answer(Problem(500, "internal_error", f"Something went wrong here. Reference: {incident}."))


def new_incident() -> str:
    """A short reference that connects an answer with its line in the log."""
    return secrets.token_hex(4)
