"""`GET /__paper/state`: everything as the exchange itself sees it, for tests and people. Secrets are never in it."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

from blitz.paper.engine import Account, ClosedPnl, Execution, Order, Position, Venue
from blitz.paper.wire.bybit.rows import closed_pnl_row, execution_row, order_row, position_row
from blitz.paper.wire.text import JsonObject, average, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much of the books a report shows."""

    key: str = ""
    """One account; empty is all of them."""
    brief: bool = False
    """No lists at all."""
    open_only: bool = False
    """Of the lists only the open orders: what a watcher who asks often can afford."""
    executions_from: int | None = None
    """With `open_only`: also the executions, without this many of the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One account's figures, and its lists copied but not yet written as rows."""

    figures: JsonObject
    open_orders: tuple[Order, ...] = ()
    closed_orders: tuple[Order, ...] = ()
    executions: tuple[Execution, ...] = ()
    closed_pnl: tuple[ClosedPnl, ...] = ()

    def rows(self, wanted: Wanted) -> JsonObject:
        """The account as the report shows it. Slow for a long history; touches nothing that changes."""
        if wanted.brief:
            return self.figures
        if wanted.open_only:
            watched = {**self.figures, "open_orders": [_order(order) for order in self.open_orders]}
            if wanted.executions_from is not None:
                watched["executions"] = [_execution(execution) for execution in self.executions]
            return watched
        still_open = [(order.sequence, _order(order)) for order in self.open_orders]
        ended = [(order.sequence, _order(order)) for order in self.closed_orders]
        executions = [_execution(execution) for execution in self.executions]
        return {
            **self.figures,
            # The same rows once more, not copies: a history may be long.
            "orders": [row for _, row in sorted(still_open + ended, key=itemgetter(0))],
            "open_orders": [row for _, row in still_open],
            "order_history": [row for _, row in ended],
            "executions": executions,
            "fills": executions,
            "closed_pnl": [_all_text(closed_pnl_row(closed)) for closed in self.closed_pnl],
        }


async def state_report(venue: Venue, now_ms: int, wanted: Wanted) -> JsonObject:
    """All accounts, or the one named, with as much of their lists as is wanted.

    Everything is copied at one moment; writing the rows, which may be many thousands, happens beside the loop.
    """
    chosen = [account for account in venue.accounts.values() if wanted.key in ("", account.key)]
    books = [_books(venue, account, wanted) for account in chosen]
    prices = {symbol: plain(venue.last_price(symbol)) for symbol in venue.instruments}
    marks = {symbol: plain(venue.mark_price(symbol)) for symbol in venue.instruments}
    accounts = await asyncio.to_thread(lambda: [one.rows(wanted) for one in books])
    return {"time": str(now_ms), "accounts": accounts, "prices": prices, "marks": marks}


def _books(venue: Venue, account: Account, wanted: Wanted) -> Books:
    figures = account_figures(venue, account)
    if wanted.brief:
        return Books(figures=figures)
    open_orders = tuple(account.open_orders())
    if wanted.open_only:
        recent = () if wanted.executions_from is None else tuple(account.executions[wanted.executions_from :])
        return Books(figures=figures, open_orders=open_orders, executions=recent)
    return Books(
        figures=figures,
        open_orders=open_orders,
        closed_orders=tuple(account.closed),
        executions=tuple(account.executions),
        closed_pnl=tuple(account.closed_pnl),
    )


def account_figures(venue: Venue, account: Account) -> JsonObject:
    """One account's money, positions and how long its lists are."""
    wallet = venue.wallet(account)
    figures = {
        "deposited": wallet.deposited,
        "balance": wallet.wallet_balance,
        "wallet_balance": wallet.wallet_balance,
        "realised": wallet.realised,
        "fees": wallet.fees,
        "funding": wallet.funding,
        "unrealised": wallet.unrealised,
        "equity": wallet.equity,
        "available": wallet.available,
    }
    return {
        "key": account.key,
        "exchange": account.house.name.value,
        "margin_mode": "isolated" if account.is_isolated else "cross",
        "isolated_symbols": list(account.isolated_symbols),
        **{name: plain(figure) for name, figure in figures.items()},
        "positions": [_position(position) for position in venue.positions(account)],
        "counts": {
            "open_orders": str(len(account.open)),
            "order_history": str(len(account.closed)),
            "executions": str(len(account.executions)),
        },
    }


def _order(order: Order) -> JsonObject:
    return _all_text({**order_row(order), "sequence": order.sequence})


def _execution(execution: Execution) -> JsonObject:
    own = {"realised": plain(execution.realised), "positionIdx": execution.position_idx}
    return _all_text({**execution_row(execution), **own})


def _position(position: Position) -> JsonObject:
    return _all_text({**position_row(position), "averageExact": average(position.average_price)})


def _all_text(row: JsonObject) -> JsonObject:
    """Numbers as strings; truth values and nested objects stay."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int | Decimal) else value
