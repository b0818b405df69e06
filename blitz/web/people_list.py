"""The administrators' list of users: who they are beside what their bots do, filtered, sorted, cut into pages.

Users come in one statement, bots in one look at memory, profits from sums that are kept: nothing here asks anything of
one bot after the other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from blitz.bots.glance import BotGlance
from blitz.bots.protection import Cover
from blitz.bots.status import MESSAGES, BotStatus
from blitz.clock import iso_utc
from blitz.core.ladder_settings import plain
from blitz.storage.people import OpenCycle, Person
from blitz.web.admin_schemas import PAGE_ROWS, PeopleFilterIn, PeoplePageIn
from blitz.web.language import said
from blitz.web.services import services

TROUBLE_FIRST = list(
    map(
        str,
        (
            BotStatus.ERROR,
            BotStatus.NEEDS_ATTENTION,
            BotStatus.STARTING,
            BotStatus.STOPPING,
            BotStatus.RUNNING,
            BotStatus.STOPPED,
            BotStatus.NOT_RUNNING,
        ),
    )
)
BARE_FIRST = [Cover.UNPROTECTED, Cover.UNKNOWN, Cover.PROTECTED, Cover.NO_POSITION, Cover.UNSEEN]
ACCESS = {"": None, "active": True, "disabled": False}
SORT_SECONDS = 0.5
"""So long a list that is sorted by profit waits for books that are not added up yet."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A user, and the bot when anything is known of it in this process."""

    person: Person
    bot: BotGlance | None

    @property
    def status(self) -> BotStatus:
        """Where the bot stands; of one that has not run in this process, how it ended."""
        if self.bot is not None:
            return self.bot.status
        recorded = self.person.status
        is_end = recorded in {BotStatus.STOPPED, BotStatus.ERROR}
        return BotStatus(recorded) if is_end else BotStatus.NOT_RUNNING

    @property
    def message(self) -> str:
        """What the bot says."""
        if self.bot is not None:
            return self.bot.message
        recorded = "" if self.status is BotStatus.NOT_RUNNING else self.person.message
        return recorded or MESSAGES.get(self.status, "")

    @property
    def account(self) -> str:
        """The account whose profit is shown."""
        return self.bot.account if self.bot is not None else self.person.account

    @property
    def mode(self) -> str:
        """Whose money it is."""
        return self.bot.mode if self.bot is not None else self.person.mode

    @property
    def exchange(self) -> str:
        """Where it trades."""
        return self.bot.exchange if self.bot is not None else self.person.exchange

    @property
    def symbol(self) -> str:
        """Its market."""
        return self.bot.symbol if self.bot is not None else self.person.symbol


GROUPS: dict[str, Callable[[Seen], bool]] = {
    "running": lambda one: one.status.is_alive,
    "stopped": lambda one: one.status in {BotStatus.STOPPED, BotStatus.NOT_RUNNING},
    "attention": lambda one: one.status is BotStatus.NEEDS_ATTENTION,
    "error": lambda one: one.status is BotStatus.ERROR,
    "unprotected": lambda one: one.bot is not None and one.bot.is_alarming,
}
ORDERS: dict[str, Callable[[Seen], Any]] = {
    "id": lambda one: one.person.id,
    "email": lambda one: one.person.email,
    "status": lambda one: TROUBLE_FIRST.index(one.status),
    "uptime": lambda one: one.bot.uptime if one.bot else -1,
    "market": lambda one: one.symbol,
    "mode": lambda one: one.mode,
    "cycle": lambda one: one.bot.legs_filled if one.bot else -1,
    "protection": lambda one: (
        (not one.bot.is_alarming, BARE_FIRST.index(one.bot.cover)) if one.bot else (True, len(BARE_FIRST))
    ),
}


def matching(asked: PeopleFilterIn, overview: dict[int, BotGlance]) -> list[Seen]:
    """Everybody who passes the filters, by number."""
    found = services().people.find(asked.q.strip(), role=asked.role, active=ACCESS[asked.access])
    everybody = [Seen(person, overview.get(person.id)) for person in found]
    if asked.status:
        belongs = GROUPS[asked.status]
        everybody = [one for one in everybody if belongs(one)]
    if asked.mode:
        everybody = [one for one in everybody if one.mode == asked.mode]
    if asked.exchange:
        everybody = [one for one in everybody if one.exchange == asked.exchange]
    return everybody


