"""The documents are true: their commands parse, links lead somewhere, tests they name exist, numbers are the code's."""

import ast
import re
import shlex
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from blitz.bots.protection import CauseCode
from blitz.bots.status import BotStatus
from blitz.cli import commands
from blitz.core.guards import Guard
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName, LadderSettings, parse_settings, plain
from blitz.core.memory import BOOKS_DIFFER
from blitz.core.preview import LegPreview, preview_ladder
from blitz.core.refusals import ATTENTION
from blitz.errors import SettingsProblem
from blitz.paper.wire.faults import FaultKind
from blitz.settings import Settings
from blitz.simulation.faults import ROWS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
RUN = re.compile(r"(?:^|\s)(?:/usr/bin/)?python3? run\.py\b([^`\n|;&]*)")
CONSOLE = {"bash", "ini", ""}
PASSWORD = "plum tractor velvet 93"
PENDING = "**no test yet**"


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, languages: set[str]) -> Iterator[str]:
    for language, body in FENCE.findall(text_of(page)):
        if language in languages:
            yield body


def command_texts() -> Iterator[tuple[str, str]]:
    """Every text that may hold a command: lines of console blocks, and words in backticks elsewhere."""
    for page in PAGES:
        for body in blocks(page, CONSOLE):
            yield from ((shown(page), line) for line in body.splitlines())
        prose = FENCE.sub("", text_of(page))
        yield from ((shown(page), code) for code in re.findall(r"`([^`\n]+)`", prose))


def documented_runs() -> list[tuple[str, str]]:
    found = {(page, match[1].strip()) for page, text in command_texts() for match in RUN.finditer(text)}
    return sorted(found)


def documented_curls() -> list[tuple[str, str]]:
    texts = ((page, text.strip()) for page, text in command_texts())
    return sorted({(page, text) for page, text in texts if text.startswith("curl ") and "…" not in text})


# Commands


def parsed(words: list[str]) -> click.Context:
    """Read a command line as `run.py` would, down to the last option, and run nothing."""
    context = commands.make_context("run.py", list(words))
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, command, left = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, left, parent=context)
    return context


@pytest.mark.parametrize(("page", "line"), documented_runs())
def test_every_run_py_command_is_understood(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(line, comments=True)
    monkeypatch.chdir(tmp_path)
    for word in words:
        if word.endswith((".csv", ".json")):
            (tmp_path / word).touch()

    context = parsed(words)

    assert (context.command is commands) == (not words)


def test_a_misspelt_command_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parsed(["user", "ad", "you@example.com"])
    with pytest.raises(click.UsageError):
        parsed(["demo", "--candels", "candles.csv"])


def test_every_python_module_command_names_a_file_that_is_there() -> None:
    modules = re.compile(r"python3? -m unittest ([\w.]+)")
    files = re.compile(r"python3? (tests/[\w/]+\.py)")
    named = {f"{name.replace('.', '/')}.py" for _, text in command_texts() for name in modules.findall(text)}
    named |= {name for _, text in command_texts() for name in files.findall(text)}

    assert named, "the documents name at least one test file to run"
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


@pytest.fixture
def run(home: Path, restored_logging: None) -> CliRunner:
    return CliRunner()


def done(run: CliRunner, line: str, given: str | None = None) -> Result:
    result = run.invoke(commands, shlex.split(line), input=given, prog_name="run.py")
    assert not isinstance(result.exception, Exception), result.exception
    return result


def test_the_cheap_commands_do_what_the_readme_says(run: CliRunner) -> None:
    assert "0.1.0" in done(run, "--version").output
    helped = done(run, "--help").output
    added = done(run, "user add you@example.com --password-stdin", f"{PASSWORD}\n").output
    promoted = done(run, "user make-admin you@example.com").output
    changed = done(run, "user set-password you@example.com --password-stdin", f"{PASSWORD} more\n").output
    listed = done(run, "user list").output
    checked = done(run, "doctor")

    table = re.findall(r"^\| `python3 run\.py (\w+)", text_of(ROOT / "README.md"), re.MULTILINE)
    assert {name for name in table if name not in helped} == set()
    assert set(commands.commands) - {"serve"} == set(table)
    assert "Added trader you@example.com" in added
    assert "is an admin now" in promoted
    assert "signed out everywhere" in changed
    assert "you@example.com" in listed
    assert checked.output.splitlines()[-1] == "Everything is in order."


# Links and pictures


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_and_picture_is_there(page: Path) -> None:
    missing = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            missing.append(target)

    assert missing == []


# Routes


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Map]:
    from blitz.app import create_app
    from blitz.server import build_services

    home = tmp_path_factory.mktemp("documents")
    services = build_services(Settings(home=home, BLITZ_DB_PATH=home / "users.db"))
    yield create_app(services).url_map
    services.database.close()


def answers(routes: Map, method: str, path: str) -> bool:
    try:
        routes.bind("localhost").match(path, method=method)
    except HTTPException:
        return False
    return True


