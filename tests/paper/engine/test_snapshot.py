"""Saving and restoring a venue, whole or piece by piece."""

import json
from decimal import Decimal

import pytest

from blitz.paper.engine import IdRegime, SnapshotProblem, Venue, default_instruments
from blitz.paper.engine.snapshot import join_history


def busy(hand):
    hand.buy("0.1", link_id="one")
    hand.buy("0.1", "59000", link_id="two")
    hand.sell("0.05", reduce_only=True)
    hand.stops(stop_loss="50000")
    return hand.venue


def restored(snapshot):
    return Venue.restore(json.loads(json.dumps(snapshot)), default_instruments())


def test_a_snapshot_restores_to_the_same_snapshot(hand):
    snapshot = busy(hand).snapshot()
    assert restored(snapshot).snapshot() == snapshot


def test_a_restored_venue_still_knows_taken_ids_orders_and_levels(hand):
    venue = restored(busy(hand).snapshot())
    account = venue.accounts["key"]

    assert venue.quiet_range("BTCUSDT") == hand.venue.quiet_range("BTCUSDT")
    assert set(account.used_link_ids) == {"one", "two"}
    venue.move_price("BTCUSDT", Decimal(59_000), 0, sweep=True)
    assert account.holding("BTCUSDT", 0).size == Decimal("0.15")


def test_pieces_saved_along_the_way_make_the_whole(hand):
    busy(hand)
    first = hand.venue.account_history(hand.account)
    marks = {f"{name}_from": len(rows) for name, rows in first.items()}
    hand.sweep("58000")
    second = hand.venue.account_history(hand.account, **marks)

    whole = {
        "venue": hand.venue.venue_state(),
        "accounts": [{"state": hand.venue.account_state(hand.account), "history": join_history([first, second])}],
    }

    assert len(second["executions"]) == 1
    assert restored(whole).snapshot() == hand.venue.snapshot()


def test_changed_accounts_are_named_once(hand, other):
    hand.venue.drain_changed_accounts()
    hand.buy("0.1")
    hand.buy("0.1")

    assert hand.venue.drain_changed_accounts() == ["key"]
    assert hand.venue.drain_changed_accounts() == []


def test_knobs_survive(hand):
    hand.venue.id_regime = IdRegime.REUSABLE
    hand.venue.set_book("BTCUSDT", spread_ticks=4)
    hand.venue.set_mark("ETHUSDT", Decimal(3_100), 0)
    hand.venue.set_max_fill(hand.account, Decimal("0.5"))

    assert restored(hand.venue.snapshot()).snapshot() == hand.venue.snapshot()


def damage_version(snapshot):
    snapshot["venue"]["version"] = 99


def damage_number(snapshot):
    snapshot["accounts"][0]["history"]["executions"][0]["price"] = "NaN"


def damage_field(snapshot):
    del snapshot["accounts"][0]["state"]["open"][0]["side"]


def damage_enum(snapshot):
    snapshot["accounts"][0]["state"]["open"][0]["status"] = "Lost"


def damage_symbol(snapshot):
    snapshot["venue"]["markets"]["NOPEUSDT"] = {}


def damage_shape(snapshot):
    snapshot["accounts"][0] = []


@pytest.mark.parametrize(
    "damage", [damage_version, damage_number, damage_field, damage_enum, damage_symbol, damage_shape]
)
def test_a_damaged_snapshot_is_refused_in_one_sentence(hand, damage):
    snapshot = json.loads(json.dumps(busy(hand).snapshot()))
    damage(snapshot)

    with pytest.raises(SnapshotProblem):
        Venue.restore(snapshot, default_instruments())
