"""What the engine tells the outside after each call: `VenueEvent`s, in the order things happened.

The wire drains them after every engine call and pushes them to the websockets. A row is an immutable value.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from blitz.paper.engine.accounts import SymbolSettings
from blitz.paper.engine.executions import Execution
from blitz.paper.engine.orders import Order, Side
from blitz.paper.engine.positions import Position, Wallet


class EventKind(StrEnum):
    """Which topic the event belongs to. The first five belong to an account, the others to everybody."""

    ORDER = "order"
    EXECUTION = "execution"
    POSITION = "position"
    WALLET = "wallet"
    SETTINGS = "settings"
    """Leverage or margin mode of a symbol changed; only at houses that report it."""
    TRADE = "trade"
    TICKER = "ticker"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """A print on the public tape. `side` is the taker's."""

    trade_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    at_ms: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """The last or the mark price of a symbol changed; ask the venue for the full ticker, book and bars."""

    symbol: str
    last_price: Decimal
    mark_price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """What an account has chosen for a symbol from now on."""

    symbol: str
    settings: SymbolSettings
    is_isolated: bool


EventRow = Order | Execution | Position | Wallet | SettingsChange | PublicTrade | PriceChange


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueEvent:
    """One thing that happened. `account` is the API key, or None for public events."""

    kind: EventKind
    account: str | None
    row: EventRow
    at_ms: int


class EventLog:
    """Collects events until they are drained. The caller drains after each engine call, so it stays short."""

    def __init__(self) -> None:
        self._events: list[VenueEvent] = []

    def add(self, kind: EventKind, account: str | None, row: EventRow, at_ms: int) -> None:
        """Append one event."""
        self._events.append(VenueEvent(kind=kind, account=account, row=row, at_ms=at_ms))

    def drain(self) -> list[VenueEvent]:
        """Hand out everything collected since the last call."""
        events, self._events = self._events, []
        return events
