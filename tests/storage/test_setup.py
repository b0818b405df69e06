import threading

import pytest

from blitz.storage.setup import VALID_MS, SetupTokens
from tests.storage.conftest import PASSWORD


@pytest.fixture
def tokens(db, clock):
    return SetupTokens(db, clock)


def test_setting_up_is_needed_until_there_is_an_administrator(tokens, users, alice):
    assert tokens.needed()

    users.create("admin@admin.com", PASSWORD, role="admin")

    assert not tokens.needed()


def test_a_token_is_redeemed_once(tokens):
    raw = tokens.issue()

    assert tokens.is_valid(raw)
    assert tokens.redeem(raw)
    assert not tokens.redeem(raw)
    assert not tokens.is_valid(raw)


def test_of_many_at_once_one_redeems(tokens):
    raw, answers = tokens.issue(), []
    threads = [threading.Thread(target=lambda: answers.append(tokens.redeem(raw))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 15 + [True]


def test_a_token_is_valid_for_a_day(tokens, clock):
    raw = tokens.issue()
    clock.advance(VALID_MS)

    assert not tokens.is_valid(raw)
    assert not tokens.redeem(raw)


def test_a_new_token_ends_the_one_before(tokens):
    old, new = tokens.issue(), tokens.issue()

    assert not tokens.redeem(old)
    assert tokens.redeem(new)


@pytest.mark.parametrize("raw", ["", "guess", "\ud800"])
def test_a_guess_redeems_nothing(tokens, raw):
    tokens.issue()

    assert not tokens.redeem(raw)
