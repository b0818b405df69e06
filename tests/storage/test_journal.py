import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.orders import TAKE_PROFIT, BookedFill, Direction, Fill, FillKind, leg
from blitz.core.records import (
    BotEvent,
    ClosedCycle,
    Cycle,
    CycleEnd,
    CycleSaved,
    DesiredSaved,
    EventKind,
    EventNoted,
    FillBooked,
    IdRegime,
    RegimeLearnt,
    Remembered,
    Slot,
    SlotSaved,
    SlotState,
)
from blitz.core.tags import base_tag
from blitz.errors import DatabaseProblem
from blitz.storage.history import History
from blitz.storage.journal import BotJournal
from tests.storage.records import CHANGES, CYCLES, EVENTS, FILLS, SLOTS

ACCOUNT = "bybit:paper"
NOTHING = Remembered(slots=(), cycle=None, fills=(), last_cycle=0, last_fill_ms=0, regime=IdRegime.UNLEARNT)
SLOT = Slot(key=leg(1), symbol="BTC/USDT:USDT", state=SlotState.INTENT)
CYCLE = Cycle(number=1, settings=DEFAULT_SETTINGS, started_ms=1)

# A database per example would be slow; every example gets an account of its own instead.
ACCOUNTS = itertools.count()
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def journal(db, alice):
    return BotJournal(db, alice.id, ACCOUNT)


@pytest.fixture
def fresh(db, users, alice):
    """Makes a journal nobody has written to, of a user nobody has used."""

    def make():
        number = next(ACCOUNTS)
        user = users.create(f"user{number}@example.com", "correct horse battery staple")
        return BotJournal(db, user.id, ACCOUNT)

    return make


def fill(exec_id, *, cycle=1, at_ms=1, sequence=0):
    return BookedFill(
        fill=Fill(
            exec_id=exec_id,
            order_id="o",
            client_id="c",
            symbol="BTC/USDT:USDT",
            kind=FillKind.TRADE,
            direction=Direction.BUY,
            quantity=CYCLE.realised + 1,
            price=CYCLE.realised + 60_000,
            fee=CYCLE.realised,
            is_maker=True,
            at_ms=at_ms,
            sequence=sequence,
        ),
        cycle=cycle,
        key=TAKE_PROFIT,
    )


def expected(changes, user_id):
    """What a journal must remember, told in the simplest way."""
    slots: dict[str, Slot] = {}
    cycles: dict[int, Cycle] = {}
    fills: dict[str, BookedFill] = {}
    regime = IdRegime.UNLEARNT
    rests = False
    for change in changes:
        match change:
            case SlotSaved(slot=slot):
                slots[base_tag(slot.key, user_id, slot.symbol)] = slot
            case CycleSaved(cycle=cycle):
                cycles[cycle.number] = cycle
            case FillBooked(booked=booked):
                fills.setdefault(booked.fill.exec_id, booked)
            case RegimeLearnt(regime=learnt):
                regime = learnt
            case DesiredSaved(desired=desired):
                rests = desired == "stopped"
    running = max(
        (each for each in cycles.values() if each.ended_ms is None), key=lambda each: each.number, default=None
    )
    oldest_first = sorted(fills.values(), key=lambda each: each.fill.moment)
    return Remembered(
        slots=tuple(sorted(slots.values(), key=lambda slot: (slot.symbol, slot.key.role, slot.key.leg))),
        cycle=running,
        fills=tuple(each for each in oldest_first if running is not None and each.cycle == running.number),
        last_cycle=max(cycles, default=0),
        last_fill_ms=max((each.fill.at_ms for each in fills.values()), default=0),
        regime=regime,
        recent_exec_ids=tuple(each.fill.exec_id for each in reversed(oldest_first)),
        closed=tuple(closed_cycles(cycles, oldest_first)),
        rests=rests,
    )


def closed_cycles(cycles, fills):
    """Those of the three newest closed cycles that have fills, newest first."""
    ended = sorted((each for each in cycles.values() if each.ended_ms is not None), key=lambda each: -each.number)
    for cycle in (each for each in ended if each.number > ended[0].number - 3):
        own = [each.fill for each in fills if each.cycle == cycle.number]
        if own:
            yield ClosedCycle(
                cycle=cycle,
                first_fill_ms=own[0].at_ms,
                last_fill_ms=own[-1].at_ms,
                exec_ids=frozenset(fill.exec_id for fill in own),
                order_ids=frozenset(fill.order_id for fill in own),
            )


def test_a_new_bot_remembers_nothing(journal):
    assert journal.load() == NOTHING


@MANY
@given(batches=st.lists(st.lists(CHANGES, max_size=12), max_size=4), durable=st.booleans())
def test_what_was_saved_is_what_is_loaded(fresh, batches, durable):
    journal = fresh()

    for batch in batches:
        journal.save(batch, durable=durable)

    changes = list(itertools.chain(*batches))
    assert journal.load() == expected(changes, journal._user_id)


@MANY
@given(slot=SLOTS, cycle=CYCLES, booked=FILLS, noted=EVENTS)
def test_each_kind_of_change_comes_back_equal(fresh, db, slot, cycle, booked, noted):
    journal, history = fresh(), History(db)

    changes = [SlotSaved(slot=slot), CycleSaved(cycle=cycle), FillBooked(booked=booked), EventNoted(event=noted)]
    journal.save(changes, durable=False)

    user_id = journal._user_id
    assert journal.load().slots == (slot,)
    # History folds the running cycle from its fills; the row itself is what the bot remembers
    assert (journal.load().cycle if cycle.ended_ms is None else history.cycles(user_id)[0]) == cycle
    assert [row.booked for row in history.fills(user_id)] == [booked]
    assert [row.event for row in history.events(user_id)] == [noted]


