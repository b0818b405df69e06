"""Whatever a client and the market do: the books balance, reduce-only never flips, a restored venue goes on alike."""

import json
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.paper.engine import (
    Account,
    AmendRequest,
    ExecType,
    IdRegime,
    OrderRequest,
    OrderType,
    Side,
    StopMode,
    TimeInForce,
    TradingStopRequest,
    TriggerBy,
    TriggerDirection,
    Venue,
    VenueRefusal,
    default_instruments,
)

MINUTE_MS = 60_000
SYMBOLS = ("BTCUSDT", "ETHUSDT")
START = {"BTCUSDT": Decimal(60_000), "ETHUSDT": Decimal(3_000)}
STEP = {"BTCUSDT": Decimal("0.001"), "ETHUSDT": Decimal("0.01")}

tenths_of_percent = st.integers(min_value=-60, max_value=60)
symbols = st.sampled_from(SYMBOLS)
position_indexes = st.sampled_from((0, 0, 1, 2))

orders = st.fixed_dictionaries(
    {
        "do": st.just("place"),
        "symbol": symbols,
        "side": st.sampled_from((Side.BUY, Side.SELL)),
        "steps": st.integers(min_value=1, max_value=4000),
        "at": st.none() | tenths_of_percent,
        "trigger": st.none() | tenths_of_percent,
        "trigger_by": st.sampled_from((TriggerBy.LAST, TriggerBy.MARK)),
        "reduce_only": st.booleans(),
        "close_all": st.sampled_from((False, False, False, True)),
        "force": st.sampled_from(tuple(TimeInForce)),
        "idx": position_indexes,
        "stop": st.none() | st.integers(min_value=1, max_value=40),
    }
)
amends = st.fixed_dictionaries(
    {
        "do": st.just("amend"),
        "which": st.integers(min_value=0, max_value=20),
        "steps": st.none() | st.integers(min_value=1, max_value=4000),
        "at": st.none() | tenths_of_percent,
    }
)
moves = st.fixed_dictionaries(
    {"do": st.just("move"), "symbol": symbols, "by": tenths_of_percent, "sweep": st.booleans()}
)
others = st.one_of(
    st.fixed_dictionaries({"do": st.just("cancel"), "which": st.integers(min_value=0, max_value=20)}),
    st.fixed_dictionaries({"do": st.just("cancel_all"), "symbol": symbols}),
    st.fixed_dictionaries(
        {
            "do": st.just("trading_stop"),
            "symbol": symbols,
            "idx": position_indexes,
            "tp": st.none() | tenths_of_percent,
            "sl": st.none() | tenths_of_percent,
            "partial": st.none() | st.integers(min_value=1, max_value=500),
        }
    ),
    st.fixed_dictionaries({"do": st.just("leverage"), "symbol": symbols, "to": st.integers(1, 100)}),
    st.fixed_dictionaries({"do": st.just("margin_mode"), "isolated": st.booleans()}),
    st.fixed_dictionaries({"do": st.just("position_mode"), "symbol": symbols, "hedge": st.booleans()}),
    st.fixed_dictionaries({"do": st.just("mark"), "symbol": symbols, "by": st.none() | tenths_of_percent}),
    st.fixed_dictionaries({"do": st.just("wait"), "minutes": st.integers(1, 900)}),
    st.fixed_dictionaries({"do": st.just("max_fill"), "steps": st.none() | st.integers(1, 500)}),
    st.fixed_dictionaries(
        {"do": st.just("adl"), "symbol": symbols, "idx": position_indexes, "steps": st.integers(1, 50)}
    ),
)
steps = st.one_of(orders, orders, orders, moves, moves, moves, amends, others)
stories = st.lists(steps, min_size=1, max_size=40)


