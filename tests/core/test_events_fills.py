"""What other hands and the venue do to a position: H2, H3, C1–C4, C8–C10: given, when, then."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, SendOrder
from blitz.core.orders import Direction, FillKind, Side
from blitz.core.records import CycleEnd, EventKind
from tests.core.ladders import LONG, SHORT
from tests.core.rig import Rig

ALL = {"tp", "leg_1", "leg_2", "leg_3"}


def running(**changes: object) -> Rig:
    rig = Rig(settings=replace(LONG, **changes))  # type: ignore[arg-type]
    rig.rest()
    return rig


def told(rig: Rig, kind: EventKind) -> list[tuple[str, str]]:
    return [
        (event.data["quantity"], str(Decimal(event.data["price"])))
        for event in rig.journal.events
        if event.kind is kind
    ]


# Trades by hand


@pytest.mark.parametrize(
    ("direction", "quantity", "tp"), [(Direction.BUY, "0.010", "0.026"), (Direction.SELL, "0.010", "0.006")]
)
def test_a_trade_by_hand_is_told_once_and_the_exits_follow(direction, quantity, tp):
    rig = running(stop_loss=Decimal(40))
    rig.venue.trade_by_hand(direction, quantity)
    rig.rest()
    rig.restart()
    rig.rest()
    assert (rig.quantities()["tp"], rig.quantities()["sl"]) == (Decimal(tp), Decimal(tp))
    assert told(rig, EventKind.TRADED_BY_HAND) == [(quantity, "60000")]


def test_one_order_by_hand_that_fills_in_many_parts_is_one_line_with_its_average():
    rig = running()
    rig.venue.trade_by_hand(Direction.BUY, "0.002")
    first = rig.venue.fills[-1]
    rig.venue.fills += [
        replace(first, exec_id=f"part-{part}", price=Decimal(60_000 + 100 * part)) for part in range(1, 5)
    ]
    rig.venue.held += Decimal("0.008")
    rig.venue._put(rig.venue.records[first.order_id].order, terminal=True)
    rig.rest()
    assert told(rig, EventKind.TRADED_BY_HAND) == [("0.010", "60200")]


def test_what_was_added_by_hand_leaves_the_ladders_own_legs_as_they_were():
    rig = running()
    before = {name: rig.venue.live(rig.tag(name)).order_id for name in ("leg_1", "leg_2", "leg_3")}
    rig.venue.trade_by_hand(Direction.BUY, "1.000")
    rig.go("57000")
    assert {order.order_id for order in rig.venue.resting()} & set(before.values()) == set()
    assert rig.venue.held == Decimal("1.135")
    assert rig.quantities() == {"tp": Decimal("1.135")}
    assert [len(rig.sent(name)) for name in before] == [1, 1, 1]


def test_a_position_opened_by_hand_between_two_cycles_is_refused_and_left_alone():
    rig = running()
    rig.venue.move("60300")
    while rig.memory.cycle is not None:
        rig.run_pass()
    rig.venue.trade_by_hand(Direction.BUY, "0.5")
    rig.venue.now_ms += 10_000
    result = rig.rest()
    assert result.finish is not None
    assert result.finish.code == "foreign_position"
    assert rig.venue.held == Decimal("0.5")
    assert rig.quantities() == {}


# Orders edited by hand


def edit_price(rig: Rig) -> None:
    rig.venue._put(replace(rig.venue.live(rig.tag("tp")), price=Decimal(65_000)), terminal=False)


def edit_quantity(rig: Rig) -> None:
    rig.venue._put(replace(rig.venue.live(rig.tag("tp")), quantity=Decimal("0.003")), terminal=False)


def edit_trigger(rig: Rig) -> None:
    rig.venue._put(replace(rig.venue.live(rig.tag("sl")), trigger=Decimal(50_000)), terminal=False)


@pytest.mark.parametrize("edit", [edit_price, edit_quantity, edit_trigger])
def test_an_exit_edited_by_hand_is_moved_back_in_place(edit: Callable[[Rig], None]):
    rig = running(stop_loss=Decimal(40))
    before = {order.order_id: order for order in rig.venue.resting()}
    edit(rig)
    rig.rest()
    after = {order.order_id: order for order in rig.venue.resting()}
    assert after == before
    assert sum(isinstance(call, AmendOrder) for call in rig.venue.calls) == 1


def test_a_stop_loss_cancelled_by_hand_comes_back_and_is_told():
    rig = running(stop_loss=Decimal(40))
    rig.venue.cancel_by_hand(rig.tag("sl"))
    rig.rest()
    assert rig.quantities()["sl"] == rig.venue.held
    assert EventKind.ORDER_GONE in rig.kinds()


# Gaps and parts


@pytest.mark.parametrize("settings", [LONG, SHORT], ids=["long", "short"])
def test_a_gap_through_the_whole_ladder_and_back_through_the_target_is_one_clean_cycle(settings):
    rig = Rig(settings=settings)
    rig.rest()
    down, up = ("50000", "60300") if settings.side is Side.LONG else ("70000", "59700")
    rig.venue.move(down)
    rig.venue.move(up)
    rig.rest()
    assert rig.journal.cycles[1].legs_filled == 4
    assert rig.quantities()["tp"] == abs(rig.venue.held)
    assert list(rig.journal.fills) == [fill.exec_id for fill in rig.venue.fills]


def test_partial_fills_of_leg_and_take_profit_in_one_step_are_all_covered():
    rig = running()
    rig.venue.fill(rig.venue.live(rig.tag("tp")).order_id, Decimal("0.006"), Decimal(60_300))
    rig.venue.fill(rig.venue.live(rig.tag("leg_1")).order_id, Decimal("0.001"), Decimal(59_400))
    rig.rest()
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.011")
    assert rig.quantities()["leg_1"] == Decimal("0.015")


# The venue takes the position


def test_a_liquidation_while_legs_fill_ends_the_cycle_and_pulls_what_is_left():
    rig = running()
    rig.venue.move("58806")
    rig.venue.trade_by_hand(Direction.SELL, "0.066", FillKind.LIQUIDATION)
    result = rig.rest()
    assert result.finish is not None
    assert (rig.journal.cycles[1].end, rig.quantities()) == (CycleEnd.LIQUIDATED, {})
    assert told(rig, EventKind.LIQUIDATED) == [("0.066", "58806")]
    assert list(rig.journal.cycles) == [1]


def test_after_a_partial_liquidation_no_leg_is_added_and_the_rest_ends_as_liquidated():
    rig = running()
    rig.venue.move("59400")
    rig.venue.trade_by_hand(Direction.SELL, "0.020", FillKind.LIQUIDATION)
    rig.rest()
    assert rig.quantities() == {"tp": Decimal("0.012")}
    rig.restart()
    result = rig.go("61000")
    assert result.finish is not None
    assert result.finish.code == "liquidated"
    assert rig.journal.cycles[1].end is CycleEnd.LIQUIDATED
    assert len(rig.sent("leg_0")) == 1


def test_an_auto_deleveraging_is_told_as_such():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.006", FillKind.ADL)
    rig.rest()
    assert told(rig, EventKind.DELEVERAGED) == [("0.006", "60000")]
    assert told(rig, EventKind.TRADED_BY_HAND) == []
    assert rig.quantities()["tp"] == Decimal("0.010")


def test_a_position_deleveraged_wholly_ends_the_cycle():
    rig = running()
    rig.venue.trade_by_hand(Direction.SELL, "0.016", FillKind.ADL)
    result = rig.rest()
    assert result.finish is not None
    assert rig.journal.cycles[1].end is CycleEnd.CLOSED_EXTERNALLY
    assert rig.quantities() == {}


@pytest.mark.parametrize("fee", ["0.096", "-0.04"])
def test_funding_is_booked_and_told_and_moves_no_order(fee):
    rig = running()
    sent = sum(isinstance(call, SendOrder | AmendOrder) for call in rig.venue.calls)
    rig.venue.charge(fee)
    rig.rest()
    assert rig.memory.ledger.funding == Decimal(fee)
    assert EventKind.FUNDING in rig.kinds()
    assert sum(isinstance(call, SendOrder | AmendOrder) for call in rig.venue.calls) == sent
