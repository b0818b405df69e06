"""Listen keys: what opens a private stream at BingX. Each lives for an hour, and an hour more whenever it is renewed.

They are not kept over a restart: a client that comes back with an old one is turned away and asks for a new one.
"""

import secrets
from collections.abc import Callable

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.bingx.envelope import PARAMETERS
from blitz.paper.wire.calls import Call, Route
from blitz.paper.wire.text import JsonObject

LIFETIME_MS = 3_600_000
PATH = "/openApi/user/auth/userDataStream"


class ListenKeys:
    """The keys in force, and whom they speak for."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._owners: dict[str, str] = {}
        self._until_ms: dict[str, int] = {}

    def routes(self) -> tuple[Route, ...]:
        """The three methods of the one path."""
        return tuple(
            Route(method=method, path=PATH, answer=answer, bare=True)
            for method, answer in (("POST", self._open), ("PUT", self._renew), ("DELETE", self._end))
        )

    def owner(self, listen_key: str) -> str | None:
        """The account key behind a listen key that is in force."""
        return self._owners.get(listen_key) if self._now_ms() < self._until_ms.get(listen_key, 0) else None

    def drop_expired(self) -> list[str]:
        """Forget the keys whose hour is over; returns them."""
        now_ms = self._now_ms()
        return self._drop([key for key, until_ms in self._until_ms.items() if until_ms <= now_ms])

    def expire(self, account: str = "") -> list[str]:
        """Let the keys of an account, or all, end now; returns them."""
        return self._drop([key for key, owner in self._owners.items() if account in ("", owner)])

    def _drop(self, ended: list[str]) -> list[str]:
        for key in ended:
            del self._owners[key], self._until_ms[key]
        return ended

    def _open(self, call: Call) -> JsonObject:
        listen_key = secrets.token_hex(32)
        self._owners[listen_key] = call.key
        self._until_ms[listen_key] = self._now_ms() + LIFETIME_MS
        return {"listenKey": listen_key}

    def _renew(self, call: Call) -> None:
        self._until_ms[self._own(call)] = self._now_ms() + LIFETIME_MS

    def _end(self, call: Call) -> None:
        self._drop([self._own(call)])

    def _own(self, call: Call) -> str:
        listen_key = call.params.text("listenKey")
        if self.owner(listen_key) != call.key:
            raise VenueRefusal(PARAMETERS, "Invalid parameters, err:listenKey: it does not exist or has expired")
        return listen_key
