"""Parts every storage test is built from: a fresh database, a clock that stands still, cheap password hashing."""

import pytest
from argon2 import PasswordHasher

from blitz.clock import ManualClock
from blitz.storage.database import Database
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox
from blitz.storage.users import UserStore

NOON_MS = 1_750_000_000_000
PASSWORD = "correct horse battery staple"


@pytest.fixture
def clock():
    return ManualClock(NOON_MS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "instance" / "users.db"


@pytest.fixture
def db(path):
    database = Database.open(path)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def box():
    return SecretBox(bytes(range(32)))


@pytest.fixture(scope="session")
def cheap_passwords():
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def users(db, box, clock, cheap_passwords):
    return UserStore(db, box, clock, passwords=cheap_passwords)


@pytest.fixture
def alice(users):
    return users.create("alice@example.com", PASSWORD)


@pytest.fixture
def bob(users):
    return users.create("bob@example.com", PASSWORD)
