"""How often one user or one address may ask. Counted in memory: the bots live in this one process anyway.

Failed sign-ins have their own counters in the database (`storage.throttle`), which survive a restart.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_limiter import Limiter

from blitz.web.accounts import current_account

View = TypeVar("View", bound=Callable[..., Any])

EVERYTHING = "1200 per minute"
COMMANDS = "300 per minute"
PREVIEWS = "240 per minute"
LIVE_CHECKS = "60 per minute"
"""Each asks the exchange three times with the trader's own key."""
SIGN_INS = "300 per minute"
"""A house full of traders shares one address; guessing is slowed down by the counters in the database."""
NEW_ACCOUNTS = "60 per hour"
NEW_TOKENS = "60 per hour"
"""What a token is stays known to the log's redaction for as long as the server runs."""
CANDLES = PREVIEWS
"""Each asks the exchange, whose limits all users share."""


def asker() -> str:
    """The user when there is one, else the address."""
    account = current_account()
    return f"user:{account.id}" if account else f"address:{request.remote_addr}"


limiter = Limiter(asker, default_limits=[EVERYTHING], storage_uri="memory://", headers_enabled=False)


def at_most(limit: str, methods: Sequence[str] | None = None) -> Callable[[View], View]:
    """Bound how often one asker may call a view, for example with `COMMANDS`."""
    return cast(Callable[[View], View], limiter.limit(limit, methods=methods))


def register(app: Flask) -> None:
    """Connect the limits with `app`."""
    limiter.request_filter(is_cheap)
    limiter.init_app(app)


def is_cheap() -> bool:
    """Files and probes are not counted."""
    return request.endpoint in ("static", "diagnostics.healthz", "diagnostics.readyz")
