import random
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from blitz.clock import SystemClock
from blitz.paper.engine import OrderRequest, OrderType, Side, Venue, VenueRefusal, default_instruments
from blitz.paper.server import PaperStartError
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.paper_clock import PaperClock
from blitz.paper.wire.state_file import StateFile

SYMBOL = "BTC/USDT:USDT"
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from blitz.paper.server import AccountSpec, PaperConfig, run_paper
account = AccountSpec(key="alice", secret="alice-secret", balance=Decimal(10000))
sys.exit(run_paper(PaperConfig(feed="manual", accounts=(account,), state_path=Path(sys.argv[1]), enforce_limits=False)))
"""


class Program:
    """The paper exchange alone, in a process that can be killed."""

    def __init__(self, state_path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(state_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self.line = self.output.readline()
        self.url = self.line.split()[3]

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.output.close()
        return code


@pytest.fixture
def program(tmp_path):
    started = []

    def run():
        started.append(Program(tmp_path / "paper.db"))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def books(paper):
    account = paper.account()
    return {name: account[name] for name in account if name != "available"}


def test_everything_answered_survives_a_kill(program, at):
    first = program()
    paper = at(first.url)
    client = paper.client()
    client.set_leverage(20, SYMBOL)
    kept = client.create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"positionIdx": 0, "clientOrderId": "kept"})
    client.create_order(SYMBOL, "market", "buy", "0.02", None, {"positionIdx": 0})
    paper.price("59500")
    client.create_order(SYMBOL, "market", "sell", "0.01", None, {"positionIdx": 0, "reduceOnly": True})
    before = books(paper)
    first.end(signal.SIGKILL)

    again = at(program().url)
    assert books(again) == before
    assert again.client().fetch_open_orders(SYMBOL)[0]["id"] == kept["id"]
    with pytest.raises(Exception, match="110072"):
        again.client().create_order(SYMBOL, "limit", "buy", "0.01", "59000", {"clientOrderId": "kept"})
    again.price("59000")
    assert again.account()["executions"][-1]["orderLinkId"] == "kept"


@pytest.mark.parametrize("seed", range(4))
def test_any_history_reads_back_as_it_was(tmp_path, seed):
    generator = random.Random(seed)
    venue, store = Venue(default_instruments()), StateFile(tmp_path / "paper.db")
    accounts = [venue.open_account(name, "s", Decimal(5_000)) for name in ("a", "b", "c")]
    for now_ms in range(1, 400):
        with suppress(VenueRefusal):
            do_something(venue, generator, generator.choice(accounts), now_ms * 60_000)
        venue.drain_events()
        store.save(venue, venue.drain_changed_accounts(), now_ms, 0)
    store.close()
    again = StateFile(tmp_path / "paper.db")
    loaded = again.load()
    again.close()
    assert loaded is not None
    restored = Venue.restore(loaded[0], default_instruments())
    assert restored.snapshot(with_bars=False) == venue.snapshot(with_bars=False)


class FullDisk:
    """A store that fails once and then remembers what it was asked to save."""

    def __init__(self):
        self.saved, self.full = [], True

    def save(self, venue, changed, now_ms, cursor, *, with_bars=False):
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        self.saved.append(list(changed))


def test_accounts_that_could_not_be_saved_are_saved_with_the_next():
    disk = FullDisk()
    host = VenueHost(Venue(default_instruments()), PaperClock(SystemClock()), enforce_limits=False, store=disk)
    host.venue.open_account("a", "s", Decimal(1))
    with pytest.raises(sqlite3.OperationalError):
        host.settle()
    disk.full = False
    host.venue.open_account("b", "s", Decimal(1))
    host.settle()
    assert disk.saved == [["a", "b"]]


def do_something(venue, generator, account, now_ms):
    venue.settle_funding(now_ms)
    price = venue.last_price("BTCUSDT")
    match generator.randrange(4):
        case 0:
            step = Decimal(generator.randint(-9_000, 9_000)) / 10
            venue.move_price("BTCUSDT", price + step, now_ms, sweep=generator.random() < 0.5)
        case 1:
            venue.cancel_all(account, "BTCUSDT", None, None, now_ms)
        case _:
            request = OrderRequest(
                symbol="BTCUSDT",
                side=generator.choice([Side.BUY, Side.SELL]),
                order_type=generator.choice([OrderType.LIMIT, OrderType.MARKET]),
                quantity=Decimal(generator.randint(1, 60)) / 1000,
                price=price + generator.randint(-500, 500),
                link_id=f"id-{now_ms}" if generator.random() < 0.7 else "",
                stop_loss=price - 2_000 if generator.random() < 0.2 else None,
            )
            venue.place_order(account, request, now_ms)


def test_it_announces_itself_and_stops_on_a_signal(program):
    running = program()
    assert "alice" in running.line
    assert "alice-secret" not in running.line
    assert running.end(signal.SIGTERM) == 0


def test_a_restart_continues_a_replay_where_it_stood(start, tmp_path):
    config = {"feed": "synthetic:3", "speed": "max", "state_path": tmp_path / "paper.db"}
    paper = start(**config)
    price = Decimal(paper.client().fetch_ticker(SYMBOL)["last"]).quantize(Decimal("0.1"))
    paper.client().create_order(SYMBOL, "limit", "buy", "0.001", str(price), {"positionIdx": 0})
    stop = paper.post("advance", until="end", max_bars=7)
    paper.server.stop()
    again = start(**config)
    assert again.client().fetch_time() == stop["at"]
    assert again.post("advance", until="end", max_bars=1)["at"] == stop["at"] + 60_000
    bars = again.client().fetch_ohlcv(SYMBOL, "1m")
    assert len(bars) >= 8


def test_the_file_holds_secrets_and_is_for_its_owner_alone(start, tmp_path):
    start(state_path=tmp_path / "paper.db")
    assert stat.S_IMODE((tmp_path / "paper.db").stat().st_mode) == 0o600


def test_a_second_exchange_on_the_same_file_is_refused(start, tmp_path):
    start(state_path=tmp_path / "paper.db")
    with pytest.raises(PaperStartError, match="in use by another"):
        start(state_path=tmp_path / "paper.db")


def test_a_file_that_is_no_state_file_is_refused_with_a_sentence(start, tmp_path):
    (tmp_path / "paper.db").write_text("not a database, but long enough to look like one at first sight" * 20)
    with pytest.raises(PaperStartError, match="cannot be used"):
        start(state_path=tmp_path / "paper.db")


def test_a_damaged_state_is_refused_and_left_alone(start, tmp_path):
    path = tmp_path / "paper.db"
    start(state_path=path).server.stop()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE facts SET value = '{' WHERE name = 'venue'")
    database.close()
    with pytest.raises(PaperStartError, match="damaged"):
        start(state_path=path)
