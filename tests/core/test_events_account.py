"""Leverage, margin mode and position mode changed by hand, and keys revoked (C7, A13): given, when, then."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import (
    AmendOrder,
    CancelOrder,
    PrepareAccount,
    ReadAccount,
    ReadOpenOrders,
    Refusal,
    Rejected,
    SendOrder,
)
from blitz.core.ladder_settings import MarginMode
from blitz.core.work import Mode
from tests.core.ladders import LONG
from tests.core.rig import Rig

ALL = {"tp", "leg_1", "leg_2", "leg_3"}
KEY_NO = Rejected(refusal=Refusal.KEY, code="10003", message="API key is invalid")


def running() -> Rig:
    rig = Rig()
    rig.rest()
    return rig


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


def passes(rig: Rig, count: int = 3, every_ms: int = 1_000) -> None:
    for _ in range(count):
        rig.venue.now_ms += every_ms
        rig.run_pass()


def by_leverage(rig: Rig) -> None:
    rig.venue.leverage = Decimal(25)


def by_position_mode(rig: Rig) -> None:
    rig.venue.hedged = True


def by_margin_mode(rig: Rig) -> None:
    rig.venue.margin_mode = MarginMode.ISOLATED
    rig.venue.now_ms += 61_000


CHANGES = [
    (by_leverage, "leverage_changed"),
    (by_position_mode, "account_mode"),
    (by_margin_mode, "margin_mode_changed"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_a_change_under_an_open_cycle_is_told_and_no_leg_is_sent(change, told):
    rig = running()
    change(rig)
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    passes(rig, 6)
    assert code(rig) == told
    assert set(rig.quantities()) == ALL - {"leg_2"}
    assert sum(isinstance(call, PrepareAccount) for call in rig.venue.calls) == 1


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_exits_go_on_under_a_changed_account(change, told):
    rig = running()
    change(rig)
    rig.venue.move("59400")
    rig.venue.cancel_by_hand(rig.tag("tp"))
    passes(rig, 6)
    assert code(rig) == told
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_set_back_by_hand_the_attention_ends_and_the_leg_returns(change, told):
    rig = running()
    change(rig)
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    passes(rig, 6)
    assert code(rig) == told
    rig.venue.leverage, rig.venue.hedged, rig.venue.margin_mode = Decimal(10), False, LONG.margin_mode
    passes(rig, 4, every_ms=20_000)
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


def test_a_venue_that_shows_no_leverage_blocks_nothing():
    rig = Rig()
    rig.venue.leverage = rig.venue.leverage_asked = Decimal(0)
    rig.rest()
    passes(rig)
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


@pytest.mark.parametrize("fault", ["lost_request", KEY_NO])
def test_a_margin_mode_that_cannot_be_read_is_not_a_changed_one(fault):
    rig = running()
    rig.venue.fault(ReadAccount, fault)
    passes(rig, 3, every_ms=31_000)
    assert code(rig) is None


def test_the_next_cycle_sets_its_own_leverage_and_enters():
    rig = running()
    rig.venue.leverage = Decimal(25)
    rig.go("60300")
    rig.rest()
    assert sorted(rig.journal.cycles) == [1, 2]
    assert rig.venue.leverage == 10
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


def test_leverage_changed_between_two_tries_of_an_entry_is_set_again_before_the_second():
    rig = Rig()
    rig.venue.fault(SendOrder, Rejected(refusal=Refusal.MARGIN, code="110007", message="no"), tag="sm_leg_0")
    rig.run_pass()
    rig.run_pass()
    rig.venue.leverage = Decimal(50)
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert rig.venue.leverage == 10


def test_a_venue_that_says_done_and_shows_another_leverage_never_gets_an_entry():
    rig = Rig()
    rig.venue.leverage, rig.venue.stubborn = Decimal(50), True
    passes(rig, 40)
    assert rig.sent("leg_0") == []
    assert code(rig) == "leverage_changed"
    rig.venue.stubborn = False
    rig.venue.now_ms += 30_000
    rig.rest()
    assert set(rig.quantities()) == ALL
    assert code(rig) is None


def test_a_bot_that_waits_for_its_leverage_can_be_stopped():
    rig = Rig()
    rig.venue.leverage, rig.venue.stubborn = Decimal(50), True
    passes(rig, 10)
    result = rig.rest(Mode.STOP_PULL)
    assert result.finish is not None
    assert rig.venue.records == {}


@pytest.mark.parametrize("refusal", [Refusal.KEY, Refusal.CLOSED_MARKET])
def test_an_account_that_cannot_be_prepared_for_a_while_parks_the_bot(refusal):
    rig = running()
    for _ in range(3):
        rig.venue.fault(PrepareAccount, Rejected(refusal=refusal, code="1", message="not now"))
    rig.venue.move("60300")
    for _ in range(4):
        rig.run_pass()
    assert code(rig) in {"key_rejected", "market_closed"}
    assert rig.venue.held == 0
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert code(rig) is None


def test_a_revoked_key_is_told_looks_no_faster_than_two_seconds_and_leaves_orders_alone():
    rig = running()
    before = len(rig.venue.calls)
    for _ in range(5):
        rig.venue.fault(ReadOpenOrders, KEY_NO)
        result = rig.run_pass()
        assert result.wake_in_ms is not None
        assert result.wake_in_ms >= 2_000
        assert code(rig) == "key_rejected"
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, SendOrder | AmendOrder | CancelOrder)]
    rig.rest()
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


def test_a_restart_under_changed_leverage_still_tells():
    rig = running()
    rig.venue.leverage = Decimal(25)
    rig.restart()
    rig.run_pass()
    assert code(rig) == "leverage_changed"


def test_an_adopted_cycle_with_another_leverage_gets_its_take_profit_and_no_legs():
    rig = running()
    for name in ALL:
        rig.venue.cancel_by_hand(rig.tag(name))
    rig.journal = type(rig.journal)()
    rig.settings = replace(LONG, leverage=Decimal(20))
    rig.restart()
    rig.venue.now_ms += 5_000
    passes(rig, 8)
    assert set(rig.quantities()) == {"tp"}
    assert code(rig) == "leverage_changed"
