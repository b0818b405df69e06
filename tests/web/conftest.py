"""A whole server under test, without its socket: real storage, real bots, a real paper exchange on its own port."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from blitz.app import create_app
from blitz.bots.manager import SimpleBotManager
from blitz.clock import ManualClock
from blitz.exchange.budget import RateBudget
from blitz.exchange.streams.hub import StreamHub
from blitz.paper.config import PaperConfig
from blitz.paper.server import PaperServer
from blitz.server import build_services
from blitz.settings import Settings
from blitz.storage.invitations import Invitations
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox, load_or_create_key
from blitz.storage.sessions import SessionStore
from blitz.storage.setup import SetupTokens
from blitz.storage.throttle import SignInThrottle
from blitz.storage.users import User, UserStore
from blitz.web.services import Services

NOON_MS = 1_735_732_800_000
PASSWORD = "plum tractor velvet 93"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One server under test, and the people on it."""

    app: Any
    parts: Services
    paper: PaperServer
    clock: ManualClock
    """The time of sessions, setup links and failed sign-ins; the exchange has the machine's."""
    trader: User
    stranger: User
    admin: User
    hub: StreamHub | None = None
    """What keeps the streams up of bots that are told."""

    @property
    def manager(self) -> SimpleBotManager:
        assert isinstance(self.parts.manager, SimpleBotManager)
        return self.parts.manager

    def visitor(self) -> FlaskClient:
        """Somebody who is not signed in."""
        return self.app.test_client()

    def signed_in(self, user: User) -> FlaskClient:
        """A client that holds a session of `user`."""
        client = self.visitor()
        raw = self.parts.sessions.create(user.id, "127.0.0.1", "a test")
        client.set_cookie("blitz_session", raw, domain="localhost")
        return client

    def move_price(self, price: str) -> None:
        """Let the market trade at `price`."""
        self.control("price", {"symbol": "BTCUSDT", "price": price})

    def control(self, what: str, body: dict[str, str]) -> None:
        """Use the paper exchange's own controls."""
        requests.post(f"{self.paper.url}/__paper/{what}", json=body, timeout=5).raise_for_status()

    def lift_faults(self) -> None:
        """Let the exchange be well again."""
        requests.delete(f"{self.paper.url}/__paper/faults", timeout=5).raise_for_status()

    def cancel_by_hand(self, user: User, tag: str) -> None:
        """Cancel an order of this user as the user could at the exchange's own page."""
        import ccxt

        keys = self.parts.users.credentials(user.id) or self.parts.users.paper_credentials(user.id)
        urls: Any = {"api": {"public": self.paper.url, "private": self.paper.url}}
        client = ccxt.bybit({"apiKey": keys.api_key, "secret": keys.api_secret, "urls": urls})
        try:
            client.private_post_v5_order_cancel({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": tag})
        finally:
            client.session.close()

    def exchange_state(self) -> dict[str, Any]:
        """What the exchange itself sees."""
        return requests.get(f"{self.paper.url}/__paper/state", timeout=5).json()


def build_world(
    home: Path, *, after_another: bool = False, is_told: bool = False, poll_seconds: float = 0.1, **settings: Any
) -> World:
    """A server that is the first at its address, unless another is to have run just before it.

    Its bots poll, unless they are to be told by streams.
    """
    chosen = Settings(home=home, db_path=home / "users.db", **settings)
    paper = PaperServer(PaperConfig(feed="manual", enforce_limits=False))
    paper.start()
    clock = ManualClock(NOON_MS)
    budget = None if after_another else RateBudget()
    hub = StreamHub() if is_told else None
    if hub is not None:
        hub.start()
    poll = 1.0 if is_told else poll_seconds
    parts = build_services(chosen, paper_url=paper.url, poll_seconds=poll, hub=hub, budget=budget)
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    box = SecretBox(load_or_create_key(chosen.key_path, None))
    users = UserStore(parts.database, box, parts.clock, passwords=cheap)
    parts = replace(
        parts,
        users=users,
        invitations=Invitations(parts.database, users, clock),
        sessions=SessionStore(parts.database, clock),
        setup=SetupTokens(parts.database, clock),
        throttle=SignInThrottle(parts.database, clock),
    )
    return World(
        app=create_app(parts),
        parts=parts,
        paper=paper,
        clock=clock,
        trader=parts.users.create("trader@example.org", PASSWORD),
        stranger=parts.users.create("stranger@example.org", PASSWORD),
        admin=parts.users.create("admin@admin.com", PASSWORD, role="admin"),
        hub=hub,
    )


def take_down(world: World) -> None:
    world.manager.shut_down()
    if world.hub is not None:
        world.hub.stop()
    world.paper.stop()
    world.parts.database.close()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a server with other settings than the usual ones."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        home = tmp_path / str(len(made))
        home.mkdir()
        made.append(build_world(home, **settings))
        return made[-1]

    yield make
    for world in made:
        take_down(world)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture(scope="module")
def still_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all tests of a file that leave it as it was."""
    world = build_world(tmp_path_factory.mktemp("still"))
    yield world
    take_down(world)


@pytest.fixture
def still_client(still_world: World) -> FlaskClient:
    """The trader's client of that server."""
    return still_world.signed_in(still_world.trader)


@pytest.fixture
def client(world: World) -> FlaskClient:
    """The trader's client."""
    return world.signed_in(world.trader)
