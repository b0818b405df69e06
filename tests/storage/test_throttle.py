import threading

import pytest

from blitz.storage.throttle import ADDRESS_FAILURES_MAX, FAILURES_MAX, WINDOW_MS, SignInThrottle

PEER = "192.0.2.1"


@pytest.fixture
def throttle(db, clock):
    return SignInThrottle(db, clock)


def fail(throttle, times, *, email="alice@example.com", peer=PEER):
    waits = []
    for _ in range(times):
        waits.append(throttle.attempt(email, peer))
        if waits[-1] == 0:
            throttle.failed(peer)
    return waits


def fail_everywhere(throttle, times, *, peer=PEER):
    """One wrong password for each of so many accounts."""
    return [fail(throttle, 1, email=f"user{number}@example.com", peer=peer)[0] for number in range(times)]


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
    assert fail_everywhere(throttle, ADDRESS_FAILURES_MAX) == [0] * ADDRESS_FAILURES_MAX

    assert throttle.attempt("fresh@example.com", PEER) == 60
    assert throttle.attempt("fresh@example.com", "198.51.100.1") == 0


def test_mistakes_at_one_account_leave_the_others_on_that_address_alone(throttle):
    fail(throttle, 4 * FAILURES_MAX)

    assert throttle.attempt("alice@example.com", PEER) > 0
    assert throttle.attempt("bob@example.com", PEER) == 0


def test_a_house_full_of_traders_may_sign_in_at_the_same_moment(throttle):
    # None of the sign-ins has come to its end when the next one begins
    waits = [throttle.attempt(f"user{number}@example.com", PEER) for number in range(2 * ADDRESS_FAILURES_MAX)]

    assert set(waits) == {0}


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
    fail_everywhere(throttle, ADDRESS_FAILURES_MAX, peer=peers[0])

    assert throttle.attempt("fresh@example.com", peers[1]) > 0


def test_success_clears_the_account(throttle):
    fail(throttle, FAILURES_MAX - 1)
    throttle.attempt("alice@example.com", "198.51.100.1")
    throttle.succeeded("alice@example.com")

    assert throttle.attempt("alice@example.com", "198.51.100.1") == 0


def test_an_own_account_does_not_buy_more_guesses(throttle):
    fail_everywhere(throttle, ADDRESS_FAILURES_MAX - 1)
    assert throttle.attempt("attacker@example.com", PEER) == 0
    throttle.succeeded("attacker@example.com")

    assert fail(throttle, 1, email="victim@example.com") == [0]
    assert throttle.attempt("victim@example.com", PEER) > 0
    assert throttle.attempt("attacker@example.com", PEER) > 0


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
