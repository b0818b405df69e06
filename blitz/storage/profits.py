"""What everybody earned, by mode, kept up to date at the cost of what has happened since the last question.

Books are summed exactly, in Python, and kept. The first time all that is closed is added up, many users in one read;
after that a line of the feed that moves money marks its account, and only marked accounts are read again, each by
`History.totals`. Used by the admin console. Where a database lets many write at once, a mark may be missed; then the
account's next line brings its sum up to date.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from blitz.core.orders import ZERO
from blitz.core.records import EventKind
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.tables import cycles, events, users

Account = tuple[int, str]
"""A user's number, and the name of the account."""

USERS_AT_ONCE = 100

MOVES_MONEY = frozenset(
    {
        EventKind.CYCLE_STARTED,
        EventKind.LEG_FILLED,
        EventKind.CYCLE_CLOSED,
        EventKind.CYCLE_CORRECTED,
        EventKind.CYCLE_GIVEN_UP,
        EventKind.CYCLE_ADOPTED,
        EventKind.TRADED_BY_HAND,
        EventKind.LIQUIDATED,
        EventKind.DELEVERAGED,
        EventKind.FUNDING,
    }
)
"""Fills and the ends of cycles are stored together with a line of one of these kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitByMode:
    """Net profit in quote currency. Modes are never added together: only one of them is real money."""

    paper: Decimal
    demo: Decimal
    """The exchanges' demo accounts and testnets."""
    live: Decimal
    is_complete: bool
    """False while books of before this process are still being added up; the next question goes on with them."""


class Profits:
    """Everybody's net profit. Safe to ask from many threads."""

    def __init__(self, db: Database, history: History) -> None:
        self._db = db
        self._history = history
        self._lock = threading.Lock()
        self._heard_id: int | None = None
        """The newest line of any feed that was taken into account."""
        self._net: dict[Account, Decimal] = {}
        self._due: dict[Account, None] = {}
        """Accounts to be read, oldest mark first."""
        self._old: list[int] = []
        """Users whose closed books are still to be added up, last one first."""
        self._sums = {"paper": ZERO, "demo": ZERO, "live": ZERO}

    def of(self, accounts: Collection[Account]) -> dict[Account, Decimal]:
        """The net profit of each of these, the running cycle included; for the few that somebody looks at."""
        with self._lock:
            self._hear()
            for account in accounts:
                if account in self._due or account not in self._net:
                    self._read(account)
            return {account: self._net[account] for account in accounts}

    def known(self, accounts: Collection[Account]) -> dict[Account, Decimal]:
        """What is known of these without reading anything; for thousands that are only to be put in order."""
        with self._lock:
            return {account: self._net.get(account, ZERO) for account in accounts}

    def by_mode(self, within_seconds: float = 0.15) -> ProfitByMode:
        """Everybody's profit. Works off what is due for this long at most, and says whether anything is left."""
        ends = time.monotonic() + within_seconds
        with self._lock:
            self._hear()
            while (self._old or self._due) and time.monotonic() < ends:
                if self._old:
                    self._add_up([self._old.pop() for _ in range(min(USERS_AT_ONCE, len(self._old)))])
                else:
                    self._read(next(iter(self._due)))
            return ProfitByMode(**self._sums, is_complete=not (self._old or self._due))

    def _hear(self) -> None:
        """Mark every account that money has moved on since the last time; the first time, everybody."""
        with self._db.read() as connection:
            newest = connection.scalar(select(func.max(events.c.id))) or 0
            if self._heard_id is None:
                self._old = list(connection.scalars(select(users.c.id).order_by(users.c.id.desc())))
            elif newest != self._heard_id:
                query = select(events.c.user_id, events.c.account).distinct()
                query = query.where(events.c.id > self._heard_id, events.c.kind.in_(MOVES_MONEY))
                self._due |= dict.fromkeys((row.user_id, row.account) for row in connection.execute(query))
            self._heard_id = newest

    def _add_up(self, user_ids: list[int]) -> None:
        """Everything that these users have closed. An account with an open cycle is due after that."""
        own = cycles.c
        query = select(own.user_id, own.account, own.ended_ms, own.realised, own.fees, own.funding)
        sums: dict[Account, Decimal] = {}
        with self._db.read() as connection:
            for user_id, name, ended_ms, realised, fees, funding in connection.execute(
                query.where(own.user_id.in_(user_ids))
            ):
                account = (user_id, name)
                sums[account] = sums.get(account, ZERO) + realised - fees - funding
                if ended_ms is None:
                    self._due[account] = None
        for account, net in sums.items():
            if account not in self._net:  # whatever was read since is newer
                self._keep(account, net)

    def _read(self, account: Account) -> None:
        user_id, name = account
        self._keep(account, self._history.totals(user_id, account=name).net)
        self._due.pop(account, None)

    def _keep(self, account: Account, net: Decimal) -> None:
        self._sums[_mode(account[1])] += net - self._net.get(account, ZERO)
        self._net[account] = net


def _mode(account: str) -> str:
    """The mode of an account's name; a testnet is a kind of demo."""
    word = account.partition(":")[2]
    return word if word in {"paper", "live"} else "demo"
