"""A manager and a market desk that answer at once: what the web does with their answers is what these tests are about."""

import threading
from decimal import Decimal
from typing import Any

from blitz.clock import Clock, iso_utc
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import LadderSettings
from blitz.errors import GatewayProblem, SettingsProblem

BITCOIN = Instrument(
    symbol="BTC/USDT:USDT",
    venue_symbol="BTCUSDT",
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    quantity_min=Decimal("0.001"),
    quantity_max=Decimal(1190),
    market_quantity_max=Decimal(500),
    notional_min=Decimal(5),
    leverage_max=Decimal(100),
)


class StandInManager:
    """Remembers who was started; every call is noted in `calls`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started: dict[int, int] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.extra: dict[str, Any] = {}
        self.next_answer: dict[str, Any] | None = None

    def start_bot_for_user(self, user_id: int) -> dict[str, Any]:
        with self._lock:
            self.calls.append(("start", user_id))
            if self.next_answer is not None:
                return self.next_answer
            if user_id in self._started:
                return {"success": False, "message": "Your bot is already running.", "status": "already_running"}
            self._started[user_id] = self._clock.now_ms()
        return {"success": True, "message": "Bot started successfully", "status": "started"}

    def stop_bot_for_user(
        self, user_id: int, *, legs: str = "pull", when: str = "now", position: str = "keep"
    ) -> dict[str, Any]:
        with self._lock:
            self.calls.append(("stop", user_id, legs, when, position))
            if user_id not in self._started:
                return {"success": False, "message": "Your bot is not running.", "status": "not_running"}
            if when == "after_cycle":
                return {"success": True, "message": "Stops after this cycle.", "status": "stopping_after_cycle"}
            del self._started[user_id]
        return {"success": True, "message": "Bot stopped successfully", "status": "stopped"}

    def get_bot_status(self, user_id: int) -> dict[str, Any]:
        with self._lock:
            since = self._started.get(user_id)
        running = since is not None
        uptime = (self._clock.now_ms() - since) // 1000 if since is not None else 0
        said = {"running": running, "status": "running" if running else "not_running", "uptime": uptime}
        return said | {"message": "Bot is running" if running else "No bot is running"} | (self.extra if running else {})

    def recover_orders_for_user(self, user_id: int, *, dry_run: bool = False) -> dict[str, Any]:
        self.calls.append(("recover", user_id, dry_run))
        if self.next_answer is not None:
            return self.next_answer
        answer = {"success": True, "message": "Recovery process completed", "actions": ["checked_positions"]}
        return answer | ({"dry_run": True} if dry_run else {})

    def get_all_bot_statuses(self) -> dict[str, Any]:
        with self._lock:
            ids = list(self._started)
        users = {str(each): {k: self.get_bot_status(each)[k] for k in ("running", "status", "uptime")} for each in ids}
        totals = {"total_managed": len(ids), "total_running": len(ids), "timestamp": iso_utc(self._clock.now_ms())}
        return {"users": users, "totals": totals}


class StandInDesk:
    """One market at 60 000 USDT; `down` makes the exchange silent."""

    def __init__(self) -> None:
        self.down = False

    def instrument(self, settings: LadderSettings) -> Instrument:
        self._answer()
        if settings.symbol != BITCOIN.symbol:
            raise SettingsProblem({"symbol": [f"{settings.symbol} is not a market here."]})
        return BITCOIN

    def last_price(self, settings: LadderSettings) -> Decimal:
        self._answer()
        return Decimal(60000)

    def candles(self, settings: LadderSettings, timeframe: str, limit: int) -> list[dict[str, Any]]:
        self._answer()
        one = {"open": "60000", "high": "60100", "low": "59900", "close": "60050", "volume": "12.5"}
        return [{"at": iso_utc(minute * 60_000), **one} for minute in range(limit)]

    def symbols(self, exchange: str, mode: str) -> list[str]:
        self._answer()
        return [BITCOIN.symbol]

    def _answer(self) -> None:
        if self.down:
            raise GatewayProblem("The exchange does not answer.")
