"""No secret can be read from the files of the database, whatever was done with it."""

import pytest

from blitz.storage.sessions import SessionStore
from blitz.storage.setup import SetupTokens
from blitz.storage.throttle import SignInThrottle

API_KEY, API_SECRET = "CANARYkey0123456789", "CANARYsecret" + "9" * 24
TOKEN, CHAT = "987654321:" + "CANARYtelegram" + "x" * 21, "-1009988776655"
PASSWORD, NEXT_PASSWORD = "CANARY passwort mit Worten", "CANARY ein zweites Geheimnis"


@pytest.fixture
def secrets(db, clock, users):
    """Do everything that touches a secret; return all of them."""
    user = users.create("alice@example.com", PASSWORD)
    users.save_credentials(user.id, API_KEY, API_SECRET)
    users.save_telegram(user.id, TOKEN, CHAT)
    users.check_password(user.email, PASSWORD)
    users.set_password(user.id, NEXT_PASSWORD)
    paper = users.paper_credentials(user.id)
    sessions, setup = SessionStore(db, clock), SetupTokens(db, clock)
    raw = sessions.create(user.id, "192.0.2.1", "Browser")
    link = setup.issue()
    SignInThrottle(db, clock).attempt("mistyped@example.com", "192.0.2.1")
    known = [API_KEY, API_SECRET, TOKEN, CHAT, PASSWORD, NEXT_PASSWORD, "mistyped@example.com"]
    return [*known, paper.api_key, paper.api_secret, raw, sessions.rotate(raw), link]


def found_in(folder, secrets):
    content = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert any(b"alice@example.com" in each for each in content.values()), "the search itself must be able to find"
    return [(secret, name) for secret in secrets for name, each in content.items() if secret.encode() in each]


def test_the_write_ahead_log_holds_no_secret(db, path, secrets):
    assert path.with_name("users.db-wal").stat().st_size > 0
    assert found_in(path.parent, secrets) == []


def test_the_database_file_holds_no_secret(db, path, secrets):
    db.close()

    assert [file.name for file in path.parent.iterdir()] == ["users.db"]
    assert found_in(path.parent, secrets) == []


def test_cleared_secrets_leave_nothing_readable(db, path, users, secrets):
    users.save_credentials(1, "", "")
    users.save_telegram(1, "", "")
    db.close()

    assert found_in(path.parent, secrets) == []
