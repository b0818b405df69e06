"""Tables of what the bot did: pages, CSV, and never somebody else's."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest

from blitz.core.ladder_settings import DEFAULT_SETTINGS
from blitz.core.orders import Side
from blitz.core.records import BotEvent, Cycle, CycleEnd, CycleSaved, EventKind, EventNoted
from blitz.storage.journal import BotJournal
from blitz.storage.preferences import Preferences
from blitz.web import csv_files, history_api
from blitz.web.csv_files import cell
from blitz.web.event_groups import BY_SUBJECT, PROBLEMS
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
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-2+3", "'-2+3"),
        ("-1.5", "-1.5"),
        ("1.5", "1.5"),
        (None, ""),
        (True, "True"),
    ],
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


# Looking for rows, and the figures of a span

MARCH = 1_772_323_200_000
"""2026-03-01T00:00 UTC."""
HOUR = 3_600_000


def cycle(number, profit="1", *, ended_ms=None, end=CycleEnd.TAKE_PROFIT, legs=1, **settings):
    ended_ms = MARCH + number * HOUR if ended_ms is None else ended_ms
    return CycleSaved(
        cycle=Cycle(
            number=number,
            settings=replace(DEFAULT_SETTINGS, **settings),
            started_ms=ended_ms - HOUR // 2,
            ended_ms=ended_ms,
            end=end,
            realised=Decimal(profit),
            legs_filled=legs,
        )
    )


@pytest.fixture
def book(world):
    """Write into the trader's journal."""

    def write(*changes, account="bybit:paper"):
        BotJournal(world.parts.database, world.trader.id, account).save(list(changes), durable=True)

    return write


def csv_rows(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_cycles_are_narrowed_by_every_field(client, book):
    book(cycle(1), cycle(2, "-3", side=Side.SHORT, end=CycleEnd.STOP_LOSS), cycle(3, symbol="ETH/USDT:USDT"))

    def found(query):
        return [row["number"] for row in client.get(f"/api/bot/cycles?{query}").json["rows"]]

    assert found("symbol=ETH/USDT:USDT") == [3]
    assert found("side=short") == found("outcome=lost") == found("outcome=stop_loss") == [2]
    assert found("outcome=won") == [3, 1]
    assert found("outcome=running") == found("from=2026-03-02") == []
    assert found("from=2026-03-01&to=2026-03-01") == [3, 2, 1]


def test_a_day_is_one_of_the_zone_that_is_asked_for_else_of_the_users_else_utc(world, client, book):
    book(cycle(1, ended_ms=MARCH + 14 * HOUR), cycle(2, ended_ms=MARCH + 15 * HOUR))  # midnight in Seoul

    def found(query=""):
        return [row["number"] for row in client.get(f"/api/bot/cycles?to=2026-03-01{query}").json["rows"]]

    assert found() == [2, 1]
    assert found("&time_zone=Asia/Seoul") == [1]
    world.parts.preferences.save(world.trader.id, Preferences(time_zone="Asia/Seoul"))
    assert found() == [1]
    assert found("&time_zone=UTC") == [2, 1]


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("from=yesterday", "from", "write a day as YYYY-MM-DD"),
        ("from=2026-02-30", "from", "write a day as YYYY-MM-DD"),
        ("from=20260101", "from", "write a day as YYYY-MM-DD"),
        ("to=1772323200", "to", "write a day as YYYY-MM-DD"),
        ("from=", "from", "write a day as YYYY-MM-DD"),
        ("from=2026-03-02&to=2026-03-01", "to", "this day is before the first one."),
        ("time_zone=Mars/Olympus", "time_zone", "is not a time zone"),
        ("time_zone=../../etc/passwd", "time_zone", "is not a time zone"),
        ("account=bybit:live", "account", "you have not traded there; choose one of bybit:paper."),
        ("account=", "account", "you have not traded there"),
        ("colour=red", "colour", "Extra inputs are not permitted"),
    ],
)
@pytest.mark.parametrize("route", ["cycles", "fills", "feed", "equity", "statistics"])
def test_what_cannot_be_used_is_refused_with_a_sentence_at_its_field(
    still_world, still_client, route, query, field, sentence
):
    journal = BotJournal(still_world.parts.database, still_world.stranger.id, "bybit:live")
    journal.save([cycle(1)], durable=True)  # somebody else trades there

    answer = still_client.get(f"/api/bot/{route}?{query}")

    assert (answer.status_code, answer.json["status"]) == (400, "invalid_request")
    assert sentence in answer.json["errors"][field][0]


