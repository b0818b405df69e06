"""One loaded market table per venue, shared by everybody.

Loading costs a request and megabytes; sharing costs nothing. The shared dictionaries are read-only by agreement: a
refresh loads a new master and swaps the reference.
"""

import threading
from dataclasses import dataclass

import ccxt

from blitz.clock import Clock
from blitz.core.instrument import Instrument
from blitz.errors import GatewayProblem
from blitz.exchange.answers import Malformed
from blitz.exchange.budget import NoTurn
from blitz.exchange.clients import Clients
from blitz.exchange.connection import Venue
from blitz.exchange.profiles import PROFILES

REFRESH_MS = 6 * 3_600_000


@dataclass(slots=True)
class _Table:
    master: ccxt.Exchange
    loaded_ms: int


class MarketTables:
    """Loads each venue's markets once and hands them to every client. Safe to use from many threads."""

    def __init__(self, clock: Clock, clients: Clients) -> None:
        self._clock = clock
        self._clients = clients
        self._tables: dict[Venue, _Table] = {}
        self._locks: dict[Venue, threading.Lock] = {}
        self._guard = threading.Lock()

    def master(self, venue: Venue) -> ccxt.Exchange:
        """The client that holds the venue's market table. Raises `GatewayProblem` when it cannot be loaded."""
        with self._guard:
            table = self._tables.get(venue)
            lock = self._locks.setdefault(venue, threading.Lock())
        if table is not None and self._clock.now_ms() - table.loaded_ms < REFRESH_MS:
            return table.master
        with lock:  # one load per venue, however many wait; the guard is never held over it
            table = self._tables.get(venue)
            if table is None or self._clock.now_ms() - table.loaded_ms >= REFRESH_MS:
                table = self._load(venue, table)
            return table.master

    def renew(self, venue: Venue, symbol: str, max_age_ms: int) -> Instrument | None:
        """The rules of a market from a table at most `max_age_ms` old; None when it does not list the market.

        Raises `GatewayProblem` when no such table can be had; the old one stays.
        """
        with self._guard:
            lock = self._locks.setdefault(venue, threading.Lock())
        with lock:
            table = self._tables.get(venue)
            if table is None or self._clock.now_ms() - table.loaded_ms >= max_age_ms:
                table = self._load(venue, None)
        return self.instrument(venue, symbol) if unified_symbol(symbol) in table.master.markets else None

    def share_with(self, client: ccxt.Exchange, venue: Venue) -> None:
        """Give `client` the venue's table."""
        client.set_markets_from_exchange(self.master(venue))

    def instrument(self, venue: Venue, symbol: str) -> Instrument:
        """The rules of a market. Raises `GatewayProblem` when the venue has no such market."""
        unified = unified_symbol(symbol)
        market = self.master(venue).markets.get(unified)
        if market is None or not market.get("swap"):
            raise GatewayProblem(f"{symbol} is not a USDT perpetual on {venue.exchange.value}.")
        try:
            return PROFILES[venue.exchange].instrument(market)
        except Malformed as problem:
            raise GatewayProblem(str(problem)) from problem

    def symbols(self, venue: Venue) -> list[str]:
        """Every USDT perpetual that trades, by its unified symbol."""
        markets = self.master(venue).markets
        return sorted(
            symbol for symbol, market in markets.items() if market.get("swap") and market.get("settle") == "USDT"
        )

    def _load(self, venue: Venue, old: _Table | None) -> _Table:
        master = self._clients.client(venue, self._clock)
        try:
            master.load_markets()
        except (ccxt.BaseError, NoTurn, TypeError, KeyError, ValueError) as problem:
            # ccxt stumbles over a half answer with whatever error comes first; none of them is a market table.
            if old is not None:
                old.loaded_ms = self._clock.now_ms()
                return old
            if isinstance(problem, NoTurn):
                raise
            raise GatewayProblem(
                f"The market list of {venue.exchange.value} ({venue.mode.value}) could not be read: "
                f"{type(problem).__name__}. Check that the exchange can be reached, then try again."
            ) from problem
        if not master.markets:
            raise GatewayProblem(f"{venue.exchange.value} ({venue.mode.value}) sent an empty market list.")
        table = _Table(master=master, loaded_ms=self._clock.now_ms())
        self._tables[venue] = table
        return table


def unified_symbol(symbol: str) -> str:
    """The perpetual that a stored symbol means: BTC/USDT is BTC/USDT:USDT here."""
    return symbol if ":" in symbol else f"{symbol}:USDT"
