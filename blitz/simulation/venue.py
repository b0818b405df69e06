"""The in-memory venue: one account on one market, judged by nobody but itself.

It answers the calls of a pass as a derivatives exchange would: client ids in three regimes, matching, reduce-only
rules, fees, funding, liquidation, auto-deleveraging. What it holds is the truth that the checkers look at. It knows
nothing of faults in the network: `world` decides when a request arrives and whether its answer gets back. Rules are
those of the paper exchange, by the house that the account is at; a differential test holds the two equal.

Reads may be stale: a request carries how far behind it is answered, and every change is kept with its time.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
    Done,
    FillsRead,
    InstrumentRead,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PrepareAccount,
    PriceRead,
    Pulled,
    ReadAccount,
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
)
from blitz.core.instrument import Instrument
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import (
    STOP_LOSS,
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
from blitz.simulation.houses import BYBIT, House
from blitz.simulation.venue_books import VenueBooks
from blitz.simulation.venue_orders import Owner, VenueIds, VenueOrder, crosses
from blitz.simulation.venue_rules import off_grid, out_of_bounds, too_little

MONEY_QUANTUM = Decimal("0.00000001")
NO_MARGIN = Rejected(refusal=Refusal.MARGIN, code="110007", message="ab not enough for new order")
PASSED = Rejected(refusal=Refusal.TRIGGER_PASSED, code="110093", message="trigger is on the wrong side")
GONE = Rejected(refusal=Refusal.GONE, code="110001", message="order not exists or too late")
NOTHING_TO_CLOSE = Rejected(refusal=Refusal.NO_POSITION, code="110017", message="current position is zero")
MORE_THAN_IS_LEFT = Rejected(refusal=Refusal.NO_POSITION, code="110424", message="more than the available amount")
BUSY = Pulled(refusal=Refusal.LIMIT, code="100410", message="too many requests")
REMEMBERS_MS = 20_000
"""Ended orders stay candidates for stale lists this long; no read lags further behind."""


@dataclass(slots=True, kw_only=True)
class SimulatedVenue:
    """One account on one market. Times are the venue's own milliseconds; the caller passes them with each act."""

    instrument: Instrument
    side: Side
    """The side the bot trades: on a hedge account only this side is modelled in full."""
    ids: VenueIds = VenueIds.NEVER
    house: House = BYBIT
    hedged: bool = False
    price: Decimal = Decimal(60_000)
    leverage: Decimal = Decimal(10)
    wanted_leverage: Decimal = Decimal(10)
    """What the bot's settings ask for, and `PrepareAccount` sets."""
    margin_mode: MarginMode = MarginMode.CROSS
    wanted_margin_mode: MarginMode = MarginMode.CROSS
    rules: list[Instrument] = field(default_factory=list)
    """Every version of the market's rules so far, the present one last."""
    balance: Decimal = Decimal(1_000_000)
    fill_max: Decimal | None = None
    """Largest quantity that one touch of a resting order fills."""
    halted: bool = False
    """The book is empty: market orders find nobody and resting ones do not fill."""
    refuses_accounts: bool = False
    """Leverage cannot be set now."""
    opposite: Decimal = ZERO
    """Hedge accounts: what somebody holds on the other side."""
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    live: dict[str, VenueOrder] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    books: VenueBooks = field(init=False)
    used_ids: set[str] = field(default_factory=set)
    by_client_id: dict[str, list[VenueOrder]] = field(default_factory=dict)
    forgets_before_ms: int = 0
    """Fills and ended orders older than this are in no list any more."""
    prefix: str = "o"
    """Begins every order id, so that two accounts never share one."""
    _fill_times: list[int] = field(default_factory=list)
    _held_history: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)
    _recent: dict[str, VenueOrder] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self.books = VenueBooks()
        self.rules.append(self.instrument)
        self._held_history.append((0, ZERO, ZERO))

    # What a bot does

    def execute(self, call: object, now_ms: int, *, lag_ms: int = 0) -> Reply:
        """Carry out a request that has arrived. `lag_ms`: a read is answered as of that long ago."""
        match call:
            case ReadOpenOrders():
                return OpenOrdersRead(orders=tuple(self._listed(now_ms - lag_ms)))
            case ReadFills():
                return FillsRead(fills=self._fills_since(call.since_ms, now_ms - lag_ms))
            case ReadPosition():
                return PositionRead(position=self._position(now_ms - lag_ms))
            case ReadOrder():
                return OrderRead(record=self._record(call, now_ms - lag_ms))
            case ReadPrice():
                return PriceRead(price=self.price)
            case ReadAccount():
                return AccountRead(margin_mode=self.margin_mode)
            case ReadInstrument():
                return InstrumentRead(instrument=self.instrument)
        return self._write(call, now_ms)

    def _write(self, call: object, now_ms: int) -> Reply:
        match call:
            case PrepareAccount():
                return self._prepare()
            case SendOrder():
                return self._send(call, now_ms)
            case AmendOrder():
                assert self.house.amends_price or (call.price, call.trigger) == (None, None), "moved in place"
                return self._amend(call, now_ms)
            case ReplaceOrder():
                return self._replace(call, now_ms)
            case CancelOrder():
                return self._cancel(call.order_id, now_ms)
        raise AssertionError(f"no venue knows {call!r}")

    # What people and the market do

    def move(self, price: Decimal, now_ms: int) -> None:
        """Jump to a price: limits on the way fill at their own price, stops fire and fill at the new one.

        What lies nearest to the old price goes first.
        """
        old, self.price = self.price, price
        if self.halted:
            return
        touched: set[str] = set()
        while True:
            order = self._next_touched(old, touched)
            if order is None:
                return
            touched.add(order.shown.order_id)
            if order.waits:
                order.triggered = True
                self._enter(order, now_ms)
            else:
                self._touch(order, now_ms)

    def resume(self, now_ms: int) -> None:
        """Trading goes on after a halt: what came to cross the price meanwhile is matched."""
        self.halted = False
        self.move(self.price, now_ms)

    def rest_by_hand(
        self,
        direction: Direction,
        quantity: Decimal,
        price: Decimal,
        now_ms: int,
        *,
        client_id: str = "",
        owner: Owner = Owner.HUMAN,
    ) -> str:
        """A person, or somebody else's program, rests a limit order; the answer is its id."""
        shown = self._drawn(client_id, direction, OrderType.LIMIT, quantity, price, None, False, now_ms)
        if self.hedged and direction is self.side.closing:
            shown = replace(shown, side=Side.SHORT if self.side is Side.LONG else Side.LONG)
        self._enter(self._kept(owner, shown, now_ms), now_ms)
        return shown.order_id

    def stop_by_hand(self, quantity: Decimal, trigger: Decimal, now_ms: int) -> str | None:
        """A person rests a stop against the position; None when the venue does not take it."""
        wanted = DesiredOrder(
            key=STOP_LOSS,
            type=OrderType.STOP_MARKET,
            direction=self.side.closing,
            quantity=quantity,
            trigger=trigger,
        )
        reply = self._placed(wanted, "", Owner.HUMAN, now_ms)
        return reply.order_id if isinstance(reply, Accepted) else None

    def trade_by_hand(
        self, direction: Direction, quantity: Decimal, now_ms: int, *, reduce_only: bool = False,
        makes_room: bool = True,
    ) -> str | None:  # fmt: skip
        """A person trades at market; None when a reduce-only order found nothing to reduce.

        `makes_room`: the venue's own page lets go of what resting exits reserve, as far as the position shrinks.
        """
        if reduce_only and self._closable(direction) <= 0:
            return None
        left = self._closable(direction) - self._reserved(direction, "")
        if reduce_only and self.house.reserves and not makes_room and quantity > left:
            return None
        shown = self._drawn("", direction, OrderType.MARKET, quantity, None, None, reduce_only, now_ms)
        self._enter(self._kept(Owner.HUMAN, shown, now_ms), now_ms)
        return shown.order_id

    def cancel_by_hand(self, order_id: str, now_ms: int) -> bool:
        """A person cancels any order at the venue's own page."""
        return isinstance(self._cancel(order_id, now_ms), Done)

    def edit_by_hand(
        self, order_id: str, now_ms: int, *, price: Decimal | None = None, quantity: Decimal | None = None
    ) -> bool:
        """A person drags an order to another price or size."""
        call = AmendOrder(order_id=order_id, quantity=quantity, price=price, trigger=None)
        return isinstance(self._amend(call, now_ms), Done)

    def take_up_rules(self, instrument: Instrument) -> None:
        """The venue changes the market's rules."""
        self.instrument = instrument
        self.rules.append(instrument)

    def liquidate(self, price: Decimal, now_ms: int) -> None:
        """The venue closes the position at its bankruptcy price; open orders of the market go first."""
        for order in list(self.live.values()):
            self._end(order, now_ms, "CancelAllBeforeLiq")
        if self.held:
            self._taken_over(abs(self.held), price, FillKind.LIQUIDATION, now_ms)

    def deleverage(self, quantity: Decimal, now_ms: int) -> None:
        """The venue takes part of the position at the price of the moment, without a fee."""
        self._taken_over(min(quantity, abs(self.held)), self.price, FillKind.ADL, now_ms)

    def fund(self, rate: Decimal, now_ms: int) -> None:
        """Charge (negative: pay) one funding interval of the open position at the mark price."""
        if not self.held:
            return
        amount = round_money(self.price * self.held * rate)
        self.books.funding += amount
        self._number += 1
        self._append(
            Fill(
                exec_id=f"{self.prefix}f{self._number}",
                order_id=f"{self.prefix}funding{self._number}",
                client_id="",
                symbol=self.instrument.venue_symbol,
                kind=FillKind.FUNDING,
                direction=Direction.BUY if self.held > 0 else Direction.SELL,
                quantity=abs(self.held),
                price=self.price,
                fee=amount,
                is_maker=False,
                at_ms=now_ms,
                sequence=self._number,
            )
        )

    def half_replace(self, call: ReplaceOrder, now_ms: int) -> Reply:
        """Take the old order back, and refuse the new one for a reason of the venue's own."""
        return BUSY if isinstance(self._cancel(call.order_id, now_ms), Done) else GONE

    # The truth, for whoever checks

    @property
    def held(self) -> Decimal:
        """Signed position: a short is negative."""
        return self.books.held

    @property
    def on_side(self) -> Decimal:
        """The position as the bot's side counts it: negative when somebody turned it round."""
        return self.books.held * self.side.sign

    def own_live(self, prefix: str) -> Iterator[VenueOrder]:
        """Live orders whose client id begins with `prefix`."""
        return (order for order in self.live.values() if order.shown.client_id.startswith(prefix))

    # Reads

    def _listed(self, moment_ms: int) -> Iterator[OpenOrder]:
        if not self._recent:
            for order in self.live.values():
                seen = order.versions[-1]
                found = (seen[1], seen[2], seen[3]) if seen[0] <= moment_ms else order.at(moment_ms)
                if found is not None and not found[1]:
                    yield found[0]
            return
        for order in [*self.live.values(), *self._recent.values()]:
            found = order.at(moment_ms)
            if found is not None and not found[1]:
                yield found[0]

    def _fills_since(self, since_ms: int, moment_ms: int) -> tuple[Fill, ...]:
        first = bisect_right(self._fill_times, max(since_ms, self.forgets_before_ms) - 1)
        return tuple(self.fills[first : bisect_right(self._fill_times, moment_ms)])

    def _position(self, moment_ms: int) -> VenuePosition:
        held, average = ZERO, ZERO
        for at_ms, held_then, average_then in reversed(self._held_history):
            if at_ms <= moment_ms:
                held, average = held_then, average_then
                break
        on_side = held * self.side.sign
        return VenuePosition(
            quantity=max(on_side, ZERO),
            average=average if on_side > 0 else ZERO,
            leverage=self.leverage,
            hedged=self.hedged,
            opposite_quantity=self.opposite if self.hedged else max(-on_side, ZERO),
            mark=self.price,
        )

    def _record(self, call: ReadOrder, moment_ms: int) -> OrderRecord | None:
        if call.order_id:
            known = [self.orders[call.order_id]] if call.order_id in self.orders else []
        else:
            known = self.by_client_id.get(self._known_as(call.client_id), [])
        for order in reversed(known):
            found = order.at(moment_ms)
            if found is None or (order.terminal and order.ended_ms < self.forgets_before_ms):
                continue
            return OrderRecord(order=found[0], terminal=found[1], reason=found[2])
        return None

    # Writes

    def _prepare(self) -> Reply:
        if self.refuses_accounts:
            return Rejected(refusal=Refusal.ACCOUNT, code="110013", message="cannot set leverage")
        self.leverage, self.margin_mode = self.wanted_leverage, self.wanted_margin_mode
        return Done()

    def _send(self, call: SendOrder, now_ms: int) -> Reply:
        return self._placed(call.order, call.client_id, Owner.BOT, now_ms)

    def _placed(self, wanted: DesiredOrder, client_id: str, owner: Owner, now_ms: int) -> Accepted | Rejected:
        refusal = off_grid(self.instrument, wanted.quantity, wanted.price) or self._taken(client_id)
        refusal = refusal or self._unfit(wanted)
        if refusal is not None:
            return refusal
        shown = self._drawn(
            client_id, wanted.direction, wanted.type, wanted.quantity, wanted.price, wanted.trigger,
            wanted.reduce_only, now_ms,
        )  # fmt: skip
        if wanted.reduce_only:
            refusal = self._nothing_left(shown) if self.house.reserves else self._no_room(shown)
            if refusal is not None:
                return refusal
        elif self._lacks_margin(wanted.quantity, wanted.price):
            return NO_MARGIN
        order = self._kept(owner, shown, now_ms)
        if wanted.trigger is None:
            self._enter(order, now_ms)
        return Accepted(order_id=order.shown.order_id)

    def _no_room(self, shown: OpenOrder) -> Rejected | None:
        """Where exits are cut to what they find: refuse one that would be cut to nothing. A stop finds out later."""
        if shown.trigger is None and self._room(shown.direction, rests=self._rests(shown)) <= 0:
            return NOTHING_TO_CLOSE
        return None

    def _nothing_left(self, shown: OpenOrder) -> Rejected | None:
        """Where exits reserve: refuse one for more than the others leave; limits and stops count apart."""
        size = self._closable(shown.direction)
        if not size:
            return NOTHING_TO_CLOSE
        waits = shown.trigger is not None
        left = size - self._reserved(shown.direction, shown.order_id, waiting=waits)
        return MORE_THAN_IS_LEFT if shown.remaining > left else None

    def _known_as(self, client_id: str) -> str:
        return client_id.lower() if self.house.folds_ids else client_id

    def _taken(self, client_id: str) -> Rejected | None:
        client_id = self._known_as(client_id)
        if self.ids is VenueIds.NEVER:
            taken = client_id in self.used_ids
        else:
            same = self.by_client_id.get(client_id, [])
            taken = self.ids is VenueIds.REUSABLE and any(not order.terminal for order in same)
        if not taken:
            return None
        return Rejected(refusal=Refusal.TAKEN, code="110072", message="OrderLinkedID is duplicate")

    def _unfit(self, wanted: DesiredOrder) -> Rejected | None:
        refusal = out_of_bounds(self.instrument, wanted.type, quantity=wanted.quantity, price=wanted.price)
        if refusal is not None:
            return refusal
        if wanted.trigger is not None:
            if self._is_passed(wanted.trigger):
                return PASSED
            if sum(order.waits for order in self.live.values()) >= self.house.stops_max:
                return Rejected(refusal=Refusal.FILTER, code="110009", message="too many stop orders")
        if wanted.reduce_only:
            return None
        return too_little(self.instrument, wanted.quantity, wanted.price or self.price)

    def _is_passed(self, trigger: Decimal) -> bool:
        """Whether a stop's trigger has been reached already: a long's waits for a fall, a short's for a rise."""
        return (self.price - trigger) * self.side.sign <= 0

    def _lacks_margin(self, quantity: Decimal, price: Decimal | None, *, except_id: str = "") -> bool:
        opening = self.side.opening
        value = abs(self.held) * self.price + quantity * (price or self.price)
        for order in self.live.values():
            shown = order.shown
            if shown.direction is opening and not shown.reduce_only and shown.order_id != except_id:
                value += shown.remaining * (shown.price or self.price)
        return value / self.leverage > self.balance

    def _amend(self, call: AmendOrder, now_ms: int) -> Reply:
        order = self.live.get(call.order_id)
        if order is None:
            return GONE
        shown = order.shown
        changed = replace(
            shown,
            quantity=shown.quantity if call.quantity is None else call.quantity,
            price=shown.price if call.price is None else call.price,
            trigger=shown.trigger if call.trigger is None else call.trigger,
        )
        if changed == shown and self.house.takes_no_change:
            return Done()
        if changed == shown:
            return Rejected(refusal=Refusal.UNCHANGED, code="10001", message="order not modified")
        refusal = self._amend_refused(order, changed)
        if refusal is not None:
            return refusal
        moved = changed.price != shown.price and not order.waits
        if shown.reduce_only and self.house.reserves:
            refusal = self._nothing_left(changed)
            if refusal is not None:
                return refusal
        elif shown.reduce_only and not order.waits:
            rests = not moved or self._rests(changed)
            room = self._room(shown.direction, rests=rests, except_id=shown.order_id)
            if room <= 0:
                return Rejected(refusal=Refusal.NO_POSITION, code="110017", message="reduce-only rule not satisfied")
            changed = replace(changed, quantity=changed.filled + min(changed.remaining, room))
        order.shown = changed
        order.note(now_ms)
        if moved:
            self._enter(order, now_ms)
        return Done()

    def _amend_refused(self, order: VenueOrder, changed: OpenOrder) -> Rejected | None:
        quantity = changed.quantity if changed.quantity != order.shown.quantity else None
        refusal = out_of_bounds(self.instrument, changed.type, quantity=quantity, price=None)
        if refusal is not None:
            return refusal
        if quantity is not None and quantity <= changed.filled:
            return Rejected(refusal=Refusal.GONE, code="110064", message="order qty must be above the filled qty")
        refusal = out_of_bounds(self.instrument, changed.type, quantity=None, price=changed.price)
        if refusal is not None:
            return refusal
        if order.waits and changed.trigger is not None and self._is_passed(changed.trigger):
            return PASSED
        if changed.reduce_only:
            return None
        refusal = too_little(self.instrument, changed.remaining, changed.price or self.price)
        if refusal is None and self._lacks_margin(changed.remaining, changed.price, except_id=changed.order_id):
            return NO_MARGIN
        return refusal

    def _replace(self, call: ReplaceOrder, now_ms: int) -> Reply:
        """Cancel, then place; without the first not the second."""
        assert not self.house.amends_price, "replaced what moves in place"
        if not isinstance(self._cancel(call.order_id, now_ms), Done):
            return GONE
        placed = self._placed(call.order, call.client_id, Owner.BOT, now_ms)
        if isinstance(placed, Rejected):
            return Pulled(refusal=placed.refusal, code=placed.code, message=placed.message)
        return placed

    def _cancel(self, order_id: str, now_ms: int) -> Reply:
        order = self.live.get(order_id)
        if order is None:
            return GONE
        self._end(order, now_ms, "CancelByUser")
        return Done()

    # Matching

    def _enter(self, order: VenueOrder, now_ms: int) -> None:
        """Take what the book offers at the last price; a limit rests with what is left, a market order ends."""
        shown = order.shown
        if shown.reduce_only:
            room = self._room(shown.direction, rests=self._rests(shown), except_id=shown.order_id)
            if room <= 0:
                self._end(order, now_ms, "CancelByReduceOnly")
                return
            if shown.remaining > room:
                order.shown = shown = replace(shown, quantity=shown.filled + room)
                order.note(now_ms)
        is_limit = shown.type is OrderType.LIMIT
        if not self.halted and (not is_limit or crosses(shown, self.price)):
            quantity = min(shown.remaining, self._closable(shown.direction)) if shown.reduce_only else shown.remaining
            self._fill(order, quantity, self.price, FillKind.TRADE, now_ms, is_maker=False)
        if not order.terminal and not is_limit:
            self._end(order, now_ms, "EC_NoImmediateQtyToFill")

    def _touch(self, order: VenueOrder, now_ms: int) -> None:
        """The price has reached a resting limit: it fills at its own price, as far as one touch may."""
        shown = order.shown
        quantity = shown.remaining if self.fill_max is None else min(shown.remaining, self.fill_max)
        if shown.reduce_only:
            quantity = min(quantity, self._closable(shown.direction))
        assert shown.price is not None
        if quantity > 0:
            self._fill(order, quantity, shown.price, FillKind.TRADE, now_ms, is_maker=True)

    def _next_touched(self, old: Decimal, touched: set[str]) -> VenueOrder | None:
        """The nearest on the way; at one price what rests goes before a stop, and the older before the newer.

        What the old price had reached already (it filled in part) goes before all that, the better price first.
        """
        firsts: dict[tuple[bool, Direction], tuple[Decimal, int, VenueOrder]] = {}
        for number, order in enumerate(self.live.values()):
            if order.shown.order_id in touched or not self._reached(order, self.price):
                continue
            queue = (order.waits, order.shown.direction)
            at = order.waits_at
            place = (-at if self._falls(order) else at, number, order)
            if queue not in firsts or place[:2] < firsts[queue][:2]:
                firsts[queue] = place
        ranked = [
            (ZERO if self._reached(order, old) else abs(order.waits_at - old), order.waits, number, order)
            for _, number, order in firsts.values()
        ]
        return min(ranked, key=lambda rank: rank[:3])[3] if ranked else None

    def _reached(self, order: VenueOrder, price: Decimal) -> bool:
        return price <= order.waits_at if self._falls(order) else price >= order.waits_at

    def _falls(self, order: VenueOrder) -> bool:
        """Whether the price must fall to reach it: to a buy limit, or to a long's stop."""
        return self.side is Side.LONG if order.waits else order.shown.direction is Direction.BUY

    def _closable(self, direction: Direction) -> Decimal:
        """How much an order of this direction could take from the position."""
        return max(-self.held if direction is Direction.BUY else self.held, ZERO)

    def _room(self, direction: Direction, *, rests: bool, except_id: str = "") -> Decimal:
        """What a reduce-only order may cover: one that trades at once all of it, one that rests what others leave."""
        closable = self._closable(direction)
        return closable - self._reserved(direction, except_id) if rests else closable

    def _rests(self, shown: OpenOrder) -> bool:
        """Whether an order would wait in the book rather than trade at once."""
        return shown.type is OrderType.LIMIT and (self.halted or not crosses(shown, self.price))

    def _reserved(self, direction: Direction, except_id: str, *, waiting: bool = False) -> Decimal:
        return sum(
            (
                order.shown.remaining
                for order in self.live.values()
                if order.shown.reduce_only
                and order.waits is waiting
                and order.shown.direction is direction
                and order.shown.order_id != except_id
            ),
            ZERO,
        )

    def _fill(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, kind: FillKind, now_ms: int, *, is_maker: bool
    ) -> None:
        if order.shown.side not in {None, self.side}:
            self.opposite += quantity
            self._filled(order, quantity, now_ms)
            return
        value = round_money(price * quantity)
        rate = self.instrument.maker_rate if is_maker else self.instrument.taker_rate
        fee = ZERO if kind is FillKind.ADL else round_money(value * rate)
        shown = order.shown
        self.books.fold(shown.direction, quantity, value, fee)
        self._number += 1
        self._append(
            Fill(
                exec_id=f"{self.prefix}e{self._number}",
                order_id=shown.order_id,
                client_id=shown.client_id,
                symbol=self.instrument.venue_symbol,
                kind=kind,
                direction=shown.direction,
                quantity=quantity,
                price=price,
                fee=fee,
                is_maker=is_maker,
                at_ms=now_ms,
                sequence=self._number,
            )
        )
        self._held_history.append((now_ms, self.books.held, self.books.average))
        self._filled(order, quantity, now_ms)
        self._fit_reduce_only(now_ms)
        if self.house.reserves:
            self._fit_stops(now_ms)

    def _filled(self, order: VenueOrder, quantity: Decimal, now_ms: int) -> None:
        order.shown = replace(order.shown, filled=order.shown.filled + quantity)
        if order.shown.remaining == 0:
            self._end(order, now_ms, "Filled")
        else:
            order.note(now_ms)

    def _position_side(self, direction: Direction, *, reduce_only: bool) -> Side | None:
        """Hedge accounts: an order against the bot's side that may open belongs to the other one."""
        if not self.hedged:
            return None
        is_ours = reduce_only or direction is self.side.opening
        return self.side if is_ours else Side.SHORT if self.side is Side.LONG else Side.LONG

    def _append(self, fill: Fill) -> None:
        self.fills.append(fill)
        self._fill_times.append(fill.at_ms)

    def _taken_over(self, quantity: Decimal, price: Decimal, kind: FillKind, now_ms: int) -> None:
        if quantity <= 0:
            return
        direction = Direction.SELL if self.held > 0 else Direction.BUY
        shown = self._drawn("", direction, OrderType.MARKET, quantity, None, None, True, now_ms)
        order = self._kept(Owner.VENUE, shown, now_ms)
        self._fill(order, quantity, price, kind, now_ms, is_maker=False)

    def _fit_reduce_only(self, now_ms: int) -> None:
        """Resting reduce-only orders are trimmed, newest first, until together they fit the position."""
        for direction in (Direction.BUY, Direction.SELL):
            resting = [
                order
                for order in self.live.values()
                if order.shown.reduce_only and not order.waits and order.shown.direction is direction
            ]
            if not resting:
                continue
            excess = sum((order.shown.remaining for order in resting), ZERO) - self._closable(direction)
            for order in reversed(resting):
                if excess <= 0:
                    break
                cut = min(excess, order.shown.remaining)
                excess -= cut
                if cut == order.shown.remaining:
                    self._end(order, now_ms, "CancelByReduceOnly")
                else:
                    order.shown = replace(order.shown, quantity=order.shown.quantity - cut)
                    order.note(now_ms)

    def _fit_stops(self, now_ms: int) -> None:
        """Where stops follow the position: each is cut to it, and goes with it."""
        for order in [order for order in self.live.values() if order.waits]:
            size = self._closable(order.shown.direction)
            if not size:
                self._end(order, now_ms, "CancelByTpSlTsClear")
            elif order.shown.quantity > size:
                order.shown = replace(order.shown, quantity=size)
                order.note(now_ms)

    def _drawn(
        self, client_id: str, direction: Direction, kind: OrderType, quantity: Decimal, price: Decimal | None,
        trigger: Decimal | None, reduce_only: bool, now_ms: int,
    ) -> OpenOrder:  # fmt: skip
        """A new order as it would be listed; nothing is kept yet."""
        return OpenOrder(
            order_id=f"{self.prefix}{self._number + 1}",
            client_id=self.house.kept_id(client_id, kind),
            symbol=self.instrument.venue_symbol,
            direction=direction,
            type=kind,
            quantity=quantity,
            filled=ZERO,
            price=price,
            trigger=trigger,
            reduce_only=reduce_only,
            side=self._position_side(direction, reduce_only=reduce_only),
            created_ms=now_ms,
        )

    def _kept(self, owner: Owner, shown: OpenOrder, now_ms: int) -> VenueOrder:
        self._number += 1
        order = VenueOrder(owner=owner, shown=shown)
        order.note(now_ms)
        self.orders[shown.order_id] = self.live[shown.order_id] = order
        if shown.client_id:
            self.used_ids.add(shown.client_id)
            self.by_client_id.setdefault(shown.client_id, []).append(order)
        return order

    def _end(self, order: VenueOrder, now_ms: int, reason: str) -> None:
        order.terminal, order.reason, order.ended_ms = True, reason, now_ms
        order.note(now_ms)
        del self.live[order.shown.order_id]
        for order_id, old in list(self._recent.items()):
            if old.ended_ms < now_ms - REMEMBERS_MS:
                del self._recent[order_id]
        self._recent[order.shown.order_id] = order


def round_money(amount: Decimal) -> Decimal:
    """Round a USDT amount to 1e-8, half to even, as the paper exchange does."""
    return amount.quantize(MONEY_QUANTUM, rounding=ROUND_HALF_EVEN)
