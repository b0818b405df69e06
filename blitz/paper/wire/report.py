"""`GET /__paper/state`: everything as the exchange itself sees it, for tests and people. Secrets are never in it."""

from decimal import Decimal
from typing import Any

from blitz.paper.engine import Account, ClosedPnl, Execution, Order, Position, Venue
from blitz.paper.wire.envelope import JsonObject
from blitz.paper.wire.rows import average, closed_pnl_row, execution_row, order_row, plain, position_row


def state_report(venue: Venue, now_ms: int, *, key: str = "", brief: bool = False) -> JsonObject:
    """All accounts, or the one named; `brief` leaves the lists of orders and executions out."""
    accounts = [account for account in venue.accounts.values() if key in ("", account.key)]
    prices = {symbol: venue.ticker(symbol, now_ms) for symbol in venue.instruments}
    return {
        "time": str(now_ms),
        "accounts": [account_report(venue, account, brief=brief) for account in accounts],
        "prices": {symbol: plain(ticker.last_price) for symbol, ticker in prices.items()},
        "marks": {symbol: plain(ticker.mark_price) for symbol, ticker in prices.items()},
    }


def account_report(venue: Venue, account: Account, *, brief: bool) -> JsonObject:
    """One account's books."""
    wallet = venue.wallet(account)
    figures = {
        "deposited": wallet.deposited,
        "wallet_balance": wallet.wallet_balance,
        "realised": wallet.realised,
        "fees": wallet.fees,
        "funding": wallet.funding,
        "unrealised": wallet.unrealised,
        "equity": wallet.equity,
        "available": wallet.available,
    }
    report: JsonObject = {
        "key": account.key,
        "margin_mode": "isolated" if account.is_isolated else "cross",
        **{name: plain(figure) for name, figure in figures.items()},
        "positions": [_position(position) for position in venue.positions(account)],
        "counts": {
            "open_orders": str(len(account.open)),
            "order_history": str(len(account.closed)),
            "executions": str(len(account.executions)),
        },
    }
    return report if brief else {**report, **_lists(account)}


def _lists(account: Account) -> JsonObject:
    return {
        "open_orders": [_order(order) for order in account.open_orders()],
        "order_history": [_order(order) for order in account.closed],
        "executions": [_execution(execution) for execution in account.executions],
        "closed_pnl": [_closed(closed) for closed in account.closed_pnl],
    }


def _order(order: Order) -> JsonObject:
    return _all_text({**order_row(order), "sequence": order.sequence})


def _execution(execution: Execution) -> JsonObject:
    own = {"realised": plain(execution.realised), "positionIdx": execution.position_idx}
    return _all_text({**execution_row(execution), **own})


def _closed(closed: ClosedPnl) -> JsonObject:
    return _all_text(closed_pnl_row(closed))


def _position(position: Position) -> JsonObject:
    return _all_text({**position_row(position), "averageExact": average(position.average_price)})


def _all_text(row: JsonObject) -> JsonObject:
    """Numbers as strings; truth values and nested objects stay."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int | Decimal) else value
