"""What a trader may look back on: orders, fills, cycles, events, profit. Read only; used by web.

Every question is about one user and one account, so that paper profit and real profit are never added together. Without
one it is the account in use: where a cycle is open, or else what the user's settings name now.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection, func, literal, select

from blitz.core.ladder_settings import account_name
from blitz.core.ledger import Ledger
from blitz.core.orders import ZERO, BookedFill
from blitz.core.records import CLOSED_KEPT, BotEvent, Cycle, Slot, SlotState
from blitz.storage.database import Database
from blitz.storage.history_filters import EVER, CycleFilter, EventFilter, FillFilter, Span
from blitz.storage.journal import newest_open
from blitz.storage.paging import accounts_in, bounded, mine, page_by_key, page_by_time
from blitz.storage.rows import cycle_from_row, event_from_row, fill_from_row, slot_from_row
from blitz.storage.statistics import EndedCycle, EquityPoint, equity_curve
from blitz.storage.tables import cycles, events, fills, order_slots, users

ALL_CYCLES, ALL_FILLS, ALL_EVENTS = CycleFilter(), FillFilter(), EventFilter()


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

    def accounts(self, user_id: int) -> list[str]:
        """The accounts of the user: the one in use, then every other that has a history. Costs a look-up for each."""
        with self._db.read() as connection:
            in_use = _account_in_use(connection, user_id)
            known = {name for table in (cycles, fills, events) for name in accounts_in(connection, table, user_id)}
        return [in_use, *sorted(known - {in_use})]

    def fills(
        self,
        user_id: int,
        only: FillFilter = ALL_FILLS,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 100,
        account: str | None = None,
    ) -> list[FillRow]:
        """Booked fills, newest first: the newest ones, those before an id, or those right after one."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            whose, found, is_short = mine(fills, user_id, account), only.conditions(), only.cycle is not None
            rows = page_by_time(connection, fills, whose, found, before_id, after_id, limit, is_short=is_short)
            return [FillRow(id=row["id"], booked=fill_from_row(row)) for row in rows]

    def cycles(
        self,
        user_id: int,
        only: CycleFilter = ALL_CYCLES,
        *,
        before_number: int | None = None,
        after_number: int | None = None,
        limit: int = 100,
        account: str | None = None,
    ) -> list[Cycle]:
        """Cycles, newest first: the newest ones, those before a number, or those right after one.

        The running one is included, with the figures of its fills so far.
        """
        limit = bounded(limit)
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(cycles).where(*mine(cycles, user_id, account), *only.conditions())
            found: list[Cycle] = []
            while len(found) < limit:
                rows = page_by_key(connection, query, cycles.c.number, before_number, after_number, limit)
                batch = [cycle_from_row(row) for row in rows]
                fit = [_with_books(connection, user_id, account, cycle) for cycle in batch if only.admits(cycle)]
                found = [*fit, *found] if after_number is not None else [*found, *fit]
                if len(batch) < limit:
                    break
                # Only a profit that the database took for another sign leaves a place to fill.
                before_number = batch[-1].number if after_number is None else None
                after_number = None if after_number is None else batch[0].number
            return found[-limit:] if after_number is not None else found[:limit]

    def cycle(self, user_id: int, number: int, *, account: str | None = None) -> Cycle | None:
        """One cycle, or None when this account has none of that number."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(cycles).where(*mine(cycles, user_id, account), cycles.c.number == number)
            row = connection.execute(query).mappings().first()
            return None if row is None else _with_books(connection, user_id, account, cycle_from_row(row))

    def running(self, user_id: int, *, account: str | None = None) -> Cycle | None:
        """The cycle of the account that has not ended, with the figures of its fills so far."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = newest_open(user_id).where(cycles.c.account == account)
            row = connection.execute(query).mappings().first()
            return None if row is None else _with_books(connection, user_id, account, cycle_from_row(row))

    def symbols(self, user_id: int, *, account: str | None = None) -> list[str]:
        """Every market that a cycle of the account traded."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(cycles.c.symbol).where(*mine(cycles, user_id, account)).distinct()
            return sorted(connection.scalars(query))

    def event_page(
        self,
        user_id: int,
        only: EventFilter = ALL_EVENTS,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = 100,
        account: str | None = None,
    ) -> list[EventRow]:
        """Lines of the feed, newest first: the newest ones, those before a line, or those right after one."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            whose, found, is_short = mine(events, user_id, account), only.conditions(), only.cycle is not None
            rows = page_by_time(connection, events, whose, found, before_id, after_id, limit, is_short=is_short)
            return [EventRow(id=row["id"], event=event_from_row(row)) for row in rows]

    def events(
        self, user_id: int, *, after_id: int = 0, limit: int = 100, account: str | None = None
    ) -> list[EventRow]:
        """Lines of the feed after `after_id`, oldest first: what a live page has not shown yet."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(events).where(*mine(events, user_id, account))
            rows = page_by_key(connection, query, events.c.id, None, after_id, limit)
            return [EventRow(id=row["id"], event=event_from_row(row)) for row in reversed(rows)]

    def latest_events(self, user_id: int, *, limit: int = 100, account: str | None = None) -> list[EventRow]:
        """The newest lines of the feed, oldest first: what a page shows when it opens."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
            query = select(events).where(*mine(events, user_id, account))
            rows = page_by_key(connection, query, events.c.id, None, None, limit)
            return [EventRow(id=row["id"], event=event_from_row(row)) for row in reversed(rows)]

    def has_more_than(
        self, count: int, user_id: int, only: CycleFilter | FillFilter | EventFilter, *, account: str
    ) -> bool:
        """Whether a filter lets more rows through than `count`; it looks at no more than that."""
        table = {CycleFilter: cycles, FillFilter: fills, EventFilter: events}[type(only)]
        found = select(literal(1)).where(*mine(table, user_id, account), *only.conditions()).limit(count + 1)
        with self._db.read() as connection:
            return (connection.scalar(select(func.count()).select_from(found.subquery())) or 0) > count

    def ended(self, user_id: int, span: Span, *, account: str) -> list[EndedCycle]:
        """The cycles that ended in a span, oldest first, without their settings. Costs the cycles in it."""
        own = cycles.c
        names = (own.number, own.started_ms, own.ended_ms, own.end, own.realised, own.fees, own.funding)
        query = select(*names, own.legs_filled).where(
            *mine(cycles, user_id, account), own.ended_ms.is_not(None), *span.holds(own.ended_ms)
        )
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(own.ended_ms, own.number))
            return [EndedCycle(*row) for row in rows]

    def equity(self, user_id: int, span: Span = EVER, *, account: str | None = None) -> list[EquityPoint]:
        """One point per cycle that ended, in order."""
        with self._db.read() as connection:
            account = account or _account_in_use(connection, user_id)
        return equity_curve(self.ended(user_id, span, account=account))

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
