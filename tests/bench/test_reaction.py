"""The reaction bench with a handful of bots: the real server, the real exchange, and every figure it promises."""

import json
from dataclasses import replace

from blitz.bench.evenness import Span
from blitz.bench.figures import Reaction, Undisturbed, VariantFigures, print_table
from blitz.bench.ladders import BURST_GAP, BURST_PRICE, ENTRY, FIRST_LEGS_PRICE, level_of
from blitz.bench.reaction import ReactionOptions, run_reaction

PROMISED = {
    "bots", "p50_ms", "p99_ms", "burst_last_ms", "rss_kib_per_bot", "rss_mib", "rest_per_minute_per_bot",
    "limit_breaches",
}  # fmt: skip


def test_every_fill_is_answered_and_every_figure_is_there(capsys):
    options = ReactionOptions(bots=3, idle_seconds=1, variants=("plain",), yardstick=False, as_json=True)
    assert run_reaction(options) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() >= PROMISED
    (run,) = found["variants"]
    assert (run["name"], found["bots"], found["limit_breaches"]) == ("plain", 3, 0)
    assert (run["burst"]["fills"], run["burst"]["unanswered"]) == (3, 0)
    assert 0 < run["burst"]["p50_ms"] <= run["burst"]["p99_ms"] <= found["burst_last_ms"] + 0.05  # rounded to tenths
    assert run["rss_mib"] > 10
    assert (run["steady"]["fills"], run["steady"]["unanswered"]) == (3, 0)
    assert 0 < found["p50_ms"] == run["steady"]["p50_ms"] <= found["p99_ms"]
    undisturbed = run["steady_undisturbed"]
    assert 0 <= undisturbed["machine_slow_ms"] <= undisturbed["of_ms"]
    assert undisturbed["fills"] <= run["steady"]["fills"]
    assert undisturbed["worst_ms"] <= run["steady"]["worst_ms"]
    assert 0 <= run["burst_machine_slow_ms"] <= found["burst_last_ms"]


def test_the_table_shows_each_variant_and_what_the_machine_did(capsys):
    answers = [Span(0, 1_500), Span(20_000, 22_500)]
    timed = Reaction.of(answers, 0)
    plain = VariantFigures(
        name="plain", bots=2, steady=timed, steady_undisturbed=Undisturbed.of(answers, [Span(20_100, 24_100)]),
        burst=timed, burst_last_ms=2.6, burst_machine_slow_ms=0.7, optimum_ms=0.0, start_seconds=1.0, rss_mib=150.0,
        rss_kib_per_bot=75.0, rss_kib_per_bot_after=90.0, rest_per_minute_per_bot=0.2, limit_breaches=0,
    )  # fmt: skip
    limits = replace(
        plain, name="limits", steady=None, steady_undisturbed=None, burst_last_ms=5_400.0, optimum_ms=5_000.0
    )
    print_table([plain, limits], timed, "2 cores")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    told = {row[0]: row[1:] for row in rows if row}
    assert told["steady, p99"] == ["2.50 ms", "–"]
    assert told["meanwhile the machine was slow"] == ["2 of 22 ms", "–"]
    assert (told["apart from that, p99"], told["fills apart from that"]) == (["1.50 ms", "–"], ["1", "–"])
    assert told["during that the machine was slow"] == ["0.70 ms", "0.70 ms"]
    assert told["all at once, last"] == ["2.60 ms", "5,400 ms"]
    assert told["optimum of the limits"] == ["–", "5,000 ms"]


def test_more_bots_than_bingx_lets_listen_are_refused_before_anything_starts(capsys):
    assert run_reaction(ReactionOptions(exchange="bingx", bots=57, variants=("limits",))) == 1
    assert "56 bots" in capsys.readouterr().err


def test_figures_are_taken_from_the_whole_and_in_any_order():
    answers = [Span(7_000, 7_000 + took_us) for took_us in range(100_000, 0, -1_000)]
    told = Reaction.of(answers, 2)
    assert (told.fills, told.unanswered, told.p50_ms, told.p99_ms, told.worst_ms) == (100, 2, 51.0, 100.0, 100.0)
    assert Reaction.of([], 0).worst_ms == 0


def test_fills_that_the_machine_held_up_are_counted_apart():
    answers = [Span(0, 2_000), Span(10_000, 40_000), Span(50_000, 53_000), Span(59_000, 64_000)]
    told = Undisturbed.of(answers, [Span(20_000, 30_000), Span(60_000, 61_000), Span(63_500, 70_000)])
    assert (told.machine_slow_ms, told.of_ms, told.fills, told.worst_ms) == (11.5, 64.0, 2, 3.0)
    assert Undisturbed.of([], [Span(0, 5)]).fills == 0


def test_a_burst_fills_every_bot_once_whether_or_not_it_was_filled_before():
    bots = 1_000
    for number in (0, 1, bots - 1):
        assert FIRST_LEGS_PRICE < level_of(number, bots) < ENTRY
    second = ENTRY * (1 - BURST_GAP / 100)
    assert BURST_PRICE < second < FIRST_LEGS_PRICE
