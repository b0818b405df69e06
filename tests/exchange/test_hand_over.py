"""Those who were told of a fill go on before the next one is told."""

from collections.abc import Callable
from functools import partial

import pytest

from blitz.exchange.exchanges import Exchanges
from blitz.exchange.streams import hand_over as hand_over_module
from blitz.exchange.streams import hub as hub_module
from blitz.exchange.streams.hand_over import HandOver
from blitz.exchange.streams.happenings import FillSeen, Heard
from blitz.exchange.streams.hub import StreamHub
from tests.bots.stage import until
from tests.exchange.world import CREDENTIALS

PAUSE = "the others' turn"


class Loop:
    """What is to be done once everything that has arrived is read."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def come_round(self) -> None:
        due, self.due = self.due, []
        for work in due:
            work()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def hand_over(loop, pauses, monkeypatch) -> HandOver:
    """In a crowd from the first fill on."""
    monkeypatch.setattr(hand_over_module, "CROWD", 1)
    return HandOver(loop.due.append, pauses.append)


def test_a_fill_that_comes_alone_is_handed_over_at_once(loop, pauses):
    hand_over = HandOver(loop.due.append, pauses.append)
    hand_over.told("first")
    hand_over.told("first")
    assert len(pauses) == 2
    hand_over.reads("second")
    assert (len(pauses), loop.due) == (2, [])


def test_the_next_link_waits_until_those_who_were_told_had_their_turn(hand_over, pauses):
    hand_over.reads("first")
    hand_over.told("first")
    assert pauses == []
    hand_over.reads("second")
    assert len(pauses) == 1
    assert pauses[0] > 0  # or the thread would take the interpreter back before anybody else woke
    hand_over.reads("third")
    assert len(pauses) == 1


def test_what_one_account_is_told_in_a_row_is_handed_over_once(hand_over, pauses, loop):
    for _ in range(3):
        hand_over.reads("first")
        hand_over.told("first")
    assert pauses == []
    loop.come_round()
    assert len(pauses) == 1


def test_the_last_one_does_not_wait_for_a_next_one(hand_over, pauses, loop):
    hand_over.told("first")
    loop.come_round()
    assert len(pauses) == 1
    loop.come_round()
    assert len(pauses) == 1


def test_whoever_was_handed_over_to_before_is_not_again_when_the_loop_comes_round(hand_over, pauses, loop):
    hand_over.told("first")
    hand_over.reads("second")
    hand_over.told("second")
    loop.come_round()
    loop.come_round()
    assert len(pauses) == 2


def test_a_crowd_is_many_fills_in_little_time(loop, pauses, monkeypatch):
    hand_over = HandOver(loop.due.append, pauses.append)
    crowded = []
    for _ in range(hand_over_module.CROWD):
        hand_over.told("anybody")
        crowded.append(hand_over.is_crowded)
    assert crowded == [False] * (hand_over_module.CROWD - 1) + [True]
    monkeypatch.setattr(hand_over_module, "CROWD_SECONDS", 0.0)
    assert not hand_over.is_crowded


@pytest.mark.parametrize("crowd", [1, 100])
def test_between_the_fills_of_two_links_everybody_else_has_a_turn(world, monkeypatch, crowd):
    monkeypatch.setattr(hand_over_module, "CROWD", crowd)
    happened: list[str] = []
    monkeypatch.setattr(hub_module, "HandOver", partial(HandOver, pause=lambda seconds: happened.append(PAUSE)))
    hub = StreamHub()
    hub.start()

    def hear(name: str, news: Heard) -> None:
        if isinstance(news, FillSeen):
            happened.append(name)

    names = [f"link {number}" for number in range(5)]
    try:
        exchanges = Exchanges(world.clock, hub)
        streams = [exchanges.listen(world.venue, CREDENTIALS, partial(hear, name)) for name in names]
        until(lambda: all(stream is not None and stream.is_up for stream in streams), "all links")
        assert happened == []
        world.foreign("buy", "0.016")
        until(lambda: len(happened) == 2 * len(names), "a turn behind each of them")
    finally:
        hub.stop()
    assert sorted(happened[::2]) == names
    assert set(happened[1::2]) == {PAUSE}
