"""Every page there is, with something on it: fit for eyes, keys, screen readers and telephones, in both themes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from blitz.core.ladder_settings import parse_settings
from blitz.core.records import EventKind
from blitz.paper.config import PaperConfig
from blitz.paper.server import AccountSpec, PaperServer
from blitz.storage.tables import users
from blitz.storage.users import User
from blitz.web.errors import JSON_PAGES, JSON_PREFIXES
from tests.bots.plain import plain_client
from tests.bots.stage import until
from tests.web.browser.checks import moving, too_wide, unnamed, walked
from tests.web.browser.conftest import POLL_SECONDS, axe_faults, bring_session, serving, visitor
from tests.web.browser.test_history import cycle, write
from tests.web.conftest import World, build_world, take_down
from tests.web.crowd import insert_people, seat

pytestmark = pytest.mark.browser

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LIVE_KEY, LIVE_SECRET = "liveKey12345wxyz", "live-secret-0123456789abcdef"
BARE_PLACE = 7
"""Where the crowd has somebody whose position is unprotected."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A server in full use, and where the pages are that have a name of their own."""

    world: World
    address: str
    paths: dict[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody looks at a page."""

    rule: str
    """Of the url map; empty for what is shown where there is no page."""
    who: str
    """`trader`, whose bot trades; `beginner`, who is about to go live; `admin`; `nobody`."""
    shows: str
    """What is there once the page is complete."""
    path: str = ""
    """Where the rule alone is no address."""
    answer: int = 200
    meanwhile: Callable[[World], AbstractContextManager[Any]] = nullcontext

    def __str__(self) -> str:
        return f"{self.who} {self.path or self.rule}"


@contextmanager
def without_administrator(world: World) -> Iterator[None]:
    """As before the first one is made."""
    for role in ("trader", "admin"):
        with world.parts.database.write() as connection:
            connection.execute(update(users).where(users.c.id == world.admin.id).values(role=role))
        if role == "trader":
            yield


VISITS = [
    Visit("/login", "nobody", "form"),
    Visit("/logout", "trader", "main form"),
    Visit("/register", "nobody", "form"),
    Visit("/setup", "nobody", "form", path="/setup?token={setup}", meanwhile=without_administrator),
    Visit("/setup", "nobody", "main .button", answer=403),
    Visit("/invite", "nobody", "form", path="/invite?token={invite}"),
    Visit("/", "trader", "#foreign-part:visible"),
    Visit("/", "beginner", "#ladder tr"),
    Visit("/settings", "trader", "#preview tr"),
    Visit("/settings", "beginner", "#preview tr"),
    Visit("/settings/live", "trader", "main .button"),
    Visit("/settings/live", "beginner", "button.danger"),
    Visit("/history", "trader", "#rows tbody tr"),
    Visit("/history", "trader", "#rows tbody tr", path="/history?table=fills"),
    Visit("/history", "trader", "#rows tbody tr", path="/history?table=events"),
    Visit("/history", "trader", "#event-rows tr", path="/history?cycle=4"),
    Visit("/history", "beginner", "#nothing"),
    Visit("/account", "trader", "#token-list li"),
    Visit("/admin/console", "admin", "#people-rows tr"),
    Visit("/admin/console", "admin", "#links li", path="/admin/console#people"),
    Visit("/admin/console", "admin", "#problem-lines > *", path="/admin/console#problems"),
    Visit("/admin/console", "admin", "#venues > *", path="/admin/console#exchanges"),
    Visit("/admin/console", "admin", "#banner-form", path="/admin/console#maintenance"),
    Visit("/admin/console", "admin", "#act-rows tr", path="/admin/console#record"),
    Visit("/admin/console/<int:user_id>", "admin", "#orders tr", path="/admin/console/{trader}"),
    Visit("/admin/console/<int:user_id>", "admin", "#protection:visible", path="/admin/console/{bare}"),
    Visit("/api/docs", "beginner", ".opblock"),
    Visit("", "trader", "main:has-text('Nothing was changed.')", path="/nope", answer=404),
]
ALIASES = {"/admin/lite"}
"""Answered by the view of another address."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    account = AccountSpec(key=LIVE_KEY, secret=LIVE_SECRET, balance=Decimal(1000))
    with ExitStack() as stack:
        live = PaperServer(PaperConfig(feed="manual", enforce_limits=False, accounts=(account,)))
        live.start()
        stack.callback(live.stop)
        world = build_world(
            tmp_path_factory.mktemp("seen"), rehearsal_url=live.url, registration="open", poll_seconds=POLL_SECONDS
        )
        stack.callback(take_down, world)
        crowd = insert_people(world.parts.database, 12, cycles_each=2)
        stack.callback(lambda: [world.manager.managed_bots.pop(user_id) for user_id in crowd])  # nothing to end
        for place, user_id in enumerate(crowd):
            seat(world.manager, user_id, place)
        address = stack.enter_context(serving(world))
        yield Seen(world, address, {**fill(world), "bare": str(crowd[BARE_PLACE])})


def fill(world: World) -> dict[str, str]:
    """Have everything happen that pages show; answers the parts of addresses that come from it."""
    parts, trader = world.parts, world.trader
    trade(world)
    parts.tokens.create(trader.id, "a script of mine with quite a long name", "control")
    parts.sessions.create(trader.id, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "curl/8.14")
    world.manager._tell_feed(trader.id, EventKind.ATTENTION, {"message": "Look at the key."})
    parts.notices.say("banner", "The server moves to a new machine on Friday evening.")
    going_live = parse_settings({"mode": "live"}, base=world.stranger.settings)
    parts.users.save_settings(world.stranger.id, going_live)
    parts.users.save_credentials(world.stranger.id, LIVE_KEY, LIVE_SECRET)
    started = world.signed_in(world.admin).post(f"/admin/users/{trader.id}/start")
    assert started.status_code == 409  # it runs; the record has a line all the same
    return {
        "trader": str(trader.id),
        "setup": parts.setup.issue(),
        "invite": parts.invitations.invite("carol@example.org", "trader"),
    }


def trade(world: World) -> None:
    """Profits and losses, a cycle with a leg filled, and an order that the trader placed by hand."""
    users, trader = world.parts.users, world.trader
    write(world, [cycle(1, "4.75"), cycle(2, "-2.5"), cycle(3, "-0.01")])
    users.save_settings(trader.id, parse_settings({"stop_loss": "40"}, base=trader.settings))
    world.manager.start_bot_for_user(trader.id)
    wait_for_cycle(world, number=4, legs=1)
    world.move_price("60301")
    wait_for_cycle(world, number=5, legs=1)
    world.move_price("59650")
    wait_for_cycle(world, number=5, legs=2)
    keys = users.paper_credentials(trader.id)
    client = plain_client("bybit", world.paper.url, keys.api_key, keys.api_secret)
    client.create_order(trader.settings.symbol, "limit", "buy", "0.01", "50000", {"positionIdx": 0})
    client.session.close()
    world.manager.wake(trader.id)
    until(lambda: world.manager.get_bot_status(trader.id)["foreign_orders"], "the foreign order")


def wait_for_cycle(world: World, *, number: int, legs: int) -> None:
    def has_come() -> bool:
        status = world.manager.get_bot_status(world.trader.id)
        cycle = status.get("cycle")
        return bool(cycle and (cycle["number"], cycle["legs_filled"]) == (number, legs) and status["protected"]["yes"])

    until(has_come, f"cycle {number} with {legs} legs")


def test_no_page_is_missing_here(seen: Seen):
    """A page is whatever a browser can open that is neither a file, nor for programs, nor only a signpost."""
    rules = {
        rule.rule
        for rule in seen.world.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint.partition(".")[0] not in ("static", "legacy")
        and (rule.rule in JSON_PAGES or not rule.rule.startswith(JSON_PREFIXES))
    }

    assert {visit.rule for visit in VISITS} - {""} == rules - ALIASES


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_a_page_is_for_everybody(seen: Seen, browser: Browser, visit: Visit):
    world = seen.world
    with (
        visit.meanwhile(world),
        visitor(browser, seen.address, may_refuse=(visit.answer,), viewport=WIDE, color_scheme="light") as page,
    ):
        if visit.who != "nobody":
            bring_session(page, world, people(world)[visit.who])
        look(page, seen, visit)
        has_its_head(page)
        faults = [*axe_faults(page), *unnamed(page), *moving(page)]
        faults += walked(page)
        page.set_viewport_size(PHONE)
        faults += [*axe_faults(page), *too_wide(page)]
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="dark")
        look(page, seen, visit)
        faults += axe_faults(page)
        assert not faults, "\n".join(faults)


def people(world: World) -> dict[str, User]:
    return {"trader": world.trader, "beginner": world.stranger, "admin": world.admin}


def look(page: Page, seen: Seen, visit: Visit) -> None:
    """Open the page and wait until it is complete."""
    page.goto("about:blank")  # a new view in the same page would not be a load
    answer = page.goto((visit.path or visit.rule).format(**seen.paths))
    assert answer is not None
    assert answer.status == visit.answer
    expect(page.locator(visit.shows).first).to_be_visible()


def has_its_head(page: Page) -> None:
    assert page.title()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_count(1)
