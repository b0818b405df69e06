"""The store in memory and the one on the real database keep the same, whatever the disk does."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.orders import BookedFill, Direction, Fill, FillKind, leg
from blitz.core.records import (
    Change,
    Cycle,
    CycleEnd,
    CycleSaved,
    FillBooked,
    IdRegime,
    RegimeLearnt,
    Remembered,
    Slot,
    SlotSaved,
    SlotState,
)
from blitz.simulation.journals import DiskFault, MemoryStore, SqliteStore, Store
from blitz.simulation.template import make_template
from tests.storage.records import CHANGES

USERS = (7, 12)
NOTHING = Remembered(slots=(), cycle=None, fills=(), last_cycle=0, last_fill_ms=0, regime=IdRegime.UNLEARNT)
FAULTS = [DiskFault.BUSY, DiskFault.FULL, DiskFault.ERROR, DiskFault.UNANSWERED]
FOLDERS = itertools.count()
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SAVES = st.builds(
    lambda user, changes, durable, fault: ("save", user, tuple(changes), durable, fault),
    st.sampled_from(USERS),
    st.lists(CHANGES, min_size=1, max_size=5),
    st.booleans(),
    st.none() | st.none() | st.sampled_from(FAULTS),
)
EVENTS = st.one_of(
    SAVES, SAVES, SAVES, SAVES,
    st.builds(lambda share: ("cut_power", share), st.sampled_from([0.0, 1.0])),
    st.sampled_from([("back_up",), ("restore",), ("empty",)]),
)  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "template.db", USERS)


@pytest.fixture
def on_file(template: Path, tmp_path: Path) -> Iterator[Callable[[], SqliteStore]]:
    """Makes a store with nothing in it, in a folder of its own."""
    made: list[SqliteStore] = []

    def make() -> SqliteStore:
        folder = tmp_path / str(next(FOLDERS))
        folder.mkdir()
        for store in made:
            store.close()
        made.append(SqliteStore(template, folder))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, on_file: Callable[[], SqliteStore]) -> Store:
    return MemoryStore() if request.param == "memory" else on_file()


@pytest.mark.slow
@given(events=st.lists(EVENTS, min_size=1, max_size=14))
@MANY
def test_both_stores_keep_the_same(on_file: Callable[[], SqliteStore], events: Sequence[tuple]):
    in_memory, in_file = MemoryStore(), on_file()
    for what, *how in events:
        if what == "save":
            user, changes, durable, fault = how
            told = [each.save(user, changes, durable=durable, fault=fault) for each in (in_memory, in_file)]
            assert told == [fault is None] * 2
        else:
            for each in (in_memory, in_file):
                getattr(each, what)(*how)
        for user in USERS:
            assert in_memory.load(user) == in_file.load(user)


@dataclass
class Kept:
    """A store and what it must at least still have: the loads after its last durable save."""

    store: Store
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def save(self, *, durable: bool = False, fault: DiskFault | None = None) -> str:
        """Save one more fill, with a cycle and a slot; answers its exec id."""
        number = next(self.numbers)
        self.store.save(7, change_set(number), durable=durable, fault=fault)
        return f"e{number}"

    def booked(self) -> set[str]:
        return set(self.store.load(7).recent_exec_ids)


def change_set(number: int) -> tuple[Change, ...]:
    fill = Fill(
        exec_id=f"e{number}", order_id="o", client_id="c", symbol="BTCUSDT", kind=FillKind.TRADE,
        direction=Direction.BUY, quantity=Decimal("0.01"), price=Decimal(60_000), fee=Decimal("0.33"), is_maker=False,
        at_ms=number,
    )  # fmt: skip
    slot = Slot(key=leg(number % 3), symbol="BTC/USDT:USDT", state=SlotState.LIVE, generation=number)
    return (
        CycleSaved(cycle=Cycle(number=1, settings=DEFAULT_SETTINGS, started_ms=1)),
        FillBooked(booked=BookedFill(fill=fill, cycle=1, key=leg(0))),
        SlotSaved(slot=slot),
        RegimeLearnt(regime=IdRegime.NEVER),
    )


@pytest.mark.slow
@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from([None, None, *FAULTS]), st.booleans()), max_size=12))
@MANY
def test_no_power_cut_takes_a_durable_save(on_file: Callable[[], SqliteStore], steps: Sequence[tuple]):
    for kept in (Kept(MemoryStore()), Kept(on_file())):
        safe: set[str] = set()
        written: set[str] = set()
        for durable, fault, power_is_cut in steps:
            exec_id = kept.save(durable=durable, fault=fault)
            if fault in {None, DiskFault.UNANSWERED}:
                written.add(exec_id)
            safe = set(written) if durable and exec_id in written else safe
            if power_is_cut:
                kept.store.cut_power(1.0)
                assert kept.booked() == safe
                written = set(safe)


@pytest.mark.parametrize("fault", FAULTS[:3])
@pytest.mark.parametrize("durable", [True, False])
def test_a_failed_save_leaves_nothing_behind(store: Store, fault: DiskFault, durable: bool):
    assert store.save(7, change_set(1), durable=durable, fault=fault) is False
    assert store.load(7) == NOTHING
    store.cut_power(0.0)
    assert store.load(7) == NOTHING


@pytest.mark.parametrize("durable", [True, False])
def test_a_save_without_an_answer_leaves_everything(store: Store, durable: bool):
    assert store.save(7, change_set(1), durable=durable, fault=DiskFault.UNANSWERED) is False
    after = store.load(7)
    assert after.recent_exec_ids == ("e1",)
    assert (after.cycle is not None, len(after.slots), after.regime) == (True, 1, IdRegime.NEVER)
    store.cut_power(1.0)
    assert store.load(7) == (after if durable else NOTHING)


def test_what_a_power_cut_has_left_is_on_the_disk(store: Store):
    kept = Kept(store)
    kept.save()
    store.cut_power(0.0)
    kept.save()
    store.cut_power(1.0)
    assert kept.booked() == {"e1"}


def test_a_backup_outlives_what_a_power_cut_takes(store: Store):
    kept = Kept(store)
    kept.save()
    store.back_up()
    store.cut_power(1.0)
    assert kept.booked() == set()
    store.restore()
    assert kept.booked() == {"e1"}
    kept.save()
    store.cut_power(1.0)
    assert kept.booked() == {"e1"}


def test_an_emptied_store_has_no_backup_left(store: Store):
    kept = Kept(store)
    kept.save(durable=True)
    store.back_up()
    store.empty()
    store.restore()
    assert store.load(7) == NOTHING


def test_closed_cycles_come_with_what_was_booked_into_them(store: Store):
    for number in range(1, 6):
        cycle = Cycle(
            number=number, settings=DEFAULT_SETTINGS, started_ms=number, ended_ms=number + 1, end=CycleEnd.TAKE_PROFIT
        )
        _, booked, *_ = change_set(number)
        assert isinstance(booked, FillBooked)
        fill = BookedFill(fill=booked.booked.fill, cycle=number, key=leg(0))
        store.save(7, [CycleSaved(cycle=cycle)], durable=False, fault=None)
        if number != 4:
            store.save(7, [FillBooked(booked=fill)], durable=False, fault=None)
    closed = store.load(7).closed
    assert [(one.cycle.number, one.exec_ids) for one in closed] == [(5, frozenset({"e5"})), (3, frozenset({"e3"}))]
    assert store.books(7).cycles.keys() == {1, 2, 3, 4, 5}


def test_users_do_not_see_each_other(store: Store):
    store.save(7, change_set(1), durable=False, fault=None)
    assert store.load(12) == NOTHING
