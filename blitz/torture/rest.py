"""The quiet moments of a run: faults lifted, market held. Everything must come to rest, and both books must agree."""

import time
from collections.abc import Iterator

import requests

from blitz.torture.books import doubled_fills, lost_fills, summed
from blitz.torture.options import REST_SECONDS
from blitz.torture.protection import is_exposed
from blitz.torture.stage import Stage
from blitz.torture.truth import ZERO
from blitz.torture.watch import Watched

SETTLE_SECONDS = 1.5
"""Bots look once a second; before that nothing can have come to rest."""


def come_to_rest(stage: Stage) -> None:
    """Wait until nothing is wrong any more; what still is after a while is told."""
    began = time.monotonic()
    with stage.held_market():
        stage.pass_time(SETTLE_SECONDS)
        problems: dict[str, list[str]] = {}
        left = set(stage.watch.accounts)
        while left and time.monotonic() - began < REST_SECONDS:
            stage.watch.look(time.monotonic())
            stage.watch.read_executions()
            problems = {key: list(_problems(stage.watch.accounts[key])) for key in sorted(left)}
            left = {key for key, said in problems.items() if said}
            if left:
                stage.pass_time(SETTLE_SECONDS / 3)
        for sentence in (sentence for key in sorted(left) for sentence in problems[key]):
            stage.watch.violation(f"at rest: {sentence}")
        _add_up(stage)
    stage.story.tell(f"at rest after {time.monotonic() - began:.1f} s")


def _problems(watched: Watched) -> Iterator[str]:
    """What is not yet as it must be, in sentences."""
    trader, last = watched.trader, watched.last
    assert last is not None, "the account was looked at before"
    who = f"user {trader.user_id}"
    if is_exposed(last, trader.user_id, trader.ladder):
        yield f"{who} has a position without its exits"
    for tag in watched.twins.twins(last):
        yield f"{who} has more than one live order of {tag}"
    rows = trader.fills()
    booked = {row["exec_id"] for row in rows}
    lost = lost_fills(watched.executions, trader.ladder.market.venue_symbol, booked)
    if lost:
        yield f"{who}: {len(lost)} executions are not in the books, such as {lost[0].link_id} {lost[0].exec_id}"
    for exec_id in doubled_fills(rows):
        yield f"{who}: execution {exec_id} is in the books twice"
    ours = summed(trader.cycles())
    difference = ours.apart_from(last.money)
    if difference:
        yield f"{who}: the books differ by {difference}: ours {ours}, the exchange's {last.money}"
    try:
        status = trader.status()
        if status["status"] != "running":
            yield f"{who}: the bot is {status['status']}: {status['message']}"
        missing = trader.missing_orders()
        if missing:
            yield f"{who}: recover would do {', '.join(missing)}"
    except requests.RequestException as problem:
        yield f"{who}: no answer about the bot ({problem})"


def _add_up(stage: Stage) -> None:
    """Take down the figures of the report as they are now."""
    cycles, lost, difference = 0, 0, ZERO
    for watched in stage.watch.accounts.values():
        trader, last = watched.trader, watched.last
        assert last is not None, "the account was looked at before"
        rows = trader.cycles()
        cycles += sum(1 for row in rows if row["ended_at"] is not None)
        booked = {row["exec_id"] for row in trader.fills()}
        lost += len(lost_fills(watched.executions, trader.ladder.market.venue_symbol, booked))
        difference += summed(rows).apart_from(last.money)
    stage.tally.cycles, stage.tally.lost_fills, stage.tally.difference = cycles, lost, difference
