"""What each venue allows, as data. Figures: the venues' published rate limit rules, as of November 2026.

A venue counts a user's requests per endpoint, an address's requests over all or some paths, and new websocket
connections. `limits.py` does the counting.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SECOND_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` in any stretch of `window_ms`."""

    limit: int
    window_ms: int = SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRule:
    """A quota of one address over all paths that hold a part; with `each_path`, each of those paths for itself."""

    name: str
    quota: Quota
    part: str = ""
    without: str = ""
    """Paths that hold this part have a rule of their own."""
    each_path: bool = False

    def covers(self, path: str) -> bool:
        """Whether a request to `path` counts here."""
        return self.part in path and not (self.without and self.without in path)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTable:
    """One venue's limits."""

    user: Mapping[str, int]
    """Requests per second of one user, by endpoint: the path, or method and path where one path serves several."""
    user_default: int
    address: tuple[AddressRule, ...]
    ban_ms: int
    """How long an address that asked too often is shut out."""
    ban_status: int
    """The HTTP status it hears meanwhile."""
    user_ban_ms: int
    """How long a user who asked an endpoint too often is kept out of it; 0: until the window has room again."""
    sockets: Quota
    """New websocket connections of one address."""

    def user_quota(self, path: str) -> Quota:
        """What one user may ask of an endpoint."""
        return Quota(limit=self.user.get(path, self.user_default))


BYBIT_LIMITS = LimitTable(
    user={
        "/v5/order/create": 10,
        "/v5/order/amend": 10,
        "/v5/order/cancel": 10,
        "/v5/order/cancel-all": 10,
        "/v5/position/set-leverage": 10,
        "/v5/position/switch-mode": 10,
        "/v5/position/trading-stop": 10,
        "/v5/account/fee-rate": 5,
        "/v5/account/set-margin-mode": 5,
    },
    user_default=50,
    address=(AddressRule(name="all", quota=Quota(limit=600, window_ms=5_000)),),
    ban_ms=600_000,
    ban_status=403,
    user_ban_ms=0,
    sockets=Quota(limit=500, window_ms=300_000),
)

BINGX_LIMITS = LimitTable(
    user={
        "POST /openApi/swap/v2/trade/order": 10,
        "POST /openApi/swap/v2/trade/leverage": 5,
        "POST /openApi/swap/v2/trade/marginType": 2,
        "POST /openApi/swap/v1/positionSide/dual": 2,
    },
    user_default=5,
    address=(
        AddressRule(name="market", quota=Quota(limit=500, window_ms=10_000), part="/quote/"),
        AddressRule(name="account", quota=Quota(limit=2_000, window_ms=10_000), without="/quote/"),
        AddressRule(name="endpoint", quota=Quota(limit=300, window_ms=10_000), without="/quote/", each_path=True),
    ),
    ban_ms=300_000,
    ban_status=418,
    user_ban_ms=300_000,
    sockets=Quota(limit=500, window_ms=300_000),
)
"""One path serves placing, cancelling and reading an order, so a user's endpoint is method and path here.

Market paths share 500 requests in ten seconds per address; all others 2,000, and 300 for each of them.
"""
