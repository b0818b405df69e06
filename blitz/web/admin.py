"""What an administrator may do to other people's bots: look, start, stop, reconcile. Never their secrets.

Every command is the same call that the user's own button makes, with the id from the path.
"""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from blitz.web.admin_people import keep, known_user
from blitz.web.bot_api import command_answer, recovery_answer
from blitz.web.limits import COMMANDS, at_most
from blitz.web.openapi import refusals
from blitz.web.schemas import AdminStatusOut, CommandOut, DryRunIn, NothingIn, RecoverOut, StopIn
from blitz.web.services import services

admin = APIBlueprint("admin", __name__, url_prefix="/admin", tag="Admin")


@admin.get("/simple/status")
@admin.output(AdminStatusOut)
@admin.doc(responses=refusals())
def simple_status() -> dict[str, Any]:
    """Overview of every managed bot."""
    return services().manager.get_all_bot_statuses()


@admin.post("/users/<int:user_id>/start")
@at_most(COMMANDS)
@admin.input(NothingIn)
@admin.output(CommandOut)
@admin.doc(responses=refusals(400, 404, 409, 503))
def force_start(user_id: int, json_data: NothingIn) -> Response:  # noqa: ARG001
    """Force Start: start that user's bot."""
    known_user(user_id)
    return command_answer(note("force_start", user_id, services().manager.start_bot_for_user(user_id)))


@admin.post("/users/<int:user_id>/stop")
@at_most(COMMANDS)
@admin.input(StopIn)
@admin.output(CommandOut)
@admin.doc(responses=refusals(400, 404, 409, 503))
def force_stop(user_id: int, json_data: StopIn) -> Response:
    """Force Stop: stop that user's bot, in any of the ways its user has."""
    known_user(user_id)
    result = services().manager.stop_bot_for_user(user_id, **json_data.model_dump())
    return command_answer(note("force_stop", user_id, result))


@admin.post("/users/<int:user_id>/recover")
@at_most(COMMANDS)
@admin.input(NothingIn)
@admin.input(DryRunIn, location="query")
@admin.output(RecoverOut)
@admin.doc(responses=refusals(400, 404, 409, 502, 503))
def reconcile(user_id: int, json_data: NothingIn, query_data: DryRunIn) -> Response:  # noqa: ARG001
    """Reconcile: create what is missing for that user."""
    known_user(user_id)
    result = services().manager.recover_orders_for_user(user_id, dry_run=query_data.dry_run)
    return recovery_answer(result if query_data.dry_run else note("reconcile", user_id, result))


def note(action: str, user_id: int, result: dict[str, Any]) -> dict[str, Any]:
    """Keep an administrator's command on somebody else's bot, with what came of it; answers the result."""
    keep(action, user_id, str(result["message"]))
    return result
