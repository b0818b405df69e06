"""The trading floor: the state every rule of the engine works on, in one value.

Built by `Venue`, handed to the registry, the settlement, the matcher and the others. It holds no rules.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from blitz.paper.engine.accounts import Account, SymbolSettings
from blitz.paper.engine.events import EventKind, EventLog, EventRow, PublicTrade
from blitz.paper.engine.houses import HouseName
from blitz.paper.engine.identity import IdSource
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import IdRegime, Side
from blitz.paper.engine.refusals import PARAMETER_ERROR, VenueRefusal


@dataclass(slots=True)
class Floor:
    """Markets, accounts, ids and the event log of one venue."""

    markets: dict[str, Market]
    ids: IdSource
    id_regime: IdRegime
    accounts: dict[str, Account] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)
    changed: dict[str, None] = field(default_factory=dict)
    """Keys of accounts changed since somebody asked, in order of first change."""
    endangered: dict[str, str] = field(default_factory=dict)
    """Accounts whose newest alerts are reached already, with the symbol to look at. Empty between calls."""
    max_fills: dict[str, Decimal] = field(default_factory=dict)
    """Largest quantity one touch of a resting order fills, by account key."""
    _terms: dict[tuple[HouseName, str], Instrument] = field(default_factory=dict)

    def market(self, symbol: str) -> Market:
        """The market of a symbol; an unknown one is refused with 10001."""
        market = self.markets.get(symbol)
        if market is None:
            raise VenueRefusal(PARAMETER_ERROR, f"params error: symbol invalid {symbol}")
        return market

    def terms(self, account: Account, symbol: str) -> Instrument:
        """A listed market on the terms of the account's house."""
        terms = self._terms.get((account.house.name, symbol))
        if terms is None:
            terms = self._terms[account.house.name, symbol] = account.house.terms(self.market(symbol).instrument)
        return terms

    def new_id(self, account: Account, kind: str, sequence: int) -> str:
        """The id of something of the account, in the shape its house gives ids."""
        return self.ids.number(sequence) if account.house.numbers_ids else self.ids.uuid(kind, sequence)

    def settings(self, account: Account, symbol: str) -> SymbolSettings:
        """What the account chose for the symbol, or the defaults it starts with."""
        chosen = account.settings.get(symbol)
        if chosen is not None:
            return chosen
        leverage = self.market(symbol).instrument.default_leverage
        return SymbolSettings(is_hedge=account.default_is_hedge, buy_leverage=leverage, sell_leverage=leverage)

    def tell(self, account: Account, kind: EventKind, row: EventRow, now_ms: int) -> None:
        """Record a private event and that the account changed."""
        self.changed[account.key] = None
        self.events.add(kind, account.key, row, now_ms)

    def print_trade(self, market: Market, taker: Side, price: Decimal, size: Decimal, now_ms: int) -> None:
        """Put a trade on the public tape."""
        sequence = self.ids.sequence()
        trade = PublicTrade(
            trade_id=self.ids.uuid("trade", sequence), symbol=market.instrument.symbol, side=taker, price=price,
            size=size, at_ms=now_ms, sequence=sequence,
        )  # fmt: skip
        market.tape.append(trade)
        self.events.add(EventKind.TRADE, None, trade, now_ms)
