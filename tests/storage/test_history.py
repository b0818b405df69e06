from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.ladder_settings import DEFAULT_SETTINGS, Mode
from blitz.core.orders import TAKE_PROFIT, BookedFill, Direction, Fill, FillKind, leg
from blitz.core.records import (
    BotEvent,
    Cycle,
    CycleEnd,
    CycleSaved,
    EventKind,
    EventNoted,
    FillBooked,
    Slot,
    SlotSaved,
    SlotState,
)
from blitz.storage.history import History, Totals
from blitz.storage.history_filters import FillFilter
from blitz.storage.journal import BotJournal
from blitz.storage.paging import LIMIT_MAX
from blitz.storage.statistics import EquityPoint

ACCOUNT = "bybit:paper"


@pytest.fixture
def history(db):
    return History(db)


@pytest.fixture
def journal(db, alice):
    return BotJournal(db, alice.id, ACCOUNT)


def ended(number, realised, *, fees="0", funding="0", legs_filled=1):
    return CycleSaved(
        cycle=Cycle(
            number=number,
            settings=DEFAULT_SETTINGS,
            started_ms=number * 10,
            ended_ms=number * 10 + 5,
            end=CycleEnd.TAKE_PROFIT,
            realised=Decimal(realised),
            fees=Decimal(fees),
            funding=Decimal(funding),
            legs_filled=legs_filled,
        )
    )


def fill(
    exec_id, *, cycle=1, key=None, direction=Direction.BUY, quantity="1", price="100", fee="0", kind=FillKind.TRADE
):
    return FillBooked(
        booked=BookedFill(
            fill=Fill(
                exec_id=exec_id,
                order_id="o",
                client_id="c",
                symbol="BTC/USDT:USDT",
                kind=kind,
                direction=direction,
                quantity=Decimal(quantity),
                price=Decimal(price),
                fee=Decimal(fee),
                is_maker=False,
                at_ms=1,
            ),
            cycle=cycle,
            key=key,
        )
    )


def note(number):
    return EventNoted(event=BotEvent(kind=EventKind.ORDER_PLACED, at_ms=number, data={"n": str(number)}))


def test_a_user_without_history_has_none(history, alice):
    assert history.orders(alice.id) == history.fills(alice.id) == history.cycles(alice.id) == []
    assert history.events(alice.id) == history.latest_events(alice.id) == history.equity(alice.id) == []
    assert history.totals(alice.id) == Totals()
    assert history.totals(404) == Totals()


def test_every_list_is_of_one_user(history, journal, bob):
    slot = Slot(key=leg(1), symbol="BTC/USDT:USDT", state=SlotState.LIVE)
    journal.save([ended(1, "5"), fill("e"), note(1), SlotSaved(slot=slot)], durable=True)

    assert history.orders(bob.id) == history.fills(bob.id) == history.cycles(bob.id) == []
    assert history.events(bob.id) == history.equity(bob.id) == []
    assert history.totals(bob.id) == Totals()


def test_the_account_in_use_follows_the_settings(history, users, db, alice, journal):
    journal.save([ended(1, "5")], durable=True)
    BotJournal(db, alice.id, "bybit:live").save([ended(2, "-3")], durable=True)
    assert history.totals(alice.id).realised == 5

    users.save_settings(alice.id, replace(DEFAULT_SETTINGS, mode=Mode.LIVE))

    assert history.totals(alice.id).realised == -3
    assert history.totals(alice.id, account=ACCOUNT).realised == 5


def test_only_slots_that_may_hold_an_order_are_shown(history, journal, alice):
    slots = [Slot(key=leg(number), symbol="BTC/USDT:USDT", state=state) for number, state in enumerate(SlotState)]
    journal.save([SlotSaved(slot=slot) for slot in slots], durable=True)

    assert [slot.state for slot in history.orders(alice.id)] == [SlotState.INTENT, SlotState.UNKNOWN, SlotState.LIVE]


def test_fills_are_paged_newest_first(history, journal, alice):
    journal.save([fill(str(number)) for number in range(5)], durable=True)

    first = history.fills(alice.id, limit=2)
    second = history.fills(alice.id, limit=2, before_id=first[-1].id)

    assert [row.booked.fill.exec_id for row in [*first, *second]] == ["4", "3", "2", "1"]


def test_fills_of_one_cycle(history, journal, alice):
    journal.save([fill("a", cycle=1), fill("b", cycle=2)], durable=True)

    assert [row.booked.fill.exec_id for row in history.fills(alice.id, FillFilter(cycle=2))] == ["b"]


