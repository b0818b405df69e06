"""The line before an exchange: no window is ever exceeded there, nobody starves, priorities and fairness hold."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.exchange.budget.limits import BINGX, BYBIT, Priority
from blitz.exchange.budget.line import SLOW_MS, Line, State, Turn, Why
from tests.exchange.budget.course import Course, Wish, limits

PROTECT, COVER, ENTRY, FOLLOW, ROUTINE = Priority


def wishes(users: str = "abc", endpoints: tuple[str, ...] = ("POST /order", "GET /orders")) -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        at_ms=st.integers(0, 3_000),
        user=st.sampled_from(["", *users]),
        endpoint=st.sampled_from(endpoints),
        priority=st.sampled_from(Priority),
        opens=st.booleans(),
        there_ms=st.integers(0, 900),
        back_ms=st.integers(0, 900),
    )


# Windows


@given(st.lists(wishes(), max_size=120))
@settings(deadline=None)
def test_whatever_the_network_does_no_window_of_the_exchange_is_exceeded(asked):
    allowed = limits(address=12, window_ms=500, user=4, in_flight=9)
    course = Course(Line(allowed)).live(asked)
    assert course.most_in(500) <= 12
    for user in "abc":
        for endpoint in ("POST /order", "GET /orders"):
            assert course.most_in(1_000, user, endpoint) <= 4


@given(st.lists(wishes(endpoints=("GET /quote/a", "GET /quote/b", "POST /trade", "GET /user")), max_size=120))
@settings(deadline=None, max_examples=40)
def test_bingx_windows_hold_each_for_itself(asked):
    course = Course(Line(BINGX)).live(asked * 6)
    assert course.most_in(10_000, endpoint="POST /trade") <= 300
    for user in "abc":
        assert course.most_in(1_000, user, "POST /trade") <= 5
    assert len(course.granted) == len(asked) * 6


@given(st.lists(wishes(), max_size=120))
@settings(deadline=None)
def test_everybody_who_can_wait_gets_a_turn_and_nobody_looks_in_vain(asked):
    course = Course(Line(limits(address=12, window_ms=500, user=4, in_flight=9))).live(asked)
    assert len(course.granted) == len(asked)
    assert not course.refused
    assert course.looks <= 4 * len(asked)
    assert course.line.flying == 0
    assert not any(course.line.waiting.values())


def test_a_thousand_exits_at_once_leave_within_a_tenth_of_the_best_that_the_limits_allow():
    burst = [Wish(user=f"user{n}", priority=PROTECT, there_ms=40, back_ms=40) for n in range(1_000)]
    course = Course(Line(BYBIT)).live(burst)
    assert course.most_in(5_000) == 600
    assert max(at_ms for at_ms, _, _ in course.arrivals) - 40 <= 5_000 * 1.1


def test_a_fifth_of_every_window_is_kept_for_what_protects():
    line = Line(limits(address=100))
    reads = 500 * [Wish(priority=FOLLOW, user="")]
    exits = [Wish(at_ms=1_000, priority=PROTECT, user=f"user{n}") for n in range(20)]
    course = Course(line).live(reads + exits)
    at_once = [turn for turn in course.granted if turn.granted_ms <= 1_000]
    assert Counter(turn.priority for turn in at_once) == {FOLLOW: 80, PROTECT: 20}


def test_half_of_that_is_for_the_reads_that_a_first_exit_waits_for():
    line = Line(limits(address=100))
    reads = 500 * [Wish(priority=FOLLOW, user="")]
    covering = 50 * [Wish(at_ms=1_000, priority=COVER, user="")]
    course = Course(line).live(reads + covering)
    at_once = [turn for turn in course.granted if turn.granted_ms <= 1_000]
    assert Counter(turn.priority for turn in at_once) == {FOLLOW: 80, COVER: 10}
    assert Counter(turn.priority for turn in course.granted[90:130]) == {COVER: 40}


def test_no_more_positions_are_opened_than_can_be_covered_and_other_orders_do_not_wait_for_that():
    line = Line(limits(openings=10, window_ms=1_000))
    openings = [Wish(priority=ENTRY, user=f"user{n}", opens=True) for n in range(20)]
    legs = [Wish(priority=ENTRY, user=f"user{n}") for n in range(20)]
    course = Course(line).live(openings + legs)
    at_once = [turn for turn in course.granted if turn.granted_ms == 0]
    assert Counter(turn.opens for turn in at_once) == {True: 8, False: 20}, "entries fill a window up to 80 percent"
    waited_ms = sorted(turn.granted_ms for turn in course.granted if turn.opens)
    assert waited_ms[8] > 1_000
    assert waited_ms[16] > 2_000


def test_an_exchange_that_counts_nothing_has_as_many_positions_opened_as_anybody_likes():
    openings = [Wish(priority=ENTRY, user=f"user{n}", opens=True) for n in range(20)]
    course = Course(Line(limits(openings=1, counts=False))).live(openings)
    assert {turn.granted_ms for turn in course.granted} == {0}


def test_a_request_whose_answer_never_came_counts_until_it_was_given_up_and_a_window_longer():
    lost = Wish(there_ms=0, back_ms=8_000)
    course = Course(Line(limits(address=1))).live([lost, Wish(at_ms=1)])
    assert course.granted[1].granted_ms == 8_000 + 5_000 + BYBIT.margin_ms


# Priorities


@given(st.lists(wishes(), max_size=80))
@settings(deadline=None)
def test_while_the_address_is_full_nothing_goes_before_what_is_more_urgent(asked):
    course = Course(Line(limits(address=5, window_ms=300)))
    course.live(asked)
    for place, turn in enumerate(course.granted):
        for later in course.granted[place + 1 :]:
            was_waiting = later.asked_ms < turn.granted_ms < later.granted_ms
            assert not (was_waiting and later.priority < turn.priority)


def test_an_exit_passes_everybody_who_waits():
    reads = [Wish(user=f"user{n}") for n in range(50)]
    course = Course(Line(limits(in_flight=1))).live([*reads, Wish(user="late", priority=PROTECT)])
    assert course.granted[1].user == "late"


# Fairness


def test_a_flood_of_one_user_delays_another_one_by_a_single_request():
    flood = 500 * [Wish(user="flood", priority=ENTRY)]
    others = [Wish(at_ms=1, user=f"user{n}", priority=ENTRY) for n in range(5)]
    course = Course(Line(limits(in_flight=1))).live(flood + others)
    order = [turn.user for turn in course.granted]
    assert max(order.index(f"user{n}") for n in range(5)) <= 1 + 2 * 5


def test_a_user_whose_own_window_is_full_delays_nobody():
    flood = 100 * [Wish(user="flood", priority=PROTECT)]
    course = Course(Line(limits(user=2))).live([*flood, Wish(at_ms=5, user="bob", priority=PROTECT)])
    bob = next(turn for turn in course.granted if turn.user == "bob")
    assert bob.granted_ms == 5
    assert course.most_in(1_000, "flood") == 2


def test_users_take_turns_in_every_priority():
    asked = [Wish(user=user) for user in "zaaaabbbbcccc"]
    course = Course(Line(limits(in_flight=1))).live(asked)
    assert "".join(turn.user for turn in course.granted) == "zabcabcabcabc"


# Deadlines


def test_a_turn_that_comes_too_late_is_refused_and_takes_no_place():
    line = Line(limits(user=1))
    course = Course(line).live([Wish(priority=PROTECT), Wish(priority=PROTECT, within_ms=500)])
    assert [turn.why for _, turn in course.refused] == [Why.LATE]
    assert len(course.granted) == 1
    assert line.waiting[PROTECT] == 0


def test_who_withdraws_leaves_the_line():
    line = Line(limits(in_flight=1))
    first, second, third = (turn_of(user) for user in "abc")
    for turn in (first, second, third):
        line.ask(turn, 0)
    line.withdraw(second, 5)
    line.end(first, 10)
    assert (second.state, third.state) == (State.REFUSED, State.GRANTED)


def turn_of(user: str = "a", priority: Priority = ROUTINE, within_ms: int = 10**6, now_ms: int = 0) -> Turn:
    return Turn(user=user, endpoint="GET /x", priority=priority, asked_ms=now_ms, deadline_ms=now_ms + within_ms)


# The gate


def test_only_so_many_are_under_way_at_once_and_exits_may_be_more():
    line = Line(limits(in_flight=10))
    for number in range(20):
        line.ask(turn_of(f"user{number}"), 0)
    assert line.flying == 6
    for number in range(20):
        line.ask(turn_of(f"user{number}", PROTECT), 0)
    assert line.flying == 10


def test_a_user_whose_requests_hang_holds_nobody_up():
    hanging = [Wish(user=f"hangs{n}", back_ms=8_000) for n in range(10)]
    course = Course(Line(limits(in_flight=10))).live([*hanging, Wish(at_ms=1, user="bob")])
    bob = next(turn for turn in course.granted if turn.user == "bob")
    assert bob.granted_ms <= 2 * SLOW_MS


def test_without_windows_order_and_gate_stay():
    line = Line(limits(address=1, user=1, in_flight=5, counts=False))
    course = Course(line).live([*50 * [Wish()], Wish(user="late", priority=PROTECT)])
    assert len(course.granted) == 51
    assert [turn.user for turn in course.granted].index("late") <= 5


# What the exchange says


def test_during_a_ban_nothing_goes_and_who_cannot_wait_is_told_at_once():
    line = Line(limits(in_flight=1))
    first, waiting, patient = turn_of("a"), turn_of("b", within_ms=30_000), turn_of("c", PROTECT, 700_000)
    for turn in (first, waiting, patient):
        line.ask(turn, 0)
    line.settled()
    line.shut_address(first, 600_000, 1_000)
    assert (waiting.state, waiting.why, waiting.until_ms) == (State.REFUSED, Why.ADDRESS, 601_000)
    exit_order = turn_of("d", PROTECT, 5_000, 2_000)
    line.ask(exit_order, 2_000)
    assert exit_order.state is State.REFUSED
    assert (patient.state, line.next_ms) == (State.WAITING, 601_000)
    line.pump(601_000)
    assert patient.state is State.GRANTED


def test_a_read_does_not_wait_for_the_end_of_a_pause_and_an_exit_does():
    line = Line(limits())
    first = turn_of("a")
    line.ask(first, 0)
    line.shut_address(first, 7_000, 0)
    read, exit_order = turn_of("b", FOLLOW, 30_000, 10), turn_of("c", PROTECT, 15_000, 10)
    line.ask(read, 10)
    line.ask(exit_order, 10)
    assert (read.state, read.until_ms) == (State.REFUSED, 7_000)
    assert (exit_order.state, line.next_ms) == (State.WAITING, 7_000)


def test_answers_to_what_was_under_way_do_not_prolong_a_ban():
    line = Line(limits())
    first, second = turn_of("a"), turn_of("b")
    line.ask(first, 0)
    line.ask(second, 0)
    line.shut_address(first, 600_000, 1_000)
    line.shut_address(second, 600_000, 1_500)
    assert (line.banned_until_ms, line.bans_total) == (601_000, 1)


def test_a_pause_that_was_under_way_does_not_hide_a_ban():
    line = Line(limits())
    first, second = turn_of("a"), turn_of("b")
    line.ask(first, 0)
    line.ask(second, 0)
    line.shut_address(first, 5_000, 1_000)
    line.shut_address(second, 600_000, 1_500)
    assert line.banned_until_ms == 601_500


def test_after_a_ban_one_request_proves_that_it_is_over():
    line = Line(limits())
    banned = turn_of()
    line.ask(banned, 0)
    line.shut_address(banned, 600_000, 0)
    line.end(banned, 0)
    after = [turn_of(f"user{n}", now_ms=600_000) for n in range(5)]
    for turn in after:
        line.ask(turn, 600_000)
    assert [turn.state for turn in after].count(State.GRANTED) == 1
    line.answered_well(after[0], 600_010)
    assert all(turn.state is State.GRANTED for turn in after)


def test_a_user_who_is_shut_out_of_an_endpoint_keeps_the_others():
    line = Line(limits(counts=False))
    over = turn_of("a")
    line.ask(over, 0)
    line.shut_user(over, 300_000, 100)
    line.end(over, 100)
    again, elsewhere = turn_of("a", within_ms=1_000, now_ms=200), turn_of("b", now_ms=200)
    line.ask(again, 200)
    line.ask(elsewhere, 200)
    assert (again.state, again.why, again.until_ms) == (State.REFUSED, Why.USER, 300_100)
    assert elsewhere.state is State.GRANTED
    assert (line.users_shut_out(200), line.users_shut_out(300_100)) == (1, 0)


def test_what_another_program_sends_under_the_key_is_counted_by_what_the_exchange_says_is_left():
    def says_three_left(course: Course, turn: Turn) -> None:
        course.line.told_left(turn, 10, 3, course.now_ms)

    course = Course(Line(limits(user=10)), on_answer=says_three_left)
    course.live([Wish(priority=PROTECT), *[Wish(at_ms=10, priority=PROTECT) for _ in range(5)]])
    soon = [turn for turn in course.granted if turn.granted_ms <= 10]
    assert len(soon) == 1 + 3


def test_the_limit_that_the_exchange_names_holds():
    line = Line(limits(user=10))
    first = turn_of(priority=PROTECT)
    line.ask(first, 0)
    line.told_left(first, 4, 3, 0)
    more = [turn_of(priority=PROTECT) for _ in range(5)]
    for turn in more:
        line.ask(turn, 0)
    assert [turn.state for turn in more].count(State.GRANTED) == 3


def test_a_limit_that_nobody_has_is_not_believed():
    line = Line(limits(user=10))
    first = turn_of(priority=PROTECT)
    line.ask(first, 0)
    line.told_left(first, 10**9, 0, 0)
    assert line._users["a", "GET /x"].quota.limit == 10


def test_where_nothing_is_counted_what_is_left_is_not_either():
    line = Line(limits(counts=False))
    over = turn_of()
    line.ask(over, 0)
    line.shut_user(over, 1_000, 0)
    line.told_left(over, None, 0, 0)  # of a window without an end this would be two milliards
    line.end(over, 0)
    again = turn_of(now_ms=1_000)
    line.ask(again, 1_000)
    assert again.state is State.GRANTED


def test_windows_of_users_who_went_away_are_forgotten():
    line = Line(limits())
    Course(line).live([Wish(at_ms=50 * n, user=f"user{n}") for n in range(1_000)])
    assert len(line._users) <= 30


# Restarts


@given(st.lists(wishes(), max_size=80), st.lists(wishes(), max_size=80), st.integers(0, 3_000))
@settings(deadline=None, max_examples=60)
def test_no_window_is_exceeded_across_a_process_that_dies_at_any_moment(before, after, dies_ms):
    allowed = limits(address=12, window_ms=1_200, user=4)
    dead = Course(Line(allowed)).live([wish for wish in before if wish.at_ms <= dies_ms])
    came = [arrival for arrival in dead.arrivals if arrival[0] <= dies_ms]
    course = Course(Line(allowed, another_until_ms=dies_ms), now_ms=dies_ms)
    course.live([replace(wish, at_ms=wish.at_ms + dies_ms) for wish in after])
    course.arrivals += came
    assert course.most_in(1_200) <= 12
    for user in "abc":
        assert course.most_in(1_000, user, "GET /orders") <= 4, "its window is shorter, so the address's covers it"
