"""`VenueHost`: the venue together with its clock, faults, limits, streams and state file.

Everything that changes the venue (requests, feeds, control) goes through here, on the one loop thread, and ends in
`settle`: save what changed, then hand out the events. Nothing is answered before it is saved.
"""

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from blitz.paper.engine import Account, EventKind, HouseName, Venue, VenueEvent
from blitz.paper.wire.faults import FaultBoard, FaultKind
from blitz.paper.wire.limit_tables import BINGX_LIMITS
from blitz.paper.wire.limits import RateLimits
from blitz.paper.wire.paper_clock import PaperClock
from blitz.paper.wire.stopwatch import Stopwatch
from blitz.paper.wire.views import AccountView, ViewHistory

log = logging.getLogger(__name__)

ACCOUNT_KINDS = frozenset(
    {EventKind.ORDER, EventKind.EXECUTION, EventKind.POSITION, EventKind.WALLET, EventKind.SETTINGS}
)
LAG = frozenset({FaultKind.LAG})
VANISH = frozenset({FaultKind.VANISH})
FORGET = frozenset({FaultKind.FORGET})


class EventSink(Protocol):
    """Who is told about events: the websocket streams."""

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Send private events, and public updates for every symbol they mention."""

    def listens(self, account: str) -> bool:
        """Whether anybody is told of this account's events here."""

    def refresh(self, symbol: str) -> None:
        """Bring public topics of a symbol up to date, after prices that were not published one by one."""


class StateStore(Protocol):
    """Where the venue survives the process."""

    def save(self, venue: Venue, changed: Sequence[str], now_ms: int, cursor: int, *, with_bars: bool = False) -> None:
        """Write the named accounts and the venue's own state, durably, before returning. Price bars only on demand."""


class VenueHost:
    """Holds the parts together; decides nothing about trading."""

    def __init__(self, venue: Venue, clock: PaperClock, *, enforce_limits: bool, store: StateStore | None) -> None:
        self.venue = venue
        self.clock = clock
        self.limits = RateLimits(enforced=enforce_limits)
        """Bybit's counters."""
        self.bingx_limits = RateLimits(BINGX_LIMITS, enforced=enforce_limits)
        self.faults = FaultBoard()
        self.stopwatch = Stopwatch()
        self.cursor: Callable[[], int] = lambda: 0
        """How many points of a replay were played; set by the replay, saved with the state."""
        self._store = store
        self._unsaved: dict[str, None] = {}
        self._funding_due_ms = 0
        self._views = ViewHistory()
        self._sinks: list[EventSink] = []

    def attach(self, sink: EventSink) -> None:
        """Tell `sink` about every event from now on."""
        self._sinks.append(sink)

    def limits_of(self, house: HouseName) -> RateLimits:
        """The counters of one exchange's door."""
        return self.bingx_limits if house is HouseName.BINGX else self.limits

    def all_limits(self) -> tuple[RateLimits, RateLimits]:
        """The counters of both."""
        return self.limits, self.bingx_limits

    # -- changes
    def settle(self) -> list[VenueEvent]:
        """Save what the last engine calls changed and return their events, still to be published."""
        events = self.venue.drain_events()
        changed = self.venue.drain_changed_accounts()
        if changed:
            self.save(changed)
            if self.faults.in_force(LAG):
                self.capture(changed)
        return events

    def save(self, changed: Sequence[str], *, with_bars: bool = False) -> None:
        """Write accounts and the venue's state to the state file, if there is one.

        When that fails (a full disk) the request fails too, and the accounts are written with the next save.
        """
        if self._store is None:
            return
        self._unsaved.update(dict.fromkeys(changed))
        self._store.save(self.venue, list(self._unsaved), self.clock.now_ms(), self.cursor(), with_bars=with_bars)
        self._unsaved.clear()

    def publish(self, events: Sequence[VenueEvent]) -> None:
        """Send events to the streams."""
        filled = self._filled(events) if self.stopwatch.runs else []
        for key in filled:
            self.stopwatch.filled(key)
        for sink in self._sinks:
            sink.publish(events)
        for key in filled:
            if not self._hears(key):  # an account without a link could have asked from now on
                self.stopwatch.told(key)

    def _filled(self, events: Sequence[VenueEvent]) -> list[str]:
        return [event.account for event in events if event.kind is EventKind.EXECUTION and event.account is not None]

    def _hears(self, account: str) -> bool:
        return any(sink.listens(account) for sink in self._sinks)

    def refresh(self, symbol: str) -> None:
        """Show listeners where a symbol stands."""
        for sink in self._sinks:
            sink.refresh(symbol)

    def move_price(
        self, symbol: str, price: Decimal, *, sweep: bool, volume: Decimal = Decimal(0), quiet: bool = False
    ) -> list[VenueEvent]:
        """Play one price at the present venue time, funding that fell due first; publish and return the events.

        `quiet` keeps public updates back: a replay at full speed would drown its listeners.
        """
        now_ms = self.clock.now_ms()
        self._settle_funding(now_ms)
        self.venue.move_price(symbol, price, now_ms, sweep=sweep, volume=volume)
        events = self.settle()
        self.publish([event for event in events if event.kind in ACCOUNT_KINDS] if quiet else events)
        return events

    def pass_time(self) -> list[VenueEvent]:
        """Let the venue notice that time went on: funding that fell due is charged."""
        self._settle_funding(self.clock.now_ms())
        events = self.settle()
        self.publish(events)
        return events

    def _settle_funding(self, now_ms: int) -> None:
        """Call the engine only when a charge is due: prices come many times a second, funding every few hours."""
        if now_ms >= self._funding_due_ms:
            self.venue.settle_funding(now_ms)
            symbols = self.venue.instruments
            self._funding_due_ms = min(self.venue.next_funding_ms(symbol, now_ms) for symbol in symbols)

    # -- what reads may see
    def capture(self, keys: Sequence[str]) -> None:
        """Remember how these accounts look now, for lagging reads."""
        now_ms = self.clock.now_ms()
        for key in keys:
            account = self.venue.account(key)
            if account is not None:
                self._views.capture(self.venue, account, now_ms)

    def forget_captures(self) -> None:
        """Drop what was remembered once no lag rule is left."""
        if not self.faults.in_force(LAG):
            self._views.clear()

    def view(self, account: Account, endpoint: str | tuple[str, ...], symbol: str) -> AccountView:
        """What a read of this endpoint sees now, injected lag and vanishing included."""
        now_ms = self.clock.now_ms()
        view = AccountView.present(account)
        lag = self.faults.strike(LAG, account.key, endpoint, symbol)
        if lag is not None:
            view = self._views.at(account.key, now_ms - lag.delay_ms) or view
        vanished = self.faults.strike(VANISH, account.key, endpoint, symbol)
        if vanished is not None:
            view = view.without_recently_closed(now_ms - vanished.delay_ms)
        forgotten = self.faults.strike(FORGET, account.key, endpoint, symbol)
        if forgotten is not None:
            view = view.without_old_history(now_ms - forgotten.delay_ms)
        return view
