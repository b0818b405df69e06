"""Every page there is, with something on it: fit for eyes, keys, screen readers and telephones, in both themes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from blitz.core.ladder_settings import parse_settings
from blitz.core.records import EventKind
from blitz.paper.config import PaperConfig
from blitz.paper.server import AccountSpec, PaperServer
from blitz.storage.tables import users
from blitz.web.errors import JSON_PAGES, JSON_PREFIXES
from tests.bots.plain import plain_client
from tests.bots.stage import until
from tests.web.browser.conftest import axe_faults, serving, visitor
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
    meanwhile: Callable[[World], AbstractContextManager[None]] = nullcontext

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
    Visit("/history", "trader", "#event-rows tr", path="/history?cycle=1"),
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
    Visit("", "trader", "main .button", path="/nope", answer=404),
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
        world = build_world(tmp_path_factory.mktemp("seen"), rehearsal_url=live.url, registration="open")
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
    """A cycle with its profit, a second one with a leg filled, and an order that the trader placed by hand."""
    users, trader = world.parts.users, world.trader
    users.save_settings(trader.id, parse_settings({"stop_loss": "40"}, base=trader.settings))
    world.manager.start_bot_for_user(trader.id)
    wait_for_cycle(world, number=1, legs=1)
    world.move_price("60301")
    wait_for_cycle(world, number=2, legs=1)
    world.move_price("59650")
    wait_for_cycle(world, number=2, legs=2)
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
        become(page, world, visit.who)
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


def become(page: Page, world: World, who: str) -> None:
    """Sign in, without the form."""
    user = {"trader": world.trader, "beginner": world.stranger, "admin": world.admin}.get(who)
    if user is not None:
        raw = world.parts.sessions.create(user.id, "127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari")
        page.context.add_cookies([{"name": "blitz_session", "value": raw, "domain": "127.0.0.1", "path": "/"}])


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


def unnamed(page: Page) -> list[str]:
    """What can be focused and has no name for those who do not see it, by the browser's own account."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        f"no name: {node['role']['value']} {node.get('properties')}"
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] not in ("RootWebArea", "main")
        and any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", ()))
        and not node.get("name", {}).get("value")
    ]


MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) => {
    const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(element);
    const longest = (text) => Math.max(...text.split(",").map(parseFloat));
    const moves = longest(transitionDuration) > 0.01 || (animationName !== "none" && longest(animationDuration) > 0.01);
    return moves || scrollBehavior === "smooth" ? [`moves: ${element.outerHTML.slice(0, 120)}`] : [];
})"""


def moving(page: Page) -> list[str]:
    """What moves although whoever looks asked for less motion."""
    return page.evaluate(MOVING)


TOO_WIDE = """() => {
    const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    const isHeld = (element) => { for (let up = element.parentElement; up; up = up.parentElement) if (up !== document.body && scrolls(up)) return true; };
    const found = document.documentElement.scrollWidth > innerWidth ? [`scrolls: ${document.documentElement.scrollWidth}`] : [];
    for (const element of document.body.querySelectorAll("*")) {
        const { left, right, width, height } = element.getBoundingClientRect();
        if (width > 1 && height > 1 && (right > innerWidth + 0.5 || left < -0.5) && !isHeld(element))
            found.push(`too wide (${left} to ${right}): ${element.outerHTML.slice(0, 120)}`);
    }
    return found;
}"""


def too_wide(page: Page) -> list[str]:
    """What lies outside of a telephone's screen, and in nothing that scrolls."""
    return page.evaluate(TOO_WIDE)


STOPS = """() => {
    const can = "a[href], button:enabled, input:enabled:not([type=hidden]), select:enabled, textarea:enabled, summary, [tabindex='0']";
    const isChosen = (one) => one.type !== "radio" || one.checked || !document.querySelector(`input[name="${one.name}"]:checked`);
    window.stops = [...document.querySelectorAll(can)].filter((one) => one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) && isChosen(one));
    window.walked = [];
    addEventListener("focusin", ({ target }) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target);
        const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
        window.walked.push([window.stops.indexOf(target), isSeen, target.outerHTML.slice(0, 160)]);
    });
    const dates = window.stops.filter((one) => one.type === "date").length;
    const before = document.createElement("i"); // the walk begins at the top, whatever has the focus now
    before.tabIndex = -1;
    document.body.prepend(before);
    before.focus();
    before.remove();
    window.walked = [];
    return [window.stops.length, window.stops.length + 3 * dates];
}"""
"""Answers how many places there are, and how many presses they take: a date has a part of its own for each figure."""
SHUFFLED = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const { order, flexDirection } = getComputedStyle(one);
    return order !== "0" || flexDirection.endsWith("reverse") || one.tabIndex > 0;
}).map((one) => `out of order: ${one.outerHTML.slice(0, 120)}`)"""


def walked(page: Page) -> list[str]:
    """What Tab does not reach, reaches out of the order in which it is read, or does not show that it is there."""
    count, presses = page.evaluate(STOPS)
    for _ in range(presses):
        page.keyboard.press("Tab")
    steps = page.evaluate("window.walked")
    faults = [f"step {at} is number {stop}: {html}" for at, (stop, _, html) in enumerate(steps) if stop != at]
    faults += [f"focus is not seen: {html}" for _, is_seen, html in steps if not is_seen]
    if len(steps) < count:
        faults.append(f"Tab reaches {len(steps)} of {count}")
    return [*faults[:5], *page.evaluate(SHUFFLED)]
