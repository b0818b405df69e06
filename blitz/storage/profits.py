"""What everybody earned, by mode, kept up to date at the cost of what has happened since the last question.

Books are summed exactly, in Python, one account at a time (`History.totals`), and kept. A line of the feed that moves
money marks its account, and only marked accounts are read again. Used by the admin console.
"""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, func, select

from blitz.core.orders import ZERO
from blitz.core.records import EventKind
from blitz.storage.database import Database
from blitz.storage.history import History
from blitz.storage.tables import cycles, events

Account = tuple[int, str]
"""A user's number, and the name of the account."""

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
        self._sums = {"paper": ZERO, "demo": ZERO, "live": ZERO}

    def of(self, accounts: Collection[Account]) -> dict[Account, Decimal]:
        """The net profit of each of these, the running cycle included; for the few that somebody looks at."""
        with self._lock:
            self._hear()
            for account in accounts:
                if account in self._due:
                    self._read(account)
            return {account: self._net.get(account, ZERO) for account in accounts}

    def known(self, accounts: Collection[Account]) -> dict[Account, Decimal]:
        """What is known of these without reading anything; for thousands that are only to be put in order."""
        with self._lock:
            return {account: self._net.get(account, ZERO) for account in accounts}

    def by_mode(self, within_seconds: float = 0.1) -> ProfitByMode:
        """Everybody's profit. Works off what is due for this long at most, and says whether anything is left."""
        ends = time.monotonic() + within_seconds
        with self._lock:
            self._hear()
            while self._due and time.monotonic() < ends:
                self._read(next(iter(self._due)))
            return ProfitByMode(**self._sums, is_complete=not self._due)

    def _hear(self) -> None:
        """Mark every account that money has moved on since the last time; the first time, every account there is."""
        with self._db.read() as connection:
            newest = connection.scalar(select(func.max(events.c.id))) or 0
            if newest != self._heard_id:
                self._due |= dict.fromkeys(self._moved(connection))
                self._heard_id = newest

    def _moved(self, connection: Connection) -> list[Account]:
        if self._heard_id is None:
            query = select(cycles.c.user_id, cycles.c.account).distinct()
        else:
            query = select(events.c.user_id, events.c.account).distinct()
            query = query.where(events.c.id > self._heard_id, events.c.kind.in_(MOVES_MONEY))
        return [(row.user_id, row.account) for row in connection.execute(query)]

    def _read(self, account: Account) -> None:
        user_id, name = account
        net = self._history.totals(user_id, account=name).net
        self._sums[_mode(name)] += net - self._net.get(account, ZERO)
        self._net[account] = net
        del self._due[account]


def _mode(account: str) -> str:
    """The mode of an account's name; a testnet is a kind of demo."""
    word = account.partition(":")[2]
    return word if word in {"paper", "live"} else "demo"
