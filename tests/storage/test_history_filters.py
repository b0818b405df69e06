"""Looking for rows: by time, market, outcome and kind, page by page in both directions."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import event, insert, text

from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.orders import FillKind, Side
from blitz.core.records import BotEvent, Cycle, CycleEnd, CycleSaved, EventKind, EventNoted
from blitz.storage.history import History
from blitz.storage.history_filters import CycleFilter, EventFilter, FillFilter, Span
from blitz.storage.journal import BotJournal
from blitz.storage.paging import LIMIT_MAX
from blitz.storage.tables import events
from tests.storage.test_history import ACCOUNT, ended, fill
from tests.storage.test_migrations import OLD_USER, at_version


@pytest.fixture
def history(db):
    return History(db)


@pytest.fixture
def journal(db, alice):
    return BotJournal(db, alice.id, ACCOUNT)


def running(number):
    return CycleSaved(cycle=Cycle(number=number, settings=DEFAULT_SETTINGS, started_ms=number * 10))


def traded(number, **settings):
    saved = ended(number, "1")
    return CycleSaved(cycle=replace(saved.cycle, settings=replace(DEFAULT_SETTINGS, **settings)))


def note(at_ms, kind=EventKind.ORDER_PLACED, cycle=0):
    return EventNoted(event=BotEvent(kind=kind, at_ms=at_ms, cycle=cycle))


def numbers(cycles):
    return [cycle.number for cycle in cycles]


def test_cycles_are_found_by_the_moment_they_ended(history, journal, alice):
    journal.save([*(ended(number, "1") for number in range(1, 6)), running(6)], durable=True)  # ended at 15, 25 … 55
    span = Span(from_ms=25, to_ms=45)

    assert numbers(history.cycles(alice.id, CycleFilter(span=span, with_running=False))) == [3, 2]
    assert numbers(history.cycles(alice.id, CycleFilter(span=span))) == [6, 3, 2]
    assert [each.number for each in history.ended(alice.id, span, account=ACCOUNT)] == [2, 3]
    assert [point.ended_ms for point in history.equity(alice.id, span)] == [25, 35]


def test_cycles_are_found_by_market_and_side(history, journal, alice):
    journal.save([traded(1), traded(2, symbol="ETH/USDT:USDT"), traded(3, side=Side.SHORT)], durable=True)

    assert numbers(history.cycles(alice.id, CycleFilter(symbol="ETH/USDT:USDT"))) == [2]
    assert numbers(history.cycles(alice.id, CycleFilter(side=Side.SHORT))) == [3]
    assert history.symbols(alice.id) == ["BTC/USDT:USDT", "ETH/USDT:USDT"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("won", [4, 1]),
        ("lost", [5, 2]),
        ("running", [6]),
        (CycleEnd.TAKE_PROFIT, [5, 4, 3, 2, 1]),
        (CycleEnd.LIQUIDATED, []),
    ],
)
def test_the_sign_of_a_profit_is_exact_however_near_to_zero(history, journal, alice, outcome, expected):
    rows = [
        ended(1, "5"),
        ended(2, "-5"),
        ended(3, "0.3", fees="0.1", funding="0.2"),  # nothing; as floats it would be a loss
        ended(4, "0.300000000000000000001", fees="0.1", funding="0.2"),
        ended(5, "0.299999999999999999999", fees="0.1", funding="0.2"),
        running(6),
    ]
    journal.save(rows, durable=True)

    assert numbers(history.cycles(alice.id, CycleFilter(outcome=outcome))) == expected


def test_a_page_of_winners_is_filled_from_behind_those_that_were_none(history, journal, alice):
    nothing, winner = {"realised": "0.3", "fees": "0.1", "funding": "0.2"}, {"realised": "1"}
    journal.save([ended(n, **(winner if n % 4 == 0 else nothing)) for n in range(1, 41)], durable=True)
    won = CycleFilter(outcome="won")

    first = numbers(history.cycles(alice.id, won, limit=3))
    second = numbers(history.cycles(alice.id, won, limit=3, before_number=first[-1]))

    assert (first, second) == ([40, 36, 32], [28, 24, 20])
    assert numbers(history.cycles(alice.id, won, limit=3, after_number=second[0])) == first
    assert numbers(history.cycles(alice.id, won, limit=3, after_number=36)) == [40]


def test_fills_are_found_by_time_cycle_and_kind_and_stand_in_the_order_of_time(history, journal, alice):
    late = fill("late", cycle=1)
    late = replace(late, booked=replace(late.booked, fill=replace(late.booked.fill, at_ms=0)))
    journal.save([fill("a", cycle=1), fill("b", cycle=2, kind=FillKind.FUNDING), late], durable=True)

    def found(**only):
        return [row.booked.fill.exec_id for row in history.fills(alice.id, FillFilter(**only))]

    assert found() == ["b", "a", "late"]
    assert found(cycle=1) == ["a", "late"]
    assert found(kind=FillKind.FUNDING) == ["b"]
    assert found(span=Span(from_ms=1)) == ["b", "a"]
    assert found(span=Span(to_ms=1)) == ["late"]


def test_pages_of_fills_go_both_ways_and_lose_none_of_one_moment(history, journal, alice):
    journal.save([fill(str(number)) for number in range(7)], durable=True)  # all of the same millisecond
    everything = history.fills(alice.id)

    middle = history.fills(alice.id, limit=3, before_id=everything[1].id)

    assert middle == everything[2:5]
    assert history.fills(alice.id, limit=3, after_id=middle[0].id) == everything[:2]
    assert history.fills(alice.id, limit=3, after_id=everything[-1].id) == everything[3:6]


def test_events_are_found_by_time_cycle_and_kind(history, journal, alice):
    journal.save([note(1), note(2, EventKind.FAILED, cycle=7), note(3, EventKind.ATTENTION)], durable=True)

    def found(**only):
        return [row.event.at_ms for row in history.event_page(alice.id, EventFilter(**only))]

    assert found() == [3, 2, 1]
    assert found(cycle=7) == [2]
    assert found(kinds=frozenset({EventKind.FAILED, EventKind.ATTENTION})) == [3, 2]
    assert found(span=Span(from_ms=2, to_ms=3)) == [2]


def test_another_users_rows_are_never_found_whatever_page_is_asked_for(history, journal, db, alice, bob):
    journal.save([fill("a"), note(1), ended(1, "1")], durable=True)
    (of_alice,) = history.fills(alice.id)
    assert history.fills(bob.id, account=ACCOUNT, after_id=of_alice.id - 1) == []
    early = fill("b")
    early = replace(early, booked=replace(early.booked, fill=replace(early.booked.fill, at_ms=0)))
    BotJournal(db, bob.id, ACCOUNT).save([early], durable=True)

    assert history.fills(bob.id, before_id=of_alice.id) == []  # not even its time is told by what comes before it
    assert history.event_page(bob.id, account=ACCOUNT, before_id=99) == []
    assert history.cycle(bob.id, 1, account=ACCOUNT) is None
    assert history.symbols(bob.id, account=ACCOUNT) == []


def test_the_accounts_are_the_one_in_use_and_those_that_were_traded(history, journal, db, alice, bob):
    assert history.accounts(alice.id) == [ACCOUNT]
    BotJournal(db, alice.id, "bybit:live").save([ended(2, "1")], durable=True)
    BotJournal(db, alice.id, "bingx:demo").save([note(1)], durable=True)
    BotJournal(db, alice.id, "bingx:paper").save([fill("x")], durable=True)
    BotJournal(db, bob.id, "bybit:testnet").save([ended(1, "1")], durable=True)

    assert history.accounts(alice.id) == [ACCOUNT, "bingx:demo", "bingx:paper", "bybit:live"]


def test_one_cycle_and_the_running_one_have_the_figures_of_their_fills(history, journal, alice):
    journal.save([ended(1, "5"), running(2), fill("a", cycle=2, fee="0.06")], durable=True)

    assert history.cycle(alice.id, 1).profit == 5
    assert history.cycle(alice.id, 2).fees == history.running(alice.id).fees == Decimal("0.06")
    assert history.cycle(alice.id, 3) is None
    assert history.running(alice.id, account="bybit:live") is None


def test_more_than_so_many_is_told_without_counting_all(history, journal, alice):
    journal.save([note(number) for number in range(5)], durable=True)

    assert history.has_more_than(4, alice.id, EventFilter(), account=ACCOUNT)
    assert not history.has_more_than(5, alice.id, EventFilter(), account=ACCOUNT)


QUERIES = [
    (lambda history, user: history.fills(user, FillFilter(span=Span(from_ms=0))), "fills", "at_ms"),
    (lambda history, user: history.fills(user, FillFilter(cycle=3)), "fills", "cycle"),
    (lambda history, user: history.event_page(user, EventFilter(span=Span(to_ms=9))), "events", "at_ms"),
    (lambda history, user: history.event_page(user, EventFilter(cycle=3)), "events", "cycle"),
    (lambda history, user: history.event_page(user, before_id=3), "events", "at_ms"),
    (lambda history, user: history.ended(user, Span(from_ms=0, to_ms=9), account=ACCOUNT), "cycles", "ended_ms"),
]


@pytest.mark.parametrize(("ask", "table", "column"), QUERIES)
def test_every_way_to_look_has_its_index(history, db, alice, ask, table, column):
    """Asks SQLite how it answers the statement that was really sent."""
    plans = []

    def explain(connection, cursor, statement, parameters, *_):
        if (f"FROM {table}" in statement and "LIMIT" in statement) or column == "ended_ms" in statement:
            plans.append(cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()[0][3])

    event.listen(db._engines.read, "before_cursor_execute", explain)
    ask(history, alice.id)

    assert plans
    assert f"USING INDEX ix_{table}_user_id_account_{column} (user_id=? AND account=?" in plans[-1]


def test_an_upgrade_takes_markets_out_of_the_settings(tmp_path):
    database = at_version(tmp_path / "old.db", "0003")
    old = [json.dumps(replace(DEFAULT_SETTINGS, side=side).to_json(), separators=(",", ":")) for side in Side]
    with database.write() as connection:
        connection.execute(text(OLD_USER), {"mode": "paper"})
        for number, settings in enumerate(old, 1):
            row = {"number": number, "settings": settings}
            connection.execute(
                text(
                    "INSERT INTO cycles (user_id, account, number, settings, started_ms, ended_ms, realised, fees,"
                    " funding, legs_filled) VALUES (1, 'bybit:paper', :number, :settings, 1, 2, '1', '0', '0', 1)"
                ),
                row,
            )

    database.migrate()

    history = History(database)
    assert numbers(history.cycles(1, CycleFilter(side=Side.SHORT))) == [2]
    assert numbers(history.cycles(1, CycleFilter(symbol="BTC/USDT:USDT"))) == [2, 1]
    database.close()


def test_a_hundred_thousand_lines_are_paged_without_reading_them(history, db, alice):
    rows = [
        {"user_id": alice.id, "account": ACCOUNT, "at_ms": number, "kind": "order_placed", "cycle": 0, "data": "{}"}
        for number in range(100_000)
    ]
    with db.write() as connection:
        connection.execute(insert(events), rows)
    steps = []
    with db.read() as connection:
        raw = connection.connection.driver_connection
        raw.set_progress_handler(lambda: steps.append(1), 100)
    oldest = history.event_page(alice.id, before_id=50, limit=LIMIT_MAX)
    old_days = history.event_page(alice.id, EventFilter(span=Span(from_ms=10, to_ms=20)), limit=50)
    raw.set_progress_handler(None, 0)

    assert (len(oldest), len(old_days)) == (49, 10)
    assert len(steps) < 200  # of a hundred instructions each; reading everything takes ten thousand
