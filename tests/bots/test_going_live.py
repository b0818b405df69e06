"""Real money is traded by a bot whose trader went live, and by no other; here the venue is a paper exchange."""

from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import ExchangeName
from blitz.core.records import BotEvent, EventKind
from tests.bots.both import BOTH
from tests.bots.stage import until

LADDER = ("tp", "leg_1", "leg_2", "leg_3")


def go_live(stage, trader):
    keys = Credentials(api_key=trader.key, api_secret=trader.secret)
    told = BotEvent(kind=EventKind.WENT_LIVE, at_ms=stage.clock.now_ms())
    assert stage.users.go_live(trader.id, keys, ExchangeName(stage.exchange), told)


def change_key(stage, trader, key="another-key"):
    """Another key of the same account, as far as this server can know."""
    stage.users.save_credentials(trader.id, key, trader.secret)


def test_a_bot_whose_trader_has_not_gone_live_is_not_started(stage):
    bob = stage.trader("bob", mode="live")

    answer = bob.start()

    assert (answer["success"], answer["status"]) == (False, "not_live")
    assert "Go live" in answer["message"]
    assert stage.manager.managed_bots == {}
    assert bob.account()["order_history"] == bob.account()["open_orders"] == []


def test_recover_places_nothing_with_real_money_that_nobody_allowed(stage):
    bob = stage.trader("bob", mode="live")

    assert bob.recover()["status"] == "not_live"
    assert bob.recover(dry_run=True)["status"] == "not_live"


@BOTH
def test_after_going_live_the_bot_trades_on_the_live_account(stage):
    bob = stage.trader("bob", mode="live")
    go_live(stage, bob)

    assert bob.start()["status"] == "started"

    bob.wait_for_names(*LADDER)
    assert bob.status()["mode"] == "live"
    assert stage.history.cycles(bob.id, account=f"{stage.exchange}:live")[0].number == 1
    assert stage.history.cycles(bob.id, account=f"{stage.exchange}:paper") == []


def test_a_paper_bot_does_not_slide_into_live_with_its_next_cycle(stage, alice):
    alice.start()
    alice.wait_for_names(*LADDER)
    alice.choose(mode="live")

    stage.price("60300")

    ended = alice.wait_for_status("stopped")
    assert "Go live" in ended["message"]
    assert stage.history.cycles(alice.id, account="bybit:live") == []
    assert alice.size() == 0
    assert stage.store.desired(alice.id) == "stopped"


def test_other_keys_let_the_cycle_end_in_peace_and_begin_no_other(stage):
    bob = stage.trader("bob", mode="live")
    go_live(stage, bob)
    bob.start()
    bob.wait_for_names(*LADDER)

    change_key(stage, bob)
    stage.price("59400")
    until(lambda: bob.ladder().get("tp", ("", ""))[0] == "0.032", "a take-profit that follows the filled leg")
    stage.price("60000")

    assert "Go live" in bob.wait_for_status("stopped")["message"]
    assert [cycle.number for cycle in stage.history.cycles(bob.id)] == [1]
    assert bob.size() == 0


def test_a_restart_goes_on_with_the_open_live_cycle_and_begins_no_other(stage):
    bob = stage.trader("bob", mode="live")
    go_live(stage, bob)
    bob.start()
    bob.wait_for_names(*LADDER)
    stage.users.save_credentials(bob.id, bob.key, bob.secret)  # the same key, and yet entered anew

    stage.restart()
    until(lambda: bob.status()["looked_at"], "a first look")
    assert bob.status()["mode"] == "live"
    bob.cancel(f"sm_tp_{bob.id}_BTCUSDTUSDT")
    bob.wait_for_names(*LADDER)  # the open cycle is looked after
    stage.price("60300")

    assert "Go live" in bob.wait_for_status("stopped")["message"]


def test_a_restart_without_an_open_cycle_starts_nothing_that_was_taken_back(stage):
    bob = stage.trader("bob", mode="live")
    go_live(stage, bob)
    stage.store.set_desired(bob.id, "running")
    change_key(stage, bob)

    stage.restart()

    assert "Go live" in bob.wait_for_status("stopped")["message"]
    assert bob.account()["open_orders"] == []


def test_start_goes_on_with_an_open_paper_cycle_though_live_is_chosen_and_begins_no_live_one(stage, alice):
    alice.start()
    alice.wait_for_names(*LADDER)
    alice.stop(legs="keep")
    alice.choose(mode="live")

    assert alice.start()["status"] == "started"
    until(lambda: alice.status()["looked_at"], "a first look")
    assert alice.status()["mode"] == "paper"
    stage.price("60300")

    assert "Go live" in alice.wait_for_status("stopped")["message"]
    assert stage.history.cycles(alice.id, account="bybit:live") == []
    assert alice.size() == 0
    assert alice.start()["status"] == "not_live"
