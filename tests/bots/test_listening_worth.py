"""What order events are worth to a bot: whether it looks because of them. Its memory is real, its venue scripted."""

from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.bots.listening import Worth, order_worth
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, OpenOrder
from tests.core.bingx_venue import BINGX, BingxVenue
from tests.core.ladders import LONG
from tests.core.rig import Rig

GUARDED = replace(LONG, stop_loss=Decimal(60))


def replaced() -> tuple[Rig, dict[str, OpenOrder]]:
    """A bot at BingX whose first leg has filled, and the exits as they were before that."""
    rig = Rig(settings=GUARDED, venue=BingxVenue(), traits=BINGX)
    rig.rest()
    slots = {str(key): rig.memory.slot(key).order_id for key in (TAKE_PROFIT, STOP_LOSS)}
    before = {name: rig.venue.records[order_id].order for name, order_id in slots.items()}
    rig.go("59400")
    return rig, before


@pytest.mark.parametrize("name", ["tp", "sl"])
def test_that_a_replaced_exit_has_ended_is_an_echo(name):
    rig, before = replaced()
    assert order_worth(before[name], rig.memory, terminal=True) is Worth.ECHO


@pytest.mark.parametrize("name", ["tp", "sl"])
def test_a_replaced_exit_that_still_lives_is_news(name):
    rig, before = replaced()
    assert order_worth(before[name], rig.memory, terminal=False) is Worth.NEWS


def test_a_replaced_exit_that_had_filled_a_part_first_announces_a_fill():
    rig, before = replaced()
    filled = replace(before["tp"], filled=Decimal("0.001"))
    assert order_worth(filled, rig.memory, terminal=True) is Worth.HINT


def test_the_end_of_what_rests_is_news_and_of_what_nobody_knows_too():
    rig, before = replaced()
    resting = rig.venue.records[rig.memory.slot(TAKE_PROFIT).order_id].order
    assert order_worth(resting, rig.memory, terminal=False) is Worth.ECHO
    assert order_worth(resting, rig.memory, terminal=True) is Worth.NEWS
    assert order_worth(replace(before["tp"], order_id="a stranger's"), rig.memory, terminal=True) is Worth.NEWS
