"""`Venue`: the whole paper exchange behind one door, synchronous and without a clock.

The wire (REST, websockets, feeds, persistence) calls these methods from one thread at a time, passes the venue
time with each call and drains the events afterwards. Rules live in the modules next door. No I/O, no threads.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice

from blitz.paper.engine.account_desk import AccountDesk
from blitz.paper.engine.accounts import Account, KeyFacts, SymbolSettings
from blitz.paper.engine.admission import check_position_idx
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.book import Book, BookShape
from blitz.paper.engine.codec import Row
from blitz.paper.engine.events import EventKind, PriceChange, PublicTrade, VenueEvent
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.funding import Funding, funding_rate, next_funding_ms
from blitz.paper.engine.houses import BYBIT, House
from blitz.paper.engine.identity import IdSource
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.klines import INTERVALS_MS, Bar, Kline
from blitz.paper.engine.liquidation import Liquidation
from blitz.paper.engine.margin import position_report, wallet_report
from blitz.paper.engine.market import Market
from blitz.paper.engine.matching import Matcher
from blitz.paper.engine.order_desk import OrderDesk
from blitz.paper.engine.orders import ZERO, AmendRequest, IdRegime, Order, OrderRequest, Side, TradingStopRequest
from blitz.paper.engine.position_stops import PositionStops
from blitz.paper.engine.positions import Position, Wallet
from blitz.paper.engine.price_path import PriceMover
from blitz.paper.engine.refusals import PARAMETER_ERROR, PRICE_OUT_OF_RANGE, SnapshotProblem, VenueRefusal
from blitz.paper.engine.registry import Registry
from blitz.paper.engine.settlement import Settlement
from blitz.paper.engine.snapshot import (
    account_history,
    account_state,
    check_version,
    restore_account,
    restore_market,
    venue_state,
)
from blitz.paper.engine.tickers import FundingRate, Ticker

KLINES_MAX = 1000
"""Rows one kline query returns at most."""


class Venue:
    """All accounts, all markets. Every refusal is a `VenueRefusal`; after one nothing has changed."""

    def __init__(
        self, instruments: Sequence[Instrument], *, id_regime: IdRegime = IdRegime.NEVER, seed: int = 0
    ) -> None:
        self.instruments: dict[str, Instrument] = {instrument.symbol: instrument for instrument in instruments}
        markets = {symbol: _opened(instrument) for symbol, instrument in self.instruments.items()}
        self._floor = floor = Floor(markets=markets, ids=IdSource(seed), id_regime=id_regime)
        self._registry = registry = Registry(floor)
        self._settlement = settlement = Settlement(floor, registry)
        self._stops = PositionStops(floor, registry)
        self._liquidation = Liquidation(floor, registry, settlement)
        matcher = Matcher(floor, registry, settlement, self._stops)
        self._orders = OrderDesk(floor, registry, matcher)
        self._mover = PriceMover(floor, registry, matcher, self._liquidation)
        self._funding = Funding(floor, settlement)
        self._desk = AccountDesk(floor)

    # -- accounts ----------------------------------------------------------------------------------------

    @property
    def accounts(self) -> dict[str, Account]:
        """Every account by API key, in the order they were opened."""
        return self._floor.accounts

    @property
    def id_regime(self) -> IdRegime:
        """What happens to a client id that was seen before. May be set at any time."""
        return self._floor.id_regime

    @id_regime.setter
    def id_regime(self, regime: IdRegime) -> None:
        self._floor.id_regime = regime

    def open_account(self, key: str, secret: str, balance: Decimal, house: House = BYBIT) -> Account:
        """Open an account holding `balance` USDT; the same key and secret again changes nothing, another secret or
        house is refused (10003)."""
        return self._desk.open(key, secret, balance, house)

    def set_key_facts(self, account: Account, facts: KeyFacts) -> None:
        """Change what is told of an API key, and whether it may change anything."""
        account.key_facts = facts
        self._floor.changed[account.key] = None

    def account(self, key: str) -> Account | None:
        """The account of an API key."""
        return self._floor.accounts.get(key)

    def deposit(self, account: Account, amount: Decimal, now_ms: int) -> None:
        """Add USDT to the wallet, or (negative) take what is available; more than that is refused (110007)."""
        self._desk.deposit(account, amount, now_ms)

    def settings(self, account: Account, symbol: str) -> SymbolSettings:
        """Position mode and leverages of a symbol."""
        return self._floor.settings(account, symbol)

    def positions(self, account: Account, *, symbol: str = "", settle_coin: str = "") -> list[Position]:
        """With a symbol every slot of it, flat ones too (hedge: both sides); otherwise only open positions."""
        if symbol:
            slots = self._floor.settings(account, symbol).slots
            return [position_report(self._floor, account, symbol, position_idx) for position_idx in slots]
        if settle_coin not in ("", "USDT"):
            return []
        return [position_report(self._floor, account, *slot) for slot in account.open_slots()]

    def wallet(self, account: Account) -> Wallet:
        """The account's money at the current mark prices."""
        return wallet_report(self._floor, account)

    def set_leverage(self, account: Account, symbol: str, buy: Decimal, sell: Decimal, now_ms: int) -> None:
        """Set leverage. Unchanged 110043, above the limit 110013, below 1 or off the step 10001, no margin 110012."""
        self._desk.set_leverage(account, symbol, buy, sell, now_ms)
        self._mover.settle(self._floor.market(symbol), now_ms)

    def switch_position_mode(
        self, account: Account, *, symbol: str | None, coin: str | None, hedge: bool, now_ms: int
    ) -> None:
        """Switch a symbol or coin to hedge or one-way. With a position 110024, with orders 110028, unchanged 110025."""
        self._desk.switch_position_mode(account, symbol=symbol, coin=coin, hedge=hedge, now_ms=now_ms)

    def set_margin_mode(self, account: Account, *, isolated: bool, now_ms: int) -> None:
        """Switch the account between isolated and cross. Unchanged 110026, without the margin for it 3400045."""
        self._desk.set_margin_mode(account, isolated=isolated, now_ms=now_ms)
        for symbol, _ in account.open_slots():
            self._mover.settle(self._floor.market(symbol), now_ms)

    def set_symbol_margin_mode(self, account: Account, symbol: str, *, isolated: bool, now_ms: int) -> None:
        """Switch one symbol between isolated and cross. Unchanged 110026, without the margin for it 3400045."""
        self._desk.set_symbol_margin_mode(account, symbol, isolated=isolated, now_ms=now_ms)
        self._mover.settle(self._floor.market(symbol), now_ms)

    def terms(self, account: Account, symbol: str) -> Instrument:
        """A listed market on the terms of the account's house."""
        return self._floor.terms(account, symbol)

    # -- orders ------------------------------------------------------------------------------------------

    def place_order(self, account: Account, request: OrderRequest, now_ms: int) -> Order:
        """Accept an order and trade what trades at once. Returns its state afterwards (it may have ended already)."""
        order = self._orders.place(account, request, now_ms)
        return self._settled(account, order, now_ms)

    def amend_order(self, account: Account, request: AmendRequest, now_ms: int) -> Order:
        """Change an open order. Not found or ended 110001, no change 10001, quantity at most the filled 110064."""
        order = self._orders.amend(account, request, now_ms)
        return self._settled(account, order, now_ms)

    def cancel_order(
        self, account: Account, symbol: str, order_id: str | None, link_id: str | None, now_ms: int
    ) -> Order:
        """End an open order; one that is not open is refused (110001)."""
        return self._orders.cancel(account, symbol, order_id or "", link_id or "", now_ms)

    def cancel_all(
        self, account: Account, symbol: str | None, settle: str | None, order_filter: str | None, now_ms: int
    ) -> list[Order]:
        """End every open order of a symbol or settle coin: all kinds, or those the filter names."""
        return self._orders.cancel_all(account, symbol, settle, order_filter, now_ms)

    def set_trading_stop(self, account: Account, request: TradingStopRequest, now_ms: int) -> None:
        """Set, move or remove the take-profit and stop-loss of a position. No position 10001, no change 34040."""
        self._floor.market(request.symbol)
        check_position_idx(self._floor, account, request.symbol, request.position_idx)
        self._stops.set(account, request, now_ms)

    def _settled(self, account: Account, order: Order, now_ms: int) -> Order:
        self._mover.settle(self._floor.market(order.symbol), now_ms)
        return account.open.get(order.order_id, order)

    # -- prices and time ---------------------------------------------------------------------------------

    def move_price(self, symbol: str, price: Decimal, now_ms: int, *, sweep: bool, volume: Decimal = ZERO) -> None:
        """Bring a market to a new last price. `sweep`: every price on the way trades, as inside a bar; otherwise it
        is a gap, and stops fill at the new price. `volume` in base coin only feeds bars and tape. A price off the tick
        is refused (10001), one out of range too (110003). The same price again is a move: it touches resting orders.
        """
        market = self._floor.market(symbol)
        _check_market_price(market.instrument, price)
        taker = Side.BUY if price >= market.last else Side.SELL
        market.bars.record(price, volume, now_ms)
        self._mover.move_last(market, price, now_ms, sweep=sweep)
        self._floor.print_trade(market, taker, price, max(volume, market.instrument.min_quantity), now_ms)
        self._announce(market, now_ms)

    def quiet_range(self, symbol: str) -> tuple[Decimal, Decimal | None]:
        """(low, high): while last stays strictly between them no order, trigger or liquidation can happen. (0, None)
        when nothing waits. Funding is apart: see `next_funding_ms`."""
        return self._floor.market(symbol).quiet_range()

    def pass_quiet_bar(
        self, symbol: str, start_ms: int, prices: tuple[Decimal, Decimal, Decimal, Decimal], volume: Decimal = ZERO
    ) -> None:
        """Record a whole minute bar (open, high, low, close) that stays strictly inside `quiet_range`. Emits nothing.

        The fast way through a replay: the caller has compared high and low with the quiet range already.
        """
        market = self._floor.markets[symbol]
        market.bars.record_bar(Bar.whole(start_ms, prices, volume))
        market.last = prices[3]

    def record_past(
        self, symbol: str, bars: Iterable[tuple[int, tuple[Decimal, Decimal, Decimal, Decimal], Decimal]]
    ) -> None:
        """Give a market that has no bars yet a past: start in ms, (open, high, low, close), base volume; oldest first.

        Nothing trades and nothing is told; the last price stays where it is.
        """
        history = self._floor.market(symbol).bars
        if any(True for _ in history.minutes.all()):
            return
        for start_ms, prices, volume in bars:
            history.record_bar(Bar.whole(start_ms, prices, volume))

    def set_mark(self, symbol: str, mark: Decimal | None, now_ms: int) -> None:
        """Set the mark price apart from last; None lets it follow last again. Mark triggers and liquidations happen."""
        market = self._floor.market(symbol)
        if mark is not None and not (mark.is_finite() and 0 < mark <= market.instrument.max_price):
            raise VenueRefusal(PRICE_OUT_OF_RANGE, "mark price exceeds the allowable range")
        self._mover.move_mark(market, mark, now_ms)
        for key in tuple(market.holders):
            rearm(self._floor, self._floor.accounts[key])
        self._announce(market, now_ms)

    def _announce(self, market: Market, now_ms: int) -> None:
        change = PriceChange(
            symbol=market.instrument.symbol, last_price=market.last, mark_price=market.mark, at_ms=now_ms
        )
        self._floor.events.add(EventKind.TICKER, None, change, now_ms)

    def set_funding_rate(self, symbol: str, rate: Decimal | None) -> None:
        """Fix the rate of the coming funding settlements; None returns to the formula."""
        if rate is not None and not (rate.is_finite() and abs(rate) < 1):
            raise VenueRefusal(PARAMETER_ERROR, "params error: rate invalid")
        self._floor.market(symbol).funding_rate_fixed = rate

    def settle_funding(self, now_ms: int) -> None:
        """Charge the funding times that have passed since the last call. The very first call only notes the time."""
        if self._funding.settle(now_ms):
            for market in self._floor.markets.values():
                self._mover.settle(market, now_ms)

    def next_funding_ms(self, symbol: str, now_ms: int) -> int:
        """When funding of a symbol is due next."""
        return next_funding_ms(self._floor.market(symbol), now_ms)

    # -- what faults and control calls may do ------------------------------------------------------------

    def set_book(
        self, symbol: str, *, first_level_notional: Decimal | None = None, spread_ticks: int | None = None
    ) -> None:
        """Reshape the synthetic book: depth of the best level in USDT, distance of ask from bid in ticks."""
        market = self._floor.market(symbol)
        notional = market.shape.first_level_notional if first_level_notional is None else first_level_notional
        ticks = market.shape.spread_ticks if spread_ticks is None else spread_ticks
        if not (notional.is_finite() and notional > 0 and ticks >= 0):
            raise VenueRefusal(PARAMETER_ERROR, "params error: book shape invalid")
        market.shape = BookShape(first_level_notional=notional, spread_ticks=ticks)

    def set_max_fill(self, account: Account, quantity: Decimal | None) -> None:
        """Let each touch of a resting order of the account fill at most `quantity` (on the step); None: all of it."""
        if quantity is None:
            self._floor.max_fills.pop(account.key, None)
        elif quantity.is_finite() and quantity > 0:
            self._floor.max_fills[account.key] = quantity
        else:
            raise VenueRefusal(PARAMETER_ERROR, "params error: quantity invalid")

    def deleverage(self, account: Account, symbol: str, position_idx: int, quantity: Decimal, now_ms: int) -> None:
        """Reduce a position at the mark price without a fee, as auto-deleveraging does (AdlTrade)."""
        self._liquidation.deleverage(account, symbol, position_idx, quantity, now_ms)
        self._mover.settle(self._floor.market(symbol), now_ms)

    # -- market data -------------------------------------------------------------------------------------

    def ticker(self, symbol: str, now_ms: int) -> Ticker:
        """Prices and 24-hour figures of a symbol."""
        market = self._floor.market(symbol)
        return market.ticker(funding_rate(market), next_funding_ms(market, now_ms), now_ms)

    def book(self, symbol: str, depth: int, now_ms: int) -> Book:
        """The synthetic book, best first."""
        return self._floor.market(symbol).book(depth, now_ms)

    def klines(
        self, symbol: str, interval: str, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int
    ) -> list[Kline]:
        """Bars newest first, at most `limit`: the newest up to `end_ms`, or, given only `start_ms`, from there on."""
        market = self._floor.market(symbol)
        if interval not in INTERVALS_MS:
            raise VenueRefusal(PARAMETER_ERROR, "params error: interval invalid")
        count = max(1, min(limit, KLINES_MAX))
        span_ms = INTERVALS_MS[interval] * count
        if end_ms is None:
            end_ms = now_ms if start_ms is None else start_ms + span_ms - 1
        earliest_ms = max(0, end_ms - span_ms)
        rows = market.bars.klines(interval, max(earliest_ms, start_ms or 0), end_ms, now_ms)
        return rows[::-1][:count]

    def recent_trades(self, symbol: str, limit: int) -> list[PublicTrade]:
        """The public tape, newest first."""
        return list(islice(reversed(self._floor.market(symbol).tape), limit))

    def funding_history(
        self, symbol: str, start_ms: int | None = None, end_ms: int | None = None, limit: int = 200
    ) -> list[FundingRate]:
        """Past funding rates, newest first."""
        rates = [
            rate
            for rate in reversed(self._floor.market(symbol).funding_rates)
            if (start_ms is None or rate.at_ms >= start_ms) and (end_ms is None or rate.at_ms <= end_ms)
        ]
        return rates[:limit]

    def last_price(self, symbol: str) -> Decimal:
        """The last price."""
        return self._floor.market(symbol).last

    def mark_price(self, symbol: str) -> Decimal:
        """The mark price."""
        return self._floor.market(symbol).mark

    # -- events and state --------------------------------------------------------------------------------

    def drain_events(self) -> list[VenueEvent]:
        """Everything that happened since the last call, in order. Call it after each engine call."""
        return self._floor.events.drain()

    def drain_changed_accounts(self) -> list[str]:
        """Keys of the accounts that changed since the last call, for saving only those."""
        changed, self._floor.changed = self._floor.changed, {}
        return list(changed)

    def account_state(self, account: Account) -> Row:
        """Everything of an account but its append-only lists. Holds the secret."""
        return account_state(account)

    def account_history(
        self, account: Account, *, closed_from: int = 0, executions_from: int = 0, closed_pnl_from: int = 0
    ) -> Row:
        """The append-only lists from the given indexes on, under "closed", "executions" and "closed_pnl"."""
        return account_history(
            account, closed_from=closed_from, executions_from=executions_from, closed_pnl_from=closed_pnl_from
        )

    def venue_state(self, *, with_bars: bool = True) -> Row:
        """Everything but the accounts. Bars are most of it."""
        return venue_state(self._floor, with_bars=with_bars)

    def snapshot(self, *, with_bars: bool = True) -> Row:
        """{"venue": venue_state, "accounts": [{"state": account_state, "history": account_history}, ...]}."""
        accounts = [
            {"state": self.account_state(a), "history": self.account_history(a)} for a in self.accounts.values()
        ]
        return {"venue": self.venue_state(with_bars=with_bars), "accounts": accounts}

    @classmethod
    def restore(cls, snapshot: Row, instruments: Sequence[Instrument]) -> "Venue":
        """Build the venue a snapshot describes; it continues exactly as the old one would have.

        Raises SnapshotProblem when the snapshot is of another version or damaged.
        """
        try:
            return cls._restored(snapshot, instruments)
        except (KeyError, TypeError, ValueError, IndexError, ArithmeticError, AttributeError, VenueRefusal) as problem:
            if isinstance(problem, SnapshotProblem):
                raise
            raise SnapshotProblem(f"the stored state cannot be read: {problem!r}") from problem

    @classmethod
    def _restored(cls, snapshot: Row, instruments: Sequence[Instrument]) -> "Venue":
        stored = snapshot["venue"]
        check_version(stored)
        venue = cls(instruments, id_regime=IdRegime(stored["id_regime"]), seed=int(stored["seed"]))
        venue._floor.ids.counter = int(stored["counter"])
        venue._floor.max_fills = {key: Decimal(text) for key, text in stored["max_fills"].items()}
        for symbol, row in stored["markets"].items():
            restore_market(venue._floor.market(symbol), row)
        for account in snapshot["accounts"]:
            restore_account(venue._floor, venue._registry, account["state"], account["history"])
        for market in venue._floor.markets.values():
            held = {key: venue.accounts.get(key) for key in market.holders}
            market.holders = {
                key: None
                for key, account in held.items()
                if account is not None and any(symbol == market.instrument.symbol for symbol, _ in account.open_slots())
            }
        return venue


def _opened(instrument: Instrument) -> Market:
    shape = BookShape(first_level_notional=instrument.first_level_notional)
    return Market(instrument=instrument, shape=shape, last=instrument.start_price)


def _check_market_price(instrument: Instrument, price: Decimal) -> None:
    if not price.is_finite() or not instrument.min_price <= price <= instrument.max_price:
        raise VenueRefusal(PRICE_OUT_OF_RANGE, f"price {price} is outside the range of {instrument.symbol}")
    if not instrument.is_on_tick(price):
        message = f"price {price} is not a multiple of the tick {instrument.tick_size} of {instrument.symbol}"
        raise VenueRefusal(PARAMETER_ERROR, message)
