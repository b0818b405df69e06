"""The yardstick: bots as they are usually built, which look every ten seconds and then replace the take-profit.

They trade in the same run on the same exchange, through the same adapter, so that only the way of learning of a fill
differs.
"""

import threading
import time
from decimal import Decimal

from blitz.bench.exchange import BenchExchange
from blitz.bench.ladders import ENTRY
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
NEVER_MS = 2**53


class Yardstick:
    """Twenty bots of the old kind, a thread each."""

    def __init__(self, exchange: BenchExchange) -> None:
        self._exchange = exchange
        self._over = threading.Event()
        self._exchanges = Exchanges(SystemClock())
        self._venue = Venue(exchange=ExchangeName(exchange.name), mode=Mode.PAPER, base_url=exchange.url)
        self._threads = [threading.Thread(target=self._loop, args=(number,), daemon=True) for number in range(LOOPS)]

    def start(self) -> None:
        """Enter and begin to loop."""
        for number in range(LOOPS):
            key = f"{PREFIX}{number}"
            self._exchange.ask(
                "POST", "accounts", key=key, secret=f"{key}-secret", balance="10000", exchange=self._exchange.name
            )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Loop no more."""
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
        # Their legs lie among those of the others, one after the other.
        level = (ENTRY * (1 - Decimal("0.005") - Decimal("0.01") * number / LOOPS)).quantize(Decimal("0.1"))
        _send(gateway, leg(1), OrderType.LIMIT, QUANTITY, level, key)
        target = ""
        time.sleep(LOOP_SECONDS * number / LOOPS)  # they did not start together
        while not self._over.is_set():
            now = _quantity(gateway)
            if now != held and now > 0:
                if target:
                    gateway.execute(CancelOrder(order_id=target))
                target = _send(gateway, TAKE_PROFIT, OrderType.LIMIT, now, ENTRY * 2, f"{key}-{now}")
                held = now
            self._over.wait(LOOP_SECONDS)


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
