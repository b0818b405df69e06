"""One account twice: in the simulator's venue, and on a real paper exchange over HTTP. Every act is done to both.

`Hall` is the paper exchange that all accounts of a test file share. An `Account` holds one `Twin` for each market;
a twin compares the answers of its two halves, and then everything that can be read of them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import zip_longest
from typing import Any

import ccxt
import requests

from blitz.clock import ManualClock
from blitz.core.calls import (
    Accepted,
    AmendOrder,
    CancelOrder,
    Done,
    FillsRead,
    OpenOrdersRead,
    OrderRead,
    PositionRead,
    PrepareAccount,
    Pulled,
    ReadAccount,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    ReadPrice,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
)
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import LadderSettings, MarginMode, parse_settings
from blitz.core.orders import ZERO, DesiredOrder, Direction, Fill, FillKind, OpenOrder, OrderRecord, Side
from blitz.exchange.exchanges import Exchanges
from blitz.paper.server import PaperConfig, PaperServer
from blitz.simulation.houses import BINGX, BYBIT, House, HouseName
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import VenueIds
from tests.bots.plain import plain_client
from tests.exchange.world import venue_at

SOL, XRP = "SOL/USDT:USDT", "XRP/USDT:USDT"
START_PRICES = {SOL: Decimal(150), XRP: Decimal("0.6")}
"""Markets of one quantity step, because the paper exchange limits fills by account; of XRP one step is too little."""
START_MS = 20_000 * 86_400_000 + 3_600_000
"""An hour after midnight: no funding is due for seven."""
FUNDING_MS = 8 * 3_600_000
BALANCE = Decimal(200_000)
SO_DEEP = "1000000000000000"
"""A book that no order walks through: a taker gets all it wants at the last price, as in the simulator."""
AVERAGE_QUANTUM = Decimal("0.000000000001")
NEVER_MS = 2**53
NOTHING_TO_REDUCE = ("110017", "101205", "110424")


class Hall:
    """A paper exchange at a clock that stands still, and a plain client for everything that is done by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(START_MS)
        self.paper = PaperServer(PaperConfig(feed="manual", enforce_limits=False), self.clock)
        self.paper.start()
        self.url = self.paper.url
        self.exchanges = Exchanges(self.clock)
        self.hands = {house: plain_client(house.value, self.url, "nobody", "nothing") for house in HouseName}
        for client in self.hands.values():
            client.nonce = self.clock.now_ms
        self.seen: Counter[str] = Counter()
        """What the simulated halves answered and booked, so that a test can say that a walk met everything."""
        self._accounts = 0
        self.control("clock", advance_ms="1")
        for symbol in START_PRICES:
            self.control("book", symbol=symbol, first_level_notional=SO_DEEP)

    def control(self, what: str, **body: str) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/__paper/{what}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state(self, key: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/__paper/state", params={"key": key}, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["accounts"][0])

    def account(self, *, house: House = BYBIT, **wanted: Any) -> "Account":
        """Open a new account. Prices, faults and the id regime start anew."""
        requests.delete(f"{self.url}/__paper/faults", timeout=10)
        for symbol, price in START_PRICES.items():
            self.control("mark", symbol=symbol)
            self.control("price", symbol=symbol, price=str(price))
        self._accounts += 1
        key = f"twin-{self._accounts}"
        self.control("accounts", key=key, secret=f"{key}-secret", balance=str(BALANCE), exchange=house.name.value)
        return Account(hall=self, key=key, house=house, **wanted)

    def close(self) -> None:
        for client in self.hands.values():
            client.session.close()
        self.paper.stop()


@dataclass(kw_only=True)
class Account:
    """One account with its two markets. `sides`: which way the bot of each market trades."""

    hall: Hall
    key: str
    house: House = BYBIT
    ids: VenueIds = VenueIds.NEVER
    hedged: bool = False
    margin_mode: MarginMode = MarginMode.CROSS
    sides: tuple[Side, Side] = (Side.LONG, Side.SHORT)
    story: list[str] = field(default_factory=list)
    twins: list["Twin"] = field(init=False)

    def __post_init__(self) -> None:
        hall = self.hall
        self.by_hand.apiKey, self.by_hand.secret = self.key, f"{self.key}-secret"
        hall.control("rules", id_regime=self.ids.value)
        if self.house is BINGX:
            self.by_hand.set_position_mode(self.hedged)
        elif self.hedged:
            self.by_hand.private_post_v5_position_switch_mode({"category": "linear", "coin": "USDT", "mode": 3})
        self.twins = [
            Twin(account=self, symbol=symbol, side=side) for symbol, side in zip(START_PRICES, self.sides, strict=True)
        ]
        for twin in self.twins:
            twin.do(PrepareAccount())
            twin.compare()

    @property
    def by_hand(self) -> Any:
        """Somebody else's client of this exchange."""
        return self.hall.hands[self.house.name]

    @property
    def now_ms(self) -> int:
        return self.hall.clock.now_ms()

    def note(self, what: str) -> None:
        self.story.append(what)

    def told(self) -> str:
        """The story so far, for a failing test."""
        return "\n" + "\n".join(self.story[-25:])

    def same(self, simulated: object, on_paper: object) -> None:
        """Fail with both values and the story when they differ."""
        assert simulated == on_paper, f"\n  simulated {simulated}\n  on paper  {on_paper}{self.told()}"

    def wait(self, milliseconds: int) -> None:
        self.hall.clock.advance(milliseconds)

    def switch_ids(self, ids: VenueIds) -> None:
        """The venue changes its mind about used client ids."""
        self.note(f"ids are {ids}")
        self.hall.control("rules", id_regime=ids.value)
        for twin in self.twins:
            twin.venue.ids = ids

    def fund(self, rate: Decimal) -> None:
        """Time goes on to the next funding, which charges every position."""
        self.note(f"funding at {rate}")
        for twin in self.twins:
            self.hall.control("funding", symbol=twin.symbol, rate=str(rate))
        self.hall.control("clock", advance_ms=str(FUNDING_MS - self.now_ms % FUNDING_MS))
        for twin in self.twins:
            twin.venue.fund(rate, self.now_ms)
        for twin in self.twins:
            twin.compare()

    def limit_fills(self, quantity: Decimal | None) -> None:
        """From now on one touch of any order of the account fills at most this."""
        self.note(f"one touch fills {quantity}")
        requests.delete(f"{self.hall.url}/__paper/faults", timeout=10)
        if quantity is not None:
            self.hall.control("faults", fault="partial_fill", account=self.key, quantity=str(quantity))
        for twin in self.twins:
            twin.venue.fill_max = quantity

    def compare_books(self) -> None:
        """Hold what the paper exchange booked against the simulator's books, to the last digit."""
        state = self.hall.state(self.key)
        for twin in self.twins:
            twin.compare_books(state["executions"])
        names = ("realised", "fees", "funding")
        on_paper = {name: Decimal(state[name]) for name in names}
        simulated = {name: sum((getattr(twin.venue.books, name) for twin in self.twins), ZERO) for name in names}
        if not any(twin.venue.opposite for twin in self.twins):
            self.same(simulated, on_paper)


@dataclass(kw_only=True)
class Twin:
    """One market of an account, in the simulator and on paper. Order ids are the simulator's everywhere."""

    account: Account
    symbol: str
    side: Side
    venue: SimulatedVenue = field(init=False)
    gateway: Any = field(init=False)
    paper_ids: dict[str, str] = field(default_factory=dict)
    """The paper exchange's order id of each order that was sent or placed, by the simulator's."""
    client_ids: dict[str, str] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)
    since_ms: int = field(init=False)

    def __post_init__(self) -> None:
        account, hall = self.account, self.account.hall
        venue = venue_at(hall.url, account.house.name.value)
        credentials = Credentials(api_key=account.key, api_secret=f"{account.key}-secret")
        self.gateway = hall.exchanges.gateway(venue, credentials, self._settings())
        self.gateway.execute(ReadPosition())
        self.since_ms = account.now_ms
        self.venue = SimulatedVenue(
            instrument=hall.exchanges.instrument(venue, self.symbol),
            side=self.side,
            ids=account.ids,
            house=account.house,
            hedged=account.hedged,
            price=START_PRICES[self.symbol],
            wanted_margin_mode=account.margin_mode,
            balance=BALANCE,
            prefix=f"{self.symbol[:3]}-",
        )

    def _settings(self) -> LadderSettings:
        return parse_settings(
            {
                "exchange": self.account.house.name.value,
                "symbol": self.symbol,
                "side": self.side.value,
                "leverage": "10",
                "margin_mode": self.account.margin_mode.value,
            }
        )

    @property
    def now_ms(self) -> int:
        return self.account.now_ms

    @property
    def index(self) -> int:
        """The position index of the bot's side."""
        if not self.account.hedged:
            return 0
        return 1 if self.side is Side.LONG else 2

    # What the bot does

    def do(self, call: SendOrder | AmendOrder | ReplaceOrder | CancelOrder | PrepareAccount) -> Reply:
        """Carry out a call on both and hold the answers together; answers the simulator's."""
        self.account.note(f"{self.symbol} {call}")
        on_paper = self.gateway.execute(self._on_paper(call))
        simulated = self.venue.execute(call, self.now_ms)
        self.account.note(f"    {simulated} | {on_paper}")
        self.account.same(gist(simulated), gist(on_paper))
        self.account.hall.seen[" ".join((type(call).__name__, *gist(simulated)))] += 1
        if (
            isinstance(call, SendOrder | ReplaceOrder)
            and isinstance(simulated, Accepted)
            and isinstance(on_paper, Accepted)
        ):
            known_as = self.account.house.kept_id(call.client_id, call.order.type)
            self._paired(simulated.order_id, on_paper.order_id, known_as)
        return simulated

    def send(self, order: DesiredOrder, client_id: str) -> Reply:
        return self.do(SendOrder(order=order, client_id=client_id, expires_ms=NEVER_MS))

    def _on_paper(self, call: SendOrder | AmendOrder | ReplaceOrder | CancelOrder | PrepareAccount) -> Any:
        if isinstance(call, AmendOrder | ReplaceOrder | CancelOrder):
            return replace(call, order_id=self.paper_ids.get(call.order_id, call.order_id))
        return call

    def _paired(self, simulated: str, on_paper: str, client_id: str) -> None:
        self.paper_ids[simulated] = on_paper
        self.client_ids[simulated] = client_id
        self.resting.add(simulated)

    # What the market and the venue do

    def move(self, price: Decimal) -> None:
        self.account.note(f"{self.symbol} jumps to {price}")
        self.account.hall.control("price", symbol=self.symbol, price=str(price))
        self.venue.move(price, self.now_ms)

    def deleverage(self, quantity: Decimal) -> None:
        self.account.note(f"{self.symbol} is deleveraged by {quantity}")
        self.account.hall.control(
            "adl", key=self.account.key, symbol=self.symbol, quantity=str(quantity), position_idx=str(self.index)
        )
        self.venue.deleverage(quantity, self.now_ms)

    def liquidate(self) -> None:
        """Send the mark price far enough for an isolated position to be taken over, and back again."""
        self.account.note(f"{self.symbol} is liquidated")
        factor = Decimal("0.8") if self.venue.held > 0 else Decimal("1.2")
        self.account.hall.control("mark", symbol=self.symbol, mark=str(self.venue.price * factor))
        self.account.hall.control("mark", symbol=self.symbol)
        # Where the venue takes a position over is a matter of margin, which the simulator leaves to its market.
        taken = self._fills_on_paper()[-1]
        assert taken.kind is FillKind.LIQUIDATION, self.account.told()
        self.venue.liquidate(taken.price, self.now_ms)

    # What people do

    def trade_by_hand(self, direction: Direction, quantity: Decimal, *, reduce_only: bool = False) -> bool:
        """Whether there was something to trade; both must be of one mind."""
        self.account.note(f"{self.symbol} by hand: {direction} {quantity} at market, reduce only: {reduce_only}")
        simulated = self.venue.trade_by_hand(
            direction, quantity, self.now_ms, reduce_only=reduce_only, makes_room=False
        )
        on_paper = self._placed_by_hand(direction, quantity, None, reduce_only=reduce_only)
        self.account.same(simulated is None, on_paper is None)
        if simulated is not None and on_paper is not None:
            self._paired(simulated, on_paper, "")
        return simulated is not None

    def rest_by_hand(self, direction: Direction, quantity: Decimal, price: Decimal) -> str:
        self.account.note(f"{self.symbol} by hand: {direction} {quantity} at {price}")
        simulated = self.venue.rest_by_hand(direction, quantity, price, self.now_ms)
        on_paper = self._placed_by_hand(direction, quantity, price)
        assert on_paper is not None, self.account.told()
        self._paired(simulated, on_paper, "")
        return simulated

    def cancel_by_hand(self, order_id: str) -> bool:
        self.account.note(f"{self.symbol} by hand: cancel {order_id}")
        simulated = self.venue.cancel_by_hand(order_id, self.now_ms)
        return self._same(simulated, self._asked_by_hand("cancel", order_id))

    def edit_by_hand(self, order_id: str, *, price: Decimal | None = None, quantity: Decimal | None = None) -> bool:
        self.account.note(f"{self.symbol} by hand: {order_id} to {quantity} at {price}")
        simulated = self.venue.edit_by_hand(order_id, self.now_ms, price=price, quantity=quantity)
        changes = {"price": price, "qty": quantity}
        wanted = {name: str(value) for name, value in changes.items() if value is not None}
        return self._same(simulated, self._asked_by_hand("amend", order_id, **wanted))

    def _same(self, simulated: bool, on_paper: bool) -> bool:
        self.account.same(simulated, on_paper)
        return simulated

    def _placed_by_hand(
        self, direction: Direction, quantity: Decimal, price: Decimal | None, *, reduce_only: bool = False
    ) -> str | None:
        params = self._place(direction, reduce_only=reduce_only)
        kind, text = ("market", None) if price is None else ("limit", str(price))
        try:
            placed = self.account.by_hand.create_order(self.symbol, kind, direction.value, str(quantity), text, params)
        except ccxt.ExchangeError as refused:
            if not any(code in str(refused) for code in NOTHING_TO_REDUCE):
                raise
            return None
        return str(placed["id"])

    def _place(self, direction: Direction, *, reduce_only: bool) -> dict[str, Any]:
        """Which side an order is for: in hedge mode one that may open and goes the other way is the other one's."""
        index = self.index
        if self.account.hedged and not reduce_only and direction is self.side.closing:
            index = 3 - index
        if self.account.house is BINGX and self.account.hedged:
            return {"positionSide": ("", "LONG", "SHORT")[index]}
        reduces: dict[str, Any] = {"reduceOnly": True} if reduce_only else {}
        return reduces if self.account.house is BINGX else {"positionIdx": index} | reduces

    def _asked_by_hand(self, what: str, order_id: str, **changes: str) -> bool:
        client = self.account.by_hand
        named = {"symbol": self.venue.instrument.venue_symbol, "orderId": self.paper_ids[order_id]}
        if self.account.house is BINGX:
            request = {"amend": client.swap_v1_private_post_trade_amend,
                       "cancel": client.swap_v2_private_delete_trade_order}[what]  # fmt: skip
            wanted = named | ({"quantity": changes["qty"]} if changes else {})
        else:
            request = {"amend": client.private_post_v5_order_amend, "cancel": client.private_post_v5_order_cancel}[what]
            wanted = {"category": "linear", **named, **changes}
        try:
            request(wanted)
        except ccxt.ExchangeError:
            return False
        return True

    # Comparison

    def compare(self) -> None:
        """Everything that a bot could read of either must be the same."""
        position = self._read(ReadPosition())
        assert isinstance(position, PositionRead)
        on_paper = self.gateway.execute(ReadPosition())
        self.account.same(self._as_shown(rounded(position)), self._as_shown(without_estimates(on_paper)))
        listed = self.listed()
        self.account.same(listed, self._listed_on_paper())
        for simulated, on_paper in zip_longest(self._fills(), self._fills_on_paper()):
            self.account.same(simulated, on_paper)
        for order_id in sorted(self.resting - set(listed)):
            self.compare_record(order_id)
        self.resting = set(listed)

    def _as_shown(self, reply: PositionRead) -> PositionRead:
        """BingX has no row, and so no mark price, of a position that is flat."""
        if self.account.house is BINGX and not reply.position.quantity:
            return replace(reply, position=replace(reply.position, mark=ZERO))
        return reply

    def compare_record(self, order_id: str) -> None:
        """What both know of one order, asked by its order id and by its client id."""
        client_id = self.client_ids[order_id]
        if self.account.house is BINGX and list(self.client_ids.values()).count(client_id) > 1:
            client_id = ""  # which of several orders under one id it answers with is not known
        for asked_by in [ReadOrder(order_id=order_id, client_id="")] + (
            [ReadOrder(order_id="", client_id=client_id)] if client_id else []
        ):
            simulated = self._read(asked_by)
            on_paper = self.gateway.execute(replace(asked_by, order_id=self.paper_ids.get(asked_by.order_id, "")))
            assert isinstance(simulated, OrderRead), self.account.told()
            assert isinstance(on_paper, OrderRead), self.account.told()
            assert simulated.record is not None, self.account.told()
            assert on_paper.record is not None, self.account.told()
            self.account.same(self._last_words(simulated.record), self._last_words(self._on_record(on_paper.record)))

    def compare_everything(self) -> None:
        """The lists once more, every order that there ever was, and the account's margin mode."""
        self.compare()
        seen = self.account.hall.seen
        seen.update(f"fill {fill.kind}{' as maker' if fill.is_maker else ''}" for fill in self.venue.fills)
        seen.update(f"ended by {order.reason}" for order in self.venue.orders.values() if order.terminal)
        seen.update(
            "filled in part" for order in self.venue.orders.values() if 0 < order.shown.filled < order.shown.quantity
        )
        for order_id in self.paper_ids:
            self.compare_record(order_id)
        for call in (ReadAccount(), ReadPrice()):
            self.account.same(self._read(call), self.gateway.execute(call))

    def compare_books(self, executions: list[dict[str, Any]]) -> None:
        """The money of the bot's side of this market."""
        market = self.venue.instrument.venue_symbol.replace("-", "")
        rows = [row for row in executions if row["symbol"] == market and int(row["positionIdx"]) == self.index]
        paid: dict[bool, Decimal] = {True: ZERO, False: ZERO}
        for row in rows:
            paid[row["execType"] == "Funding"] += Decimal(row["execFee"])
        realised = sum((Decimal(row["realised"]) for row in rows), ZERO)
        books = self.venue.books
        self.account.same((books.realised, books.fees, books.funding), (realised, paid[False], paid[True]))

    def listed(self) -> dict[str, OpenOrder]:
        reply = self._read(ReadOpenOrders())
        assert isinstance(reply, OpenOrdersRead)
        return {order.order_id: order for order in reply.orders}

    def _listed_on_paper(self) -> dict[str, OpenOrder]:
        reply = self.gateway.execute(ReadOpenOrders())
        assert isinstance(reply, OpenOrdersRead), f"{reply}{self.account.told()}"
        return {order.order_id: order for order in map(self._as_simulated, reply.orders)}

    def _fills(self) -> list[Fill]:
        reply = self._read(ReadFills(since_ms=self.since_ms))
        assert isinstance(reply, FillsRead)
        known = self.paper_ids
        named = {fill.order_id: fill.order_id if fill.order_id in known else "" for fill in reply.fills}
        return [replace(fill, exec_id="", sequence=0, order_id=named[fill.order_id]) for fill in reply.fills]

    def _fills_on_paper(self) -> list[Fill]:
        reply = self.gateway.execute(ReadFills(since_ms=self.since_ms))
        assert isinstance(reply, FillsRead), f"{reply}{self.account.told()}"
        known = self._simulated_ids()
        return [replace(fill, exec_id="", sequence=0, order_id=known.get(fill.order_id, "")) for fill in reply.fills]

    def _read(self, call: object) -> Reply:
        return self.venue.execute(call, self.now_ms)

    def _simulated_ids(self) -> dict[str, str]:
        return {on_paper: simulated for simulated, on_paper in self.paper_ids.items()}

    def _as_simulated(self, order: OpenOrder) -> OpenOrder:
        return replace(order, order_id=self._simulated_ids().get(order.order_id, order.order_id))

    def _last_words(self, record: OrderRecord) -> OrderRecord:
        """A record whose reason counts only once the order has ended, and where the exchange tells one."""
        tells = record.terminal and self.account.house is not BINGX
        return record if tells else replace(record, reason="")

    def _on_record(self, record: OrderRecord) -> OrderRecord:
        return replace(record, order=self._as_simulated(record.order))

    def sent(self) -> Iterator[str]:
        """Order ids of everything that ever was accepted here."""
        return iter(self.paper_ids)


def gist(reply: Reply) -> tuple[str, str]:
    """What an answer means: its type, and for a refusal its kind."""
    assert isinstance(reply, Accepted | Done | Rejected | Pulled), reply
    return type(reply).__name__, reply.refusal.value if isinstance(reply, Rejected | Pulled) else ""


def rounded(reply: PositionRead) -> PositionRead:
    """The average with the twelve places that the wire carries."""
    average = reply.position.average.quantize(AVERAGE_QUANTUM, rounding=ROUND_HALF_EVEN)
    return replace(reply, position=replace(reply.position, average=average))


def without_estimates(reply: Reply) -> PositionRead:
    """The liquidation price is an estimate of the paper exchange's margin rules, which the simulator does not have."""
    assert isinstance(reply, PositionRead), reply
    return replace(reply, position=replace(reply.position, liquidation=None))
