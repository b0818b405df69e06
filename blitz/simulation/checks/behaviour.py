"""S8 to S11, S14 and S16: what a bot may do in which kind of pass, judged by the calls that leave it.

It sees what goes out and what comes back, and what the store really holds, but never why a bot did something.
"""

import traceback
from dataclasses import dataclass, field

from blitz.core.bot import PassResult
from blitz.core.calls import (
    AmendOrder,
    Call,
    CancelOrder,
    Done,
    FillsRead,
    OpenOrdersRead,
    PositionRead,
    PrepareAccount,
    Pulled,
    ReadClock,
    ReadFills,
    ReadOpenOrders,
    ReadPosition,
    Refusal,
    Rejected,
    ReplaceOrder,
    Reply,
    Save,
    SendOrder,
)
from blitz.core.finish import FINAL_WORDS
from blitz.core.orders import ZERO, FillKind, Role, VenuePosition, leg
from blitz.core.records import SlotState
from blitz.core.work import Mode
from blitz.simulation.accounts import SimulatedAccount
from blitz.simulation.bot import SimulatedBot, Watcher
from blitz.simulation.checks.venue_truth import VenueTruth
from blitz.simulation.checks.violations import Violations
from blitz.simulation.tags import parsed
from blitz.simulation.venue_orders import Owner
from blitz.simulation.world import World

LOOKS = {ReadOpenOrders: OpenOrdersRead, ReadFills: FillsRead, ReadPosition: PositionRead}
REQUESTS_MAX = 480
"""In any five seconds per account: four fifths of what the venue allows one address (S15)."""
REQUESTS_MS = 5_000
REFUSALS_MAX = 8
REFUSALS_MS = 10_000
ENTRY = leg(0)


@dataclass(slots=True)
class Watched:
    """What is remembered of one bot."""

    account: SimulatedAccount
    truth: VenueTruth
    blind: bool = False
    """In this pass a look has failed: nothing may be decided any more."""
    newest: dict[tuple[Role, int, int], int] = field(default_factory=dict)
    """Highest generation sent per place, in this life of the database."""
    lived_since_ms: int = 0
    position: VenuePosition | None = None
    """As the pass has read it last."""
    refused: dict[str, list[int]] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)


