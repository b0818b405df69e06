"""The paper exchange's engine: markets, matching, margin, money. Pure and synchronous.

The wire imports from here only. `Venue` is the one door; the other names are the values that pass through it.
No I/O, threads, clock or randomness: every method takes the venue time, and ids come from a seeded counter.
"""

from blitz.paper.engine.accounts import Account, KeyFacts, Lookup, SymbolSettings
from blitz.paper.engine.book import Book
from blitz.paper.engine.events import EventKind, PriceChange, PublicTrade, SettingsChange, VenueEvent
from blitz.paper.engine.executions import ClosedPnl, ExecType, Execution
from blitz.paper.engine.houses import BINGX, BYBIT, HOUSES, House, HouseName
from blitz.paper.engine.instruments import Instrument, RiskTier, default_instruments
from blitz.paper.engine.klines import INTERVALS_MS, Kline
from blitz.paper.engine.orders import (
    AmendRequest,
    IdRegime,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StopMode,
    StopOrderType,
    TimeInForce,
    TradingStopRequest,
    TriggerBy,
    TriggerDirection,
)
from blitz.paper.engine.positions import Position, Wallet
from blitz.paper.engine.refusals import SnapshotProblem, VenueRefusal
from blitz.paper.engine.tickers import FundingRate, Ticker
from blitz.paper.engine.venue import Venue

__all__ = [
    "BINGX",
    "BYBIT",
    "HOUSES",
    "INTERVALS_MS",
    "Account",
    "AmendRequest",
    "Book",
    "ClosedPnl",
    "EventKind",
    "ExecType",
    "Execution",
    "FundingRate",
    "House",
    "HouseName",
    "IdRegime",
    "Instrument",
    "KeyFacts",
    "Kline",
    "Lookup",
    "Order",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Position",
    "PriceChange",
    "PublicTrade",
    "RiskTier",
    "SettingsChange",
    "Side",
    "SnapshotProblem",
    "StopMode",
    "StopOrderType",
    "SymbolSettings",
    "Ticker",
    "TimeInForce",
    "TradingStopRequest",
    "TriggerBy",
    "TriggerDirection",
    "Venue",
    "VenueEvent",
    "VenueRefusal",
    "Wallet",
    "default_instruments",
]
