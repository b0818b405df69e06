"""The same long stories lived by an account of BingX: margin per pair, sides that reserve, stops that make room."""

import json
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from blitz.paper.engine import (
    BINGX,
    Account,
    ExecType,
    OrderRequest,
    OrderType,
    Side,
    StopOrderType,
    TriggerDirection,
    Venue,
    default_instruments,
)
from blitz.paper.wire.bingx.streams.private import told
from tests.paper.engine.test_properties import (
    START,
    STEP,
    SYMBOLS,
    Player,
    check_books,
    check_indexes,
    check_reduce_only,
    likely_step,
)

KINDS = (StopOrderType.STOP, StopOrderType.PARTIAL_STOP_LOSS, StopOrderType.PARTIAL_TAKE_PROFIT,
         StopOrderType.STOP_LOSS, StopOrderType.TAKE_PROFIT)  # fmt: skip


class BingxPlayer(Player):
    """Acts a story out as a client of BingX would."""

    def place(self, step: dict[str, Any]) -> None:
        symbol, kind = step["symbol"], step["kind"]
        whole = step["trigger"] is not None and kind in (StopOrderType.STOP_LOSS, StopOrderType.TAKE_PROFIT)
        request = OrderRequest(
            symbol=symbol,
            side=step["side"],
            order_type=OrderType.MARKET if step["at"] is None else OrderType.LIMIT,
            quantity=Decimal(0) if whole else step["steps"] * STEP[symbol] + Decimal("0.0000123"),
            price=None if step["at"] is None else self.price(symbol, step["at"]) + Decimal("0.0012"),
            time_in_force=step["force"],
            position_idx=step["idx"],
            reduce_only=step["reduce_only"] and not step["idx"],
            close_on_trigger=whole,
            trigger_price=None if step["trigger"] is None else self.price(symbol, step["trigger"]),
            trigger_direction=TriggerDirection.RISE if (step["trigger"] or 0) > 0 else TriggerDirection.FALL,
            trigger_by=step["trigger_by"],
            stop_kind=kind,
        )
        self.venue.place_order(self.account, request, self.now_ms)

    def leverage(self, step: dict[str, Any]) -> None:
        hedged = self.venue.settings(self.account, step["symbol"]).is_hedge
        buy = Decimal(step["to"])
        sell = Decimal(step["other"]) if hedged else buy
        self.venue.set_leverage(self.account, step["symbol"], buy, sell, self.now_ms)

    def margin_mode(self, step: dict[str, Any]) -> None:
        self.venue.set_symbol_margin_mode(
            self.account, step["symbol"], isolated=step["isolated"], now_ms=self.now_ms
        )  # fmt: skip

    def position_mode(self, step: dict[str, Any]) -> None:
        self.venue.switch_position_mode(
            self.account, symbol=None, coin="USDT", hedge=step["hedge"], now_ms=self.now_ms
        )  # fmt: skip


def new_player(balance: int) -> BingxPlayer:
    venue = Venue(default_instruments(), seed=7)
    player = BingxPlayer(venue, venue.open_account("key", "secret", Decimal(balance), BINGX))
    for symbol in SYMBOLS:
        venue.move_price(symbol, START[symbol], player.now_ms, sweep=False)
    venue.settle_funding(player.now_ms)
    venue.drain_events()
    return player


def bingx_step(chance: Random) -> dict[str, Any]:
    step = likely_step(chance)
    slot = chance.choice((0, 1, 1, 1, 1, 2, 2, 2, 2))
    return {**step, "kind": chance.choice(KINDS), "other": chance.randint(1, 100), "idx": slot}


def maintenance(venue: Venue, account: Account, symbol: str, value: Decimal) -> Decimal:
    """What has to stand behind a value, the fee of closing it included: written down anew from the tiers."""
    tiers = venue.terms(account, symbol).tiers
    return max(value * tier.maintenance_rate - tier.deduction for tier in tiers) + value * Decimal("0.0005")


def check_safe(venue: Venue, account: Account) -> None:
    """No position stays where it should have been liquidated, whatever the others' margin modes are."""
    cross = account.wallet_balance
    needed, crossed = Decimal(0), False
    for row in venue.positions(account):
        value = row.size * row.mark_price
        profit = -(value - row.value) if row.side is Side.SELL else value - row.value
        if account.isolates(row.symbol):
            margin = row.value / row.leverage
            cross -= margin
            assert margin + profit > maintenance(venue, account, row.symbol, value) - Decimal("1e-6")
        else:
            crossed = True
            cross += profit
            needed += maintenance(venue, account, row.symbol, value)
    frozen = venue.wallet(account).order_initial_margin
    assert not crossed or cross - frozen > needed - Decimal("1e-6")


def check_stops(account: Account) -> None:
    """Stops of a kind never promise more than their side of the position holds, and go with it."""
    for kinds in (KINDS[1::2], KINDS[2::2]):
        for (symbol, position_idx), holding in account.holdings.items():
            promised = sum(
                (
                    order.quantity
                    for order in account.open_orders()
                    if order.stop_order_type in kinds
                    and order.status.value == "Untriggered"
                    and (order.symbol, order.position_idx) == (symbol, position_idx)
                ),
                Decimal(0),
            )
            assert not promised or holding.size


def hear(player: BingxPlayer) -> list[dict[str, Any]]:
    """What the stream tells of the last step."""
    own = [event for event in player.venue.drain_events() if event.account is not None]
    return [message for _, _, message in told(own)]


@settings(max_examples=60, deadline=None)
@given(chance=st.randoms(use_true_random=True), balance=st.sampled_from((2_000, 50_000, 500_000, 5_000_000)))
def test_after_every_step_of_a_long_story_nothing_is_overdue_at_bingx(chance, balance):
    player = new_player(balance)
    heard: list[dict[str, Any]] = []
    for _ in range(150):
        player.act(bingx_step(chance))
        check_safe(player.venue, player.account)
        check_indexes(player.venue, player.account)
        check_reduce_only(player.account)
        check_stops(player.account)
        heard += hear(player)
    check_books(player.account)
    check_told(player.account, heard)


def check_told(account: Account, heard: list[dict[str, Any]]) -> None:
    """The stream told every fill once, with the order's total so far, and never another one."""
    fills = [row for row in account.executions if row.exec_type is not ExecType.FUNDING]
    trades = [
        message["o"] for message in heard if message["e"] == "ORDER_TRADE_UPDATE" and message["o"]["x"] == "TRADE"
    ]
    assert [row["ti"] for row in trades] == [row.exec_id for row in fills]
    totals: dict[str, Decimal] = {}
    for row in trades:
        totals[row["i"]] = totals.get(row["i"], Decimal(0)) + Decimal(row["l"])
        assert Decimal(row["z"]) == totals[row["i"]]
    for order in account.closed:
        assert totals.get(order.order_id, Decimal(0)) == order.filled_quantity


@settings(max_examples=40, deadline=None)
@given(chance=st.randoms(use_true_random=True))
def test_a_restored_bingx_account_is_equal_and_continues_identically(chance):
    player = new_player(50_000)
    for _ in range(60):
        player.act(bingx_step(chance))
    stored = json.loads(json.dumps(player.venue.snapshot()))
    venue = Venue.restore(stored, default_instruments())
    assert venue.snapshot() == stored
    restored = BingxPlayer(venue, venue.accounts["key"], player.now_ms)
    player.venue.drain_events()
    for _ in range(40):
        step = bingx_step(chance)
        player.act(step)
        restored.act(step)
        assert restored.venue.drain_events() == player.venue.drain_events()
    assert venue.snapshot() == player.venue.snapshot()
