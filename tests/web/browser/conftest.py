"""A real browser on a real server. Whatever the browser complains about fails the test that made it complain."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cheroot.wsgi import Server
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from blitz.paper.config import PaperConfig
from blitz.paper.server import AccountSpec, PaperServer
from blitz.storage.users import User
from tests.web.conftest import PASSWORD, World

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
AXE = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


POLL_SECONDS = 0.4
"""A bot that looks more often keeps the machine busy with frames that nobody waits for."""
expect.set_options(timeout=15_000)  # what is shown in the end is tested here, not how fast a busy machine gets there


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium, and it is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def world(make_world: Callable[..., World]):
    """A server whose live trades at a paper exchange of its own."""
    account = AccountSpec(key="liveKey12345wxyz", secret="live-secret-0123456789abcdef", balance=Decimal(1000))
    exchange = PaperServer(PaperConfig(feed="manual", enforce_limits=False, accounts=(account,)))
    exchange.start()
    yield make_world(rehearsal_url=exchange.url, poll_seconds=POLL_SECONDS)
    exchange.stop()


@pytest.fixture
def address(world: World):
    """The server of this test, on a port of its own."""
    with serving(world) as address:
        yield address


@contextmanager
def serving(world: World) -> Iterator[str]:
    """Answer requests, on a port of its own; gives the address."""
    server = Server(("127.0.0.1", 0), world.app, numthreads=10)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        world.parts.closing.set()
        server.stop()
        thread.join()


@pytest.fixture
def signed_in(world: World, browser: Browser, address: str):
    """The trader, signed in, who has not opened a page yet."""
    with visitor(browser, address) as page:
        bring_session(page, world, world.trader)
        yield page


@pytest.fixture
def page(signed_in: Page) -> Page:
    """The trader, signed in, at the control page."""
    signed_in.goto("/")
    expect(signed_in.locator("#state-word")).to_have_text(re.compile(r"\w"))
    return signed_in


@contextmanager
def visitor(
    browser: Browser, address: str, *, may_refuse: tuple[int | str, ...] = (), **context_words: Any
) -> Iterator[Page]:
    """A browser of somebody who is not signed in; whatever it complains about fails the test.

    `may_refuse` lists the answers and failures that the test asks for, beside 400.
    """
    expected = "|".join(map(str, (400, "ERR_FAILED", *may_refuse)))
    context = browser.new_context(**{"base_url": address, "reduced_motion": "reduce", **context_words})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if is_complaint(line, expected) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(address) else None)
    yield page
    context.close()
    assert complaints == []


def axe_faults(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now, a line for each element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def is_complaint(line: ConsoleMessage, expected: str) -> bool:
    """Chromium notes every refused or aborted request as an error; a refusal that a test asks for is none."""
    is_expected = re.search(rf"Failed to load resource: .*({expected})", line.text) is not None
    return line.type in ("error", "warning") and not is_expected


def bring_session(page: Page, world: World, user: User) -> None:
    """Be signed in, without the form."""
    raw = world.parts.sessions.create(user.id, "127.0.0.1", AGENT)
    page.context.add_cookies([{"name": "blitz_session", "value": raw, "domain": "127.0.0.1", "path": "/"}])


def sign_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#state-word")).to_have_text(re.compile(r"\w"))
