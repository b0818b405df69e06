"""A key that the exchange refuses can be replaced while the bot runs."""

from tests.bots.stage import until

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def attention(trader):
    return (trader.status()["attention"] or {}).get("code")


def test_a_running_bot_takes_up_the_key_that_replaces_a_refused_one(stage, alice):
    alice.start()
    alice.wait_for_names(*NAMES)
    old = stage.users.credentials(alice.id)
    stage.fault("ret_code", code="10003", account=old.api_key)
    until(lambda: attention(alice) == "key_rejected", "the refused key")

    stage.users.save_credentials(alice.id, "another-key-entirely", "another-secret")

    until(lambda: attention(alice) != "key_rejected", "the new key to be used", 15)
