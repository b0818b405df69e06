"""How the cast enters a running server: as people do, by signing in, saving a ladder and pressing Start."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import requests

from blitz.bots.paper_accounts import keys_on, open_paper_account
from blitz.clock import SystemClock
from blitz.core.calls import Accepted, ReadPosition, SendOrder
from blitz.core.ladder_settings import Mode
from blitz.core.orders import DesiredOrder, Direction, OrderType, Side, leg
from blitz.demo.cast import ADMIN, Does, Part
from blitz.demo.passwords import new_password
from blitz.demo.stage import REQUEST_SECONDS, DemoProblem
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.server import Running

AT_ONCE = 4
POSITION_SECONDS = 20.0
OWN_ORDERS = (Decimal("0.9"), Decimal("0.85"))
"""Where orders by hand rest, as shares of the price; above it for a short."""
OWN_VALUE = Decimal(100)
"""USDT that each of them is about."""
NEVER_MS = 2**53


def enter(running: Running, cast: Iterable[Part]) -> str:
    """Make the administrator and the traders, and let each do what the part says. Answers the former's password."""
    password = new_password()
    running.services.users.create(ADMIN, password, role="admin")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda part: _Entrance(running, part).play(), cast))
    return password


class _Entrance:
    """One trader's first minute."""

    def __init__(self, running: Running, part: Part) -> None:
        self._running = running
        self._part = part
        self._session = requests.Session()
        self._session.trust_env = False
        users, password = running.services.users, new_password()
        user = users.create(part.email, password)
        self._keys = keys_on(part.settings.exchange, users.paper_credentials(user.id))
        self._sign_in(password)

    def play(self) -> None:
        """Open the account, save the ladder, and go as far as the part says."""
        part = self._part
        open_paper_account(self._running.paper_url or "", part.settings.exchange, self._keys, part.balance)
        self._ask("PUT", "/api/bot/settings", part.settings.to_json())
        if part.does is Does.WAITS:
            return
        self._ask("POST", "/api/bot/start")
        if part.has_own_orders:
            self._rest_by_hand(self._price())
        if part.does is Does.STOPPED:
            self._price()
            self._ask("POST", "/api/bot/stop")

    def _sign_in(self, password: str) -> None:
        form = {"email": self._part.email, "password": password}
        answer = self._session.post(
            f"{self._running.url}/login", data=form, timeout=REQUEST_SECONDS, allow_redirects=False
        )
        answer.raise_for_status()

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._running.url}{path}", json=body, timeout=REQUEST_SECONDS)
        told: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise DemoProblem(f"{self._part.email}: {told.get('message', answer.reason)}")
        return told

    def _price(self) -> Decimal:
        """The price, once the bot has entered."""
        told = _until(lambda: self._ask("GET", "/api/bot/status")["position"], f"a position of {self._part.email}")
        return Decimal(told["last_price"] or told["average"])

    def _rest_by_hand(self, price: Decimal) -> None:
        """Orders of the trader's own, sent past the bot, far away from the price."""
        settings = self._part.settings
        venue = Venue(exchange=settings.exchange, mode=Mode.PAPER, base_url=self._running.paper_url or "")
        exchanges = Exchanges(SystemClock())
        gateway = exchanges.gateway(venue, self._keys, settings)
        instrument = exchanges.instrument(venue, settings.symbol)
        gateway.execute(ReadPosition())  # by which it learns how the account's positions are kept
        direction = Direction.BUY if settings.side is Side.LONG else Direction.SELL
        for number, share in enumerate(OWN_ORDERS, start=1):
            exact = price * (share if direction is Direction.BUY else 2 - share)
            order = DesiredOrder(
                key=leg(number),
                type=OrderType.LIMIT,
                direction=direction,
                quantity=OWN_VALUE / exact // instrument.step * instrument.step,
                price=exact // instrument.tick * instrument.tick,
            )
            reply = gateway.execute(SendOrder(order=order, client_id=f"by-hand-{number}", expires_ms=NEVER_MS))
            if not isinstance(reply, Accepted):
                raise DemoProblem(f"An order by hand of {self._part.email} was not taken: {reply}")


def _until(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + POSITION_SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise DemoProblem(f"The demo waited {POSITION_SECONDS:.0f} seconds in vain for {what}.")
        time.sleep(0.1)
    return seen
