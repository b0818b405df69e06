"""What stays is left alone, and what became garbage is still found."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from blitz.allocator import leave_alone


class Ring:
    """Holds itself, so that only a search finds it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _searched_as_before() -> Iterator[None]:
    yield
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
