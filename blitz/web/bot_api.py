"""The four documented commands of a user's own bot, and giving up a cycle that none can go on with.

Each view does one thing: it calls the manager for the signed-in user and gives the answer its HTTP status.
"""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, make_response

from blitz.web.accounts import this_user
from blitz.web.errors import error_body
from blitz.web.language import said, said_status
from blitz.web.limits import COMMANDS, at_most
from blitz.web.openapi import refusals, stream_answers
from blitz.web.schemas import CommandOut, DryRunIn, GiveUpIn, NothingIn, RecoverOut, StatusOut, StopIn
from blitz.web.services import services
from blitz.web.stream import open_stream

bot = APIBlueprint("bot", __name__, url_prefix="/api/bot", tag="Bot")

HTTP_STATUS = {
    "started": 200,
    "stopped": 200,
    "stopping": 200,
    "stopping_after_cycle": 200,
    "already_running": 409,
    "not_running": 409,
    "given_up": 200,
    "bot_running": 409,
    "busy": 409,
    "no_open_cycle": 409,
    "refused": 409,
    "not_live": 409,
    "missing_credentials": 400,
    "invalid_settings": 400,
    "shutting_down": 503,
    "maintenance": 503,
}
RECOVERY_STATUS = {"exchange_unreachable": 502, "incomplete": 502, "shutting_down": 503, "missing_credentials": 400}


@bot.post("/start")
@at_most(COMMANDS)
@bot.input(NothingIn)
@bot.output(CommandOut)
@bot.doc(responses=refusals(400, 409, 503))
def start(json_data: NothingIn) -> Response:  # noqa: ARG001
    """Start the bot of the signed-in user. It goes on with the cycle that is open, on whatever account.

    A second start is refused with 409 and changes nothing.
    """
    return command_answer(services().manager.start_bot_for_user(this_user().id))


@bot.post("/stop")
@at_most(COMMANDS)
@bot.input(StopIn)
@bot.output(CommandOut)
@bot.doc(responses=refusals(400, 409, 503))
def stop(json_data: StopIn) -> Response:
    """Stop the bot of the signed-in user.

    Without a body it pulls the resting entry legs and leaves take-profit and stop-loss to protect the position; the
    message says what was left.
    """
    return command_answer(services().manager.stop_bot_for_user(this_user().id, **json_data.model_dump()))


@bot.get("/status")
@bot.output(StatusOut)
@bot.doc(responses=refusals())
def status() -> dict[str, Any]:
    """Tell how the bot of the signed-in user is doing."""
    return said_status(services().manager.get_bot_status(this_user().id))


@bot.post("/recover")
@at_most(COMMANDS)
@bot.input(NothingIn)
@bot.input(DryRunIn, location="query")
@bot.output(RecoverOut)
@bot.doc(responses=refusals(400, 409, 502, 503))
def recover(json_data: NothingIn, query_data: DryRunIn) -> Response:  # noqa: ARG001
    """Create missing orders: the take-profit, the stop-loss and ladder legs.

    Never cancels, amends, enters or closes; safe to repeat. `?dry_run=1` only lists what it would create.
    """
    return recovery_answer(services().manager.recover_orders_for_user(this_user().id, dry_run=query_data.dry_run))


@bot.post("/give_up")
@at_most(COMMANDS)
@bot.input(GiveUpIn)
@bot.output(CommandOut)
@bot.doc(responses=refusals(400, 409, 503))
def give_up(json_data: GiveUpIn) -> Response:
    """Give up the open cycle of the signed-in user: close it in the books, and leave everything at the exchange alone.

    Only while the bot does not run. Asks, sends, cancels and closes nothing: close the position and cancel the orders
    at the exchange yourself. The next start begins with the settings. The status' `unfinished` says what may lie where.
    """
    return command_answer(services().manager.give_up_cycle(this_user().id, json_data.cycle))


@bot.get("/events")
@bot.doc(responses=stream_answers())
def events() -> Response:
    """Follow the bot of the signed-in user as server-sent events.

    Frames are named `status` (the same JSON as the route of that name) and `feed`. 503 when too many streams are open:
    poll `/api/bot/status` instead.
    """
    return open_stream()


def command_answer(result: dict[str, Any]) -> Response:
    """Give a manager's answer its HTTP status; a refusal gets the one shape of errors."""
    http_status = HTTP_STATUS[result["status"]]
    if http_status == 200:
        return make_response(jsonify(result | {"message": said(result["message"])}), 200)
    return make_response(jsonify(error_body(result["status"], result["message"], result.get("errors"))), http_status)


def recovery_answer(result: dict[str, Any]) -> Response:
    """A recovery that could not look, or could not create, is a refusal; what it did do is listed all the same."""
    if result["success"]:
        return make_response(jsonify(result | {"message": said(result["message"])}), 200)
    word = str(result.get("status", "recovery_failed"))
    body = error_body(word, result["message"], result.get("errors")) | {"actions": result.get("actions", [])}
    return make_response(jsonify(body), RECOVERY_STATUS.get(word, 409))
