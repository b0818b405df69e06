"""The page bench with a handful of bots: real server, real exchange, real browser, and every line it promises."""

import builtins
import json
from typing import Any

import pytest

from blitz.bench import browser
from blitz.bench.page import PLACES, PageOptions, run_page
from blitz.bench.page_figures import NO_CHART, Load, PageFigures, Panned, Shown, print_page


@pytest.mark.browser
@pytest.mark.slow
def test_every_line_of_the_bench_is_there(capsys):
    if not browser.CHROMIUM.exists():
        pytest.skip("needs Debian's chromium, and it is not installed")

    assert run_page(PageOptions(bots=3, samples=3, as_json=True)) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["bots"], found["shown"]["samples"], found["shown"]["unseen"]) == (3, 3, 0)
    assert 0 < found["shown"]["p50_ms"] <= found["shown"]["p95_ms"] <= found["shown"]["worst_ms"]
    assert [load["page"] for load in found["loads"]] == [place.name for place in PLACES]
    assert all(load["usable_ms"] and load["kib"] > 1 for load in found["loads"])
    assert all(one["candles"] >= 5_000 and one["frames"] > 1 for one in found["panned"])


def test_the_table_holds_each_figure_against_its_bound(capsys):
    found = PageFigures(
        bots=3,
        shown=Shown.of([10.0, 30.0, 20.0, 400.0], 1),
        loads=(Load(page="control", usable_ms=321.4, kib=123.4), Load(page="history", usable_ms=None, kib=1.0)),
        panned=(Panned.of("few in view", 5_300, [16.0, 60.0, 16.0, 16.0]),),
        machine="2 cores",
    )

    print_page(found)

    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    told = {row[0]: row[1:] for row in rows if row}
    assert told["fill to figure, p50"] == ["30 ms", "300 ms"]
    assert told["fill to figure, worst"] == ["400 ms", "300 ms"]
    assert told["fills seen, never seen"] == ["4, 1", ""]
    assert told["control: usable, loaded"] == ["321 ms, 123 KiB", "1000 ms, 500 KiB"]
    assert told["history: usable, loaded"][0] == "never, 1 KiB"
    assert told["panned, 5,300 candles, few in view"] == ["25.0% of 4, 60 ms", "over 50 ms, longest"]


def test_a_page_without_a_chart_is_said_to_have_none(capsys):
    print_page(PageFigures(bots=1, shown=Shown.of([], 0), loads=(), panned=(), machine="2 cores"))

    assert NO_CHART in capsys.readouterr().out


def test_without_playwright_it_says_what_is_missing(capsys, monkeypatch: pytest.MonkeyPatch):
    there = builtins.__import__

    def missing(name: str, *words: Any) -> Any:
        if name.startswith("playwright"):
            raise ImportError(name)
        return there(name, *words)

    monkeypatch.setattr(builtins, "__import__", missing)

    assert run_page(PageOptions(bots=1)) == 1
    assert "requirements-dev.txt" in capsys.readouterr().err


def test_without_chromium_it_says_what_is_missing(capsys, monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "nowhere"))

    assert run_page(PageOptions(bots=1)) == 1
    assert "needs chromium at" in capsys.readouterr().err
