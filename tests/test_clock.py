"""The venue's time: measured once, then carried on by a clock that nobody sets (F1)."""

import pytest

from blitz.clock import VenueTime

VENUE_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


class Machine:
    """A machine whose wall clock may be set, while its monotonic one only goes on."""

    def __init__(self) -> None:
        self.passed_ms = 0
        self.wall_error_ms = 0

    def now_ms(self) -> int:
        return VENUE_MS + self.passed_ms + self.wall_error_ms

    def monotonic_ms(self) -> int:
        return 5_000 + self.passed_ms


def measured() -> tuple[Machine, VenueTime]:
    """A machine right on time, and the venue's time as measured by it."""
    machine = Machine()
    time = VenueTime(machine)
    assert time.measured(4_900, 5_100, VENUE_MS)
    return machine, time


@pytest.mark.parametrize("step_ms", [-HOUR_MS, HOUR_MS])
def test_a_wall_clock_that_is_set_does_not_move_the_venues_time(step_ms):
    machine, time = measured()
    machine.wall_error_ms = step_ms
    machine.passed_ms = 10_000
    assert time.now_ms() == VENUE_MS + 10_000
    assert time.offset_ms == -step_ms


def test_before_the_first_measurement_it_is_our_own_wall_clock():
    machine = Machine()
    time = VenueTime(machine)
    machine.wall_error_ms = HOUR_MS
    assert not time.is_measured
    assert time.now_ms() == VENUE_MS + HOUR_MS


def test_an_answer_that_took_too_long_is_not_kept():
    # The middle of it would have been off by as much as the fence allows for, and the fence be cut short.
    _, time = measured()
    assert not time.measured(5_000, 7_001, VENUE_MS + 60_000)
    assert time.now_ms() == VENUE_MS
    assert time.measured(5_000, 7_000, VENUE_MS + 60_000)
    assert time.now_ms() == VENUE_MS + 59_000


def test_a_first_answer_that_took_too_long_measures_nothing():
    time = VenueTime(Machine())
    assert not time.measured(0, 2_001, VENUE_MS)
    assert not time.is_measured
