"""What the control page shows and what the exchange says, in one form, so that they can be compared."""

import re
import time
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

from playwright.sync_api import Page, expect

from tests.web.conftest import World

SHOWN = """() => {
    const text = (id) => document.getElementById(id).textContent;
    const rows = [...document.querySelectorAll("#ladder tr[data-state=resting]")];
    const resting = rows.map((row) => [row.cells[3].textContent, row.cells[4].textContent]);
    return { position: text("position"), average: text("position-sub"), market: text("market-line"), resting };
}"""
DIRECTIONS = {"Buy": "long", "Sell": "short"}


class Position(NamedTuple):
    """Quantity and average are those of the page, which shows two places here, cut and not rounded."""

    side: str
    quantity: Decimal
    average: Decimal


class Picture(NamedTuple):
    """One account on one market."""

    position: Position | None
    resting: list[tuple[Decimal, Decimal]]
    """Price or trigger, and quantity, of every resting order."""


def at_the_exchange(state: dict[str, Any]) -> Picture:
    """As the exchange sees its only account in use."""
    accounts = [account for account in state["accounts"] if account["open_orders"] or held(account)]
    assert len(accounts) <= 1
    positions = [row for account in accounts for row in held(account)]
    orders = [row for account in accounts for row in account["open_orders"]]
    assert len(positions) <= 1
    position = None
    if positions:
        row = positions[0]
        average = Decimal(row["averageExact"]).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
        position = Position(DIRECTIONS[row["side"]], Decimal(row["size"]), average)
    return Picture(position, sorted((level_of(row), Decimal(row["qty"])) for row in orders))


def held(account: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in account["positions"] if Decimal(row["size"])]


def level_of(order: dict[str, Any]) -> Decimal:
    return Decimal(order["triggerPrice"] if order["orderType"] == "Market" else order["price"])


def on_the_page(page: Page) -> Picture:
    """As the page shows it."""
    shown = page.evaluate(SHOWN)
    quantity = re.match(r"([\d.]+) BTC", shown["position"])
    average = re.search(r"average ([\d.,]+)", shown["average"])
    side = "short" if "short" in shown["market"] else "long"
    position = Position(side, Decimal(quantity[1]), plain(average[1])) if quantity and average else None
    return Picture(position, sorted((plain(price), Decimal(size)) for price, size in shown["resting"]))


def plain(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def wait_until_they_agree(world: World, page: Page, when: str, allowed: set[Position | None] | None = None) -> Picture:
    """Wait until the page shows exactly what the exchange has, and answer it.

    A moment's lag in what rests is none of the page's doing. A position that never was is: each that is seen has to be
    one of those `allowed`, or one that the exchange has had meanwhile.
    """
    had = {*(allowed or ()), at_the_exchange(world.exchange_state()).position}
    deadline = time.monotonic() + 15
    while True:
        before = at_the_exchange(world.exchange_state())
        shown = on_the_page(page)
        after = at_the_exchange(world.exchange_state())
        had |= {before.position, after.position}
        if before == shown == after:
            return shown
        assert allowed is None or shown.position in had, f"{when}: {shown.position} was never held, only {had}"
        assert time.monotonic() < deadline, f"{when} the page shows {shown}, the exchange has {before}"
        page.wait_for_timeout(30)


def start(page: Page) -> None:
    """Press Start and wait until the ladder of four rests."""
    page.get_by_role("button", name="🚀 Start Bot").click()
    # On a busy machine a request is lost now and then, and its fence is waited for.
    expect(page.locator("#protection")).to_have_attribute("data-state", "yes", timeout=45_000)
    expect(page.locator("#ladder tr[data-state=resting] th", has_text="Leg")).to_have_count(3)


def stop_by(page: Page, way: str) -> None:
    """Press Stop, and choose how."""
    page.get_by_role("button", name="🛑 Stop Bot").first.click()
    dialog = page.get_by_role("dialog", name="How should the bot stop?")
    dialog.locator(f"input[value={way}]").check()
    dialog.get_by_role("button", name="🛑 Stop Bot").click()
