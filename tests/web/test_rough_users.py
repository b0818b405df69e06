"""The web server against visitors who hold on to it, and against addresses that it cannot have."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import requests

from blitz.server import WebServer
from blitz.settings import PROJECT_ROOT
from blitz.storage.users import User
from tests.web.conftest import World


@contextmanager
def serving(world: World) -> Iterator[tuple[str, int]]:
    """The world's app behind the real web server; answers its address."""
    settings = world.parts.settings.model_copy(update={"web_port": 0})
    server = WebServer(replace(world.parts, settings=settings))
    server.start()
    try:
        yield "127.0.0.1", urlsplit(server.url).port or 0
    finally:
        world.parts.closing.set()
        server.stop()


def open_stream(address: tuple[str, int], world: World, user: User) -> socket.socket:
    raw = world.parts.sessions.create(user.id, "127.0.0.1", "a test")
    stream = socket.create_connection(address, timeout=10)
    stream.sendall(f"GET /api/bot/events HTTP/1.1\r\nHost: localhost\r\nCookie: blitz_session={raw}\r\n\r\n".encode())
    assert b"200 OK" in stream.recv(200)
    return stream


def test_open_live_views_of_several_users_leave_room_for_everybody_else(world: World) -> None:
    # Given three users with four live views each
    with serving(world) as address, ExitStack() as streams:
        for user in (world.trader, world.stranger, world.admin) * 4:
            streams.enter_context(open_stream(address, world, user))

        # Then somebody else is answered
        answer = requests.get(f"http://127.0.0.1:{address[1]}/healthz", timeout=5)

    assert answer.status_code == 200


def test_headers_without_end_are_refused(world: World) -> None:
    with serving(world) as address, socket.create_connection(address, timeout=10) as visitor:
        visitor.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60_000 + b"\r\n\r\n")

        answer = visitor.recv(200)

    assert b" 413 " in answer or b" 431 " in answer


def start_of_the_server(home: Path, **env: str) -> str:
    """What `run.py serve` says when it cannot start."""
    done = subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "run.py"), "serve"],
        capture_output=True,
        text=True,
        env={**os.environ, "BLITZ_HOME": str(home), **env},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_a_port_in_use_is_told_with_its_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = start_of_the_server(tmp_path, WEB_PORT=str(other.getsockname()[1]))

    assert "another program listens there" in said
    assert "WEB_PORT" in said


def test_an_address_of_another_machine_is_not_called_a_port_in_use(tmp_path: Path) -> None:
    said = start_of_the_server(tmp_path, WEB_PORT="0", WEB_HOST="192.0.2.1")

    assert "192.0.2.1 is not an address of this machine. Set WEB_HOST" in said


def test_a_damaged_paper_file_is_told_with_what_is_safe_to_do(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir(mode=0o700)
    (tmp_path / "instance" / "paper.db").write_text("this is no database")

    said = start_of_the_server(tmp_path, WEB_PORT="0")

    assert "paper.db" in said
    assert "move it away: paper accounts begin anew, demo and live are not affected" in said
