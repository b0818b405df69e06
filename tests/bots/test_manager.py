"""The manager: one bot per user, whatever is pressed at once; true statuses; faults that stay with one user."""

import threading
from concurrent.futures import ThreadPoolExecutor
from inspect import signature

import pytest

from blitz.bots import manager as manager_module
from blitz.bots import user_bot
from blitz.bots.mailbox import Stop
from blitz.bots.manager import SimpleBotManager
from blitz.core.work import Mode
from blitz.errors import DatabaseProblem
from blitz.storage.journal import BotJournal
from tests.bots.both import BOTH
from tests.bots.stage import until

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def test_the_documented_shape_of_a_managed_bot(stage, alice):
    alice.start()
    info = stage.manager.managed_bots[alice.id]
    assert {"thread", "stop_event", "start_time", "status"} <= set(info)
    assert info["thread"].name == f"bot_user_{alice.id}"
    assert info["thread"].is_alive()
    assert not info["stop_event"].is_set()


def test_the_five_methods_take_a_user_first():
    five = ("start_bot_for_user", "stop_bot_for_user", "get_bot_status", "recover_orders_for_user")
    for name in five:
        assert list(signature(getattr(SimpleBotManager, name)).parameters)[:2] == ["self", "user_id"]
    assert list(signature(SimpleBotManager.get_all_bot_statuses).parameters) == ["self"]


def test_the_overview_counts_who_is_managed_and_who_runs(stage):
    alice, bob = stage.trader("alice"), stage.trader("bob")
    alice.start()
    bob.start()
    alice.wait_for_status("running")
    bob.wait_for_status("running")
    told = stage.manager.get_all_bot_statuses()
    assert set(told["users"]) == {str(alice.id), str(bob.id)}
    assert {"running", "status", "uptime"} == set(told["users"][str(alice.id)])
    assert (told["totals"]["total_managed"], told["totals"]["total_running"]) == (2, 2)


def test_a_user_who_never_started_is_not_running(alice):
    told = alice.status()
    assert (told["running"], told["status"], told["uptime"]) == (False, "not_running", 0)
    assert told["symbol"] == "BTC/USDT:USDT"


def test_start_of_a_user_who_does_not_exist_is_refused(stage):
    assert stage.manager.start_bot_for_user(999)["status"] == "invalid_settings"
    assert stage.manager.managed_bots == {}


@BOTH
def test_without_a_key_of_its_own_a_paper_trader_gets_an_account(stage):
    user = stage.users.create("nokey@example.com", "correct horse battery staple")
    stage.users.save_settings(user.id, manager_settings(stage, user.id, exchange=stage.exchange))
    assert stage.manager.start_bot_for_user(user.id)["status"] == "started"


def test_live_mode_without_a_key_is_refused_before_anything_is_tried(stage):
    user = stage.users.create("nokey@example.com", "correct horse battery staple")
    stage.users.save_settings(user.id, manager_settings(stage, user.id, mode="live"))
    assert stage.manager.start_bot_for_user(user.id)["status"] == "missing_credentials"
    assert stage.manager.managed_bots == {}


def manager_settings(stage, user_id, **changes):
    from blitz.core.ladder_settings import parse_settings

    return parse_settings(changes, base=stage.users.by_id(user_id).settings)


@BOTH
def test_sixty_four_starts_at_once_start_one_bot(stage, alice):
    barrier = threading.Barrier(64)

    def press():
        barrier.wait(10)
        return alice.start()["status"]

    with ThreadPoolExecutor(64) as pool:
        told = [future.result() for future in [pool.submit(press) for _ in range(64)]]
    assert sorted(told) == ["already_running"] * 63 + ["started"]
    alice.wait_for_names(*NAMES)
    assert [thread.name for thread in threading.enumerate()].count(f"bot_user_{alice.id}") == 1


@BOTH
def test_starts_and_stops_at_once_never_leave_two_bots(stage, alice):
    def press(number):
        return alice.start() if number % 2 else alice.stop()

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(press, range(48)))
    assert {one["status"] for one in told} <= {"started", "already_running", "stopped", "stopping", "not_running"}
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("bot_user")]
    assert len(names) <= 1
    alice.start()
    alice.stop(position="close")
    until(lambda: alice.size() == 0 and alice.truth() == {}, "a flat account")
    alice.assert_books_agree()


@BOTH
def test_a_slow_exchange_of_one_user_delays_no_other(stage):
    slow, quick = stage.trader("slow"), stage.trader("quick")
    stage.fault("delay_response", account=slow.key, delay_ms="1500")
    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(slow.start)
        quick.start()
        quick.wait_for_names(*NAMES, seconds=2)
        assert pressed.result(5)["status"] == "started"
    stage.lift_faults()


