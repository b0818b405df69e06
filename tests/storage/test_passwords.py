import statistics
import threading
import time

import pytest
from argon2 import PasswordHasher

from blitz.storage.password_rules import password_problems
from blitz.storage.passwords import Passwords

EMAIL = "wilhelmina@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "drei Zwetschgen und ein Boot",
        "vK3#mmQz81!x",
        "пароль-из-четырёх-слов",
        "kettle umbrella 1234",
        "x9" + "longer than sixty-four characters, which some systems cut off without a word",
    ],
)
def test_a_good_password_is_accepted(password):
    assert password_problems(password, EMAIL) == []


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 2_000, "at most"),
        ("aaaaaaaaaaaaaa", "repeats"),
        ("abababababab", "repeats"),
        ("abcabcabcabcab", "repeats"),
        ("123456789012", "Rows of keys"),
        ("210987654321", "Rows of keys"),
        ("481516234200", "Rows of keys"),
        ("qwertyuiop12", "Rows of keys"),
        ("qwertyuiopasdfghjkl", "Rows of keys"),
        ("abcdefghijklm", "Rows of keys"),
        ("1234qwerasdf", "Rows of keys"),
        ("passwordpassword", "guessed first"),
        ("Password2025!", "guessed first"),
        ("P@ssw0rd2025!!", "guessed first"),
        ("admin-password", "guessed first"),
        ("letmein-bitcoin", "guessed first"),
        ("iloveyou2024!", "guessed first"),
        ("wilhelmina2025", "e-mail address"),
        ("Wilhelmina@example.com", "e-mail address"),
        ("wilhelminaexample", "e-mail address"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password, why):
    problems = password_problems(password, EMAIL)

    assert len(problems) == 1
    assert why in problems[0]
    assert password not in problems[0]


def test_a_hash_is_salted_and_is_argon2id(cheap_passwords):
    first, second = cheap_passwords.hash("secret words"), cheap_passwords.hash("secret words")

    assert first != second
    assert first.startswith("$argon2id$")


def test_the_standing_parameters_are_strong():
    parameters = Passwords()._hasher

    assert parameters.memory_cost >= 64 * 1024
    assert parameters.time_cost >= 3


def test_only_the_right_password_passes(cheap_passwords):
    stored = cheap_passwords.hash("correct horse")

    assert cheap_passwords.check(stored, "correct horse")
    assert not cheap_passwords.check(stored, "correct horsf")
    assert not cheap_passwords.check(stored, "correct horse" + "x" * 2_000)
    assert not cheap_passwords.check("not a hash", "correct horse")
    assert not cheap_passwords.check(None, "a password that nobody has")


def test_no_character_is_cut_off(cheap_passwords):
    stored = cheap_passwords.hash("a" * 200 + "b")

    assert not cheap_passwords.check(stored, "a" * 200 + "c")


def test_the_same_word_from_another_keyboard_passes(cheap_passwords):
    assert cheap_passwords.check(cheap_passwords.hash("caf\u00e9"), "cafe\u0301")


def test_weaker_parameters_of_the_past_are_noticed(cheap_passwords):
    past = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash("correct horse")

    assert cheap_passwords.is_outdated(past)
    assert not cheap_passwords.is_outdated(cheap_passwords.hash("correct horse"))


class CountingHasher(PasswordHasher):
    """Notes how many hashes are made at the same moment."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.now = self.most = 0
        self._lock = threading.Lock()

    def hash(self, password, *, salt=None):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1
        return super().hash(password, salt=salt)


def test_only_a_few_hashes_are_made_at_once():
    hasher = CountingHasher()
    passwords = Passwords(hasher, parallel=2)
    threads = [threading.Thread(target=passwords.hash, args=("x",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert hasher.most == 2


def test_nobody_takes_as_long_as_somebody():
    """Times of one hash vary, so medians of interleaved runs are compared, and generously."""
    passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=4096, parallelism=1))
    stored = passwords.hash("correct horse")
    known, unknown = [], []
    for _ in range(25):
        known.append(timed(passwords, stored))
        unknown.append(timed(passwords, None))

    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def timed(passwords, stored):
    started = time.perf_counter()
    passwords.check(stored, "wrong password")
    return time.perf_counter() - started
