"""Everybody on the server: the list, one user in full, new users, one-time links, and who may sign in.

Nothing here reads a secret. What an administrator changes is kept (`admin_acts`).
"""

from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import abort, request

from blitz.clock import iso_utc
from blitz.core.ladder_settings import Mode
from blitz.errors import SettingsProblem
from blitz.storage.invitations import VALID_MS
from blitz.storage.users import LastAdmin, User
from blitz.web.accounts import this_user
from blitz.web.admin_schemas import (
    AccessIn,
    DoneOut,
    IdsOut,
    InvitationsOut,
    InviteIn,
    LinkOut,
    LiveRowsIn,
    LiveRowsOut,
    NewUserIn,
    PeopleFilterIn,
    PeopleOut,
    PeoplePageIn,
    PersonDetailOut,
    SelectionIn,
    SelectionOut,
)
from blitz.web.errors import Problem
from blitz.web.feed import feed_row
from blitz.web.ladder_api import settings_json
from blitz.web.language import said, said_status
from blitz.web.limits import COMMANDS, at_most
from blitz.web.openapi import refusals
from blitz.web.people_list import live_rows, matching, page_of_people
from blitz.web.schemas import NothingIn
from blitz.web.services import services

people = APIBlueprint("people", __name__, url_prefix="/admin/users", tag="Admin")
log = structlog.get_logger("blitz.web")

FEED_LINES = 30


@people.get("")
@people.input(PeoplePageIn, location="query")
@people.output(PeopleOut)
@people.doc(responses=refusals())
def listed(query_data: PeoplePageIn) -> dict[str, Any]:
    """List users with the live state of their bots, fifty a page, and the totals of all."""
    return page_of_people(query_data)


@people.get("/live")
@people.input(LiveRowsIn, location="query")
@people.output(LiveRowsOut)
@people.doc(responses=refusals())
def live(query_data: LiveRowsIn) -> dict[str, Any]:
    """Tell how a few users' bots do now, and the totals of all: what an open page asks every few seconds."""
    return live_rows(query_data.ids)


@people.get("/ids")
@people.input(PeopleFilterIn, location="query")
@people.output(IdsOut)
@people.doc(responses=refusals())
def ids(query_data: PeopleFilterIn) -> dict[str, Any]:
    """Number everybody who matches the filters, to select them all."""
    found = matching(query_data, services().manager.overview())
    return {"ids": [one.person.id for one in found]}


@people.post("/selection")
@people.input(SelectionIn)
@people.output(SelectionOut)
@people.doc(responses=refusals())
def selection(json_data: SelectionIn) -> dict[str, Any]:
    """Say what a command on these users would meet. Changes nothing."""
    overview, chosen = services().manager.overview(), set(json_data.user_ids)
    bots = [overview[user_id] for user_id in chosen if user_id in overview]
    held = [bot for bot in bots if bot.has_position]
    return {
        "users": len(chosen),
        "running": sum(bot.status.is_alive for bot in bots),
        "positions": len(held),
        "live_positions": sum(bot.mode == Mode.LIVE for bot in held),
    }


@people.get("/<int:user_id>")
@people.output(PersonDetailOut)
@people.doc(responses=refusals(404))
def one(user_id: int) -> dict[str, Any]:
    """Show one user: the bot with its orders and protection, the settings without secrets, the newest of the feed."""
    return detail_of(known_user(user_id))


@people.post("")
@at_most(COMMANDS)
@people.input(NewUserIn)
@people.output(DoneOut)
@people.doc(responses=refusals())
def create(json_data: NewUserIn) -> dict[str, Any]:
    """Make a user with a first password."""
    try:
        user = services().users.create(json_data.email, json_data.password, role=json_data.role)
    except SettingsProblem as problem:
        raise refused_account(problem) from problem
    keep("create_user", user.id, f"Made as {user.role}.")
    return {"success": True, "status": "created", "message": said(f"{user.email} can sign in now."), "user_id": user.id}


@people.get("/invitations")
@people.output(InvitationsOut)
@people.doc(responses=refusals())
def invitations() -> dict[str, Any]:
    """List the one-time links that may still be used. A link itself cannot be read again."""
    rows = [
        {"id": one.id, "email": one.email, "role": one.role, "expires_at": iso_utc(one.expires_ms)}
        for one in services().invitations.waiting()
    ]
    return {"rows": rows}


