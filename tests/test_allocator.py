"""What stays is left alone, what became garbage is still found, and nobody waits for the search in a crowd."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from blitz.allocator import (
    CROWD_OBJECTS,
    FIRST_SEARCHES_SECONDS,
    PUT_OFF_MAX,
    SEARCH_EVERY_SECONDS,
    Tidying,
    leave_alone,
)


class Ring:
    """Holds itself, so that only a search finds it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _searched_as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_new_garbage_is_found_and_what_remains_is_not_searched_again():
    ring = Ring()
    gone, stays = weakref.ref(Ring()), weakref.ref(ring)
    leave_alone(search_all=False)
    assert gone() is None
    del ring
    gc.collect()
    assert stays() is not None


def test_a_search_of_all_finds_what_has_become_garbage_since():
    ring = Ring()
    stays = weakref.ref(ring)
    leave_alone(search_all=False)
    del ring
    leave_alone(search_all=True)
    assert stays() is None


def crowd() -> list[list[int]]:
    """So many new objects that no search should stop whoever made them."""
    return [[number] for number in range(2 * CROWD_OBJECTS)]


def test_the_interpreter_goes_through_what_is_young_alone():
    Tidying(0.0)
    searches_of_old = [generation["collections"] for generation in gc.get_stats()[1:]]
    gone = weakref.ref(Ring())
    stays = [crowd() for _ in range(10)]  # by its own rules it would have gone through all of this several times
    assert [generation["collections"] for generation in gc.get_stats()[1:]] == searches_of_old
    assert gone() is None, "what is young is searched as ever"
    assert len(stays) == 10


def test_a_quiet_second_is_followed_by_a_search_of_what_is_new():
    tidying = Tidying(0.0)
    old = Ring()
    gc.collect(0)
    gone, stays = weakref.ref(old), [[number] for number in range(100)]
    del old
    assert gone() is not None
    assert not tidying.tick(1.0)
    assert gone() is None
    assert gc.get_freeze_count() > len(stays)


def test_a_crowd_is_not_held_up_by_a_search_and_cannot_put_it_off_for_ever():
    tidying = Tidying(0.0)
    tidying.tick(1.0)
    old = Ring()
    gc.collect(0)
    gone, crowds = weakref.ref(old), []
    del old
    for second in range(2, 12):
        crowds.append(crowd())
        tidying.tick(float(second))
        assert gone() is not None
    while gone() is not None and len(crowds) < 2 * PUT_OFF_MAX:
        crowds.append(crowd())
        tidying.tick(19.0)
    assert len(crowds) == PUT_OFF_MAX + 1


def test_everything_is_searched_seldom():
    tidying = Tidying(0.0)
    stays = Ring()
    gone = weakref.ref(stays)
    tidying.tick(1.0)
    del stays
    tidying.tick(2.0)
    assert gone() is not None, "left alone"
    assert tidying.tick(FIRST_SEARCHES_SECONDS[0])
    assert gone() is None
    last = FIRST_SEARCHES_SECONDS[-1]
    moments = [second for second in range(21, round(last + 2 * SEARCH_EVERY_SECONDS + 10)) if tidying.tick(second)]
    assert moments == [*FIRST_SEARCHES_SECONDS[1:], last + SEARCH_EVERY_SECONDS, last + 2 * SEARCH_EVERY_SECONDS]
