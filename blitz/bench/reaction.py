"""The reaction bench: fills one after the other, then everybody at once; memory; and what an idle bot asks."""

import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from blitz.bench.evenness import Pulse, Span, slow_ms
from blitz.bench.exchange import BenchExchange, BenchProblem
from blitz.bench.figures import Reaction, Undisturbed, VariantFigures, machine, print_table, to_json, whole_of
from blitz.bench.ladders import BURST_PRICE, ENTRY, FIRST_LEGS_PRICE, level_of
from blitz.bench.server import KIB_PER_MIB, BenchServer
from blitz.bench.yardstick import PREFIX, Yardstick

BOTS_PREFIX = "paper-"
"""How the keys of paper accounts begin that a server makes for its traders."""
SETTLE_SECONDS = 2.0
BURST_SECONDS = 60.0
WINDOWS = {"bybit": (600, 5.0), "bingx": (300, 10.0)}
"""So many moved take-profits an address may send in so many seconds: Bybit counts all requests, BingX each endpoint."""
BINGX_TOLD_MAX = 56
"""So many bots of one address have streams where BingX's limits are enforced: four of 60 are for prices."""
VARIANTS = ("plain", "tls", "limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionOptions:
    """What is measured."""

    exchange: str = "bybit"
    bots: int = 100
    fills_per_second: int = 50
    idle_seconds: int = 30
    variants: tuple[str, ...] = VARIANTS
    yardstick: bool = True
    as_json: bool = False


def run_reaction(options: ReactionOptions) -> int:
    """Run every variant and print what was found. Answers the exit code."""
    progress = Console(stderr=True)
    found: list[VariantFigures] = []
    yardstick: Reaction | None = None
    try:
        if options.exchange == "bingx" and "limits" in options.variants and options.bots > BINGX_TOLD_MAX:
            raise BenchProblem(f"BingX's limits leave streams for {BINGX_TOLD_MAX} bots: choose --bots or --variant.")
        for name in options.variants:
            with tempfile.TemporaryDirectory(prefix="blitz-bench-") as folder:
                run = _Run(options, name, Path(folder), progress)
                found.append(run.measured())
                yardstick = yardstick or run.yardstick
    except BenchProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if options.as_json:
        sys.stdout.write(json.dumps(to_json(found, yardstick, machine())) + "\n")
    else:
        print_table(found, yardstick, machine())
    return 0


class _Run:
    """One variant: an exchange, a server with one bot to weigh it without, and the server that is measured."""

    def __init__(self, options: ReactionOptions, name: str, folder: Path, progress: Console) -> None:
        self.yardstick: Reaction | None = None
        self._options = options
        self._name = name
        self._folder = folder
        self._progress = progress
        self._exchange = self._new_exchange("exchange")

    def measured(self) -> VariantFigures:
        """Run it from beginning to end."""
        empty_kib = self._weight_of_one()
        server: BenchServer | None = None
        try:
            self._open(self._exchange)
            server = BenchServer(self._folder / "server", self._exchange, self._options.bots)
            self._tell(f"starting {self._options.bots} bots")
            start_seconds = server.start()
            return self._figures(server, empty_kib, start_seconds)
        finally:
            if server is not None:
                server.stop()
            self._exchange.program.kill()

    def _new_exchange(self, name: str) -> BenchExchange:
        folder = self._folder / name
        folder.mkdir()
        return BenchExchange(folder, self._options.exchange, tls=self._name == "tls", limits=self._name == "limits")

    def _open(self, exchange: BenchExchange) -> None:
        exchange.start()
        exchange.price(str(ENTRY))

    def _weight_of_one(self) -> int:
        """What the server weighs with a single bot, KiB: everything is loaded that all bots share.

        At an exchange of its own, or its orders would fill later on and nobody answer.
        """
        self._tell("weighing the server with one bot")
        exchange = self._new_exchange("exchange-of-one")
        server: BenchServer | None = None
        try:
            self._open(exchange)
            server = BenchServer(self._folder / "one", exchange, 1)
            server.start()
            return server.rss_kib()
        finally:
            if server is not None:
                server.stop()
            exchange.program.kill()

    def _figures(self, server: BenchServer, empty_kib: int, start_seconds: float) -> VariantFigures:
        bots = self._options.bots
        idle = self._idle(bots)
        rss_kib = server.rss_kib()
        # One fill after the other would take a thousand bots minutes within the limits: leg 1 is left for the burst.
        fills_first_legs = self._name == "limits"
        steady, undisturbed = (None, None) if fills_first_legs else self._steady()
        burst, last_ms, held_ms = self._burst(FIRST_LEGS_PRICE if fills_first_legs else BURST_PRICE)
        after_kib = server.rss_kib()
        if self._options.yardstick and self._name == "plain":
            self.yardstick = self._ten_second_loop()
        counted = self._exchange.counted()
        # Without its limits the exchange counts all the same, but nothing was asked to keep to them.
        breaches = int(counted["breaches"]) if counted["enforced"] else 0
        return VariantFigures(
            name=self._name,
            bots=bots,
            steady=steady,
            steady_undisturbed=undisturbed,
            burst=burst,
            burst_last_ms=last_ms,
            burst_machine_slow_ms=held_ms,
            optimum_ms=_optimum_ms(bots, self._options.exchange) if self._name == "limits" else 0.0,
            start_seconds=round(start_seconds, 1),
            rss_mib=round(rss_kib / KIB_PER_MIB, 1),
            rss_kib_per_bot=round((rss_kib - empty_kib) / max(1, bots - 1), 1),
            rss_kib_per_bot_after=round((after_kib - empty_kib) / max(1, bots - 1), 1),
            rest_per_minute_per_bot=round(idle, 3),
            limit_breaches=breaches,
        )

    def _idle(self, bots: int) -> float:
        """Requests per minute and bot while nothing happens."""
        self._tell(f"counting requests for {self._options.idle_seconds} s while nothing happens")
        before, began = self._exchange.requests(), time.monotonic()
        time.sleep(self._options.idle_seconds)
        asked = self._exchange.requests() - before
        return asked * 60 / (time.monotonic() - began) / bots

    def _steady(self) -> tuple[Reaction, Undisturbed]:
        """One fill after the other: the price falls from level to level."""
        bots, pause = self._options.bots, 1 / self._options.fills_per_second
        self._tell(f"one fill every {pause * 1000:.0f} ms")
        self._exchange.ask("POST", "stopwatch")
        with Pulse() as pulse:
            due = time.monotonic()
            for number in range(bots):
                self._exchange.price(str(level_of(number, bots)))
                due += pause
                time.sleep(max(0.0, due - time.monotonic()))
            time.sleep(SETTLE_SECONDS)
        told = self._stopwatch(BOTS_PREFIX)
        answers = _answers(told)
        return Reaction.of(answers, told["unanswered"]), Undisturbed.of(answers, pulse.slow())

    def _burst(self, price: Decimal) -> tuple[Reaction, float, float]:
        """Every bot filled once, all by the same step of the price to there.

        And when the last exit was there, and for how long the machine was slow meanwhile.
        """
        self._tell("everybody at once")
        bots = self._options.bots
        self._exchange.ask("POST", "stopwatch")
        with Pulse() as pulse:
            self._exchange.price(str(price))
            deadline = time.monotonic() + BURST_SECONDS
            while _answered(told := self._stopwatch(BOTS_PREFIX)) < bots and time.monotonic() < deadline:
                time.sleep(SETTLE_SECONDS)
        answers = _answers(told)
        whole = whole_of(answers)
        last_ms = round((whole.ended_us - whole.began_us) / 1000, 1)
        return Reaction.of(answers, told["unanswered"]), last_ms, round(slow_ms(pulse.slow(), whole), 1)

    def _ten_second_loop(self) -> Reaction:
        """What bots that look every ten seconds make of their fills, on the same exchange."""
        self._tell("the same with bots that look every ten seconds")
        Yardstick(self._exchange, BURST_PRICE).measure()
        told = self._stopwatch(PREFIX)
        return Reaction.of(_answers(told), told["unanswered"])

    def _stopwatch(self, prefix: str) -> dict[str, Any]:
        return self._exchange.ask("GET", f"stopwatch?prefix={prefix}")

    def _tell(self, words: str) -> None:
        self._progress.print(f"{self._name}: {words}", style="dim")


def _answered(told: dict[str, Any]) -> int:
    """How many fills were: a bot that looked just then has seen its fill before it was told, and is not timed."""
    return len(told["answers_us"]) + int(told["ahead"])


def _answers(told: dict[str, Any]) -> list[Span]:
    """From each fill to its answer."""
    return [Span(began_us, ended_us) for began_us, ended_us in told["answers_us"]]


def _optimum_ms(bots: int, exchange: str) -> float:
    """When the last take-profit can be there at best: whole windows pass before those beyond the first may be sent."""
    requests, seconds = WINDOWS[exchange]
    return max(0, math.ceil(bots / requests) - 1) * seconds * 1000
