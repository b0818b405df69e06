"""What a user's bot did: tables as JSON pages or as CSV, always of the signed-in user only."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, make_response

from blitz.core.ladder_settings import LadderSettings
from blitz.storage.journal import open_cycle
from blitz.storage.users import User
from blitz.web.accounts import this_user
from blitz.web.feed import cycle_row, equity_row, feed_row, fill_row, order_rows, slot_row
from blitz.web.openapi import refusals
from blitz.web.schemas import CandlesIn, CyclePageIn, EquityIn, FeedIn, PageIn, PageOut, RowsOut
from blitz.web.services import services

history = APIBlueprint("history", __name__, url_prefix="/api/bot", tag="History")

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@history.get("/orders")
@history.input(EquityIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals())
def orders(query_data: EquityIn) -> Response:
    """List the ladder's orders, planned beside resting, and foreign orders on the same market.

    For a bot that does not run: the orders it may have left on the exchange, as they were last known.
    """
    user_id = this_user().id
    status = services().manager.get_bot_status(user_id)
    rows = order_rows(status)
    if not rows and not status["running"]:
        rows = [slot_row(slot) for slot in services().history.orders(user_id)]
    return table("orders", rows, query_data.format)


@history.get("/fills")
@history.input(CyclePageIn, location="query")
@history.output(PageOut)
@history.doc(responses=refusals())
def fills(query_data: CyclePageIn) -> Response:
    """List executions, newest first."""
    found = services().history.fills(
        this_user().id, cycle=query_data.cycle, before_id=query_data.before_id, limit=query_data.limit + 1
    )
    return page("fills", [fill_row(one) for one in found], query_data)


@history.get("/cycles")
@history.input(PageIn, location="query")
@history.output(PageOut)
@history.doc(responses=refusals())
def cycles(query_data: PageIn) -> Response:
    """List cycles, newest first, with what each one earned. `before_id` is a cycle's number."""
    found = services().history.cycles(this_user().id, before_number=query_data.before_id, limit=query_data.limit + 1)
    return page("cycles", [cycle_row(one) for one in found], query_data)


@history.get("/feed")
@history.input(FeedIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals())
def feed(query_data: FeedIn) -> Response:
    """List what the bot did and why, in words, newest first; oldest first with `after_id`."""
    past, user_id = services().history, this_user().id
    if query_data.after_id is None:
        lines = past.latest_events(user_id, limit=query_data.limit)[::-1]
    else:
        lines = past.events(user_id, after_id=query_data.after_id, limit=query_data.limit)
    return table("feed", [feed_row(line) for line in lines], query_data.format)


@history.get("/equity")
@history.input(EquityIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals())
def equity(query_data: EquityIn) -> Response:
    """List the profit of every closed cycle and its running total, oldest first."""
    return table("equity", [equity_row(one) for one in services().history.equity(this_user().id)], query_data.format)


@history.get("/candles")
@history.input(CandlesIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals(502))
def candles(query_data: CandlesIn) -> Response:
    """List the newest candles of the market that is traded, oldest first: of the open cycle, else of the settings.

    `before` is the time of the oldest candle that is known already, seconds since the epoch.
    """
    before_ms = None if query_data.before is None else query_data.before * 1000
    rows = services().desk.candles(traded_settings(this_user()), query_data.timeframe, query_data.limit, before_ms)
    return table("candles", rows, query_data.format)


def traded_settings(user: User) -> LadderSettings:
    """What the user trades now: the settings of the open cycle, or else the stored ones."""
    cycle = open_cycle(services().database, user.id)
    return cycle.settings if cycle else user.settings


def page(name: str, rows: list[dict[str, Any]], asked: PageIn) -> Response:
    """One page of a table. `rows` holds one more than asked for when there is a next page."""
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    if asked.format == "csv":
        return csv_file(name, rows)
    return jsonify(rows=rows, next_before_id=rows[-1]["id"] if more else None)


def table(name: str, rows: Sequence[Mapping[str, Any]], form: str) -> Response:
    """A whole table in the chosen form."""
    return csv_file(name, rows) if form == "csv" else jsonify(rows=rows)


def csv_file(name: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    """Write rows as CSV. Text that a spreadsheet would run as a formula is disarmed."""
    text = io.StringIO()
    if rows:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        writer = csv.DictWriter(text, columns, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({column: cell(row.get(column)) for column in columns} for row in rows)
    response = make_response(text.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="blitz-{name}.csv"'
    return response


def cell(value: Any) -> str:
    """One cell. Nothing is written as an empty cell."""
    if value is None:
        return ""
    text = str(value)
    is_number = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not is_number else text
