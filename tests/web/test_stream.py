"""Server-sent events: what a frame holds, how many streams there may be, and how they end."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from blitz.web.stream import StreamBudget, frames, without_time
from tests.web.test_bot_api import resting


def read_frames(world, user, *, until, code="en"):
    """The frames of a stream up to the first that `until` accepts."""
    raw = world.parts.sessions.create(user.id, "127.0.0.1", "a test")
    source = frames(world.parts, user.id, lambda: world.parts.sessions.lookup(raw) is not None, json.dumps, code=code)
    found = []
    for frame in itertools.islice(source, 200):
        found.append(frame)
        if until(frame):
            break
    source.close()
    return found


def test_the_first_frame_is_the_status_and_later_ones_tell_what_changed(world, client):
    start = iter([lambda: client.post("/api/bot/start")])

    def until(frame):
        if "event: status" in frame:
            for action in start:
                action()
        return "event: feed" in frame

    found = read_frames(world, world.trader, until=until)

    assert found[0] == "retry: 2000\n\n"
    assert found[1].startswith('event: status\ndata: {"running"')
    assert json.loads(found[-1].partition("data: ")[2])["message"]


def test_a_stream_goes_on_after_the_line_that_its_page_has(world, client):
    client.post("/api/bot/start")
    lines = client.get("/api/bot/feed?after_id=0").json["rows"]
    seen = lines[2]["id"]

    for known in ({"query_string": {"after_id": seen}}, {"headers": {"Last-Event-ID": str(seen)}}):
        stream = client.get("/api/bot/events", **known)
        text = "".join(itertools.islice((frame.decode() for frame in stream.response), 3))
        stream.close()
        assert f"\nid: {seen + 1}\n" in text
        assert f"\nid: {seen}\n" not in text


def is_alive(frame):
    return frame.startswith("event: alive")


def test_a_quiet_stream_sends_a_heartbeat_and_ends_with_its_session(world):
    def until(frame):
        world.parts.sessions.revoke_all(world.trader.id)
        return False

    found = read_frames(world, world.trader, until=until)

    assert len(found) == 2
    assert read_frames(world, world.stranger, until=is_alive)[-1] == "event: alive\ndata: {}\n\n"


def test_a_closing_server_says_so_and_ends_its_streams(world):
    world.parts.closing.set()

    assert read_frames(world, world.trader, until=lambda frame: False)[-1] == "event: closing\ndata: {}\n\n"


def test_what_a_bot_shows_rings_the_bell_of_whoever_watches_it_and_nobody_elses(world, client):
    bells = world.parts.manager.bells
    with bells.watch(world.trader.id) as own, bells.watch(world.trader.id) as second, bells.watch(99) as other:
        client.post("/api/bot/start")

        assert own.wait(10)
        assert second.wait(10)
        assert not other.is_set()
        own.clear()
    bells.ring(world.trader.id)
    assert not own.is_set()


def test_a_page_waits_for_the_bell_and_not_for_the_next_look(world, client, monkeypatch):
    monkeypatch.setattr("blitz.web.stream.LOOK_SECONDS", 3600.0)
    raw = world.parts.sessions.create(world.trader.id, "127.0.0.1", "a test")
    source = frames(world.parts, world.trader.id, lambda: world.parts.sessions.lookup(raw) is not None, json.dumps)
    assert [next(source)[:13] for _ in range(3)] == ["retry: 2000\n\n", "event: status", "event: alive\n"]

    with ThreadPoolExecutor(1) as reader:
        frame = reader.submit(next, source)
        client.post("/api/bot/start")
        try:
            # A bell that stays silent would leave this waiting for a look that is an hour away.
            assert '"running": true' in frame.result(20)
        finally:
            world.parts.closing.set()
            for bell in world.manager.bells._watched.get(world.trader.id, ()):
                bell.set()
    source.close()


def test_beyond_the_budget_the_answer_is_503_and_a_closed_stream_frees_its_place(world, client):
    world.app.extensions["blitz_streams"] = StreamBudget(per_user=1, in_all=2)

    first = client.get("/api/bot/events")
    second = client.get("/api/bot/events")
    other = world.signed_in(world.stranger).get("/api/bot/events")
    third_party = world.signed_in(world.admin).get("/api/bot/events")
    first.close()
    again = client.get("/api/bot/events")

    assert first.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (second.status_code, second.json["status"]) == (503, "too_many_streams")
    assert other.status_code == 200
    assert third_party.status_code == 503
    assert again.status_code == 200
    other.close()
    again.close()
    assert world.app.extensions["blitz_streams"].open_streams() == 0


@pytest.mark.parametrize("who", ["trader", "stranger"])
def test_a_stream_shows_only_its_own_bot(world, client, who):
    client.post("/api/bot/start")
    resting(client)

    found = read_frames(world, getattr(world, who), until=lambda frame: "event: status" in frame)

    assert json.loads(found[-1].partition("data: ")[2])["running"] is (who == "trader")


def test_the_seconds_of_an_incident_alone_are_no_news():
    def status(seconds, cause="refused"):
        incident = {"since": "2026-01-01T12:00:00", "seconds": seconds, "cause": cause}
        return {"uptime": seconds, "protected": {"yes": False, "incident": incident}}

    assert without_time(status(6)) == without_time(status(7))
    assert without_time(status(6)) != without_time(status(7, cause="cancelled by hand"))
    assert without_time(status(6)) != without_time({"protected": {"yes": False, "incident": None}})
