"""Log lines: readable, honest, and without a single secret."""

import base64
import logging
import re
import threading
from urllib.parse import quote

import pytest
import structlog

from blitz.logs import configure_logging, mask_key, redact, register_secret

SECRET = "pK9+zz/Qv71hT3rWm=="
KEY_ID = "AKXQ7PLM2RBV9TND"


@pytest.fixture
def lines(tmp_path, restored_logging):
    """Start logging into a file; call the result to get the lines so far."""
    path = tmp_path / "logs" / "app.log"
    configure_logging("INFO", path)
    return lambda: path.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module", autouse=True)
def _known_secrets():
    register_secret(SECRET)
    register_secret(KEY_ID, is_key_id=True)


def test_a_line_is_a_sentence_with_fields_and_the_time_in_utc(lines):
    structlog.get_logger("blitz.bots").info("Bot started.", user_id=3, symbol="BTC/USDT:USDT")

    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z INFO +Bot started\. +user_id=3 symbol=BTC/USDT:USDT logger=blitz\.bots$",
        lines()[0],
    )


def test_lines_of_libraries_look_the_same(lines):
    logging.getLogger("some.library").warning("It is %s.", "late", extra={"action": "wait"})

    assert re.search(r"WARNING +It is late\. +action=wait logger=some\.library$", lines()[0])


def test_the_thread_of_a_bot_is_named(lines):
    bot = threading.Thread(target=structlog.get_logger().info, args=("Pass done.",), name="bot_user_7")
    bot.start()
    bot.join()

    assert "thread=bot_user_7" in lines()[0]


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        f"prefix{SECRET}suffix",
    ],
)
def test_a_known_secret_is_struck_out_in_every_form_and_place(lines, form):
    log = structlog.get_logger()
    log.info(f"Answer: {form}", note=form, deep={"list": [form]})
    try:
        raise ValueError(f"refused {form}")
    except ValueError:
        log.exception("Failed.")

    assert form not in "\n".join(lines())
    assert len(lines()) > 4


def test_the_id_of_an_api_key_keeps_its_last_four_characters(lines):
    structlog.get_logger().info(f"Using {KEY_ID}.", api_key=KEY_ID)

    assert KEY_ID not in lines()[0]
    assert lines()[0].count("***9TND") == 2


@pytest.mark.parametrize(
    "name", ["api_secret", "password", "telegram_token", "Cookie", "authorization", "signature", "X-BAPI-SIGN"]
)
def test_a_field_with_the_name_of_a_secret_is_struck_out_however_deep(lines, name):
    structlog.get_logger().info("Sent.", **{name: "whatever-1"}, request={"headers": [{name: "whatever-2"}]})

    assert "whatever" not in lines()[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /v5/order?symbol=BTC&signature=0a1b2c&x=1", "GET /v5/order?symbol=BTC&signature=***&x=1"),
        ('{"api_secret": "abcdef", "qty": "1"}', '{"api_secret": "***", "qty": "1"}'),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("postgresql://blitz:hunter22@db/blitz", "postgresql://blitz:***@db/blitz"),
        (
            "https://api.telegram.org/bot123456789:AAEhBOweik6ad9rQXMENQjcrbGCr4Kbk0x1/send",
            "https://api.telegram.org/***/send",
        ),
        ("api_key=ABCDEFGHIJKLMNOP", "api_key=***MNOP"),
        ("The token has expired: sign in again.", "The token has expired: sign in again."),
        ("sm_leg_1_3_BTCUSDT at 59400.00", "sm_leg_1_3_BTCUSDT at 59400.00"),
    ],
)
def test_secrets_are_known_by_their_shape(text, shown):
    assert redact(text) == shown


def test_nobody_can_forge_a_line_or_steer_the_terminal(lines):
    structlog.get_logger().info("Login failed.", email="a\r\n2026-01-01T00:00:00Z INFO forged \x1b[2J\x9b31m\u2028x")

    assert len(lines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028]", lines()[0])
    assert r"a\r\n2026" in lines()[0]


def test_a_traceback_is_indented_so_that_its_text_cannot_pass_for_a_line(lines):
    try:
        raise ValueError("boom\n2026-01-01T00:00:00Z INFO forged")
    except ValueError:
        structlog.get_logger().exception("Failed.")

    assert all(line.startswith("    | ") for line in lines()[1:])


@pytest.mark.parametrize("name", ["httpx", "urllib3", "ccxt.base.exchange", "sqlalchemy.engine", "aiohttp.access"])
def test_libraries_that_log_urls_are_quiet_below_warning(lines, name):
    logging.getLogger(name).info("GET https://host/secret")

    assert lines() == []


def test_the_log_is_readable_by_its_owner_alone(lines, tmp_path):
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "logs" / "app.log").stat().st_mode & 0o777 == 0o600


def test_an_unwritable_log_folder_costs_one_warning_and_nothing_else(tmp_path, capsys, lines):
    (tmp_path / "taken").write_text("a file where the folder should be")

    configure_logging("INFO", tmp_path / "taken" / "app.log")
    structlog.get_logger().info("Trading goes on.")

    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "Trading goes on." in said


def test_a_short_word_is_not_taken_for_a_secret():
    register_secret("BTC")
    register_secret("")
    register_secret(None)

    assert redact("BTC stays") == "BTC stays"


def test_a_short_key_id_is_not_shown_at_all():
    assert mask_key("abc1234") == "***"
