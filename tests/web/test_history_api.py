"""Tables of what the bot did: pages, CSV, and never somebody else's."""

import csv
import io

import pytest

from blitz.core.records import BotEvent, EventKind
from blitz.web.csv_files import cell
from blitz.web.feed import sentence, tone
from tests.web.test_bot_api import resting, wait_for


@pytest.fixture
def traded(world, client):
    """The trader has closed one cycle by take-profit, and the ladder of the next one rests."""
    client.post("/api/bot/start")
    resting(client)
    world.move_price("60301")
    wait_for(lambda: (client.get("/api/bot/status").json["cycle"] or {}).get("number") == 2)
    resting(client)
    return client


def test_a_closed_cycle_shows_what_it_earned(traded):
    first = traded.get("/api/bot/cycles").json["rows"][-1]

    assert (first["number"], first["end"], first["legs_filled"]) == (1, "take_profit", 1)
    assert first["realised"] == "4.8"
    assert traded.get("/api/bot/equity").json["rows"][0]["profit"] == first["profit"]


def test_the_open_cycle_shows_its_figures_so_far(traded):
    status = traded.get("/api/bot/status").json
    running = traded.get("/api/bot/cycles").json["rows"][0]
    text = traded.get("/api/bot/cycles?format=csv").get_data(as_text=True)

    assert (running["number"], running["ended_at"], running["legs_filled"]) == (2, None, 1)
    assert running["fees"] == status["cycle"]["fees"] != "0"
    assert running["profit"] == f"-{running['fees']}"
    assert next(csv.DictReader(io.StringIO(text)))["fees"] == running["fees"]


def test_fills_come_newest_first_and_page_by_page(traded):
    everything = traded.get("/api/bot/fills").json["rows"]

    page = traded.get("/api/bot/fills?limit=1").json
    rest = traded.get(f"/api/bot/fills?before_id={page['next_before_id']}").json

    assert [*page["rows"], *rest["rows"]] == everything
    assert rest["next_before_id"] is None
    assert {row["order"] for row in traded.get("/api/bot/fills?cycle=1").json["rows"]} == {"leg_0", "tp"}


def test_the_feed_speaks_in_sentences_and_goes_on_where_it_was_left(traded):
    newest_first = traded.get("/api/bot/feed").json["rows"]
    oldest = newest_first[-1]["id"]
    onwards = traded.get(f"/api/bot/feed?after_id={oldest}").json["rows"]

    seen = [row["id"] for row in reversed(newest_first)][1:]
    assert [row["id"] for row in onwards][: len(seen)] == seen  # more may have happened in between
    assert any(row["message"].startswith("Cycle 1 closed: take-profit filled") for row in newest_first)


@pytest.mark.parametrize("name", ["orders", "fills", "cycles", "feed", "equity", "candles"])
def test_every_table_comes_as_csv_too(traded, name):
    rows = traded.get(f"/api/bot/{name}").json["rows"]

    answer = traded.get(f"/api/bot/{name}?format=csv")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="blitz-{name}.csv"' in answer.headers["Content-Disposition"]
    if name != "candles":
        assert len(list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))) == len(rows) > 0


@pytest.mark.parametrize("name", ["orders", "fills", "cycles", "feed", "equity"])
def test_a_stranger_sees_nothing_of_it(world, traded, name):
    assert world.signed_in(world.stranger).get(f"/api/bot/{name}").json["rows"] == []


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-2+3", "'-2+3"), ("-1.5", "-1.5"), ("1.5", "1.5"), (None, ""), (True, "True")],
)
def test_a_spreadsheet_runs_no_formula_out_of_a_cell(value, written):
    assert cell(value) == written


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_has_a_sentence_even_without_details(kind):
    said = sentence(kind, 3, {})

    assert said
    assert "{" not in said
    assert tone(BotEvent(kind=kind, at_ms=0)) in {"plain", "fill", "good", "warn", "bad"}


def test_a_cycle_that_lost_is_not_told_as_good_news():
    lost = BotEvent(kind=EventKind.CYCLE_CLOSED, at_ms=0, cycle=2, data={"end": "stop_loss", "profit": "-4.20"})

    assert tone(lost) == "warn"
    assert sentence(lost.kind, lost.cycle, lost.data) == "Cycle 2 closed: stop-loss filled, -4.20 USDT."
