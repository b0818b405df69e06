"""The rate budget lets others go first, or the exchange listens to nobody: exits stay in line, the rest is told."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.bot import PAUSE_LOOK_MS, REQUESTS_PAUSED
from blitz.core.calls import Call, ReadFills, ReadOpenOrders, ReplaceOrder, SendOrder, Unknown
from blitz.core.create import EXIT_IN_LINE_MS
from tests.core.bingx_venue import BINGX, BingxVenue
from tests.core.ladders import LONG
from tests.core.rig import Rig

SHUT_OUT = Unknown(reason="Bybit has shut out this server's address until 12:10.", wait_ms=600_000)
LOOKS = (ReadOpenOrders, ReadFills)


def of_kind(kind: type[Call] | tuple[type[Call], ...]) -> Callable[[Call], bool]:
    return lambda call: isinstance(call, kind)


def test_an_exit_whose_turn_does_not_come_stays_in_line_without_looking_again():
    rig = Rig()
    for _ in range(4):
        rig.venue.fault(SendOrder, "in_line", tag="sm_tp")
    rig.rest()
    first, *_, last = rig.sent("tp")
    begin, end = rig.venue.calls.index(first), rig.venue.calls.index(last)
    assert len(rig.sent("tp")) == 5
    assert not any(isinstance(call, LOOKS) for call in rig.venue.calls[begin:end])
    assert {call.client_id for call in rig.sent("tp")} == {rig.tag("tp")}
    assert last.expires_ms - first.expires_ms == 4_000, "each try has an intent of its own time"
    assert rig.quantities()["tp"] == rig.venue.held


def test_a_replacement_stays_in_line_too():
    rig = Rig(venue=BingxVenue(), traits=BINGX)
    rig.rest()
    rig.venue.fault(ReplaceOrder, "in_line")
    rig.venue.fault(ReplaceOrder, "in_line")
    rig.go("59400")
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")


def test_nobody_stays_in_line_for_ever():
    rig = Rig()
    for _ in range(40):
        rig.venue.fault(SendOrder, "in_line", tag="sm_tp")
    rig.run_pass()
    began_ms = rig.venue.now_ms
    rig.run_pass()
    assert EXIT_IN_LINE_MS <= rig.venue.now_ms - began_ms <= EXIT_IN_LINE_MS + 2_000


def test_an_entry_whose_turn_does_not_come_is_decided_anew():
    rig = Rig()
    rig.venue.fault(SendOrder, "in_line", tag="sm_leg_1")
    rig.rest()
    first, second = rig.sent("leg_1")
    begin, end = rig.venue.calls.index(first), rig.venue.calls.index(second)
    assert any(isinstance(call, LOOKS) for call in rig.venue.calls[begin:end])


@pytest.mark.parametrize("read", LOOKS)
def test_a_bot_that_is_shut_out_says_until_when_and_does_not_ask_in_a_loop(read):
    rig = Rig()
    rig.rest()
    rig.venue.faults.append((of_kind(read), SHUT_OUT))
    result = rig.run_pass()
    assert result.wake_in_ms == PAUSE_LOOK_MS
    assert rig.memory.attention is not None
    assert rig.memory.attention.code == REQUESTS_PAUSED
    assert "until 12:10" in rig.memory.attention.message
    rig.rest()
    assert rig.memory.attention is None, "the exchange answers again"


def test_a_short_pause_is_no_news():
    rig = Rig()
    rig.rest()
    rig.venue.faults.append((of_kind(ReadOpenOrders), Unknown(reason="Not now.", wait_ms=900)))
    result = rig.run_pass()
    assert (result.wake_in_ms, rig.memory.attention) == (900, None)


def test_a_bot_is_bare_from_its_entry_until_its_take_profit_rests():
    rig = Rig()
    seen = [rig.memory.is_bare]
    rig.run_pass()
    assert rig.venue.held == Decimal("0.016")
    seen.append(rig.memory.is_bare)
    rig.rest()
    seen.append(rig.memory.is_bare)
    assert seen == [False, True, False]


@pytest.mark.parametrize(("stop_loss", "bare_at_first"), [("40", True), ("0", False)])
def test_without_a_take_profit_the_stop_loss_is_the_exit_that_counts(stop_loss, bare_at_first):
    rig = Rig(settings=replace(LONG, take_profit=Decimal(0), stop_loss=Decimal(stop_loss)))
    rig.run_pass()
    seen = [rig.memory.is_bare]
    rig.rest()
    assert [*seen, rig.memory.is_bare] == [bare_at_first, False]


def test_an_entry_that_may_have_filled_makes_a_bot_bare():
    rig = Rig()
    rig.venue.fault(SendOrder, "lost_answer", tag="sm_leg_0")
    rig.run_pass()
    assert rig.memory.is_bare
