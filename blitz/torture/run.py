"""The run: open the stage, play every round, come to rest now and then and at the end, report, tidy up."""

import shutil
import signal
import tempfile
import time
from pathlib import Path
from types import FrameType

import requests

from blitz.torture.options import TortureOptions
from blitz.torture.plan import draw_round
from blitz.torture.processes import TortureProblem
from blitz.torture.report import Report
from blitz.torture.rest import come_to_rest
from blitz.torture.rounds import play_round
from blitz.torture.stage import Stage

REST_EVERY_ROUNDS = 30
PROGRESS_EVERY_ROUNDS = 10


def run_torture(options: TortureOptions) -> int:
    """Run it all; 0 when nothing happened that must not happen, else 1."""
    folder = Path(tempfile.mkdtemp(prefix="blitz-torture-"))
    report, stage = Report(options), Stage(options, folder)
    report.opening(folder)
    handler = signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        _play(stage, report, began)
    except TortureProblem as problem:
        stage.watch.violation(str(problem))
    except requests.RequestException as problem:
        stage.watch.violation(f"a program that should be there does not answer: {problem}")
    finally:
        stage.close()
        signal.signal(signal.SIGTERM, handler)
        is_kept = options.keep or bool(stage.tally.violations)
        if not is_kept:
            shutil.rmtree(folder)
    stage.tally.seconds = time.monotonic() - began
    report.closing(stage.tally, stage.story, folder if is_kept else None)
    return 1 if stage.tally.violations else 0


def _play(stage: Stage, report: Report, began: float) -> None:
    stage.open()
    accounts = [(trader.key, trader.ladder.market) for trader in stage.traders]
    for number in range(stage.options.rounds):
        play_round(stage, draw_round(stage.options, number, accounts))
        if (number + 1) % REST_EVERY_ROUNDS == 0:
            come_to_rest(stage)
        stage.tally.seconds = time.monotonic() - began
        if (number + 1) % PROGRESS_EVERY_ROUNDS == 0:
            report.progress(stage.tally)
        if stage.tally.is_spoilt:
            break
    come_to_rest(stage)
    stage.stop_server()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A request to end is handled as Ctrl+C is, so that every program is ended on the way out."""
    raise KeyboardInterrupt
