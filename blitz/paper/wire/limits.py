"""Request counting in true sliding windows: per user and endpoint, per address, and new sockets per address.

The HTTP layer asks before it runs a request. Real time counts, not the replayed one: the limits protect a server from
real load. Everything is counted whether or not it is refused, so that a test or a bench can ask afterwards whether any
window ever held more than the venue allows (`breaches`). The figures themselves are data: `limit_tables.py`.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blitz.paper.wire.limit_tables import BYBIT_LIMITS, AddressRule, LimitTable, Quota

WINDOWS_MAX = 50_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left of a user's window after counting one request. Times are the machine's own."""

    limit: int
    left: int
    reset_at_ms: int
    granted: bool

    def headers(self) -> dict[str, str]:
        """Bybit's three headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_at_ms),
        }

    def bingx_headers(self) -> dict[str, str]:
        """BingX's two headers."""
        return {
            "X-RateLimit-Requests-Remain": str(self.left),
            "X-RateLimit-Requests-Expire": str(self.reset_at_ms),
        }


@dataclass(slots=True)
class _Window:
    """One sliding window: requests younger than its length. `seen` holds refused ones too, `granted` does not."""

    quota: Quota
    seen: deque[int] = field(default_factory=deque)
    granted: deque[int] = field(default_factory=deque)
    peak: int = 0
    breaches: int = 0
    """Requests that came when the window was already full."""
    refused: int = 0

    def move_to(self, now_ms: int) -> None:
        """Forget what has left the window. A request leaves it exactly one length after it came."""
        oldest_ms = now_ms - self.quota.window_ms
        for moments in (self.seen, self.granted):
            while moments and moments[0] <= oldest_ms:
                moments.popleft()

    def arrive(self, now_ms: int) -> None:
        """Count a request that came, whatever becomes of it."""
        self.move_to(now_ms)
        self.seen.append(now_ms)
        self.peak = max(self.peak, len(self.seen))
        if len(self.seen) > self.quota.limit:
            self.breaches += 1

    def has_room(self) -> bool:
        """Whether one more request may be granted now."""
        return len(self.granted) < self.quota.limit

    def reset_at_ms(self, now_ms: int) -> int:
        """When the next request may be granted."""
        return now_ms if self.has_room() else self.granted[0] + self.quota.window_ms


@dataclass(slots=True)
class _Ban:
    until_ms: int = 0
    requests: int = 0
    """How many came while it held."""


