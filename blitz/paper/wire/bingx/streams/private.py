"""The private stream: what happens to one account, as BingX tells it. Nobody subscribes; a listen key is enough.

The engine reports a fill and then the order as it stands; BingX tells both in one ORDER_TRADE_UPDATE, and afterwards
balance and positions in one ACCOUNT_UPDATE.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from blitz.paper.engine import (
    Account,
    EventKind,
    ExecType,
    Execution,
    Order,
    OrderStatus,
    Position,
    SettingsChange,
    VenueEvent,
    Wallet,
)
from blitz.paper.wire.bingx.streams.frames import zipped
from blitz.paper.wire.bingx.streams.rows import account_event, config_event, order_event, trade_event
from blitz.paper.wire.streams.connection import Connection
from blitz.paper.wire.streams.links import PrivateLinks
from blitz.paper.wire.text import JsonObject

ORDER_NAMES = (EventKind.ORDER.value,)
FILL_NAMES = (EventKind.EXECUTION.value, EventKind.ORDER.value)
ACCOUNT_NAMES = (EventKind.POSITION.value, EventKind.WALLET.value)
SETTINGS_NAMES = (EventKind.SETTINGS.value,)
Told = tuple[tuple[str, ...], str, JsonObject]
"""Names for fault rules, symbol, message."""


class BingxPrivateStreams(PrivateLinks):
    """The links that a listen key opened."""

    garbage = '{"e":"ORDER_TRADE_UPDATE","o":{"s"'

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Send each account its events, in order."""
        if not self.links:
            return
        owned: dict[str, list[VenueEvent]] = {}
        for event in events:
            if event.account is not None and event.account in self.links:
                owned.setdefault(event.account, []).append(event)
        for key, happened in owned.items():
            for names, symbol, message in told(happened):
                send_odd = partial(self._send, odd(message), key) if "o" in message else None
                self.deliver(key, names, symbol, partial(self._send, message, key), send_odd)

    def push_account(self, account: Account, connection: Connection) -> None:
        """Send one link the balance and all positions as they stand."""
        wallet, positions = self.host.venue.wallet(account), self.host.venue.positions(account)
        message = account_event("INIT", wallet, positions, Decimal(0), self.host.clock.now_ms())
        connection.send_bytes(zipped(message))

    def _send(self, message: JsonObject, key: str) -> None:
        frame = zipped(message)
        for link in self.links.get(key, ()):
            link.send_bytes(frame)


def odd(message: JsonObject) -> JsonObject:
    """An order event as BingX has been seen to garble it: a status of no meaning, no time."""
    return {**message, "T": 0, "o": {**message["o"], "X": "Unknown", "T": 0}}


def told(events: Sequence[VenueEvent]) -> Iterator[Told]:
    """What one account hears of the events of one moment."""
    for place, event in enumerate(events):
        row = event.row
        if isinstance(row, Execution) and row.exec_type is not ExecType.FUNDING:
            order, value_so_far = _order_after(events[place:], row)
            yield FILL_NAMES, row.symbol, trade_event(order, row, value_so_far, event.at_ms)
        elif isinstance(row, Order) and not _is_told_by_a_fill(events[:place], row):
            yield ORDER_NAMES, row.symbol, order_event(row, event.at_ms)
        elif isinstance(row, SettingsChange):
            yield (
                SETTINGS_NAMES,
                row.symbol,
                config_event(row.symbol, row.settings, isolated=row.is_isolated, at_ms=event.at_ms),
            )
    yield from _account_told(events)


def _order_after(events: Sequence[VenueEvent], fill: Execution) -> tuple[Order, Decimal]:
    """The order a fill belongs to as it stands after it, and its value up to and with the fill.

    The engine reports the order after all fills that it got at once, so those behind this one are taken off again.
    """
    later = Decimal(0)
    for event in events[1:]:
        row = event.row
        if isinstance(row, Execution) and row.order_id == fill.order_id:
            later += row.value
        elif isinstance(row, Order) and row.order_id == fill.order_id:
            return row, row.filled_value - later
    raise AssertionError(f"the order of fill {fill.exec_id} was not reported")


def _is_told_by_a_fill(before: Sequence[VenueEvent], order: Order) -> bool:
    """Whether this state of an order was in the event of its last fill already, or is one that BingX never shows."""
    if order.status is OrderStatus.TRIGGERED:
        return True
    if order.status not in (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED):
        return False
    for event in reversed(before):
        row = event.row
        if isinstance(row, Execution) and row.order_id == order.order_id:
            return True
        if isinstance(row, Order) and row.order_id == order.order_id:
            return False
    return False


def _account_told(events: Sequence[VenueEvent]) -> Iterator[Told]:
    """Balance and the positions that were touched, when money or size moved."""
    wallets = [event for event in events if isinstance(event.row, Wallet)]
    if not wallets:
        return
    fills = [event.row for event in events if isinstance(event.row, Execution)]
    positions = {(row.symbol, row.position_idx): row for event in events if isinstance(row := event.row, Position)}
    funded = any(fill.exec_type is ExecType.FUNDING for fill in fills)
    reason = ("FUNDING_FEE" if funded else "ORDER") if fills else "DEPOSIT"
    change = sum((-fill.fee if fill.exec_type is ExecType.FUNDING else fill.realised for fill in fills), Decimal(0))
    last = wallets[-1]
    assert isinstance(last.row, Wallet)
    symbol = next(iter(positions))[0] if positions else ""
    yield ACCOUNT_NAMES, symbol, account_event(reason, last.row, positions.values(), change, last.at_ms)
