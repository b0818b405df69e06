"""Posted fault rules: reading them, and the few that act on the venue the moment they are posted or lifted."""

from decimal import Decimal
from typing import Protocol

from blitz.paper.engine import Account
from blitz.paper.wire.faults import DELAY_MAX_MS, NEEDS_DELAY, FaultKind, FaultRule
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.params import Params
from blitz.paper.wire.text import JsonObject

NAMES = frozenset({
    "fault", "account", "endpoint", "symbol", "probability", "seed", "skip", "count", "delay_ms", "status", "code",
    "message", "quantity", "now",
})  # fmt: skip


class Doors(Protocol):
    """What a rule that acts at once does to the links of both exchanges."""

    def break_links(self, account: str) -> int:
        """Break an account's private links, or all; returns how many."""

    def expire_listen_keys(self, account: str) -> int:
        """End an account's listen keys, or all; returns how many."""


def add_faults(host: VenueHost, doors: Doors, params: Params) -> JsonObject:
    """Put a rule in force. `drop_socket` with `now` breaks the links at once instead. Raises `ValueError`."""
    rule = read_rule(host, params)
    if rule.fault is FaultKind.DROP_SOCKET and params.flag("now"):
        return {"id": rule.number, "broken": doors.break_links(rule.account)}
    if rule.fault is FaultKind.EXPIRE_LISTEN_KEY:
        return {"id": rule.number, "expired": doors.expire_listen_keys(rule.account)}
    host.faults.add(rule)
    if rule.fault is FaultKind.LAG:
        # A lagging read needs to know how things stood before the first change.
        host.capture([account.key for account in _accounts(host, rule)])
    if rule.fault is FaultKind.PARTIAL_FILL:
        _limit_fills(host, rule, rule.quantity)
    return {"id": rule.number}


def lift_faults(host: VenueHost, number: int | None) -> JsonObject:
    """Lift one rule, or all."""
    lifted = host.faults.remove(number)
    for rule in lifted:
        if rule.fault is FaultKind.PARTIAL_FILL:
            _limit_fills(host, rule, None)
    host.forget_captures()
    return {"lifted": len(lifted)}


def read_rule(host: VenueHost, params: Params) -> FaultRule:
    """Read a rule. Raises `ValueError` with a sentence for what cannot be meant."""
    unknown = [name for name in params.values if name not in NAMES]
    if unknown:
        raise ValueError(f"A fault has no field {unknown[0]!r}.")
    try:
        kind = FaultKind(params.required("fault"))
    except ValueError:
        raise ValueError(f"fault is one of {', '.join(FaultKind)}.") from None
    probability = params.decimal("probability")
    rule = FaultRule(
        number=host.faults.next_number(),
        fault=kind,
        account=params.text("account"),
        endpoint=params.text("endpoint"),
        symbol=params.text("symbol"),
        probability=Decimal(1) if probability is None else probability,
        seed=params.integer("seed") or 0,
        skip=params.integer("skip") or 0,
        count=params.integer("count"),
        delay_ms=params.integer("delay_ms") or 0,
        status=params.integer("status") or 503,
        code=params.integer("code") or 10016,
        message=params.text("message"),
        quantity=params.decimal("quantity"),
    )
    _check(rule)
    return rule


def _check(rule: FaultRule) -> None:
    if not 0 <= rule.probability <= 1:
        raise ValueError("probability is between 0 and 1.")
    if not 0 <= rule.delay_ms <= DELAY_MAX_MS:
        raise ValueError(f"delay_ms is between 0 and {DELAY_MAX_MS}.")
    if rule.fault in NEEDS_DELAY and not rule.delay_ms:
        raise ValueError(f"{rule.fault} needs delay_ms.")
    if rule.fault is FaultKind.PARTIAL_FILL and not (rule.quantity and rule.quantity > 0):
        raise ValueError("partial_fill needs a quantity above zero.")
    if not 400 <= rule.status <= 599:
        raise ValueError("status is between 400 and 599.")
    if rule.skip < 0 or (rule.count is not None and rule.count < 1):
        raise ValueError("skip is 0 or more, count 1 or more.")


def _accounts(host: VenueHost, rule: FaultRule) -> list[Account]:
    return [account for account in host.venue.accounts.values() if rule.account in ("", account.key)]


def _limit_fills(host: VenueHost, rule: FaultRule, quantity: Decimal | None) -> None:
    for account in _accounts(host, rule):
        host.venue.set_max_fill(account, quantity)
