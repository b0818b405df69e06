"""What an operator reads: one line for each start, stop and recover, and none with a secret."""

from structlog.testing import capture_logs

NAMES = ("tp", "leg_1", "leg_2", "leg_3")


def test_start_recover_and_stop_are_each_one_line_at_info(alice):
    with capture_logs() as lines:
        alice.start()
        alice.wait_for_names(*NAMES)
        alice.recover()
        alice.stop()

    told = [line for line in lines if line["event"].startswith(("Bot ", "Orders "))]
    assert [line["event"] for line in told] == ["Bot started.", "Orders recovered.", "Bot stopped."]
    assert {line["log_level"] for line in told} == {"info"}
    assert {line["user_id"] for line in told} == {alice.id}