def test_a_fault_in_one_bot_ends_it_alone_and_says_so(stage, monkeypatch):
    alice, bob = stage.trader("alice"), stage.trader("bob")
    bob.start()
    bob.wait_for_names(*NAMES)
    monkeypatch.setattr(stage.manager._parts.exchanges, "gateway", broken)
    alice.start()
    told = alice.wait_for_status("error")
    assert "fault in the server (ZeroDivisionError)" in told["message"]
    assert stage.store.desired(alice.id) == "running"
    assert bob.status()["running"]
    monkeypatch.undo()
    assert alice.start()["status"] == "started"
    alice.wait_for_names(*NAMES)


def broken(*_):
    raise ZeroDivisionError


def test_a_status_that_cannot_be_recorded_ends_no_bot(hurried, monkeypatch):
    alice = hurried.trader()
    alice.start()
    alice.wait_for_names(*NAMES)
    monkeypatch.setattr(hurried.store, "record_status", unwritable)
    hurried.fault("http_status", account=alice.key, status="503", count="3")
    until(lambda: "could not be read" in alice.status()["message"], "trouble")
    until(lambda: alice.status()["message"] == "Bot is running", "the end of it")


@BOTH
def test_an_entry_whose_intent_cannot_be_stored_is_not_sent(stage, alice, monkeypatch):
    stage.store.set_desired(alice.id, "running")
    monkeypatch.setattr(BotJournal, "save", unwritable)
    bot = stage.manager._register(alice.id)
    bot.start(by_trader=False)
    until(lambda: alice.status()["looked_at"], "a first look")
    assert alice.account()["counts"] == {"open_orders": "0", "order_history": "0", "executions": "0"}
    monkeypatch.undo()
    alice.wait_for_names(*NAMES)


def unwritable(*_, **__):
    raise DatabaseProblem("The disk is full.")


def test_a_start_whose_wish_cannot_be_stored_leaves_no_ghost_behind(stage, alice, monkeypatch):
    monkeypatch.setattr(stage.store, "set_desired", unwritable)
    with pytest.raises(DatabaseProblem):
        alice.start()
    monkeypatch.undo()
    assert stage.manager.managed_bots == {}
    assert alice.start()["status"] == "started"


def test_what_an_ending_bot_writes_never_overwrites_the_next_start(stage, alice, monkeypatch):
    record, next_start = stage.store.record_status, {}

    def press_start_meanwhile(user_id, status, message):
        if status == "stopped":
            next_start.update(alice.start())
        record(user_id, status, message)

    alice.start()
    alice.wait_for_names(*NAMES)
    monkeypatch.setattr(stage.store, "record_status", press_start_meanwhile)
    alice.stop()
    assert next_start["status"] == "already_running"
    monkeypatch.undo()
    assert stage.store.desired(alice.id) == "stopped"
    assert alice.start()["status"] == "started"
    assert stage.store.desired(alice.id) == "running"


def test_a_bot_that_hangs_is_told_from_one_that_runs_and_no_second_one_is_started(stage, alice, monkeypatch):
    monkeypatch.setattr(manager_module, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(user_bot, "STALLED_SECONDS", 0.3)
    stage.manager.resume_all()
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.fault("delay_response", account=alice.key, endpoint="order/realtime", delay_ms="2000", count="1")
    told = alice.wait_for_status("needs_attention")
    assert told["attention"]["code"] == "stalled"
    assert told["running"]
    assert alice.start()["status"] == "already_running"
    until(lambda: "hangs" in feed(stage, alice), "a line in the feed")
    alice.wait_for_status("running")


def feed(stage, trader):
    return " ".join(str(row.event.data) for row in stage.history.latest_events(trader.id))


def test_stop_answers_in_time_when_the_exchange_hangs(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.fault("delay_response", account=alice.key, endpoint="order/cancel", delay_ms="2200", count="1")
    assert alice.stop()["status"] == "stopping"
    assert alice.status()["status"] == "stopping"
    assert alice.start()["status"] == "already_running"
    alice.wait_for_status("stopped")
    assert set(alice.truth()) == {f"sm_tp_{alice.id}_BTCUSDTUSDT"}


def test_a_letter_to_a_bot_that_just_ended_is_answered(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    bot = stage.manager.managed_bots[alice.id]["bot"]
    bot.mailbox.put(Stop(mode=Mode.STOP_KEEP))
    told = alice.recover()
    assert told["success"] or "just ended" in told["message"] or told["status"] == "recovered"
    alice.wait_for_status("stopped")
