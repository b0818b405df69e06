"""Take the pictures of docs/images: a real server, a bot that has traded a little, a real browser.

Run `python tools/screenshots.py` in an environment with the development packages, on a machine with Debian's chromium
and an emoji font. The market is moved by hand, so the pictures always show the same prices.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from blitz.bots.paper_accounts import open_paper_account  # noqa: E402
from blitz.core.ladder_settings import ExchangeName  # noqa: E402
from blitz.server import Running  # noqa: E402
from blitz.settings import Settings  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PASSWORD = "plum tractor velvet 93"  # noqa: S105 - of users that live for a minute
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_WORDS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
PAGES = {"control": "/", "settings": "/settings", "admin": "/admin/console"}
TRADERS = ("ada@example.com", "ben@example.com", "chloe@example.com")
PRICES = ("60000", "59400", "60100", "60400.5", "59800", "59200")
"""A cycle with two legs, one with the entry alone, and one in the middle of its ladder."""


def main() -> None:
    """Trade a little, then take every picture."""
    with tempfile.TemporaryDirectory(prefix="blitz-pictures-") as folder:
        home = Path(folder)
        settings = Settings(
            home=home, WEB_PORT=0, BLITZ_DB_PATH=home / "instance" / "users.db", BLITZ_PAPER_FEED="manual"
        )
        server = Running(settings)
        server.start()
        try:
            trade(server)
            take_all(server)
        finally:
            server.stop()


def trade(server: Running) -> None:
    """Make an administrator and three traders, and let the market move under their bots."""
    users = server.services.users
    admin = users.create("admin@admin.com", PASSWORD, role="admin")
    everybody = [admin, *(users.create(email, PASSWORD) for email in TRADERS)]
    move(server, PRICES[0])
    for user in everybody[:-1]:
        server.manager.start_bot_for_user(user.id)
    wait(lambda: server.manager.get_bot_status(admin.id)["protected"]["yes"])
    foreign_order(server, admin.id)
    for price in PRICES[1:]:
        move(server, price)
        time.sleep(3)


def foreign_order(server: Running, user_id: int) -> None:
    """Let the account hold an order that is none of the bot's."""
    import ccxt

    keys = server.services.users.paper_credentials(user_id)
    open_paper_account(server.paper_url or "", ExchangeName.BYBIT, keys)
    urls: dict[str, Any] = {"api": {"public": server.paper_url, "private": server.paper_url}}
    client = ccxt.bybit({"apiKey": keys.api_key, "secret": keys.api_secret, "urls": urls})
    client.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, 45_000)


def move(server: Running, price: str) -> None:
    """Set the price by hand."""
    body = {"symbol": "BTCUSDT", "price": price}
    requests.post(f"{server.paper_url}/__paper/price", json=body, timeout=10).raise_for_status()


def wait(condition: Callable[[], Any]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("The bot did not get there.")
        time.sleep(0.1)


def take_all(server: Running) -> None:
    """Every page in both themes, and the control page on a phone."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_WORDS)
        for theme in ("light", "dark"):
            for name, path in PAGES.items():
                take(browser, server.url, path, IMAGES / f"{name}-{theme}.png", theme=theme, size=DESKTOP)
        take(browser, server.url, "/", IMAGES / "control-phone.png", theme="light", size=PHONE)
        browser.close()


def take(browser: Browser, url: str, path: str, file: Path, *, theme: str, size: dict[str, int]) -> None:
    """Sign in and take one picture of the whole page."""
    context = browser.new_context(viewport=size, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("input[name=email]", "admin@admin.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    page.goto(f"{url}{path}")
    time.sleep(1.5)
    page.screenshot(path=file, full_page=True)
    context.close()


if __name__ == "__main__":
    main()
