"""A whole small world for tests of bots: paper exchange, database, traders, managers. Everything real, over real HTTP.

Used by the pytest fixtures here and by `tests.test_simple_manager_lite`, which must run without pytest.
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import requests
from argon2 import PasswordHasher

from blitz.bots import manager as manager_module
from blitz.bots import user_bot
from blitz.bots.manager import SimpleBotManager
from blitz.bots.opening import BotParts
from blitz.bots.user_bot import UserBot
from blitz.bots.venues import Venues
from blitz.clock import Clock, SystemClock
from blitz.core.bot import PassResult
from blitz.core.ladder_settings import parse_settings
from blitz.exchange.clients import Clients
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams.hub import StreamHub
from blitz.paper.server import PaperConfig, PaperServer
from blitz.storage.bots import BotStore
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox
from blitz.storage.users import UserStore
from tests.bots.plain import PAGED, place_of, plain_client

SYMBOL = "BTC/USDT:USDT"
PASSWORD = "correct horse battery staple"
EIGHT_HOURS_MS = 8 * 3_600_000
"""Funding is charged at 0, 8 and 16 o'clock."""
T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """Wait until `look` answers something true, and answer it. Fails with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}; last seen: {seen!r}")
        time.sleep(0.02)


class HurriedClock:
    """The machine's clock, several times as fast: windows of seconds pass in a fraction of them."""

    def __init__(self, times: int) -> None:
        self.times = times
        self._began_ns = time.time_ns()

    def now_ms(self) -> int:
        passed_ns = time.time_ns() - self._began_ns
        return (self._began_ns + passed_ns * self.times) // 1_000_000

    def monotonic_ms(self) -> int:
        return self.now_ms()


@dataclass(frozen=True)
class Order:
    """A resting order as somebody else's client sees it."""

    tag: str
    """The client order id, or the exchange's own where there is none."""
    side: str
    quantity: str
    price: str
    is_untagged_stop: bool = False
    closes: bool = False
    """It can only shrink the position."""