@pytest.mark.parametrize(("page", "line"), documented_curls())
def test_every_curl_line_asks_a_route_that_is_there(page: str, line: str, routes: Map) -> None:
    words = shlex.split(line)
    url = next(word for word in words if word.startswith("http://"))
    path = re.sub(r"https?://[^/]+|\?.*", "", url)
    has_body = any(word in {"-d", "--data", "--data-urlencode"} for word in words)
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if has_body else "GET"

    known = path.startswith("/__paper/") and f"`{method} {path}`" in text_of(ROOT / "docs/paper-exchange.md")
    assert known or answers(routes, method, path)


def test_the_table_of_routes_is_complete(routes: Map) -> None:
    table = set(re.findall(r"`(GET|POST|PUT|DELETE) (/[^\s`]*)`", text_of(ROOT / "docs/api.md")))
    real = {
        (method, re.sub(r"<int:\w+>", "<id>", rule.rule))
        for rule in routes.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert table == real


# Settings, words, faults


def test_the_configuration_table_is_complete() -> None:
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", text_of(ROOT / "README.md"), re.MULTILINE))
    real = {str(field.validation_alias) for field in Settings.model_fields.values() if field.validation_alias}

    assert table == real


def test_the_ladders_settings_are_all_explained() -> None:
    section = text_of(ROOT / "docs/ladder.md").partition("## Settings")[2].partition("## Formulas")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(DEFAULT_SETTINGS.to_json())


def test_every_fault_of_the_paper_exchange_is_listed() -> None:
    named = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs/paper-exchange.md")))

    assert {kind.value for kind in FaultKind} <= named


def test_every_status_of_a_bot_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", text_of(ROOT / "docs/api.md")))

    assert {status.value for status in BotStatus} <= explained


def test_every_reason_for_attention_has_its_remedy() -> None:
    section = text_of(ROOT / "docs/troubleshooting.md").partition("needs attention")[2].partition("\n## ")[0]
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "blitz").rglob("*.py"))
    reasons = {word for word, _ in ATTENTION.values()} | {BOOKS_DIFFER}
    reasons |= set(re.findall(r'Attention\(\s*code="(\w+)"', code))
    reasons |= set(re.findall(r'= "(\w+)"\n"""Attention code', code))

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == reasons


def test_every_cause_of_an_unprotected_position_has_its_remedy() -> None:
    section = text_of(ROOT / "docs/troubleshooting.md").partition("## UNPROTECTED")[2].partition("\n## ")[0]
    named = [re.findall(r"`(\w+)`", cell) for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)]

    assert sorted(word for words in named for word in words if word != "cause") == sorted(CauseCode)


def test_every_message_of_the_troubleshooting_is_one_of_the_codes() -> None:
    table = text_of(ROOT / "docs/troubleshooting.md").partition("## The server")[2].partition("## The bot does not")[0]
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "blitz").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a sentence over several lines is one sentence
    said = [
        quote for line in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for quote in re.findall(r"`(.+?)`", line)
    ]

    whole = [max(re.split(r"…|\d[\d.]*", quote), key=len).strip(" ;") for quote in said]

    assert len(whole) > 8
    assert [piece for piece in whole if piece not in code] == []


def test_the_readme_names_every_exchange_that_can_be_chosen_and_no_other_as_such() -> None:
    section = text_of(ROOT / "README.md").partition("## Paper, demo, live")[2].partition("\n## ")[0]

    assert set(re.findall(r"\*\*\w+\*\* \(`(\w+)`\)", section)) == {name.value for name in ExchangeName}


def test_a_leg_that_is_too_small_is_refused_with_the_sentence_that_the_ladder_quotes() -> None:
    with pytest.raises(SettingsProblem) as refused:
        preview_ladder(parse_settings({"grids": [{"amount": "0.5"}]}), instrument("0.1", "0.001"), Decimal(60_000))

    assert f"> {refused.value.errors['grids'][0]}\n" in text_of(ROOT / "docs/ladder.md")


def glossary() -> list[str]:
    rows = re.findall(r"^\| ([^|]+?) \| [^-]", text_of(ROOT / "docs/glossary.md"), re.MULTILINE)
    return [word.strip() for row in rows if row != "word" for word in row.split(",")]


def test_a_word_is_defined_once() -> None:
    words = glossary()

    assert len(words) > 40
    assert sorted(words) == sorted(set(words))


def test_every_word_of_the_glossary_is_in_use() -> None:
    elsewhere = [text_of(page) for page in PAGES if page.name != "glossary.md"]
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "blitz").rglob("*.py")]
    everything = "\n".join([*elsewhere, *code]).casefold()

    unused = [word for word in glossary() if not re.search(rf"\b{re.escape(word.casefold())}", everything)]

    assert unused == []


