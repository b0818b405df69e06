"""Nobody's long history, and nobody who reads slowly, holds up everybody else."""

import time

import pytest

from blitz.web import long_work
from blitz.web.errors import Problem
from blitz.web.long_work import AT_ONCE, FILES_MAX, FILES_PER_USER, LongWork
from tests.web.test_history_api import book, cycle  # noqa: F401 - a fixture

FIGURES = ("/api/bot/statistics", "/api/bot/statistics?format=csv", "/api/bot/equity", "/api/bot/cycles?outcome=won")


def test_whoever_has_used_up_a_share_of_the_processor_waits(world, client, monkeypatch):
    monkeypatch.setattr(long_work, "SECONDS_MAX", 1e-9)

    first = client.get(FIGURES[0])
    refused = [client.get(path) for path in (*FIGURES, "/api/bot/fills?format=csv")]

    assert first.status_code == 200
    assert {(one.status_code, one.json["status"]) for one in refused} == {(429, "too_many_requests")}
    assert refused[0].headers["Retry-After"] == "10"
    assert world.signed_in(world.stranger).get(FIGURES[0]).status_code == 200
    assert client.get("/api/bot/status").status_code == 200


def test_what_was_used_is_forgotten_after_a_minute(monkeypatch):
    work = LongWork()
    with work.of(7):
        sum(range(100_000))

    assert work.seconds_of(7) > 0
    monkeypatch.setattr(long_work, "WINDOW_SECONDS", 0.0)
    time.sleep(0.001)
    assert work.seconds_of(7) == 0


def test_one_user_does_so_much_at_once_and_others_are_not_kept_waiting():
    work = LongWork()
    under_way = [work.of(7) for _ in range(AT_ONCE)]
    for each in under_way:
        each.__enter__()

    with pytest.raises(Problem), work.of(7):
        pass
    with work.of(8):
        pass
    under_way[0].__exit__(None, None, None)
    with work.of(7):
        pass


def test_files_that_nobody_finishes_reading_take_so_many_places(world, client, book):  # noqa: F811
    book(*(cycle(number) for number in range(1, 4)))
    path = "/api/bot/cycles?format=csv"
    open_files = [client.get(path, buffered=False) for _ in range(FILES_PER_USER)]

    refused = client.get(path)
    other = world.signed_in(world.stranger).get(path)
    open_files[0].close()
    again = client.get(path)

    assert (refused.status_code, refused.json["status"]) == (429, "too_many_requests")
    assert (other.status_code, again.status_code) == (200, 200)
    assert client.get(f"{path}&limit=50").status_code == 200
    assert FILES_MAX * 2 <= 16


def test_making_a_file_counts_but_not_the_time_its_reader_takes():
    work = LongWork()
    pages = work.counted(7, iter([1, 2]))

    next(pages)
    made = work.seconds_of(7)
    sum(range(2_000_000))
    next(pages)

    assert 0 < work.seconds_of(7) < made + 0.01