class Trader:
    """One user, and an independent, plain ccxt client with the same key."""

    def __init__(self, stage: "Stage", user_id: int, key: str) -> None:
        self.id = user_id
        self.key = key
        self.secret = f"{key}-secret"
        self._stage = stage
        self._client: Any = None

    @property
    def client(self) -> Any:
        if self._client is None:
            self._client = plain_client(self._stage.exchange, self._stage.url, self.key, self.secret)
            self._client.nonce = self._stage.venue_ms
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.session.close()

    def choose(self, **settings: Any) -> None:
        user = self._stage.users.by_id(self.id)
        assert user is not None
        self._stage.users.save_settings(self.id, parse_settings(settings, base=user.settings))

    # What the exchange says

    def resting(self) -> dict[str, Order]:
        """The account's open orders by client order id, read page by page by the plain client."""
        rows = self.client.fetch_open_orders(SYMBOL, None, None, PAGED[self._stage.exchange])
        return _by_tag([_from_ccxt(row) for row in rows])

    def truth(self) -> dict[str, Order]:
        """The same from the exchange's own books, where no fault gets in between."""
        return _by_tag([_from_books(row) for row in self.account()["open_orders"]])

    def named(self) -> dict[str, Order]:
        """Our resting orders by their name without user and generation, such as `leg_1`."""
        named: dict[str, Order] = {}
        for order in self.truth().values():
            ours = re.match(rf"sm_(leg_\d+|tp|sl)_{self.id}_[a-z]", order.tag, re.IGNORECASE)
            # Where stops carry no id, this account's only ones are the bot's.
            name = ours[1] if ours is not None else "sl" if order.is_untagged_stop else None
            if name is not None:
                assert name not in named, f"{name} rests twice"
                named[name] = order
        return named

    def ladder(self) -> dict[str, tuple[str, str]]:
        """Quantity and price (or trigger) of each of our resting orders, by name."""
        return {name: (order.quantity, order.price) for name, order in self.named().items()}

    def tag(self, name: str, user_id: int | None = None) -> str:
        """The documented order id of `tp`, `sl` or `leg_1` …, as this exchange keeps it."""
        return self._stage.kept(f"sm_{name}_{self.id if user_id is None else user_id}_BTCUSDTUSDT")

    def order_id(self, tag: str) -> str:
        rows = self.client.fetch_open_orders(SYMBOL)
        return next(str(row["id"]) for row in rows if tag in {row["clientOrderId"], row["id"]})

    def place(self, side: str, quantity: str, price: str | None, **params: Any) -> str:
        """Place a foreign order; answers its id. `slot` names the side (`long`, `short`) of a hedge account."""
        kind = "market" if price is None else "limit"
        where = place_of(self.client, side, **params)
        return str(self.client.create_order(SYMBOL, kind, side, quantity, price, where)["id"])

    def close_by_hand(self, quantity: str) -> None:
        """Sell a part of a long at market. At BingX resting exits reserve what they close and have to go first."""
        if self._stage.exchange == "bingx":
            self.cancel(*(order.tag for order in self.truth().values() if order.closes))
        self.place("sell", quantity, None, reduceOnly=True)

    def set_leverage(self, leverage: int) -> None:
        """Change the leverage of the market by hand, for the long side where each has its own."""
        side = {"side": "LONG"} if self._stage.exchange == "bingx" else {}
        self.client.set_leverage(leverage, SYMBOL, side)

    def keep_one_position(self) -> None:
        """See to it that long and short are one position; accounts at Bybit start so."""
        if self._stage.exchange == "bingx":
            self.client.set_position_mode(False, SYMBOL)

    def cancel(self, *tags: str) -> None:
        for tag in tags:
            self.client.cancel_order(self.order_id(tag), SYMBOL)

    def account(self) -> dict[str, Any]:
        """The exchange's own books."""
        answer = requests.get(f"{self._stage.url}/__paper/state", params={"key": self.key}, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["accounts"][0])

    def size(self) -> Decimal:
        """Net position, negative for short."""
        rows = self.account()["positions"]
        return sum((Decimal(row["size"]) * (1 if row["side"] == "Buy" else -1) for row in rows), Decimal(0))

    def cancelled_by_us(self) -> list[str]:
        """Client ids of orders that were cancelled on request."""
        rows = self.account()["order_history"]
        return [str(row["orderLinkId"]) for row in rows if row["cancelType"] == "CancelByUser"]

    # What the bot says

    def status(self) -> dict[str, Any]:
        return self._stage.manager.get_bot_status(self.id)

    def said(self) -> str:
        """Status and message, for a failing test."""
        status = self.status()
        return f"{status['status']}: {status['message']}"

    def start(self) -> dict[str, Any]:
        return self._stage.manager.start_bot_for_user(self.id)

    def stop(self, **how: str) -> dict[str, Any]:
        return self._stage.manager.stop_bot_for_user(self.id, **how)

    def recover(self, **how: bool) -> dict[str, Any]:
        return self._stage.manager.recover_orders_for_user(self.id, **how)

    def wait_for_ladder(self, ladder: dict[str, tuple[str, str]], seconds: float = 10.0) -> None:
        """Wait until exactly these orders of ours rest; the plain client sees them too."""
        deadline = time.monotonic() + seconds
        while (seen := self.ladder()) != ladder:
            assert time.monotonic() < deadline, f"wanted {ladder}, but {seen} rests; {self.said()}"
            time.sleep(0.03)
        assert self._stage.has_faults or self.resting() == self.truth()

    def wait_for_part(self, part: dict[str, tuple[str, str]]) -> None:
        """Wait until these orders of ours rest, whatever else does."""
        until(lambda: self.ladder().items() >= part.items(), f"{part} to rest")

    def wait_for_names(self, *names: str, seconds: float = 10.0) -> dict[str, tuple[str, str]]:
        """Wait until orders of exactly these names rest, and answer them."""
        deadline = time.monotonic() + seconds
        while set(seen := self.ladder()) != set(names):
            assert time.monotonic() < deadline, f"wanted {names}, but {seen} rests; {self.said()}"
            time.sleep(0.03)
        return seen

    def wait_for_status(self, status: str, seconds: float = 10.0) -> dict[str, Any]:
        until(lambda: self.status()["status"] == status, f"status {status}; {self.said()}", seconds)
        return self.status()

    def assert_books_agree(self) -> None:
        """Our profit, fees and funding are, or after the next look will be, exactly the exchange's."""
        names = ("realised", "fees", "funding")

        def differences() -> dict[str, Decimal]:
            totals, account = self._stage.history.totals(self.id), self.account()
            return {name: getattr(totals, name) - Decimal(account[name]) for name in names}

        deadline = time.monotonic() + 5
        while any((seen := differences()).values()):
            assert time.monotonic() < deadline, f"ours less the exchange's: {seen}"
            time.sleep(0.05)


