"""A second server trades the account with our tags (E9): whatever the two want, the fight ends and exits stay."""

import copy
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.calls import AmendOrder, CancelOrder, ReadPosition, SendOrder
from blitz.core.orders import Direction, OrderType
from blitz.core.work import Mode
from tests.core.ladders import LONG
from tests.core.rig import Rig

ALL = {"tp", "leg_1", "leg_2", "leg_3"}
WRITES = (SendOrder, AmendOrder, CancelOrder)


def running() -> Rig:
    """A bot whose first moments are over."""
    rig = Rig()
    rig.rest()
    rig.venue.now_ms += 31_000
    rig.run_pass()
    return rig


def clone(rig: Rig, **changes: object) -> Rig:
    """The same server started once more from a copy of its database."""
    settings = replace(LONG, **changes)  # type: ignore[arg-type]
    second = Rig(settings=settings, venue=rig.venue, journal=copy.deepcopy(rig.journal))
    if changes and second.memory.cycle is not None:
        second.memory.cycle = replace(second.memory.cycle, settings=settings)
    return second


def together(one: Rig, other: Rig, passes: int, every_ms: int = 1_000) -> None:
    for _ in range(passes):
        for rig in (one, other):
            rig.run_pass()
            rig.venue.now_ms += every_ms // 2


def code(rig: Rig) -> str | None:
    return rig.memory.attention.code if rig.memory.attention else None


def stranger(rig: Rig, name: str, price: str) -> None:
    """An order under our tag that this bot did not send."""
    rig.venue._new_order(
        f"{rig.tag(name)}_z", Direction.BUY, OrderType.LIMIT, Decimal("0.001"), Decimal(price), None, False
    )


@pytest.mark.parametrize("name", ["leg_2", "leg_9"])
def test_two_orders_under_our_tags_that_we_did_not_send_are_another_writer(name):
    rig = running()
    stranger(rig, name, "50000")
    rig.run_pass()
    assert code(rig) != "second_writer"
    rig.venue.now_ms += 5_000
    stranger(rig, name, "51000")
    rig.run_pass()
    assert code(rig) == "second_writer"
    assert Decimal(51_000) in {order.price for order in rig.venue.resting()}
    before = len(rig.venue.calls)
    for _ in range(20):
        rig.run_pass()
        rig.venue.now_ms += 1_000
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, WRITES)]


def test_one_such_order_a_minute_is_adopted_or_taken_back_and_no_more_is_made_of_it():
    rig = running()
    for _ in range(4):
        stranger(rig, "leg_9", "50000")
        rig.rest()
        rig.venue.now_ms += 61_000
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


def test_a_restored_backup_finds_its_own_orders_and_is_no_second_writer():
    rig = running()
    old = copy.deepcopy(rig.journal)
    rig.go("59400")
    rig.go("58806")
    rig.journal = old
    rig.restart()
    for _ in range(40):
        rig.run_pass()
        rig.venue.now_ms += 1_000
    assert code(rig) is None
    assert rig.quantities()["tp"] == rig.venue.held


def test_strangers_in_a_bots_first_moments_are_its_own_from_before():
    rig = running()
    rig.restart()
    for price in ("50000", "51000", "52000"):
        stranger(rig, "leg_9", price)
        rig.rest()
        rig.venue.now_ms += 5_000
    assert code(rig) is None


@pytest.mark.parametrize("fault", ["lost_answer", "late"])
def test_our_own_orders_without_an_answer_are_no_strangers(fault):
    rig = running()
    for name in ("leg_1", "tp", "leg_2", "tp"):
        rig.venue.cancel_by_hand(rig.tag(name))
        rig.venue.fault(SendOrder, fault, tag=f"sm_{name}")
        rig.rest()
    assert rig.memory.stranger_ms == ()
    assert set(rig.quantities()) == ALL


