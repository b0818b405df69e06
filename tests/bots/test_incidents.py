"""Incidents through the real thread and the real exchange: what the trader, the operator and the figures are told."""

import pytest
from structlog.testing import capture_logs

from blitz.bots import manager as manager_module
from blitz.bots.protection import INCIDENT_AFTER_RESTART_MS
from blitz.core.records import EventKind
from blitz.web.feed import sentence
from tests.bots.both import BOTH
from tests.bots.stage import until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")
ALARMS = {EventKind.UNPROTECTED, EventKind.PROTECTED_AGAIN}


def guard(trader):
    return trader.status()["protected"]


def incident(trader):
    return guard(trader)["incident"]


def told(stage, trader):
    """The alarms in the trader's feed, in words."""
    rows = stage.history.events(trader.id, after_id=0, limit=500)
    return [sentence(row.event.kind, 0, row.event.data) for row in rows if row.event.kind in ALARMS]


def alarms(lines):
    return [line for line in lines if line.get("action") in ("unprotected", "protected_again")]


def laid(stage):
    """A trader whose bot has laid its ladder."""
    alice = stage.trader()
    alice.start()
    alice.wait_for_names(*NAMES)
    until(lambda: guard(alice)["yes"], "protection")
    return alice


def test_a_take_profit_that_the_exchange_refuses_is_one_incident_that_names_the_refusal(hurried):
    alice = laid(hurried)
    with capture_logs() as lines:
        hurried.fault("ret_code", endpoint="order/create", code="110099", message="not this time")
        alice.cancel(alice.tag("tp"))
        until(lambda: guard(alice)["state"] == "unprotected", "the missing take-profit to be seen")
        assert incident(alice) is None
        until(lambda: incident(alice), "the incident")

        status = guard(alice)
        figures = hurried.manager.protection_figures()
        assert (status["yes"], status["state"], status["cause"]) == (False, "unprotected", "refused")
        assert status["why"] == "The exchange refuses the take-profit (110099: not this time). It is tried again."
        assert status["incident"]["cause"] == status["why"]
        assert status["incident"]["since"] == status["since"]
        assert status["incident"]["seconds"] >= 5
        assert (figures.open, figures.protected, figures.unprotected) == (1, 0, 1)
        assert (figures.incidents_open, figures.incidents_total) == (1, 1)
        assert figures.unprotected_seconds_max > 5

        hurried.lift_faults()
        until(lambda: guard(alice)["yes"], "the take-profit to rest again", 20)

    assert incident(alice) is None
    began, ended = alarms(lines)
    assert (began["log_level"], began["user_id"], began["symbol"]) == ("error", alice.id, "BTC/USDT:USDT")
    assert (began["quantity"], began["cause"], began["since"]) == ("0.016", "refused", status["since"])
    assert (ended["log_level"], ended["now"]) == ("info", "protected")
    assert ended["seconds"] > 5
    until(lambda: len(told(hurried, alice)) == 2, "the end to be told")
    first, second = told(hurried, alice)
    assert first.startswith("UNPROTECTED since ")
    assert "(110099: not this time)" in first
    assert "or close the position there" in first
    assert second.startswith("Protected again after ")
    after = hurried.manager.protection_figures()
    assert (after.protected, after.incidents_open, after.incidents_total) == (1, 0, 1)
    assert after.unprotected_seconds_max == 0


def test_an_order_cancelled_by_hand_comes_back_without_an_incident(hurried):
    alice = laid(hurried)
    since = guard(alice)["since"]
    with capture_logs() as lines:
        alice.cancel(alice.tag("tp"))
        until(lambda: guard(alice)["cause"] == "cancelled_by_hand", "the missing take-profit to be seen")
        until(lambda: guard(alice)["yes"], "the take-profit to rest again")

    assert alarms(lines) == []
    assert guard(alice)["since"] > since


def test_an_exchange_that_does_not_answer_leaves_unknown_and_never_protected(hurried):
    alice = laid(hurried)
    with capture_logs() as lines:
        hurried.exchange_down()
        until(lambda: incident(alice), "the incident")
        status = guard(alice)
        hurried.exchange_up()
        hurried.price("60000")
        until(lambda: guard(alice)["yes"], "a look", 20)
        until(lambda: incident(alice) is None, "the end of the incident")

    assert (status["yes"], status["state"], status["cause"]) == (False, "unknown", "exchange_unread")
    assert "When it was last seen, every exit rested for the whole position." in status["why"]
    assert [line["action"] for line in alarms(lines)] == ["unprotected", "protected_again"]


def test_a_refused_key_is_named_when_nobody_can_look(hurried):
    alice = laid(hurried)
    hurried.fault("ret_code", code="10003", message="API key is invalid.")

    until(lambda: incident(alice), "the incident")

    assert guard(alice)["cause"] == "key_rejected"
    assert guard(alice)["state"] == "unknown"
    assert "Enter a valid key" in told(hurried, alice)[0]