class Stage:
    """The world. `manager` is the current server's; `restart` replaces it over the same database."""

    def __init__(self, folder: Path, clock: Clock | None = None, *, exchange: str = "bybit", **paper: Any) -> None:
        self.folder = folder
        self.exchange = exchange
        """Where every trader of this stage trades."""
        self.clock: Clock = clock or SystemClock()
        self._paper_settings: dict[str, Any] = {
            "feed": "manual",
            "enforce_limits": False,
            "state_path": folder / "paper.db",
            **paper,
        }
        self.paper = PaperServer(PaperConfig(**self._paper_settings), self.clock)
        self.paper.start()
        self.url = self.paper.url
        self.price("60000")
        self.db = Database.open(folder / "users.db")
        self.db.migrate()
        cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.users = UserStore(self.db, SecretBox(bytes(range(32))), self.clock, passwords=cheap)
        self.store = BotStore(self.db, self.clock)
        self.history = History(self.db)
        self.traders: list[Trader] = []
        self.has_faults = False
        self._ahead_ms = 0
        self._hub: StreamHub | None = None
        self.manager = self.new_manager()

    def stream(self, clients: Clients | None = None, **parts: Any) -> StreamHub:
        """From now on bots are told by streams, and look by themselves as seldom as they ever do."""
        if self._hub is None:
            self._hub = StreamHub()
            self._hub.start()
        self.manager.shut_down()
        self.manager = self.new_manager(exchanges=Exchanges(self.clock, self._hub, clients=clients), **parts)
        return self._hub

    def stream_count(self) -> int:
        """Private streams that stand or are being opened."""
        assert self._hub is not None
        return sum(1 for link in self._hub.links() if "private" in link.dialect.name)

    def new_manager(self, **parts: Any) -> SimpleBotManager:
        usual: dict[str, Any] = {
            "clock": self.clock,
            "database": self.db,
            "users": self.users,
            "store": self.store,
            "exchanges": Exchanges(self.clock),
            "venues": Venues(paper_url=self.url, users=self.users, rehearsal_url=self.url),
            "poll_seconds": 0.1,
        }
        return SimpleBotManager(BotParts(**{**usual, **parts}), self.history)

    def trader(self, name: str = "alice", **settings: Any) -> Trader:
        """A new user whose key names a paper account of 10,000 USDT."""
        user = self.users.create(f"{name}@example.com", PASSWORD)
        trader = Trader(self, user.id, f"{name}-key")
        self.users.save_credentials(user.id, trader.key, trader.secret)
        self.control("accounts", key=trader.key, secret=trader.secret, balance="10000", exchange=self.exchange)
        trader.choose(exchange=self.exchange, **settings)
        self.traders.append(trader)
        return trader

    @property
    def long_index(self) -> str:
        """Where the control interface finds the long position of a new account: at BingX it keeps both sides apart."""
        return "1" if self.exchange == "bingx" else "0"

    def kept(self, tag: str) -> str:
        """A client order id as this exchange keeps it."""
        return tag.lower() if self.exchange == "bingx" else tag

    def control(self, what: str, **body: str) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/__paper/{what}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def price(self, price: str, **more: str) -> None:
        self.control("price", symbol="BTCUSDT", price=price, **more)

    def fault(self, fault: str, **rule: str) -> None:
        self.control("faults", fault=fault, **rule)
        self.has_faults = True

    def lift_faults(self) -> None:
        self.has_faults = False
        requests.delete(f"{self.url}/__paper/faults", timeout=10)

    def venue_ms(self) -> int:
        """The exchange's time."""
        return self.clock.now_ms() + self._ahead_ms

    def move_time(self, milliseconds: int) -> None:
        """Put the exchange's clock ahead of everybody else's."""
        self.control("clock", advance_ms=str(milliseconds))
        self._ahead_ms += milliseconds

    def hits(self) -> int:
        """How often the posted faults have struck."""
        rows = requests.get(f"{self.url}/__paper/faults", timeout=10).json()["faults"]
        return sum(int(row["hits"]) for row in rows)

    def restart(self) -> None:
        """Shut the server down and start another one over the same database; bots resume."""
        self.manager.shut_down()
        self.manager = self.new_manager()
        self.manager.resume_all()

    def exchange_down(self) -> None:
        self.paper.stop()

    def exchange_up(self) -> None:
        port = int(self.url.rpartition(":")[2])
        self.paper = PaperServer(PaperConfig(**self._paper_settings, port=port), self.clock)
        self.paper.start()

    def close(self) -> None:
        self.manager.shut_down()
        if self._hub is not None:
            self._hub.stop()
        for trader in self.traders:
            trader.close()
        self.db.close()
        self.paper.stop()


