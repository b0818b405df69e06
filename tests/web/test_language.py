"""English and Korean: every text has both, and every way out of the server speaks the language of whoever asks."""

import itertools
import json
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest

from blitz.core.records import EventKind
from blitz.storage.preferences import Preferences
from blitz.web.auth import form_page
from blitz.web.feed import sentence
from blitz.web.language import phrasebook, said, said_status
from blitz.web.phrasebook import TEXT_MAX, Phrasebook
from tests.web.test_stream import read_frames
from tools import words
from tools.sentences import is_sentence, sentences_of, server_sentences

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"}
PAGE = {**KOREAN, "Accept": "text/html"}
PLACE = re.compile(r"\{[a-z]\w*\}")
STAY = {
    "ADL", "AbC", "API", "Asia", "BTC", "BingX", "Blitz", "BLITZ_ALLOWED_HOSTS", "JSON", "KiB", "LIVE", "ROE", "Seoul",
    "USDT", "UTC", "UTF", "closedSize", "clientOrderId", "execType", "ID", "key", "listen", "orderStatus",
    "positionIdx", "positionSide", "role", "side", "status", "amount", "gap", "true", "false",
}  # fmt: skip
"""Names, signs and code words that Korean writes as they are."""


def english_in(text):
    """The words of a text that should have been put in Korean."""
    return [word for word in re.findall(r"[A-Za-z_]{2,}", text) if word not in STAY]


# The catalogue


def test_every_text_has_its_korean_and_the_files_made_from_the_catalogue_are_up_to_date():
    assert words.problems() == []


def test_the_check_says_what_is_missing(monkeypatch):
    new = words.texts() | {"A text of {name} that nobody put in Korean.": {"blitz/core/new.py"}}
    monkeypatch.setattr(words, "texts", lambda: new)

    assert words.problems() == ["new, no Korean yet: 'A text of {name} that nobody put in Korean.' (blitz/core/new.py)"]


def test_the_check_finds_a_korean_text_that_lost_a_value():
    catalogue = words.stored()
    catalogue["Cycle {cycle} began."].string = "사이클 시작."

    assert words.differing_places(catalogue) == ["other places in the Korean of 'Cycle {cycle} began.': '사이클 시작.'"]


def test_sentences_are_found_wherever_they_stand():
    found = server_sentences(words.ROOT)

    assert "blitz/web/feed.py" in found["{order} filled: {quantity} at {price}."]
    assert "blitz/core/finish.py" in found["The cycle is finished and the bot has stopped, as set."]
    assert "blitz/exchange/bybit/rows.py" in found["The exchange sent no price for this market."]
    assert "blitz/storage/password_rules.py" in found["Use at least {length_min} characters."]


def test_an_f_string_is_a_template_and_what_nobody_reads_is_left_out():
    source = '''
def go(order, log):
    """A docstring is not for traders."""
    assert order, "an assertion is not for traders"
    log.info("A line of the log is not.", text="nor is what it holds")
    raise Refused(f"No room for {plain(order.price)} and {plain(order.last.price)} "
                  "at this price.")
'''
    assert sentences_of(source) == ["No room for {price} and {price_2} at this price."]
    assert not is_sentence("BEGIN IMMEDIATE")
    assert not is_sentence("order/create")


# From English to Korean


