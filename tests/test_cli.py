"""The commands as a person types them: what they print, and with which code they end."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from blitz import __version__, cli
from blitz.errors import ConfigurationProblem
from tests.conftest import PROJECT_ROOT

PASSWORD = "quiet-otter-climbs-ladders"


def run(*arguments, stdin="", **environment):
    """Run one command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "blitz", *arguments], cwd=PROJECT_ROOT, env=os.environ | environment, input=stdin,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def add(email, *options, **environment):
    return run("user", "add", email, "--password-stdin", *options, stdin=f"{PASSWORD}\n", **environment)


@pytest.fixture(scope="module")
def inhabited(tmp_path_factory):
    """The environment of an installation with one trader, for tests that change nothing in it."""
    environment = {"BLITZ_HOME": str(tmp_path_factory.mktemp("inhabited"))}
    assert add("trader@example.org", **environment).returncode == 0
    return environment


def test_help_names_every_command(capsys):
    assert cli.main(["--help"]) == 0

    shown = capsys.readouterr().out
    for command in ("serve", "test", "demo", "paper", "user", "doctor", "openapi"):
        assert f"  {command} " in shown


def test_the_version_is_the_packages(capsys):
    assert cli.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_help_loads_neither_the_exchange_nor_the_web():
    heavy = "{'ccxt', 'flask', 'sqlalchemy', 'rich', 'pydantic', 'aiohttp'}"
    code = f"import sys, blitz.cli; blitz.cli.main(['--help']); print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["demo", "paper", "user", "user add", "doctor", "openapi", "serve"])
def test_every_command_explains_itself(command, capsys):
    assert cli.main([*command.split(), "--help"]) == 0
    assert "Usage: run.py" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["demo", "--cycles", "0"], ["demo", "--candles", "nowhere.csv"], ["paper", "--port", "70000"],
     ["paper", "--ids", "sometimes"], ["user", "add"]],
)  # fmt: skip
def test_misuse_ends_with_code_two_and_the_usage(arguments, capsys):
    assert cli.main(arguments) == 2
    assert "Usage: run.py" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_a_bad_setting_is_one_sentence_and_no_traceback(home, command):
    done = run(command, WEB_PORT="abc")

    assert done.returncode == 1
    assert done.stderr.startswith("WEB_PORT is set to 'abc' that cannot be used")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--account", "key:secret"], ["--account", "key:secret:lots"], ["--feed", "random"], ["--speed", "fast"]],
)
def test_a_paper_exchange_that_cannot_start_says_why(arguments, capsys, restored_logging):
    assert cli.main(["paper", "--port", "0", *arguments]) == 1

    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "secret:lots" not in said


def test_an_expected_failure_is_one_line_without_secrets(monkeypatch, capsys, restored_logging):
    def fail(_settings):
        raise ConfigurationProblem("The database postgresql://u:hunter22@h/d\n\tis away.")

    monkeypatch.setattr("blitz.doctor.run_doctor", fail)

    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == "The database postgresql://u:***@h/d is away.\n"


def test_ctrl_c_ends_quietly_with_code_130(monkeypatch, capsys, restored_logging):
    def interrupted(_settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("blitz.doctor.run_doctor", interrupted)

    assert cli.main(["doctor"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_on_a_running_command_ends_it(home):
    command = [sys.executable, "-m", "blitz", "paper", "--port", "0", "--feed", "manual"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "http://127.0.0.1:" in process.stdout.readline()
    time.sleep(0.1)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)

    assert process.returncode in (0, 130)
    assert "Traceback" not in said


def test_accounts_are_added_listed_and_promoted(home):
    assert add("Trader@Example.org").returncode == 0
    assert add("chief@example.org", "--admin").returncode == 0

    promoted = run("user", "make-admin", "trader@example.org")
    listed = run("user", "list")

    assert promoted.returncode == 0
    assert [line.split("\t")[:4] for line in listed.stdout.splitlines()] == [
        ["1", "trader@example.org", "admin", "yes"],
        ["2", "chief@example.org", "admin", "yes"],
    ]


def test_a_password_is_changed(home):
    add("trader@example.org")

    changed = run("user", "set-password", "trader@example.org", "--password-stdin", stdin="another-otter-entirely\n")

    assert changed.returncode == 0
    assert "signed out everywhere" in changed.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["user", "add", "trader@example.org", "--password-stdin"], "already"),
        (["user", "add", "not-an-address", "--password-stdin"], "email"),
        (["user", "make-admin", "nobody@example.org"], "There is no account for nobody@example.org"),
        (["user", "set-password", "nobody@example.org", "--password-stdin"], "There is no account"),
    ],
)
def test_what_cannot_be_done_to_an_account_is_said_in_one_line(inhabited, arguments, said):
    done = run(*arguments, stdin=f"{PASSWORD}\n", **inhabited)

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_weak_password_is_refused(home):
    done = run("user", "add", "trader@example.org", "--password-stdin", stdin="short\n")

    assert done.returncode == 1
    assert "12 characters" in done.stderr


def test_without_a_terminal_a_password_is_not_asked_for(home):
    done = run("user", "add", "trader@example.org")

    assert done.returncode == 2
    assert "--password-stdin" in done.stderr


def test_a_database_that_is_none_is_left_alone_and_named(home):
    path = home / "users.db"
    path.write_text("These are not the rows you are looking for.")

    done = run("user", "list", BLITZ_DB_PATH=str(path))

    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_text().startswith("These are not")


def test_the_api_is_described_as_json(home):
    done = run("openapi")

    described = json.loads(done.stdout)
    assert described["openapi"].startswith("3.1")
    assert "/api/bot/start" in described["paths"]


def test_further_words_of_test_go_to_pytest():
    done = run("test", "--version")

    assert done.returncode == 0
    assert done.stdout.startswith("pytest ")
