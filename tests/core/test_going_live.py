"""What stands against a key, and what a ladder may cost against a balance."""

from decimal import Decimal

import pytest

from blitz.core.going_live import (
    AccountBalance,
    KeyRights,
    about_key,
    about_stake,
    against_key,
    stake_json,
    stake_of,
)
from blitz.core.ladder_settings import parse_settings
from blitz.core.preview import preview_ladder
from blitz.simulation.ladders import BTC

GOOD = {
    "trades": True,
    "read_only": False,
    "withdraws": False,
    "transfers": False,
    "moves": False,
    "bound_to_ip": True,
}


def rights(**changes):
    return KeyRights(**(GOOD | changes))


def codes(findings):
    return [each.code for each in findings]


def stake(balance="1000", available=None, **settings):
    chosen = parse_settings({"mode": "live"} | settings)
    own = AccountBalance(equity=Decimal(balance), available=Decimal(available or balance))
    return stake_of(preview_ladder(chosen, BTC, Decimal(60000), balance=own.equity), own)


def test_a_key_that_trades_contracts_and_nothing_else_is_taken_without_a_word():
    assert against_key(rights()) == about_key(rights()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"withdraws": True}, "key_can_withdraw"),
        ({"transfers": True}, "key_can_transfer"),
        ({"opaque": ("Wallet GiveAway",)}, "key_not_understood"),
        ({"read_only": True}, "key_read_only"),
        ({"trades": False}, "key_cannot_trade"),
        ({"read_only": True, "trades": False}, "key_read_only"),
    ],
)
def test_a_key_that_may_too_much_or_too_little_is_refused_with_what_to_do(change, code):
    found = against_key(rights(**change))

    assert codes(found) == [code]
    assert "exchange" in found[0].message


def test_everything_that_stands_against_a_key_is_told_at_once():
    found = against_key(rights(withdraws=True, transfers=True, trades=False))

    assert codes(found) == ["key_can_withdraw", "key_can_transfer", "key_cannot_trade"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"bound_to_ip": False}, "key_not_bound"),
        ({"moves": True}, "key_moves"),
        ({"unfamiliar": ("ByXPost",)}, "key_unfamiliar"),
    ],
)
def test_what_is_only_risky_is_told_and_not_refused(change, code):
    assert against_key(rights(**change)) == []
    assert codes(about_key(rights(**change))) == [code]


def test_the_worst_case_with_a_stop_is_its_loss_with_every_leg_filled_and_all_fees():
    # By hand: 0.135 BTC cost 7886.2671; 5 % below their average is 55496 on the tick, where they bring 7491.96.
    # Fees: 960 · 0.055 % and 6926.2671 · 0.02 % to get in, 7491.96 · 0.055 % to get out.
    found = stake(stop_loss="50")

    assert found.worst_loss == Decimal("394.3071") + Decimal("1.91325342") + Decimal("4.120578")
    assert "the stop-loss ends the cycle with a loss of about 400.3409 USDT" in found.worst_case
    assert stake_json(found)["worst_loss"] == "400.3409"


def test_in_isolated_margin_without_a_stop_the_margin_is_what_may_be_lost():
    found = stake(margin_mode="isolated")

    assert found.worst_loss == found.preview.margin + found.preview.legs[-1].entry_fees
    assert found.worst_case.startswith("There is no stop-loss.")


def test_in_cross_margin_without_a_stop_the_whole_balance_may_be_lost():
    assert stake(balance="900").worst_loss == 900
    assert stake(balance="900", side="short").worst_loss == 900


def test_a_long_can_lose_no_more_than_its_value_however_large_the_balance():
    found = stake(balance="1000000")

    assert found.worst_loss == found.preview.notional + found.preview.legs[-1].entry_fees
    assert stake(balance="1000000", side="short").worst_loss == 1_000_000


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_stop_beyond_the_liquidation_protects_nobody_and_is_not_shown_as_if(side):
    found = stake(margin_mode="isolated", stop_loss="99.9", side=side)

    assert found.worst_case.startswith("The exchange liquidates the position before the stop-loss triggers.")
    assert found.worst_loss == found.preview.margin + found.preview.legs[-1].entry_fees


def test_a_ladder_that_the_balance_cannot_carry_is_told():
    assert codes(about_stake(stake(balance="1000", available="500"))) == ["balance_short"]
    assert about_stake(stake(balance="1000")) == []