TEMPLATES = sorted(text for text in server_sentences(words.ROOT) if PLACE.search(text))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_sentence_made_from_a_template_is_put_in_korean_with_the_same_values(template):
    values = iter(f"{number}1.5" for number in range(1, 10))
    put_in = []

    def fill(_):
        put_in.append(next(values))
        return put_in[-1]

    korean = said(PLACE.sub(fill, template), "ko")

    assert all(value in korean for value in put_in)
    assert english_in(korean) == []


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("Bot started successfully", "봇을 시작했습니다"),
        ("Recovery process completed.", "주문 복구를 마쳤습니다."),
        ("Leg 2 filled: 0.016 at 59400.", "레그 2 체결: 59400에 0.016."),
        (
            "The exchange refuses the take-profit (10006: too many visits). It is tried again.",
            "거래소가 익절 주문을 거부합니다(10006: too many visits). 다시 시도합니다.",
        ),
        (
            "Needs attention: Waiting for the exchange: The exchange does not answer (RequestTimeout).",
            "확인 필요: 거래소를 기다리는 중: 거래소가 응답하지 않습니다(RequestTimeout).",
        ),
        (
            "Bot stopped successfully. The position is open; left resting: the take-profit and 3 ladder legs.",
            "봇을 중지했습니다. 포지션이 열려 있습니다. 남겨 둔 주문: 익절, 래더 레그 3개.",
        ),
        ("There is no position. Signed in.\nSigned out.", "포지션이 없습니다. 로그인했습니다.\n로그아웃했습니다."),
        ("leverage: 200 is not a number.", "leverage: 숫자가 아닙니다: 200."),
        ("Leg 3: amount must be above 0.", "레그 3: 금액 0보다 커야 합니다."),
        ("'Input' is what nobody knows.", "'Input' is what nobody knows."),
        ("", ""),
        ("60000.5", "60000.5"),
    ],
)
def test_values_that_are_sentences_or_words_are_put_in_korean_too(english, korean):
    assert said(english, "ko") == korean


def test_a_text_that_nobody_knows_stays_as_it_is():
    for text in (
        "Order price is out of range (170193)",
        "sm_leg_2_7_BTCUSDTUSDT",
        "<b>1 & 2</b>",
        "{order} {",
        "한국어",
    ):
        assert said(text, "ko") == text
    assert said("Bot started successfully", "en") == "Bot started successfully"


