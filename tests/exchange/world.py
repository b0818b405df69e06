"""What tests of the adapter stand on: a real paper exchange, gateways to it, and a server that answers anything."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import requests

from blitz.clock import SystemClock
from blitz.core.calls import ReadPosition, SendOrder
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName, LadderSettings, Mode, parse_settings
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, DesiredOrder, Direction, OrderType, leg
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.profile import Seat
from blitz.exchange.profiles import PROFILES
from blitz.paper.server import AccountSpec, PaperConfig, PaperServer
from tests.bots.plain import place_of, plain_client

KEY, SECRET = "adapter-key", "adapter-secret"
CREDENTIALS = Credentials(api_key=KEY, api_secret=SECRET)
SYMBOL = "BTC/USDT:USDT"
SOON_MS = 2**53
"""An expiry that never comes."""


class World:
    """A paper exchange with one account in one-way mode, and what is needed to talk to it."""

    def __init__(self, exchange: str = "bybit") -> None:
        self.exchange = exchange
        account = AccountSpec(key=KEY, secret=SECRET, balance=Decimal(10_000), exchange=exchange)
        self.paper = PaperServer(PaperConfig(feed="manual", enforce_limits=False, accounts=(account,)))
        self.paper.start()
        self.url = self.paper.url
        self.clock = SystemClock()
        self.exchanges = Exchanges(self.clock)
        self.venue = venue_at(self.url, exchange)
        self.post("price", symbol="BTCUSDT", price="60000")
        self._other: Any = None
        if exchange == "bingx":  # accounts there keep both sides from the start
            self.other.set_position_mode(False, SYMBOL)

    @property
    def other(self) -> Any:
        """Somebody else's plain client on the same account."""
        if self._other is None:
            self._other = plain_client(self.exchange, self.url, KEY, SECRET)
        return self._other

    def other_client(self, key: str) -> Any:
        """A plain client of another program under a key of this exchange."""
        return plain_client(self.exchange, self.url, key, f"{key}-secret")

    def opened(self, credentials: Credentials = CREDENTIALS, **settings: Any) -> Any:
        """A gateway that has not looked yet."""
        return self.exchanges.gateway(self.venue, credentials, settings_of(exchange=self.exchange, **settings))

    def gateway(self, **settings: Any) -> Any:
        """A gateway that has looked once, as a bot's has before it sends."""
        opened = self.opened(**settings)
        opened.execute(ReadPosition())
        return opened

    def gateway_at(self, url: str) -> Any:
        """A gateway with this exchange's markets that asks somebody else."""
        clock = self.exchanges.clock(self.venue)
        profile = PROFILES[self.venue.exchange]
        client = profile.client(venue_at(url, self.exchange), clock, CREDENTIALS)
        client.set_markets_from_exchange(self.exchanges._markets.master(self.venue))
        rules = self.exchanges.instrument(self.venue, SYMBOL)
        return profile.gateway(
            Seat(
                client=client,
                clock=clock,
                instrument=rules,
                settings=DEFAULT_SETTINGS,
                renewed_rules=lambda max_age_ms: rules,
            )
        )

    def post(self, what: str, **body: str) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/__paper/{what}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def price(self, price: str) -> None:
        self.post("price", symbol="BTCUSDT", price=price)

    def fault(self, fault: str, **rule: str) -> None:
        self.post("faults", fault=fault, **rule)

    def account(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/__paper/state", timeout=10).json()["accounts"][0])

    def foreign(self, side: str, quantity: str, price: str | None = None, **params: Any) -> str:
        """Somebody else's order; `slot` names the side of a hedge account."""
        kind = "market" if price is None else "limit"
        where = place_of(self.other, side, **params)
        return str(self.other.create_order(SYMBOL, kind, side, quantity, price, where)["id"])

    def kept(self, tag: str) -> str:
        """A client order id as this exchange keeps it."""
        return tag.lower() if self.exchange == "bingx" else tag

    def keep_both_sides(self) -> None:
        """Put the account into hedge mode."""
        self.other.set_position_mode(True, SYMBOL)

    def close(self) -> None:
        if self._other is not None:
            self._other.session.close()
        self.paper.stop()


def venue_at(url: str, exchange: str = "bybit") -> Venue:
    return Venue(exchange=ExchangeName(exchange), mode=Mode.PAPER, base_url=url)


def settings_of(**changes: Any) -> LadderSettings:
    return parse_settings(changes)


def send(order: DesiredOrder, tag: str = "sm_leg_1_7_BTCUSDTUSDT", expires_ms: int = SOON_MS) -> SendOrder:
    return SendOrder(order=order, client_id=tag, expires_ms=expires_ms)


def limit(quantity: str = "0.016", price: str = "59400", direction: Direction = Direction.BUY) -> DesiredOrder:
    return DesiredOrder(
        key=leg(1), type=OrderType.LIMIT, direction=direction, quantity=Decimal(quantity), price=Decimal(price)
    )


def market(quantity: str = "0.016", direction: Direction = Direction.BUY) -> DesiredOrder:
    return DesiredOrder(key=leg(0), type=OrderType.MARKET, direction=direction, quantity=Decimal(quantity))


def target(quantity: str = "0.016", price: str = "60300", direction: Direction = Direction.SELL) -> DesiredOrder:
    return DesiredOrder(
        key=TAKE_PROFIT, type=OrderType.LIMIT, direction=direction, quantity=Decimal(quantity), price=Decimal(price)
    )


def stop(quantity: str = "0.016", trigger: str = "57600", direction: Direction = Direction.SELL) -> DesiredOrder:
    return DesiredOrder(
        key=STOP_LOSS,
        type=OrderType.STOP_MARKET,
        direction=direction,
        quantity=Decimal(quantity),
        trigger=Decimal(trigger),
    )


@dataclass
class Liar:
    """A server that answers every request with `body`, whatever it was, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[str, bytes], bytes] | None = None
    """Set to pass requests on to `behind` and change what comes back."""
    behind: str = ""
    tells: dict[str, object] = field(default_factory=dict)
    """What it answers to `METHOD path`, where that is not `body`; a callable is given the query."""
    asked: list[str] = field(default_factory=list)

    def answer_to(self, method: str, address: str) -> bytes:
        path, _, query = address.partition("?")
        told = self.tells.get(f"{method} {path}")
        if callable(told):
            told = told(dict(parse_qsl(query)))
        return self.body if told is None else json.dumps(told).encode()

    def says(self, answer: object) -> None:
        self.body = json.dumps(answer).encode()


@contextmanager
def lying_server() -> Iterator[Liar]:
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            liar.asked.append(self.path)
            status, body = liar.status, liar.answer_to(self.command, self.path)
            if liar.edit is not None:
                kept = {
                    name: value for name, value in self.headers.items() if name.lower().startswith(("x-bapi", "x-bx"))
                }
                passed = requests.request(self.command, liar.behind + self.path, data=sent, headers=kept, timeout=10)
                status, body = passed.status_code, liar.edit(self.path.partition("?")[0], passed.content)
            self.send_response(status)
            for name, value in liar.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    liar.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
