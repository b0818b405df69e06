"""How urgent a call is: what leads to a first exit goes before entries, and an opening is known as one."""

from decimal import Decimal

import pytest

from blitz.core.calls import (
    AmendOrder,
    CancelOrder,
    ReadFills,
    ReadOpenOrders,
    ReadPosition,
    ReadPrice,
    SendOrder,
)
from blitz.core.orders import TAKE_PROFIT, DesiredOrder, Direction, OrderKey, OrderType, leg
from blitz.exchange.budget import Priority
from blitz.exchange.errands import errand_of

NOW_MS = 1_000_000


def order(key: OrderKey, kind: OrderType) -> SendOrder:
    price = None if kind is OrderType.MARKET else Decimal(59_000)
    direction = Direction.SELL if key == TAKE_PROFIT else Direction.BUY
    wanted = DesiredOrder(key=key, type=kind, direction=direction, quantity=Decimal("0.01"), price=price)
    return SendOrder(order=wanted, client_id="x", expires_ms=NOW_MS + 1_000)


def test_the_first_read_of_a_look_that_only_the_timer_led_to_is_routine():
    assert errand_of(ReadOpenOrders(), NOW_MS).priority is Priority.ROUTINE
    assert errand_of(ReadOpenOrders(), NOW_MS, woken=True).priority is Priority.FOLLOW
    assert errand_of(ReadPosition(), NOW_MS).priority is Priority.FOLLOW


@pytest.mark.parametrize("woken", [False, True])
@pytest.mark.parametrize("call", [ReadOpenOrders(), ReadFills(since_ms=0), ReadPosition(), ReadPrice()])
def test_every_read_of_a_bare_bot_goes_before_anybodys_entry(call, woken):
    errand = errand_of(call, NOW_MS, woken=woken, bare=True)
    assert errand.priority is Priority.COVER
    assert errand.priority < errand_of(order(leg(0), OrderType.MARKET), NOW_MS).priority


def test_orders_have_their_own_urgency_however_bare_the_bot_is():
    for bare in (False, True):
        assert errand_of(order(TAKE_PROFIT, OrderType.LIMIT), NOW_MS, bare=bare).priority is Priority.PROTECT
        assert errand_of(order(leg(1), OrderType.LIMIT), NOW_MS, bare=bare).priority is Priority.ENTRY
        assert errand_of(CancelOrder(order_id="1"), NOW_MS, bare=bare).priority is Priority.PROTECT
        amend = AmendOrder(order_id="1", price=None, quantity=Decimal(1), trigger=None)
        assert errand_of(amend, NOW_MS, bare=bare).priority is Priority.PROTECT


def test_only_an_entry_at_market_opens_a_position():
    assert errand_of(order(leg(0), OrderType.MARKET), NOW_MS).opens
    assert not errand_of(order(leg(1), OrderType.LIMIT), NOW_MS).opens
    assert not errand_of(order(TAKE_PROFIT, OrderType.MARKET), NOW_MS).opens
