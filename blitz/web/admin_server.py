"""The server as a whole: how it does, how the exchanges stand towards it, notices for everybody, and the record."""

import time
from collections.abc import Sequence
from typing import Any, Literal, cast

from apiflask import APIBlueprint
from flask import abort

from blitz import __version__
from blitz.bots.venue_figures import VenueFigures
from blitz.clock import iso_utc
from blitz.errors import DatabaseProblem, SettingsProblem
from blitz.storage.notices import BANNER, MAINTENANCE
from blitz.web.admin_people import keep
from blitz.web.admin_schemas import NoticeIn, NoticesOut, PagedIn, PagedOut, ServerOut
from blitz.web.diagnostics import health_word
from blitz.web.errors import Problem
from blitz.web.feed import sentence, tone
from blitz.web.language import said
from blitz.web.limits import COMMANDS, at_most
from blitz.web.openapi import refusals
from blitz.web.services import services

admin_server = APIBlueprint("admin_server", __name__, url_prefix="/admin/server", tag="Admin")
notices = APIBlueprint("notices", __name__, url_prefix="/api", tag="Operations")

NOTICE_NAMES = (MAINTENANCE, BANNER)


@admin_server.get("")
@admin_server.output(ServerOut)
@admin_server.doc(responses=refusals())
def overview() -> dict[str, Any]:
    """Tell how the server does, and how each exchange stands towards it. Asks no exchange."""
    return server_row()


def server_row() -> dict[str, Any]:
    """The server as a whole, as of now."""
    parts = services()
    streams = parts.desk.stream_figures()
    return {
        "version": __version__,
        "uptime": int(time.monotonic() - parts.began),
        "health": health_word(parts),
        "database_bytes": parts.database.size_bytes(),
        "venues": [venue_row(one) for one in parts.desk.venue_figures(parts.clock.now_ms())],
        "streams": streams
        and {
            "ready": streams.ready,
            "waiting": streams.waiting,
            "reconnects": streams.reconnects,
            "bots_told": parts.manager.bots_told(),
        },
        "notices": standing_notices(),
    }


@admin_server.put("/notices/<name>")
@at_most(COMMANDS)
@admin_server.input(NoticeIn)
@admin_server.output(NoticesOut)
@admin_server.doc(responses=refusals(404))
def say(name: Literal["maintenance", "banner"], json_data: NoticeIn) -> dict[str, Any]:
    """Set what every page says on top. `maintenance` also refuses to start bots; those that run go on."""
    if name not in NOTICE_NAMES:
        abort(404)
    try:
        services().notices.say(name, json_data.message)
    except SettingsProblem as problem:
        raise Problem(400, "invalid_notice", "This notice cannot be shown.", errors=problem.errors) from problem
    keep(name, None, json_data.message.strip() or "Taken away.")
    return {"notices": standing_notices()}


@admin_server.get("/acts")
@admin_server.input(PagedIn, location="query")
@admin_server.output(PagedOut)
@admin_server.doc(responses=refusals())
def acts(query_data: PagedIn) -> dict[str, Any]:
    """List what administrators did, newest first."""
    found = services().acts.page(before_id=query_data.before_id, limit=query_data.limit + 1)
    rows = [
        {
            "id": act.id,
            "at": iso_utc(act.at_ms),
            "admin_id": act.admin_id,
            "admin": act.admin,
            "user_id": act.user_id,
            "user": act.user,
            "action": act.action,
            "outcome": said(act.outcome),
        }
        for act in found
    ]
    return paged(rows, query_data.limit)


@admin_server.get("/problems")
@admin_server.input(PagedIn, location="query")
@admin_server.output(PagedOut)
@admin_server.doc(responses=refusals())
def problems(query_data: PagedIn) -> dict[str, Any]:
    """List what went wrong with anybody's bot lately, newest first."""
    found = services().acts.problems(before_id=query_data.before_id, limit=query_data.limit + 1)
    rows = [
        {
            "id": line.id,
            "at": iso_utc(line.event.at_ms),
            "user_id": line.user_id,
            "email": line.email,
            "kind": line.event.kind.value,
            "tone": tone(line.event),
            "message": sentence(line.event.kind, line.event.cycle, line.event.data),
        }
        for line in found
    ]
    return paged(rows, query_data.limit)


@notices.get("/notices")
@notices.output(NoticesOut)
@notices.doc(responses=refusals())
def told_to_all() -> dict[str, Any]:
    """Tell what every page says on top."""
    return {"notices": standing_notices()}


def standing_notices() -> list[dict[str, str]]:
    """Every notice that stands, maintenance first; none while the database cannot be read."""
    try:
        standing = services().notices.all()
    except DatabaseProblem:  # the page that tells of it can still be drawn
        return []
    found = [standing[name] for name in NOTICE_NAMES if name in standing]
    return [{"name": one.name, "message": one.message, "since": iso_utc(one.since_ms)} for one in found]


def venue_row(one: VenueFigures) -> dict[str, Any]:
    """One exchange for the table."""
    return {
        "venue": said(one.venue),
        "used": one.in_window,
        "limit": one.window_limit,
        "window_seconds": one.window_seconds,
        "counts": one.counts,
        "in_flight": one.in_flight,
        "waiting": dict(one.waiting),
        "banned_seconds": one.banned_seconds,
        "users_shut_out": one.users_shut_out,
        "sent": one.requests_total,
        "not_sent": one.not_sent_total,
    }


def paged(rows: Sequence[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The rows of a page; one more than its length was read, to know whether another follows."""
    shown = rows[:limit]
    return {"rows": shown, "next_before_id": cast(int, shown[-1]["id"]) if len(rows) > limit else None}
