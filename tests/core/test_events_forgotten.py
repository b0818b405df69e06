"""Executions that the venue forgot (A23): entries wait, nothing is invented, exits follow what is really held."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, CancelOrder, ReadFills, ReadOpenOrders, ReadPosition, SendOrder
from blitz.core.orders import ZERO, Direction, OrderType
from blitz.core.records import CycleEnd
from blitz.core.work import Mode
from tests.core.ladders import LONG
from tests.core.rig import Rig


def forgetful(**changes: object) -> Rig:
    """Leg 1 filled, the position shows it, and its execution is in no list."""
    rig = Rig(settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    rig.venue.now_ms += 1_000
    rig.venue.move("59400")
    rig.venue.forget(rig.venue.fills[-1].exec_id)
    return rig


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


def test_the_take_profit_covers_the_whole_position_at_the_venues_average():
    rig = forgetful(stop_loss=Decimal(40))
    rig.live(30_000)
    assert code(rig) == "books_differ"
    take_profit, stop = rig.venue.live(rig.tag("tp")), rig.venue.live(rig.tag("sl"))
    assert (take_profit.quantity, take_profit.price) == (Decimal("0.032"), Decimal("59998.5"))
    assert (stop.quantity, stop.trigger) == (Decimal("0.032"), Decimal(57_312))
    assert rig.memory.ledger.quantity == Decimal("0.016")


def test_entries_wait_nothing_is_cancelled_and_no_profit_is_invented():
    rig = forgetful()
    rig.venue.cancel_by_hand(rig.tag("leg_3"))
    before = len(rig.venue.calls)
    rig.live(60_000)
    calls = rig.venue.calls[before:]
    assert not [call for call in calls if isinstance(call, CancelOrder | SendOrder)]
    assert sum(isinstance(call, AmendOrder) for call in calls) == 1
    assert "leg_3" not in rig.quantities()
    assert rig.memory.ledger.realised == 0


def test_reads_that_lag_for_a_while_move_nothing():
    rig = forgetful()
    rig.live(14_000)
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]
    assert code(rig) is None


def test_one_read_alone_moves_nothing():
    rig = forgetful()
    rig.live(15_500)
    assert code(rig) == "books_differ"
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]


def test_two_reads_closer_than_a_read_may_lag_move_nothing():
    rig = forgetful()
    rig.live(15_500)
    while (before := rig.memory.unexplained) is None:
        rig.run_pass()
    for _ in range(5):
        rig.venue.now_ms = before.at_ms + 2_000
        rig.run_pass()
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]
    rig.venue.now_ms = before.at_ms + 3_000
    rig.run_pass()
    assert rig.quantities()["tp"] == Decimal("0.032")


def test_an_exit_that_nobody_planned_is_left_where_it_is():
    rig = forgetful()
    stop = rig.venue._new_order(
        rig.tag("sl"), Direction.SELL, OrderType.STOP_MARKET, Decimal("0.016"), None, Decimal(50_000), True
    )
    rig.live(30_000)
    assert code(rig) == "books_differ"
    assert stop.order_id in {order.order_id for order in rig.venue.resting()}


def test_a_position_that_changes_from_read_to_read_moves_nothing():
    rig = forgetful()
    rig.live(15_500)
    for _ in range(6):
        rig.venue.held += Decimal("0.001")
        rig.venue._remember()
        rig.live(4_000)
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]


def test_a_take_profit_that_is_gone_comes_back_reduce_only_for_what_is_held():
    rig = forgetful()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.live(40_000)
    sent = rig.sent("tp")[-1].order
    assert sent.reduce_only
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")


def test_a_partly_closed_position_shrinks_the_exit():
    rig = Rig()
    rig.rest()
    rig.venue.trade_by_hand(Direction.SELL, "0.006")
    rig.venue.forget(rig.venue.fills[-1].exec_id)
    rig.venue._put(replace(rig.venue.live(rig.tag("tp")), quantity=Decimal("0.016")), terminal=False)
    rig.live(30_000)
    assert rig.quantities()["tp"] == Decimal("0.010")


@pytest.mark.parametrize("case", ["flat", "turned", "no average"])
def test_what_cannot_be_protected_is_left_alone(case):
    rig = forgetful()
    if case == "flat":
        rig.venue.held = ZERO
    elif case == "turned":
        rig.venue.held = Decimal("-0.5")
    else:
        rig.venue.average = ZERO
    rig.venue._remember()
    before = len(rig.venue.calls)
    rig.live(60_000)
    writes = (SendOrder, AmendOrder, CancelOrder)
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, writes)]
    assert code(rig) == "books_differ"


def test_a_look_with_a_failed_read_moves_nothing_although_the_position_can_be_read_again():
    # S9: the same pass had no picture of its own, and decided all the same.
    rig = forgetful()
    rig.live(15_500)
    while rig.memory.unexplained is None:
        rig.run_pass()
    rig.venue.now_ms += 5_000
    for kind in (ReadOpenOrders, ReadFills, ReadPosition):
        rig.venue.fault(kind, "lost_request")
        rig.run_pass()
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]
    rig.run_pass()
    assert rig.quantities()["tp"] == Decimal("0.032")


def test_a_position_that_cannot_be_read_moves_nothing():
    rig = forgetful()
    rig.live(15_500)
    for _ in range(20):
        rig.venue.fault(ReadPosition, "lost_request")
    for _ in range(4):
        rig.run_pass()
        rig.venue.now_ms += 5_000
    assert not [call for call in rig.venue.calls if isinstance(call, AmendOrder)]


def test_when_the_execution_turns_up_again_all_goes_on_as_before():
    rig = forgetful()
    lost = replace(rig.venue.fills[0], exec_id="exec-2", order_id="order-3", price=Decimal(59_400))
    rig.live(30_000)
    rig.venue.fills.append(replace(lost, client_id=rig.tag("leg_1"), at_ms=rig.venue.now_ms - 30_000))
    rig.venue._remember()
    rig.rest()
    assert code(rig) is None
    assert rig.quantities()["tp"] == rig.venue.held
    rig.go("59998.5")
    assert rig.journal.cycles[1].end is CycleEnd.TAKE_PROFIT
    assert rig.journal.cycles[1].legs_filled == 2


@pytest.mark.parametrize("mode", [Mode.STOP_PULL, Mode.RECOVER])
def test_only_a_trading_bot_moves_exits_while_books_differ(mode):
    rig = forgetful()
    rig.live(15_500)
    before = len(rig.venue.calls)
    for _ in range(5):
        result = rig.run_pass(mode)
        rig.venue.now_ms += 5_000
        if result.finish is not None:
            break
    writes = (SendOrder, AmendOrder, CancelOrder)
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, writes)]
