"""The venue taking positions away: liquidation when the mark price says so, and auto-deleveraging on demand.

Liquidation is looked at when a price reaches an alert. An isolated position is closed at its bankruptcy price. A
cross account is closed altogether, at prices that leave its wallet at zero. Open orders go first. The executions
carry no client id; neither do the orders made for them.
"""

from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.executions import ExecType
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.margin import (
    HEADROOM_DUST,
    bankruptcy_price,
    cross_headroom,
    initial_margin,
    own_margin,
    slot_headroom,
    tick_outward,
)
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, OrderType, Side, TimeInForce
from blitz.paper.engine.positions import Holding
from blitz.paper.engine.refusals import PARAMETER_ERROR, VenueRefusal
from blitz.paper.engine.registry import Registry
from blitz.paper.engine.settlement import Fill, Settlement


class Liquidation:
    """Closes what the venue may close."""

    def __init__(self, floor: Floor, registry: Registry, settlement: Settlement) -> None:
        self._floor = floor
        self._registry = registry
        self._settlement = settlement

    def look_at(self, account: Account, symbol: str, now_ms: int) -> None:
        """Liquidate what has no headroom left at the current marks; otherwise set the alerts anew."""
        if account.isolates(symbol):
            self._look_at_slots(account, symbol, now_ms)
        elif account.cross_slots() and cross_headroom(self._floor, account) <= HEADROOM_DUST:
            self._liquidate_cross(account, now_ms)
        rearm(self._floor, account)

    def is_bankrupt(self, account: Account, symbol: str) -> bool:
        """Whether at the current marks a loss is larger than what carries it: the account, or an isolated margin."""
        market = self._floor.market(symbol)
        if not account.isolates(symbol):
            return bool(account.cross_slots()) and self._cross_equity(account) <= 0
        held = [account.holding(symbol, position_idx) for position_idx in (0, 1, 2)]
        settings = self._floor.settings(account, symbol)
        return any(
            holding.size
            and initial_margin(holding, ZERO, settings.leverage(holding.side), isolated=True)
            + holding.unrealised(market.mark)
            <= 0
            for holding in held
        )

    def deleverage(self, account: Account, symbol: str, position_idx: int, quantity: Decimal, now_ms: int) -> None:
        """Reduce a position at the mark price without a fee, as auto-deleveraging does."""
        market = self._floor.market(symbol)
        holding = account.holding(symbol, position_idx)
        if not (quantity.is_finite() and 0 < quantity <= holding.size and market.instrument.is_on_step(quantity)):
            raise VenueRefusal(PARAMETER_ERROR, "params error: no position of that size to deleverage")
        fill = Fill(price=market.mark, quantity=quantity, exec_type=ExecType.ADL_TRADE, is_free=True)
        self._take_over(account, market, position_idx, fill, now_ms)

    def _look_at_slots(self, account: Account, symbol: str, now_ms: int) -> None:
        market = self._floor.market(symbol)
        for position_idx in (0, 1, 2):
            holding = account.holding(symbol, position_idx)
            leverage = self._floor.settings(account, symbol).leverage(holding.side)
            terms = self._floor.terms(account, symbol)
            if holding.size and slot_headroom(terms, market.mark, holding, leverage) <= HEADROOM_DUST:
                self._cancel_orders(account, symbol, now_ms)
                price = bankruptcy_price(holding, leverage, market.instrument)
                self._bust(account, market, position_idx, price, now_ms)

    def _liquidate_cross(self, account: Account, now_ms: int) -> None:
        self._cancel_orders(account, None, now_ms)
        if account.house.freezes and cross_headroom(self._floor, account) > HEADROOM_DUST:
            return  # what the orders had frozen carries the positions again
        for symbol, position_idx, price in self._takeover_prices(account):
            self._bust(account, self._floor.market(symbol), position_idx, price, now_ms)

    def _takeover_prices(self, account: Account) -> list[tuple[str, int, Decimal]]:
        """Share the equity out over the positions by value: each is taken over where its share is used up.

        Rounded to the tick in the account's favour, so the wallet never ends below zero.
        """
        slots = account.cross_slots()
        marks = {symbol: self._floor.market(symbol).mark for symbol, _ in slots}
        held = {slot: account.holding(*slot) for slot in slots}
        equity = self._cross_equity(account)
        total = sum((marks[slot[0]] * holding.size for slot, holding in held.items()), ZERO)
        return [
            (*slot, self._takeover_price(self._floor.market(slot[0]), holding, equity / total))
            for slot, holding in held.items()
        ]

    def _cross_equity(self, account: Account) -> Decimal:
        """What the cross positions of an account stand on at the current marks."""
        equity = account.wallet_balance - self._isolated_margins(account)
        for slot in account.cross_slots():
            equity += account.holding(*slot).unrealised(self._floor.market(slot[0]).mark)
        return equity

    def _isolated_margins(self, account: Account) -> Decimal:
        """What stands behind isolated positions and is no business of the cross ones."""
        slots = [slot for slot in account.open_slots() if account.isolates(slot[0])]
        margins = (own_margin(self._floor, account, slot[0], account.holding(*slot)) for slot in slots)
        return sum(margins, ZERO)

    def _takeover_price(self, market: Market, holding: Holding, fraction: Decimal) -> Decimal:
        is_long = holding.side is Side.BUY
        price = market.mark * (1 - fraction if is_long else 1 + fraction)
        return max(market.instrument.tick_size, tick_outward(market.instrument, price, falls=not is_long))

    def _cancel_orders(self, account: Account, symbol: str | None, now_ms: int) -> None:
        """Cancel what rests for an isolated symbol, or (None) for everything that is cross."""
        for order in account.open_orders():
            if order.symbol == symbol or (symbol is None and not account.isolates(order.symbol)):
                reason = "EC_NoError"
                self._registry.cancel(account, order, now_ms, cancel_type="CancelAllBeforeLiq", reason=reason)

    def _bust(self, account: Account, market: Market, position_idx: int, price: Decimal, now_ms: int) -> None:
        holding = account.holding(market.instrument.symbol, position_idx)
        proceeds = price * holding.size
        realised = holding.cost - proceeds if holding.side is Side.SELL else proceeds - holding.cost
        # The insurance fund bears what the wallet cannot: the fee never takes it below zero, nor into what stands
        # behind isolated positions.
        kept = ZERO if account.isolates(market.instrument.symbol) else self._isolated_margins(account)
        fill = Fill(
            price=price, quantity=holding.size, exec_type=ExecType.BUST_TRADE,
            fee_cap=max(ZERO, account.wallet_balance + realised - kept),
        )  # fmt: skip
        self._take_over(account, market, position_idx, fill, now_ms)

    def _take_over(self, account: Account, market: Market, position_idx: int, fill: Fill, now_ms: int) -> None:
        symbol = market.instrument.symbol
        holding = account.holding(symbol, position_idx)
        sequence = self._floor.ids.sequence()
        order = Order(
            order_id=self._floor.new_id(account, "order", sequence),
            sequence=sequence,
            symbol=symbol,
            side=holding.side.opposite,
            order_type=OrderType.MARKET,
            quantity=fill.quantity,
            price=ZERO,
            status=OrderStatus.NEW,
            created_ms=now_ms,
            updated_ms=now_ms,
            time_in_force=TimeInForce.IOC,
            position_idx=position_idx,
            reduce_only=True,
            create_type="CreateByLiq" if fill.exec_type is ExecType.BUST_TRADE else "CreateByAdl_PassThrough",
            last_price_on_created=market.last,
        )
        self._registry.put(account, self._settlement.fill(account, order, fill, now_ms), now_ms)
        self._settlement.after_fill(account, symbol, position_idx, now_ms)
