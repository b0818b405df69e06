"""The pages of people who are signed in, and the page of the API's documentation.

Each page carries its first data as JSON, so that it is complete before the first call; a small module takes over.
"""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, Response, make_response, redirect, render_template, request

from blitz import __version__
from blitz.core.going_live import LiveCheck, stake_json
from blitz.core.ladder_settings import LEGS_MAX, LEVERAGE_MAX, ROE_MAX, ExchangeName, LadderSettings, Mode, plain
from blitz.errors import GatewayProblem, SettingsProblem
from blitz.storage.api_tokens import TOKENS_MAX
from blitz.storage.password_rules import LENGTH_MIN
from blitz.storage.preferences import offered_zones
from blitz.web.account_api import sign_in_rows, token_rows
from blitz.web.accounts import current_account, this_user
from blitz.web.admin_people import detail_of, known_user
from blitz.web.admin_schemas import PeoplePageIn
from blitz.web.admin_server import server_row, standing_notices
from blitz.web.errors import Problem
from blitz.web.feed import feed_row
from blitz.web.going_live import go_live, live_since
from blitz.web.ladder_api import has_frozen_keys, settings_json
from blitz.web.language import preferences, said_status
from blitz.web.limits import LIVE_CHECKS, at_most
from blitz.web.mode_strip import mode_strip, stored_strip
from blitz.web.people_list import page_of_people
from blitz.web.services import services

pages = APIBlueprint("pages", __name__, enable_openapi=False)

EXCHANGES = {each.value: each.label for each in ExchangeName}
"""How the exchanges write themselves, by their code words."""

FEED_LINES = 40


@pages.get("/")
def control() -> str:
    """The control page: four buttons, and what the bot is doing."""
    parts, user = services(), this_user()
    first: dict[str, Any] = {
        "status": said_status(parts.manager.get_bot_status(user.id)),
        "settings": settings_json(user),
        "feed": [feed_row(line) for line in reversed(parts.history.latest_events(user.id, limit=FEED_LINES))],
        "facts": dict(parts.facts),
        "exchanges": EXCHANGES,
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


@pages.route("/settings/live", methods=["GET", "POST"])
@at_most(LIVE_CHECKS)
def live() -> Response:
    """The page on which one goes live: what was found, what will be placed, and the password again."""
    user, problem, found = this_user(), None, LiveCheck()
    if request.method == "POST":
        try:
            go_live(user, request.form.get("password", ""), request.form.get("confirm", ""))
            return make_response(redirect("/settings/live", 303))
        except Problem as refusal:
            problem = refusal
    try:
        found = services().live.check(user.id)
    except (GatewayProblem, SettingsProblem) as reason:
        problem = problem or Problem(502, "not_checked", str(reason))
    page = render_template(
        "live.html",
        user=user,
        since=live_since(user),
        found=found,
        stake=stake_json(found.stake) if found.stake else None,
        problem=problem,
        page="settings",
    )
    response = make_response(page, problem.http_status if problem else 200)
    response.headers.update(problem.headers if problem else {})
    return response


@pages.get("/history")
def history() -> str:
    """The history page: what the bot earned, cycle by cycle, on one account at a time."""
    past, user_id = services().history, this_user().id
    accounts = past.accounts(user_id)
    asked = request.args.get("account", "")
    shown = asked if asked in accounts else accounts[0]
    is_empty = not (past.cycles(user_id, limit=1, account=shown) or past.event_page(user_id, limit=1, account=shown))
    return render_template(
        "history.html",
        page="history",
        first={"account": shown, "is_empty": is_empty},
        accounts=[account_words(name) for name in accounts],
        shown=account_words(shown),
        is_unknown=asked not in ("", shown),
        is_empty=is_empty,
        symbols=past.symbols(user_id, account=shown),
    )


@pages.get("/account")
def account() -> str:
    """The account page: keys, sign-ins, and how pages speak to this person."""
    user = this_user()
    first = {
        "settings": settings_json(user),
        "keys_frozen": has_frozen_keys(user.id),
        "sign_ins": sign_in_rows(user.id),
        "tokens": token_rows(user.id),
        "preferences": asdict(preferences()),
    }
    return render_template(
        "account.html",
        first=first,
        exchange=user.settings.exchange.label,
        zones=offered_zones(),
        password_min=LENGTH_MIN,
        tokens_max=TOKENS_MAX,
        page="account",
    )


@pages.get("/admin/console")
@pages.get("/admin/lite")
def admin_console() -> str:
    """The admin console: everybody's bots, people, exchanges, notices and the record. It fetches what it shows."""
    first = {"list": page_of_people(PeoplePageIn()), "server": server_row(), "exchanges": EXCHANGES}
    return render_template("admin.html", first=first, page="admin", exchanges=list(ExchangeName))


@pages.get("/admin/console/<int:user_id>")
def admin_person(user_id: int) -> str:
    """One user for an administrator: the bot, its orders, its feed, the settings without secrets, the commands."""
    user = known_user(user_id)
    first = detail_of(user) | {"exchanges": EXCHANGES}
    return render_template("admin_person.html", first=first, person=user, page="admin")


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


def account_words(account: str) -> dict[str, str]:
    """An account for people: where it is, and whose money it holds. `account` is as `account_name` makes it."""
    exchange, _, kind = account.partition(":")
    mode = Mode.DEMO if kind == "testnet" else Mode(kind)
    return {"name": account, "exchange": ExchangeName(exchange).label, "kind": kind, "mode": mode.value}


def grouped(figure: str, places: int | None = None) -> str:
    """A figure for people: 60000.50 is 60,000.50. Cut to `places`, never rounded up; as text, so no digit is bent."""
    whole, _, fraction = figure.partition(".")
    shown = (fraction if places is None else fraction[:places]).rstrip("0") if fraction else ""
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{shown}" if shown else "")


def register(app: Flask) -> None:
    """Give every template what the frame around it shows."""
    app.jinja_env.filters["grouped"] = grouped

    @app.context_processor
    def frame() -> dict[str, Any]:
        return {
            "account": current_account(),
            "mode_strip": mode_strip,
            "stored_strip": stored_strip,
            "standing_notices": standing_notices,
            "registration_open": services().settings.registration == "open",
            "version": __version__,
        }
