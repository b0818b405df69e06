"""What the doctor sees, and what it says should be done."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from blitz.clock import SystemClock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName, parse_settings
from blitz.core.records import BotEvent, EventKind
from blitz.doctor import OLDEST_BELIEVABLE_MS, run_doctor
from blitz.exchange.bingx.profile import BINGX
from blitz.exchange.bybit.profile import BYBIT
from blitz.settings import load_settings
from blitz.storage.database import Database
from blitz.storage.secrets import SecretBox, load_or_create_key
from blitz.storage.users import UserStore

DEMO = parse_settings({"mode": "demo"})


@pytest.fixture
def free_port(monkeypatch):
    """A port that nobody holds, as WEB_PORT."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("WEB_PORT", str(port))
    return port


@pytest.fixture
def examine(home, free_port, capsys):
    """Run the doctor; returns its exit code and what it printed."""

    def run():
        code = run_doctor(load_settings())
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def users(home):
    """The accounts of an installation that has been started once."""
    settings = load_settings()
    database = Database.open(settings.database)
    database.migrate()
    store = UserStore(database, SecretBox(load_or_create_key(settings.key_path, None)), SystemClock())
    store.create("chief@example.org", "quiet-otter-climbs-ladders", role="admin")
    yield store
    database.close()


def test_before_the_first_start_nothing_is_to_be_done_and_nothing_is_made(examine, home):
    code, said = examine()

    assert code == 0
    assert "Everything is in order." in said
    assert list(home.iterdir()) == []


def test_a_healthy_installation_is_in_order(examine, users):
    code, said = examine()

    assert (code, "✗" in said) == (0, False)
    assert "✓ The database is whole" in said
    assert "✓ chief@example.org: trades on paper, no keys needed" in said


@pytest.mark.parametrize(
    ("name", "wrong", "right"), [("instance", 0o755, "700"), ("instance/secret.key", 0o644, "600")]
)
def test_what_others_could_read_is_found(examine, users, home, name, wrong, right):
    (home / name).chmod(wrong)

    code, said = examine()

    assert code == 1
    assert f"chmod {right} {home / name}" in said


def test_a_lost_key_file_is_told_and_not_replaced(examine, users, home):
    (home / "instance" / "secret.key").unlink()

    code, said = examine()

    assert code == 1
    assert "The key that opens the traders' secrets is gone" in said
    assert not (home / "instance" / "secret.key").exists()


def test_a_key_that_opens_nothing_is_told_per_trader(examine, users, monkeypatch):
    users.save_credentials(1, "AKXQ7PLM2RBV9TND", "s3cr3t-of-the-exchange")
    monkeypatch.setenv("BLITZ_SECRET_KEY", "kX82-fqLw0-bN5vt-Zr7Ye-hD1mQ-s9Ju")

    code, said = examine()

    assert code == 1
    assert "✗ chief@example.org" in said
    assert "s3cr3t" not in said


def test_a_trader_who_wants_demo_needs_keys(examine, users, monkeypatch):
    venue = Venue()
    monkeypatch.setattr(BYBIT, "hosts", {"demo": venue.url})
    users.save_settings(1, DEMO)

    code, said = examine()
    venue.close()

    assert code == 1
    assert "✗ chief@example.org: no keys for demo" in said
    assert f"✓ bybit demo answers at {venue.url}" in said


def test_whoever_chose_live_is_told_apart_from_whoever_went_live(examine, users, monkeypatch):
    venue = Venue()
    monkeypatch.setattr(BYBIT, "hosts", {"live": "http://127.0.0.1:9"})
    monkeypatch.setenv("BLITZ_REHEARSAL_URL", venue.url)  # and in its place this one is asked
    keys = Credentials(api_key="AKXQ7PLM2RBV9TND", api_secret="s3cr3t-of-the-exchange")
    users.save_settings(1, parse_settings({"mode": "live"}))
    users.save_credentials(1, keys.api_key, keys.api_secret)

    chose = examine()[1]
    users.go_live(1, keys, ExchangeName.BYBIT, BotEvent(kind=EventKind.WENT_LIVE, at_ms=1))
    went = examine()[1]
    venue.close()

    assert "✓ chief@example.org: chose live and has not gone live with the key ***9TND" in chose
    assert "✓ chief@example.org: trades live with the key ***9TND" in went
    assert f"✓ bybit live (a rehearsal) answers at {venue.url}" in went


