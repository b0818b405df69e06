"""A cycle under faults: whatever is lost, late, empty or refused, no tag rests twice and the books end up equal."""

import pytest

from tests.bots.both import BOTH
from tests.bots.stage import until

LADDER = {
    "tp": ("0.016", "60300"),
    "leg_1": ("0.016", "59400"),
    "leg_2": ("0.034", "58806"),
    "leg_3": ("0.069", "57629.9"),
}

FAULTS = {
    "the answer to each create is lost once": {"fault": "drop_response", "endpoint": "order/create", "count": "5"},
    "the first entry never arrives": {"fault": "drop_request", "endpoint": "order/create", "count": "1"},
    "a leg never arrives": {"fault": "drop_request", "endpoint": "order/create", "skip": "2", "count": "1"},
    "a create is answered late": {
        "fault": "delay_response", "endpoint": "order/create", "count": "4", "delay_ms": "150",
    },
    "creates are answered with nothing": {"fault": "empty_body", "endpoint": "order/create", "count": "4"},
    "creates are answered with garbage": {"fault": "garbage_body", "endpoint": "order/create", "count": "4"},
    "the server has an error": {"fault": "ret_code", "code": "10016", "count": "6"},
    "the server has an error at creates": {
        "fault": "ret_code", "code": "10016", "endpoint": "order/create", "count": "1",
    },
    "too many visits": {"fault": "ret_code", "code": "10006", "probability": "0.3", "seed": "3", "count": "3"},
    "the gateway is down": {"fault": "http_status", "status": "503", "probability": "0.3", "seed": "5", "count": "5"},
    "lists come empty": {"fault": "empty_list", "endpoint": "order/realtime", "skip": "3", "count": "3"},
    "positions come as nothing": {"fault": "empty_body", "endpoint": "position/list", "skip": "1", "count": "3"},
    "fills come as garbage": {"fault": "garbage_body", "endpoint": "execution/list", "count": "3"},
    "reads lag": {"fault": "lag", "endpoint": "execution/list", "delay_ms": "500"},
    "orders vanish before they are history": {"fault": "vanish_ms", "delay_ms": "400"},
    "amends are lost": {"fault": "drop_response", "endpoint": "order/amend", "count": "2"},
    "cancels are lost": {"fault": "drop_response", "endpoint": "order/cancel", "count": "2"},
    "cancels never arrive": {"fault": "drop_request", "endpoint": "order/cancel", "count": "2"},
    "any request is lost": {"fault": "drop_request", "probability": "0.15", "seed": "7", "count": "8"},
    "any answer is lost": {"fault": "drop_response", "probability": "0.15", "seed": "11", "count": "8"},
}  # fmt: skip


REPLACING = {
    "replacements are lost": {"fault": "drop_response", "endpoint": "order/replace", "count": "2"},
    "replacements never arrive": {"fault": "drop_request", "endpoint": "order/replace", "count": "2"},
    "replacements are answered with nothing": {"fault": "empty_body", "endpoint": "order/replace", "count": "2"},
    "the second half is refused": {
        "fault": "half_replace", "code": "101204", "endpoint": "order/replace", "count": "1",
    },
    "the second half finds no position": {
        "fault": "half_replace", "code": "101205", "endpoint": "order/replace", "count": "1",
    },
    "the venue is busy": {"fault": "ret_code", "code": "109500", "endpoint": "order/replace", "count": "2"},
}  # fmt: skip
"""Faults of what only BingX has: a new price by another order in the place of the old one."""

IN_PLACE = {"amends are lost"}
"""Faults of what Bybit does with the same wish."""

REUSED = [name for name, rule in FAULTS.items() if rule.get("endpoint", "order/create") == "order/create"]
"""Faults that also meet an account where an id may be used again: there a late order is told from an old one."""

CASES = [("bybit", name, "never") for name in FAULTS] + [("bybit", name, "reusable") for name in REUSED]
CASES += [("bingx", name, "never") for name in FAULTS if name not in IN_PLACE]
CASES += [("bingx", name, regime) for name in REPLACING for regime in ("never", "reusable")]


@pytest.mark.parametrize(
    ("exchange", "fault", "regime"), CASES, indirect=["exchange"],
    ids=[f"{exchange}, {name}, ids {regime}" for exchange, name, regime in CASES],
)  # fmt: skip
def test_a_cycle_under_a_fault_never_rests_a_tag_twice_and_keeps_true_books(hurried, fault, regime):
    hurried.control("rules", id_regime=regime)
    alice = hurried.trader()
    hurried.fault(account=alice.key, **(FAULTS | REPLACING)[fault])
    alice.start()
    alice.wait_for_ladder(LADDER, 20)  # `ladder` fails when a tag rests twice
    hurried.price("59400")
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "leg_2": LADDER["leg_2"], "leg_3": LADDER["leg_3"]}, 20)
    hurried.price("60000")
    until(lambda: hurried.history.totals(alice.id).cycles == 1, "the cycle to be booked", 20)
    alice.wait_for_ladder(LADDER, 20)
    assert hurried.hits() > 0
    entries = [row["orderLinkId"] for row in alice.account()["executions"] if "leg_0" in row["orderLinkId"]]
    assert len(entries) == 2, "one entry per cycle"
    hurried.lift_faults()
    until(lambda: alice.status()["message"] == "Bot is running", "a quiet end")
    alice.assert_books_agree()


@BOTH
def test_an_entry_whose_answer_is_lost_is_found_and_not_sent_again(hurried):
    alice = hurried.trader()
    hurried.fault("drop_response", account=alice.key, endpoint="order/create", count="1")
    alice.start()
    alice.wait_for_ladder(LADDER)
    assert [row["orderLinkId"] for row in alice.account()["executions"]] == [alice.tag("leg_0")]


@BOTH
def test_an_entry_that_never_arrived_is_sent_again_under_the_same_tag(hurried):
    alice = hurried.trader()
    hurried.fault("drop_request", account=alice.key, endpoint="order/create", count="1")
    alice.start()
    alice.wait_for_ladder(LADDER)
    assert [row["orderLinkId"] for row in alice.account()["executions"]] == [alice.tag("leg_0")]


@BOTH
@pytest.mark.parametrize("regime", ["never", "reusable", "unenforced"])
def test_tags_repeat_only_as_the_account_allows(stage, regime):
    stage.control("rules", id_regime=regime)
    alice = stage.trader(repeat=True)
    alice.start()
    alice.wait_for_ladder(LADDER)
    first = set(alice.resting())
    stage.price("60300")
    until(lambda: (alice.status()["cycle"] or {}).get("number") == 2, "the second cycle")
    alice.wait_for_names("tp", "leg_1", "leg_2", "leg_3")
    second = {f"{tag}_1" for tag in first} if regime == "never" else first
    assert set(alice.resting()) == second
    alice.assert_books_agree()


@BOTH
def test_a_clock_that_is_off_is_measured_again(hurried):
    alice = hurried.trader()
    alice.start()
    alice.wait_for_ladder(LADDER)
    hurried.move_time(60_000)  # every request is too old now: 10002
    hurried.price("59400")
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "leg_2": LADDER["leg_2"], "leg_3": LADDER["leg_3"]})
