"""One command for many users at once, a few at a time, with an answer for each.

A slow exchange holds up only its own users: whoever is not done when the time is over is told as such, and goes on.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import structlog
from apiflask import APIBlueprint

from blitz.errors import BlitzError
from blitz.web.accounts import this_user
from blitz.web.admin_schemas import CommandsIn, CommandsOut
from blitz.web.language import said
from blitz.web.limits import COMMANDS, at_most
from blitz.web.openapi import refusals
from blitz.web.services import Manager, services

commands = APIBlueprint("commands", __name__, url_prefix="/admin/users", tag="Admin")
log = structlog.get_logger("blitz.web")

AT_ONCE = 8
ANSWER_SECONDS = 25.0
ACTIONS = {"start": "force_start", "stop": "force_stop", "reconcile": "reconcile"}

Result = dict[str, Any]


@commands.post("/commands")
@at_most(COMMANDS)
@commands.input(CommandsIn)
@commands.output(CommandsOut)
@commands.doc(responses=refusals())
def run(json_data: CommandsIn) -> Result:
    """Force Start, Force Stop or Reconcile for up to 200 users; `results` has a line for each, in their order.

    After 25 seconds it answers with what is known: `in_progress` goes on by itself, `not_begun` was left out.
    """
    parts = services()
    wanted = list(dict.fromkeys(json_data.user_ids))
    known = parts.people.of(wanted)
    work = _work(parts.manager, json_data)
    done = carry_out(work, [user_id for user_id in wanted if user_id in known], ANSWER_SECONDS)
    action = ACTIONS[json_data.command]
    parts.acts.note(this_user().id, action, [(user_id, result["message"]) for user_id, result in done.items()])
    log.info("An administrator used a command.", action=action, admin_id=this_user().id, users=len(wanted))
    return {"results": [_told(user_id, done.get(user_id)) for user_id in wanted]}


def _work(manager: Manager, asked: CommandsIn) -> Callable[[int], Result]:
    if asked.command == "start":
        return manager.start_bot_for_user
    if asked.command == "reconcile":
        return manager.recover_orders_for_user
    return lambda user_id: manager.stop_bot_for_user(user_id, legs=asked.legs, when=asked.when, position=asked.position)


def carry_out(work: Callable[[int], Result], user_ids: list[int], seconds: float) -> dict[int, Result]:
    """Do `work` for each, eight at a time, for so long at most; whoever is not done is told so."""
    if not user_ids:
        return {}
    ends = time.monotonic() + seconds
    pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(user_ids)), thread_name_prefix="admin_command")
    under_way = {user_id: pool.submit(work, user_id) for user_id in user_ids}
    wait(under_way.values(), timeout=max(0.0, ends - time.monotonic()))
    pool.shutdown(wait=False, cancel_futures=True)
    return {user_id: _outcome(future) for user_id, future in under_way.items()}


def _outcome(future: Future[Result]) -> Result:
    if future.cancelled():
        message = "Not begun: those before it took too long. Send the command again."
        return {"success": False, "status": "not_begun", "message": message}
    if not future.done():
        message = "Still under way; the list shows what becomes of it."
        return {"success": True, "status": "in_progress", "message": message}
    problem = future.exception()
    if problem is None:
        return future.result()
    if not isinstance(problem, BlitzError):
        log.error("A command failed.", exc_info=problem)
    message = "The server cannot do this right now; the log says why."
    return {"success": False, "status": "failed", "message": message}


def _told(user_id: int, result: Result | None) -> Result:
    if result is None:
        result = {"success": False, "status": "not_found", "message": "There is no such user."}
    return {"user_id": user_id, **result, "message": said(result["message"])}
