"""An app over a real database, with a trader, a stranger and an administrator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from blitz.app import create_app
from blitz.clock import ManualClock
from blitz.settings import Settings
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox
from blitz.storage.sessions import SessionStore
from blitz.storage.setup import SetupTokens
from blitz.storage.throttle import SignInThrottle
from blitz.storage.users import User, UserStore
from blitz.web.services import Services
from tests.web.standins import StandInDesk, StandInManager

NOON_MS = 1_735_732_800_000
PASSWORD = "plum tractor velvet 93"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One server under test, and the people on it."""

    app: Any
    parts: Services
    manager: StandInManager
    desk: StandInDesk
    clock: ManualClock
    trader: User
    stranger: User
    admin: User

    def visitor(self) -> FlaskClient:
        """Somebody who is not signed in."""
        return self.app.test_client()

    def signed_in(self, user: User) -> FlaskClient:
        """A client that holds a session of `user`."""
        client = self.visitor()
        raw = self.parts.sessions.create(user.id, "127.0.0.1", "a test")
        client.set_cookie("blitz_session", raw, domain="localhost")
        return client


def build_world(home: Path, settings: Settings) -> World:
    clock = ManualClock(NOON_MS)
    database = Database.open(home / "users.db")
    database.migrate()
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users = UserStore(database, SecretBox(bytes(range(32))), clock, passwords=passwords)
    manager, desk = StandInManager(clock), StandInDesk()
    parts = Services(
        settings=settings,
        database=database,
        users=users,
        sessions=SessionStore(database, clock),
        setup=SetupTokens(database, clock),
        throttle=SignInThrottle(database, clock),
        bots=BotStore(database, clock),
        history=History(database),
        manager=manager,
        desk=desk,
        clock=clock,
        cookie_key="0123456789abcdef" * 4,
        facts={"paper_feed": "synthetic"},
    )
    return World(
        app=create_app(parts),
        parts=parts,
        manager=manager,
        desk=desk,
        clock=clock,
        trader=users.create("trader@example.org", PASSWORD),
        stranger=users.create("stranger@example.org", PASSWORD),
        admin=users.create("admin@admin.com", PASSWORD, role="admin"),
    )


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a server with other settings than the usual ones."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(build_world(tmp_path, Settings(home=tmp_path, **settings)))
        return made[-1]

    yield make
    for world in made:
        world.parts.database.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def client(world: World) -> FlaskClient:
    """The trader's client."""
    return world.signed_in(world.trader)
