import gc
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from blitz.paper import server
from blitz.paper.server import AccountSpec, FeedSpec, PaperConfig, PaperServer, PaperStartError, run_paper

ROOT = Path(__file__).resolve().parents[3]


def names():
    return [thread.name for thread in threading.enumerate()]


def test_it_runs_in_a_thread_of_its_own_and_ends_cleanly():
    paper = PaperServer(PaperConfig(feed="manual"))
    paper.start()
    assert "paper_exchange" in names()
    assert requests.get(f"{paper.url}/v5/market/time", timeout=5).json()["retCode"] == 0
    paper.stop()
    assert "paper_exchange" not in names()
    paper.stop()


def test_a_port_in_use_is_one_sentence(start):
    port = int(start().url.rsplit(":", 1)[1])
    with pytest.raises(PaperStartError, match=f"Port {port} is in use"):
        start(port=port)


def test_a_bad_candle_row_is_named_when_starting(start, tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("timestamp,open,high,low,close,volume\n2022-01-01,1,2,x,1,1\n")
    with pytest.raises(PaperStartError, match="line 2: low is not a number"):
        start(feed=f"candles:{path}")


@pytest.mark.parametrize(
    "config",
    [
        {"feed": "tarot"},
        {"feed": "candles"},
        {"feed": "live:nowhere"},
        {"feed": "synthetic:x"},
        {"speed": "fast"},
        {"speed": "-1"},
        {"symbol": "NOPEUSDT"},
        {"id_regime": "maybe"},
        {"port": 99_999},
        {"feed": "candles:/nowhere.csv"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused_before_anything_runs(start, config):
    with pytest.raises(PaperStartError):
        start(**config)
    assert "paper_exchange" not in names()


@pytest.mark.parametrize(
    "text", ["key", "key:secret", ":secret:1", "key:secret:much", "key:secret:-1", "key:secret:NaN"]
)
def test_an_account_that_is_not_written_as_agreed_is_refused_without_its_secret(text):
    with pytest.raises(PaperStartError) as refused:
        AccountSpec.parse(text)
    assert ":secret" not in str(refused.value).replace("KEY:SECRET", "").replace("demo:secret", "")


def test_an_account_and_a_feed_are_read():
    assert AccountSpec.parse("k:s:10.5") == AccountSpec(key="k", secret="s", balance=Decimal("10.5"))
    assert FeedSpec.parse("live:bybit@http://127.0.0.1:1") == FeedSpec(kind="live", argument="bybit@http://127.0.0.1:1")


def test_running_alone_reports_a_start_error_as_exit_code_1(capsys):
    assert run_paper(PaperConfig(feed="candles:/nowhere.csv")) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("feed", "speed", "waits"),
    [("candles", "max", True), ("synthetic", "max", True), ("candles", "60", False), ("manual", "max", False)],
)
def test_running_alone_says_when_time_waits_for_somebody_to_move_it(tmp_path, feed, speed, waits):
    path = tmp_path / "bars.csv"
    path.write_text("timestamp,open,high,low,close,volume\n2022-01-01,1000,1010,990,1000,1\n")
    named = f"candles:{path}" if feed == "candles" else feed
    command = [sys.executable, "run.py", "paper", "--port", "0", "--feed", named, "--speed", speed]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert first.startswith("Paper exchange at http://")
    assert rest == ("At speed max time moves only by POST /__paper/advance.\n" if waits else "")


def test_running_alone_keeps_searches_for_garbage_short(monkeypatch):
    # With the orders of a thousand accounts, a search through all of them stopped the exchange for a quarter second.
    monkeypatch.setattr(server, "TIDY_SECONDS", 0.05)
    thresholds = gc.get_threshold()
    gc.unfreeze()

    def end_when_tidied():
        deadline = time.monotonic() + 10
        while not gc.get_freeze_count() and time.monotonic() < deadline:
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    watcher = threading.Thread(target=end_when_tidied)
    try:
        watcher.start()
        assert run_paper(PaperConfig(feed="manual")) == 0
        assert gc.get_freeze_count() > 0
    finally:
        watcher.join()
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def test_a_body_above_the_limit_is_refused(paper):
    answer = requests.post(f"{paper.url}/__paper/price", data=b" " * 2_000_000, timeout=5)
    assert answer.status_code == 413
