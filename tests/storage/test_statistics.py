"""The figures of cycles that ended, each computed by hand beside its test."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from blitz.storage.statistics import Drawdown, EndedCycle, EquityPoint, drawdown, equity_curve, statistics, thinned

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def ms(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def ended(number, realised, *, at="2026-03-01T12:00", fees="0", funding="0", legs=1, seconds=60, end="take_profit"):
    return EndedCycle(
        number=number,
        started_ms=ms(at) - seconds * 1000,
        ended_ms=ms(at),
        end=end,
        realised=Decimal(realised),
        fees=Decimal(fees),
        funding=Decimal(funding),
        legs_filled=legs,
    )


def curve(*totals):
    return [EquityPoint(at, Decimal(0), Decimal(total)) for at, total in enumerate(totals)]


def test_without_cycles_there_is_nothing_to_say():
    found = statistics([], UTC)

    assert (found.cycles, found.net) == (0, Decimal(0))
    assert [*found.days, *found.curve, *found.depths] == []
    assert [found.win_rate, found.average_profit, found.average_seconds, found.best, found.worst] == [None] * 5
    assert found.drawdown == Drawdown(Decimal(0), None, None)


def test_the_figures_of_a_few_cycles():
    found = statistics(
        [
            ended(1, "5", fees="0.5", funding="0.02", legs=1, seconds=100),  # 4.48
            ended(2, "-3", fees="0.5", legs=3, seconds=1001),  # -3.5
            ended(3, "0.5", fees="0.5", legs=3, seconds=200),  # 0
            ended(4, "2", fees="0.1", funding="-0.03", legs=2, seconds=300),  # 1.93
            ended(5, "0", end="not_entered", legs=0, seconds=9999),
        ],
        UTC,
    )

    assert (found.cycles, found.not_entered, found.won, found.lost, found.even) == (4, 1, 2, 1, 1)
    assert (found.realised, found.fees, found.funding) == (Decimal("4.5"), Decimal("1.6"), Decimal("-0.01"))
    assert found.net == Decimal("2.91")
    assert found.average_profit == Decimal("0.7275")
    assert found.win_rate == Decimal("50.0")
    assert found.average_seconds == 400  # 1601 / 4, whole seconds
    named = (found.longest, found.deepest, found.best, found.worst)
    assert [cycle and cycle.number for cycle in named] == [2, 2, 1, 2]
    assert found.depths == ((1, 1), (2, 1), (3, 2))
    assert found.drawdown.amount == Decimal("3.5")


def test_a_win_rate_is_rounded_to_a_tenth():
    two_of_three = [ended(1, "1"), ended(2, "1"), ended(3, "-1")]

    assert statistics(two_of_three, UTC).win_rate == Decimal("66.7")


def test_sums_lose_no_digit():
    tenths = [ended(number, "0.1", fees="0.000000001") for number in range(1000)]

    assert statistics(tenths, UTC).net == Decimal("99.999999000")


def days_of(moments, zone):
    found = statistics([ended(number, "1", at=at) for number, at in enumerate(moments, 1)], zone)
    return [(day.day, day.cycles) for day in found.days]


def test_a_day_is_one_of_the_zone():
    # Seoul is nine hours ahead: its second of March begins at 15:00 UTC of the first
    moments = ["2026-03-01T14:59:59", "2026-03-01T15:00:00", "2026-03-02T14:59:59", "2026-03-02T15:00:00"]

    assert days_of(moments, UTC) == [(date(2026, 3, 1), 2), (date(2026, 3, 2), 2)]
    assert days_of(moments, SEOUL) == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 2), (date(2026, 3, 3), 1)]


def test_a_day_in_which_clocks_are_changed_is_one_day():
    # Berlin, 29 March 2026: 23 hours, from 23:00 UTC of the 28th to 22:00 UTC of the 29th
    short = ["2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00"]
    # and 25 October 2026: 25 hours, from 22:00 UTC of the 24th to 23:00 UTC of the 25th
    long = ["2026-10-24T21:59", "2026-10-24T22:00", "2026-10-25T22:59", "2026-10-25T23:00"]

    assert days_of(short, BERLIN) == [(date(2026, 3, 28), 1), (date(2026, 3, 29), 2), (date(2026, 3, 30), 1)]
    assert days_of(long, BERLIN) == [(date(2026, 10, 24), 1), (date(2026, 10, 25), 2), (date(2026, 10, 26), 1)]


def test_each_day_has_its_own_sums_and_the_total_so_far():
    first, second = statistics(
        [
            ended(1, "2", at="2026-03-01T01:00", fees="0.25"),
            ended(2, "-1", at="2026-03-01T02:00", funding="0.5"),
            ended(3, "4", at="2026-03-02T01:00"),
        ],
        UTC,
    ).days

    assert (first.cycles, first.won) == (2, 1)
    assert list(map(str, (first.realised, first.fees, first.funding))) == ["1", "0.25", "0.5"]
    assert list(map(str, (first.profit, first.cumulative))) == ["0.25", "0.25"]
    assert list(map(str, (second.profit, second.cumulative))) == ["4", "4.25"]


def test_the_curve_adds_up_in_order():
    points = equity_curve([ended(1, "0.1", fees="0.01"), ended(2, "0.2", funding="-0.005"), ended(3, "-1")])

    assert [point.cumulative for point in points] == [Decimal("0.09"), Decimal("0.295"), Decimal("-0.705")]


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ((), (0, None, None)),
        ((1, 2, 3), (0, None, None)),
        ((-2, 1, 0), (2, None, 0)),  # from the zero it begins with
        ((5, 2, 8, 4, 7, 3), (5, 2, 5)),  # 8 to 3 is deeper than 5 to 2
        ((5, 1, 9, 5), (4, 0, 1)),  # of equals the first
        ((3, 3, 1), (2, 0, 2)),
    ],
)
def test_the_drawdown_is_the_deepest_fall_from_a_high(totals, expected):
    assert drawdown(curve(*totals)) == expected


def test_a_thinned_curve_keeps_its_extremes_its_order_and_its_end():
    totals = [number % 97 for number in range(10_000)]
    totals[4321], totals[8765] = 500, -500
    whole = curve(*totals)

    kept = list(thinned(whole, 300))

    assert len(kept) <= 300
    assert {500, -500} <= {point.cumulative for point in kept}
    assert kept[-1] == whole[-1]
    assert [point.ended_ms for point in kept] == sorted({point.ended_ms for point in kept})
    assert drawdown(kept) == drawdown(whole)


def test_a_short_curve_is_left_as_it_is():
    whole = curve(1, 5, 2)

    assert list(thinned(whole, 3)) == whole
