"""Plays the market through, in lock-step with the bot, and reports.

At full speed time belongs to the replay: the next price comes when the bot has answered the last one. So a run is
repeatable, however fast or slow the machine is.
"""

import time
from collections.abc import Callable
from decimal import Decimal

from blitz.core.records import BotEvent, EventKind
from blitz.demo.books import compare
from blitz.demo.options import DemoOptions, read_settings
from blitz.demo.report import JsonReport, PersonReport, Report
from blitz.demo.stage import Stage, set_stage

EVENTS_PAGE = 1_000


def run_demo(options: DemoOptions) -> int:
    """Run a demo; 0 when our books and the exchange's agree to the last digit, else 1."""
    settings = read_settings(options)
    pace = options.pace
    report: Report = JsonReport() if options.json else PersonReport(options)
    began = time.monotonic()
    with set_stage(options, settings) as stage:
        report.opening(settings, stage.press("POST", "/api/bot/preview", settings.to_json()))
        stage.press("POST", "/api/bot/start")
        candles = play(stage, report.cycle_closed, bars_max=options.bars_max, cycles_max=options.cycles, pace=pace)
        books = compare(stage, candles=candles, seconds=time.monotonic() - began)
    report.closing(books)
    return 0 if books.difference == 0 else 1


def play(
    stage: Stage,
    told: Callable[[BotEvent], None],
    *,
    bars_max: int | None = None,
    cycles_max: int | None = None,
    pace: Decimal | None = None,
) -> int:
    """Play until the market or the wanted number of cycles ends; answers how many candles were used.

    `told` hears of each cycle that closes; `pace` is market seconds per second, None as fast as the bot answers.
    """
    feed = _ClosedCycles(stage)
    candles, bars_left = 0, bars_max
    alive = stage.let_bot_answer()
    started_ms, started = stage.clock.now_ms(), time.monotonic()
    while alive:
        step = stage.advance(bars_left)
        candles += int(step["bars_started"])
        bars_left = None if bars_left is None else bars_left - int(step["bars_started"])
        if pace is not None:
            _wait_for(started + float((stage.clock.now_ms() - started_ms) / (1000 * pace)))
        if step["events"]:
            alive = stage.let_bot_answer()
            closed = feed.new()
            for event in closed:
                told(event)
            if cycles_max is not None and feed.count >= cycles_max:
                break
        if step["done"] or (bars_left is not None and bars_left <= 0):
            break
    return candles


class _ClosedCycles:
    """Reads the bot's feed on and picks out the cycles that closed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._after_id = 0
        self.count = 0

    def new(self) -> list[BotEvent]:
        """The cycles that closed since the last call."""
        rows = self._stage.services.history.events(self._stage.user_id, after_id=self._after_id, limit=EVENTS_PAGE)
        if rows:
            self._after_id = rows[-1].id
        closed = [row.event for row in rows if row.event.kind is EventKind.CYCLE_CLOSED]
        self.count += len(closed)
        return closed


def _wait_for(moment: float) -> None:
    """Sleep until a moment of the monotonic clock, in slices, so that Ctrl+C is heard."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
