"""The mailbox: order is kept, wake-ups are folded, nobody blocks."""

import queue
import threading
import time
from collections.abc import Callable

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


class _WakeInBetween(queue.SimpleQueue[Letter]):
    """A queue into which a wake-up is put just after the first letter was taken from it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake: Callable[[], None] | None = wake

    def get_nowait(self) -> Letter:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()
        return super().get_nowait()


def test_a_wake_up_that_is_taken_with_the_rest_holds_up_no_later_one():
    """A bot that is told would sleep a quarter of an hour over the second one."""
    mailbox = Mailbox()
    mailbox._letters = _WakeInBetween(lambda: mailbox.put(Wake()))
    mailbox.put(LastCycle())
    assert mailbox.take_all(1) == [LastCycle(), Wake()]
    mailbox.put(Wake())
    assert mailbox.take_all(0) == [Wake()], "the wake-up was dropped, though none was waiting"
