"""The paper exchange's stopwatch: whoever is filled is timed, whether a stream tells him or not."""

import pytest
import requests

from blitz.clock import SystemClock
from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams.happenings import FillSeen
from blitz.exchange.streams.hub import StreamHub
from blitz.paper.wire.stopwatch import Stopwatch
from tests.bots.both import BOTH
from tests.bots.stage import until
from tests.exchange.world import CREDENTIALS, World


def report(world: World) -> tuple[int, int]:
    """How many fills were answered, and how many were not yet."""
    told = requests.get(f"{world.url}/__paper/stopwatch", timeout=10).json()
    return len(told["answers_us"]), int(told["unanswered"])


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


def figures(watch: Stopwatch) -> tuple[int, int, int]:
    """How many fills were timed, answered ahead, and not answered yet."""
    told = watch.report("")
    answers = told["answers_us"]
    assert isinstance(answers, list)
    return len(answers), int(str(told["ahead"])), int(str(told["unanswered"]))


def test_who_sees_a_fill_in_a_read_before_it_is_told_owes_no_answer():
    watch = Stopwatch()
    watch.start()
    watch.filled("a")
    watch.asked("a", ("/v5/order/amend",))
    assert figures(watch) == (0, 1, 0)
    watch.told("a")
    assert figures(watch) == (0, 1, 0)
    watch.asked("a", ("/v5/order/amend",))
    assert figures(watch) == (0, 1, 0)


def test_a_fill_that_is_not_told_yet_is_unanswered_and_one_told_before_it_is_timed():
    watch = Stopwatch()
    watch.start()
    watch.filled("a")
    assert figures(watch) == (0, 0, 1)
    watch.told("a")
    watch.filled("a")
    watch.asked("a", ("/v5/position/list",))  # no order
    assert figures(watch)[0] == 0
    watch.asked("a", ("/v5/order/amend",))
    assert figures(watch) == (1, 0, 1)
    watch.told("a")
    watch.asked("a", ("/v5/order/create",))
    assert figures(watch) == (2, 0, 0)