HOSTILE = [
    "Needs attention: " * 230,
    "Leg 1: amount " * 280,
    ". " * 1900,
    "a. b! " * 650,
    "{order} filled: {quantity} at {price}. " * 100,
    "(.*)+?$^[\\" * 360,
    ", and or " * 440,
    "x " * 1990 + "at 5.",
    "\n" * 3990,
    "filled: at . " * 300,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_harmless_and_soon_done(text):
    book = Phrasebook(phrasebook("ko")._exact)
    begun = time.perf_counter()

    assert isinstance(book.say(text), str)
    assert time.perf_counter() - begun < 1


def test_a_text_of_absurd_length_is_left_alone():
    text = "Needs attention: " + "x" * TEXT_MAX
    assert said(text, "ko") == text


def test_places_beside_each_other_count_as_one():
    book = Phrasebook({"{alarm} since {clock}: {cause} {remedy}": "{clock}부터 {alarm}: {cause} {remedy}"})

    assert book.say("BAD since 12:00: Look here. Go there.") == "12:00부터 BAD: Look here. Go there."


# The ways out


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_is_told_in_korean(kind):
    data = {
        "order": "leg_2", "quantity": "0.5", "price": "60000.50", "end": "take_profit", "profit": "1.25", "fee": "-0.5",
        "actions": "checked_positions, created_leg_2", "reason": "There is no position.", "message": "Bot is running",
        "direction": "buy", "changes": "price step 0.1 → 0.5", "state": "unprotected", "since": "2026-01-01T12:00:00",
        "cause": "There is no position.", "code": "stopped", "seconds": "7", "how": "protected", "who": "1", "key": "2",
        "exchange": "3", "warned": "This key may only read. Make one at the exchange that may trade contracts.",
        "before": "4", "now": "5",
    }  # fmt: skip

    told = sentence(kind, 3, data, "ko")

    assert english_in(told) == []
    assert re.search("[가-힣]", told)


def test_an_order_without_a_price_goes_in_at_market_in_korean_too():
    assert sentence(EventKind.ORDER_PLACED, 1, {"order": "leg_0", "quantity": "2"}, "ko") == "레그 0 접수: 시장가에 2."


def test_the_browser_says_which_language_and_a_choice_says_it_louder(world):
    client = world.signed_in(world.trader)
    status = {"en": "Bot is not running", "ko": "봇이 실행 중이 아닙니다"}

    assert client.get("/api/bot/status").json["message"] == status["en"]
    assert client.get("/api/bot/status", headers=KOREAN).json["message"] == status["ko"]
    assert client.get("/api/bot/status", headers={"Accept-Language": "fr, ko;q=0.3"}).json["message"] == status["ko"]
    assert client.get("/api/bot/status", headers={"Accept-Language": "fr"}).json["message"] == status["en"]
    world.parts.preferences.save(world.trader.id, Preferences(language="ko"))
    assert client.get("/api/bot/status", headers={"Accept-Language": "en"}).json["message"] == status["ko"]


def test_a_refusal_speaks_the_askers_language_and_keeps_its_code_word(still_client):
    answer = still_client.put("/api/bot/settings", json={"leverage": "x", "symbol": ""}, headers=KOREAN)

    assert answer.json == {
        "success": False,
        "status": "invalid_settings",
        "message": "이 설정으로는 거래할 수 없습니다. 항목을 확인하세요.",
        "errors": {"leverage": ["숫자가 아닙니다: x."], "symbol": ["값이 없습니다. BTC/USDT:USDT처럼 쓰세요."]},
    }
    assert english_in(still_client.post("/api/bot/stop", headers=KOREAN).json["message"]) == []
    assert english_in(still_client.post("/api/bot/stop", json={"legs": 1}, headers=KOREAN).json["message"]) == []


def test_an_administrator_reads_other_peoples_texts_in_the_administrators_language(world):
    world.parts.preferences.save(world.trader.id, Preferences(language="ko"))
    admin = world.signed_in(world.admin)

    assert admin.post(f"/admin/users/{world.trader.id}/stop").json["message"] == "Bot is not running"
    assert admin.post(f"/admin/users/{world.trader.id}/stop", headers=KOREAN).json["message"] == said(
        "Bot is not running", "ko"
    )


def test_a_bot_that_trades_tells_its_whole_status_and_feed_in_korean(world):
    client = world.signed_in(world.trader)
    assert client.post("/api/bot/start", headers=KOREAN).json["message"] == "봇을 시작했습니다"

    status = client.get("/api/bot/status", headers=KOREAN).json
    feed = client.get("/api/bot/feed", headers=KOREAN).json["rows"]

    assert status["status"] in ("starting", "running")
    assert english_in(status["message"] + status["protected"]["why"]) == []
    assert [row["message"] for row in feed if english_in(row["message"])] == []
    assert english_in(client.get("/api/bot/settings", headers=KOREAN).json["strip"]["words"]) == []


def test_a_status_is_put_in_korean_on_its_way_out_and_left_alone_itself():
    status: dict[str, Any] = {
        "message": "Bot is running",
        "attention": {"code": "x", "message": "There is no position."},
        "protected": {"why": "There is no position.", "incident": {"cause": "There is no position.", "seconds": 7}},
        "unfinished": None,
        "stream": {"ready": False, "why": "The stream is being opened."},
    }
    told = said_status(status, "ko")

    assert told["attention"] == {"code": "x", "message": "포지션이 없습니다."}
    assert told["protected"] == {"why": "포지션이 없습니다.", "incident": {"cause": "포지션이 없습니다.", "seconds": 7}}
    assert told["stream"]["why"] == "스트림을 여는 중입니다."
    assert status["protected"]["incident"]["cause"] == "There is no position."


def test_a_stream_tells_in_the_language_it_was_opened_with(world, client):
    client.post("/api/bot/start")
    korean = read_frames(world, world.trader, until=lambda frame: "event: status" in frame, code="ko")
    english = read_frames(world, world.trader, until=lambda frame: "event: status" in frame)

    assert told_in(korean[-1]).startswith("봇")
    assert told_in(english[-1]).startswith("Bot")
    stream = client.get("/api/bot/events?after_id=0", headers=KOREAN)
    frames = [frame.decode() for frame in itertools.islice(stream.response, 3)]
    stream.close()
    assert [told_in(frame)[:1] for frame in frames[1:]] == ["봇", "봇"]


def told_in(frame):
    """The sentence of a frame."""
    return json.loads(frame.partition("data: ")[2])["message"]


class Visible(HTMLParser):
    """What a reader of a page sees or hears."""

    def __init__(self):
        super().__init__()
        self.texts, self.hidden, self.language = [], 0, ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.hidden += tag in ("script", "style")
        self.language = given.get("lang", self.language)
        self.texts += [given[name] for name in ("title", "aria-label", "placeholder", "alt") if given.get(name)]

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.texts.append(data)


def visible(html):
    found = Visible()
    found.feed(html)
    return found


def test_pages_of_strangers_are_korean_from_top_to_bottom(make_world):
    world = make_world(registration="open")
    visitor = world.visitor()
    pages = {
        "/login": visitor.get("/login", headers=PAGE),
        "/register": visitor.get("/register", headers=PAGE),
        "/setup": visitor.get("/setup?token=none", headers=PAGE),
        "/nowhere": visitor.get("/nowhere", headers=PAGE),
        "wrong": visitor.post("/login", data={"email": "a@example.org", "password": "x"}, headers=PAGE),
        "refused": visitor.post("/register", data={"email": "a", "password": "short"}, headers=PAGE),
    }

    with world.app.test_request_context("/setup", headers=PAGE):
        pages["the first administrator"] = form_page("setup.html", token="a token")

    for name, answer in pages.items():
        seen = visible(answer.get_data(as_text=True))
        assert seen.language == "ko", name
        assert [text for text in seen.texts if english_in(text)] == [], name


def test_pages_without_a_wish_are_english(still_world):
    seen = visible(still_world.visitor().get("/login", headers={"Accept": "text/html"}).text)

    assert seen.language == "en"
    assert "Sign in" in seen.texts


@pytest.mark.parametrize("path", ["/logout", "/settings/live"])
def test_pages_of_a_trader_are_korean(still_client, path):
    seen = visible(still_client.get(path, headers=PAGE).text)

    # Settings, where a market is not chosen yet, speak the names of things as the API does.
    names = {"trader@example.org", "trader", "example", "org", "PAPER"}
    assert [text for text in seen.texts if set(english_in(text)) - names] == []


# Answers to what a page asks for


THREE_COMMAS = {
    "base_order_volume": "20", "safety_order_volume": "40", "take_profit": "1.5", "max_safety_orders": "5",
    "safety_order_step_percentage": "1.4", "stop_loss_percentage": "10", "trailing_enabled": True, "cooldown": "60",
    "strategy_list": [{"strategy": "rsi"}], "min_volume_btc_24h": "5", "api_key": "k", "foo": "bar",
}  # fmt: skip
CODES = {
    "admin", "bar", "bingx", "bybit", "control", "demo", "example", "foo", "guest", "light", "dark", "en", "ko",
    "org", "paper", "read", "reconcile", "start", "stop", "stranger", "trade", "trader", "funding", "liquidation",
    "adl", "Bybit", "BingX", "Commas", "DD", "MM", "YYYY", "base_order_volume", "take_profit",
}  # fmt: skip
"""Values and code words that an answer names."""


def sentences_in(answer, key=""):
    """Every text of an answer that has more than one word."""
    if isinstance(answer, dict):
        return [text for name, value in answer.items() for text in sentences_in(value, name)]
    if isinstance(answer, list):
        return [text for value in answer for text in sentences_in(value, key)]
    return [answer] if isinstance(answer, str) and " " in answer else []


ASKED = [
    ("trader", "POST", "/api/bot/ladder/import", {"text": json.dumps(THREE_COMMAS)}),
    ("trader", "POST", "/api/bot/ladder/import", {"text": "take_profit: x"}),
    ("trader", "POST", "/api/bot/ladder/import", {"text": "{"}),
    ("trader", "POST", "/api/bot/ladder/generate", {"safety_orders": "a"}),
    ("trader", "POST", "/api/bot/ladder/presets", {"symbol": "BTC/USDT:USDT"}),
    ("trader", "POST", "/api/bot/preview", {"leverage": "100", "take_profit": "0.1", "stop_loss": "90"}),
    ("trader", "PUT", "/api/bot/settings", {}),
    ("trader", "POST", "/api/account/keys/test", {}),
    ("trader", "POST", "/api/account/password", {}),
    ("trader", "POST", "/api/account/tokens", {"name": "", "scope": "x"}),
    ("trader", "POST", "/api/account/tokens", {"name": "t", "scope": "read"}),
    ("trader", "DELETE", "/api/account/sessions", None),
    ("trader", "PUT", "/api/account/preferences", {"language": "xx", "theme": "q", "time_zone": "Mars"}),
    ("trader", "GET", "/api/bot/cycles?from=x", None),
    ("trader", "GET", "/api/bot/cycles?from=2026-02-02&to=2026-01-01", None),
    ("trader", "GET", "/api/bot/fills?kind=zz", None),
    ("trader", "GET", "/api/bot/cycles/99", None),
    ("trader", "GET", "/api/bot/live", None),
    ("trader", "GET", "/admin/users", None),
    ("admin", "POST", "/admin/users", {"email": "x", "password": "y", "role": "trader"}),
    ("admin", "POST", "/admin/users/invitations", {"email": "trader@example.org", "role": "trader"}),
    ("admin", "POST", "/admin/users/invitations", {"email": "guest@example.org", "role": "admin"}),
    ("admin", "POST", "/admin/users/2/access", {"active": False, "stop": True}),
    ("admin", "POST", "/admin/users/2/link", {}),
    ("admin", "POST", "/admin/users/2/access", {"active": True}),
    ("admin", "POST", "/admin/users/3/access", {"active": False}),
    ("admin", "POST", "/admin/users/commands", {"command": "start", "user_ids": [1, 99]}),
    ("admin", "POST", "/admin/users/commands", {"command": "stop", "user_ids": [1, 2]}),
    ("admin", "POST", "/admin/users/commands", {"command": "x", "user_ids": []}),
    ("admin", "GET", "/admin/users/1", None),
    ("admin", "GET", "/admin/server", None),
    ("admin", "GET", "/admin/server/acts", None),
]


def test_whatever_a_page_asks_for_is_answered_in_korean(world):
    clients = {"trader": world.signed_in(world.trader), "admin": world.signed_in(world.admin)}
    for who, method, path, body in ASKED:
        words = {} if body is None else {"json": body}
        answer = clients[who].open(path, method=method, headers=KOREAN, **words).json
        left = [text for text in sentences_in(answer) if set(english_in(text)) - CODES]
        assert left == [], (method, path)
        assert answer.get("message") != "Saved.", path


def test_a_token_is_refused_in_korean(world, client):
    made = client.post("/api/account/tokens", json={"name": "t", "scope": "read"}).json
    program = world.visitor()
    for token, path in (
        (made["token"], "/api/bot/start"),
        (made["token"], "/api/account/tokens"),
        ("x", "/api/bot/stop"),
    ):
        told = program.post(path, headers={**KOREAN, "Authorization": f"Bearer {token}"}).json
        assert told["success"] is False
        assert english_in(told["message"]) == []


def test_our_own_word_on_a_field_comes_without_the_librarys(still_client):
    told = still_client.get("/api/bot/cycles?from=x").json

    assert told["errors"] == {"from": ["write a day as YYYY-MM-DD, such as 2026-01-31."]}


@pytest.mark.parametrize("header", [",".join(["zz"] * 10_000), "zh-" * 10_000, "ko;q=" + "9" * 30_000, "," * 30_000])
def test_a_browser_that_asks_for_thousands_of_languages_costs_nothing(still_world, still_client, header):
    began = time.thread_time()

    answer = still_client.get("/", headers={"Accept": "text/html", "Accept-Language": header})

    assert answer.status_code == 200
    assert time.thread_time() - began < 0.1