class Behaviour(Watcher):
    """Judges every bot of a seed."""

    def __init__(self, world: World, violations: Violations) -> None:
        self._world = world
        self._violations = violations
        self._watched: dict[int, Watched] = {}

    def watch(self, account: SimulatedAccount, truth: VenueTruth) -> None:
        """Judge this account's bot too."""
        self._watched[account.user_id] = Watched(account, truth)

    def began(self, bot: SimulatedBot, mode: Mode) -> None:
        """A pass begins: it has seen nothing yet."""
        self._of(bot).blind = False

    def departs(self, bot: SimulatedBot, call: Call) -> None:
        """A call to the venue leaves the process."""
        watched = self._of(bot)
        self._world.tell(f"{bot.name} > {_told(call)}")
        self._count(bot, watched)
        if not isinstance(call, SendOrder | AmendOrder | ReplaceOrder | CancelOrder | PrepareAccount):
            return
        if watched.blind:
            self._wrong("S9", bot, f"decided {_told(call)} after a look had failed")
        self._check_mode(bot, call)
        self._check_coherent(bot, watched, call)
        if isinstance(call, SendOrder):
            self._check_intent(bot, call)
            self._check_id(bot, watched, call)
            self._check_rest(bot, call)
            memory = bot.memory
            watched.truth.entry_departs(call, None if memory is None else memory.cycle)
        elif isinstance(call, AmendOrder | ReplaceOrder) and bot.memory is not None:
            if isinstance(call, ReplaceOrder):
                self._check_id(bot, watched, call)
            watched.truth.amend_departs(call, bot.memory.cycle)

    def answered(self, bot: SimulatedBot, call: Call, reply: Reply) -> None:
        """The pass is handed a reply."""
        watched = self._of(bot)
        expected = LOOKS.get(type(call))
        if expected is not None and not isinstance(reply, expected):
            watched.blind = True
        if isinstance(reply, PositionRead):
            watched.position = reply.position
        refused = isinstance(reply, Rejected | Pulled) and reply.refusal is not Refusal.TAKEN
        if isinstance(call, SendOrder | ReplaceOrder) and refused:
            self._count_refusal(bot, watched, call)
        if isinstance(call, ReadClock) or (isinstance(call, Save) and isinstance(reply, Done)):
            return
        if expected is None or not isinstance(reply, expected):
            self._world.tell(f"{bot.name} < {type(reply).__name__} {_said(reply)}")

    def passed(self, bot: SimulatedBot, mode: Mode, result: PassResult) -> None:
        """A pass has come to its end."""
        watched = self._of(bot)
        if result.seen is not None and watched.account.looked_back_ms is None:
            watched.account.looked_back_ms = self._world.now_ms
        taken_over = "adopted_cycle" in result.words and bot.venue.on_side > 0
        if taken_over and watched.truth.cycle is None and not _is_tagged(bot):
            self._wrong("S4", bot, f"took over a position of {bot.venue.on_side} that it did not open")
        for word in result.words:
            self._world.tell(f"{bot.name} = {word}")

    def broke(self, bot: SimulatedBot, fault: Exception) -> None:
        """A pass raised."""
        last = traceback.extract_tb(fault.__traceback__)[-1]
        self._wrong("S16", bot, f"a pass raised {type(fault).__name__}: {fault} ({last.name}:{last.lineno})")

    def _of(self, bot: SimulatedBot) -> Watched:
        watched = self._watched[bot.user_id]
        if watched.lived_since_ms != watched.account.rolled_back_ms:
            # The database went back in time: what it does not know any more it cannot be held to.
            watched.lived_since_ms = watched.account.rolled_back_ms
            watched.newest.clear()
        return watched

    def _count(self, bot: SimulatedBot, watched: Watched) -> None:
        now_ms, requests = self._world.now_ms, watched.requests
        requests.append(now_ms)
        if len(requests) > REQUESTS_MAX:
            del requests[0]
            if now_ms - requests[0] < REQUESTS_MS:
                self._wrong("S15", bot, f"more than {REQUESTS_MAX} requests in five seconds")

    def _count_refusal(self, bot: SimulatedBot, watched: Watched, call: SendOrder | ReplaceOrder) -> None:
        """S15 again: a refused order is not sent again and again."""
        now_ms = self._world.now_ms
        times = watched.refused.setdefault(str(call.order.key), [])
        times.append(now_ms)
        if len(times) > REFUSALS_MAX:
            del times[0]
            if now_ms - times[0] < REFUSALS_MS:
                self._wrong("S15", bot, f"{call.client_id} was refused more than {REFUSALS_MAX} times in ten seconds")

    def _check_mode(self, bot: SimulatedBot, call: Call) -> None:
        mode = bot.pass_mode
        if mode in {Mode.RECOVER, Mode.RECOVER_DRY}:
            creates = isinstance(call, SendOrder) and call.order.key != ENTRY and mode is Mode.RECOVER
            if not creates:
                self._wrong("S10", bot, f"recover did {_told(call)}")
        elif mode in {Mode.STOP_PULL, Mode.STOP_KEEP} and isinstance(call, SendOrder | ReplaceOrder):
            self._wrong("S11", bot, f"a stopping bot did {_told(call)}")

    def _check_intent(self, bot: SimulatedBot, call: SendOrder) -> None:
        """S8: the store must hold the intent of an entry before it leaves."""
        if call.order.key.role is not Role.LEG:
            return
        stored = {slot.client_id: slot for slot in bot.server.store.slots(bot.user_id)}
        slot = stored.get(call.client_id)
        if slot is None or slot.state is not SlotState.INTENT or slot.quantity != call.order.quantity:
            self._wrong("S8", bot, f"sent {call.client_id} without a stored intent")

    def _check_rest(self, bot: SimulatedBot, call: SendOrder) -> None:
        """S11: no restart enters again after a cycle that ended for good; its trader has to press Start."""
        closed = bot.server.store.load(bot.user_id).closed if call.order.key == ENTRY else ()
        if not closed or closed[0].cycle.number <= bot.cycle_at_start:
            return
        last = closed[0].cycle
        if last.end in FINAL_WORDS or not last.settings.repeat:
            self._wrong("S11", bot, f"entered again after cycle {last.number}, which had ended for good")

    def _check_coherent(self, bot: SimulatedBot, watched: Watched, call: Call) -> None:
        """S9 again: no leg is sent or taken back while the position that was read is not what the books say (A7)."""
        order = bot.venue.orders.get(call.order_id) if isinstance(call, AmendOrder | CancelOrder) else None
        tag = parsed(order.shown.client_id) if order is not None else None
        sent = call.order if isinstance(call, SendOrder | ReplaceOrder) else None
        is_leg = sent.key.role is Role.LEG if sent is not None else tag and tag.role is Role.LEG
        memory, position = bot.memory, watched.position
        if not is_leg or memory is None or memory.cycle is None or position is None:
            return
        number, opening = memory.cycle.number, bot.venue.side.opening
        held = sum(
            (
                booked.fill.quantity if booked.fill.direction is opening else -booked.fill.quantity
                for booked in bot.server.store.fills(bot.user_id)
                if booked.cycle == number and booked.fill.kind is not FillKind.FUNDING
            ),
            ZERO,
        )
        read = position.quantity if held >= 0 else -position.opposite_quantity
        if held != read:
            self._wrong("S9", bot, f"decided {_told(call)} on a position of {read} while the books hold {held}")

    def _check_id(self, bot: SimulatedBot, watched: Watched, call: SendOrder | ReplaceOrder) -> None:
        tag = parsed(call.client_id)
        if tag is None:
            return
        if tag.generation < watched.newest.get(tag.place, 0):
            self._wrong("S14", bot, f"went back to {call.client_id}")
        watched.newest[tag.place] = tag.generation

    def _wrong(self, invariant: str, bot: SimulatedBot, what: str) -> None:
        self._violations.add(invariant, bot.user_id, what)