@pytest.mark.parametrize("regime", ["never", "reusable"])
@pytest.mark.parametrize("changes", [{"take_profit": Decimal(9)}, {"leverage": Decimal(10), "stop_loss": Decimal(50)}])
def test_two_servers_with_different_settings_stop_fighting(changes, regime):
    rig = running()
    rig.venue.regime = regime
    other = clone(rig, **changes)
    together(rig, other, 90)
    assert "second_writer" in {code(rig), code(other)}
    before = len(rig.venue.calls)
    together(rig, other, 60)
    assert not [call for call in rig.venue.calls[before:] if isinstance(call, WRITES)]
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.016")


def test_two_servers_over_many_cycles_never_double_an_order_nor_a_position():
    rig = running()
    other = clone(rig)
    for price in ("60300", "60000", "59400", "59000", "60300", "60700", "61100"):
        rig.venue.now_ms += 1_000
        rig.venue.move(price)
        together(rig, other, 30)
        assert rig.venue.held <= Decimal("0.135")
        if rig.venue.held:
            assert rig.quantities()["tp"] == rig.venue.held


def test_orders_moved_by_hand_now_and_then_are_moved_back_but_not_for_ever():
    rig = running()
    for count in range(8):
        order = rig.venue.live(rig.tag("tp"))
        rig.venue._put(replace(order, price=Decimal(65_000 + count)), terminal=False)
        rig.run_pass()
        rig.venue.now_ms += 2_000
        moved_back = rig.venue.live(rig.tag("tp")).price == Decimal(60_300)
        assert moved_back is (count < 5)
    assert code(rig) == "second_writer"


def fighting() -> Rig:
    rig = running()
    for name in ("leg_8", "leg_9"):
        stranger(rig, name, "50000")
        rig.run_pass()
        rig.venue.now_ms += 1_000
    assert code(rig) == "second_writer"
    return rig


def test_in_a_fight_exits_still_come_back_and_grow():
    rig = fighting()
    rig.venue.cancel_by_hand(rig.tag("tp"))
    rig.venue.move("59400")
    for _ in range(8):
        rig.run_pass()
        rig.venue.now_ms += 1_000
    assert rig.quantities()["tp"] == rig.venue.held == Decimal("0.032")
    assert rig.memory.standing.keys() == {"second_writer"}


def test_in_a_fight_no_cycle_begins():
    rig = fighting()
    for order in rig.venue.resting():
        if "leg" in order.client_id:
            rig.venue._end(order.order_id, "CancelByUser")
    rig.venue.move("60300")
    for _ in range(30):
        rig.run_pass()
        rig.venue.now_ms += 1_000
    assert rig.venue.held == 0
    assert len(rig.sent("leg_0")) == 1


@pytest.mark.parametrize("mode", [Mode.STOP_PULL, Mode.STOP_KEEP, Mode.CLOSE])
def test_every_way_to_stop_works_in_a_fight(mode):
    rig = fighting()
    result = rig.rest(mode)
    assert result.finish is not None
    if mode is Mode.CLOSE:
        assert rig.venue.held == 0
    else:
        assert "leg" in result.finish.message
        assert rig.quantities()["tp"] == rig.venue.held


def test_a_close_in_a_fight_ends_with_the_position_though_the_other_one_sends_on():
    rig = fighting()
    for count in range(20):
        stranger(rig, f"leg_{count + 10}", "40000")
        result = rig.run_pass(Mode.CLOSE)
        rig.venue.now_ms += 500
        if result.finish is not None:
            break
    assert rig.venue.held == 0
    assert result.finish is not None
    assert result.finish.code == "second_writer"


def test_a_new_start_after_the_fight_goes_on_with_the_cycle():
    rig = fighting()
    for order in rig.venue.resting():
        if order.client_id.endswith("_z"):
            rig.venue._end(order.order_id, "CancelByUser")
    rig.rest(Mode.STOP_KEEP)
    rig.restart()
    rig.rest()
    assert code(rig) is None
    assert set(rig.quantities()) == ALL


def test_a_look_that_fails_is_no_sign():
    rig = running()
    for _ in range(5):
        rig.venue.fault(ReadPosition, "lost_request")
        rig.run_pass()
    assert rig.memory.stranger_ms == ()
