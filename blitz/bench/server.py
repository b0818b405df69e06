"""The server of a bench, in a process of its own, with as many traders as wanted; their bots resume when it starts."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import urllib3
from argon2 import PasswordHasher

from blitz.bench.exchange import BenchExchange, BenchProblem
from blitz.bench.ladders import settings_of
from blitz.clock import SystemClock
from blitz.core.ladder_settings import LadderSettings
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox, load_or_create_key
from blitz.storage.users import UserStore
from blitz.torture.processes import Program, free_port

START_SECONDS = 900.0
QUIET_SECONDS = 3.0
POLL_SECONDS = 0.1
KIB_PER_MIB = 1024


class BenchServer:
    """A server and its database in a folder of its own."""

    def __init__(
        self, folder: Path, exchange: BenchExchange, bots: int, ladders: Callable[[int], LadderSettings] | None = None
    ) -> None:
        """`ladders` answers what a trader trades, by number; without it those of `blitz.bench.ladders`."""
        folder.mkdir()
        self.bots = bots
        self._exchange = exchange
        self._port = free_port()
        self.url = f"http://localhost:{self._port}"
        self._pool = urllib3.PoolManager(retries=False)
        env = {
            "BLITZ_HOME": str(folder),
            "BLITZ_PAPER_URL": exchange.url,
            "BLITZ_PAPER_LIMITS": "on" if exchange.limits else "off",
            "WEB_PORT": str(self._port),
            "LOG_LEVEL": "WARNING",
        }
        if exchange.certificate:
            env["SSL_CERT_FILE"] = str(exchange.certificate)
        _fill_database(folder, bots, ladders or partial(settings_of, bots=bots, exchange=exchange.name))
        self.program = Program("the server", ["serve"], env, folder / "server.log")

    def start(self) -> float:
        """Start it; answers the seconds until every bot was told by its stream, protected and at rest."""
        began = time.monotonic()
        self.program.launch()
        self._wait_until_ready(began + START_SECONDS)
        ready = time.monotonic()
        self._wait_until_quiet()
        return ready - began

    def stop(self) -> None:
        """End it at once: whatever it did is on the exchange."""
        self.program.kill()

    def rss_kib(self) -> int:
        """Resident memory. Raises `BenchProblem` where the system keeps no such figure."""
        path = Path(f"/proc/{self.program.pid}/smaps_rollup")
        try:
            found = re.search(r"^Rss:\s+(\d+) kB", path.read_text(), re.MULTILINE)
        except OSError as problem:
            raise BenchProblem(f"The server's memory cannot be read ({problem.strerror}).") from problem
        assert found is not None
        return int(found[1])

    def _wait_until_ready(self, deadline: float) -> None:
        while True:
            figures = self._figures()
            told, covered = figures.get("blitz_streams_ready", 0), figures.get("blitz_positions_protected", 0)
            if told >= self.bots and covered >= self.bots:
                return
            if not self.program.is_alive or time.monotonic() > deadline:
                raise BenchProblem(
                    f"Of {self.bots} bots {told:.0f} are told and {covered:.0f} protected. {self.program.last_words()}"
                )
            time.sleep(POLL_SECONDS)

    def _wait_until_quiet(self) -> None:
        """Ladders are laid leg by leg: wait until hardly anything is asked any more."""
        while True:
            before = self._exchange.requests()
            time.sleep(QUIET_SECONDS)
            if self._exchange.requests() - before <= QUIET_SECONDS * max(2, self.bots / 60):
                return

    def _figures(self) -> dict[str, float]:
        try:
            answer = self._pool.request("GET", f"http://127.0.0.1:{self._port}/metrics", timeout=10.0)
        except urllib3.exceptions.HTTPError:
            return {}
        lines = re.findall(r"^(\w+) ([0-9.e+]+)$", answer.data.decode(), re.MULTILINE)
        return {name: float(value) for name, value in lines}


def email_of(number: int) -> str:
    """A trader's address."""
    return f"trader{number}@example.com"


def password_of(number: int) -> str:
    """A trader's password; of a database that lives for a bench."""
    return f"bench password {number}"


def _fill_database(home: Path, bots: int, ladders: Callable[[int], LadderSettings]) -> None:
    """Traders whose bots should run; the first of them is an administrator. Their passwords cost nothing."""
    clock = SystemClock()
    database = Database.open(home / "instance" / "users.db")
    database.migrate()
    box = SecretBox(load_or_create_key(home / "instance" / "secret.key", None))
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users, store = UserStore(database, box, clock, passwords=cheap), BotStore(database, clock)
    for number in range(bots):
        user = users.create(email_of(number), password_of(number), role="trader" if number else "admin")
        users.save_settings(user.id, ladders(number))
        store.set_desired(user.id, "running")
    database.close()
