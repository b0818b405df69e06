"""Presets trade wherever they are offered, and doubts name what the market takes and a trader may not have meant."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from blitz.core.ladder_settings import GridRow, MarginMode
from blitz.core.ladder_warnings import ladder_warnings
from blitz.core.orders import Side
from blitz.core.presets import PRESETS, fit
from blitz.core.preview import preview_ladder
from blitz.simulation.ladders import BTC
from tests.core.ladders import ENTRY, LONG, SHORT

MEME = replace(
    BTC, symbol="1000PEPE/USDT:USDT", tick=Decimal("0.0000001"), step=Decimal(100), quantity_min=Decimal(100),
    quantity_max=Decimal(10**9), market_quantity_max=Decimal(10**9), leverage_max=Decimal(25),
)  # fmt: skip
COARSE = replace(BTC, step=Decimal(1), quantity_min=Decimal(1), leverage_max=Decimal(2), leverage_step=Decimal(1))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("margin_mode", list(MarginMode))
@pytest.mark.parametrize(("market", "price"), [(BTC, ENTRY), (MEME, Decimal("0.0123456"))], ids=["btc", "meme"])
def test_a_preset_takes_its_part_of_the_balance_and_raises_no_doubt(preset, side, margin_mode, market, price):
    balance = Decimal(20_000)
    settings = replace(LONG, side=side, margin_mode=margin_mode, symbol=market.symbol)

    found = fit(preset, settings, market, price, balance)

    assert ladder_warnings(found.preview, balance) == []
    used = found.preview.margin / balance * 100
    assert preset.share * Decimal("0.85") <= used <= preset.share
    assert set(found.fields()) == {"leverage", "grids", "rounds", "take_profit", "stop_loss"}
    assert f"Covers a move of {found.preview.legs[-1].from_entry_percent} %" in found.says[0]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_coarse_market_makes_a_preset_larger_and_lends_it_less(preset):
    found = fit(preset, LONG, COARSE, ENTRY, Decimal(1000))

    assert found.preview.settings.leverage == 2
    assert found.preview.settings.take_profit == preset.take_profit * 2  # the same move of the price
    assert all(row.quantity >= 1 for row in found.preview.legs)
    assert found.says[-1] == "This market takes no less."


@given(
    price=st.decimals("0.001", "100000", places=3),
    step=st.sampled_from(["0.001", "0.1", "1", "1000"]),
    notional=st.decimals("1", "100", places=0),
    balance=st.none() | st.decimals("0", "1000000000", places=2),
)
def test_a_preset_is_tradable_on_every_market(price, step, notional, balance):
    assume(price * Decimal(step) < 100_000)  # what no venue lists: its smallest order is worth more
    tick = price.scaleb(-5).quantize(Decimal("0.0000001")) or Decimal("0.0000001")
    huge = Decimal(10**12)
    market = replace(
        BTC, tick=tick, step=Decimal(step), quantity_min=Decimal(step), notional_min=notional, quantity_max=huge,
        market_quantity_max=huge,
    )  # fmt: skip

    for preset in PRESETS:
        assert len(fit(preset, LONG, market, price, balance).preview.legs) == preset.count + 1


def codes(settings, free=None, balance=None) -> list[tuple[str, str, int | None]]:
    found = ladder_warnings(preview_ladder(settings, BTC, ENTRY, balance=balance), free)
    assert all(each.says.endswith(".") for each in found)
    return [(each.code, each.field, each.leg) for each in found]


def test_an_ordinary_ladder_raises_no_doubt():
    assert codes(LONG, Decimal(10_000), Decimal(10_000)) == []
    assert codes(SHORT, None) == []


@pytest.mark.parametrize("settings", [LONG, SHORT])
def test_margin_above_the_balance_is_named_at_the_leg_that_it_no_longer_reaches(settings):
    assert codes(settings, Decimal(300)) == [("balance_short", "grids", 2)]
    assert codes(settings, Decimal(96)) == [("balance_short", "grids", 0)]  # its fee makes it more
    assert codes(settings, Decimal(791)) == []


@pytest.mark.parametrize("settings", [LONG, SHORT])
def test_a_stop_that_closes_before_a_leg_is_reached_is_named(settings):
    assert codes(replace(settings, stop_loss=Decimal(9))) == [("stop_before_leg", "stop_loss", 1)]
    assert codes(replace(settings, stop_loss=Decimal(40))) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_liquidation_before_a_leg_or_before_the_stop_is_named(side):
    high = replace(LONG, side=side, leverage=Decimal(100), margin_mode=MarginMode.ISOLATED, take_profit=Decimal(50))
    assert codes(high) == [("liquidation_before_leg", "leverage", 1)]

    late = replace(LONG, side=side, margin_mode=MarginMode.ISOLATED, stop_loss=Decimal(98))
    assert codes(late) == [("liquidation_before_stop", "stop_loss", 0)]


def test_a_take_profit_that_fees_eat_up_is_named():
    assert codes(replace(LONG, take_profit=Decimal("0.5"))) == [("fees_above_profit", "take_profit", 0)]


def test_more_rounds_than_rows_are_said():
    assert codes(replace(LONG, rounds=9)) == [("rounds_above_legs", "rounds", None)]


@pytest.mark.parametrize("settings", [replace(LONG, stop_loss=Decimal(40)), replace(SHORT, stop_loss=Decimal(40))])
def test_what_an_exit_nets_is_the_move_less_all_fees(settings):
    preview = preview_ladder(settings, BTC, ENTRY)
    first = preview.legs[0]
    assert first.take_profit is not None
    assert first.stop_loss is not None

    move = abs(first.take_profit - ENTRY) * first.quantity
    fees = ENTRY * first.quantity * BTC.taker_rate + first.take_profit * first.quantity * BTC.maker_rate
    assert first.take_profit_net == move - fees
    loss = abs(first.stop_loss - ENTRY) * first.quantity
    fees = (ENTRY + first.stop_loss) * first.quantity * BTC.taker_rate
    assert first.stop_loss_net == -loss - fees


def test_the_smallest_amount_of_each_leg_works_and_a_cent_less_does_not():
    for row in preview_ladder(LONG, BTC, ENTRY).legs:
        for amount, works in ((row.smallest_amount, True), (row.smallest_amount - Decimal("0.01"), False)):
            grids = list(LONG.grids)
            grids[row.leg] = GridRow(amount=amount, gap=grids[row.leg].gap)
            size = amount * LONG.leverage / row.price
            assert (size >= BTC.quantity_min) is works


def test_shares_are_of_all_amounts_used_and_the_way_back_is_to_the_take_profit():
    rows = preview_ladder(replace(LONG, rounds=3), BTC, ENTRY).legs

    assert [str(row.share_percent) for row in rows] == ["25.0", "25.0", "50.0"]
    assert [str(row.bounce_percent) for row in rows] == ["0.50", "1.01", "1.24"]
