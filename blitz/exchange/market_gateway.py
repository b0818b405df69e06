"""What the gateways of all venues have in common: which method answers which call, and what holds before a send."""

from abc import ABC, abstractmethod
from dataclasses import replace

import ccxt

from blitz.core.calls import (
    Accepted,
    AccountRead,
    AmendOrder,
    CancelOrder,
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
from blitz.core.memory import VenueTraits
from blitz.errors import GatewayProblem
from blitz.exchange.answers import Envelope, misfit
from blitz.exchange.budget import NoTurn
from blitz.exchange.errands import Errand, errand_of
from blitz.exchange.gateway import VenueCall
from blitz.exchange.profile import Seat

TIME_WITHIN_MS = 2_000
"""A pass waits in line no longer than this for the question what time it is."""


class MarketGateway(ABC):
    """One account on one market. Used by one thread at a time.

    The methods of a venue answer with the thing asked for; they raise `Malformed`, or what ccxt raises, and the
    envelope classifies it.
    """

    traits: VenueTraits
    envelope: Envelope

    def __init__(self, seat: Seat) -> None:
        self._client = seat.client
        self._renewed_rules = seat.renewed_rules
        self._clock = seat.clock
        self._instrument = seat.instrument
        self._settings = seat.settings
        self.woken = False
        """An event led to what is asked now, not the timer."""
        self.bare = False
        """The bot that asks may hold a position that is not protected."""
        self._hedged: bool | None = None
        """The account's position mode as the venue last showed it."""

    @property
    def in_line(self) -> bool:
        """A request waits for its turn in the rate budget. Any thread may ask."""
        passage = self._client.passage
        return passage is not None and bool(passage.in_line)

    def hurry(self) -> None:
        """An exit has to move: give up whatever waits in line for something else. Any thread may call it."""
        if self._client.passage is not None:
            self._client.passage.hurry()

    def ask_time_in_doubt(self) -> None:
        """Ask for the time that nobody asked for since long ago, or that a clock's jump made doubtful."""
        if not self._clock.doubt():
            return
        if self._client.passage is not None:
            errand = self._errand_of(ReadPosition())
            self._client.passage.sent_on(replace(errand, within_ms=TIME_WITHIN_MS))
        self._clock.refresh(self._client)

    def execute(self, call: VenueCall) -> Reply:
        """Carry out one call and say what came of it. A request whose turn does not come in time is not sent."""
        began_ms, passage = self._clock.monotonic_ms(), self._client.passage
        if passage is not None:
            passage.sent_on(self._errand_of(call))
        try:
            reply = self._dispatch(call)
        except NoTurn as refused:
            if isinstance(call, SendOrder | ReplaceOrder):
                return NotSent(reason=str(refused), in_line=refused.wait_ms == 0)
            return Unknown(reason=str(refused), wait_ms=refused.wait_ms)
        if isinstance(reply, Rejected) and reply.refusal is Refusal.CLOCK:
            self._clock.refused(self._client, began_ms)
        elif isinstance(reply, PositionRead):  # the end of a look: nothing waits for the next request
            self._clock.refresh(self._client)
        elif isinstance(reply, OpenOrdersRead) and passage is not None:
            return replace(reply, left_ms=passage.left_ms)
        return reply

    def _errand_of(self, call: VenueCall) -> Errand:
        return errand_of(call, self._clock.now_ms(), woken=self.woken, bare=self.bare)

    def _dispatch(self, call: VenueCall) -> Reply:
        asked = self.envelope.asked
        match call:
            case ReadOpenOrders():
                return asked(self._open_orders)
            case ReadPosition():
                return asked(self._position)
            case ReadFills():
                return asked(lambda: self._fills(call.since_ms))
            case ReadOrder():
                return asked(lambda: self._order(call))
            case ReadPrice():
                return asked(self._price)
            case ReadInstrument():
                return self._rules(call.max_age_ms)
            case ReadAccount():
                return asked(self._account)
            case _:
                return self._write(call)

    def _write(self, call: PrepareAccount | SendOrder | AmendOrder | ReplaceOrder | CancelOrder) -> Reply:
        asked = self.envelope.asked
        match call:
            case PrepareAccount():
                return self._prepare()
            case SendOrder():
                return self._send(call)
            case AmendOrder():
                return asked(lambda: self._amend(call))
            case ReplaceOrder():
                return self._replace(call)
            case CancelOrder():
                return asked(lambda: self._cancel(call))

    def _rules(self, max_age_ms: int) -> InstrumentRead | Unknown:
        """The market's rules anew. A market that is listed no more keeps its last rules and does not trade."""
        try:
            rules = self._renewed_rules(max_age_ms)
        except NoTurn:
            raise
        except GatewayProblem as problem:
            return Unknown(reason=str(problem))
        self._instrument = rules or replace(self._instrument, trading=False)
        return InstrumentRead(instrument=self._instrument)

    def _prepare(self) -> Reply:
        """Margin mode first, because leverage may depend on it. Codes for "already so" are success."""
        for step in (self._set_margin_mode, self._set_leverage):
            reply = self.envelope.asked(step)
            already = isinstance(reply, Rejected) and reply.refusal is Refusal.UNCHANGED
            if not isinstance(reply, Done) and not already:
                return reply
        return Done()

    def _send(self, call: SendOrder) -> Reply:
        """Send a new order, unless it is too late for its intent or the account's position mode is not known."""
        if self._hedged is None:
            return NotSent(reason="The account's position mode is not known yet.")
        try:
            request = self._request(call)
        except (ccxt.BaseError, ValueError) as problem:
            return misfit(problem)
        if self._clock.now_ms() > call.expires_ms:
            return NotSent(reason="The decision is too old; it is made again.")
        return self.envelope.asked(lambda: self._create(request))

    def _replace(self, call: ReplaceOrder) -> Reply:
        """Replace a resting order; only a venue that cannot move it in place has a way of doing so."""
        return NotSent(reason=f"The exchange moves order {call.order_id} in place.")

    @abstractmethod
    def _open_orders(self) -> OpenOrdersRead: ...

    @abstractmethod
    def _position(self) -> PositionRead: ...

    @abstractmethod
    def _fills(self, since_ms: int) -> FillsRead: ...

    @abstractmethod
    def _order(self, call: ReadOrder) -> OrderRead: ...

    @abstractmethod
    def _price(self) -> PriceRead: ...

    @abstractmethod
    def _account(self) -> AccountRead: ...

    @abstractmethod
    def _set_margin_mode(self) -> Done | Rejected: ...

    @abstractmethod
    def _set_leverage(self) -> Done | Rejected: ...

    @abstractmethod
    def _request(self, call: SendOrder) -> dict[str, object]:
        """The parameters of a new order. Raises `ValueError` or ccxt's errors when the market's rules forbid it."""

    @abstractmethod
    def _create(self, request: dict[str, object]) -> Accepted: ...

    @abstractmethod
    def _amend(self, call: AmendOrder) -> Done | Rejected: ...

    @abstractmethod
    def _cancel(self, call: CancelOrder) -> Done: ...