@pytest.mark.parametrize(
    "query", ["from=0001-01-01&to=9999-12-31&time_zone=Asia/Seoul", "to=9999-12-31", "from=9999-12-31"]
)
def test_the_ends_of_the_calendar_are_days_like_others(still_client, query):
    assert still_client.get(f"/api/bot/statistics?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["cycles?side=up", "cycles?outcome=maybe", "fills?kind=gift", "feed?group=gossip", "cycles?newer_than=0"]
)
def test_a_word_that_does_not_exist_is_refused(still_client, query):
    assert still_client.get(f"/api/bot/{query}").status_code == 400


def test_accounts_are_never_mixed_and_all_reachable(client, book):
    book(cycle(1, "5"))
    book(cycle(2, "-3"), account="bybit:live")

    def net(query=""):
        return client.get(f"/api/bot/statistics?{query}").json["figures"]["net"]

    assert (net(), net("account=bybit:paper"), net("account=bybit:live")) == ("5", "5", "-3")
    assert [row["number"] for row in client.get("/api/bot/cycles?account=bybit:live").json["rows"]] == [2]
    assert client.get("/api/bot/cycles/2").status_code == 404
    assert client.get("/api/bot/cycles/2?account=bybit:live").json["profit"] == "-3"


def test_pages_go_both_ways(client, book):
    book(*(cycle(number) for number in range(1, 8)))

    def page(query):
        answer = client.get(f"/api/bot/cycles?limit=3{query}").json
        return [row["id"] for row in answer["rows"]], answer["next_before_id"], answer["newer_than_id"]

    assert page("") == ([7, 6, 5], 5, None)
    assert page("&before_id=5") == ([4, 3, 2], 2, 4)
    assert page("&before_id=2") == ([1], None, 1)
    assert page("&newer_than=1") == ([4, 3, 2], 2, 4)
    assert page("&newer_than=4") == ([7, 6, 5], 5, None)


def test_a_file_holds_everything_that_is_filtered_and_a_page_only_when_one_is_asked_for(client, book):
    book(*(cycle(number, "-1" if number % 2 else "0.123456789123") for number in range(1, 1203)))

    whole = csv_rows(client.get("/api/bot/cycles?format=csv"))
    won = csv_rows(client.get("/api/bot/cycles?format=csv&outcome=won"))
    part = csv_rows(client.get("/api/bot/cycles?format=csv&limit=2"))

    assert [row["number"] for row in whole] == [str(number) for number in range(1202, 0, -1)]
    assert len(won) == 601
    assert {row["profit"] for row in won} == {"0.123456789123"}
    assert [row["number"] for row in part] == ["1202", "1201"]


def test_the_columns_of_files_say_that_their_times_are_utc(traded):
    cycles, fills, feed = (traded.get(f"/api/bot/{name}?format=csv") for name in ("cycles", "fills", "feed"))
    paid = csv_rows(traded.get("/api/bot/fills?format=csv&cycle=1"))

    assert cycles.text.splitlines()[0] == (
        "account,number,symbol,side,mode,started_at_utc,ended_at_utc,end,legs_filled,realised,fees,funding,profit"
    )
    assert fills.text.startswith("account,id,at_utc,cycle,order,kind,symbol,direction,quantity,price,value,fee,maker,")
    assert feed.text.startswith("account,id,at_utc,kind,tone,cycle,message\r\n")
    assert {row["account"] for row in paid} == {"bybit:paper"}
    assert [row["value"] for row in paid] == ["964.8", "960"]  # 0.016 at 60300 and at 60000


def test_a_file_without_rows_still_has_its_columns(still_client):
    assert still_client.get("/api/bot/cycles?format=csv").text.count("\r\n") == 1


