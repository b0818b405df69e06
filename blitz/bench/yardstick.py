"""The yardstick: bots as they are usually built, which look every ten seconds and then replace the take-profit.

They trade in the same run on the same exchange, through the same adapter, so that only the way of learning of a fill
differs. Their turn comes when everything of ours has been timed: two kinds of bots that react at the same instant would
take the processor from each other.
"""

import threading
import time
from decimal import Decimal

from blitz.bench.exchange import BenchExchange
from blitz.bench.ladders import TICK
from blitz.clock import SystemClock
from blitz.core.calls import Accepted, CancelOrder, PositionRead, ReadPosition, SendOrder
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName, Mode, parse_settings
from blitz.core.orders import TAKE_PROFIT, DesiredOrder, Direction, OrderKey, OrderType, leg
from blitz.exchange.connection import Venue
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.gateway import ExchangeGateway

LOOPS = 20
LOOP_SECONDS = 10.0
PREFIX = "yardstick-"
QUANTITY = Decimal("0.016")
FIRST_GAP = Decimal("0.005")
"""How far the first of their legs lies under the price, as a share of it; the last lies `SPREAD` lower."""
SPREAD = Decimal("0.01")
NEVER_MS = 2**53


class Yardstick:
    """Twenty bots of the old kind, a thread each, which enter at `price`."""

    def __init__(self, exchange: BenchExchange, price: Decimal) -> None:
        self._exchange = exchange
        self._price = price
        self._over = threading.Event()
        self._exchanges = Exchanges(SystemClock())
        self._venue = Venue(exchange=ExchangeName(exchange.name), mode=Mode.PAPER, base_url=exchange.url)
        self._threads = [threading.Thread(target=self._loop, args=(number,), daemon=True) for number in range(LOOPS)]

    def measure(self) -> None:
        """Have them enter, let the price fall through their legs one by one, and wait until each has looked again."""
        self._start()
        try:
            time.sleep(LOOP_SECONDS * 2)  # until they have entered and placed their first take-profit
            self._exchange.ask("POST", "stopwatch")
            for number in range(LOOPS):
                self._exchange.price(str(self._level(number) - TICK))
                time.sleep(2 * LOOP_SECONDS / LOOPS)  # not in step with their looks, or all would wait equally long
            time.sleep(LOOP_SECONDS * 1.5)
        finally:
            self._stop()

    def _start(self) -> None:
        for number in range(LOOPS):
            key = f"{PREFIX}{number}"
            self._exchange.ask(
                "POST", "accounts", key=key, secret=f"{key}-secret", balance="10000", exchange=self._exchange.name
            )
        for thread in self._threads:
            thread.start()

    def _stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(LOOP_SECONDS)

    def _loop(self, number: int) -> None:
        key = f"{PREFIX}{number}"
        chosen = {"symbol": "BTC/USDT", "leverage": "10", "exchange": self._exchange.name}
        settings = parse_settings(chosen, base=DEFAULT_SETTINGS)
        gateway = self._exchanges.gateway(self._venue, Credentials(api_key=key, api_secret=f"{key}-secret"), settings)
        held = _quantity(gateway)
        _send(gateway, leg(0), OrderType.MARKET, QUANTITY, None, key)
        _send(gateway, leg(1), OrderType.LIMIT, QUANTITY, self._level(number), key)
        target = ""
        time.sleep(LOOP_SECONDS * number / LOOPS)  # they did not start together
        while not self._over.is_set():
            now = _quantity(gateway)
            if now != held and now > 0:
                if target:
                    gateway.execute(CancelOrder(order_id=target))
                target = _send(gateway, TAKE_PROFIT, OrderType.LIMIT, now, self._price * 2, f"{key}-{now}")
                held = now
            self._over.wait(LOOP_SECONDS)

    def _level(self, number: int) -> Decimal:
        """Where the leg of this bot rests."""
        return (self._price * (1 - FIRST_GAP - SPREAD * number / LOOPS)).quantize(TICK)


def _quantity(gateway: ExchangeGateway) -> Decimal:
    read = gateway.execute(ReadPosition())
    return read.position.quantity if isinstance(read, PositionRead) else Decimal(0)


def _send(
    gateway: ExchangeGateway, key: OrderKey, kind: OrderType, quantity: Decimal, price: Decimal | None, name: str
) -> str:
    direction = Direction.SELL if key == TAKE_PROFIT else Direction.BUY
    order = DesiredOrder(key=key, type=kind, direction=direction, quantity=quantity, price=price)
    tag = f"{name}-{key}".replace(".", "").replace("_", "-")[:36]
    reply = gateway.execute(SendOrder(order=order, client_id=tag, expires_ms=NEVER_MS))
    return reply.order_id if isinstance(reply, Accepted) else ""
