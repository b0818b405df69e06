"""Draws which faults the exchange injects in a round: some accounts are hit, others stay clean to compare with.

Single faults are as they come. A storm is several that belong together: an order id is sent twice only by somebody who
got no answer and then does not see the order, or who is killed while the order is still on its way.

Delays that stand for reads lagging behind stay below the two seconds that the order-id protocol allows for; requests
may be delivered later than their receive window.
"""

import random
from collections.abc import Sequence
from typing import Any

from blitz.torture.ladder import Market

Fault = dict[str, Any]
"""A rule as `POST /__paper/faults` takes it."""

HIT_SHARE = 0.5
"""Share of the accounts that have faults in a round."""
STORM_SHARE = 0.5
"""Share of those that are hit by a storm."""
RULES_MAX = 4
WRITES = ("order/create", "order/amend", "order/cancel", "order/replace")
"""Bybit replaces no order; there a rule for it never strikes."""
READS = ("order/realtime", "order/history", "execution/list", "position/list")
LISTS = ("order/realtime", "execution/list", "position/list")
READ_LAG_MAX_MS = 1_500
REFUSALS = (10016, 10006, 10002)
HALF_REFUSALS = (101204, 110424, 109500)
"""Why BingX may refuse the second half of a replacement: margin, too little to close, busy."""
KINDS = (
    "drop_request", "drop_response", "drop_response", "delay_delivery", "delay_response", "empty_body", "garbage_body",
    "empty_list", "truncated_page", "http_status", "ret_code", "lag", "vanish_ms", "partial_fill",
    "half_replace",
)  # fmt: skip


def draw_faults(chance: random.Random, accounts: Sequence[tuple[str, Market]]) -> tuple[Fault, ...]:
    """Rules for the accounts that are hit this round; each account comes with its bot's market."""
    rules = []
    for key, market in accounts:
        if chance.random() >= HIT_SHARE:
            continue
        if chance.random() < STORM_SHARE:
            rules += [{"account": key, "seed": chance.randrange(1_000_000), **rule} for rule in _draw_storm(chance)]
        else:
            rules += [_draw_rule(chance, key, market) for _ in range(chance.randint(1, RULES_MAX))]
    return tuple(rules)


def _draw_storm(chance: random.Random) -> list[Fault]:
    """Lost answers in a fog of stale reads, orders that arrive late, or changes that are hardly ever answered."""
    share = _share(chance, 40, 80)
    match chance.choice(("fog", "fog", "late", "deaf")):
        case "fog":
            lag = {"fault": "lag", "delay_ms": READ_LAG_MAX_MS, "probability": "0.8"}
            lost: Fault = {"fault": "drop_response", "endpoint": "order/create", "probability": share}
            return [lost, *({**lag, "endpoint": endpoint} for endpoint in ("order/realtime", "execution/list"))]
        case "late":
            delay_ms = chance.randint(500, 4_500)
            late: Fault = {"fault": "delay_delivery", "endpoint": "order/create", "delay_ms": delay_ms}
            return [{**late, "probability": share}]
        case _:
            return [{"fault": "drop_response", "endpoint": endpoint, "probability": share} for endpoint in WRITES]


def _draw_rule(chance: random.Random, key: str, market: Market) -> Fault:
    kind = chance.choice(KINDS)
    rule: Fault = {"fault": kind, "account": key, "seed": chance.randrange(1_000_000)}
    match kind:
        case "drop_request" | "drop_response":
            rule |= {"endpoint": chance.choice(WRITES), "probability": _share(chance, 10, 50)}
            rule |= {"delay_ms": chance.choice((0, 0, 200, 800))}
        case "delay_delivery":
            rule |= {"endpoint": chance.choice(WRITES), "probability": _share(chance, 10, 40)}
            rule |= {"delay_ms": chance.choice((300, 1_000, 3_000, 6_000))}
        case "delay_response":
            rule |= {"probability": _share(chance, 2, 15), "delay_ms": chance.randint(100, 1_500)}
        case "empty_list" | "truncated_page":
            rule |= {"endpoint": chance.choice(LISTS), "probability": _share(chance, 3, 15)}
        case "lag" | "vanish_ms":
            rule |= {"endpoint": chance.choice(READS), "probability": _share(chance, 10, 60)}
            rule |= {"delay_ms": chance.randint(200, READ_LAG_MAX_MS)}
        case "partial_fill":
            rule |= {"quantity": str(market.step * chance.randint(1, 3))}
        case "half_replace":
            rule |= {"endpoint": "order/replace", "probability": _share(chance, 10, 50)}
            rule |= {"code": chance.choice(HALF_REFUSALS)}
        case "http_status":
            rule |= {"probability": _share(chance, 2, 12), "status": chance.choice((500, 502, 503))}
        case "ret_code":
            rule |= {"probability": _share(chance, 2, 12), "code": chance.choice(REFUSALS)}
        case _:
            rule |= {"probability": _share(chance, 2, 12)}
    return rule


def _share(chance: random.Random, least: int, most: int) -> str:
    return f"0.{chance.randint(least, most):02d}"
