"""Going live is remembered for one key on one exchange, and for nothing else."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName, Mode, parse_settings
from blitz.core.orders import Side
from blitz.core.records import BotEvent, EventKind, EventNoted
from blitz.errors import DatabaseProblem
from blitz.storage.history import History
from blitz.storage.journal import BotJournal
from tests.storage.conftest import NOON_MS, PASSWORD

KEYS = Credentials(api_key="liveKey1234wxyz", api_secret="liveSecret" + "0" * 24)
OTHERS = Credentials(api_key="otherKey1234abcd", api_secret="otherSecret" + "0" * 24)
LIVE = replace(DEFAULT_SETTINGS, mode=Mode.LIVE)
BYBIT = ExchangeName.BYBIT
TOLD = BotEvent(kind=EventKind.WENT_LIVE, at_ms=NOON_MS, data={"who": "alice@example.com"})


@pytest.fixture
def trader(users, alice):
    """Somebody who chose live and entered keys."""
    users.save_settings(alice.id, LIVE)
    users.save_credentials(alice.id, KEYS.api_key, KEYS.api_secret)
    return alice


def is_armed(users, user):
    return users.by_id(user.id).is_armed


def test_choosing_live_is_not_going_live(users, trader):
    assert not is_armed(users, trader)


def test_going_live_is_remembered_with_its_time_and_for_one_user(users, trader, bob):
    users.save_settings(bob.id, LIVE)

    assert users.go_live(trader.id, KEYS, BYBIT, TOLD)

    assert users.by_id(trader.id).live_since_ms == NOON_MS
    assert is_armed(users, trader)
    assert not is_armed(users, bob)


def test_it_is_told_in_the_feed_of_the_live_account_or_it_did_not_happen(db, users, trader):
    assert users.go_live(trader.id, KEYS, BYBIT, TOLD)
    assert [row.event for row in History(db).events(trader.id, account="bybit:live")] == [TOLD]
    users.save_credentials(trader.id, KEYS.api_key, KEYS.api_secret)
    with db.write() as connection:
        connection.execute(text("DROP TABLE events"))

    with pytest.raises(DatabaseProblem):
        users.go_live(trader.id, KEYS, BYBIT, TOLD)

    assert not is_armed(users, trader)


def test_another_ladder_on_the_same_exchange_stays_live(users, trader):
    users.go_live(trader.id, KEYS, BYBIT, TOLD)

    users.save_settings(trader.id, replace(LIVE, side=Side.SHORT, symbol="ETH/USDT:USDT"))

    assert is_armed(users, trader)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.DEMO])
def test_leaving_live_takes_it_back_for_good(users, trader, mode):
    users.go_live(trader.id, KEYS, BYBIT, TOLD)

    users.save_settings(trader.id, replace(LIVE, mode=mode))
    users.save_settings(trader.id, LIVE)

    assert not is_armed(users, trader)


@pytest.mark.parametrize(
    ("key", "secret"),
    [(OTHERS.api_key, OTHERS.api_secret), (OTHERS.api_key, None), (None, OTHERS.api_secret), ("", "")],
    ids=["both", "key", "secret", "cleared"],
)
def test_other_keys_take_it_back(users, trader, key, secret):
    users.go_live(trader.id, KEYS, BYBIT, TOLD)

    users.save_credentials(trader.id, key, secret)

    assert not is_armed(users, trader)


def test_a_new_telegram_chat_leaves_it_alone(users, trader):
    users.go_live(trader.id, KEYS, BYBIT, TOLD)

    users.save_telegram(trader.id, None, "-1001234567890")

    assert is_armed(users, trader)


def test_keys_that_were_replaced_while_they_were_checked_do_not_go_live(users, trader):
    users.save_credentials(trader.id, OTHERS.api_key, OTHERS.api_secret)

    assert not users.go_live(trader.id, KEYS, BYBIT, TOLD)
    assert not is_armed(users, trader)


def test_a_mode_that_was_left_while_it_was_checked_does_not_go_live(users, trader):
    users.save_settings(trader.id, DEFAULT_SETTINGS)

    assert not users.go_live(trader.id, KEYS, BYBIT, TOLD)
    users.save_settings(trader.id, LIVE)
    assert not is_armed(users, trader)


def test_without_keys_nobody_goes_live(users, alice):
    users.save_settings(alice.id, LIVE)

    assert not users.go_live(alice.id, KEYS, BYBIT, TOLD)


def test_of_new_keys_and_going_live_at_once_new_keys_are_never_live_unchecked(users, trader):
    for _ in range(20):
        users.save_credentials(trader.id, KEYS.api_key, KEYS.api_secret)
        both = [
            threading.Thread(target=users.go_live, args=(trader.id, KEYS, BYBIT, TOLD)),
            threading.Thread(target=users.save_credentials, args=(trader.id, OTHERS.api_key, OTHERS.api_secret)),
        ]
        for each in both:
            each.start()
        for each in both:
            each.join()

        assert users.credentials(trader.id) == OTHERS
        assert not is_armed(users, trader)


def test_a_new_password_is_not_a_new_key(users, trader):
    users.go_live(trader.id, KEYS, BYBIT, TOLD)

    users.set_password(trader.id, PASSWORD + " again")

    assert is_armed(users, trader)


def test_the_testnet_is_another_account_than_the_demo_account():
    demo, testnet = (parse_settings({"mode": "demo", "testnet": chosen}) for chosen in (False, True))

    assert (demo.account, testnet.account) == ("bybit:demo", "bybit:testnet")
    assert parse_settings({"mode": "paper", "testnet": True}).account == "bybit:paper"
    assert parse_settings({"mode": "live", "testnet": True}).account == "bybit:live"


def test_history_of_the_testnet_is_its_own(db, users, alice):
    users.save_settings(alice.id, parse_settings({"mode": "demo", "testnet": True}))
    event = EventNoted(event=BotEvent(kind=EventKind.STARTED, at_ms=NOON_MS))
    for account, lines in (("bybit:demo", 1), ("bybit:testnet", 2)):
        BotJournal(db, alice.id, account).save([event] * lines, durable=True)

    assert len(History(db).events(alice.id)) == 2
