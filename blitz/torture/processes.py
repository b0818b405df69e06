"""Programs that a torture run starts, kills, stops and continues: always the ones it started, by their own process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from blitz.errors import BlitzError
from blitz.settings import PROJECT_ROOT

LOG_TAIL_BYTES = 4_000
POLL_SECONDS = 0.02
END_SECONDS = 10.0


class TortureProblem(BlitzError):
    """The run cannot go on: a program does not start, or ended by itself. The text says which and why."""


class Program:
    """One `run.py` command, started again and again; its output is collected in one file."""

    def __init__(self, name: str, words: list[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.words = words
        self.launched_at = 0.0
        """Monotonic seconds."""
        self._env = {**own_environment(), **env}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it; returns at once."""
        assert not self.is_alive, f"{self.name} runs already"
        with self._log.open("ab") as output:
            self.launched_at = time.monotonic()
            # A session of its own: Ctrl+C is for the harness, which then ends its programs itself.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "blitz", *self.words],
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self._env, cwd=PROJECT_ROOT, start_new_session=True,
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process that runs, or ran last."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return None if self._process is None else self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it, unless it has ended."""
        if self._process is not None and self.is_alive:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Works on a stopped process too."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(END_SECONDS)

    def end(self) -> None:
        """Ask it to end as an operator would, and wait until it is gone; past `END_SECONDS` it is killed."""
        self.send(signal.SIGTERM)
        if self._process is not None:
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def processor_wait_seconds(self) -> float:
        """How long it was ready to run and had no processor, because others had them all; 0 if unknown.

        The main thread's wait while it starts everything, and the longest of a bot's after that. Not the sum of all:
        threads wait at the same time, and too much would be excused.
        """
        if self._process is None:
            return 0.0
        waited_ns: dict[str, int] = {}
        for path in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            try:
                waited_ns[path.parent.name] = int(path.read_text().split()[1])
            except (OSError, IndexError, ValueError):
                continue  # the thread has just ended, or this system keeps no such figures
        main_ns = waited_ns.pop(str(self._process.pid), 0)
        return (main_ns + max(waited_ns.values(), default=0)) / 1e9

    def last_words(self) -> str:
        """The end of its output."""
        if not self._log.exists():
            return ""
        text = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return "\n".join(text.splitlines()[-12:])


def own_environment() -> dict[str, str]:
    """The environment without anybody's settings of a server: a run must not depend on them, nor touch that server."""
    own = ("BLITZ_", "WEB_HOST", "WEB_PORT", "LOG_LEVEL")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def run_command(words: list[str], env: Mapping[str, str], stdin: str = "") -> str:
    """Run a `run.py` command to its end and answer its output. Raises `TortureProblem` with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "blitz", *words],
        input=stdin, text=True, capture_output=True, timeout=60, check=False,
        env={**own_environment(), **env}, cwd=PROJECT_ROOT,
    )  # fmt: skip
    if done.returncode != 0:
        raise TortureProblem(f"`run.py {' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


def free_port() -> int:
    """A port of this machine that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
