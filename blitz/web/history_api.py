"""What a user's bot did: tables as JSON pages or as CSV, always of the signed-in user and of one account only."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import FillKind, Side
from blitz.core.records import Cycle, CycleEnd
from blitz.storage.history import EventRow, FillRow
from blitz.storage.history_filters import CycleFilter, EventFilter, FillFilter
from blitz.storage.journal import open_cycle
from blitz.storage.paging import LIMIT_MAX
from blitz.storage.statistics import statistics as figures_of
from blitz.storage.users import User
from blitz.web.accounts import this_user
from blitz.web.csv_files import ROWS_MAX, all_pages, csv_file, csv_stream
from blitz.web.errors import Problem
from blitz.web.event_groups import GROUPS
from blitz.web.feed import cycle_row, equity_row, feed_row, fill_row, order_rows, slot_row
from blitz.web.history_range import account_of, reaches_now, span_of, zone_name, zone_of
from blitz.web.history_schemas import (
    AccountQuery,
    CandlesIn,
    CycleOut,
    CyclesIn,
    EquityIn,
    FeedIn,
    FillsIn,
    FormIn,
    PageIn,
    PageOut,
    RowsOut,
    StatisticsIn,
    StatisticsOut,
)
from blitz.web.language import language
from blitz.web.limits import CANDLES, at_most
from blitz.web.long_work import long_work, take_place_for_file, until_sent
from blitz.web.openapi import refusals
from blitz.web.schemas import ID_MAX
from blitz.web.services import services
from blitz.web.statistics_rows import day_row, figures_row

history = APIBlueprint("history", __name__, url_prefix="/api/bot", tag="History")

Read = Callable[..., Sequence[Any]]
"""Reads a part of a table; takes `before_id`, `after_id` and `limit`."""


@history.get("/orders")
@history.input(FormIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals())
def orders(query_data: FormIn) -> Response:
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
@history.input(FillsIn, location="query")
@history.output(PageOut)
@history.doc(responses=refusals())
def fills(query_data: FillsIn) -> Response:
    """List executions, newest first. As CSV: all that are filtered, up to 200,000."""
    past, user_id, account = services().history, this_user().id, account_of(query_data)
    kind = None if query_data.kind is None else FillKind(query_data.kind)
    only = FillFilter(span=span_of(query_data), cycle=query_data.cycle, kind=kind)

    def read(**part: Any) -> Sequence[FillRow]:
        return past.fills(user_id, only, account=account, **part)

    return answer("fills", query_data, account, only, read, fill_row)


@history.get("/cycles")
@history.input(CyclesIn, location="query")
@history.output(PageOut)
@history.doc(responses=refusals())
def cycles(query_data: CyclesIn) -> Response:
    """List cycles, newest first, with what each one earned. An id is a cycle's number.

    The days are those on which cycles ended; the running one stands with them when the last day has not ended yet. As
    CSV: all that are filtered, up to 200,000.
    """
    past, user_id, account, span = services().history, this_user().id, account_of(query_data), span_of(query_data)
    only = CycleFilter(
        span=span,
        with_running=reaches_now(span),
        symbol=query_data.symbol,
        side=None if query_data.side is None else Side(query_data.side),
        outcome=CycleEnd(query_data.outcome) if query_data.outcome in set(CycleEnd) else query_data.outcome,
    )

    def read(before_id: int | None = None, after_id: int | None = None, limit: int = LIMIT_MAX) -> Sequence[Cycle]:
        return past.cycles(user_id, only, account=account, before_number=before_id, after_number=after_id, limit=limit)

    return answer("cycles", query_data, account, only, read, cycle_row)


@history.get("/cycles/<int:number>")
@history.input(AccountQuery, location="query")
@history.output(CycleOut)
@history.doc(responses=refusals(404))
def cycle(number: int, query_data: AccountQuery) -> dict[str, Any]:
    """Show one cycle and the settings it was begun with."""
    account = account_of(query_data)
    found = services().history.cycle(this_user().id, number, account=account) if number <= ID_MAX else None
    if found is None:
        raise Problem(404, "no_such_cycle", f"There is no cycle {number} on this account.")
    return {**cycle_row(found), "settings": found.settings.to_json()}


@history.get("/feed")
@history.input(FeedIn, location="query")
@history.output(PageOut)
@history.doc(responses=refusals())
def feed(query_data: FeedIn) -> Response:
    """List what the bot did and why, in words, newest first; oldest first with `after_id`.

    As CSV: all that is filtered, up to 200,000.
    """
    past, user_id, account = services().history, this_user().id, account_of(query_data)
    told = partial(feed_row, code=language())  # a file is written after the request has been answered
    if query_data.after_id is not None:
        lines = past.events(user_id, after_id=query_data.after_id, limit=query_data.limit, account=account)
        return table("feed", [told(line) for line in lines], query_data.format)
    kinds = None if query_data.group is None else GROUPS[query_data.group]
    only = EventFilter(span=span_of(query_data), cycle=query_data.cycle, kinds=kinds)

    def read(**part: Any) -> Sequence[EventRow]:
        return past.event_page(user_id, only, account=account, **part)

    return answer("feed", query_data, account, only, read, told)


@history.get("/equity")
@history.input(EquityIn, location="query")
@history.output(RowsOut)
@history.doc(responses=refusals())
def equity(query_data: EquityIn) -> Response:
    """List the profit of every closed cycle and its running total, oldest first."""
    user_id, account = this_user().id, account_of(query_data)
    with long_work().of(user_id):
        points = services().history.equity(user_id, span_of(query_data), account=account)
        return table("equity", [equity_row(one) for one in points], query_data.format)


@history.get("/statistics")
@history.input(StatisticsIn, location="query")
@history.output(StatisticsOut)
@history.doc(responses=refusals())
def statistics(query_data: StatisticsIn) -> Response:
    """Sum up the cycles that ended in a span of days: profit, days, win rate, depth, drawdown. As CSV: the days.

    Costs the cycles that ended in the span, each looked at once, and the fills of the running one.
    """
    past, user_id, account = services().history, this_user().id, account_of(query_data)
    with long_work().of(user_id):
        found = figures_of(past.ended(user_id, span_of(query_data), account=account), zone_of(query_data))
    days = [day_row(day) for day in found.days]
    if query_data.format == "csv":
        return csv_file("days", [{"account": account, "time_zone": zone_name(query_data), **day} for day in days])
    running = past.running(user_id, account=account)
    return jsonify(
        account=account,
        time_zone=zone_name(query_data),
        figures=figures_row(found),
        days=days,
        depths=[{"legs_filled": legs, "cycles": count} for legs, count in found.depths],
        curve=[equity_row(point) for point in found.curve],
        running=None if running is None else cycle_row(running),
    )


@history.get("/candles")
@at_most(CANDLES)
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


def answer(
    name: str,
    asked: PageIn,
    account: str,
    only: CycleFilter | FillFilter | EventFilter,
    read: Read,
    row: Callable[[Any], dict[str, Any]],
) -> Response:
    """A table as it is asked for: a page as JSON or CSV, or everything that is filtered as CSV."""
    if asked.is_whole:
        return whole_file(name, account, only, read, row)
    with long_work().of(this_user().id):
        found = read(before_id=asked.before_id, after_id=asked.newer_than, limit=asked.limit + 1)
        more, is_newer = len(found) > asked.limit, asked.newer_than is not None
        shown = [row(one) for one in (found[1:] if more and is_newer else found[: asked.limit])]
    if asked.format == "csv":
        return csv_stream(name, account, iter([shown]))
    has_older, has_newer = more or is_newer, more if is_newer else asked.before_id is not None
    return jsonify(
        rows=shown,
        next_before_id=shown[-1]["id"] if shown and has_older else None,
        newer_than_id=shown[0]["id"] if shown and has_newer else None,
    )


def whole_file(
    name: str,
    account: str,
    only: CycleFilter | FillFilter | EventFilter,
    read: Read,
    row: Callable[[Any], dict[str, Any]],
) -> Response:
    """Everything that is filtered, as CSV. Raises `Problem` when that is too much for one file, or for now."""
    user_id, work = this_user().id, long_work()
    with work.of(user_id):
        if services().history.has_more_than(ROWS_MAX, user_id, only, account=account):
            raise Problem(400, "too_many_rows", f"These are more than {ROWS_MAX:,} rows; choose fewer days.")
    places = take_place_for_file(user_id)
    pages = all_pages(lambda before: read(before_id=before, limit=LIMIT_MAX), lambda one: int(row(one)["id"]))
    whole = csv_stream(name, account, work.counted(user_id, ([row(one) for one in part] for part in pages)))
    return until_sent(whole, places, user_id)


def table(name: str, rows: Sequence[Mapping[str, Any]], form: str) -> Response:
    """A whole table in the chosen form."""
    return csv_file(name, rows) if form == "csv" else jsonify(rows=rows)
