"""Every command line of the two source documents, verbatim, against a running server.

Only two things are arranged around them: the cookie files they name, and a curl configuration that leads the documents'
port 8000 to wherever this server listens.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.conftest import PASSWORD, PROJECT_ROOT, running, servers

pytestmark = pytest.mark.skipif(not Path("/usr/bin/curl").exists(), reason="curl is not installed on this machine")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the cookie files of a trader and of the administrator of a running server."""
    folder = tmp_path_factory.mktemp("visitor")
    with servers(tmp_path_factory.mktemp("server")) as start:
        server = start(BLITZ_PAPER_FEED="manual")
        port = urlsplit(server.url).port
        (folder / ".curlrc").write_text(f'silent\nconnect-to = "localhost:8000:127.0.0.1:{port}"\n')
        server.sign_in("trader@example.com")
        server.sign_in("admin@admin.com", admin=True)
        for jar, email in (("cookies.txt", "trader@example.com"), ("admin_cookies.txt", "admin@admin.com")):
            login = f"curl -c {jar} -d email={email} --data-urlencode 'password={PASSWORD}' http://localhost:8000/login"
            typed(login, folder)
        yield folder


def typed(line: str, folder: Path) -> str:
    """Run a line as it stands, and answer what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "CURL_HOME": str(folder)},
        timeout=30,
        check=True,
    )
    return done.stdout


@pytest.fixture
def shell(visitor: Path) -> Iterator[Callable[[str], str]]:
    """Somebody at a terminal; whatever bot was started is stopped at the end."""
    yield lambda line: typed(line, visitor)
    typed("curl -X POST -b cookies.txt http://localhost:8000/api/bot/stop", visitor)


def test_database_info_needs_nobody_on_this_machine(shell: Callable[[str], str]) -> None:
    told = json.loads(shell("curl http://localhost:8000/__debug/db"))

    assert list(told) == ["cwd", "instance_path", "db_uri", "db_path", "db_exists", "timestamp"]
    assert told["db_exists"] is True
    assert told["db_uri"] == f"sqlite:///{told['db_path']}"
    assert Path(told["db_path"]).is_absolute()


def test_status_with_the_cookie(shell: Callable[[str], str]) -> None:
    told = json.loads(shell("curl -b cookies.txt http://localhost:8000/api/bot/status"))

    assert list(told)[:4] == ["running", "status", "uptime", "message"]
    assert told["running"] is False
    assert told["status"] in {"not_running", "stopped"}
    assert told["uptime"] == 0


def test_status_without_the_cookie_asks_for_a_login(shell: Callable[[str], str]) -> None:
    told = json.loads(shell("curl http://localhost:8000/api/bot/status"))

    assert told["success"] is False


def test_start_stop_and_recover_with_the_cookie(shell: Callable[[str], str]) -> None:
    started = json.loads(shell("curl -X POST -b cookies.txt http://localhost:8000/api/bot/start"))
    again = json.loads(shell("curl -X POST -b cookies.txt http://localhost:8000/api/bot/start"))
    status = json.loads(shell("curl -b cookies.txt http://localhost:8000/api/bot/status"))
    recovered = json.loads(shell("curl -X POST -b cookies.txt http://localhost:8000/api/bot/recover"))
    stopped = json.loads(shell("curl -X POST -b cookies.txt http://localhost:8000/api/bot/stop"))

    assert started == {"success": True, "message": "Bot started successfully", "status": "started"}
    assert (again["success"], again["status"]) == (False, "already_running")
    assert status["running"] is True
    assert recovered["success"] is True
    assert recovered["actions"][0] == "checked_positions"
    assert (stopped["success"], stopped["status"]) == (True, "stopped")
    assert stopped["message"].startswith("Bot stopped successfully")


def test_the_admin_sees_every_bot(shell: Callable[[str], str]) -> None:
    shell("curl -X POST -b cookies.txt http://localhost:8000/api/bot/start")

    told = json.loads(shell("curl -b admin_cookies.txt http://localhost:8000/admin/simple/status"))

    assert list(told) == ["users", "totals"]
    assert list(told["totals"]) == ["total_managed", "total_running", "timestamp"]
    assert told["totals"]["total_running"] == 1
    assert all(list(user) == ["running", "status", "uptime"] for user in told["users"].values())


def test_a_trader_is_not_the_admin(shell: Callable[[str], str]) -> None:
    told = json.loads(shell("curl -b cookies.txt http://localhost:8000/admin/simple/status"))

    assert told["success"] is False


def test_the_documented_line_that_makes_the_database(tmp_path: Path) -> None:
    line = (
        "from Blitz_app import create_app; app = create_app(); app.app_context().push(); "
        "from Blitz_app.extensions import db; db.create_all()"
    )

    done = subprocess.run(
        [sys.executable, "-c", line],
        cwd=PROJECT_ROOT,
        env={**os.environ, "BLITZ_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "instance" / "users.db").exists()


def test_run_py_without_a_command_is_the_server(tmp_path: Path) -> None:
    with running(env={"BLITZ_HOME": str(tmp_path), "WEB_PORT": "0"}) as program:
        url = program.line(r"Blitz is at (http://\S+)")[1]

        answer = requests.get(f"{url}/healthz", timeout=5)

        assert answer.status_code == 200
        assert program.stop() == 0
