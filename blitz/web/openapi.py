"""What the OpenAPI document says beside the schemas: title, sign-in, and the refusals every route shares."""

from typing import Any

from apiflask import APIFlask

from blitz.web.schemas import ErrorOut

DESCRIPTION = """\
Control and watch one trading bot per user. Sign in with `POST /login` (form fields `email` and `password`) and send
the cookie with every call. Money and quantities are strings, so that no digit is lost; times are UTC.
"""
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
    for path in document["paths"].values():
        for method in METHODS & path.keys():
            _complete_operation(path[method])
    return document


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
    app.security_schemes = {"session": {"type": "apiKey", "in": "cookie", "name": "blitz_session"}}
    app.spec_processor(complete)
