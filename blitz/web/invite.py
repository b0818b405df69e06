"""The page behind a one-time link: somebody new, or somebody who lost a password, chooses one and is signed in."""

import structlog
from apiflask import APIBlueprint
from flask import Response, request

from blitz.errors import SettingsProblem
from blitz.storage.invitations import LinkUsed
from blitz.web.auth import form_page, peer, refused, signed_in
from blitz.web.limits import NEW_ACCOUNTS, at_most
from blitz.web.services import services

invite = APIBlueprint("invite", __name__, enable_openapi=False)
log = structlog.get_logger("blitz.web")

OVER = "This link was used already, was taken back, or is older than seven days. Ask your administrator for a new one."


@invite.route("/invite", methods=["GET", "POST"])
@at_most(NEW_ACCOUNTS, methods=["POST"])
def accept() -> Response:
    """Show the form, or set the password in the field `password` and sign in."""
    token, parts = request.values.get("token", "")[:200], services()
    found = parts.invitations.find(token) if token else None
    if found is None:
        return refused("closed.html", 403, "link_invalid", OVER)
    if request.method == "GET":
        return form_page("invite.html", token=token, invitation=found)
    try:
        user = parts.invitations.accept(token, request.form.get("password", "")[:1024])
    except LinkUsed:
        return refused("closed.html", 403, "link_invalid", OVER)
    except SettingsProblem as problem:
        return refused(
            "invite.html",
            400,
            "invalid_account",
            "This password cannot be used.",
            errors=problem.errors,
            token=token,
            invitation=found,
        )
    log.info("A one-time link was used.", action="link_used", user_id=user.id, peer=peer())
    return signed_in(user, "/")
