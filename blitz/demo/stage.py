"""The stage of a demo: a whole server in a folder of its own, a paper exchange on replayed time, a signed-in trader.

Everything the trader does goes over HTTP: sign in, save settings, press Start.
"""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

from blitz.bots.manager import SimpleBotManager
from blitz.bots.paper_accounts import PAPER_BALANCE, keys_on, open_paper_account
from blitz.clock import ManualClock
from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import ZERO
from blitz.demo.options import DemoOptions, venue_symbol
from blitz.errors import ConfigurationProblem
from blitz.paper.server import PaperConfig, PaperServer, PaperStartError
from blitz.server import WebServer, build_services
from blitz.settings import Settings
from blitz.web.services import Services

EMAIL = "trader@example.com"
MARGIN_TIMES = 4
"""The account holds at least this many times what the whole ladder may take."""
ANSWER_SECONDS = 60
REQUEST_SECONDS = 60


class DemoProblem(ConfigurationProblem):
    """The demo cannot go on; the sentence says why."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """What a demo plays on."""

    paper_url: str
    web_url: str
    services: Services
    clock: ManualClock
    trader: requests.Session
    user_id: int
    account_key: str
    token: int = 0

    def advance(self, bars_max: int | None) -> dict[str, Any]:
        """Play the market to the next point where something happened to the account, and move our clock there."""
        asked: dict[str, Any] = {"until": "event"}
        if bars_max is not None:
            asked["max_bars"] = bars_max
        step = self._paper("POST", "advance", asked)
        self.clock.set(max(self.clock.now_ms(), int(step["at"])))
        return step

    def let_bot_answer(self) -> bool:
        """Wake the bot and wait until it has come to rest; False when it has ended."""
        manager = self.services.manager
        assert isinstance(manager, SimpleBotManager)
        self.token += 1
        bot = manager.wake(self.user_id, self.token)
        if bot is None:
            return False
        if not bot.wait_answered(self.token, ANSWER_SECONDS):
            raise DemoProblem(f"The bot did not answer within {ANSWER_SECONDS} seconds: {bot.snapshot.message}")
        return not bot.ended.is_set()

    def exchange_books(self) -> dict[str, Any]:
        """The account as the exchange itself sees it."""
        account: dict[str, Any] = self._paper("GET", f"state?brief=1&key={self.account_key}")["accounts"][0]
        return account

    def press(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what a trader does on the pages, over HTTP."""
        answer = self.trader.request(method, f"{self.web_url}{path}", json=body, timeout=REQUEST_SECONDS)
        told: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            details = "; ".join(f"{field}: {' '.join(said)}" for field, said in told.get("errors", {}).items())
            raise DemoProblem(f"{told.get('message', answer.reason)} {details}".strip())
        return told

    def _paper(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = requests.request(method, f"{self.paper_url}/__paper/{what}", json=body, timeout=600)
        told: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise DemoProblem(str(told.get("error", "The paper exchange refused.")))
        return told


@contextmanager
def set_stage(options: DemoOptions, settings: LadderSettings) -> Iterator[Stage]:
    """Start everything in a throw-away folder, and stop it at the end. Raises `ConfigurationProblem`."""
    config = PaperConfig(feed=options.feed, speed="max", symbol=venue_symbol(settings), enforce_limits=False)
    with tempfile.TemporaryDirectory(prefix="blitz-demo-") as folder:
        server = own_settings(Path(folder))
        with open_stage(config, server, settings, email=EMAIL, password=secrets.token_urlsafe(24)) as stage:
            yield stage


def own_settings(home: Path, **chosen: Any) -> Settings:
    """What a server in `home` is set up with, by the names of the environment's variables.

    Whatever the environment says otherwise is about somebody's own server, whose database and ports stay alone.
    """
    usual = {str(field.validation_alias): field.default for field in Settings.model_fields.values()}
    del usual["None"]  # the folder, which has no variable here
    return Settings(home=home, **usual | {"WEB_PORT": 0} | chosen)


@contextmanager
def open_stage(
    config: PaperConfig, server: Settings, settings: LadderSettings, *, email: str, password: str
) -> Iterator[Stage]:
    """Start an exchange and a server, make one trader and sign in; stop both at the end."""
    paper = PaperServer(config)
    try:
        paper.start()
    except PaperStartError as problem:
        raise DemoProblem(str(problem)) from problem
    try:
        yield from _with_server(paper, server, settings, email, password)
    finally:
        paper.stop()


def _with_server(
    paper: PaperServer, server: Settings, settings: LadderSettings, email: str, password: str
) -> Iterator[Stage]:
    clock = ManualClock(paper.clock.now_ms())
    services = build_services(server, paper_url=paper.url, clock=clock, poll_seconds=None)
    web = WebServer(services)
    web.start()
    try:
        yield _signed_in(paper, web, services, clock, settings, email, password)
    finally:
        services.closing.set()
        manager = services.manager
        assert isinstance(manager, SimpleBotManager)
        manager.shut_down()
        web.stop()
        services.database.close()


def _signed_in(
    paper: PaperServer,
    web: WebServer,
    services: Services,
    clock: ManualClock,
    settings: LadderSettings,
    email: str,
    password: str,
) -> Stage:
    user = services.users.create(email, password)
    keys = keys_on(settings.exchange, services.users.paper_credentials(user.id))
    margin = sum((row.amount for row in settings.legs), ZERO)
    balance = max(PAPER_BALANCE, Decimal(MARGIN_TIMES) * margin)
    open_paper_account(paper.url, settings.exchange, keys, balance)
    stage = Stage(
        paper_url=paper.url,
        web_url=web.url,
        services=services,
        clock=clock,
        trader=requests.Session(),
        user_id=user.id,
        account_key=keys.api_key,
    )
    stage.trader.post(
        f"{web.url}/login", data={"email": email, "password": password}, timeout=REQUEST_SECONDS, allow_redirects=False
    ).raise_for_status()
    stage.press("PUT", "/api/bot/settings", settings.to_json())
    return stage