class RateLimits:
    """The counters of one venue's door. `enforced` False counts everything and grants everything."""

    def __init__(self, table: LimitTable = BYBIT_LIMITS, *, enforced: bool) -> None:
        self._table = table
        self._enforced = enforced
        self.ban_ms = table.ban_ms
        self.user_ban_ms = table.user_ban_ms
        self._start_anew()

    def _start_anew(self) -> None:
        self._users: dict[tuple[str, str], _Window] = {}
        self._addresses: dict[tuple[str, str], _Window] = {}
        self._sockets: dict[str, _Window] = {}
        self._bans: dict[tuple[str, ...], _Ban] = {}
        self._forgotten: dict[str, Json] = {}
        self._total = 0

    @property
    def enforced(self) -> bool:
        """Whether requests are refused at all."""
        return self._enforced

    @property
    def table(self) -> LimitTable:
        """The venue's figures."""
        return self._table

    def enforce(self, enforced: bool) -> None:
        """Switch the limits; either way the counters and bans start anew."""
        self._enforced = enforced
        self._start_anew()

    def shorten_bans(self, ban_ms: int) -> None:
        """Let every ban from now on last this long, so that a test need not wait for minutes."""
        self.ban_ms = ban_ms
        self.user_ban_ms = min(self.user_ban_ms, ban_ms)

    # Requests

    def admit_address(self, address: str, now_ms: int, path: str = "") -> bool:
        """Count one request of an address. One too many closes it for the length of a ban."""
        self._total += 1
        windows = [self._address_window(address, rule, path) for rule in self._table.address if rule.covers(path)]
        for window in windows:
            window.arrive(now_ms)
        if not self._enforced:
            return True
        ban = self._bans.setdefault((address,), _Ban())
        if now_ms < ban.until_ms:
            ban.requests += 1
            return False
        if all(window.has_room() for window in windows):
            for window in windows:
                window.granted.append(now_ms)
            return True
        for window in windows:
            window.refused += not window.has_room()
        ban.until_ms = now_ms + self.ban_ms
        return False

    def count(self, key: str, path: str, now_ms: int) -> Allowance:
        """Count one request of a user at an endpoint."""
        quota = self._table.user_quota(path)
        window = self._users.get((key, path))
        if window is None:
            self._forget_when_full()
            window = self._users[(key, path)] = _Window(quota)
        window.arrive(now_ms)
        if not self._enforced:
            left = max(0, quota.limit - len(window.seen))
            return Allowance(limit=quota.limit, left=left, reset_at_ms=now_ms, granted=True)
        ban = self._bans.get((key, path))
        if ban is not None and now_ms < ban.until_ms:
            ban.requests += 1
            return Allowance(limit=quota.limit, left=0, reset_at_ms=ban.until_ms, granted=False)
        granted = window.has_room()
        if granted:
            window.granted.append(now_ms)
        else:
            window.refused += 1
            if self.user_ban_ms:
                self._bans[(key, path)] = _Ban(until_ms=now_ms + self.user_ban_ms)
        left = quota.limit - len(window.granted)
        reset_at_ms = now_ms if granted else self._ban_end(key, path) or window.reset_at_ms(now_ms)
        return Allowance(limit=quota.limit, left=left, reset_at_ms=reset_at_ms, granted=granted)

    def admit_socket(self, address: str, now_ms: int) -> bool:
        """Count one new websocket connection of an address; False when there were too many of late."""
        window = self._sockets.setdefault(address, _Window(self._table.sockets))
        window.arrive(now_ms)
        if self._enforced and not window.has_room():
            window.refused += 1
            return False
        window.granted.append(now_ms)
        return True

    def _address_window(self, address: str, rule: AddressRule, path: str) -> _Window:
        name = f"{rule.name} {path}" if rule.each_path else rule.name
        return self._addresses.setdefault((address, name), _Window(rule.quota))

    def _ban_end(self, key: str, path: str) -> int | None:
        ban = self._bans.get((key, path))
        return None if ban is None else ban.until_ms

    def _forget_when_full(self) -> None:
        # Only the tallies outlive it: a window is worth seconds, so starting it over costs nothing that matters.
        if len(self._users) >= WINDOWS_MAX:
            self._forgotten = self._by_endpoint()
            self._users.clear()

    # What was seen

    @property
    def breaches(self) -> int:
        """Requests and connections that came when their window already held all that the venue allows."""
        windows = [*self._addresses.values(), *self._sockets.values()]
        users = sum(int(row["breaches"]) for row in self._by_endpoint().values())
        return users + sum(window.breaches for window in windows)

    def report(self, key: str, now_ms: int) -> Json:
        """The highest number seen in any window, per address and per endpoint; `key` adds one user's own windows."""
        report: Json = {
            "enforced": self._enforced,
            "breaches": self.breaches,
            "requests": self._total,
            "addresses": [
                {"address": address, "window": name, **_figures(window)}
                for (address, name), window in self._addresses.items()
            ],
            "users": self._by_endpoint(),
            "sockets": [{"address": address, **_figures(window)} for address, window in self._sockets.items()],
            "bans": [
                {"of": list(whom), "left_ms": max(0, ban.until_ms - now_ms), "requests_meanwhile": ban.requests}
                for whom, ban in self._bans.items()
                if ban.until_ms
            ],
        }
        if key:
            report["key"] = {path: _figures(window) for (owner, path), window in self._users.items() if owner == key}
        return report

    def _by_endpoint(self) -> dict[str, Json]:
        """Users' windows folded by endpoint: the highest peak and whose it is, breaches and refusals in all."""
        folded = {path: dict(row) for path, row in self._forgotten.items()}
        for (key, path), window in self._users.items():
            row = folded.setdefault(path, {**_figures(_Window(window.quota)), "peak_of": ""})
            row["breaches"] += window.breaches
            row["refused"] += window.refused
            if window.peak > row["peak"]:
                row["peak"], row["peak_of"] = window.peak, key
        return folded


def _figures(window: _Window) -> Mapping[str, int]:
    return {
        "limit": window.quota.limit,
        "window_ms": window.quota.window_ms,
        "peak": window.peak,
        "breaches": window.breaches,
        "refused": window.refused,
    }