@contextmanager
def opened_stage(
    folder: Path | None = None, clock: Clock | None = None, *, exchange: str = "bybit", **paper: Any
) -> Iterator[Stage]:
    """A stage that is torn down afterwards; in a temporary folder unless one is given."""
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_impatient_bots(clock.times if isinstance(clock, HurriedClock) else 1))
        stack.enter_context(_patient_starts())
        stage = Stage(home, clock, exchange=exchange, **paper)
        stack.callback(stage.close)
        yield stage


@contextmanager
def _impatient_bots(times: int) -> Iterator[None]:
    """Bots wait in real seconds: in hurried time they wait less, and nobody waits long for a lost exchange."""
    patience, usual = user_bot.OPEN_RETRY_SECONDS, UserBot._timeout

    def hurried(bot: UserBot, result: PassResult) -> float | None:
        timeout = usual(bot, result)
        return None if timeout is None else timeout / times

    user_bot.OPEN_RETRY_SECONDS = 0.1
    UserBot._timeout = hurried  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        user_bot.OPEN_RETRY_SECONDS = patience
        UserBot._timeout = usual  # type: ignore[method-assign]


@contextmanager
def _patient_starts() -> Iterator[None]:
    """Start waits for what the first pass says, however slow the machine is: tests ask what it says, not how soon."""
    usual = manager_module.VERDICT_SECONDS
    manager_module.VERDICT_SECONDS = 3.0
    try:
        yield
    finally:
        manager_module.VERDICT_SECONDS = usual


def _by_tag(orders: list[Order]) -> dict[str, Order]:
    tags = {order.tag: order for order in orders}
    assert len(tags) == len(orders), f"a tag rests twice: {sorted(order.tag for order in orders)}"
    return tags


def _from_ccxt(row: Any) -> Order:
    trigger = row["info"].get("triggerPrice") or row["info"].get("stopPrice")
    return Order(
        tag=row["clientOrderId"] or row["id"],
        side=row["side"],
        quantity=_short(row["amount"]),
        price=_short(trigger if "market" in row["type"] else row["price"]),
        is_untagged_stop=bool(trigger and not row["clientOrderId"]),
        closes=_closes(row),
    )


def _closes(row: Any) -> bool:
    """No order of a hedge account at BingX says that it is reduce-only; the side that it goes against does."""
    side = row["info"].get("positionSide")
    if side in {"LONG", "SHORT"}:
        return bool(row["side"] == ("sell" if side == "LONG" else "buy"))
    return bool(row["reduceOnly"])


def _from_books(row: Any) -> Order:
    return Order(
        tag=row["orderLinkId"] or row["orderId"],
        side=row["side"].lower(),
        quantity=_short(row["qty"]),
        price=_short(row["triggerPrice"] if row["orderType"] == "Market" else row["price"]),
        is_untagged_stop=row["orderType"] == "Market" and not row["orderLinkId"],
        closes=row["reduceOnly"],
    )


def _short(number: str) -> str:
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
