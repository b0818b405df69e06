"""Where money and size move: every fill and every funding charge of every account is booked here.

Called by matching, the price path, liquidation and funding. After each booking the account's reduce-only orders,
position stops and liquidation alerts fit the new position again. It never decides whether something trades.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from blitz.paper.engine.accounts import Account
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.events import EventKind
from blitz.paper.engine.executions import ClosedPnl, ExecType, Execution
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.followers import fit_position_stops, fit_reduce_only
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.ledger import Folded, charge, fold
from blitz.paper.engine.margin import position_report, wallet_report
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import ZERO, Order, OrderStatus, OrderType
from blitz.paper.engine.positions import Holding, round_money
from blitz.paper.engine.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One piece of an order that trades."""

    price: Decimal
    quantity: Decimal
    is_maker: bool = False
    exec_type: ExecType = ExecType.TRADE
    fee_cap: Decimal | None = None
    """Largest fee to charge; the venue bears the rest. None: the full fee."""
    is_free: bool = False


class Settlement:
    """Books fills and funding."""

    def __init__(self, floor: Floor, registry: Registry) -> None:
        self._floor = floor
        self._registry = registry

    def fill(self, account: Account, order: Order, fill: Fill, now_ms: int) -> Order:
        """Book one fill and return the order after it. The caller stores the order; it may be in flight."""
        market = self._floor.market(order.symbol)
        slot = (order.symbol, order.position_idx)
        value = round_money(fill.price * fill.quantity)
        rate, fee = _fee(self._floor.terms(account, order.symbol), fill, value)
        before = account.holding(*slot)
        folded = fold(before, order.side, fill.quantity, value, fee, now_ms)
        account.holdings[slot] = folded.holding
        account.realised += folded.realised
        account.fees += fee
        self._note_interest(account, market, before, folded.holding)
        order = _filled(order, fill, value, fee)
        row = self._execution(account, market, order, fill, value, now_ms)
        self._append(account, replace(row, fee=fee, fee_rate=rate, closed_size=folded.closed_size,
                                      realised=folded.realised), now_ms)  # fmt: skip
        if folded.closed_size:
            self._note_closed(account, order, fill, folded, now_ms)
        self._floor.print_trade(market, order.side.opposite if fill.is_maker else order.side, fill.price,
                                fill.quantity, now_ms)  # fmt: skip
        return order

    def after_fill(self, account: Account, symbol: str, position_idx: int, now_ms: int) -> None:
        """Let everything that follows the position follow it, and report position and wallet."""
        self.report(account, symbol, position_idx, now_ms)
        fit_reduce_only(self._registry, account, symbol, position_idx, now_ms)
        fit_position_stops(self._registry, account, symbol, position_idx, now_ms)
        rearm(self._floor, account)

    def report(self, account: Account, symbol: str, position_idx: int, now_ms: int) -> None:
        """Tell the account its position and wallet."""
        position = position_report(self._floor, account, symbol, position_idx)
        self._floor.tell(account, EventKind.POSITION, position, now_ms)
        self._floor.tell(account, EventKind.WALLET, wallet_report(self._floor, account), now_ms)

    def fund(self, account: Account, market: Market, position_idx: int, rate: Decimal, now_ms: int) -> None:
        """Charge (or, for a negative product, pay) one funding interval of one position at the mark price."""
        symbol = market.instrument.symbol
        holding = account.holding(symbol, position_idx)
        value = round_money(market.mark * holding.size)
        amount = round_money(market.mark * holding.signed_size * rate)
        account.funding += amount
        account.holdings[symbol, position_idx] = charge(holding, amount, now_ms)
        sequence = self._floor.ids.sequence()
        order = Order(
            order_id=self._floor.new_id(account, "funding", sequence), sequence=sequence, symbol=symbol,
            side=holding.side, order_type=OrderType.MARKET, quantity=holding.size, price=ZERO,
            status=OrderStatus.FILLED, created_ms=now_ms, updated_ms=now_ms, position_idx=position_idx, create_type="",
        )  # fmt: skip
        fill = Fill(price=market.mark, quantity=holding.size, exec_type=ExecType.FUNDING)
        row = self._execution(account, market, order, fill, value, now_ms)
        self._append(account, replace(row, fee=amount, fee_rate=rate), now_ms)
        self.report(account, symbol, position_idx, now_ms)
        rearm(self._floor, account)

    def _note_interest(self, account: Account, market: Market, before: Holding, after: Holding) -> None:
        market.open_interest += after.size - before.size
        symbol = market.instrument.symbol
        if any(account.holding(symbol, position_idx).size for position_idx in (0, 1, 2)):
            market.holders[account.key] = None
        else:
            market.holders.pop(account.key, None)

    def _execution(
        self, account: Account, market: Market, order: Order, fill: Fill, value: Decimal, now_ms: int
    ) -> Execution:
        sequence = self._floor.ids.sequence()
        return Execution(
            exec_id=self._floor.new_id(account, "execution", sequence), sequence=sequence, symbol=order.symbol,
            order_id=order.order_id, link_id=order.link_id, side=order.side, order_type=order.order_type,
            stop_order_type=order.stop_order_type, create_type=order.create_type, exec_type=fill.exec_type,
            order_price=order.price, order_quantity=order.quantity, leaves_quantity=order.leaves_quantity,
            price=fill.price, quantity=fill.quantity, value=value, fee=ZERO, fee_rate=ZERO, is_maker=fill.is_maker,
            closed_size=ZERO, realised=ZERO, position_idx=order.position_idx, mark_price=market.mark, at_ms=now_ms,
        )  # fmt: skip

    def _append(self, account: Account, row: Execution, now_ms: int) -> None:
        account.executions.append(row)
        self._floor.tell(account, EventKind.EXECUTION, row, now_ms)

    def _note_closed(self, account: Account, order: Order, fill: Fill, folded: Folded, now_ms: int) -> None:
        settings = self._floor.settings(account, order.symbol)
        account.closed_pnl.append(
            ClosedPnl(
                symbol=order.symbol,
                order_id=order.order_id,
                side=order.side,
                order_type=order.order_type,
                exec_type=fill.exec_type,
                quantity=folded.closed_size,
                entry_value=folded.entry_value,
                exit_value=folded.exit_value,
                average_entry_price=folded.entry_value / folded.closed_size,
                average_exit_price=folded.exit_value / folded.closed_size,
                realised=folded.realised,
                open_fee=folded.open_fee,
                close_fee=folded.close_fee,
                closed_pnl=folded.realised - folded.open_fee - folded.close_fee,
                leverage=settings.leverage(order.side.opposite),
                at_ms=now_ms,
            )
        )


def _fee(terms: Instrument, fill: Fill, value: Decimal) -> tuple[Decimal, Decimal]:
    """Fee rate and fee of a fill: the exact product, rounded to 1e-8."""
    if fill.is_free:
        return ZERO, ZERO
    rate = terms.maker_fee_rate if fill.is_maker else terms.taker_fee_rate
    fee = round_money(value * rate)
    return rate, fee if fill.fee_cap is None else max(ZERO, min(fee, fill.fee_cap))


def _filled(order: Order, fill: Fill, value: Decimal, fee: Decimal) -> Order:
    filled = order.filled_quantity + fill.quantity
    assert filled <= order.quantity, f"{order.order_id} would fill {filled} of {order.quantity}"
    status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
    return replace(
        order, status=status, filled_quantity=filled, filled_value=order.filled_value + value,
        fee_paid=order.fee_paid + fee,
    )  # fmt: skip
