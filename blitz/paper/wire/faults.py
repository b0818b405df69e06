"""Injected faults: what goes wrong, for whom, how often. Rules come from `POST /__paper/faults`.

The HTTP layer and the streams ask the board at fixed points; a rule draws from its own seeded generator, so the same
rules and the same requests give the same faults. Nothing here performs a fault.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

RULES_MAX = 1_000
DELAY_MAX_MS = 600_000
DRAWS = 1_000_000


class FaultKind(StrEnum):
    """What can be made to go wrong."""

    DROP_REQUEST = "drop_request"
    """The connection breaks before the request is run (after `delay_ms`): it never happened."""
    DROP_RESPONSE = "drop_response"
    """The request is run, then the connection breaks (after `delay_ms`) without an answer."""
    DELAY_DELIVERY = "delay_delivery"
    """The request reaches the venue `delay_ms` late; signature and time are checked on arrival."""
    DELAY_RESPONSE = "delay_response"
    """The request is run at once, its answer leaves `delay_ms` later."""
    EMPTY_BODY = "empty_body"
    """The request is run; the answer is HTTP 200 without a body."""
    GARBAGE_BODY = "garbage_body"
    """The request is run; the answer is HTTP 200 with text that is not JSON."""
    HUGE_BODY = "huge_body"
    """The request is run; the answer is HTTP 200 with sixteen mebibytes of blanks."""
    EMPTY_LIST = "empty_list"
    """A list is answered as if it had no rows."""
    TRUNCATED_PAGE = "truncated_page"
    """A list is answered with half its rows and no cursor, as if that were all."""
    HTTP_STATUS = "http_status"
    """Not run; the answer is the HTTP status `status` with an HTML body."""
    RET_CODE = "ret_code"
    """Not run; the answer is the refusal `code`."""
    EVENT_BEFORE_REPLY = "event_before_reply"
    """The websocket events leave first, the answer `delay_ms` after them."""
    LAG = "lag"
    """Reads answer with the state of `delay_ms` ago."""
    VANISH = "vanish_ms"
    """A finished order is in no list until `delay_ms` after it finished."""
    FORGET = "forget_history"
    """Ended orders and executions older than `delay_ms` are in no list, as after a restart of the venue."""
    DROP_SOCKET = "drop_socket"
    """The private sockets break instead of carrying an event."""
    DUPLICATE_EVENT = "duplicate_event"
    """A private event is sent twice."""
    DROP_EVENT = "drop_event"
    """A private event is never sent."""
    DELAY_EVENT = "delay_event"
    """A private event leaves `delay_ms` late, behind younger ones."""
    GARBAGE_FRAME = "garbage_frame"
    """A frame that is not JSON is sent ahead of a private event."""
    ODD_EVENT = "odd_event"
    """Ahead of a private event goes its twin with a status that nobody knows and the time 0. BingX."""
    FREEZE_SOCKET = "freeze_socket"
    """The private sockets stay open and say nothing, not even pong."""
    HALF_REPLACE = "half_replace"
    """A cancel-replace cancels and then cannot place: no order is left. BingX."""
    EXPIRE_LISTEN_KEY = "expire_listen_key"
    """An account's listen keys end at once: the expiry event, then the link closes. BingX; acts when posted."""
    PARTIAL_FILL = "partial_fill"
    """A resting order fills at most `quantity` per touch of its price."""


