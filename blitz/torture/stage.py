"""The stage of a torture run: a folder, the exchange, the server, the traders; and time, which passes only here.

While time passes the market moves and the books are watched. One thread does everything, so that nothing has to be
locked and the story has one order.
"""

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from blitz.torture.exchange import ExchangeControl
from blitz.torture.hands import HANDS, Hand
from blitz.torture.market import MARKETS, Swing
from blitz.torture.options import RESUME_SECONDS, STOP_SECONDS, TortureOptions
from blitz.torture.plan import draw_ladder
from blitz.torture.processes import Program, TortureProblem, free_port, run_command
from blitz.torture.server import Admin, Trader
from blitz.torture.tally import Story, Tally
from blitz.torture.watch import Watch

ADMIN = "admin@example.com"
MOVE_SECONDS = 0.15
LOOK_SECONDS = 0.25
TICK_SECONDS = 0.02
ASK_SECONDS = 0.1
EXCHANGE_START_SECONDS = 20.0
RESUME_PATIENCE_SECONDS = 40.0
"""A resume that takes longer than allowed is told; one that takes longer than this ends the run."""
ALIVE = ("running", "needs_attention")
AT_ONCE = 4


class Stage:
    """Everything a round needs."""

    def __init__(self, options: TortureOptions, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.tally = Tally()
        self.story = Story(folder / "story.log")
        ports = (free_port(), free_port())
        self.exchange = ExchangeControl(f"http://127.0.0.1:{ports[0]}")
        self.exchange_program = self._exchange_program(ports[0], options.regime(0))
        self.regime = options.regime(0)
        self.server_url = f"http://127.0.0.1:{ports[1]}"
        home = folder / "home"
        home.mkdir(mode=0o700)
        self._server_env = {
            "BLITZ_HOME": str(home),
            "WEB_HOST": "127.0.0.1",
            "WEB_PORT": str(ports[1]),
            "BLITZ_PAPER_URL": self.exchange.url,
            "BLITZ_PAPER_LIMITS": "off",
            "BLITZ_REGISTRATION": "open",
        }
        self.server = Program("server", ["serve"], self._server_env, folder / "server.log")
        self.swings = [Swing(market, f"{options.seed}:market:{market.venue_symbol}") for market in MARKETS]
        self.traders = [self._trader(index) for index in range(options.bots)]
        self.admin = Admin(self.server_url)
        self.watch = Watch(self.exchange, [], self.tally, self.story)
        self.is_market_held = False
        self.is_watching = False
        self._moved_at = 0.0
        self._looked_at = 0.0

    def _exchange_program(self, port: int, regime: str) -> Program:
        words = ["paper", "--port", str(port), "--feed", "manual", "--no-limits", "--ids", regime]
        words += ["--seed", str(self.options.seed), "--state", str(self.folder / "exchange.db")]
        return Program("exchange", words, {"LOG_LEVEL": "WARNING"}, self.folder / "exchange.log")

    def _trader(self, index: int) -> Trader:
        ladder = draw_ladder(self.options, index)
        return Trader(self.server_url, key=f"trader-{index + 1}", secret=f"sesame-{index + 1}-open", ladder=ladder)

    # Opening and closing

    def open(self) -> None:
        """Start both programs, make the users, set them up and start their bots."""
        self.launch_exchange()
        for trader in self.traders:
            self.exchange.open_account(trader.key, trader.secret, trader.ladder.exchange)
        self._move_prices()
        password = secrets.token_urlsafe(24)
        run_command(["user", "add", ADMIN, "--admin", "--password-stdin"], self._server_env, f"{password}\n")
        self.server.launch()
        if not self.pass_time(EXCHANGE_START_SECONDS, until=self.server_answers):
            raise TortureProblem(f"The server does not start:\n{self.server.last_words()}")
        self.admin.enter("/login", ADMIN, password)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda trader: trader.enter("/register", _email(trader), password), self.traders))
        numbers = self._user_numbers()
        for trader in self.traders:
            trader.user_id = numbers[_email(trader)]
        self.watch = Watch(self.exchange, self.traders, self.tally, self.story)
        self.switch_ids(self.regime)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(Trader.set_up, self.traders))
            list(pool.map(Trader.start, self.traders))
        if not self.pass_time(RESUME_PATIENCE_SECONDS, until=self.all_run):
            raise TortureProblem("Not every bot could be started.")
        self.is_watching = True
        self.watch.protection.begin(time.monotonic(), restarted=True)
        self.watch.protection.resumed()
        self.story.tell(f"{len(self.traders)} bots run, server at {self.server_url}, exchange at {self.exchange.url}")

    def _user_numbers(self) -> dict[str, int]:
        rows = (line.split("\t") for line in run_command(["user", "list"], self._server_env).splitlines())
        return {row[1]: int(row[0]) for row in rows if len(row) > 1}

    def close(self) -> None:
        """End both programs, whatever state they are in."""
        for program in (self.server, self.exchange_program):
            program.kill()

    # Time

    def pass_time(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let the market move and watch the books; True as soon as `until` is true, False when time is up."""
        deadline, asked_at = time.monotonic() + seconds, 0.0
        while True:
            now = time.monotonic()
            self._tick(now)
            if until is not None and now - asked_at >= ASK_SECONDS:
                asked_at = now
                if until():
                    return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(TICK_SECONDS)

    def _tick(self, now: float) -> None:
        if not self.exchange_program.is_alive:
            return
        if not self.is_market_held and now - self._moved_at >= MOVE_SECONDS:
            self._moved_at = now
            self._move_prices()
        if self.is_watching and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.watch.look(now)

    def _move_prices(self) -> None:
        for swing in self.swings:
            self.exchange.move(swing.step())

    @contextmanager
    def held_market(self) -> Iterator[None]:
        """No price moves and no fault strikes inside."""
        self.lift_faults()
        self.is_market_held = True
        try:
            yield
        finally:
            self.is_market_held = False

    def lift_faults(self) -> None:
        """From now on every request is answered as it should be."""
        self.watch.look(time.monotonic())
        self.exchange.lift_faults()
        self.watch.forget_faults()

    # Programs

    def launch_exchange(self) -> None:
        """Start the exchange, perhaps from its state file, and wait until it answers."""
        self.exchange_program.launch()
        deadline = time.monotonic() + EXCHANGE_START_SECONDS
        while not self.exchange.answers():
            if not self.exchange_program.is_alive or time.monotonic() > deadline:
                raise TortureProblem(f"The exchange does not start:\n{self.exchange_program.last_words()}")
            time.sleep(TICK_SECONDS)
        self.switch_ids(self.regime)
        self.watch.forget_faults()

    def switch_ids(self, regime: str) -> None:
        """From now on the exchange lets an order id be used again as this regime says."""
        self.regime = regime
        self.exchange.use_ids(regime)
        self.watch.ids_enforced = regime != "unenforced"

    def server_answers(self) -> bool:
        """Whether the server is there."""
        try:
            return requests.get(f"{self.server_url}/healthz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def launch_server(self) -> None:
        """Start the server and let its positions be watched from now on."""
        self.server.launch()
        self.watch.protection.begin(self.server.launched_at, restarted=True)

    def all_run(self) -> bool:
        """Whether every bot runs; one whose account was struck by a fault meanwhile need only be alive."""
        bots = self.admin.bots()
        return all(self._runs(trader, bots) for trader in self.traders)

    def _runs(self, trader: Trader, bots: dict[int, dict[str, object]]) -> bool:
        bot = bots.get(trader.user_id)
        if bot is None or not bot["running"]:
            return False
        watched = self.watch.accounts.get(trader.key)
        was_struck = watched is not None and watched.fault_at > self.server.launched_at
        return bot["status"] in ALIVE or was_struck

    def wait_for_resume(self) -> None:
        """Wait until all bots run again, and measure it from the launch of the process."""
        if not self.pass_time(RESUME_PATIENCE_SECONDS, until=self.all_run):
            self._tell_who_is_missing()
            return
        seconds = time.monotonic() - self.server.launched_at
        waited = self.server.processor_wait_seconds()
        self.watch.protection.resumed()
        self.tally.resume_max_seconds = max(self.tally.resume_max_seconds, seconds)
        self.story.tell(f"all bots run again {seconds:.2f} s after the launch, {waited:.2f} s without a processor")
        if seconds - waited > RESUME_SECONDS:
            self.watch.violation(f"the bots ran again only {seconds:.1f} s after the launch of the server")

    def _tell_who_is_missing(self) -> None:
        if not self.server.is_alive:
            raise TortureProblem(f"The server ended by itself ({self.server.exit_code}):\n{self.server.last_words()}")
        bots = self.admin.bots()
        for trader in self.traders:
            if not self._runs(trader, bots):
                status = trader.status()
                self.watch.violation(f"the bot of user {trader.user_id} is {status['status']}: {status['message']}")
                trader.start()

    def kill_server(self) -> None:
        """SIGKILL the server."""
        self.watch.protection.stop()
        self.server.kill()
        self.tally.kills += 1

    def stop_server(self) -> None:
        """Ask the server to end and wait for it; it has to end cleanly and in time."""
        self.watch.protection.stop()
        began = time.monotonic()
        self.server.send(signal.SIGTERM)
        if not self.pass_time(STOP_SECONDS, until=lambda: not self.server.is_alive):
            self.watch.violation(f"the server did not end within {STOP_SECONDS:.0f} s of SIGTERM")
            self.kill_server()
            return
        self.story.tell(f"the server ended {time.monotonic() - began:.2f} s after SIGTERM")
        if self.server.exit_code != 0:
            self.watch.violation(f"the server ended with exit code {self.server.exit_code} after SIGTERM")

    def hand_of(self, trader: Trader) -> Hand:
        """Somebody who trades by hand on a trader's account."""
        return HANDS[trader.ladder.exchange](self.exchange.url, trader.key, trader.secret)

    @property
    def server_env(self) -> dict[str, str]:
        """The settings that the server is started with."""
        return dict(self._server_env)


def _email(trader: Trader) -> str:
    return f"{trader.key}@example.com"
