"""One database, one server: a second one is turned away before it trades anything."""

from collections.abc import Callable

from tests.acceptance.conftest import Server, running, until


def test_two_servers_never_share_a_database(start_server: Callable[..., Server]) -> None:
    first = start_server(BLITZ_PAPER_FEED="manual")

    with running("serve", env=first.env) as second:
        until(lambda: second.process.poll() is not None, "the second one to give up")

    assert second.process.returncode != 0
    assert "two would trade the same accounts twice" in "".join(second.lines)
