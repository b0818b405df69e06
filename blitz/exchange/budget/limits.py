"""What a venue allows, as data that belongs to its profile. Figures: the venues' published rate limit rules.

A venue counts the requests of one user (API key) per endpoint, and those of one address over all or some paths.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType

SECOND_MS = 1_000
NEAR_IN_FLIGHT_MAX = 8
"""Requests under way at once to an exchange on this machine."""
NEAR_MARGIN_MS = 5
"""An exchange on this machine has its clock: whole milliseconds are all that may differ."""


class Priority(IntEnum):
    """Who goes first. What protects a position waits for nobody else."""

    PROTECT = 0
    """Take-profit and stop-loss, and every cancel."""
    COVER = 1
    """Reads of a bot that may hold an unprotected position: no first exit is placed before they are answered."""
    ENTRY = 2
    """Orders that open or grow a position, and what has to be set before them."""
    FOLLOW = 3
    """Reads that something waits for: an event, or a look that has begun."""
    ROUTINE = 4
    """Reads because time has passed, and pages."""


SHARES: Mapping[Priority, int] = MappingProxyType(
    {Priority.PROTECT: 100, Priority.COVER: 90, Priority.ENTRY: 80, Priority.FOLLOW: 80, Priority.ROUTINE: 60}
)
"""Percent of every window that may be full when a request of this priority still goes.

A fifth of what the exchange allows is never used by anything but exits, cancels and the reads that a first exit waits
for, so it is there when the market falls on everybody at once; exits may use all of it, because a window here is never
smaller than the exchange's own.
"""


def shared(whole: int, priority: Priority) -> int:
    """The part of `whole` that a priority may use; at least one."""
    return max(1, whole * SHARES[priority] // 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` requests in any stretch of `window_ms`."""

    limit: int
    window_ms: int = SECOND_MS

    def at(self, limit: int) -> "Quota":
        """The same window with another limit."""
        return replace(self, limit=limit)

    def share(self, priority: Priority) -> int:
        """How many requests may be in the window after one more of this priority; at least one."""
        return shared(self.limit, priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressQuota:
    """A quota of one address over all endpoints that hold a part; with `each`, each of them for itself."""

    name: str
    quota: Quota
    part: str = ""
    without: str = ""
    """Endpoints that hold this part have a quota of their own."""
    each: bool = False

    def covers(self, endpoint: str) -> bool:
        """Whether a request to `endpoint` counts here."""
        return self.part in endpoint and not (self.without and self.without in endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One venue's limits. Endpoints are written as ccxt names them: `POST v5/order/create`."""

    address: tuple[AddressQuota, ...]
    user: Mapping[str, int]
    """Requests per second of one user, by endpoint."""
    openings: Quota
    """How many positions may be opened from one address, ours and not the venue's: each one has to be looked at three
    times before its take-profit goes, and that must not wait for another window."""
    user_default: int
    address_ban_ms: int
    """How long an address that asked too often is shut out."""
    user_ban_ms: int
    """How long a user who asked an endpoint too often is kept out of it; 0: until the window has room again."""
    counts: bool = True
    """False switches all windows off; order and gate stay."""
    in_flight_max: int = 100
    """Requests under way at once. With 80 ms there and back, fewer could not use a whole window in half a second."""
    margin_ms: int = 50
    """A request counts this much longer than the window: for clocks that run apart, and whole milliseconds."""
    ban_margin_ms: int = 2_000
    """And a ban is kept this much longer: what was under way when it began reaches the exchange during it."""

    def user_quota(self, endpoint: str) -> Quota:
        """What one user may ask of an endpoint."""
        return Quota(limit=self.user.get(endpoint, self.user_default))

    def near(self, *, counts: bool) -> "Limits":
        """The same for an exchange on this machine: there more at once would only wait for each other."""
        return replace(self, counts=counts, in_flight_max=NEAR_IN_FLIGHT_MAX, margin_ms=NEAR_MARGIN_MS)


BYBIT = Limits(
    address=(AddressQuota(name="all", quota=Quota(limit=600, window_ms=5_000)),),
    openings=Quota(limit=25, window_ms=5_000),
    user={
        "POST v5/order/create": 10,
        "POST v5/order/amend": 10,
        "POST v5/order/cancel": 10,
        "POST v5/position/set-leverage": 10,
        "POST v5/position/switch-mode": 10,
        "POST v5/position/trading-stop": 10,
        "GET v5/account/fee-rate": 5,
        "POST v5/account/set-margin-mode": 5,
    },
    user_default=50,
    address_ban_ms=600_000,
    user_ban_ms=0,
)
"""https://bybit-exchange.github.io/docs/v5/rate-limit"""

BINGX = Limits(
    address=(
        AddressQuota(name="market", quota=Quota(limit=500, window_ms=10_000), part="/quote/"),
        AddressQuota(name="account", quota=Quota(limit=2_000, window_ms=10_000), without="/quote/"),
        AddressQuota(name="endpoint", quota=Quota(limit=300, window_ms=10_000), without="/quote/", each=True),
    ),
    openings=Quota(limit=25, window_ms=10_000),
    user={
        "POST swap/v2/trade/order": 10,
        "POST swap/v2/trade/marginType": 2,
        "POST swap/v1/positionSide/dual": 2,
    },
    user_default=5,
    address_ban_ms=300_000,
    user_ban_ms=300_000,
)
"""https://bingx-api.github.io/docs/#/en-us/swapV2/base-info.html#Rate%20limit"""