class Player:
    """Acts a story out on a venue. Refusals are part of life."""

    def __init__(self, venue: Venue, account: Account, now_ms: int = 1_700_000_000_000) -> None:
        self.venue, self.account, self.now_ms = venue, account, now_ms

    def act(self, step: dict[str, Any]) -> None:
        self.now_ms += 1000
        try:
            getattr(self, step["do"])(step)
        except VenueRefusal:
            pass

    def price(self, symbol: str, tenths: int) -> Decimal:
        tick = self.venue.instruments[symbol].tick_size
        return (self.venue.last_price(symbol) * (1000 + tenths) / 1000 // tick) * tick

    def place(self, step: dict[str, Any]) -> None:
        symbol, rise = step["symbol"], (step["trigger"] or 0) > 0
        stop = None if step["stop"] is None else -step["stop"] if step["side"] is Side.BUY else step["stop"]
        request = OrderRequest(
            symbol=symbol,
            side=step["side"],
            order_type=OrderType.MARKET if step["at"] is None else OrderType.LIMIT,
            quantity=Decimal(0) if step["close_all"] else step["steps"] * STEP[symbol],
            price=None if step["at"] is None else self.price(symbol, step["at"]),
            time_in_force=step["force"],
            position_idx=step["idx"],
            reduce_only=step["reduce_only"] or step["close_all"],
            close_on_trigger=step["close_all"],
            trigger_price=None if step["trigger"] is None else self.price(symbol, step["trigger"]),
            trigger_direction=TriggerDirection.RISE if rise else TriggerDirection.FALL,
            trigger_by=step["trigger_by"],
            stop_loss=None if stop is None else self.price(symbol, stop),
        )
        self.venue.place_order(self.account, request, self.now_ms)

    def amend(self, step: dict[str, Any]) -> None:
        open_orders = self.account.open_orders()
        if open_orders:
            order = open_orders[step["which"] % len(open_orders)]
            quantity = None if step["steps"] is None else step["steps"] * STEP[order.symbol]
            price = None if step["at"] is None else self.price(order.symbol, step["at"])
            request = AmendRequest(symbol=order.symbol, order_id=order.order_id, quantity=quantity, price=price)
            self.venue.amend_order(self.account, request, self.now_ms)

    def move(self, step: dict[str, Any]) -> None:
        price = self.price(step["symbol"], step["by"])
        self.venue.move_price(step["symbol"], price, self.now_ms, sweep=step["sweep"])

    def cancel(self, step: dict[str, Any]) -> None:
        open_orders = self.account.open_orders()
        if open_orders:
            order = open_orders[step["which"] % len(open_orders)]
            self.venue.cancel_order(self.account, order.symbol, order.order_id, None, self.now_ms)

    def cancel_all(self, step: dict[str, Any]) -> None:
        self.venue.cancel_all(self.account, step["symbol"], None, None, self.now_ms)

    def trading_stop(self, step: dict[str, Any]) -> None:
        symbol, size = step["symbol"], None if step["partial"] is None else step["partial"] * STEP[step["symbol"]]
        request = TradingStopRequest(
            symbol=symbol,
            position_idx=step["idx"],
            take_profit=None if step["tp"] is None else self.price(symbol, step["tp"]),
            stop_loss=None if step["sl"] is None else self.price(symbol, step["sl"]),
            tpsl_mode=StopMode.FULL if size is None else StopMode.PARTIAL,
            tp_size=size,
            sl_size=size,
        )
        self.venue.set_trading_stop(self.account, request, self.now_ms)

    def leverage(self, step: dict[str, Any]) -> None:
        leverage = Decimal(step["to"])
        self.venue.set_leverage(self.account, step["symbol"], leverage, leverage, self.now_ms)

    def margin_mode(self, step: dict[str, Any]) -> None:
        self.venue.set_margin_mode(self.account, isolated=step["isolated"], now_ms=self.now_ms)

    def position_mode(self, step: dict[str, Any]) -> None:
        self.venue.switch_position_mode(
            self.account, symbol=step["symbol"], coin=None, hedge=step["hedge"], now_ms=self.now_ms
        )

    def mark(self, step: dict[str, Any]) -> None:
        mark = None if step["by"] is None else self.price(step["symbol"], step["by"])
        self.venue.set_mark(step["symbol"], mark, self.now_ms)

    def wait(self, step: dict[str, Any]) -> None:
        self.now_ms += step["minutes"] * MINUTE_MS
        self.venue.settle_funding(self.now_ms)

    def max_fill(self, step: dict[str, Any]) -> None:
        self.venue.set_max_fill(self.account, None if step["steps"] is None else step["steps"] * STEP["ETHUSDT"])

    def adl(self, step: dict[str, Any]) -> None:
        quantity = step["steps"] * STEP[step["symbol"]]
        self.venue.deleverage(self.account, step["symbol"], step["idx"], quantity, self.now_ms)


def new_player(balance: int) -> Player:
    venue = Venue(default_instruments(), id_regime=IdRegime.NEVER, seed=7)
    player = Player(venue, venue.open_account("key", "secret", Decimal(balance)))
    for symbol in SYMBOLS:
        venue.move_price(symbol, START[symbol], player.now_ms, sweep=False)
    venue.settle_funding(player.now_ms)
    return player


def check_books(account: Account) -> None:
    rows = account.executions
    realised = sum((row.realised for row in rows), Decimal(0))
    funding = sum((row.fee for row in rows if row.exec_type is ExecType.FUNDING), Decimal(0))
    fees = sum((row.fee for row in rows if row.exec_type is not ExecType.FUNDING), Decimal(0))
    assert (account.realised, account.fees, account.funding) == (realised, fees, funding)
    assert account.wallet_balance == account.deposited + realised - fees - funding
    own = sum((holding.total_realised for holding in account.holdings.values()), Decimal(0))
    assert account.wallet_balance == account.deposited + own
    for (symbol, position_idx), holding in account.holdings.items():
        fills = [
            row
            for row in rows
            if (row.symbol, row.position_idx) == (symbol, position_idx) and row.exec_type is not ExecType.FUNDING
        ]
        assert holding.signed_size == sum(
            (r.quantity if r.side is Side.BUY else -r.quantity for r in fills), Decimal(0)
        )
        cash = sum((-row.value if row.side is Side.BUY else row.value for row in fills), Decimal(0))
        cost = -holding.cost if holding.side is Side.SELL else holding.cost
        assert cash + cost == sum((row.realised for row in fills), Decimal(0))


def check_reduce_only(account: Account) -> None:
    for (symbol, position_idx), holding in account.holdings.items():
        for side in (Side.BUY, Side.SELL):
            reserved = sum(
                (
                    order.leaves_quantity
                    for order in account.open_orders()
                    if order.reduce_only
                    and order.side is side
                    and order.status.value in ("New", "PartiallyFilled")
                    and (order.symbol, order.position_idx) == (symbol, position_idx)
                ),
                Decimal(0),
            )
            assert reserved <= (holding.size if holding.side is side.opposite else 0)


def check_quiet(venue: Venue) -> None:
    for symbol in SYMBOLS:
        low, high = venue.quiet_range(symbol)
        for price in (low, high):
            assert price is None or price % venue.instruments[symbol].tick_size == 0


def check_safe(venue: Venue, account: Account) -> None:
    """No account stays where it should have been liquidated."""
    wallet = venue.wallet(account)
    if account.is_isolated:
        for row in venue.positions(account):
            short = -1 if row.side is Side.SELL else 1
            assert not row.liquidation_price or (row.mark_price - row.liquidation_price) * short > 0
    elif account.open_slots():
        assert wallet.equity > wallet.maintenance_margin


def check_indexes(venue: Venue, account: Account) -> None:
    """What waits in the markets is exactly what is open on the account."""
    for symbol, market in venue._floor.markets.items():
        indexes = (
            market.bids, market.asks, market.last_fall, market.last_rise, market.mark_fall, market.mark_rise,
        )  # fmt: skip
        waiting = sorted(level.order_id for index in indexes for level in index._levels)
        assert waiting == sorted(order.order_id for order in account.open_orders() if order.symbol == symbol)
        held = [holding.size for (name, _), holding in account.holdings.items() if name == symbol]
        assert market.open_interest == sum(held, Decimal(0))


def likely_step(chance: Random) -> dict[str, Any]:
    """A step that is refused less often than a drawn one, so that long stories get somewhere."""

    def tenths() -> int:
        return chance.randint(-60, 60)

    def maybe(share: float, value: Any) -> Any:
        return value if chance.random() < share else None

    symbol, idx = chance.choice(SYMBOLS), chance.choice((0, 0, 0, 1, 2))
    kinds: dict[str, tuple[int, dict[str, Any]]] = {
        "place": (12, {
            "side": chance.choice((Side.BUY, Side.SELL)), "steps": chance.randint(1, 4000), "at": maybe(0.5, tenths()),
            "trigger": maybe(0.25, tenths()), "trigger_by": chance.choice((TriggerBy.LAST, TriggerBy.MARK)),
            "reduce_only": chance.random() < 0.3, "close_all": chance.random() < 0.05,
            "force": chance.choice((TimeInForce.GTC, *TimeInForce)), "stop": maybe(0.15, chance.randint(1, 40)),
        }),
        "move": (12, {"by": tenths(), "sweep": chance.random() < 0.5}),
        "amend": (4, {"which": chance.randint(0, 20), "steps": maybe(0.5, chance.randint(1, 4000)),
                      "at": maybe(0.5, tenths())}),
        "cancel": (2, {"which": chance.randint(0, 20)}),
        "trading_stop": (2, {"tp": maybe(0.5, tenths()), "sl": maybe(0.5, tenths()),
                             "partial": maybe(0.5, chance.randint(1, 500))}),
        "leverage": (2, {"to": chance.randint(1, 100)}),
        "mark": (2, {"by": maybe(0.4, tenths())}),
        "wait": (2, {"minutes": chance.randint(1, 900)}),
        "max_fill": (1, {"steps": maybe(0.5, chance.randint(1, 500))}),
        "adl": (1, {"steps": chance.randint(1, 50)}),
        "margin_mode": (1, {"isolated": chance.random() < 0.5}),
        "position_mode": (1, {"hedge": chance.random() < 0.5}),
        "cancel_all": (1, {}),
    }  # fmt: skip
    do = chance.choices(tuple(kinds), [weight for weight, _ in kinds.values()])[0]
    return {"do": do, "symbol": symbol, "idx": idx, **kinds[do][1]}


@settings(max_examples=80, deadline=None)
@given(chance=st.randoms(use_true_random=True), balance=st.sampled_from((2_000, 50_000, 500_000, 5_000_000)))
def test_after_every_step_of_a_long_story_nothing_is_overdue(chance, balance):
    player = new_player(balance)
    for _ in range(150):
        player.act(likely_step(chance))
        check_safe(player.venue, player.account)
        check_indexes(player.venue, player.account)
        check_reduce_only(player.account)
    check_books(player.account)


@settings(max_examples=150, deadline=None)
@given(story=stories, balance=st.sampled_from((2_000, 50_000, 5_000_000)))
def test_books_balance_and_reduce_only_holds_after_every_step(story, balance):
    player = new_player(balance)
    for step in story:
        player.act(step)
        check_books(player.account)
        check_reduce_only(player.account)
        check_quiet(player.venue)


@settings(max_examples=100, deadline=None)
@given(story=stories)
def test_a_reduce_only_execution_never_opens_or_turns_a_position(story):
    player = new_player(50_000)
    for step in story:
        player.act(step)
    reducing = {order.order_id for order in player.account.closed if order.reduce_only}
    for row in player.account.executions:
        if row.order_id in reducing:
            assert row.closed_size == row.quantity


@settings(max_examples=60, deadline=None)
@given(before=stories, after=stories)
def test_a_restored_venue_is_equal_and_continues_identically(before, after):
    player = new_player(20_000)
    for step in before:
        player.act(step)
    stored = json.loads(json.dumps(player.venue.snapshot()))
    venue = Venue.restore(stored, default_instruments())
    assert venue.snapshot() == stored

    restored = Player(venue, venue.accounts["key"], player.now_ms)
    player.venue.drain_events()
    for step in after:
        player.act(step)
        restored.act(step)
        assert restored.venue.drain_events() == player.venue.drain_events()
    assert venue.snapshot() == player.venue.snapshot()


@settings(max_examples=60, deadline=None)
@given(story=stories)
def test_two_runs_of_one_story_print_the_same_numbers(story):
    players = [new_player(20_000), new_player(20_000)]
    for player in players:
        for step in story:
            player.act(step)
    assert players[0].venue.snapshot() == players[1].venue.snapshot()


@settings(max_examples=60, deadline=None)
@given(story=stories, by=tenths_of_percent)
def test_nothing_happens_inside_the_quiet_range(story, by):
    player = new_player(20_000)
    for step in story:
        player.act(step)
    for symbol in SYMBOLS:
        low, high = player.venue.quiet_range(symbol)
        price = player.price(symbol, by)
        player.venue.drain_events()
        if low < min(price, player.venue.last_price(symbol)) and (
            high is None or max(price, player.venue.last_price(symbol)) < high
        ):
            player.venue.move_price(symbol, price, player.now_ms, sweep=True)
            assert all(event.account is None for event in player.venue.drain_events())
