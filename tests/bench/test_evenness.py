"""When a machine counts as slow: by the processor time that one piece of work takes, not by who waits for whom."""

import time
from itertools import pairwise

from blitz.bench.evenness import PAUSE_SECONDS, Beat, Pulse, Span, slow_ms, slow_spans
from tests.bots.stage import until


def beats(*took_us: float) -> list[Beat]:
    """One beat each millisecond that was over a tenth of one later."""
    return [Beat(Span(at * 1_000, at * 1_000 + 100), took) for at, took in enumerate(took_us)]


def test_work_that_takes_far_longer_than_usual_marks_the_time_from_the_beat_before_to_the_beat_after():
    assert slow_spans(beats(50, 50, 900, 50, 50)) == [Span(1_100, 3_000)]
    assert slow_spans(beats(50, 50, 4 * 50, 50, 50)) == []
    assert slow_spans([]) == []


def test_slow_beats_beside_each_other_are_one_stretch_and_the_ends_are_ends():
    assert slow_spans(beats(900, 50, 50, 50, 900, 700, 50, 50, 900)) == [
        Span(0, 1_000),
        Span(3_100, 6_000),
        Span(7_100, 8_100),
    ]


def test_only_what_lies_within_a_stretch_is_counted():
    slow = [Span(0, 1_000), Span(5_000, 6_000), Span(9_500, 20_000)]
    assert slow_ms(slow, Span(500, 10_000)) == 0.5 + 1.0 + 0.5
    assert slow_ms([], Span(0, 10_000)) == 0


def test_the_pulse_beats_until_its_end():
    with Pulse() as pulse:
        until(lambda: len(pulse._beats) > 3, "some beats")
    seen = list(pulse._beats)
    assert all(beat.took_us > 0 for beat in seen)
    assert all(one.span.ended_us <= next_one.span.began_us for one, next_one in pairwise(seen))
    time.sleep(10 * PAUSE_SECONDS)
    assert pulse._beats == seen
    assert pulse.slow() == slow_spans(seen)
