"""The torture run itself, short: real processes, real signals, and a report that a program can read."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

PROJECT_ROOT = Path(__file__).resolve().parents[2]
OPENED = re.compile(r"bots run, server at (\S+), exchange at (\S+)")


@pytest.fixture
def torture() -> Iterator[list[subprocess.Popen[str]]]:
    """Programs started by the test; whatever is left of them is ended."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for program in started:
        if program.poll() is None:
            program.terminate()  # it ends the programs that it started, which a kill would leave behind
        try:
            program.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()


def begin(started: list[subprocess.Popen[str]], temporary: Path, *words: str) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, str(PROJECT_ROOT / "run.py"), "torture", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT_ROOT, env={"TMPDIR": str(temporary)},
    )  # fmt: skip
    started.append(program)
    return program


@pytest.mark.slow
def test_a_short_run_finds_nothing_and_leaves_nothing(torture: list, tmp_path: Path) -> None:
    program = begin(torture, tmp_path, "--rounds", "6", "--bots", "2", "--seed", "51", "--json")

    output, told = program.communicate(timeout=150)

    assert program.returncode == 0, told
    report = json.loads(output)
    figures = ("rounds", "violations", "duplicates", "lost_fills", "foreign_cancels", "difference")
    assert [report[name] for name in figures] == [6, [], 0, 0, 0, 0]
    assert min(report[name] for name in ("kills", "deploys", "pauses", "exchange_kills", "fills")) >= 1
    assert report["resume_max_seconds"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_interrupted_run_ends_every_program_it_started(torture: list, tmp_path: Path) -> None:
    program = begin(torture, tmp_path, "--rounds", "50", "--bots", "1", "--keep")
    urls = opened(program, tmp_path)
    assert requests.get(f"{urls[0]}/healthz", timeout=5).status_code == 200

    program.send_signal(signal.SIGINT)
    program.communicate(timeout=60)

    assert program.returncode == 130
    for url in urls:
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


def opened(program: subprocess.Popen[str], temporary: Path) -> tuple[str, str]:
    """Where server and exchange of a run are, once its bots run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and program.poll() is None:
        for story in temporary.glob("*/story.log"):
            if found := OPENED.search(story.read_text()):
                return found[1], found[2]
        time.sleep(0.1)
    raise AssertionError("the run did not begin")