def test_a_thread_that_hangs_in_one_call_is_judged_by_the_watchdog(stage, alice, monkeypatch):
    monkeypatch.setattr(manager_module, "WATCH_SECONDS", 0.1)
    stage.manager.resume_all()
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.fault("delay_response", endpoint="position/list", delay_ms="9000", count="1")
    until(lambda: stage.hits() == 1, "the call to hang")

    until(lambda: incident(alice), "the incident", 8)

    assert (guard(alice)["state"], guard(alice)["cause"]) == ("unknown", "bot_hangs")
    until(lambda: incident(alice) is None, "the end of the incident", 10)
    until(lambda: len(told(stage, alice)) == 2, "the end to be told")
    began, ended = told(stage, alice)
    assert began.startswith("PROTECTION UNKNOWN since ")
    assert ended.startswith("Protected again after ")


def test_after_a_restart_a_position_of_the_journal_is_unknown_and_has_the_longer_bound(hurried):
    alice = laid(hurried)
    hurried.exchange_down()
    began_ms = hurried.clock.now_ms()
    hurried.restart()

    assert guard(alice)["state"] == "unknown"
    until(lambda: incident(alice), "the incident")

    assert hurried.clock.now_ms() - began_ms >= INCIDENT_AFTER_RESTART_MS
    hurried.exchange_up()
    hurried.price("60000")
    until(lambda: guard(alice)["yes"], "a look", 20)
    until(lambda: incident(alice) is None, "the end of the incident")


@pytest.mark.parametrize(("legs", "state"), [("pull", "protected"), ("keep", "unprotected")])
def test_a_stopped_bot_whose_legs_rest_is_an_incident_until_it_starts_again(hurried, monkeypatch, legs, state):
    monkeypatch.setattr(manager_module, "WATCH_SECONDS", 0.1)
    hurried.manager.resume_all()
    alice = laid(hurried)
    alice.stop(legs=legs)
    until(lambda: alice.status()["status"] == "stopped", "the bot to stop")

    assert guard(alice)["state"] == state
    if legs == "pull":
        assert guard(alice)["why"].endswith("nobody watches while it is stopped.")
        return
    until(lambda: incident(alice), "the incident")
    assert guard(alice)["cause"] == "stopped_with_legs"

    alice.start()

    until(lambda: guard(alice)["yes"], "a look")
    until(lambda: incident(alice) is None, "the end of the incident")
    until(lambda: len(told(hurried, alice)) == 2, "the end to be told")
    assert [line.split(" ")[0] for line in told(hurried, alice)] == ["UNPROTECTED", "Protected"]


def test_a_position_that_is_closed_ends_its_incident(hurried):
    alice = laid(hurried)
    hurried.fault("ret_code", endpoint="order/create", code="110099", message="not this time", account=alice.key)
    alice.cancel(*[alice.tag(name) for name in NAMES])
    until(lambda: incident(alice), "the incident")
    hurried.lift_faults()

    alice.close_by_hand("0.016")

    until(lambda: incident(alice) is None, "the end of the incident")
    until(lambda: told(hurried, alice)[-1].startswith("The position is closed after "), "the words for it")


def test_an_order_that_waits_for_its_next_try_does_not_keep_the_bot_from_looking(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.fault("ret_code", endpoint="order/create", code="110007", message="not enough margin")
    alice.cancel(alice.tag("leg_3"))
    alice.wait_for_status("needs_attention")

    stage.price("59400")

    until(lambda: alice.ladder()["tp"][0] == "0.032", "the take-profit to cover the leg that filled", 5)
    until(lambda: guard(alice)["yes"], "protection", 5)


def test_a_cycle_that_goes_well_raises_no_alarm(hurried):
    with capture_logs() as lines:
        alice = laid(hurried)
        for price in ("59400", "58806", "60400"):
            hurried.price(price)
            until(lambda: guard(alice)["yes"], "protection")
        until(lambda: hurried.history.totals(alice.id).cycles == 1, "the cycle to be booked")

    assert alarms(lines) == []


def test_recover_looks_for_a_stopped_bot_whose_position_was_closed_by_hand(hurried, monkeypatch):
    monkeypatch.setattr(manager_module, "WATCH_SECONDS", 0.1)
    hurried.manager.resume_all()
    alice = laid(hurried)
    alice.stop(legs="keep")
    until(lambda: incident(alice), "the incident")
    alice.close_by_hand("0.016")

    alice.recover()

    until(lambda: incident(alice) is None, "the end of the incident")
    until(lambda: told(hurried, alice)[-1].startswith("The position is closed after "), "the words for it")
