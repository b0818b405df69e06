"""`run.py demo --serve`: a server for showing around, with a past, twelve traders, and a market that does not rest.

First start: the past is traded in fast time, the server starts on what that left behind, and the cast enters it.
Another start on the same folder goes on with what is there.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blitz.clock import SystemClock
from blitz.demo.cast import ADMIN, CAST, HERO, TRADER
from blitz.demo.entrance import enter
from blitz.demo.home import DemoHome
from blitz.demo.options import read_market_speed
from blitz.demo.passwords import new_password
from blitz.demo.past import Past, play_past
from blitz.demo.stage import own_settings
from blitz.server import Running, only_server, serve

DAYS = 4
SEED = 2
SPEED = "8"


@dataclass(frozen=True, slots=True, kw_only=True)
class LivelyOptions:
    """What it is started with."""

    home: Path | None = None
    """Where everything is kept; without it a folder that goes away at the end."""
    port: int = 0
    """Of the pages; 0 takes any free one."""
    days: int | None = None
    """How much past is traded at the first start; unset is `DAYS`."""
    speed: str | None = None
    """Steps of every market a second."""
    seed: int = SEED
    """Of the made-up markets."""


def run_lively(options: LivelyOptions) -> int:
    """Serve until Ctrl+C. Answers the exit code."""
    speed = read_market_speed(options.speed or SPEED)
    with _folder(options.home) as path:
        return _Lively(options, DemoHome.claim(path), speed).run()


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is not None:
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="blitz-demo-") as folder:
        yield Path(folder)


class _Lively:
    """One run of it."""

    def __init__(self, options: LivelyOptions, home: DemoHome, speed: str) -> None:
        self._options = options
        self._home = home
        self._speed = speed
        self._password = ""
        """The trader's, when it was made just now."""
        self._past: Past | None = None
        self._settings = own_settings(
            home.path, WEB_PORT=options.port, BLITZ_PAPER_FEED=f"synthetic:{options.seed}", LOG_LEVEL="WARNING"
        )

    def run(self) -> int:
        """Trade the past at the first start, then serve."""
        if self._home.is_new:
            self._trade_past()
        return serve(self._settings, paper_speed=self._speed, welcome=self._welcome)

    def _trade_past(self) -> None:
        days, seed = self._options.days or DAYS, self._options.seed
        _say(f"Trading the last {days} days of {HERO.settings.symbol} in fast time; this takes some seconds.")
        self._password = new_password()
        past = own_settings(self._home.path)
        with only_server(past):
            self._past = play_past(past, HERO, self._password, days=days, seed=seed, now_ms=SystemClock().now_ms())

    def _welcome(self, running: Running, resumed: int) -> None:
        admin_password = ""
        if self._home.is_new:
            admin_password = enter(running, CAST)
            self._home.set_up()
        _say(*self._lines(running, resumed, admin_password))

    def _lines(self, running: Running, resumed: int, admin_password: str) -> list[str]:
        """Where it is and how to get in."""
        lines = ["", f"Blitz is at {running.url}", "Everything here is play money on the paper exchange.", ""]
        if self._past is not None:
            lines += [
                f"Sign in as the trader:  {TRADER}   password  {self._password}",
                f"Sign in as the admin:   {ADMIN}    password  {admin_password}",
                "Both passwords were made for this demo just now and are shown only once.",
                "",
                f"{TRADER} has a history: {self._past.cycles} cycles in {self._past.days} days of market,",
                f"traded just now in {self._past.seconds:.0f} s. {len(CAST)} other traders have just begun.",
            ]
        else:
            lines += [
                f"Sign in as {TRADER} or as {ADMIN}, with the passwords that were shown at the first start.",
                f"To set another: BLITZ_HOME={self._home.path} python3 run.py user set-password {TRADER}",
                f"Bots resumed: {resumed}",
            ]
        kept = "kept" if self._options.home is not None else "removed at the end; give --home FOLDER to keep it"
        return [
            *lines,
            f"Each market moves {self._speed} times a second.",
            "",
            f"Paper exchange: {running.paper_url} (its books: {running.paper_url}/__paper/state)",
            f"Folder: {self._home.path} ({kept})",
            "Press Ctrl+C to stop.",
        ]


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
