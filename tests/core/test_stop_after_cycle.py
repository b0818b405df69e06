"""Stopping after the cycle, when the cycle's entry cannot be had."""

from blitz.core.calls import Refusal, Rejected, SendOrder
from tests.core.rig import Rig


def test_a_bot_that_is_to_stop_after_its_cycle_does_not_try_a_refused_entry_for_ever():
    rig = Rig()
    refused = Rejected(refusal=Refusal.MARGIN, code="110007", message="not enough")
    rig.venue.fault(SendOrder, refused, tag="sm_leg_0")
    rig.run_pass()
    assert rig.venue.held == 0
    rig.last_cycle = True
    result = rig.run_pass()
    assert result.finish is not None
    assert result.finish.code == "cycle_done"