@people.post("/invitations")
@at_most(COMMANDS)
@people.input(InviteIn)
@people.output(LinkOut)
@people.doc(responses=refusals())
def invite(json_data: InviteIn) -> dict[str, Any]:
    """Make a one-time link by which somebody new chooses a password. It is valid for seven days and shown this once."""
    try:
        raw = services().invitations.invite(json_data.email, json_data.role)
    except SettingsProblem as problem:
        raise refused_account(problem) from problem
    keep("invite", None, f"{json_data.email} was invited as {json_data.role}.")
    return link_of(raw, json_data.email)


@people.delete("/invitations/<int:invitation_id>")
@at_most(COMMANDS)
@people.output(DoneOut)
@people.doc(responses=refusals(404))
def take_back(invitation_id: int) -> dict[str, Any]:
    """Take a one-time link back before it is used."""
    ended = services().invitations.take_back(invitation_id) if invitation_id < 2**31 else None
    if ended is None:
        abort(404)
    keep("take_back_link", None, f"The link of {ended.email} works no longer.")
    return {"success": True, "status": "taken_back", "message": said(f"The link of {ended.email} works no longer.")}


@people.post("/<int:user_id>/link")
@at_most(COMMANDS)
@people.input(NothingIn)
@people.output(LinkOut)
@people.doc(responses=refusals(404, 409))
def reset_link(user_id: int, json_data: NothingIn) -> dict[str, Any]:  # noqa: ARG001
    """Make a one-time link by which this user sets a new password. The old one works until the link is used."""
    user = known_user(user_id)
    if not user.active:
        raise Problem(409, "disabled", "This user is disabled and could not sign in; enable the account first.")
    raw = services().invitations.reset(user)
    keep("reset_link", user.id, "A link to set a new password was made.")
    return link_of(raw, user.email)


@people.post("/<int:user_id>/access")
@at_most(COMMANDS)
@people.input(AccessIn)
@people.output(DoneOut)
@people.doc(responses=refusals(404, 409))
def access(user_id: int, json_data: AccessIn) -> dict[str, Any]:
    """Keep a user out, or let him in again. Keeping out ends every session at once.

    A bot that runs goes on looking after its position, unless `stop` asks to stop it: then its entry legs are taken
    back and its exits stay.
    """
    user = known_user(user_id)
    if json_data.active:
        services().users.set_active(user.id, active=True)
        keep("enable", user.id, "May sign in again.")
        return {"success": True, "status": "enabled", "message": said(f"{user.email} may sign in again.")}
    try:
        services().users.disable(user.id)
    except LastAdmin as problem:
        raise Problem(409, "last_admin", problem.errors["active"][0]) from problem
    message = f"{user.email} is signed out everywhere and cannot sign in. {_bot_of_disabled(user, json_data.stop)}"
    keep("disable", user.id, message)
    return {"success": True, "status": "disabled", "message": said(message)}


def _bot_of_disabled(user: User, stop: bool) -> str:
    manager = services().manager
    running = manager.overview().get(user.id)
    if running is None or not running.status.is_alive:
        return "The bot does not run."
    if stop:
        return str(manager.stop_bot_for_user(user.id)["message"])
    return "The bot goes on and keeps its position protected; after a restart of the server it stays stopped."


def detail_of(user: User) -> dict[str, Any]:
    """What the page of one user shows."""
    parts = services()
    return {
        "person": live_rows([user.id])["rows"][0],
        "bot": said_status(parts.manager.get_bot_status(user.id)),
        "settings": settings_json(user),
        "feed": [feed_row(line) for line in reversed(parts.history.latest_events(user.id, limit=FEED_LINES))],
    }


def known_user(user_id: int) -> User:
    """The user with this number; 404 for one that nobody has."""
    user = services().users.by_id(user_id) if user_id < 2**31 else None
    if user is None:
        abort(404)
    return user


def link_of(raw: str, email: str) -> dict[str, Any]:
    """A one-time link as it is shown, once."""
    expires = iso_utc(services().clock.now_ms() + VALID_MS)
    return {"link": f"{request.host_url}invite?token={raw}", "email": email, "expires_at": expires}


def refused_account(problem: SettingsProblem) -> Problem:
    """Why no account can be made, at its field."""
    return Problem(400, "invalid_account", "This account cannot be made.", errors=problem.errors)


def keep(action: str, user_id: int | None, outcome: str) -> None:
    """Keep what the administrator did, in the record and in the log."""
    services().acts.note(this_user().id, action, [(user_id, outcome)])
    log.info("An administrator acted.", action=action, admin_id=this_user().id, user_id=user_id)
