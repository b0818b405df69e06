"""A cycle that is open on another account than the settings name is finished first, or given up by its trader."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from blitz.bots.paper_accounts import keys_on
from blitz.bots.venues import Venues
from blitz.clock import SystemClock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName, parse_settings
from blitz.core.records import CycleEnd
from blitz.paper.server import PaperConfig, PaperServer
from blitz.storage.secrets import SecretBox
from blitz.storage.users import UserStore
from tests.bots.plain import place_of, plain_client
from tests.bots.stage import PASSWORD, SYMBOL, Stage, until

LADDER = {"tp", "leg_1", "leg_2", "leg_3"}
TARGETS = {"long": "60300", "short": "59700"}
KEY, SECRET = "own-key-0123456789", "own-secret-0123456789"


@dataclass(frozen=True)
class Place:
    """An account to trade on, as the settings name it and as people read it."""

    exchange: str
    mode: str
    label: str

    @property
    def settings(self) -> dict[str, str]:
        return {"exchange": self.exchange, "mode": self.mode}

    @property
    def account(self) -> str:
        return f"{self.exchange}:{self.mode}"

    @property
    def words(self) -> str:
        return f"{self.label} ({self.mode})"


BYBIT, BINGX = Place("bybit", "paper", "Bybit"), Place("bingx", "paper", "BingX")
DEMO = Place("bybit", "demo", "Bybit")


class Nomad:
    """A trader who changes accounts. Paper and demo are two paper exchanges that know nothing of each other."""

    def __init__(self, stage: Stage, demo: PaperServer, *, own_key: bool) -> None:
        self.stage = stage
        self.urls = {"paper": stage.url, "demo": demo.url}
        self.id = stage.users.create("nomad@example.com", PASSWORD).id
        self.own_key = own_key
        if own_key:
            stage.users.save_credentials(self.id, KEY, SECRET)
        self.price("60000")
        for place in (BYBIT, DEMO) if own_key else (BYBIT, BINGX):
            keys = self.keys(place)
            body = {"key": keys.api_key, "secret": keys.api_secret, "balance": "10000", "exchange": place.exchange}
            self.control(place.mode, "accounts", **body)

    def keys(self, place: Place) -> Credentials:
        if self.own_key:
            return Credentials(api_key=KEY, api_secret=SECRET)
        return keys_on(ExchangeName(place.exchange), self.stage.users.paper_credentials(self.id))

    def control(self, mode: str, what: str, **body: str) -> None:
        requests.post(f"{self.urls[mode]}/__paper/{what}", json=body, timeout=10).raise_for_status()

    def price(self, price: str) -> None:
        for mode in self.urls:
            self.control(mode, "price", symbol="BTCUSDT", price=price)

    def choose(self, place: Place, **more: Any) -> None:
        user = self.stage.users.by_id(self.id)
        assert user is not None
        self.stage.users.save_settings(self.id, parse_settings({**place.settings, **more}, base=user.settings))

    # What the exchanges say

    def books(self, place: Place) -> dict[str, Any]:
        params = {"key": self.keys(place).api_key}
        answer = requests.get(f"{self.urls[place.mode]}/__paper/state", params=params, timeout=10)
        return dict(answer.json()["accounts"][0])

    def touched(self, place: Place) -> Any:
        """Everything there that an order, a cancel or a fill would change."""
        books = self.books(place)
        names = ("open_orders", "order_history", "executions")
        return [[row["orderId"] for row in books[name]] for name in names], self.size(place)

    def size(self, place: Place) -> str:
        return ",".join(str(row["size"]) for row in self.books(place)["positions"] if float(row["size"]))

    def resting(self, place: Place) -> dict[str, str]:
        """Ids of resting orders by their name without user and generation; a foreign one by its own."""
        named: dict[str, str] = {}
        for row in self.books(place)["open_orders"]:
            ours = re.match(rf"sm_(leg_\d+|tp|sl)_{self.id}_[a-z]", row["orderLinkId"], re.IGNORECASE)
            named[ours[1] if ours else row["orderId"]] = row["orderId"]
        return named

    def place_foreign(self, place: Place) -> str:
        """Rest an order that is nobody's but the trader's own."""
        keys = self.keys(place)
        client = plain_client(place.exchange, self.urls[place.mode], keys.api_key, keys.api_secret)
        try:
            where = place_of(client, "buy")
            return str(client.create_order(SYMBOL, "limit", "buy", "0.01", "40000", where)["id"])
        finally:
            client.session.close()

    def wait_for_ladder(self, place: Place) -> dict[str, str]:
        until(lambda: set(self.resting(place)) >= LADDER, f"a ladder on {place.words}; {self.status()['message']}")
        until(lambda: self.status()["looked_at"] and self.status()["orders"], "a look at it")
        return self.resting(place)

    # What the server says

    @property
    def manager(self) -> Any:
        return self.stage.manager

    def status(self) -> dict[str, Any]:
        return dict(self.manager.get_bot_status(self.id))

    def start(self) -> dict[str, Any]:
        return dict(self.manager.start_bot_for_user(self.id))

    def give_up(self, cycle: int | None = None) -> dict[str, Any]:
        return dict(self.manager.give_up_cycle(self.id, cycle))

    def leave_open(self, place: Place, **settings: Any) -> dict[str, str]:
        """Begin a cycle there and stop in the middle of it, everything left resting; answers the orders."""
        self.choose(place, **settings)
        assert self.start()["status"] == "started"
        orders = self.wait_for_ladder(place)
        assert self.manager.stop_bot_for_user(self.id, legs="keep")["status"] == "stopped"
        return orders

    def traded(self) -> tuple[str, str]:
        status = self.status()
        return status["exchange"], status["mode"]

    def feed(self) -> list[Any]:
        return [row.event for row in self.stage.history.latest_events(self.id)]

    def restart(self) -> None:
        """Another server over the same database."""
        self.manager.shut_down()
        self.stage.manager = self.stage.new_manager(venues=self.venues())
        self.stage.manager.resume_all()

    def venues(self, users: UserStore | None = None) -> Venues:
        found = users or self.stage.users
        return Venues(paper_url=self.stage.url, users=found, rehearsal_url=self.urls["demo"])


@pytest.fixture
def demo_exchange() -> Iterator[PaperServer]:
    """A second exchange, which answers in demo."""
    server = PaperServer(PaperConfig(feed="manual", enforce_limits=False), SystemClock())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settle(stage, demo_exchange):
    def settled(*places: Place) -> Nomad:
        nomad = Nomad(stage, demo_exchange, own_key=DEMO in places)
        nomad.restart()
        return nomad

    return settled


MOVES = pytest.mark.parametrize(
    ("old", "new", "side"),
    [
        (BYBIT, BINGX, "long"),
        (BYBIT, BINGX, "short"),
        (BINGX, BYBIT, "long"),
        (BINGX, BYBIT, "short"),
        (BYBIT, DEMO, "long"),
        (DEMO, BYBIT, "short"),
    ],
)


@MOVES
def test_start_finishes_the_cycle_that_is_open_elsewhere_before_the_settings_count(settle, stage, old, new, side):
    nomad = settle(old, new)
    orders = nomad.leave_open(old, side=side)
    foreign = nomad.place_foreign(new)
    untouched = nomad.touched(new)
    nomad.choose(new)

    assert nomad.start()["status"] == "started"

    until(lambda: nomad.status()["looked_at"], "a first look")
    told = nomad.status()
    assert nomad.traded() == (old.exchange, old.mode)
    assert (told["cycle"]["number"], told["status"]) == (1, "running")
    assert told["unfinished"]["message"] == (
        f"Cycle 1 is still open on {old.words} and is finished first; your settings ({new.label}, {new.mode}) take "
        "effect with the next cycle."
    )
    assert told["unfinished"]["can_give_up"] is False
    assert nomad.resting(old) == orders  # the very same orders: nothing was sent again

    nomad.restart()
    until(lambda: nomad.status()["looked_at"], "a look after the restart")
    assert nomad.traded() == (old.exchange, old.mode)
    assert nomad.resting(old) == orders
    assert nomad.touched(new) == untouched

    nomad.price(TARGETS[side])

    until(lambda: nomad.traded() == (new.exchange, new.mode), "the settings to count")
    rests = nomad.wait_for_ladder(new)
    assert foreign in rests.values()
    assert (nomad.size(old), nomad.resting(old)) == ("", {})
    told = nomad.status()
    assert (told["unfinished"], told["cycle"]["number"]) == (None, 2)
    assert [cycle.end for cycle in stage.history.cycles(nomad.id, account=old.account)] == [CycleEnd.TAKE_PROFIT]
    said = next(event for event in nomad.feed() if event.kind == "account_changed")
    assert (said.cycle, said.data) == (1, {"before": old.words, "now": new.words})


def test_after_a_restart_a_resting_bot_still_shows_where_its_cycle_is_open(settle):
    nomad = settle(BYBIT, BINGX)
    nomad.leave_open(BYBIT)
    nomad.choose(BINGX)

    nomad.restart()

    told = nomad.status()
    assert nomad.traded() == ("bybit", "paper")
    assert (told["cycle"]["number"], told["cycle"]["legs_filled"], told["running"]) == (1, 1, False)
    assert told["unfinished"]["can_give_up"] is True
    assert "finished first" in told["unfinished"]["message"]
    assert "a long position of 0.016 on BTC/USDT:USDT, and 4 orders" in told["unfinished"]["warning"]
    nomad.choose(BYBIT)
    assert nomad.status()["unfinished"] is None


def test_a_bot_that_waits_for_the_exchange_of_the_open_cycle_shows_that_cycle(settle, stage):
    nomad = settle(BYBIT, BINGX)
    nomad.leave_open(BYBIT)
    nomad.choose(BINGX)
    nomad.restart()
    stage.exchange_down()

    assert nomad.start()["status"] == "started"

    told = nomad.status()
    assert "Waiting for the exchange" in told["message"]
    assert (*nomad.traded(), told["cycle"]["number"]) == ("bybit", "paper", 1)
    assert "Cycle 1 is still open on Bybit (paper)" in told["unfinished"]["message"]


def test_the_books_and_the_feed_that_are_shown_are_those_of_the_open_cycle(settle, stage):
    nomad = settle(BYBIT, BINGX)
    nomad.leave_open(BYBIT)
    lines = nomad.feed()
    nomad.choose(BINGX)

    assert nomad.feed() == lines
    assert nomad.status()["profit"]["fees"] != "0"
    assert [cycle.number for cycle in stage.history.cycles(nomad.id)] == [1]


def lose(nomad, how):
    """Take the key away in one of the ways it can be lost; answers what the sentence says of it."""
    stage = nomad.stage
    if how == "missing":
        stage.users.save_credentials(nomad.id, "", "")
        return "No API key is stored"
    if how == "unreadable":
        users = UserStore(stage.db, SecretBox(bytes(32)), stage.clock)
        nomad.manager.shut_down()
        stage.manager = stage.new_manager(users=users, venues=nomad.venues(users))
        return "cannot be"
    nomad.control("demo", "faults", fault="ret_code", code="10003", message="API key is invalid.", account=KEY)
    return "refuses the API key (10003: API key is invalid.)"


@pytest.mark.parametrize("how", ["missing", "unreadable", "refused"])
def test_a_start_without_the_key_of_the_open_cycle_names_what_is_left_and_both_ways_on(settle, how):
    nomad = settle(DEMO)
    nomad.leave_open(DEMO)
    untouched = nomad.touched(DEMO)
    why = lose(nomad, how)

    answer = nomad.start()

    assert (answer["success"], answer["status"]) == (False, "missing_credentials")
    for words in (
        "Cycle 1 is still open on Bybit (demo)",
        why,
        "a long position of 0.016 on BTC/USDT:USDT, and 4 orders of this bot",
        "store a key for Bybit under Account",
        "give cycle 1 up",
    ):
        assert words in answer["message"]
    told = nomad.status()
    assert (told["running"], told["unfinished"]["key_lost"], told["unfinished"]["can_give_up"]) == (False, True, True)
    assert told["unfinished"]["message"].startswith("Cycle 1 is still open on Bybit (demo)")
    assert nomad.traded() == ("bybit", "demo")
    if how != "refused":
        assert "give cycle 1 up" in nomad.manager.recover_orders_for_user(nomad.id)["message"]
    assert nomad.touched(DEMO) == untouched

    if how == "missing":
        nomad.stage.users.save_credentials(nomad.id, KEY, SECRET)
        assert nomad.start()["status"] == "started"
        until(lambda: nomad.status()["looked_at"], "a look with the key that came back")
        assert nomad.touched(DEMO) == untouched


def test_a_resume_without_the_key_says_the_same(settle):
    nomad = settle(DEMO)
    nomad.choose(DEMO)
    nomad.start()
    nomad.wait_for_ladder(DEMO)
    nomad.manager.shut_down()
    lose(nomad, "missing")

    nomad.restart()

    until(lambda: nomad.status()["status"] == "stopped", "the end of the bot")
    assert "give cycle 1 up" in nomad.status()["message"]
    assert nomad.status()["unfinished"]["key_lost"] is True


def test_what_is_unfinished_is_said_from_the_bots_last_word_on_though_it_is_still_listed(settle):
    nomad = settle(DEMO)
    nomad.choose(DEMO)
    nomad.start()
    nomad.wait_for_ladder(DEMO)
    listed = nomad.manager.managed_bots[nomad.id]
    nomad.manager.stop_bot_for_user(nomad.id)
    until(lambda: nomad.id not in nomad.manager.managed_bots, "the bot to be unlisted")
    lose(nomad, "missing")
    at_rest = nomad.status()["unfinished"]
    assert at_rest["key_lost"] is True

    nomad.manager.managed_bots[nomad.id] = listed

    assert nomad.status()["unfinished"] == at_rest
    del nomad.manager.managed_bots[nomad.id]


def test_a_bot_whose_key_is_refused_can_be_stopped(settle):
    nomad = settle(DEMO)
    nomad.choose(DEMO)
    nomad.start()
    nomad.wait_for_ladder(DEMO)
    untouched = nomad.touched(DEMO)
    lose(nomad, "refused")

    nomad.manager.stop_bot_for_user(nomad.id)

    until(lambda: nomad.status()["status"] == "stopped", "the end of the bot", 15)
    assert "nothing was taken back" in nomad.status()["message"]
    assert "give cycle 1 up" in nomad.status()["message"]
    assert nomad.give_up()["status"] == "given_up"
    assert nomad.touched(DEMO) == untouched


@MOVES
def test_a_cycle_given_up_is_booked_and_nothing_at_the_exchange_is_touched(settle, stage, old, new, side):
    nomad = settle(old, new)
    nomad.leave_open(old, side=side)
    untouched = nomad.touched(old)
    fees = nomad.status()["cycle"]["fees"]
    nomad.choose(new)

    answer = nomad.give_up(1)

    assert (answer["success"], answer["status"]) == (True, "given_up")
    warned = f"Nothing is cancelled or closed at {old.label}. Close the position and cancel the orders there yourself."
    assert answer["message"] == f"Cycle 1 on {old.words} was given up. {warned}"
    (cycle,) = stage.history.cycles(nomad.id, account=old.account)
    assert (cycle.end, cycle.legs_filled, f"{cycle.fees.normalize():f}") == (CycleEnd.GIVEN_UP, 1, fees)
    said = [event for event in nomad.feed() if event.kind == "cycle_given_up"]
    assert [event.data["message"] for event in said] == [answer["message"]]
    assert stage.store.desired(nomad.id) == "stopped"
    nomad.restart()
    told = nomad.status()
    assert (told["cycle"], told["unfinished"], told["message"]) == (None, None, answer["message"])
    assert nomad.traded() == (new.exchange, new.mode)

    assert nomad.start()["status"] == "started"
    nomad.wait_for_ladder(new)
    assert nomad.status()["cycle"]["number"] == 2
    assert nomad.touched(old) == untouched


def test_giving_up_is_refused_in_a_sentence_wherever_it_cannot_be(settle):
    nomad = settle(BYBIT)
    assert nomad.give_up()["status"] == "no_open_cycle"
    nomad.choose(BYBIT)
    nomad.start()
    nomad.wait_for_ladder(BYBIT)
    running = nomad.give_up()
    assert (running["success"], running["status"]) == (False, "bot_running")
    assert nomad.status()["cycle"]["number"] == 1
    nomad.manager.stop_bot_for_user(nomad.id)

    assert nomad.give_up(2) == {
        "success": False, "status": "no_open_cycle", "message": "Cycle 2 is not open; nothing was given up.",
    }  # fmt: skip
    assert nomad.give_up(1)["status"] == "given_up"
    assert nomad.give_up(1)["status"] == "no_open_cycle"
    assert nomad.manager.get_bot_status(nomad.id + 1) is not None
    assert nomad.manager.give_up_cycle(nomad.id + 1)["status"] == "no_open_cycle"
    nomad.manager.shut_down()
    assert nomad.give_up()["status"] == "shutting_down"


def test_a_bot_that_failed_is_not_wished_for_after_its_cycle_was_given_up(settle, stage):
    nomad = settle(BYBIT)
    nomad.leave_open(BYBIT)
    stage.store.set_desired(nomad.id, "running")  # as a fault of the bot leaves it
    assert nomad.give_up(9)["status"] == "no_open_cycle"
    assert stage.store.desired(nomad.id) == "running"

    nomad.give_up()

    assert stage.store.desired(nomad.id) == "stopped"
    nomad.restart()
    assert nomad.manager.managed_bots == {}


def test_what_was_given_up_is_nobodys_but_the_traders_when_the_bot_starts_there_again(settle):
    nomad = settle(BYBIT)
    nomad.leave_open(BYBIT)
    untouched = nomad.touched(BYBIT)
    nomad.give_up()

    nomad.start()

    until(lambda: "did not open" in nomad.status()["message"], "the bot to refuse the position")
    assert nomad.status()["status"] == "stopped"
    assert nomad.touched(BYBIT) == untouched


def test_an_alarm_ends_with_the_cycle_that_is_given_up(settle):
    nomad = settle(BYBIT)
    nomad.leave_open(BYBIT)  # legs rest while nobody follows: that is an incident
    until(lambda: nomad.status()["protected"]["incident"], "the incident", 12)

    nomad.give_up()

    guard = nomad.status()["protected"]
    assert (guard["incident"], guard["cause"], guard["yes"]) == (None, "not_ours", False)
    assert "Cycle 1 on Bybit (paper) was given up" in guard["why"]
