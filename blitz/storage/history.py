"""What a trader may look back on: orders, fills, cycles, events, profit. Read only; used by web.

Every question is about one user and one account, so that paper profit and real profit are never added together. Without
one it is the account in use: where a cycle is open, or else what the user's settings name now.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from sqlalchemy import Connection, select

from blitz.core.ladder_settings import account_name
from blitz.core.ledger import Ledger
from blitz.core.orders import ZERO, BookedFill
from blitz.core.records import CLOSED_KEPT, BotEvent, Cycle, Slot, SlotState
from blitz.storage.database import Database
from blitz.storage.journal import newest_open
from blitz.storage.rows import cycle_from_row, event_from_row, fill_from_row, slot_from_row
from blitz.storage.tables import cycles, events, fills, order_slots, users

LIMIT_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRow:
    """A booked fill and its place in the list; pages go on before an id."""

    id: int
    booked: BookedFill


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A line of the feed and its place in it; a reader goes on after an id."""

    id: int
    event: BotEvent


class EquityPoint(NamedTuple):
    """What one cycle that ended brought, in quote currency, and all of them up to it."""

    ended_ms: int
    profit: Decimal
    cumulative: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The books of an account, in quote currency, its running cycle included."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    """Positive is paid."""
    funding: Decimal = ZERO
    """Positive is paid."""
    cycles: int = 0
    """Cycles that ended, those whose entry never filled included."""
    legs_filled: int = 0

    def plus(self, realised: Decimal, fees: Decimal, funding: Decimal, legs_filled: int, *, ended: int) -> "Totals":
        """These books and those of one more cycle."""
        return Totals(
            realised=self.realised + realised,
            fees=self.fees + fees,
            funding=self.funding + funding,
            cycles=self.cycles + ended,
            legs_filled=self.legs_filled + legs_filled,
        )

    @property
    def net(self) -> Decimal:
        """What is left of it."""
        return self.realised - self.fees - self.funding


class History:
    """Reads the journal of one user at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._ended: dict[tuple[int, str], tuple[int, Totals]] = {}
        """Per user and account: the newest ended cycle that was summed, and the sums up to it. Ended cycles stay."""

    def orders(self, user_id: int, *, account: str | None = None) -> list[Slot]:
        """The order slots that hold an order, or may hold one."""
        own = order_slots.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = (
                select(order_slots)
                .where(own.user_id == user_id, own.account == account, own.state != SlotState.EMPTY.value)
                .order_by(own.symbol, own.role, own.leg)
            )
            return [slot_from_row(row) for row in connection.execute(query).mappings()]

    def fills(
        self,
        user_id: int,
        *,
        cycle: int | None = None,
        before_id: int | None = None,
        limit: int = 100,
        account: str | None = None,
    ) -> list[FillRow]:
        """Booked fills, newest first: of one cycle or of all, and older than `before_id` for the next page."""
        own = fills.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(fills).where(own.user_id == user_id, own.account == account)
            if cycle is not None:
                query = query.where(own.cycle == cycle)
            if before_id is not None:
                query = query.where(own.id < before_id)
            rows = connection.execute(query.order_by(own.id.desc()).limit(_bounded(limit))).mappings()
            return [FillRow(id=row["id"], booked=fill_from_row(row)) for row in rows]

    def cycles(
        self, user_id: int, *, before_number: int | None = None, limit: int = 100, account: str | None = None
    ) -> list[Cycle]:
        """Cycles, newest first, and older than `before_number` for the next page.

        The running one is included, with the figures of its fills so far.
        """
        own = cycles.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(cycles).where(own.user_id == user_id, own.account == account)
            if before_number is not None:
                query = query.where(own.number < before_number)
            rows = connection.execute(query.order_by(own.number.desc()).limit(_bounded(limit))).mappings()
            found = [cycle_from_row(row) for row in rows]
            return [_with_books(connection, user_id, account, cycle) for cycle in found]

    def events(
        self, user_id: int, *, after_id: int = 0, limit: int = 100, account: str | None = None
    ) -> list[EventRow]:
        """Lines of the feed after `after_id`, oldest first: what a live page has not shown yet."""
        own = events.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(events).where(own.user_id == user_id, own.account == account, own.id > after_id)
            rows = connection.execute(query.order_by(own.id).limit(_bounded(limit))).mappings()
            return [EventRow(id=row["id"], event=event_from_row(row)) for row in rows]

    def latest_events(self, user_id: int, *, limit: int = 100, account: str | None = None) -> list[EventRow]:
        """The newest lines of the feed, oldest first: what a page shows when it opens."""
        own = events.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(events).where(own.user_id == user_id, own.account == account)
            rows = connection.execute(query.order_by(own.id.desc()).limit(_bounded(limit))).mappings().all()
            return [EventRow(id=row["id"], event=event_from_row(row)) for row in reversed(rows)]

    def equity(self, user_id: int, *, account: str | None = None) -> list[EquityPoint]:
        """One point per cycle that ended, in order."""
        own = cycles.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = (
                select(own.ended_ms, own.realised, own.fees, own.funding)
                .where(own.user_id == user_id, own.account == account, own.ended_ms.is_not(None))
                .order_by(own.ended_ms, own.number)
            )
            ended = [(row.ended_ms, row.realised - row.fees - row.funding) for row in connection.execute(query)]
        sums = accumulate(profit for _, profit in ended)
        return [EquityPoint(at, profit, total) for (at, profit), total in zip(ended, sums, strict=True)]

    def totals(self, user_id: int, *, account: str | None = None) -> Totals:
        """The books of the account. Summed in Python, because the database has no exact decimal numbers.

        Costs what has happened since the last call and the fills of the running cycle, however long the history is.
        """
        own = cycles.c
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            mine = (own.user_id == user_id, own.account == account)
            up_to, sums = self._ended.get((user_id, account), (0, Totals()))
            figures = select(own.number, own.realised, own.fees, own.funding, own.legs_filled)
            query = figures.where(*mine, own.ended_ms.is_not(None), own.number > up_to).order_by(own.number)
            ended = connection.execute(query).all()
            # What is listed late still corrects the newest ones: they are read anew each time.
            final = ended[-1].number - CLOSED_KEPT if ended else 0
            for row in ended:
                sums = sums.plus(row.realised, row.fees, row.funding, row.legs_filled, ended=1)
                if row.number <= final:
                    self._ended[(user_id, account)] = (row.number, sums)
            open_now = connection.execute(select(cycles).where(*mine, own.ended_ms.is_(None))).mappings()
            for cycle in [_with_books(connection, user_id, account, cycle_from_row(row)) for row in open_now]:
                sums = sums.plus(cycle.realised, cycle.fees, cycle.funding, cycle.legs_filled, ended=0)
        return sums


