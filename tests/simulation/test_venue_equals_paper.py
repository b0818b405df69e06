"""The simulated venue and the paper exchange implement the same rules apart from each other, and agree in every digit.

More seeds or longer walks: `TWIN_SEEDS=500 TWIN_STEPS=200`. The named tests are what walks once found, kept small.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import Accepted, AmendOrder, Rejected, Reply
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, DesiredOrder, Direction, OrderKey, OrderType, Side, leg
from blitz.simulation.houses import BINGX
from blitz.simulation.venue_orders import VenueIds
from tests.simulation.twin import Hall, Twin
from tests.simulation.walk import Walk

SEEDS = int(os.environ.get("TWIN_SEEDS", "30"))
STEPS = int(os.environ.get("TWIN_STEPS", "60"))
MET = {
    "AmendOrder Done ",
    "AmendOrder Rejected filter",
    "AmendOrder Rejected gone",
    "AmendOrder Rejected margin",
    "AmendOrder Rejected trigger_passed",
    "AmendOrder Rejected unchanged",
    "CancelOrder Done ",
    "CancelOrder Rejected gone",
    "SendOrder Accepted ",
    "SendOrder Rejected filter",
    "SendOrder Rejected margin",
    "SendOrder Rejected no_position",
    "SendOrder Rejected taken",
    "SendOrder Rejected trigger_passed",
    "ended by CancelAllBeforeLiq",
    "ended by CancelByReduceOnly",
    "ended by CancelByUser",
    "ended by Filled",
    "fill adl",
    "fill funding",
    "fill liquidation",
    "fill trade",
    "fill trade as maker",
    "filled in part",
}
"""What the walks of the usual seeds come past at least; a walk that met less would prove less."""

MET_AT_BINGX = {
    "AmendOrder Done ",
    "AmendOrder Rejected no_position",
    "CancelOrder Done ",
    "CancelOrder Rejected gone",
    "ReplaceOrder Accepted ",
    "ReplaceOrder Pulled no_position",
    "ReplaceOrder Rejected gone",
    "SendOrder Accepted ",
    "SendOrder Rejected no_position",
    "SendOrder Rejected taken",
    "SendOrder Rejected trigger_passed",
    "ended by CancelByTpSlTsClear",
    "ended by CancelByUser",
    "ended by Filled",
    "fill trade",
    "fill trade as maker",
    "filled in part",
}


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    opened = Hall()
    yield opened
    opened.close()


@pytest.fixture
def twin(hall: Hall) -> Twin:
    """SOL at 150 on a fresh one-way account whose bot trades long."""
    return hall.account().twins[0]


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_walks_of_many_seeds_end_alike(hall: Hall):
    hall.seen.clear()
    for seed in range(SEEDS):
        Walk(hall, seed).go(STEPS)
    missed = MET - set(hall.seen) if SEEDS >= 30 and STEPS >= 60 else set()
    assert not missed


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_walks_by_bingx_rules_end_alike(hall: Hall):
    hall.seen.clear()
    for seed in range(SEEDS):
        Walk(hall, seed, BINGX).go(STEPS)
    missed = MET_AT_BINGX - set(hall.seen) if SEEDS >= 30 and STEPS >= 60 else set()
    assert not missed


# Bounds: which refusal an order meets first


def test_the_grid_is_judged_before_the_id(twin: Twin):
    sent(twin, limit("1", "149"), "same")
    assert refusal(twin.send(limit("1", "149.005"), "same")) == "filter"
    assert refusal(twin.send(limit("1.05", "149"), "same")) == "filter"
    assert refusal(twin.send(limit("0.1", "140"), "same")) == "taken"


@pytest.mark.parametrize(("quantity", "price"), [("79770.1", "149"), ("1", "199999.99")])
def test_what_is_beyond_the_market_s_bounds_is_refused(twin: Twin, quantity: str, price: str):
    assert refusal(twin.send(limit(quantity, price), "big")) == "filter"


def test_a_market_order_has_a_smaller_bound_than_a_limit_order(twin: Twin):
    assert refusal(twin.send(market("7977.1"), "big")) == "filter"
    sent(twin, limit("7977.1", "100"), "fine")


def test_an_eleventh_stop_is_refused(twin: Twin):
    sent(twin, market("5"))
    for number in range(10):
        sent(twin, stop("1", "140"), f"stop-{number}")
    assert refusal(twin.send(stop("1", "140"), "stop-10")) == "filter"
    twin.compare()


# Amending


@pytest.mark.parametrize("quantity", ["0.05", "1.05", "0.01", "79770.1"])
def test_an_amended_quantity_keeps_the_rules_of_the_market(twin: Twin, quantity: str):
    order_id = sent(twin, limit("1", "149"))
    assert refusal(amended(twin, order_id, quantity=quantity)) == "filter"
    twin.compare()


def test_an_amended_entry_must_be_worth_enough(hall: Hall):
    twin = hall.account(sides=(Side.LONG, Side.LONG)).twins[1]
    order_id = sent(twin, limit("10", "0.5000"))
    assert refusal(amended(twin, order_id, quantity="9.9")) == "filter"
    twin.compare()


def test_an_amended_entry_must_be_paid_for(twin: Twin):
    order_id = sent(twin, limit("1", "149"))
    assert refusal(amended(twin, order_id, quantity="70000")) == "margin"
    twin.compare()


@pytest.mark.parametrize("quantity", ["0.3", "0.2", "0.1"])
def test_an_amended_quantity_must_leave_something_to_fill(twin: Twin, quantity: str):
    order_id = sent(twin, limit("1", "149"))
    twin.account.limit_fills(Decimal("0.3"))
    twin.move(Decimal(149))
    assert refusal(amended(twin, order_id, quantity=quantity)) == "gone"
    assert amended(twin, order_id, quantity="0.4").__class__.__name__ == "Done"
    twin.compare()


def test_an_amended_exit_gets_what_other_exits_leave(twin: Twin):
    sent(twin, market("2"))
    sent(twin, target("1.5", "160"), "first")
    second = sent(twin, target("0.5", "161"), "second")
    amended(twin, second, quantity="2")
    twin.compare()
    assert twin.listed()[second].quantity == Decimal("0.5")


# What a jump reaches


def test_at_one_price_an_order_that_rests_goes_before_a_stop(twin: Twin):
    sent(twin, market("1"))
    sent(twin, stop("5", "145"), "stop")
    sent(twin, limit("2", "145"), "leg")
    twin.move(Decimal(140))
    twin.compare()
    assert twin.venue.held == 0


def test_what_the_old_price_had_reached_already_goes_first(twin: Twin):
    behind = sent(twin, limit("1", "149"), "behind")
    sent(twin, limit("1", "147"), "ahead")
    twin.account.limit_fills(Decimal("0.4"))
    twin.move(Decimal("147.50"))
    twin.move(Decimal(146))
    twin.compare()
    assert [fill.order_id == behind for fill in twin.venue.fills] == [True, True, False]


def test_of_two_orders_left_behind_the_better_price_goes_first(twin: Twin):
    worse, better = sent(twin, limit("1", "148"), "worse"), sent(twin, limit("1", "149"), "better")
    twin.account.limit_fills(Decimal("0.4"))
    for _ in range(2):
        twin.move(Decimal(147))
    twin.compare()
    assert [fill.order_id for fill in twin.venue.fills] == [better, worse, better, worse]


def test_a_smaller_position_trims_the_newest_exit_first(twin: Twin):
    sent(twin, market("3"))
    old, new = sent(twin, target("2", "160"), "old"), sent(twin, target("1", "161"), "new")
    twin.trade_by_hand(Direction.SELL, Decimal("0.4"), reduce_only=True)
    twin.compare()
    assert (twin.listed()[old].quantity, twin.listed()[new].quantity) == (Decimal(2), Decimal("0.6"))


# The other side of a hedge account


def test_an_order_of_the_other_side_may_fill_in_parts(hall: Hall):
    twin = hall.account(hedged=True).twins[0]
    sent(twin, market("2"))
    order_id = twin.rest_by_hand(Direction.SELL, Decimal(3), Decimal(155))
    twin.account.limit_fills(Decimal(1))
    for _ in range(3):
        twin.compare()
        assert twin.listed()[order_id].side is Side.SHORT
        twin.move(Decimal(155))
    twin.compare()
    twin.account.compare_books()
    assert (twin.venue.held, twin.venue.opposite) == (Decimal(2), Decimal(3))


# Ids


@pytest.mark.parametrize(
    ("ids", "while_open", "afterwards"),
    [
        (VenueIds.NEVER, "taken", "taken"),
        (VenueIds.REUSABLE, "taken", ""),
        (VenueIds.UNENFORCED, "", ""),
    ],
)
def test_a_used_id_in_each_regime(hall: Hall, ids: VenueIds, while_open: str, afterwards: str):
    twin = hall.account(ids=ids).twins[0]
    order_id = sent(twin, limit("1", "149"), "same")
    assert refusal(twin.send(limit("1", "148"), "same")) == while_open
    for each in list(twin.listed()):
        twin.cancel_by_hand(each)
    assert refusal(twin.send(limit("1", "147"), "same")) == afterwards
    twin.compare()
    if afterwards:
        twin.compare_record(order_id)


# Liquidation


@pytest.mark.parametrize("side", list(Side))
def test_a_position_that_is_taken_over_takes_its_orders_along(hall: Hall, side: Side):
    twin = hall.account(sides=(side, Side.LONG), margin_mode=MarginMode.ISOLATED).twins[0]
    entry = replace(market("2"), direction=side.opening)
    sent(twin, entry)
    sent(twin, replace(target("2", "160" if side is Side.LONG else "140"), direction=side.closing), "exit")
    twin.liquidate()
    twin.compare_everything()
    twin.account.compare_books()
    assert twin.venue.held == 0
    assert not twin.listed()


def sent(twin: Twin, order: DesiredOrder, client_id: str = "entry") -> str:
    """The id of an order that both have accepted."""
    reply = twin.send(order, client_id)
    assert isinstance(reply, Accepted), reply
    return reply.order_id


def amended(twin: Twin, order_id: str, *, quantity: str) -> Reply:
    return twin.do(AmendOrder(order_id=order_id, quantity=Decimal(quantity), price=None, trigger=None))


def refusal(reply: Reply) -> str:
    return reply.refusal.value if isinstance(reply, Rejected) else ""


def limit(quantity: str, price: str, key: OrderKey = leg(1), direction: Direction = Direction.BUY) -> DesiredOrder:
    return DesiredOrder(
        key=key, type=OrderType.LIMIT, direction=direction, quantity=Decimal(quantity), price=Decimal(price)
    )


def target(quantity: str, price: str) -> DesiredOrder:
    return limit(quantity, price, TAKE_PROFIT, Direction.SELL)


def market(quantity: str) -> DesiredOrder:
    return DesiredOrder(key=leg(0), type=OrderType.MARKET, direction=Direction.BUY, quantity=Decimal(quantity))


def stop(quantity: str, trigger: str) -> DesiredOrder:
    return DesiredOrder(
        key=STOP_LOSS,
        type=OrderType.STOP_MARKET,
        direction=Direction.SELL,
        quantity=Decimal(quantity),
        trigger=Decimal(trigger),
    )
