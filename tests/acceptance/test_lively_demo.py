"""`run.py demo --serve`: a server to show around, with a past that was traded, left running until Ctrl+C."""

import re
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.conftest import Program, command, running, until

TRADER, ADMIN = "trader@example.com", "admin@example.com"


class Lively:
    """A running one, as somebody reads it from the terminal."""

    def __init__(self, program: Program) -> None:
        self.program = program
        program.line(r"Press Ctrl\+C")
        self.url = program.line(r"Blitz is at (http://\S+)")[1]
        self.paper_url = program.line(r"Paper exchange: (http://\S+)")[1]

    def password(self, email: str) -> str:
        return self.program.line(rf"{email} +password +(\S+)")[1]

    def visitor(self, email: str, password: str) -> requests.Session:
        session = requests.Session()
        form = {"email": email, "password": password}
        answer = session.post(f"{self.url}/login", data=form, timeout=10, allow_redirects=False)
        assert answer.status_code == 200, answer.text
        return session

    def told(self, session: requests.Session, path: str) -> dict[str, Any]:
        answer = session.get(f"{self.url}{path}", timeout=10)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def exchange_books(self, user_id: int) -> dict[str, Any]:
        told = requests.get(f"{self.paper_url}/__paper/state?brief=1", timeout=10).json()
        account: dict[str, Any] = next(one for one in told["accounts"] if one["key"].startswith(f"paper-{user_id}-"))
        return account


def lively(home: Path, *words: str) -> Any:
    return running("demo", "--serve", "--home", str(home), "--port", "0", *words, env={})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lively") / "home"


@pytest.fixture(scope="module")
def shown(home: Path) -> Iterator[Lively]:
    """The first start; a slow market, so that books can be compared while it runs."""
    with lively(home, "--days", "1", "--speed", "2") as program:
        yield Lively(program)


@pytest.mark.slow
class TestFirstStart:
    def test_the_trader_signs_in_and_finds_a_bot_that_runs_in_the_middle_of_a_history(self, shown: Lively) -> None:
        trader = shown.visitor(TRADER, shown.password(TRADER))

        status = until(lambda: (told := shown.told(trader, "/api/bot/status"))["running"] and told, "a running bot")
        cycles = shown.told(trader, "/api/bot/cycles?limit=500")["rows"]

        closed = [row for row in cycles if row["ended_at"]]
        assert status["symbol"] == "BTC/USDT:USDT"
        assert len(closed) >= 10
        assert str(len(closed) - status["profit"]["cycles"]) == "0"
        assert closed[-1]["ended_at"] < closed[0]["started_at"], "spread over the day that was traded"

    def test_the_books_agree_with_the_exchange_to_the_last_digit(self, shown: Lively) -> None:
        trader = shown.visitor(TRADER, shown.password(TRADER))

        def books() -> tuple[Decimal, ...]:
            profit = shown.told(trader, "/api/bot/status")["profit"]
            return tuple(Decimal(profit[name]) for name in ("realised", "fees", "funding"))

        def exchange() -> tuple[Decimal, ...]:
            account = shown.exchange_books(1)
            return tuple(Decimal(account[name]) for name in ("realised", "fees", "funding"))

        until(lambda: books() == exchange(), "books that are equal while the market goes on")

    def test_the_administrator_sees_everybody(self, shown: Lively) -> None:
        admin = shown.visitor(ADMIN, shown.password(ADMIN))

        users = shown.told(admin, "/admin/simple/status")["users"]
        states = [one["status"] for one in users.values()]

        page = admin.get(f"{shown.url}/admin/console", timeout=10).text
        assert len(set(re.findall(r"\w+@example\.com", page))) == 13
        assert states.count("running") >= 8
        assert "needs_attention" in states

    def test_both_exchanges_have_orders_that_no_bot_sent(self, shown: Lively) -> None:
        told = requests.get(f"{shown.paper_url}/__paper/state?open=1", timeout=10).json()
        by_hand = [
            account["key"].endswith("-bingx")
            for account in told["accounts"]
            for order in account["open_orders"]
            if str(order["orderLinkId"]).startswith("by-hand-")
        ]

        assert sorted(set(by_hand)) == [False, True]


@pytest.mark.slow
def test_it_ends_cleanly_and_goes_on_from_there(shown: Lively, home: Path) -> None:
    password = shown.password(TRADER)
    trader = shown.visitor(TRADER, password)
    before = shown.told(trader, "/api/bot/status")["profit"]["cycles"]
    shown.program.process.send_signal(signal.SIGINT)
    assert shown.program.process.wait(30) == 0

    with lively(home) as program:
        again = Lively(program)
        trader = again.visitor(TRADER, password)

        assert int(program.line(r"Bots resumed: (\d+)")[1]) >= 9
        assert again.told(trader, "/api/bot/status")["profit"]["cycles"] >= before
        assert not any(re.search("password +[a-z0-9]{4}-", line) for line in program.lines)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()

    done = command("demo", "--serve", "--home", str(tmp_path), env={})

    assert done.returncode == 1
    assert "is not empty and holds no demo" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["instance"]


def test_a_demo_that_was_interrupted_while_it_was_set_up_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"is_set_up": false}')

    done = command("demo", "--serve", "--home", str(tmp_path), env={})

    assert done.returncode == 1
    assert "was ended while it was set up" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--serve", "--json"], "--json cannot be used with --serve"),
        (["--home", "somewhere"], "--home needs --serve"),
        (["--port", "0"], "--port needs --serve"),
        (["--serve", "--speed", "max"], "--speed max has no meaning with --serve"),
        (["--serve", "--speed", "-1"], "above 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], said: str) -> None:
    done = command("demo", *words, env={})

    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_owes_nothing_to_the_settings_of_somebodys_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blitz.demo.stage import own_settings

    monkeypatch.setenv("BLITZ_DATABASE_URL", "postgresql://somebody:secret@db/real")
    monkeypatch.setenv("BLITZ_PAPER_URL", "http://127.0.0.1:8100")
    monkeypatch.setenv("WEB_HOST", "0.0.0.0")

    settings = own_settings(tmp_path, WEB_PORT=0)

    assert settings.database == tmp_path / "instance" / "users.db"
    assert (settings.paper_url, settings.web_host) == (None, "127.0.0.1")