def page_of_people(asked: PeoplePageIn) -> dict[str, Any]:
    """One page, and the totals. A page beyond the last is the last."""
    overview = services().manager.overview()
    shown, found = _page_of_live(asked, overview) if _asks_of_bots(asked) else _page_of_stored(asked, overview)
    pages = max(1, -(-found // PAGE_ROWS))
    return {
        "rows": rows_of(shown),
        "found": found,
        "page": min(asked.page, pages),
        "pages": pages,
        "totals": totals(overview),
    }


def _asks_of_bots(asked: PeoplePageIn) -> bool:
    """Whether filters or order need more than the database knows."""
    return bool(asked.status or asked.mode or asked.exchange) or asked.sort not in {"id", "email"}


def _page_of_stored(asked: PeoplePageIn, overview: dict[int, BotGlance]) -> tuple[list[Seen], int]:
    people, found = services().people.page(
        asked.q.strip(),
        role=asked.role,
        active=ACCESS[asked.access],
        by_email=asked.sort == "email",
        is_descending=asked.order == "desc",
        page=asked.page,
        rows=PAGE_ROWS,
    )
    return [Seen(person, overview.get(person.id)) for person in people], found


def _page_of_live(asked: PeoplePageIn, overview: dict[int, BotGlance]) -> tuple[list[Seen], int]:
    everybody = sorted_by(matching(asked, overview), asked.sort, is_descending=asked.order == "desc")
    page = min(asked.page, max(1, -(-len(everybody) // PAGE_ROWS)))
    return everybody[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], len(everybody)


def sorted_by(everybody: list[Seen], word: str, *, is_descending: bool) -> list[Seen]:
    """In this order; whoever is alike stays in the order of numbers."""
    if word != "profit":
        return sorted(everybody, key=ORDERS[word], reverse=is_descending)
    profits = services().profits
    profits.by_mode(SORT_SECONDS)
    net = profits.known([(one.person.id, one.account) for one in everybody])
    return sorted(everybody, key=lambda one: net[(one.person.id, one.account)], reverse=is_descending)


def live_rows(user_ids: Sequence[int]) -> dict[str, Any]:
    """These users as they are now, in the order asked for, and the totals."""
    parts = services()
    overview, people = parts.manager.overview(), parts.people.of(user_ids)
    shown = [Seen(people[user_id], overview.get(user_id)) for user_id in user_ids if user_id in people]
    return {"rows": rows_of(shown), "totals": totals(overview)}


def rows_of(shown: Sequence[Seen]) -> list[dict[str, Any]]:
    """The rows of the few that somebody looks at."""
    parts = services()
    open_cycles = parts.people.open_cycles([one.person.id for one in shown if one.bot is None])
    accounts = {one.person.id: _account(one, open_cycles) for one in shown}
    net = parts.profits.of(list(accounts.items()))
    return [_row(one, open_cycles.get(one.person.id), net[(one.person.id, accounts[one.person.id])]) for one in shown]


def _account(one: Seen, open_cycles: dict[int, OpenCycle]) -> str:
    left = open_cycles.get(one.person.id)
    return left.account if left else one.account


def _row(one: Seen, left: OpenCycle | None, net: Decimal) -> dict[str, Any]:
    person, bot = one.person, one.bot
    exchange, mode, symbol, side = one.exchange, one.mode, one.symbol, bot.side if bot else person.side
    if left is not None:
        exchange, _, mode = left.account.partition(":")
        mode, symbol, side = "demo" if mode == "testnet" else mode, left.symbol, left.side
    return {
        "id": person.id,
        "email": person.email,
        "role": person.role,
        "active": person.active,
        "running": one.status.is_alive,
        "status": one.status.value,
        "message": said(one.message),
        "uptime": bot.uptime if bot else 0,
        "exchange": exchange,
        "mode": mode,
        "symbol": symbol,
        "side": side,
        "cycle": bot.cycle if bot else None,
        "legs_filled": bot.legs_filled if bot else 0,
        "legs": bot.legs if bot else 0,
        "position": bot is not None and bot.has_position,
        "protection": (bot.cover if bot else Cover.UNSEEN).value,
        "protection_since": iso_utc(bot.since_ms) if bot and bot.since_ms is not None else None,
        "protection_why": said(bot.why) if bot else "",
        "alarming": bot is not None and bot.is_alarming,
        "profit": plain(net),
    }


def totals(overview: dict[int, BotGlance]) -> dict[str, Any]:
    """Everybody in figures."""
    parts = services()
    bots, profit = overview.values(), parts.profits.by_mode()
    return {
        "users": parts.users.count(),
        "running": count(bots, lambda bot: bot.status.is_alive),
        "positions": count(bots, lambda bot: bot.has_position),
        "unprotected": count(bots, lambda bot: bot.is_alarming),
        "attention": count(bots, lambda bot: bot.status is BotStatus.NEEDS_ATTENTION),
        "profit": {
            "paper": plain(profit.paper),
            "demo": plain(profit.demo),
            "live": plain(profit.live),
            "complete": profit.is_complete,
        },
        "at": iso_utc(parts.clock.now_ms()),
    }


def count(bots: Iterable[BotGlance], belongs: Callable[[BotGlance], bool]) -> int:
    """How many of them belong."""
    return sum(map(belongs, bots))