def test_cycles_are_paged_newest_first(history, journal, alice):
    journal.save([ended(number, "1") for number in range(1, 6)], durable=True)

    first = history.cycles(alice.id, limit=2)
    second = history.cycles(alice.id, limit=2, before_number=first[-1].number)

    assert [cycle.number for cycle in [*first, *second]] == [5, 4, 3, 2]


def test_the_running_cycle_has_the_figures_of_its_fills_so_far(history, journal, alice):
    running = Cycle(number=2, settings=DEFAULT_SETTINGS, started_ms=20)
    journal.save(
        [
            ended(1, "5", fees="1"),
            CycleSaved(cycle=running),
            fill("a", cycle=2, key=leg(0), fee="0.06"),
            fill("b", cycle=2, key=leg(1), price="90", fee="0.05"),
            fill("c", cycle=2, key=TAKE_PROFIT, direction=Direction.SELL, price="97", fee="0.02"),
            fill("d", cycle=2, kind=FillKind.FUNDING, quantity="0", fee="0.03"),
        ],
        durable=True,
    )

    shown, closed = history.cycles(alice.id)

    figures = (shown.realised, shown.fees, shown.funding, shown.legs_filled, shown.profit)
    assert [str(figure.normalize()) if isinstance(figure, Decimal) else figure for figure in figures] == [
        "2", "0.13", "0.03", 2, "1.84",
    ]  # fmt: skip
    assert (closed.realised, closed.fees) == (5, 1)
    assert history.totals(alice.id).net == shown.profit + closed.profit


def test_events_after_an_id_come_in_order_and_miss_none(history, journal, alice):
    journal.save([note(number) for number in range(5)], durable=True)

    first = history.events(alice.id, limit=2)
    rest = history.events(alice.id, after_id=first[-1].id)

    assert [row.event.at_ms for row in [*first, *rest]] == [0, 1, 2, 3, 4]
    assert [row.event.at_ms for row in history.latest_events(alice.id, limit=2)] == [3, 4]


@pytest.mark.parametrize("limit", [-1, 0, 1])
def test_a_limit_is_at_least_one(history, journal, alice, limit):
    journal.save([note(1), note(2)], durable=True)

    assert len(history.events(alice.id, limit=limit)) == 1


def test_a_limit_is_bounded(history, journal, alice):
    journal.save([note(number) for number in range(LIMIT_MAX + 5)], durable=True)

    assert len(history.events(alice.id, limit=10**9)) == LIMIT_MAX


def test_equity_adds_up_exactly(history, journal, alice):
    journal.save([ended(1, "0.1", fees="0.01"), ended(2, "0.2", funding="-0.005"), ended(3, "-1")], durable=True)

    assert history.equity(alice.id) == [
        EquityPoint(15, Decimal("0.09"), Decimal("0.09")),
        EquityPoint(25, Decimal("0.205"), Decimal("0.295")),
        EquityPoint(35, Decimal(-1), Decimal("-0.705")),
    ]


@pytest.mark.parametrize("number", [4, 5, 6])
def test_totals_follow_a_late_correction_of_any_of_the_newest_cycles(history, journal, alice, number):
    journal.save([ended(each, 1) for each in range(1, 7)], durable=True)
    assert history.totals(alice.id).net == 6

    journal.save([ended(number, 1, funding="0.25")], durable=True)

    assert history.totals(alice.id).net == Decimal("5.75")
    assert history.totals(alice.id).cycles == 6


def test_totals_hold_the_running_cycle_too(history, journal, alice):
    running = CycleSaved(cycle=Cycle(number=2, settings=DEFAULT_SETTINGS, started_ms=20))
    fills = [
        fill("a", cycle=2, key=leg(0), quantity="2", price="100", fee="0.11"),
        fill("b", cycle=2, key=leg(1), quantity="2", price="90", fee="0.04"),
        fill("c", cycle=2, key=TAKE_PROFIT, direction=Direction.SELL, quantity="1", price="97", fee="0.02"),
        fill("d", cycle=2, kind=FillKind.FUNDING, quantity="3", fee="-0.5"),
    ]

    journal.save([ended(1, "5", fees="1", funding="0.25", legs_filled=3), running, *fills], durable=True)

    totals = history.totals(alice.id)
    assert totals == Totals(
        realised=Decimal(7), fees=Decimal("1.17"), funding=Decimal("-0.25"), cycles=1, legs_filled=5
    )
    assert totals.net == Decimal("6.08")
