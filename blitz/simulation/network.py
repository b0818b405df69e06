"""Between a bot and its venue: requests take time, get lost, arrive late; answers are lost, stale, cut or refused.

`Network.carry` takes one call of a pass and answers it when, and if, its answer gets back. Whatever goes wrong here is
what the fault catalogue calls A1 to A23. It never looks at what a bot knows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from blitz.core.calls import (
    Accepted,
    AmendOrder,
    CancelOrder,
    FillsRead,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    PrepareAccount,
    ReadFills,
    ReadOpenOrders,
    ReadOrder,
    ReadPosition,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    SendOrder,
    Unknown,
)
from blitz.core.orders import OrderType
from blitz.simulation.faults import Fault
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.world import World

TIMEOUT_MS = 8_000
"""So long a client waits for an answer."""
WINDOW_MS = 5_000
"""The venue refuses a request that was signed longer ago, or more than a second ahead."""
AHEAD_MS = 1_000
LOST = Unknown(reason="The exchange does not answer.")
WRITES = (SendOrder, AmendOrder, ReplaceOrder, CancelOrder, PrepareAccount)

Answered = Callable[[Reply], None]


@dataclass(slots=True)
class Conditions:
    """What the venue is going through, for one account: until when."""

    maintenance_ms: int = 0
    key_revoked_ms: int = 0
    banned_ms: int = 0
    forgets_ms: int = 0

    def clear(self) -> None:
        """All is well again."""
        self.maintenance_ms = self.key_revoked_ms = self.banned_ms = self.forgets_ms = 0


@dataclass(slots=True)
class Network:
    """The way between one bot and its account. `observe` is told of every request that reaches the venue."""

    world: World
    venue: SimulatedVenue
    name: str
    state: Callable[[], str] = field(default=lambda: "")
    """The bot's present state, for the coverage."""
    observe: Callable[[object, Reply, int], None] = field(default=lambda _call, _reply, _signed_ms: None)
    conditions: Conditions = field(default_factory=Conditions)
    down_ms: int = 0
    """No request gets anywhere until then."""
    began_ms: int = 0
    """When the bot on this way was started."""
    just_hidden: bool = False
    back_since_ms: int = 0
    blank_until_ms: int = 0
    """Until when orders are shown to nobody."""
    replica_until_ms: int = 0
    replica_lag_ms: int = 0
    answers_by_ms: int = 0
    """When the last answer that is on its way arrives."""

    def carry(self, call: object, signed_ms: int, answered: Answered) -> None:
        """Bring a call to the venue and its reply back. `signed_ms` is the time written into the request."""
        world = self.world
        chance = world.chance(f"network {self.name}")
        there_ms, back_ms = chance.randint(2, 40), chance.randint(2, 40)
        if self._refused_on_the_way(call, there_ms + back_ms, answered):
            return
        if isinstance(call, WRITES):
            self._write(call, signed_ms, there_ms, back_ms, answered)
        else:
            self._read(call, there_ms, back_ms, answered)

    def _struck(self, fault: Fault, rate: float) -> bool:
        if not self.world.strikes(fault, rate):
            return False
        self._note(fault)
        return True

    def _note(self, fault: Fault) -> None:
        self.world.coverage.note(fault, self.state())
        self.world.tell(f"{self.name} ! {fault.value}")

    def _refused_on_the_way(self, call: object, delay_ms: int, answered: Answered) -> bool:
        """Whatever is answered without the venue's books being asked."""
        world = self.world
        if world.now_ms < self.down_ms:
            self._answer(TIMEOUT_MS if world.chance("dns").random() < 0.3 else 50, LOST, answered)
            return True
        reply = self._standing_refusal(call)
        if reply is None and self._struck(Fault.RATE_LIMITED, 0.01):
            reply = Rejected(refusal=Refusal.LIMIT, code="10006", message="too many visits")
        if reply is None and self._struck(Fault.CLOCK_REFUSED, 0.01):
            reply = Rejected(refusal=Refusal.CLOCK, code="10002", message="timestamp outside of the receive window")
        if reply is None and not isinstance(call, WRITES) and self._struck(Fault.SERVER_ERROR, 0.02):
            reply = Unknown(reason="502 Bad Gateway")
        if reply is None:
            return False
        self._answer(delay_ms, reply, answered)
        return True

    def _standing_refusal(self, call: object) -> Reply | None:
        now_ms, conditions = self.world.now_ms, self.conditions
        if now_ms < conditions.banned_ms:
            return Unknown(reason="403, access too frequent")
        if now_ms < conditions.key_revoked_ms:
            return Rejected(refusal=Refusal.KEY, code="33004", message="Your api key has expired.")
        if now_ms < conditions.maintenance_ms and isinstance(call, SendOrder | AmendOrder | ReplaceOrder):
            return Rejected(refusal=Refusal.CLOSED_MARKET, code="110066", message="trading is currently not allowed")
        return None

    # Writes

    def _write(self, call: object, signed_ms: int, there_ms: int, back_ms: int, answered: Answered) -> None:
        reply = self._refused_at_the_door(call)
        if reply is not None:
            self._answer(there_ms + back_ms, reply, answered)
            return
        lost, late, silent = self._fates(call)
        arrives_ms = late or there_ms
        if late or silent:
            self.world.after(arrives_ms, lambda: self._arrive_unanswered(call, signed_ms))
        if lost or late or silent:
            self._outage()
            # A connection that is reset tells at once; what was sent on it may still be under way.
            is_reset = self.world.chance("reset").random() < 0.6
            self._answer(there_ms + back_ms if is_reset else TIMEOUT_MS, LOST, answered)
            return
        self.world.after(arrives_ms, lambda: self._answer(back_ms, self._execute(call, signed_ms), answered))

    def _outage(self) -> None:
        """A lost answer is often the beginning of more: nothing at all gets through for a while."""
        if self._struck(Fault.NETWORK_DOWN, 0.3):
            self.down_ms = max(self.down_ms, self.world.now_ms + self.world.chance("outage").randint(2_000, 12_000))

    def _fates(self, call: object) -> tuple[bool, int, bool]:
        """Whether the request is lost, by how many milliseconds it is late, and whether its answer is lost."""
        if isinstance(call, SendOrder):
            lost = self._struck(Fault.CREATE_LOST, 0.15)
            late = not lost and self._struck(Fault.CREATE_LATE, 0.15)
            silent = not lost and not late and self._struck(Fault.CREATE_ANSWER_LOST, 0.2)
            return lost, self.world.chance("late").randint(1_000, 9_000) if late else 0, silent
        moves = isinstance(call, AmendOrder | ReplaceOrder)
        if isinstance(call, ReplaceOrder) and self._struck(Fault.REPLACE_LATE, 0.15):
            return False, self.world.chance("late").randint(1_000, 9_000), False
        if not self._struck(Fault.AMEND_ANSWER_LOST if moves else Fault.CANCEL_ANSWER_LOST, 0.25):
            return False, 0, False
        arrived = self.world.chance("arrived").random() < 0.6
        return not arrived, 0, arrived

    def _refused_at_the_door(self, call: object) -> Reply | None:
        """Refusals that a venue may give for reasons of its own, to an order that is well-formed."""
        if not isinstance(call, SendOrder):
            return None
        if call.order.reduce_only:
            if self._struck(Fault.REDUCE_ONLY_REFUSED, 0.04):
                return Rejected(refusal=Refusal.NO_POSITION, code="110017", message="current position is zero")
            return None
        if self._struck(Fault.MARGIN_REFUSED, 0.06):
            return Rejected(refusal=Refusal.MARGIN, code="110007", message="ab not enough for new order")
        if self._struck(Fault.RULE_REFUSED, 0.06):
            return Rejected(refusal=Refusal.FILTER, code="110003", message="Order price exceeds the allowable range")
        return None

    def _arrive_unanswered(self, call: object, signed_ms: int) -> None:
        self._execute(call, signed_ms, silent=True)

    def _execute(self, call: object, signed_ms: int, *, silent: bool = False) -> Reply:
        """The request has arrived: the venue looks at its time, then carries it out."""
        world = self.world
        age_ms = world.now_ms - signed_ms
        if age_ms > WINDOW_MS or age_ms < -AHEAD_MS:
            refused = Rejected(refusal=Refusal.CLOCK, code="10002", message="timestamp outside of the receive window")
            self.observe(call, refused, signed_ms)
            return refused
        if isinstance(call, ReplaceOrder) and self._struck(Fault.REPLACE_HALF_DONE, 0.2):
            reply = self.venue.half_replace(call, world.now_ms)
        else:
            reply = self.venue.execute(call, world.now_ms)
        self._note_what_follows(call, reply, silent=silent)
        self.observe(call, reply, signed_ms)
        return reply

    def _note_what_follows(self, call: object, reply: Reply, *, silent: bool) -> None:
        if isinstance(reply, Rejected):
            if reply.refusal is Refusal.TAKEN:
                self._note(Fault.ID_TAKEN)
            elif reply.refusal is Refusal.GONE and isinstance(call, AmendOrder | ReplaceOrder):
                self._note(Fault.TOO_LATE_TO_AMEND)
        elif silent and isinstance(call, SendOrder) and isinstance(reply, Accepted):
            market = call.order.type is OrderType.MARKET
            if market or self.venue.orders[reply.order_id].terminal:
                self._note(Fault.FILLED_UNSEEN)

    # Reads

    def _read(self, call: object, there_ms: int, back_ms: int, answered: Answered) -> None:
        if isinstance(call, ReadPosition) and self._struck(Fault.POSITION_ERROR, 0.04):
            self._answer(there_ms + back_ms, Unknown(reason="The exchange sent no position row."), answered)
            return
        self._come_back()
        hangs_ms = 0
        if self._struck(Fault.HUNG, 0.0015):
            hangs_ms = self.world.chance("hang").randint(30_000, 90_000)
        lag_ms = self._lag_ms(call)
        self.world.after(there_ms, lambda: self._reading(call, lag_ms, back_ms + hangs_ms, answered))

    def _come_back(self) -> None:
        """A venue that has just come back may show nothing at first, whatever it is asked."""
        now_ms = self.world.now_ms
        if self.down_ms > self.back_since_ms and now_ms >= self.down_ms:
            self.back_since_ms = now_ms
            if self._struck(Fault.EMPTY_LIST, 0.6):
                self.blank_until_ms = now_ms + 200

    def _reading(self, call: object, lag_ms: int, back_ms: int, answered: Answered) -> None:
        forgets_ms = self.conditions.forgets_ms
        self.venue.forgets_before_ms = forgets_ms if self.world.now_ms < forgets_ms + 600_000 else 0
        reply = self.venue.execute(call, self.world.now_ms, lag_ms=lag_ms)
        self._answer(back_ms, self._hidden(reply) if isinstance(reply, OrderRead) else self._cut(reply), answered)

    def _lag_ms(self, call: object) -> int:
        """How stale a read is. An accepted order is visible within two seconds; figures may trail by five."""
        if isinstance(call, ReadFills | ReadOrder) and self._struck(Fault.VANISHED, 0.05):
            return self.world.chance("vanish").randint(200, 1_900)
        if isinstance(call, ReadFills | ReadPosition):
            return self._replica_lag_ms()
        if isinstance(call, ReadOpenOrders | ReadOrder) and self._struck(Fault.STALE_READ, 0.06):
            return self.world.chance("stale").randint(100, 1_900)
        return 0

    def _replica_lag_ms(self) -> int:
        """Fills and position come from one copy of the venue's books for a moment, and that may be behind."""
        now_ms = self.world.now_ms
        if now_ms < self.replica_until_ms:
            return self.replica_lag_ms
        # A process that has just begun often meets the copy that is behind.
        rate = 0.35 if now_ms < self.began_ms + 3_000 else 0.06
        if not self._struck(Fault.STALE_READ, rate):
            return 0
        lag_ms = self.world.chance("stale").randint(100, 5_000)
        if self.world.chance("replica").random() < 0.5:
            self.replica_until_ms, self.replica_lag_ms = now_ms + 1_000, lag_ms
        return lag_ms

    def _cut(self, reply: Reply) -> Reply:
        """A list that looks whole and is not."""
        if isinstance(reply, OpenOrdersRead) and self.world.now_ms < self.blank_until_ms:
            return OpenOrdersRead(orders=())
        if isinstance(reply, OpenOrdersRead) and reply.orders:
            if self._struck(Fault.EMPTY_LIST, 0.03):
                return OpenOrdersRead(orders=())
            if self._struck(Fault.TRUNCATED_PAGE, 0.03):
                return OpenOrdersRead(orders=reply.orders[: len(reply.orders) // 2])
        elif isinstance(reply, FillsRead) and reply.fills:
            if self._struck(Fault.EMPTY_LIST, 0.03):
                return FillsRead(fills=())
            if self._struck(Fault.TRUNCATED_PAGE, 0.03):
                return FillsRead(fills=reply.fills[len(reply.fills) // 2 :])
        return reply

    def _hidden(self, reply: OrderRead) -> OrderRead:
        """A lookup that finds nothing though the order is there; never twice in a row, or nothing could be proved."""
        if self.world.now_ms < self.blank_until_ms:
            return OrderRead(record=None)
        if reply.record is None or self.just_hidden:
            self.just_hidden = False
            return reply
        self.just_hidden = self._struck(Fault.EMPTY_LIST, 0.1)
        return OrderRead(record=None) if self.just_hidden else reply

    def _answer(self, delay_ms: int, reply: Reply, answered: Answered) -> None:
        self.answers_by_ms = max(self.answers_by_ms, self.world.now_ms + delay_ms)
        told = self.venue.house.in_its_words(reply)
        self.world.after(delay_ms, lambda: answered(told))


NOT_SENT = NotSent(reason="The decision is too old; it is made again.")
