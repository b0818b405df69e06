"""The past of a demo that is left running: the days until now, traded in fast time.

A made-up market of minutes that ends now is played in lock-step with the trader's bot, at the exchange that goes on
afterwards and into the database that goes on afterwards. Nothing is written that was not traded.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from blitz.core.records import BotEvent
from blitz.demo.cast import Part
from blitz.demo.options import venue_symbol
from blitz.demo.run import play
from blitz.demo.stage import open_stage
from blitz.paper.server import PaperConfig
from blitz.paper.wire.feeds.candles import write_candles
from blitz.paper.wire.feeds.synthetic import bars_until
from blitz.settings import Settings

BARS_PER_DAY = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was traded."""

    days: int
    cycles: int
    """That closed."""
    seconds: float
    """How long it took."""


def play_past(server: Settings, part: Part, password: str, *, days: int, seed: int, now_ms: int) -> Past:
    """Let one trader's bot trade the last `days` days, into the folder that `server` names."""
    began, symbol = time.monotonic(), venue_symbol(part.settings)
    bars = bars_until(symbol, seed, days * BARS_PER_DAY, now_ms)
    closed: list[BotEvent] = []
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        write_candles(Path(file.name), bars)
        config = PaperConfig(
            feed=f"candles:{file.name}",
            speed="max",
            symbol=symbol,
            state_path=server.instance_path / "paper.db",
            enforce_limits=False,
            seed=seed,
        )
        with open_stage(config, server, part.settings, email=part.email, password=password) as stage:
            stage.press("POST", "/api/bot/start")
            play(stage, closed.append)
    return Past(days=days, cycles=len(closed), seconds=time.monotonic() - began)