def test_a_file_that_would_be_cut_is_refused(client, book, monkeypatch):
    book(*(cycle(number) for number in range(1, 4)))
    monkeypatch.setattr(history_api, "ROWS_MAX", 2)

    answer = client.get("/api/bot/cycles?format=csv")

    assert (answer.status_code, answer.json["status"]) == (400, "too_many_rows")
    assert len(csv_rows(client.get("/api/bot/cycles?format=csv&to=2026-03-01&symbol=none"))) == 0


def test_one_cycle_is_shown_with_the_settings_it_was_begun_with(traded):
    shown = traded.get("/api/bot/cycles/1").json

    assert (shown["number"], shown["end"]) == (1, "take_profit")
    assert shown["settings"] == DEFAULT_SETTINGS.to_json()
    assert traded.get("/api/bot/cycles/9").json["status"] == "no_such_cycle"


def test_a_stranger_does_not_see_a_cycle_of_somebody_else(world, traded):
    assert world.signed_in(world.stranger).get("/api/bot/cycles/1").status_code == 404


def test_statistics_of_what_a_bot_traded(traded):
    closed = traded.get("/api/bot/cycles/1").json

    found = traded.get("/api/bot/statistics").json

    assert (found["account"], found["time_zone"]) == ("bybit:paper", "UTC")
    assert (found["figures"]["cycles"], found["figures"]["won"], found["figures"]["win_rate"]) == (1, 1, "100")
    assert found["figures"]["net"] == found["days"][0]["profit"] == found["curve"][0]["cumulative"] == closed["profit"]
    assert found["figures"]["best"]["number"] == found["figures"]["worst"]["number"] == 1
    assert found["depths"] == [{"legs_filled": 1, "cycles": 1}]
    assert (found["running"]["number"], found["running"]["ended_at"]) == (2, None)


def test_statistics_as_a_file_are_the_days(client, book):
    book(cycle(1, "5"), cycle(30, "-1.5"))

    first, second = csv_rows(client.get("/api/bot/statistics?format=csv&time_zone=Asia/Seoul"))

    assert (first["account"], first["time_zone"], first["day"], first["profit"]) == (
        "bybit:paper", "Asia/Seoul", "2026-03-01", "5",
    )  # fmt: skip
    assert (second["day"], second["profit"], second["cumulative"]) == ("2026-03-02", "-1.5", "3.5")


def test_only_problems_are_found_among_events(client, book):
    kinds = [EventKind.ORDER_PLACED, EventKind.ATTENTION, EventKind.CYCLE_STARTED, EventKind.FAILED]
    book(*(EventNoted(event=BotEvent(kind=kind, at_ms=MARCH + at)) for at, kind in enumerate(kinds)))

    def found(group):
        return [row["kind"] for row in client.get(f"/api/bot/feed?group={group}").json["rows"]]

    assert found("problems") == ["failed", "attention"]
    assert found("orders") == ["order_placed"]


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_is_about_one_subject(kind):
    assert sum(kind in kinds for kinds in BY_SUBJECT.values()) == 1


@pytest.mark.parametrize("kind", sorted(PROBLEMS))
def test_a_problem_looks_like_one(kind):
    assert tone(BotEvent(kind=kind, at_ms=0)) in {"warn", "bad"}


def test_a_file_speaks_the_language_of_its_reader(client, book):
    book(EventNoted(event=BotEvent(kind=EventKind.STARTED, at_ms=MARCH)))
    korean = {"Accept-Language": "ko"}

    (told,) = client.get("/api/bot/feed", headers=korean).json["rows"]
    (written,) = csv_rows(client.get("/api/bot/feed?format=csv", headers=korean))

    assert written["message"] == told["message"] != "Bot started."


def test_a_file_is_read_page_by_page(client, book, monkeypatch):
    book(*(cycle(number) for number in range(1, 26)))
    monkeypatch.setattr(history_api, "LIMIT_MAX", 10)
    sizes = []

    def text(rows):
        sizes.append(len(rows))
        return ""

    monkeypatch.setattr(csv_files, "_text", text)

    client.get("/api/bot/cycles?format=csv").get_data()

    assert sizes == [1, 10, 10, 5]
