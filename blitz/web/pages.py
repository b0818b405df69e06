"""The pages of people who are signed in, and the page of the API's documentation.

Each page carries its first data as JSON, so that it is complete before the first call; a small module takes over.
"""

from typing import Any

from apiflask import APIBlueprint
from flask import Flask, render_template, request

from blitz import __version__
from blitz.core.ladder_settings import LEGS_MAX, LEVERAGE_MAX, ROE_MAX, ExchangeName, LadderSettings, plain
from blitz.errors import GatewayProblem
from blitz.web.accounts import current_account, this_user
from blitz.web.feed import feed_row
from blitz.web.ladder_api import settings_json
from blitz.web.services import services

pages = APIBlueprint("pages", __name__, enable_openapi=False)

FEED_LINES = 40


@pages.get("/")
def control() -> str:
    """The control page: four buttons, and what the bot is doing."""
    parts, user = services(), this_user()
    first: dict[str, Any] = {
        "status": parts.manager.get_bot_status(user.id),
        "settings": settings_json(user),
        "feed": [feed_row(line) for line in reversed(parts.history.latest_events(user.id, limit=FEED_LINES))],
        "facts": dict(parts.facts),
    }
    return render_template("control.html", first=first, page="control", welcome="welcome" in request.args)


@pages.get("/settings")
def settings() -> str:
    """The settings page: every field with its meaning, and the preview."""
    user = this_user()
    first = {"settings": settings_json(user), "facts": dict(services().facts)}
    limits = {"legs": LEGS_MAX, "leverage": plain(LEVERAGE_MAX), "roe": plain(ROE_MAX)}
    return render_template(
        "settings.html",
        first=first,
        limits=limits,
        exchanges=list(ExchangeName),
        markets=markets(user.settings),
        page="settings",
    )


@pages.get("/admin/console")
@pages.get("/admin/lite")
def admin_console() -> str:
    """The admin console: every user, their bots, and three commands."""
    parts = services()
    people = [
        {
            "id": one.id,
            "email": one.email,
            "role": one.role,
            "active": one.active,
            "symbol": one.settings.symbol,
            "side": one.settings.side.value,
            "mode": one.settings.mode.value,
        }
        for one in parts.users.all()
    ]
    first = {"users": people, "status": parts.manager.get_all_bot_statuses()}
    return render_template("admin.html", first=first, page="admin")


@pages.get("/api/docs")
def api_docs() -> str:
    """The API's documentation, drawn by the vendored swagger-ui."""
    return render_template("api_docs.html")


def markets(settings: LadderSettings) -> list[str]:
    """The markets to offer; none when the exchange does not answer, and then any can still be typed in."""
    try:
        return services().desk.symbols(settings)
    except GatewayProblem:
        return []


def register(app: Flask) -> None:
    """Give every template what the frame around it shows."""

    @app.context_processor
    def frame() -> dict[str, Any]:
        open_to_all = services().settings.registration == "open"
        return {"account": current_account(), "registration_open": open_to_all, "version": __version__}
