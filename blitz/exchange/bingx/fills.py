"""What was traded and paid on one BingX account and market, put together from the lists that BingX keeps apart.

The fill history has trade ids, fees and roles, but neither client ids nor the reason why the venue itself traded; the
orders know the former, the list of forced orders the latter. Funding is in the account's money flow, without a side.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import ccxt

from blitz.core.calls import Refusal, Rejected
from blitz.core.orders import ZERO, Fill, FillKind, Side
from blitz.exchange.answers import Malformed
from blitz.exchange.bingx import rows as read
from blitz.exchange.bingx.codes import ENVELOPE, data_of, listed, rows_of
from blitz.exchange.rows import Row, identifier, milliseconds, number, text

PAGE = 1_000
PAGES_MAX = 40
"""A list that does not end after this many pages is not trusted."""
WINDOW_MS = 7 * 24 * 3_600_000 - 2_000
"""How much of the past one request covers."""
KNOWN_MAX = 2_000
"""Orders whose client ids are kept in memory; far more than a cycle has."""
HOUR_MS = 3_600_000
FUNDING_LAG_MS = 10 * 60_000
"""Funding is charged on the full hour and shows in the money flow some moments later."""
FORCED: Mapping[str, FillKind] = {"LIQUIDATION": FillKind.LIQUIDATION, "ADL": FillKind.ADL}


class TradeHistory:
    """Reads fills; remembers what it learnt of orders, so that each is asked for once. Used by one thread at a time."""

    def __init__(self, client: ccxt.Exchange, market: str, side: Side) -> None:
        self._client = client
        self._market = market
        self._side = side
        self._known: dict[str, tuple[str, FillKind]] = {}
        """Client id and kind of each order, the latest last; what fell out is asked for again."""
        self._paying: dict[int, Side] = {}
        """Which side paid at each funding: the longs when the rate was positive."""

    def note(self, order_id: str, client_id: str) -> None:
        """Remember an order of ours, so that its fills need no question."""
        self._remember(order_id, client_id, FillKind.TRADE)

    def _remember(self, order_id: str, client_id: str, kind: FillKind) -> None:
        self._known.pop(order_id, None)
        self._known[order_id] = client_id, kind
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def read(self, since_ms: int, now_ms: int, *, hedged: bool) -> tuple[Fill, ...]:
        """Every fill and funding payment of our side since then, oldest first; each once, though lists overlap."""
        found: dict[str, Fill] = {}
        for start, end in _windows(since_ms, now_ms):
            for row in self._pages(start, end):
                # One list holds both sides; a one-way account has a single one, whatever its rows call it.
                if not hedged or read.position_side(row) is self._side:
                    fill = self._told(row)
                    found.setdefault(fill.exec_id, fill)
            if _may_hold_funding(start, min(end, now_ms)):
                for fill in self._funding(start, end, hedged=hedged):
                    found.setdefault(fill.exec_id, fill)
        return tuple(sorted(found.values(), key=lambda fill: fill.moment))

    def order(self, wanted: Mapping[str, str]) -> Row | None:
        """The order that `wanted` names by one of its ids, alive or not; None when BingX knows no such order."""
        answer = _unless_gone(
            lambda: data_of(
                self._client.swap_v2_private_get_trade_order({"symbol": self._market, **wanted}),
            )
        )
        row = None if answer is None else answer.get("order")
        if answer is not None and not isinstance(row, Mapping):
            raise Malformed("The exchange's answer has no order.")
        return row

    def _pages(self, start: int, end: int) -> Iterator[Row]:
        """Rows of all pages. Raises `Malformed` when they are fewer than the list says that it has (A8)."""
        trade_ids: set[str] = set()
        for page in range(1, PAGES_MAX + 1):
            # Whether the bounds belong to the window is not documented; asked for generously, nothing falls between.
            query = {"symbol": self._market, "startTs": start - 1_000, "endTs": end + 1}
            answer = data_of(
                self._client.swap_v2_private_get_trade_fillhistory(query | {"pageIndex": page, "pageSize": PAGE})
            )
            total = int(number(answer, "total"))
            if total == 0 and answer.get("fill_history_orders") is None:
                return
            rows = rows_of(answer, "fill_history_orders")
            trade_ids |= {identifier(row, "tradeId") for row in rows}
            yield from rows
            if len(rows) < PAGE or len(trade_ids) >= total:
                if len(trade_ids) < total:
                    raise Malformed("The exchange's list is shorter than it says.")
                return
        raise Malformed("The exchange's list does not end.")

    def _told(self, row: Row) -> Fill:
        """A fill with what its order says of it."""
        order_id = identifier(row, "orderId")
        if order_id not in self._known:
            order = self.order({"orderId": order_id})
            client_id = "" if order is None else read.client_id(order)
            kind = FillKind.TRADE if client_id else self._forced(row, order_id)
            self._remember(order_id, client_id, kind)
        client_id, kind = self._known[order_id]
        return read.fill(row, client_id=client_id, kind=kind)

    def _forced(self, row: Row, order_id: str) -> FillKind:
        """Whether the venue itself sent this order. Such an order never has a client id."""
        at = read.moment(row, "filledTime")
        for word, kind in FORCED.items():
            query = {"symbol": self._market, "autoCloseType": word, "startTime": at - HOUR_MS, "endTime": at + HOUR_MS}
            answer = data_of(self._client.swap_v2_private_get_trade_forceorders(query | {"limit": 100}))
            if any(identifier(order, "orderId") == order_id for order in rows_of(answer, "orders")):
                return kind
        return FillKind.TRADE

    def _funding(self, start: int, end: int, *, hedged: bool) -> Iterator[Fill]:
        query = {"symbol": self._market, "incomeType": "FUNDING_FEE", "startTime": start, "endTime": end}
        rows = [
            row
            for row in listed(self._client.swap_v2_private_get_user_income(query | {"limit": PAGE}))
            if text(row, "incomeType") == "FUNDING_FEE" and text(row, "symbol") == self._market
        ]
        if len(rows) >= PAGE:
            raise Malformed("The exchange's list of payments is longer than one page.")
        for row in rows:
            income, charged_ms = number(row, "income"), _charged_ms(milliseconds(row, "time"))
            if income and (not hedged or self._side_of(charged_ms, income) is self._side):
                yield read.funding(row, self._side, charged_ms)

    def _side_of(self, charged_ms: int, income: Decimal) -> Side:
        """Which side of a hedge account a payment belongs to: both sides meet the same rate, one pays, one receives."""
        hour = charged_ms - charged_ms % HOUR_MS
        if hour not in self._paying:
            query = {"symbol": self._market, "startTime": hour - HOUR_MS, "endTime": hour + HOUR_MS, "limit": 100}
            for row in listed(self._client.swap_v2_public_get_quote_fundingrate(query)):
                charged = milliseconds(row, "fundingTime")
                self._paying[charged - charged % HOUR_MS] = Side.LONG if number(row, "fundingRate") > 0 else Side.SHORT
        if hour not in self._paying:
            raise Malformed("The exchange named no funding rate for a payment.")
        payer = self._paying[hour]
        receiver = Side.SHORT if payer is Side.LONG else Side.LONG
        return payer if income < ZERO else receiver


def _windows(since_ms: int, now_ms: int) -> Iterator[tuple[int, int]]:
    start = max(since_ms, 0)
    while start <= now_ms:
        yield start, start + WINDOW_MS
        start += WINDOW_MS + 1


def _may_hold_funding(start: int, end: int) -> bool:
    """Whether a full hour lies in the window, or so little before it that its payment shows only now."""
    return (start - FUNDING_LAG_MS) // HOUR_MS < end // HOUR_MS


def _charged_ms(listed_ms: int) -> int:
    """The full hour that a payment is for: a cycle that ended before it was listed has paid it all the same."""
    late_ms = listed_ms % HOUR_MS
    return listed_ms - late_ms if late_ms < FUNDING_LAG_MS else listed_ms


def _unless_gone(request: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The answer, or None when the venue says that it knows no such order."""
    try:
        return request()
    except ccxt.BaseError as problem:
        said = ENVELOPE.classified(problem)
        if isinstance(said, Rejected) and said.refusal is Refusal.GONE:
            return None
        raise
