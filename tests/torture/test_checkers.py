"""Each checker of the torture run is fed books that are wrong in one way, and must say so."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from blitz.torture.books import doubled_fills, lost_fills, summed
from blitz.torture.legs import LegBook
from blitz.torture.protection import ProtectionWatch, is_exposed
from blitz.torture.strangers import StrangerWatch, foreign_cancel
from blitz.torture.tags import Tag, read_tag
from blitz.torture.truth import Money
from blitz.torture.twins import TwinWatch
from tests.torture.states import KEY, TP, USER, account, execution, exit_order, ladder, leg, order

SYMBOL = "BTC/USDT:USDT"

# Tags


@pytest.mark.parametrize(
    ("link_id", "tag"),
    [
        ("sm_leg_0_7_BTCUSDTUSDT", Tag(role="leg", leg=0)),
        ("SM_LEG_12_7_btcusdt", Tag(role="leg", leg=12)),
        ("sm_tp_7_BTCUSDTUSDT_1a", Tag(role="tp")),
        ("sm_sl_7_BTCUSDT", Tag(role="sl")),
        ("sm_leg_1_77_BTCUSDTUSDT", None),
        ("sm_leg_01_7_BTCUSDTUSDT", None),
        ("sm_leg_1_7_1000BTCUSDT", None),
        ("sm_tp_7_BTCUSDTUSDT_01", None),
        ("sm_tp_7_BTCUSDTUSDT_1_2", None),
        ("sm_leg_7_BTCUSDT", None),
        ("hand-7", None),
        ("", None),
    ],
)
def test_tags_are_read_strictly(link_id: str, tag: Tag | None) -> None:
    assert read_tag(link_id, USER, SYMBOL) == tag


# Two live orders of one tag


def test_two_live_orders_of_one_tag_are_told_once() -> None:
    watch = TwinWatch(USER, ladder())
    twins = account(order(leg(1)), order(f"{leg(1)}_1"), order(leg(2)))

    assert len(watch.observe(twins, ids_enforced=True)) == 1
    assert watch.observe(twins, ids_enforced=True) == []


def test_orders_of_other_tags_and_users_are_no_twins() -> None:
    watch = TwinWatch(USER, ladder())

    others = account(order(leg(1)), order(leg(2)), order(leg(1, user=8)), exit_order("0.016"))
    assert watch.observe(others, ids_enforced=True) == []


@pytest.mark.parametrize(
    ("first", "second", "ids_enforced", "said"),
    [
        (exit_order("0.016"), exit_order("0.016"), False, 0),
        (exit_order("0.016"), exit_order("0.016"), True, 1),
        (exit_order("0.016"), exit_order("0.016", link_id=f"{TP}_1"), False, 1),
        (order(leg(1)), order(leg(1)), False, 1),
    ],
)
def test_only_an_exit_sent_again_where_ids_are_not_enforced_is_no_duplicate(
    first: dict, second: dict, ids_enforced: bool, said: int
) -> None:
    watch = TwinWatch(USER, ladder())
    twins = account(first, second | {"orderId": "another"})

    assert len(watch.observe(twins, ids_enforced=ids_enforced)) == said
    assert watch.resent_exits == 1 - said
    assert len(watch.twins(twins)) == 1


# A leg that fills too much


def test_the_ladder_is_the_worked_check() -> None:
    own = ladder()

    prices = [own.price_of(index, Fraction(60_000)) for index in range(4)]
    assert prices == [60_000, 59_400, 58_806, Fraction("57629.9")]
    assert [own.quantity_max(index, Fraction(60_000)) for index in (1, 2, 3)] == [
        Decimal("0.016"), Decimal("0.034"), Decimal("0.069")
    ]  # fmt: skip
    assert ladder(is_long=False).price_of(3, Fraction(60_000)) == Fraction("62430.1")


def test_a_leg_that_fills_what_was_planned_is_fine() -> None:
    book = LegBook(USER, ladder())

    said = book.follow(
        [
            execution(leg(0), "0.010", "60000"), execution(leg(0), "0.006", "60000"),
            execution(leg(1), "0.016", "59400"),
            execution(TP, "0.032", "60000", side="Sell"),
            execution(leg(2), "0.034", "58806"),  # nobody was there to take it back: still the first cycle
            execution(TP, "0.034", "59000", side="Sell"),
            execution(leg(0), "0.016", "60000", order_id="next"), execution(leg(1), "0.016", "59400"),
        ]
    )  # fmt: skip

    assert (said, book.cycles) == ([], 2)


def test_a_leg_that_fills_twice_is_told_once() -> None:
    book = LegBook(USER, ladder())
    entered = [execution(leg(0), "0.016", "60000"), execution(leg(1), "0.016", "59400")]

    said = book.follow([*entered, execution(f"{leg(1)}_1", "0.001", "59400"), execution(leg(1), "0.016", "59400")])

    assert len(said) == 1
    assert "leg 1 filled 0.017, planned was 0.016" in said[0]


def test_a_second_entry_in_one_cycle_is_told() -> None:
    book = LegBook(USER, ladder())

    said = book.follow([execution(leg(0), "0.008", "60000"), execution(leg(0), "0.008", "60000", order_id="other")])

    assert "2 entries filled" in said[0]


def test_an_entry_larger_than_any_price_of_the_run_allows_is_told() -> None:
    late = [execution(leg(0), "0.017", "63000")]

    assert LegBook(USER, ladder()).follow(late) == []
    [said] = LegBook(USER, ladder()).follow([execution(leg(0), "0.018", "60000")])
    assert "leg 0 filled 0.018, planned was 0.017" in said


def test_a_leg_without_an_entry_is_told() -> None:
    assert "before any entry" in LegBook(USER, ladder()).follow([execution(leg(1), "0.001", "59400")])[0]


# Protection


@pytest.mark.parametrize(
    ("orders", "exposed"),
    [
        ([], True),
        ([exit_order("0.016")], True),
        ([exit_order("0.032")], False),
        ([exit_order("0.032") | {"reduceOnly": False}], True),
        ([exit_order("0.032", side="Buy")], True),
        ([exit_order("0.032", link_id="hand-1")], True),
    ],
)
def test_a_position_needs_a_reduce_only_take_profit_for_its_whole_quantity(orders: list, exposed: bool) -> None:
    assert is_exposed(account(*orders, size="0.032"), USER, ladder()) is exposed
    assert not is_exposed(account(*orders), USER, ladder())


def test_a_stop_that_is_set_has_to_rest_too() -> None:
    covered = [exit_order("0.032"), exit_order("0.032", link_id="sm_sl_7_BTCUSDTUSDT")]

    assert is_exposed(account(covered[0], size="0.032"), USER, ladder(stop_loss=20))
    assert not is_exposed(account(*covered, size="0.032"), USER, ladder(stop_loss=20))


def test_a_stop_that_carries_no_id_is_the_bots_stop_loss() -> None:
    target, stop = exit_order("0.032"), exit_order("0.032", link_id="", triggerPrice="57600")

    assert not is_exposed(account(target, stop, size="0.032"), USER, ladder(stop_loss=20))
    assert is_exposed(account(target, stop | {"triggerPrice": ""}, size="0.032"), USER, ladder(stop_loss=20))
    assert TwinWatch(USER, ladder()).observe(account(stop, stop | {"orderId": "other"}), ids_enforced=True)
    assert StrangerWatch(USER, ladder()).observe(account(stop)) == []
    watch = StrangerWatch(USER, ladder())
    watch.observe(account(stop))
    assert watch.observe(account()) == [], "its end is nobody else's business"


def watched(restarted: bool = False) -> ProtectionWatch:
    """A watch whose account was protected at second 100, or that begins with a restart there."""
    watch = ProtectionWatch([KEY])
    watch.begin(100.0, restarted=True)
    watch.resumed()
    if not restarted:
        watch.observe(KEY, 100.0, is_exposed=False)
    return watch


def test_a_position_without_exits_for_too_long_is_told_once() -> None:
    watch = watched()

    said = [watch.observe(KEY, at, is_exposed=True) for at in (101.0, 104.9, 105.5, 106.0)]

    assert [sentence is not None for sentence in said] == [False, False, True, False]
    assert watch.longest_running == 6.0


def test_after_a_restart_the_longer_bound_holds_until_all_was_well_once() -> None:
    watch = watched(restarted=True)

    assert watch.observe(KEY, 114.0, is_exposed=True) is None
    assert watch.observe(KEY, 115.5, is_exposed=True) is not None
    assert (watch.longest_running, watch.longest_after_restart) == (0.0, 15.5)
    assert watch.observe(KEY, 116.0, is_exposed=False) is None
    assert watch.observe(KEY, 121.5, is_exposed=True) is not None


def test_what_rests_while_a_server_still_starts_does_not_make_the_bound_shorter() -> None:
    watch = watched()
    watch.begin(200.0, restarted=True)
    watch.observe(KEY, 200.5, is_exposed=False)

    assert watch.observe(KEY, 208.0, is_exposed=True) is None
    assert watch.observe(KEY, 216.0, is_exposed=True) is not None


def test_faults_and_dead_programs_stop_the_watch_but_a_short_fault_does_not_excuse_for_ever() -> None:
    watch = watched()
    watch.observe(KEY, 101.0, is_exposed=True)
    watch.fault(KEY, 103.0)

    assert watch.observe(KEY, 107.0, is_exposed=True) is None
    assert watch.observe(KEY, 108.5, is_exposed=True) is not None
    watch.stop()
    assert watch.observe(KEY, 200.0, is_exposed=True) is None
    assert watch.longest_running == 5.5


# Foreign orders


def cancelled(link_id: str, by: str, status: str = "Cancelled") -> list[dict[str, str]]:
    return [{"orderId": f"id-of-{link_id}", "orderStatus": status, "cancelType": by}]


def test_a_foreign_order_that_the_server_cancelled_is_told() -> None:
    watch = StrangerWatch(USER, ladder())
    watch.observe(account(order("hand-1"), order(leg(1, user=8)), order(leg(1))))

    gone = watch.observe(account(order(leg(1, user=8))))

    assert [one.link_id for one in gone] == ["hand-1"]
    assert foreign_cancel(gone[0], cancelled("hand-1", "CancelByUser"), USER) is not None
    assert foreign_cancel(gone[0], [], USER) is not None


def test_a_foreign_order_may_fill_or_end_by_the_exchanges_rules_or_its_owners_wish() -> None:
    watch = StrangerWatch(USER, ladder())
    watch.observe(account(order("hand-1"), order("hand-2")))
    watch.cancels_asked.add("hand-2")

    [gone] = watch.observe(account())

    assert foreign_cancel(gone, cancelled("hand-1", "UNKNOWN", "Filled"), USER) is None
    assert foreign_cancel(gone, cancelled("hand-1", "CancelByReduceOnly"), USER) is None


# Books


def test_an_execution_that_is_not_in_the_books_is_lost() -> None:
    made = [execution(leg(0), "0.016", "60000"), execution(leg(1), "0.016", "59400")]

    assert lost_fills(made, "BTCUSDT", {made[0].exec_id}) == [made[1]]
    assert lost_fills(made, "BTCUSDT", {one.exec_id for one in made}) == []


def test_an_execution_that_was_booked_twice_is_told() -> None:
    assert doubled_fills([{"exec_id": "a"}, {"exec_id": "b"}, {"exec_id": "a"}]) == ["a"]


def test_books_that_are_off_by_a_cent_differ() -> None:
    cycles = [
        {"realised": "1.20", "fees": "0.30", "funding": "0"},
        {"realised": "-0.20", "fees": "0.10", "funding": "0.01"},
    ]

    assert summed(cycles) == Money(realised=Decimal("1.00"), fees=Decimal("0.40"), funding=Decimal("0.01"))
    exchange = Money(realised=Decimal("1.01"), fees=Decimal("0.40"), funding=Decimal("0.01"))
    assert summed(cycles).apart_from(exchange) == Decimal("0.01")


# Choices


def test_the_same_seed_gives_the_same_choices() -> None:
    from blitz.torture.market import MARKETS, Swing
    from blitz.torture.options import TortureOptions
    from blitz.torture.plan import Blow, draw_round

    options = TortureOptions(rounds=200, bots=2, seed=5)
    accounts = [("trader-1", MARKETS[0]), ("trader-2", MARKETS[1])]
    first = [draw_round(options, number, accounts) for number in range(200)]

    assert [options.exchange_of(index) for index in range(4)] == ["bybit", "bingx", "bingx", "bybit"]
    assert first == [draw_round(options, number, accounts) for number in range(200)]
    assert {plan.blow for plan in first} == set(Blow)
    assert {options.regime(number) for number in range(200)} == {"never", "reusable", "unenforced"}
    walk = [Swing(MARKETS[0], "5"), Swing(MARKETS[0], "5")]
    prices = [[swing.step().price for _ in range(2_000)] for swing in walk]
    assert prices[0] == prices[1]
    assert max(prices[0]) / min(prices[0]) > Decimal("1.04")
    assert all(Decimal(58_500) <= price <= Decimal(61_500) for price in prices[0])


def test_orders_by_hand_never_fill_and_never_look_like_the_bots_own() -> None:
    from blitz.torture.market import MARKETS
    from blitz.torture.plan import _draw_hand

    for number in range(200):
        act = _draw_hand(random.Random(number), number, [("trader-1", MARKETS[number % 4])])
        assert read_tag(act.link_id, 1, act.market.symbol) is None
        assert len(act.link_id) <= 36
        assert act.quantity * act.price >= 5
        assert abs(act.price / act.market.start_price - 1) > Decimal("0.3")
