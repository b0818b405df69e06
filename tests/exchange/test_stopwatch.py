"""The paper exchange's stopwatch: whoever is filled is timed, whether a stream tells him or not."""

import pytest
import requests

from blitz.clock import SystemClock
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams.happenings import FillSeen
from blitz.exchange.streams.hub import StreamHub
from tests.bots.both import BOTH
from tests.bots.stage import until
from tests.exchange.world import CREDENTIALS, World


def report(world: World) -> tuple[int, int]:
    """How many fills were answered, and how many were not yet."""
    told = requests.get(f"{world.url}/__paper/stopwatch", timeout=10).json()
    return len(told["reactions_us"]), int(told["unanswered"])


@pytest.mark.parametrize("listens", [False, True])
@BOTH
def test_a_fill_is_timed_until_the_next_order_of_its_account(world, listens):
    heard: list[object] = []
    hub = StreamHub()
    hub.start()
    try:
        if listens:
            stream = Exchanges(SystemClock(), hub).listen(world.venue, CREDENTIALS, heard.append)
            until(lambda: stream is not None and stream.is_up, "the stream")
        world.foreign("buy", "0.016", "59400")
        world.post("stopwatch")
        world.price("59400")
        until(lambda: report(world) == (0, 1), "the fill to be timed")
        world.foreign("sell", "0.016", "70000")
        until(lambda: report(world) == (1, 0), "the answer")
        assert any(isinstance(one, FillSeen) for one in heard) is listens
    finally:
        hub.stop()
