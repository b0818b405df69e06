"""Whole programs: the server in one process, the paper exchange in another, and clients that know neither's code."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.bots.plain import plain_client

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "plum tractor velvet 93"
WAIT_SECONDS = 20.0


def until(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """Ask again and again until the answer is true, and answer it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class Program:
    """A `run.py` command that runs beside the test."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def line(self, pattern: str) -> re.Match[str]:
        """Wait for a line of its output."""

        def find() -> re.Match[str] | None:
            matches = (re.search(pattern, line) for line in list(self.lines))
            found = next((match for match in matches if match), None)
            assert found or self.process.poll() is None, "".join(self.lines)
            return found

        found: re.Match[str] = until(find, f"a line with {pattern}: {''.join(self.lines)}", 60)
        return found

    def stop(self) -> int:
        """Ask it to end, as an operator would, and answer its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)


@contextmanager
def running(*words: str, env: dict[str, str]) -> Iterator[Program]:
    """Run `run.py` with these words until the block ends."""
    process = subprocess.Popen(
        [sys.executable, str(PROJECT_ROOT / "run.py"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **env},
        cwd=PROJECT_ROOT,
    )
    program = Program(process)
    output = process.stdout
    assert output is not None
    reader = threading.Thread(target=lambda: program.lines.extend(iter(output.readline, "")), daemon=True)
    reader.start()
    try:
        yield program
    finally:
        program.stop()
        reader.join(5)
        output.close()


def command(*words: str, env: dict[str, str], stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a `run.py` command to its end."""
    return subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "run.py"), *words],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        cwd=PROJECT_ROOT,
        timeout=120,
        check=False,
    )


@dataclass
class Exchange:
    """The paper exchange in a process of its own."""

    url: str
    name: str = "bybit"
    """Whose rules its account trades by, and whose client looks on."""

    def price(self, price: str, symbol: str = "BTCUSDT", *, sweep: bool = False) -> None:
        """Move the market by hand."""
        self.control("POST", "price", {"symbol": symbol, "price": price, "sweep": sweep})

    def control(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = requests.request(method, f"{self.url}/__paper/{what}", json=body, timeout=10)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def books(self, key: str) -> dict[str, Any]:
        account: dict[str, Any] = self.control("GET", f"state?key={key}")["accounts"][0]
        return account

    def client(self, key: str, secret: str) -> Any:
        """A plain ccxt client, as any other program would have one."""
        return plain_client(self.name, self.url, key, secret)


@dataclass
class Trader:
    """Somebody at the pages, with a session."""

    url: str
    session: requests.Session
    user_id: int

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, f"{self.url}{path}", json=body, timeout=30)

    def told(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def status(self) -> dict[str, Any]:
        return self.told("GET", "/api/bot/status")


@dataclass
class Server:
    """The server in a process of its own."""

    url: str
    program: Program
    env: dict[str, str]

    def sign_in(self, email: str, *, admin: bool = False) -> Trader:
        """Make a user by the command line and sign in over HTTP."""
        words = ["user", "add", email, "--password-stdin", *(["--admin"] if admin else [])]
        made = command(*words, env=self.env, stdin=PASSWORD)
        assert made.returncode == 0, made.stderr
        session = requests.Session()
        answer = session.post(
            f"{self.url}/login", data={"email": email, "password": PASSWORD}, timeout=10, allow_redirects=False
        )
        assert answer.status_code in {200, 302, 303}, answer.text
        listed = command("user", "list", env=self.env).stdout
        numbers = [
            int(found[1]) for line in listed.splitlines() if email in line and (found := re.search(r"(\d+)", line))
        ]
        return Trader(url=self.url, session=session, user_id=numbers[0])


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    """The paper exchange with one account of 10,000 USDT, on the exchange that the test is run for."""
    name = str(getattr(request, "param", "bybit"))
    account = f"outside:sesame:10000:{name}"
    with running("paper", "--port", "0", "--feed", "manual", "--account", account, env={}) as program:
        exchange = Exchange(program.line(r"(http://127\.0\.0\.1:\d+)")[1], name)
        exchange.price("60000")
        if name == "bingx":
            # A test that looks on shares five requests a second with the bot, whose key it uses.
            exchange.control("POST", "rules", {"enforce_limits": False})
        yield exchange


@contextmanager
def servers(home: Path) -> Iterator[Callable[..., Server]]:
    """Start servers over one home folder; each is stopped at the end at the latest."""
    with ExitStack() as stack:

        def start(**env: str) -> Server:
            settings = {"BLITZ_HOME": str(home), "WEB_PORT": "0", "BLITZ_PAPER_LIMITS": "off", **env}
            program = stack.enter_context(running("serve", env=settings))
            url = program.line(r"Blitz is at (http://\S+)")[1]
            return Server(url=url, program=program, env=settings)

        yield start


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers over the test's own folder."""
    with servers(tmp_path) as start:
        yield start