NEEDS_DELAY = frozenset(
    {
        FaultKind.DELAY_DELIVERY,
        FaultKind.DELAY_RESPONSE,
        FaultKind.LAG,
        FaultKind.VANISH,
        FaultKind.FORGET,
        FaultKind.DELAY_EVENT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One rule as posted. Empty `account`, `endpoint` and `symbol` match all.

    For requests `endpoint` is a path (`/v5/order/create`, or just `order/create`; on BingX also with its method, as in
    `DELETE swap/v2/trade/order`, or by Bybit's name for the same thing), for events a topic (`order`, `execution`,
    `position`, `wallet`). `probability` is 0 to 1. The first `skip` matches pass unharmed; after `count` hits the rule
    is spent.
    """

    number: int
    fault: FaultKind
    account: str = ""
    endpoint: str = ""
    symbol: str = ""
    probability: Decimal = Decimal(1)
    seed: int = 0
    skip: int = 0
    count: int | None = None
    delay_ms: int = 0
    status: int = 503
    code: int = 10016
    message: str = ""
    quantity: Decimal | None = None

    def matches(self, account: str, names: tuple[str, ...], symbol: str) -> bool:
        """Whether a request or event is one that this rule is about."""
        return (
            (not self.account or self.account == account)
            and (not self.endpoint or short_endpoint(self.endpoint) in map(short_endpoint, names))
            and (not self.symbol or self.symbol == symbol)
        )


@dataclass(slots=True)
class _Entry:
    rule: FaultRule
    generator: random.Random
    seen: int = 0
    hits: int = 0

    def spent(self) -> bool:
        return self.rule.count is not None and self.hits >= self.rule.count

    def draw(self) -> bool:
        self.seen += 1
        # Drawn for every match, so that `skip` and `count` do not shift the sequence of a seed.
        drawn = self.generator.randrange(DRAWS) < self.rule.probability * DRAWS
        hit = drawn and self.seen > self.rule.skip and not self.spent()
        self.hits += hit
        return hit


@dataclass(slots=True)
class FaultBoard:
    """The rules in force, in the order they were posted."""

    _entries: list[_Entry] = field(default_factory=list)
    _last_number: int = 0

    def next_number(self) -> int:
        """The number for the next rule."""
        self._last_number += 1
        return self._last_number

    def add(self, rule: FaultRule) -> None:
        """Put a rule in force. Raises `ValueError` beyond `RULES_MAX` rules."""
        if len(self._entries) >= RULES_MAX:
            raise ValueError(f"at most {RULES_MAX} rules; DELETE some first")
        self._entries.append(_Entry(rule=rule, generator=random.Random(rule.seed)))

    def remove(self, number: int | None) -> list[FaultRule]:
        """Lift one rule, or all of them; returns those lifted."""
        lifted = [entry.rule for entry in self._entries if number in (None, entry.rule.number)]
        self._entries = [entry for entry in self._entries if entry.rule not in lifted]
        return lifted

    def strike(
        self, kinds: Collection[FaultKind], account: str = "", endpoint: str | tuple[str, ...] = "", symbol: str = ""
    ) -> FaultRule | None:
        """The first rule of these kinds that hits this request or event, if any; counts it.

        An endpoint may go by several names; a rule that uses one of them means it.
        """
        names = (endpoint,) if isinstance(endpoint, str) else endpoint
        for entry in self._entries:
            if entry.rule.fault in kinds and entry.rule.matches(account, names, symbol) and entry.draw():
                return entry.rule
        return None

    def in_force(self, kinds: Collection[FaultKind]) -> bool:
        """Whether any unspent rule of these kinds exists."""
        return any(entry.rule.fault in kinds and not entry.spent() for entry in self._entries)

    def longest_ms(self, kind: FaultKind) -> int:
        """The longest delay among the rules of a kind."""
        return max((entry.rule.delay_ms for entry in self._entries if entry.rule.fault is kind), default=0)

    def report(self) -> list[dict[str, Any]]:
        """Each rule with how often it matched and hit."""
        return [
            {
                "id": entry.rule.number,
                "fault": entry.rule.fault.value,
                "account": entry.rule.account,
                "endpoint": entry.rule.endpoint,
                "symbol": entry.rule.symbol,
                "probability": str(entry.rule.probability),
                "delay_ms": str(entry.rule.delay_ms),
                "matched": str(entry.seen),
                "hits": str(entry.hits),
            }
            for entry in self._entries
        ]


def short_endpoint(endpoint: str) -> str:
    """`/v5/order/create` and `order/create` are the same endpoint, and so with BingX's `/openApi/` and a method."""
    method, _, path = endpoint.rpartition(" ")
    short = path.removeprefix("/").removeprefix("v5/").removeprefix("openApi/")
    return f"{method} {short}" if method else short
