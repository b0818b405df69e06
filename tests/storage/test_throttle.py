import threading

import pytest

from blitz.storage.throttle import FAILURES_MAX, WINDOW_MS, SignInThrottle

PEER = "192.0.2.1"


@pytest.fixture
def throttle(db, clock):
    return SignInThrottle(db, clock)


def fail(throttle, times, *, email="alice@example.com", peer=PEER):
    return [throttle.attempt(email, peer) for _ in range(times)]


def test_the_sixth_failure_within_a_minute_has_to_wait(throttle):
    assert fail(throttle, FAILURES_MAX + 1) == [0, 0, 0, 0, 0, 60]


def test_waiting_helps_and_asking_does_not_prolong_it(throttle, clock):
    fail(throttle, FAILURES_MAX)
    clock.advance(WINDOW_MS - 1_500)
    assert fail(throttle, 3) == [2, 2, 2]

    clock.advance(1_500)

    assert fail(throttle, 1) == [0]


def test_an_account_is_guarded_against_many_addresses(throttle):
    for number in range(FAILURES_MAX):
        assert throttle.attempt("alice@example.com", f"192.0.2.{number}") == 0

    assert throttle.attempt("ALICE@example.com", "198.51.100.1") > 0
    assert throttle.attempt("bob@example.com", "198.51.100.1") == 0


def test_an_address_is_held_back_whatever_account_it_tries(throttle):
    for number in range(FAILURES_MAX):
        assert throttle.attempt(f"user{number}@example.com", PEER) == 0

    assert throttle.attempt("fresh@example.com", PEER) > 0
    assert throttle.attempt("fresh@example.com", "198.51.100.1") == 0


@pytest.mark.parametrize(
    "peers",
    [
        ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"],  # one household
        ["192.0.2.1", "::ffff:192.0.2.1"],
        ["fe80::1%eth0", "fe80::2%eth1"],
        ["", "not an address"],
    ],
)
def test_spellings_of_one_place_are_one_place(throttle, peers):
    for number in range(FAILURES_MAX):
        throttle.attempt(f"user{number}@example.com", peers[0])

    assert throttle.attempt("fresh@example.com", peers[1]) > 0


def test_success_clears_the_account(throttle):
    fail(throttle, FAILURES_MAX - 1)
    throttle.attempt("alice@example.com", "198.51.100.1")
    throttle.succeeded("alice@example.com", "198.51.100.1")

    assert throttle.attempt("alice@example.com", "198.51.100.1") == 0


def test_an_own_account_does_not_buy_more_guesses(throttle):
    for number in range(FAILURES_MAX - 1):
        throttle.attempt(f"victim{number}@example.com", PEER)
    assert throttle.attempt("attacker@example.com", PEER) == 0
    throttle.succeeded("attacker@example.com", PEER)

    assert throttle.attempt("victim@example.com", PEER) == 0
    assert throttle.attempt("victim@example.com", PEER) > 0


def test_many_guesses_at_once_gain_nothing(throttle):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(throttle.attempt("alice@example.com", PEER))) for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers.count(0) == FAILURES_MAX
    assert len(answers) == 32
