"""The driver between a pass and the world: once the server leaves, nothing is sent and the pass is dropped (S11)."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blitz.bots.driver import WRITES, Driver, PassAbandoned
from blitz.clock import ManualClock
from blitz.core.bot import run_pass
from blitz.core.calls import AmendOrder, Call, ReadPosition, Reply
from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.memory import VenueTraits, recall
from blitz.core.work import Mode
from blitz.exchange.gateway import VenueCall
from blitz.simulation.ladders import BTC
from blitz.simulation.template import make_template
from blitz.storage.database import Database
from blitz.storage.journal import BotJournal
from tests.core.scripted_venue import ScriptedVenue

USER = 7


@dataclass
class Account:
    """One account at the scripted venue. The server begins to leave while a call of the named kind is under way."""

    venue: ScriptedVenue
    leaving: threading.Event
    leaves_at: type[Call] | None = None
    traits: VenueTraits = field(default_factory=VenueTraits)
    woken: bool = False
    bare: bool = False
    in_line: bool = False

    def hurry(self) -> None:
        """Nothing waits in line here."""

    def ask_time_in_doubt(self) -> None:
        """The time is known here."""

    def execute(self, call: VenueCall) -> Reply:
        if self.leaves_at is not None and isinstance(call, self.leaves_at):
            self.leaving.set()
        return self.venue.execute(call)


class Bot:
    """What a bot's thread holds, with the real driver and the real journal."""

    def __init__(self, database: Database) -> None:
        self.venue = ScriptedVenue()
        self.leaving = threading.Event()
        self.account = Account(self.venue, self.leaving)
        journal = BotJournal(database, USER, "bybit:paper")
        self.driver = Driver(self.account, journal, ManualClock(self.venue.now_ms), self.leaving)
        self.memory = recall(
            user_id=USER, settings=DEFAULT_SETTINGS, instrument=BTC, traits=VenueTraits(), remembered=journal.load()
        )
        self.passes(1)  # the first of the two looks that an empty journal asks for

    def passes(self, count: int) -> None:
        for _ in range(count):
            self.driver.run(run_pass(self.memory, Mode.TRADE))

    def writes(self) -> list[Call]:
        return [call for call in self.venue.calls if isinstance(call, WRITES)]


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    database = Database.open(make_template(tmp_path / "users.db", [USER]))
    yield Bot(database)
    database.close()


def test_a_pass_whose_look_ends_after_the_server_began_to_leave_sends_nothing(bot):
    bot.account.leaves_at = ReadPosition
    with pytest.raises(PassAbandoned):
        bot.passes(1)
    assert bot.writes() == []
    assert isinstance(bot.venue.calls[-1], ReadPosition)


def test_a_ladder_that_is_being_laid_stops_before_its_next_order(bot):
    bot.passes(1)
    bot.account.leaves_at = type(bot.writes()[-1])
    before = len(bot.writes())
    with pytest.raises(PassAbandoned):
        bot.passes(1)
    assert len(bot.writes()) == before + 1  # the one whose answer came too late


def test_a_pass_without_anything_to_send_comes_to_its_end_though_the_server_leaves(bot):
    bot.passes(4)
    before = len(bot.writes())
    bot.leaving.set()
    bot.passes(1)
    bot.venue.move("59400")
    with pytest.raises(PassAbandoned):
        bot.passes(1)
    assert len(bot.writes()) == before
    bot.leaving.clear()
    bot.passes(1)
    assert isinstance(bot.writes()[-1], AmendOrder)
