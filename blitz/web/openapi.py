"""What the OpenAPI document says beside the schemas: title, sign-in, and the refusals every route shares."""

import re
from typing import Any

from apiflask import APIFlask
from flask import current_app

from blitz.web.policy import POLICIES, TOKEN_SCOPES, Policy
from blitz.web.schemas import ErrorOut

DESCRIPTION = """\
Control and watch one trading bot per user. Sign in with `POST /login` (form fields `email` and `password`) and send
the cookie with every call, or make an API token on the account page and send `Authorization: Bearer blitz_…` instead: a
token opens the routes whose `x-token-scope` it has. Money and quantities are strings, so that no digit is lost; times
are UTC.
"""
ABOUT_TOKENS = "Made on the account page. `read` looks; `control` also sends commands and changes settings."
SENTENCES = {
    400: "The input cannot be used; `errors` names the fields.",
    401: "Nobody is signed in.",
    403: "Not allowed, or sent from another site.",
    404: "There is nothing here for this user.",
    409: "Not possible in the present state.",
    413: "The body is larger than 64 KiB.",
    429: "Too many requests.",
    502: "The exchange does not answer.",
    503: "The server is shutting down or at its limit.",
}
METHODS = {"get", "post", "put", "patch", "delete"}
ALWAYS = (400, 401, 403, 413, 429)


def refusals(*statuses: int) -> dict[int | str, Any]:
    """The refusals of a route, for the document: the usual ones and `statuses`. `complete` adds their shape."""
    return {status: {"description": SENTENCES[status]} for status in sorted({*ALWAYS, *statuses})}


def stream_answers() -> dict[int | str, Any]:
    """The answers of a route that streams."""
    streamed = {"description": "A stream of frames.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {200: streamed, **refusals(503)}


def complete(document: dict[str, Any] | str) -> dict[str, Any] | str:
    """Add what decorators cannot say: the shape of every refusal, CSV beside JSON, bodies that may be left out."""
    assert isinstance(document, dict), "the document is served as JSON, not as YAML"
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["ErrorOut"] = ErrorOut.model_json_schema()
    endpoints = _endpoints()
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            _complete_operation(operations[method])
            _say_who(operations[method], endpoints[method.upper(), path])
    return document


def _endpoints() -> dict[tuple[str, str], str]:
    """Which view answers which method at which path, as the document writes paths."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): rule.endpoint
        for rule in current_app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def _say_who(operation: dict[str, Any], endpoint: str) -> None:
    """Write down with what one signs in there, and which API token does."""
    if POLICIES[endpoint] is Policy.PUBLIC:
        return
    operation["security"] = [{"session": []}]
    if endpoint in TOKEN_SCOPES:
        operation["security"].append({"token": []})
        operation["x-token-scope"] = TOKEN_SCOPES[endpoint].value


def _complete_operation(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            response["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
    if any(parameter["name"] == "format" for parameter in operation.get("parameters", ())):
        operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = False


def register(app: APIFlask) -> None:
    """Describe the API as a whole."""
    app.config["DESCRIPTION"] = DESCRIPTION
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_404_RESPONSE"] = False
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.config["AUTO_OPERATION_ID"] = True
    app.config["LICENSE"] = {"name": "MIT"}
    app.security_schemes = {
        "session": {"type": "apiKey", "in": "cookie", "name": "blitz_session"},
        "token": {"type": "http", "scheme": "bearer", "description": ABOUT_TOKENS},
    }
    app.spec_processor(complete)