def test_every_field_of_a_record_has_a_place_in_its_row(db):
    """A field that is added to the core and forgotten here must not be lost in silence."""
    kept = {
        "order_slots": set(Slot.__dataclass_fields__) - {"key"},
        "cycles": set(Cycle.__dataclass_fields__),
        "fills": set(Fill.__dataclass_fields__) | set(BookedFill.__dataclass_fields__) - {"fill", "key"},
        "events": set(BotEvent.__dataclass_fields__),
    }
    with db.read() as connection:
        for table, fields in kept.items():
            columns = {row.name for row in connection.execute(text(f"PRAGMA table_info({table})"))}
            assert fields <= columns, table


def test_an_execution_is_booked_once(journal, db, alice):
    journal.save([FillBooked(booked=fill("e1")), FillBooked(booked=fill("e1", cycle=9))], durable=True)
    journal.save([FillBooked(booked=fill("e1", at_ms=77))], durable=True)

    assert [row.booked for row in History(db).fills(alice.id)] == [fill("e1")]


def test_executions_of_one_millisecond_are_loaded_in_the_venues_order(journal):
    listed_late = [fill("e2", sequence=2), fill("e3", sequence=3), fill("e1", sequence=1)]
    open_cycle = replace(CYCLE, number=1, ended_ms=None, end=None)
    journal.save([CycleSaved(cycle=open_cycle), *(FillBooked(booked=one) for one in listed_late)], durable=True)
    assert [one.fill.exec_id for one in journal.load().fills] == ["e1", "e2", "e3"]


def test_the_same_execution_id_of_another_user_or_account_is_another_one(journal, db, alice, bob):
    others = [BotJournal(db, bob.id, ACCOUNT), BotJournal(db, alice.id, "bybit:live")]
    for each in (journal, *others):
        each.save([CycleSaved(cycle=CYCLE), FillBooked(booked=fill("e1"))], durable=True)

    assert [each.load().fills for each in (journal, *others)] == [(fill("e1"),)] * 3


def test_bots_do_not_see_each_others_memory(journal, db, alice, bob):
    changes = [SlotSaved(slot=SLOT), CycleSaved(cycle=CYCLE), RegimeLearnt(regime=IdRegime.NEVER)]

    journal.save([*changes, FillBooked(booked=fill("e1"))], durable=True)

    assert BotJournal(db, bob.id, ACCOUNT).load() == NOTHING
    assert BotJournal(db, alice.id, "bybit:live").load() == replace(NOTHING, last_cycle=1)


def test_a_slot_has_one_row_per_tag(journal, db):
    for generation in range(5):
        journal.save([SlotSaved(slot=replace(SLOT, generation=generation))], durable=True)

    assert [slot.generation for slot in journal.load().slots] == [4]
    with db.read() as connection:
        assert connection.scalar(text("SELECT tag FROM order_slots")) == "sm_leg_1_1_BTCUSDTUSDT"


def test_fills_of_the_running_cycle_come_oldest_first(journal):
    booked = [fill("late", cycle=2, at_ms=30), fill("other", cycle=1, at_ms=10), fill("early", cycle=2, at_ms=20)]
    ended = replace(CYCLE, ended_ms=15, end=CycleEnd.TAKE_PROFIT)

    journal.save([CycleSaved(cycle=ended), CycleSaved(cycle=replace(CYCLE, number=2))], durable=True)
    journal.save([FillBooked(booked=each) for each in booked], durable=True)

    remembered = journal.load()
    assert [each.fill.exec_id for each in remembered.fills] == ["early", "late"]
    assert (remembered.last_cycle, remembered.last_fill_ms) == (2, 30)


def test_all_changes_of_a_save_are_written_or_none(journal, db):
    """The disk fails at the last statement: nothing of the others may stay."""
    changes = [
        SlotSaved(slot=SLOT),
        CycleSaved(cycle=CYCLE),
        EventNoted(event=BotEvent(kind=EventKind.STARTED, at_ms=1)),
    ]
    with db.write() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk'); END"))

    with pytest.raises(Exception, match="disk"):
        journal.save(changes, durable=True)

    assert journal.load() == NOTHING


@pytest.mark.parametrize("durable", [False, True])
def test_an_intent_goes_through_the_connection_that_reaches_the_disk(journal, db, durable):
    seen = []
    engines = {"write": db._engines.write, "durable": db._engines.durable}
    for name, engine in engines.items():
        event.listen(engine, "commit", lambda _connection, name=name: seen.append(name))

    journal.save([SlotSaved(slot=SLOT)], durable=durable)

    assert seen == ["durable" if durable else "write"]


def test_saving_nothing_asks_nothing_of_the_database(journal, db):
    db.close()
    with db.write():  # would deadlock if the journal wanted its turn
        journal.save([], durable=True)


def test_a_bot_of_nobody_is_refused(db):
    with pytest.raises(Exception, match="FOREIGN KEY"):
        BotJournal(db, 404, ACCOUNT).save([SlotSaved(slot=SLOT)], durable=True)


def test_a_cycle_that_does_not_read_is_told(journal, db):
    journal.save([CycleSaved(cycle=CYCLE)], durable=True)
    with db.write() as connection:
        connection.execute(text('UPDATE cycles SET settings = \'{"leverage": "NaN"}\''))

    with pytest.raises(DatabaseProblem, match="cycle 1 of user 1"):
        journal.load()


def test_a_disk_that_is_full_is_told_as_a_problem_of_the_database(journal, db):
    with db.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    big = EventNoted(event=BotEvent(kind=EventKind.FAILED, at_ms=1, data={"text": "x" * 100_000}))

    with pytest.raises(DatabaseProblem, match="full"):
        journal.save([SlotSaved(slot=SLOT), big], durable=False)

    assert journal.load() == NOTHING
