"""A tiny deterministic venue that answers the calls of a pass: no network, no threads, no chance.

It is a model of an exchange for tests of the core and judges what it is sent: two live orders of one tag, an exit that
is not reduce-only, or a cancel of somebody else's order end the test at once. Faults are laid out before a call comes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    Call,
    CancelOrder,
    ClockRead,
    Done,
    FillsRead,
    InstrumentRead,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PrepareAccount,
    PriceRead,
    ReadAccount,
    ReadClock,
    ReadFills,
    ReadInstrument,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
    Unknown,
)
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import (
    ZERO,
    DesiredOrder,
    Direction,
    Fill,
    FillKind,
    OpenOrder,
    OrderRecord,
    OrderType,
    Side,
    VenuePosition,
)

FEE_RATE = Decimal("0.0005")
WINDOW_MS = 5_000
LOST = Unknown(reason="No answer came.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the venue showed at one moment; stale reads are answered from an older one."""

    at_ms: int
    records: dict[str, OrderRecord]
    fills: tuple[Fill, ...]
    held: Decimal


@dataclass(slots=True, kw_only=True)
class ScriptedVenue:
    """One account on one market. `held` is signed: a short is negative."""

    side: Side = Side.LONG
    regime: str = "never"
    hedged: bool = False
    leverage: Decimal = Decimal(10)
    """What the position shows; 0 shows none."""
    leverage_asked: Decimal = Decimal(10)
    """What `PrepareAccount` sets."""
    stubborn: bool = False
    """Says that the leverage is set, and leaves it as it is."""
    margin_mode: MarginMode = MarginMode.CROSS
    instrument: Instrument | None = None
    """The market's rules: what does not fit them is refused; None takes everything and has no rules to read."""
    price: Decimal = Decimal(60_000)
    now_ms: int = 1_700_000_000_000
    doubt: str = ""
    """Why the time is not known well enough."""
    lag_ms: Callable[[Call], int] = lambda call: 0
    held: Decimal = ZERO
    average: Decimal = ZERO
    """Average entry price of what is held."""
    records: dict[str, OrderRecord] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    faults: list[tuple[Callable[[Call], bool], str | Rejected | Unknown]] = field(default_factory=list)
    """One-shot: the first call a matcher takes is answered by its fault."""
    calls: list[Call] = field(default_factory=list)
    foreign_ids: set[str] = field(default_factory=set)
    own_ids: set[str] = field(default_factory=set)
    """Order ids of what the bot sent."""
    last_order: int = 0
    last_exec: int = 0
    history: list[Moment] = field(default_factory=list)
    late: list[tuple[int, int, SendOrder | ReplaceOrder]] = field(default_factory=list)
    """Requests still on their way: arrival, time they were signed, request."""

    # What a test does

    def fault(self, kind: type[Call], what: str | Rejected | Unknown, *, tag: str = "") -> None:
        """Let the next call of `kind` (for `SendOrder`: whose client id starts with `tag`) meet a fault.

        `lost_request` and `lost_answer` end in `Unknown`; `late` arrives after 3 s; an `empty_list` shows no orders
        though some rest; `in_line` is not sent, because a second passed before its turn came; a `Rejected` or an
        `Unknown` is answered as it is.
        """

        def matches(call: Call) -> bool:
            return isinstance(call, kind) and getattr(call, "client_id", "").startswith(tag)

        self.faults.append((matches, what))

    def foreign(
        self, direction: Direction, quantity: str, price: str, client_id: str = "", *, reduce_only: bool = False
    ) -> str:
        """Somebody else rests a limit order."""
        size, at = Decimal(quantity), Decimal(price)
        order = self._new_order(client_id, direction, OrderType.LIMIT, size, at, None, reduce_only)
        self.foreign_ids.add(order.order_id)
        return order.order_id

    def trade_by_hand(self, direction: Direction, quantity: str, kind: FillKind = FillKind.TRADE) -> None:
        """Somebody trades at market on this account, or the venue does."""
        order = self._new_order("", direction, OrderType.MARKET, Decimal(quantity), None, None, False)
        self.fill(order.order_id, Decimal(quantity), self.price, kind)

    def charge(self, fee: str, at_ms: int | None = None) -> None:
        """Funding for holding a position at that moment, listed from now on."""
        at_ms = self.now_ms if at_ms is None else at_ms
        self.fills.append(
            Fill(
                exec_id=self._next_exec_id(),
                order_id="",
                client_id="",
                symbol="BTC/USDT:USDT",
                kind=FillKind.FUNDING,
                direction=self.side.opening,
                quantity=abs(self.held),
                price=self.price,
                fee=Decimal(fee),
                is_maker=False,
                at_ms=at_ms,
            )
        )
        self._remember()

    def cancel_by_hand(self, tag: str) -> None:
        """A person cancels the live order with this tag at the venue's own page."""
        self._end(self.live(tag).order_id, "CancelByUser")

    def move(self, price: str) -> None:
        """Let the price walk there: what it touches fills whole, at its own price."""
        self.price = Decimal(price)
        for record in list(self.records.values()):
            order = self.records[record.order.order_id].order
            if not self.records[order.order_id].terminal and self._touched(order):
                self.fill(order.order_id, order.remaining, order.price or self.price)

    def fill(self, order_id: str, quantity: Decimal, price: Decimal, kind: FillKind = FillKind.TRADE) -> None:
        """Fill part of an order; reduce-only orders never turn the position round."""
        order = self.records[order_id].order
        if self._closes(order):
            quantity = min(quantity, self._on_side())
        signed = quantity if order.direction is Direction.BUY else -quantity
        self._hold(signed, price)
        self.fills.append(
            Fill(
                exec_id=self._next_exec_id(),
                order_id=order_id,
                client_id=order.client_id,
                symbol=order.symbol,
                kind=kind,
                direction=order.direction,
                quantity=quantity,
                price=price,
                fee=quantity * price * FEE_RATE,
                is_maker=order.type is OrderType.LIMIT,
                at_ms=self.now_ms,
            )
        )
        filled = replace(order, filled=order.filled + quantity)
        self._put(filled, terminal=filled.remaining == 0)
        self._trim_exits()

    def forget(self, exec_id: str) -> None:
        """Lose an execution, as after a restart of the venue."""
        self.fills = [fill for fill in self.fills if fill.exec_id != exec_id]
        self._remember()

    def live(self, tag: str) -> OpenOrder:
        """The live order whose client id starts with `tag`."""
        found = [order for order in self.resting() if self.name(order).startswith(tag)]
        assert len(found) == 1, f"{len(found)} live orders with tag {tag}"
        return found[0]

    def resting(self) -> list[OpenOrder]:
        """Every live order, oldest first."""
        return [record.order for record in self.records.values() if not record.terminal]

    def tags(self) -> list[str]:
        """Client ids of all live orders, sorted, without their generation."""
        names = [self.name(order) for order in self.resting()]
        return sorted("_".join(name.split("_")[: 5 if "leg" in name else 4]) for name in names)

    def name(self, order: OpenOrder) -> str:
        """The tag of an order, whatever the venue shows of it."""
        return order.client_id

    # What a pass does

    def execute(self, call: Call) -> Reply:
        """Carry out one call."""
        self.calls.append(call)
        self._deliver_late()
        for index, (matches, fault) in enumerate(self.faults):
            if matches(call):
                del self.faults[index]
                return self._faulty(call, fault)
        return self._answer(call)

    def _faulty(self, call: Call, fault: str | Rejected | Unknown) -> Reply:
        if isinstance(fault, Rejected | Unknown):
            return fault
        if fault == "lost_answer":
            self._answer(call)
        elif fault == "late":
            assert isinstance(call, SendOrder | ReplaceOrder)
            self.late.append((self.now_ms + 3_000, self.now_ms, call))
        elif fault == "empty_list":
            return OpenOrdersRead(orders=())
        elif fault == "not_sent":
            return NotSent(reason="It was too late.")
        elif fault == "in_line":
            self.now_ms += 1_000
            return NotSent(reason="Its turn did not come.", in_line=True)
        else:
            assert fault == "lost_request", fault
        return LOST

    def _answer(self, call: Call) -> Reply:
        match call:
            case ReadClock():
                return ClockRead(now_ms=self.now_ms, doubt=self.doubt)
            case ReadPrice():
                return PriceRead(price=self.price)
            case PrepareAccount():
                return self._prepare()
            case ReadInstrument():
                return InstrumentRead(instrument=self.instrument) if self.instrument else LOST
            case ReadAccount():
                return AccountRead(margin_mode=self.margin_mode)
            case SendOrder():
                return self._send(call)
            case AmendOrder():
                return self._amend(call)
            case ReplaceOrder():
                return self._replace(call)
            case CancelOrder():
                return self._cancel(call)
            case _:
                return self._read(call, self._moment(call))

    def _read(self, call: Call, moment: Moment) -> Reply:
        match call:
            case ReadOpenOrders():
                return OpenOrdersRead(orders=tuple(each.order for each in moment.records.values() if not each.terminal))
            case ReadFills(since_ms=since_ms):
                return FillsRead(fills=tuple(fill for fill in moment.fills if fill.at_ms >= since_ms))
            case ReadPosition():
                return PositionRead(position=self._position(moment.held))
            case ReadOrder(order_id=order_id, client_id=client_id):
                found = [
                    record
                    for record in moment.records.values()
                    if (record.order.order_id == order_id if order_id else record.order.client_id == client_id)
                ]
                return OrderRead(record=found[-1] if found else None)
        raise AssertionError(f"nobody knows {call}")

    def _prepare(self) -> Reply:
        if not self.stubborn:
            self.leverage = self.leverage_asked
        return Done()

    def _misfit(self, quantity: Decimal, price: Decimal | None) -> Rejected | None:
        """What the market's rules say to an order; those of a venue also hold for exits."""
        rules = self.instrument
        if rules is None:
            return None
        if not rules.trading:
            return Rejected(refusal=Refusal.CLOSED_MARKET, code="110023", message="only position reduction is possible")
        fits = quantity % rules.step == 0 and quantity >= rules.quantity_min
        if fits and (price is None or price % rules.tick == 0):
            return None
        return Rejected(refusal=Refusal.FILTER, code="10001", message="params error")

    def _send(self, call: SendOrder) -> Reply:
        assert call.client_id, "every order of ours carries its tag"
        return self._placed(call.order, call.client_id)

    def _refusal(self, order: DesiredOrder, client_id: str) -> Rejected | None:
        if order.reduce_only and order.direction is self.side.opening:
            raise AssertionError("an exit that opens")
        same_id = [record for record in self.records.values() if client_id and record.order.client_id == client_id]
        live = any(not record.terminal for record in same_id)
        if (self.regime == "never" and same_id) or (self.regime == "reusable" and live):
            return Rejected(refusal=Refusal.TAKEN, code="110072", message="OrderLinkedID is duplicate")
        if order.reduce_only and self._on_side() <= 0:
            return Rejected(refusal=Refusal.NO_POSITION, code="110017", message="nothing to reduce")
        if order.trigger is not None and (self.price - order.trigger) * self.side.sign <= 0:
            return Rejected(refusal=Refusal.TRIGGER_PASSED, code="110093", message="trigger is on the wrong side")
        return self._misfit(order.quantity, order.price)

    def _placed(self, order: DesiredOrder, client_id: str) -> Reply:
        refusal = self._refusal(order, client_id)
        if refusal is not None:
            return refusal
        made = self._new_order(
            client_id, order.direction, order.type, order.quantity, order.price, order.trigger, order.reduce_only
        )
        self.own_ids.add(made.order_id)
        if order.type is OrderType.MARKET:
            quantity = min(order.quantity, self._on_side()) if order.reduce_only else order.quantity
            self.fill(made.order_id, quantity, self.price)
            if not self.records[made.order_id].terminal:
                self._end(made.order_id, "CancelByReduceOnly")
        elif self._touched(made):
            self.fill(made.order_id, made.remaining, order.price or self.price)
        self._assert_one_live_order_per_tag()
        return Accepted(order_id=made.order_id)

    def _amend(self, call: AmendOrder) -> Reply:
        self._assert_ours(call.order_id)
        record = self.records[call.order_id]
        if record.terminal:
            return Rejected(refusal=Refusal.GONE, code="110001", message="order not exists or too late")
        changed = replace(
            record.order,
            quantity=record.order.quantity if call.quantity is None else call.quantity,
            price=record.order.price if call.price is None else call.price,
            trigger=record.order.trigger if call.trigger is None else call.trigger,
        )
        misfit = self._misfit(changed.remaining, changed.price)
        if misfit is not None:
            return misfit
        if changed == record.order:
            return Rejected(refusal=Refusal.UNCHANGED, code="10001", message="order not modified")
        self._put(changed, terminal=changed.remaining <= 0)
        return Done()

    def _replace(self, call: ReplaceOrder) -> Reply:
        raise AssertionError("this venue moves orders in place")

    def _cancel(self, call: CancelOrder) -> Reply:
        self._assert_ours(call.order_id)
        if self.records[call.order_id].terminal:
            return Rejected(refusal=Refusal.GONE, code="110001", message="order not exists or too late")
        self._end(call.order_id, "CancelByUser")
        return Done()

    # The books of the venue

    def _new_order(
        self,
        client_id: str,
        direction: Direction,
        kind: OrderType,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
        reduce_only: bool,
    ) -> OpenOrder:
        self.last_order += 1
        order = OpenOrder(
            order_id=f"order-{self.last_order}",
            client_id=client_id,
            symbol="BTC/USDT:USDT",
            direction=direction,
            type=kind,
            quantity=quantity,
            filled=ZERO,
            price=price,
            trigger=trigger,
            reduce_only=reduce_only,
            side=self.side if self.hedged else None,
            created_ms=self.now_ms,
        )
        self._put(order, terminal=False)
        return order

    def _put(self, order: OpenOrder, *, terminal: bool, reason: str = "") -> None:
        if not self.history:
            self.history.append(Moment(at_ms=0, records={}, fills=(), held=ZERO))
        self.records[order.order_id] = OrderRecord(order=order, terminal=terminal, reason=reason)
        self._remember()

    def _remember(self) -> None:
        """From this moment on, reads show what is true now."""
        moment = Moment(at_ms=self.now_ms, records=dict(self.records), fills=tuple(self.fills), held=self.held)
        self.history.append(moment)

    def _end(self, order_id: str, reason: str) -> None:
        self._put(self.records[order_id].order, terminal=True, reason=reason)

    def _next_exec_id(self) -> str:
        self.last_exec += 1
        return f"exec-{self.last_exec}"

    def _hold(self, signed: Decimal, price: Decimal) -> None:
        before, self.held = self.held, self.held + signed
        if before * self.held <= 0:
            self.average = price if self.held else ZERO
        elif abs(self.held) > abs(before):
            self.average = (before * self.average + signed * price) / self.held

    def _on_side(self) -> Decimal:
        return self.held * self.side.sign

    def _position(self, held: Decimal) -> VenuePosition:
        on_side = held * self.side.sign
        return VenuePosition(
            quantity=max(on_side, ZERO),
            average=self.average if on_side > 0 else ZERO,
            leverage=self.leverage,
            hedged=self.hedged,
            opposite_quantity=max(-on_side, ZERO),
        )

    def _moment(self, call: Call) -> Moment:
        until_ms = self.now_ms - self.lag_ms(call)
        for moment in reversed(self.history):
            if moment.at_ms <= until_ms:
                return moment
        return Moment(at_ms=0, records={}, fills=(), held=ZERO)

    def _touched(self, order: OpenOrder) -> bool:
        if order.trigger is not None:
            return (self.price - order.trigger) * self.side.sign <= 0
        if order.price is None:
            return False
        reach = self.price - order.price
        return reach <= 0 if order.direction is Direction.BUY else reach >= 0

    def _closes(self, order: OpenOrder) -> bool:
        return order.reduce_only

    def _trim_exits(self) -> None:
        """Reduce-only orders shrink with the position and go when there is nothing left to reduce."""
        for order in self.resting():
            if self._closes(order) and self._on_side() <= 0:
                self._end(order.order_id, "CancelByReduceOnly")
            elif self._closes(order) and order.remaining > self._on_side():
                self._put(replace(order, quantity=order.filled + self._on_side()), terminal=False)

    def _deliver_late(self) -> None:
        arrived = [each for each in self.late if each[0] <= self.now_ms]
        self.late = [each for each in self.late if each[0] > self.now_ms]
        for at_ms, signed_ms, request in arrived:
            if at_ms - signed_ms <= WINDOW_MS:
                self._answer(request)

    def _assert_one_live_order_per_tag(self) -> None:
        live = [tag for tag in self.tags() if tag.startswith("sm_")]
        assert len(live) == len(set(live)), f"two live orders of one tag: {live}"

    def _assert_ours(self, order_id: str) -> None:
        assert order_id not in self.foreign_ids, "somebody else's order was touched"
        assert self.name(self.records[order_id].order).startswith("sm_"), "an order without a tag was touched"
