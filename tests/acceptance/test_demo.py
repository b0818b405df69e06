"""The demo: one command, real HTTP, and books that agree to the last digit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import command

LADDER = {
    "symbol": "BTC/USDT:USDT",
    "leverage": 10,
    "grids": [{"amount": 100}, {"amount": 100, "gap": 1}, {"amount": 200, "gap": "1%"}, {"amount": 400, "gap": 2}],
    "rounds": 4,
    "take_profit": 5,
    "repeat": True,
}


def played(tmp_path: Path, *words: str, **settings: Any) -> dict[str, Any]:
    """Run a demo with `--json` and answer its object, without the time it took."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(LADDER | settings))
    done = command("demo", "--settings", str(file), "--json", *words, env={})
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told.pop("seconds") > 0
    return told


EXCHANGES = pytest.mark.parametrize("exchange", ["bybit", "bingx"])


@pytest.mark.slow
@EXCHANGES
def test_a_run_on_a_made_up_market_is_exact_and_repeatable(tmp_path: Path, exchange: str) -> None:
    first = played(tmp_path, "--seed", "7", side="long", stop_loss=40, exchange=exchange)
    second = played(tmp_path, "--seed", "7", side="long", stop_loss=40, exchange=exchange)

    assert first == second
    assert first["difference"] == 0
    assert first["cycles"] >= 5
    assert list(first) == [
        "candles",
        "cycles",
        "stopped",
        "ladder_fills",
        "realised",
        "fees",
        "funding",
        "exchange_realised",
        "exchange_fees",
        "exchange_funding",
        "difference",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exchange", "minutes", "side", "stop_loss", "cycles_min", "fills_min", "stopped_min"),
    [
        ("bybit", 45_031, "short", 0, 200, 100, 0),
        ("bybit", 45_031, "long", 40, 250, 100, 3),
        ("bingx", 14_400, "short", 0, 60, 30, 0),
        ("bingx", 14_400, "long", 40, 60, 30, 0),
    ],
)
def test_real_candles_of_a_month_or_of_ten_days(
    tmp_path: Path,
    shared_data: Callable[[str], Path],
    exchange: str,
    minutes: int,
    side: str,
    stop_loss: int,
    cycles_min: int,
    fills_min: int,
    stopped_min: int,
) -> None:
    candles = tmp_path / "candles.csv"
    lines = shared_data("btc-perp-1m-2022-01.csv").read_text().splitlines(keepends=True)
    candles.write_text("".join(lines[: minutes + 1]))
    ladder = {"side": side, "stop_loss": stop_loss, "exchange": exchange}

    told = played(tmp_path, "--candles", str(candles), "--speed", "max", **ladder)

    assert told["difference"] == 0
    assert told["candles"] == minutes
    assert told["cycles"] >= cycles_min
    assert told["ladder_fills"] >= fills_min
    assert told["stopped"] >= stopped_min
    assert told["realised"] == told["exchange_realised"]


def test_a_person_gets_a_readable_run() -> None:
    done = command("demo", "--cycles", "3", env={})

    assert done.returncode == 0, done.stderr
    assert "The ladder it rests" in done.stdout
    assert "take-profit" in done.stdout
    assert "Our books equal the exchange's to the last digit." in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timestamp,open,high,low,close,volume\n2022-01-01 00:00:00,1,2,x,1,1\n", "2"),
        ("", "line 1"),
        ("timestamp,open,high,low,close,volume\n2022-01-01 00:00:00,5,4,3,5,1\n", "2"),
    ],
    ids=["not a number", "empty", "high below open"],
)
def test_a_bad_candle_file_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)

    done = command("demo", "--candles", str(file), env={})

    assert done.returncode != 0
    assert said in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"leverage": 1000}', "leverage"),
        ('{"symbol": "NO/USDT:USDT"}', "NOUSDT"),
        ('{"grids": [{"amount": "0.5"}]}', "smallest amount"),
        ("{", "JSON"),
        ("[]", "object"),
    ],
)
def test_settings_that_cannot_trade_are_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)

    done = command("demo", "--settings", str(file), env={})

    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
