"""Candles for a bench: an exchange that has seen some days of its market before the bench begins."""

import time
from pathlib import Path

import urllib3

from blitz.bench.exchange import SYMBOL, BenchProblem
from blitz.paper.wire.feeds.candles import write_candles
from blitz.paper.wire.feeds.synthetic import bars_until
from blitz.torture.processes import Program, free_port

SEED = 1
START_SECONDS = 60.0


def state_with_candles(folder: Path, minutes: int, now_ms: int) -> Path:
    """A state file of a paper exchange that played so many minutes of a made-up market, the last of them just over."""
    candles, state, port = folder / "candles.csv", folder / "exchange.db", free_port()
    write_candles(candles, bars_until(SYMBOL, SEED, minutes, now_ms))
    words = ["paper", "--feed", f"candles:{candles}", "--speed", "max", "--symbol", SYMBOL, "--state", str(state)]
    program = Program("the exchange of the past", [*words, "--port", str(port)], {}, folder / "past.log")
    program.launch()
    try:
        _play(program, f"http://127.0.0.1:{port}/__paper/advance")
    finally:
        program.end()
    return state


def _play(program: Program, url: str) -> None:
    pool, deadline = urllib3.PoolManager(retries=False), time.monotonic() + START_SECONDS
    while True:
        try:
            answer = pool.request("POST", url, json={"until": "end"}, timeout=START_SECONDS)
        except urllib3.exceptions.HTTPError as problem:
            if not program.is_alive or time.monotonic() > deadline:
                raise BenchProblem(f"The candles cannot be played: {program.last_words()}") from problem
            time.sleep(0.05)
            continue
        if answer.status != 200:
            raise BenchProblem(f"The candles cannot be played: {answer.data.decode()[:200]}")
        return
