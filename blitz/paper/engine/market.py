"""One symbol's market: prices, book shape, bars, tape, and the index of everything that waits at a price.

State only; `price_path.py` moves it, `registry.py` keeps its order indexes in step with the accounts.
Mark and index price equal the last price, unless a control call set the mark apart.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from blitz.paper.engine.book import Book, BookShape
from blitz.paper.engine.events import PublicTrade
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.klines import DAY_MS, HOUR_MS, BarHistory
from blitz.paper.engine.levels import Level, LevelIndex
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, OrderType, Side, TriggerBy, TriggerDirection
from blitz.paper.engine.tickers import FundingRate, Ticker

TAPE_MAX = 1000
"""Public trades remembered per symbol."""
FUNDING_HISTORY_MAX = 1000
"""Past funding rates remembered per symbol."""


def _falling() -> LevelIndex:
    return LevelIndex(falls=True)


def _rising() -> LevelIndex:
    return LevelIndex(falls=False)


@dataclass(slots=True)
class Market:
    """Everything about one symbol that does not belong to an account."""

    instrument: Instrument
    shape: BookShape
    last: Decimal
    mark_apart: Decimal | None = None
    funding_rate_fixed: Decimal | None = None
    next_funding_ms: int = 0
    """0 until the market has been told the time."""
    open_interest: Decimal = ZERO
    """Sum of all position sizes, long and short."""
    update_id: int = 1
    bids: LevelIndex = field(default_factory=_falling)
    asks: LevelIndex = field(default_factory=_rising)
    last_fall: LevelIndex = field(default_factory=_falling)
    last_rise: LevelIndex = field(default_factory=_rising)
    mark_fall: LevelIndex = field(default_factory=_falling)
    mark_rise: LevelIndex = field(default_factory=_rising)
    alerts_below: LevelIndex = field(default_factory=_falling)
    alerts_above: LevelIndex = field(default_factory=_rising)
    alerts: dict[str, tuple[Level | None, Level | None]] = field(default_factory=dict)
    """Alerts set per account key, so that they can be taken back."""
    holders: dict[str, None] = field(default_factory=dict)
    """Keys of accounts with a position here, in the order they opened."""
    bars: BarHistory = field(default_factory=BarHistory)
    tape: deque[PublicTrade] = field(default_factory=lambda: deque(maxlen=TAPE_MAX))
    funding_rates: deque[FundingRate] = field(default_factory=lambda: deque(maxlen=FUNDING_HISTORY_MAX))

    @property
    def mark(self) -> Decimal:
        """The price positions are valued at."""
        return self.last if self.mark_apart is None else self.mark_apart

    def price(self, source: TriggerBy) -> Decimal:
        """The price a trigger watches. The index price is the last price."""
        return self.mark if source is TriggerBy.MARK else self.last

    def index_of(self, order: Order) -> tuple[LevelIndex, Decimal] | None:
        """Where an open order waits and at which price; None for one that does not wait."""
        if order.status is OrderStatus.UNTRIGGERED:
            falls = order.trigger_direction is TriggerDirection.FALL
            if order.trigger_by is TriggerBy.MARK:
                return (self.mark_fall if falls else self.mark_rise), order.trigger_price
            return (self.last_fall if falls else self.last_rise), order.trigger_price
        if order.status.is_open and order.order_type is OrderType.LIMIT:
            return (self.bids if order.side is Side.BUY else self.asks), order.price
        return None

    def quiet_range(self) -> tuple[Decimal, Decimal | None]:
        """The nearest prices below and above at which something waits; (0, None) when nothing does."""
        falling = [self.bids, self.last_fall]
        rising = [self.asks, self.last_rise]
        if self.mark_apart is None:
            falling += [self.mark_fall, self.alerts_below]
            rising += [self.mark_rise, self.alerts_above]
        lows = [price for index in falling if (price := index.nearest_price()) is not None]
        highs = [price for index in rising if (price := index.nearest_price()) is not None]
        return max(lows, default=ZERO), min(highs, default=None)

    def book(self, depth: int, now_ms: int) -> Book:
        """Draw the synthetic book."""
        bids = tuple(self.shape.levels(self.instrument, self.last, Side.BUY))[:depth]
        asks = tuple(self.shape.levels(self.instrument, self.last, Side.SELL))[:depth]
        return Book(symbol=self.instrument.symbol, bids=bids, asks=asks, update_id=self.update_id, at_ms=now_ms)

    def ticker(self, funding_rate: Decimal, next_funding_ms: int, now_ms: int) -> Ticker:
        """Report prices and the figures of the last 24 hours (to the hour)."""
        hours = self.bars.hours.between((now_ms - DAY_MS) // HOUR_MS * HOUR_MS, now_ms + 1)
        previous = hours[0].open if hours else self.last
        bid, bid_size = next(self.shape.levels(self.instrument, self.last, Side.BUY))
        ask, ask_size = next(self.shape.levels(self.instrument, self.last, Side.SELL))
        return Ticker(
            symbol=self.instrument.symbol,
            last_price=self.last,
            mark_price=self.mark,
            index_price=self.last,
            bid_price=bid,
            bid_size=bid_size,
            ask_price=ask,
            ask_size=ask_size,
            previous_price_24h=previous,
            change_24h=((self.last - previous) / previous).quantize(Decimal("0.000001")),
            high_24h=max((bar.high for bar in hours), default=self.last),
            low_24h=min((bar.low for bar in hours), default=self.last),
            volume_24h=sum((bar.volume for bar in hours), ZERO),
            turnover_24h=sum((bar.turnover for bar in hours), ZERO),
            open_interest=self.open_interest,
            open_interest_value=self.open_interest * self.mark,
            funding_rate=funding_rate,
            next_funding_ms=next_funding_ms,
        )
