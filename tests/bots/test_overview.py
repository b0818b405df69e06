"""The manager's overview: every bot at a glance, from memory alone; and no bot is started while maintenance goes on."""

from blitz.bots.manager import SimpleBotManager
from blitz.bots.protection import Cover
from blitz.storage.database import Database
from tests.bots.stage import until


def test_a_running_bot_is_seen_with_its_cycle_and_protection(stage, alice):
    alice.start()
    until(lambda: alice.status().get("protected", {}).get("yes"), "the position is protected")

    seen = stage.manager.overview()[alice.id]

    assert (seen.status, seen.mode, seen.cycle, seen.legs_filled) == ("running", "paper", 1, 1)
    assert (seen.cover, seen.has_position, seen.is_alarming) == (Cover.PROTECTED, True, False)
    assert seen.since_ms is not None
    assert seen.legs == alice.status()["cycle"]["legs"]


def test_an_overview_agrees_with_the_status_of_each(stage):
    traders = [stage.trader("alice"), stage.trader("bob")]
    for trader in traders:
        trader.start()
        trader.wait_for_status("running")
    traders[1].stop()

    overview = stage.manager.overview()

    assert overview.keys() == {trader.id for trader in traders}
    for trader in traders:
        status = trader.status()
        assert (overview[trader.id].status, overview[trader.id].message) == (status["status"], status["message"])
    assert overview[traders[1].id].uptime == 0


def test_an_overview_asks_no_database(stage, alice, monkeypatch):
    alice.start()
    alice.wait_for_status("running")

    def refuse(_database: Database) -> None:
        raise AssertionError("the overview reads memory alone")

    with monkeypatch.context() as patch:
        patch.setattr(type(stage.users), "by_id", refuse)
        patch.setattr(type(stage.store), "record", refuse)
        patch.setattr(type(stage.history), "totals", refuse)
        assert alice.id in stage.manager.overview()


def test_nobody_is_seen_before_anybody_has_started(stage, alice):
    assert stage.manager.overview() == {}


def test_maintenance_refuses_starts_and_leaves_whoever_runs_alone(stage):
    alice, bob = stage.trader("alice"), stage.trader("bob")
    why = [""]
    stage.manager.shut_down()
    stage.manager = SimpleBotManager(stage.manager._parts, stage.history, lambda: why[0])
    alice.start()
    alice.wait_for_status("running")
    why[0] = "Back at 18:00."

    told = stage.manager.start_bot_for_user(bob.id)

    assert (told["success"], told["status"]) == (False, "maintenance")
    assert "Back at 18:00." in told["message"]
    assert stage.manager.overview()[alice.id].status.is_alive
    assert bob.id not in stage.manager.managed_bots
    why[0] = ""
    assert stage.manager.start_bot_for_user(bob.id)["success"]


def test_a_server_that_starts_again_during_maintenance_resumes_its_bots(stage, alice):
    alice.start()
    alice.wait_for_status("running")
    stage.manager.shut_down()
    stage.manager = SimpleBotManager(stage.manager._parts, stage.history, lambda: "Back at 18:00.")

    assert stage.manager.resume_all() == 1
    until(lambda: stage.manager.overview()[alice.id].status == "running", "the bot runs again")