# Files and functions that the architecture names


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "docs/coverage.md"])
def test_files_and_functions_that_a_page_names_exist(name: str) -> None:
    page = re.sub(r"`[\w/]+\.py::\w+`", "", text_of(ROOT / name))
    named = re.findall(r"`([\w/]+\.py): ([\w., ]+)`", page)
    files = set(re.findall(r"`([\w/]+/\w+\.py)", page)) | {file for file, _ in named}

    assert sorted(file for file in files if source(file) is None) == []
    assert [(file, part) for file, parts in named for part in parts.split(", ") if not defines(file, part)] == []


def source(file: str) -> Path | None:
    """A file by its path, or by the end of its path below the package."""
    found = [ROOT / file, ROOT / "blitz" / file, *(ROOT / "blitz").rglob(file)]
    return next((path for path in found if path.is_file()), None)


def defines(file: str, part: str) -> bool:
    path = source(file)
    text = path.read_text(encoding="utf-8") if path else ""
    words = part.partition("(")[0].split(".")
    return all(re.search(rf"(?:def|class) {word}\b|^ *{word} ?[:=]", text, re.MULTILINE) for word in words)


def test_every_contract_on_imports_is_in_the_architecture() -> None:
    ids = re.findall(r'^id = "(\w+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    section = text_of(ROOT / "ARCHITECTURE.md").partition("## The arrows")[2].partition("\n## ")[0]

    assert re.findall(r"^\| (\w+) \|", section, re.MULTILINE) == ["contract", *ids]


# Coverage


@cache
def known_tests() -> frozenset[str]:
    here = ROOT / "tests"
    found = set()
    for path in here.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.relative_to(here).as_posix()}::{node.name}")
    return frozenset(found)


def test_every_test_that_the_coverage_names_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py::\w+)`", text_of(ROOT / "docs/coverage.md")))

    assert len(named) > 60
    assert sorted(named - known_tests()) == []


def test_the_coverage_is_numbered_without_gaps_and_counts_what_it_lacks() -> None:
    page = text_of(ROOT / "docs/coverage.md")
    rows = re.findall(r"^\| ([ABD])(\d+) \|.*$", page, re.MULTILINE)
    lacking, whole = re.search(r"(\d+) of (\d+) rows", page).groups()  # type: ignore[union-attr]

    for letter in "ABD":
        numbers = [int(number) for each, number in rows if each == letter]
        assert numbers == list(range(1, len(numbers) + 1))
    assert int(whole) == len(rows)
    assert int(lacking) == sum(PENDING in line for line in page.splitlines() if re.match(r"\| [ABD]\d", line))


# The worked check


def instrument(tick: str, step: str) -> Instrument:
    return Instrument(
        symbol="BTC/USDT:USDT",
        venue_symbol="BTCUSDT",
        tick=Decimal(tick),
        step=Decimal(step),
        quantity_min=Decimal(step),
        quantity_max=Decimal(1190),
        market_quantity_max=Decimal(119),
        notional_min=Decimal(5),
        leverage_max=Decimal(100),
    )


def worked(side: str) -> LadderSettings:
    return parse_settings({"side": side, "stop_loss": 40})


def money(amount: Decimal | None) -> str:
    assert amount is not None
    return f"{amount:,.2f}".replace(",", " ")


def ideal_row(row: LegPreview) -> list[str]:
    figures = (row.price, row.notional, row.average, row.take_profit, row.stop_loss, row.total_margin)
    return [str(row.leg), *map(money, figures)]


def real_row(row: LegPreview) -> list[str]:
    assert row.take_profit is not None
    assert row.stop_loss is not None
    exits = [plain(row.take_profit), plain(row.stop_loss)]
    return [str(row.leg), plain(row.price), plain(row.quantity), money(row.average), *exits, money(row.total_margin)]


@pytest.mark.parametrize("side", ["long", "short"])
def test_the_worked_checks_are_what_the_code_computes(side: str) -> None:
    section = text_of(ROOT / "docs/ladder.md").partition(f"## Worked check: {side}")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| \d.*$", section, re.MULTILINE)
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    ideal = preview_ladder(worked(side), instrument("0.00000001", "0.0000000001"), Decimal(60_000))
    real = preview_ladder(worked(side), instrument("0.1", "0.001"), Decimal(60_000))

    assert table == [*map(ideal_row, ideal.legs), *map(real_row, real.legs)]


# Reliability


def test_the_page_on_reliability_names_every_fault_with_its_row() -> None:
    page = text_of(ROOT / "docs/reliability.md")
    rows = re.findall(r"^\| ([A-Z]\d+(?: [A-Z]\d+)*) \| (`[^|]*) \|", page, re.MULTILINE)
    told = [(row, name) for row, names in rows for name in re.findall(r"`(\w+)`", names)]

    assert {name: row for row, name in told} == {fault.value: row for fault, row in ROWS.items()}


def test_the_page_on_reliability_names_every_guard() -> None:
    section = text_of(ROOT / "docs/reliability.md").partition("## 8.")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {guard.value for guard in Guard}