def test_an_exchange_is_asked_for_the_time_in_its_own_words(examine, users, monkeypatch):
    venue = Venue(told=lambda now_ms: {"code": 0, "msg": "", "data": {"serverTime": now_ms}})
    monkeypatch.setattr(BINGX, "hosts", {"demo": venue.url})
    users.save_credentials(1, "AKXQ7PLM2RBV9TND", "s3cr3t-of-the-exchange")
    users.save_settings(1, parse_settings({"mode": "demo", "exchange": "bingx"}))

    code, said = examine()
    venue.close()

    assert code == 0, said
    assert f"✓ bingx demo answers at {venue.url}" in said
    assert venue.asked == ["/openApi/swap/v2/server/time"]


def test_what_answers_in_another_exchanges_words_is_none(examine, users, monkeypatch):
    venue = Venue()
    monkeypatch.setattr(BINGX, "hosts", {"demo": venue.url})
    users.save_settings(1, parse_settings({"mode": "demo", "exchange": "bingx"}))

    said = examine()[1]
    venue.close()

    assert f"✗ What answers at {venue.url} is no exchange" in said


def test_a_clock_that_disagrees_with_the_exchange_is_found(examine, users, monkeypatch):
    venue = Venue(ahead_ms=5_000)
    monkeypatch.setattr(BYBIT, "hosts", {"demo": venue.url})
    users.save_credentials(1, "AKXQ7PLM2RBV9TND", "s3cr3t-of-the-exchange")
    users.save_settings(1, DEMO)

    code, said = examine()
    venue.close()

    assert code == 1
    assert "The clock is -5.0 s off that of bybit demo" in said
    assert "with the key ***9TND" in said


def test_a_clock_that_was_never_set_is_found(examine, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: (OLDEST_BELIEVABLE_MS - 1) * 1_000_000)

    assert examine()[0] == 1


def test_a_taken_port_is_found(examine, free_port):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_port))
        holder.listen()

        code, said = examine()

    assert code == 1
    assert f"✗ 127.0.0.1:{free_port} cannot be used" in said
    assert "another WEB_PORT" in said


def test_a_paper_exchange_of_its_own_must_answer(examine, monkeypatch):
    monkeypatch.setenv("BLITZ_PAPER_URL", "http://127.0.0.1:9")
    assert "✗ The paper exchange does not answer" in examine()[1]

    venue = Venue(ahead_ms=-(10**12))
    monkeypatch.setenv("BLITZ_PAPER_URL", venue.url)
    code, said = examine()
    venue.close()

    assert code == 0, "its clock is its own affair"
    assert f"✓ The paper exchange answers at {venue.url}" in said


def test_a_candle_file_that_is_missing_is_found(examine, monkeypatch):
    monkeypatch.setenv("BLITZ_PAPER_FEED", "candles:nowhere.csv")

    code, said = examine()

    assert code == 1
    assert "nowhere.csv cannot be read" in said


def test_a_damaged_database_is_found_and_left_alone(examine, home):
    path = home / "instance" / "users.db"
    path.parent.mkdir(mode=0o700)
    path.write_text("not a database")

    code, said = examine()

    assert code == 1
    assert str(path) in said
    assert path.read_text() == "not a database"


def test_a_database_server_that_is_away_is_found(examine, monkeypatch):
    monkeypatch.setenv("BLITZ_DATABASE_URL", "postgresql://blitz:hunter22@127.0.0.1:9/blitz")

    code, said = examine()

    assert code == 1
    assert "BLITZ_DATABASE_URL" in said
    assert "hunter22" not in said


def test_an_installation_without_admin_says_how_to_get_one(examine, home):
    settings = load_settings()
    database = Database.open(settings.database)
    database.migrate()
    database.close()
    load_or_create_key(settings.key_path, None)

    code, said = examine()

    assert code == 1
    assert "user add EMAIL --admin" in said


class Venue:
    """Answers the time, as an exchange does: as Bybit unless `told` words it otherwise."""

    def __init__(self, ahead_ms: int = 0, told=lambda now_ms: {"retCode": 0, "result": {}, "time": now_ms}) -> None:
        asked: list[str] = []
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = json.dumps(told(time.time_ns() // 1_000_000 + ahead_ms)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Stay quiet."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
