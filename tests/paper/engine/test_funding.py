"""Funding: when, how much, who pays, and how it shows."""

from decimal import Decimal

import pytest

HOUR_MS = 3_600_000
MIDNIGHT_MS = 1_700_006_400_000


@pytest.fixture
def held(hand):
    """One BTC long at 60,000, an hour after a funding time."""
    hand.now_ms = MIDNIGHT_MS + HOUR_MS
    hand.venue.settle_funding(hand.now_ms)
    hand.buy("1")
    return hand


def test_the_first_call_only_notes_the_time(held):
    assert held.account.funding == 0
    assert held.venue.next_funding_ms("BTCUSDT", held.now_ms) == MIDNIGHT_MS + 8 * HOUR_MS


def test_a_long_pays_one_hundredth_of_a_percent_of_the_mark_value(held):
    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS - 1)
    assert held.account.funding == 0
    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)

    row = held.account.executions[-1]
    assert (row.exec_type.value, row.fee, row.link_id, row.fee_rate) == ("Funding", Decimal(6), "", Decimal("0.0001"))
    assert held.account.wallet_balance == 100_000 - 33 - 6


def test_a_short_receives_what_a_long_pays(held, other):
    other.sell("1")

    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)

    assert (held.account.funding, other.account.funding) == (Decimal(6), Decimal(-6))


def test_every_interval_that_passed_is_charged_once(held):
    held.venue.settle_funding(MIDNIGHT_MS + 25 * HOUR_MS)
    held.venue.settle_funding(MIDNIGHT_MS + 26 * HOUR_MS)

    assert held.account.funding == Decimal(18)
    assert len(held.venue.funding_history("BTCUSDT")) == 3


def test_a_flat_account_pays_nothing(held):
    held.sell("1")
    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)
    assert held.account.funding == 0


@pytest.mark.parametrize(
    ("mark", "rate"),
    [
        ("60000", "0.0001"),  # premium 0: the interest rate
        ("60018", "0.0001"),  # premium 0.03 %: inside the clamp
        ("60060", "0.0005"),  # premium 0.1 %: 0.1 % − 0.05 %
        ("59940", "-0.0005"),  # premium −0.1 %: −0.1 % + 0.05 %
        ("70000", "0.0075"),  # capped
    ],
)
def test_the_rate_follows_the_premium_of_the_mark(held, mark, rate):
    held.venue.set_mark("BTCUSDT", Decimal(mark), held.now_ms)
    assert held.venue.ticker("BTCUSDT", held.now_ms).funding_rate == Decimal(rate)


def test_a_fixed_rate_replaces_the_formula(held):
    held.venue.set_funding_rate("BTCUSDT", Decimal("-0.002"))
    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)
    assert held.account.funding == Decimal(-120)


def test_funding_tells_the_account(held):
    held.venue.drain_events()
    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)
    assert [event.kind.value for event in held.venue.drain_events()] == ["execution", "position", "wallet"]


def test_funding_that_empties_a_cross_account_liquidates_it(held):
    held.venue.deposit(held.account, Decimal(-93_000), held.now_ms)
    held.venue.set_funding_rate("BTCUSDT", Decimal("0.5"))

    held.venue.settle_funding(MIDNIGHT_MS + 8 * HOUR_MS)

    assert held.position().size == 0
