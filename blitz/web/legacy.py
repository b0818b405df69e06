"""The old server's routes, kept as signposts.

A POST is sent on to its successor with its method and body (308). A GET goes to the page and never acts: an image on
some web page must not be able to stop a bot.
"""

from apiflask import APIBlueprint
from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

legacy = APIBlueprint("legacy", __name__, enable_openapi=False)

DEPRECATED_SINCE = "@1735689600"
"""RFC 9745 wants a moment: 2025-01-01T00:00:00Z, when the LITE controls replaced these routes."""


@legacy.route("/force_refresh", methods=["GET", "POST"])
def force_refresh() -> BaseResponse:
    """Was: restart the bot. Now: start."""
    return signpost("/api/bot/start")


@legacy.route("/single_refresh", methods=["GET", "POST"])
def single_refresh() -> BaseResponse:
    """Was: place missing orders. Now: recover."""
    return signpost("/api/bot/recover")


@legacy.route("/clear_force_refresh", methods=["GET", "POST"])
def clear_force_refresh() -> BaseResponse:
    """Was: end a restart. Now: stop."""
    return signpost("/api/bot/stop")


@legacy.route("/exit_and_stop", methods=["GET", "POST"])
def exit_and_stop() -> BaseResponse:
    """Was: stop for good. Now: stop."""
    return signpost("/api/bot/stop")


def signpost(successor: str) -> BaseResponse:
    """Point a POST to its successor and everything else to the page."""
    posted = request.method == "POST"
    response: BaseResponse = redirect(successor if posted else "/", 308 if posted else 303, Response)
    response.headers["Deprecation"] = DEPRECATED_SINCE
    response.headers["Link"] = f'<{successor}>; rel="successor-version"'
    return response
