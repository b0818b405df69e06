"""What people read: numbers with their thousands apart, sums of a few places, words instead of code words."""

import pytest

from blitz.bots.protection import CauseCode
from blitz.core.records import EventKind
from blitz.web.feed import sentence, tidy
from blitz.web.language import said_status
from blitz.web.mode_strip import FEEDS
from blitz.web.remedies import REMEDIES


@pytest.mark.parametrize(
    ("stored", "read"),
    [("57404.80", "57,404.8"), ("999", "999"), ("1000000", "1,000,000"), ("-1234.5", "-1,234.5"), ("-0.5", "-0.5")],
)
def test_a_number_has_its_thousands_apart_and_no_trailing_zeros(stored, read):
    assert tidy(stored) == read


def test_what_is_no_number_stays_as_it_is():
    assert tidy("10006: too many visits") == "10006: too many visits"


@pytest.mark.parametrize(("fee", "read"), [("0.09541872", "0.0954"), ("-0.00000123", "0.00000123")])
def test_funding_has_four_places_and_more_only_where_four_would_say_nothing(fee, read):
    assert sentence(EventKind.FUNDING, 1, {"fee": fee}, "en").endswith(f"{read} USDT.")


def test_what_recover_did_is_said_in_words():
    told = sentence(EventKind.RECOVERED, 1, {"actions": "checked_positions, created_tp, created_leg_3"}, "en")

    assert told == "Recovered: looked at the position, created the take-profit, created leg 3."


@pytest.mark.parametrize("cause", list(CauseCode))
def test_a_status_says_what_to_do_about_a_missing_protection(cause):
    status = {"protected": {"state": "unprotected", "cause": cause.value}}

    assert said_status(status, "en")["protected"]["remedy"] == REMEDIES[cause]
    assert "remedy" not in status["protected"]


def test_a_position_that_is_protected_needs_no_remedy():
    assert said_status({"protected": {"state": "protected", "cause": None}}, "en")["protected"]["remedy"] is None


def test_the_strip_names_each_market_of_the_paper_exchange_without_its_code_word():
    assert set(FEEDS) == {"synthetic", "candles", "manual", "live"}
    assert not any(":" in words for words in FEEDS.values())