def _with_books(connection: Connection, user_id: int, account: str, cycle: Cycle) -> Cycle:
    """The cycle with its figures; those of a running one are not in its row yet."""
    if cycle.ended_ms is not None:
        return cycle
    books = _books(connection, user_id, account, cycle)
    return replace(
        cycle,
        realised=books.realised,
        fees=books.fees,
        funding=books.funding,
        legs_filled=len(books.leg_filled),
    )


def _books(connection: Connection, user_id: int, account: str, cycle: Cycle) -> Ledger:
    """The books of a running cycle, folded from its fills: its own row gets them when it ends."""
    own = fills.c
    query = select(fills).where(own.user_id == user_id, own.account == account, own.cycle == cycle.number)
    rows = connection.execute(query.order_by(own.at_ms, own.sequence, own.id)).mappings()
    return Ledger(side=cycle.settings.side).with_all(map(fill_from_row, rows))


def _account_in_use(connection: Connection, user_id: int) -> str:
    if (cycle := connection.execute(newest_open(user_id)).first()) is not None:
        return str(cycle.account)
    chosen = select(users.c.exchange, users.c.mode, users.c.testnet).where(users.c.id == user_id)
    row = connection.execute(chosen).first()
    return "" if row is None else account_name(row.exchange, row.mode, testnet=row.testnet)


def _bounded(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
