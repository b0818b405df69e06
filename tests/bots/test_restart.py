"""Shutting down cancels nothing, and a new server over the same database goes on with exactly the same orders."""

from tests.bots.both import BOTH
from tests.bots.stage import until

pytestmark = BOTH

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def order_ids(trader):
    return {tag: trader.order_id(tag) for tag in trader.resting()}


def test_a_shutdown_cancels_nothing_and_keeps_the_wish_to_run(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    before = order_ids(alice)
    stage.manager.shut_down()
    assert order_ids(alice) == before
    assert stage.store.desired(alice.id) == "running"
    assert alice.start()["status"] == "shutting_down"


def test_a_restart_resumes_with_exactly_the_same_orders(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    before = order_ids(alice)
    stage.restart()
    alice.wait_for_status("running")
    assert alice.start()["status"] == "already_running"
    until(lambda: alice.status()["looked_at"], "a first look")
    assert order_ids(alice) == before
    assert alice.account()["counts"]["order_history"] == "1"  # leg 0: nothing was cancelled or sent again
    stage.price("60300")
    until(lambda: (alice.status()["cycle"] or {}).get("number") == 2, "the second cycle")
    alice.assert_books_agree()


def test_what_happened_while_the_server_was_down_is_caught_up_with(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.manager.shut_down()
    stage.price("58806")  # two legs fill
    stage.restart()
    alice.wait_for_ladder({"tp": ("0.066", "59535.7"), "leg_3": ("0.069", "57629.9")})


def test_a_cycle_that_ended_while_the_server_was_down_is_booked_and_the_next_one_starts(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.manager.shut_down()
    stage.price("60300")
    stage.restart()
    until(lambda: (alice.status()["cycle"] or {}).get("number") == 2, "the second cycle")
    alice.wait_for_names(*NAMES)
    alice.assert_books_agree()


def test_only_bots_that_should_run_are_resumed(stage):
    alice, bob, carol = (stage.trader(name) for name in ("alice", "bob", "carol"))
    alice.start()
    bob.start()
    bob.wait_for_names(*NAMES)
    bob.stop()
    stage.restart()
    assert set(stage.manager.managed_bots) == {alice.id}
    assert carol.status()["status"] == "not_running"
    assert bob.status()["status"] == "stopped"


def test_a_bot_that_ended_by_itself_is_not_resumed(stage, alice):
    alice.choose(repeat=False)
    alice.start()
    alice.wait_for_names(*NAMES)
    stage.price("60300")
    alice.wait_for_status("stopped")
    stage.restart()
    assert stage.manager.managed_bots == {}
    assert alice.size() == 0


def test_a_bot_that_ends_by_itself_just_as_the_server_stops_is_not_resumed(stage, alice, monkeypatch):
    alice.choose(repeat=False)
    alice.start()
    alice.wait_for_names(*NAMES)
    record = stage.store.record_status

    def record_and_stop_the_server(user_id, status, message):
        record(user_id, status, message)
        if status == "stopped":
            stage.manager._closing.set()

    monkeypatch.setattr(stage.store, "record_status", record_and_stop_the_server)
    stage.price("60300")
    until(lambda: stage.manager.managed_bots == {}, "the end of the bot")
    assert stage.store.desired(alice.id) == "stopped"


def test_a_process_killed_right_after_the_last_cycle_was_booked_begins_no_other_one(stage, alice, monkeypatch):
    # The end of the cycle was stored, and the wish to rest a moment later: whoever died in between entered again.
    alice.choose(repeat=False)
    alice.start()
    alice.wait_for_names(*NAMES)
    monkeypatch.setattr(stage.manager, "_ended", lambda bot: None)  # what the server writes at a bot's end
    stage.price("60300")
    until(lambda: alice.account()["open_orders"] == [] and alice.size() == 0, "the end of the position")
    until(lambda: stage.store.desired(alice.id) == "stopped", "the wish to rest")
    stage.restart()
    assert stage.manager.managed_bots == {}
    assert [row["orderLinkId"] for row in alice.account()["executions"]] == [alice.tag("leg_0"), alice.tag("tp")]


def test_the_exchange_restarts_and_the_bot_goes_on(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    before = order_ids(alice)
    stage.exchange_down()
    until(lambda: "could not be read" in alice.status()["message"], "the bot to notice")
    assert alice.status()["running"]
    stage.exchange_up()
    until(lambda: alice.status()["message"] == "Bot is running", "the bot to see its exchange again")
    assert order_ids(alice) == before
    stage.price("59400")
    alice.wait_for_ladder({"tp": ("0.032", "59998.5"), "leg_2": ("0.034", "58806"), "leg_3": ("0.069", "57629.9")})


def test_an_exchange_that_is_down_at_the_start_is_waited_for(stage, alice):
    stage.exchange_down()
    assert alice.start()["status"] == "started"
    assert alice.status()["status"] == "starting"
    assert "Waiting for the exchange" in alice.status()["message"]
    stage.exchange_up()
    stage.price("60000")
    alice.wait_for_names(*NAMES)