def _is_tagged(bot: SimulatedBot) -> bool:
    """Whether a copy with our very tag opened what is held: a lost journal cannot tell that from an own order."""
    newest_first = [fill for fill in reversed(bot.venue.fills) if fill.kind is not FillKind.FUNDING]
    held, opened_by = bot.venue.on_side, ""
    for fill in newest_first:
        held -= fill.quantity if fill.direction is bot.venue.side.opening else -fill.quantity
        opened_by = fill.order_id
        if held <= 0:
            break
    return bool(opened_by) and bot.venue.orders[opened_by].owner is Owner.COPY


def _told(call: Call) -> str:
    if isinstance(call, SendOrder | ReplaceOrder):
        order = call.order
        named = call.client_id or f"a {order.key}"
        verb = f"replace {call.order_id} by" if isinstance(call, ReplaceOrder) else "send"
        at = order.price if order.price is not None else order.trigger if order.trigger is not None else "market"
        return f"{verb} {named} {order.direction.value} {order.quantity} at {at}"
    if isinstance(call, AmendOrder):
        return f"amend {call.order_id} to {call.quantity} at {call.price} {call.trigger or ''}".rstrip()
    if isinstance(call, CancelOrder):
        return f"cancel {call.order_id}"
    return type(call).__name__


def _said(reply: Reply) -> str:
    if isinstance(reply, Rejected | Pulled):
        return f"{reply.refusal.value} {reply.code}"
    return str(getattr(reply, "reason", "") or getattr(reply, "order_id", ""))
