"""The venue's time in doubt: nothing is opened, what protects goes on, and the trader is told (A12)."""

from decimal import Decimal

from blitz.core.clock_watch import CLOCK_UNSURE
from blitz.core.orders import Role
from tests.core.rig import Rig
from tests.core.scripted_venue import ScriptedVenue

DOUBT = "The exchange's time is known only to 1.9 s."


def test_no_entry_is_sent_while_the_time_is_in_doubt():
    rig = Rig(venue=ScriptedVenue(doubt=DOUBT))
    rig.run_pass()
    assert rig.sent("leg_0") == []
    assert rig.memory.attention is not None
    assert rig.memory.attention.code == CLOCK_UNSURE
    assert rig.memory.attention.message.startswith(DOUBT)
    rig.venue.doubt = ""
    rig.rest()
    assert rig.venue.held == Decimal("0.016")
    assert rig.memory.attention is None


def test_exits_follow_the_position_and_no_leg_returns_while_the_time_is_in_doubt():
    rig = Rig()
    rig.rest()
    rig.venue.doubt = DOUBT
    rig.venue.cancel_by_hand(rig.tag("leg_2"))
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.move("59400")
    rig.live(10_000)
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")
    assert "leg_2" not in rig.quantities()
    rig.venue.doubt = ""
    rig.rest()
    assert "leg_2" in rig.quantities()
    assert {call.order.key.role for call in rig.sent("leg_2")} == {Role.LEG}
