"""The mailbox: order is kept, wake-ups are folded, nobody blocks."""

import threading
import time

from blitz.bots.mailbox import LastCycle, Letter, Mailbox, Shutdown, Stop, Wake
from blitz.core.work import Mode


def test_letters_come_out_in_the_order_they_went_in():
    mailbox = Mailbox()
    letters: list[Letter] = [LastCycle(), Stop(mode=Mode.STOP_PULL), Shutdown()]
    for letter in letters:
        mailbox.put(letter)
    assert mailbox.take_all(0) == letters


def test_a_flood_of_wake_ups_is_one_wake_up():
    mailbox = Mailbox()
    for _ in range(10_000):
        mailbox.put(Wake())
    assert mailbox.take_all(0) == [Wake()]
    mailbox.put(Wake())
    assert mailbox.take_all(0) == [Wake()]


def test_wake_ups_that_somebody_waits_for_are_all_delivered():
    mailbox = Mailbox()
    mailbox.put(Wake())
    mailbox.put(Wake(token=1))
    mailbox.put(Wake(token=2))
    assert mailbox.take_all(0) == [Wake(), Wake(token=1), Wake(token=2)]


def test_an_empty_mailbox_answers_after_its_timeout():
    began = time.monotonic()
    assert Mailbox().take_all(0.05) == []
    assert 0.04 < time.monotonic() - began < 2


def test_a_letter_ends_the_wait_at_once():
    mailbox = Mailbox()
    threading.Timer(0.05, mailbox.put, [Shutdown()]).start()
    began = time.monotonic()
    assert mailbox.take_all(30) == [Shutdown()]
    assert time.monotonic() - began < 5


def test_no_wake_up_is_lost_between_taking_and_putting():
    mailbox = Mailbox()
    rounds = 300
    seen = threading.Semaphore(0)

    def take():
        for _ in range(rounds):
            while Wake() not in mailbox.take_all(5):
                pass
            seen.release()

    taker = threading.Thread(target=take)
    taker.start()
    for _ in range(rounds):
        mailbox.put(Wake())
        assert seen.acquire(timeout=5), "a wake-up was put and never taken"
    taker.join(5)
    assert not taker.is_alive()
