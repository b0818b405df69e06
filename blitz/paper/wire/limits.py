"""Request counting: per user and endpoint in one-second windows, per address in five-second windows.

The HTTP layer asks before it runs a request. Real time counts, not the replayed one: the limits protect a server from
real load. Figures: Bybit V5 rate limit rules.
"""

from dataclasses import dataclass

USER_WINDOW_MS = 1_000
ADDRESS_WINDOW_MS = 5_000
ADDRESS_MAX = 600
ADDRESS_BAN_MS = 600_000
WINDOWS_MAX = 50_000
DEFAULT_PER_SECOND = 50

PER_SECOND = {
    "/v5/order/create": 10,
    "/v5/order/amend": 10,
    "/v5/order/cancel": 10,
    "/v5/order/cancel-all": 10,
    "/v5/position/set-leverage": 10,
    "/v5/position/switch-mode": 10,
    "/v5/position/trading-stop": 10,
    "/v5/account/fee-rate": 5,
    "/v5/account/set-margin-mode": 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left of a user's window after counting one request."""

    limit: int
    left: int
    reset_at_ms: int
    granted: bool

    def headers(self) -> dict[str, str]:
        """The venue's three headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_at_ms),
        }


@dataclass(slots=True)
class _Window:
    started_at_ms: int
    count: int = 0


class RateLimits:
    """The counters. `enforced` False counts nothing and grants everything."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._users: dict[tuple[str, str], _Window] = {}
        self._addresses: dict[str, _Window] = {}
        self._banned_until_ms: dict[str, int] = {}

    @property
    def enforced(self) -> bool:
        """Whether requests are refused at all."""
        return self._enforced

    def enforce(self, enforced: bool) -> None:
        """Switch the limits; either way the counters and bans start anew."""
        self._enforced = enforced
        self._users.clear()
        self._addresses.clear()
        self._banned_until_ms.clear()

    def admit_address(self, address: str, now_ms: int) -> bool:
        """Count one request of an address. 600 in five seconds are granted; the next one closes it for ten minutes."""
        if not self._enforced:
            return True
        if now_ms < self._banned_until_ms.get(address, 0):
            return False
        window = self._addresses.get(address)
        if window is None or now_ms - window.started_at_ms >= ADDRESS_WINDOW_MS:
            window = self._addresses[address] = _Window(started_at_ms=now_ms)
        window.count += 1
        if window.count <= ADDRESS_MAX:
            return True
        self._banned_until_ms[address] = now_ms + ADDRESS_BAN_MS
        return False

    def count(self, key: str, path: str, now_ms: int) -> Allowance:
        """Count one request of a user at an endpoint."""
        limit = PER_SECOND.get(path, DEFAULT_PER_SECOND)
        if not self._enforced:
            return Allowance(limit=limit, left=limit, reset_at_ms=now_ms, granted=True)
        window = self._users.get((key, path))
        if window is None or now_ms - window.started_at_ms >= USER_WINDOW_MS:
            self._forget_when_full()
            window = self._users[(key, path)] = _Window(started_at_ms=now_ms)
        window.count += 1
        granted = window.count <= limit
        reset_at_ms = now_ms if granted else window.started_at_ms + USER_WINDOW_MS
        return Allowance(limit=limit, left=max(0, limit - window.count), reset_at_ms=reset_at_ms, granted=granted)

    def _forget_when_full(self) -> None:
        # A window is worth a second at most, so starting over costs nothing that matters.
        if len(self._users) >= WINDOWS_MAX:
            self._users.clear()
