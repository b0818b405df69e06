"""Long lives in short: cycles in a row in the never regime, a flood of order ids, and a flood of books."""

import sys
from array import array
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import Accepted, Refusal, Rejected, SendOrder
from blitz.core.create import STRIDES
from blitz.core.orders import TAKE_PROFIT, DesiredOrder, Direction, OrderType
from blitz.core.records import IdRegime
from blitz.simulation.book_figures import BooksFound
from blitz.simulation.book_flood import WholePasses, run_books
from blitz.simulation.book_short_way import ShortWay
from blitz.simulation.endurance_cycles import Course, CyclesRun, run_courses, run_cycles
from blitz.simulation.id_flood import BASES, collisions, drawn_ids, neighbours, pair_of, run_ids
from blitz.simulation.lines import Lines
from blitz.simulation.straight import PresentStore, Tally

CYCLES = 60


@pytest.mark.parametrize("course", list(Course))
def test_cycle_follows_cycle_without_a_stuck_tag_at_one_create_per_order(course):
    found = run_cycles(CYCLES, course)
    assert found.violations == (), found.line
    assert found.cycles == CYCLES
    assert found.creates_per_order <= 1.05
    assert found.generation >= CYCLES - 1
    assert found.most_tries <= len(STRIDES)
    assert found.parts > 5
    assert (found.restarts > CYCLES // 4) is (course is Course.RESTARTED)
    assert (found.searched > 0) is (course in {Course.EMPTIED, Course.FORGOTTEN})


def test_a_run_of_cycles_is_the_same_run_every_time():
    first, second = (replace(run_cycles(20), seconds=0.0, lines_early=0.0, lines_late=0.0) for _ in range(2))
    assert first == second


def test_the_search_for_a_free_id_takes_one_fence_where_the_old_orders_are_forgotten():
    assert run_cycles(40, Course.FORGOTTEN).search_ms < 30_000


def test_courses_run_side_by_side():
    found = run_courses(3, workers=2)
    assert [one.course for one in found] == list(Course)
    assert all(one.cycles == 3 for one in found)


def test_lines_are_counted_in_the_core_only_and_whoever_traced_before_goes_on():
    before = sys.gettrace()
    bot = CyclesRun(count=1, course=Course.STEADY, seed=1).bot
    lines = Lines()
    with lines.counting():
        resting = bot.rest()
        ran = lines.count
        bot.store.compact()
    assert resting.settled
    assert sys.gettrace() is before
    assert 1_000 < ran == lines.count


def test_a_store_of_the_present_forgets_what_is_past_and_nothing_else():
    run = CyclesRun(count=70, course=Course.STEADY, seed=1)
    run.run()
    store = run.bot.store
    newest = max(store.kept.cycles)
    fills = len(store.kept.fills)
    remembered = store.load()
    assert remembered.last_cycle == newest
    assert remembered.regime is IdRegime.NEVER
    assert len(store.kept.cycles) < 20
    assert fills <= 1_000
    store.empty()
    assert store.load() == PresentStore().load()


def test_a_tally_counts_taken_ids_in_a_row():
    order = DesiredOrder(key=TAKE_PROFIT, type=OrderType.LIMIT, direction=Direction.SELL, quantity=Decimal(1))
    taken = Rejected(refusal=Refusal.TAKEN, code="", message="")
    tally = Tally()
    for reply in (taken, taken, Accepted(order_id="1"), taken, Accepted(order_id="2")):
        tally.sent(SendOrder(order=order, client_id="sm_tp_7_BTCUSDT", expires_ms=0), reply)
    assert (tally.creates, tally.accepted, tally.taken, tally.most_tries) == (5, 2, 3, 2)


def test_order_ids_are_read_back_by_their_owner_only_and_never_repeat():
    found = run_ids(20_000, workers=2)
    assert found.violations == []
    assert found.ids >= 20_000
    assert found.foreign_reads == 2 * found.ids
    assert found.shortened > 1_000
    assert all(most <= limit for limit, most in found.longest.items())
    assert set(found.longest) == {36, 40}


def test_pairs_places_and_generations_differ_and_neighbours_are_many():
    pairs = {pair_of(number)[:2] for number in range(20 * len(BASES))}
    assert len(pairs) == 20 * len(BASES)
    assert len(set(drawn_ids(1, 500))) == 500
    books = neighbours(7, "1000PEPE/USDT:USDT", 36)
    assert {book.user_id for book in books} == {6, 7, 8, 70, 71, 77}
    assert "000PEPE/USDT:USDT" in {book.symbol for book in books}


def test_a_hash_that_repeats_is_a_collision():
    assert collisions([array("Q", [3, 1, 2]), array("Q", [5, 4, 5])]) == 1


def test_our_books_equal_the_venues_to_the_last_digit():
    found = run_books(2_000, workers=2)
    assert found.violations == []
    assert found.cycles == 2_000
    assert found.by_passes == 50
    rare = {"liquidated", "stopped", "turned round", "with late funding"}
    often = {"with adl", "with a cut list", "with foreign trades", "with funding", "with partial exits"}
    assert all(found.among[name] > 10 for name in rare), found.among
    assert all(found.among[name] > 100 for name in {*often, "with partial legs"}), found.among


@pytest.mark.parametrize("way", [ShortWay, WholePasses])
def test_a_figure_of_the_venue_that_is_off_by_the_last_digit_is_found(way):
    found = BooksFound()
    account = way(100, found)
    venue = account.venue if way is ShortWay else account.bot.venue
    venue.books.fees += Decimal("0.00000001")
    account.run(2)
    assert found.violations
