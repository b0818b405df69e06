"""The venue's time: measured once, then carried on by a clock that nobody sets (F1)."""

from time import CLOCK_BOOTTIME, clock_gettime_ns

import pytest

from blitz.clock import SystemClock, VenueTime

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


def test_of_several_answers_the_fastest_counts():
    _, time = measured()
    assert time.measured(5_000, 6_000, VENUE_MS + 700)
    assert (time.now_ms(), time.unsure_ms) == (VENUE_MS, 100)
    assert time.measured(5_000, 5_020, VENUE_MS + 60)
    assert (time.now_ms(), time.unsure_ms) == (VENUE_MS + 50, 10)


def test_an_old_answer_is_worth_less_than_a_slower_new_one():
    machine, time = measured()
    machine.passed_ms = HOUR_MS
    assert time.unsure_ms == 100 + 1_799
    assert time.measured(HOUR_MS + 4_000, HOUR_MS + 5_000, VENUE_MS + HOUR_MS - 500)
    assert time.unsure_ms == 500


def test_time_that_nobody_has_told_for_long_is_doubted_and_a_wrong_wall_clock_is_not():
    machine, time = measured()
    machine.wall_error_ms = -24 * HOUR_MS
    machine.passed_ms = HOUR_MS // 4
    assert time.doubt() == ""
    machine.passed_ms = HOUR_MS
    assert "known only to 1.9 s: it has not told it for 59 minutes" in time.doubt()
    assert VenueTime(machine).doubt() == "The exchange has not told its time yet."


def test_a_jump_is_doubted_until_a_second_answer_agrees():
    _, time = measured()
    assert time.measured(5_000, 5_002, VENUE_MS + 60_000)
    assert "has jumped" in time.doubt()
    assert time.unsure_ms is None
    assert time.measured(5_000, 5_040, VENUE_MS + 60_010)
    assert time.doubt() == ""
    assert time.now_ms() == VENUE_MS + 59_999


def test_a_clock_that_jumps_with_every_answer_is_never_believed():
    _, time = measured()
    for jump in range(1, 6):
        time.measured(5_000, 5_002, VENUE_MS + jump * 2_000)
        assert "has jumped" in time.doubt()


def test_the_machines_sleep_is_counted():
    clock = SystemClock()
    since_boot_ms = clock_gettime_ns(CLOCK_BOOTTIME) // 1_000_000
    assert 0 <= clock.monotonic_ms() - since_boot_ms < 1_000
