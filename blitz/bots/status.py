"""What a bot shows of itself: a frozen snapshot after each pass, and its JSON form.

The pages never ask a bot's thread for anything; they read the last snapshot. All numbers in JSON are strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from blitz.bots.picture import cycle_json, distances, order_json, order_rows, position_json, position_of
from blitz.bots.protection import Protection, ended
from blitz.clock import iso_utc
from blitz.core.bot import PassResult
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ledger import Ledger
from blitz.core.memory import Attention, BotMemory
from blitz.core.records import Remembered


class BotStatus(StrEnum):
    """Where a bot stands (design §5)."""

    NOT_RUNNING = "not_running"
    """No bot for this user."""
    STARTING = "starting"
    """The thread lives and has not finished its first pass."""
    RUNNING = "running"
    STOPPING = "stopping"
    """Asked to stop, and not done yet."""
    STOPPED = "stopped"
    """Ended on purpose."""
    ERROR = "error"
    """The thread ended by a fault."""
    NEEDS_ATTENTION = "needs_attention"
    """Alive, but entries are blocked; the message says why and what to do."""

    @property
    def is_alive(self) -> bool:
        """Whether a thread lives behind this status."""
        return self in {self.STARTING, self.RUNNING, self.STOPPING, self.NEEDS_ATTENTION}


MESSAGES: Mapping[BotStatus, str] = {
    BotStatus.NOT_RUNNING: "Bot is not running",
    BotStatus.STARTING: "Bot is starting",
    BotStatus.RUNNING: "Bot is running",
    BotStatus.STOPPING: "Bot is stopping",
    BotStatus.STOPPED: "Bot is stopped",
}


LAST_CYCLE = "Bot is running; it stops when this cycle is finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSnapshot:
    """A bot as its last pass saw it. Built by its thread, read by everybody."""

    status: BotStatus
    message: str
    settings: LadderSettings
    cycle: Mapping[str, object] | None = None
    position: Mapping[str, str | None] | None = None
    orders: tuple[Mapping[str, object], ...] = ()
    foreign_orders: tuple[Mapping[str, object], ...] = ()
    protection: Protection = field(default_factory=Protection)
    """As of the last pass; for what may be said now, ask its `as_of`."""
    attention: Attention | None = None
    looked_ms: int | None = None
    """When the venue was last seen whole."""

    def to_json(self, protected: Mapping[str, object]) -> dict[str, object]:
        """Everything behind the documented four fields. `protected` is the protection as of now."""
        return {
            "mode": self.settings.mode.value,
            "exchange": self.settings.exchange.value,
            "symbol": self.settings.symbol,
            "side": self.settings.side.value,
            "cycle": self.cycle,
            "position": self.position,
            "orders": list(self.orders),
            "foreign_orders": list(self.foreign_orders),
            "distances": distances(self.orders, self.position),
            "protected": protected,
            "attention": None
            if self.attention is None
            else {"code": self.attention.code, "message": self.attention.message},
            "looked_at": None if self.looked_ms is None else iso_utc(self.looked_ms),
        }


def after_pass(
    before: BotSnapshot,
    memory: BotMemory,
    result: PassResult,
    *,
    protection: Protection,
    stopping: bool,
    now_ms: int,
    last_cycle: bool = False,
) -> BotSnapshot:
    """The snapshot after a pass. A pass that could not look keeps the old picture and says so."""
    status, message = _status(memory, result, before, stopping=stopping)
    if last_cycle and message == MESSAGES[BotStatus.RUNNING]:
        message = LAST_CYCLE
    settings = memory.cycle.settings if memory.cycle else memory.settings
    base = replace(
        before,
        status=status,
        message=message,
        settings=settings,
        protection=protection,
        attention=memory.attention,
    )
    if result.seen is None:
        return base
    seen = result.seen
    return replace(
        base,
        cycle=None if memory.cycle is None else cycle_json(memory.cycle, memory.ledger),
        position=position_of(memory, seen),
        orders=order_rows(memory, seen, is_busy=bool(result.words) or not result.settled),
        foreign_orders=tuple(order_json(order) for order in seen.foreign),
        looked_ms=now_ms,
    )


def before_a_look(before: BotSnapshot, settings: LadderSettings, known: Remembered | None = None) -> BotSnapshot:
    """What the journal alone can say. A picture of another account than that of `settings` is put away."""
    cycle = known.cycle if known else None
    cycle_now = cycle_json(cycle, Ledger(side=cycle.settings.side).with_all(known.fills)) if known and cycle else None
    if settings.account == before.settings.account:
        return replace(before, settings=settings, cycle=cycle_now)
    return replace(
        before,
        settings=settings,
        cycle=cycle_now,
        position=None,
        orders=(),
        foreign_orders=(),
        attention=None,
        looked_ms=None,
    )


def at_price(snapshot: BotSnapshot, price: Decimal | None) -> BotSnapshot:
    """The same picture at a price that was pushed since; None: there is none, and the last look's stands."""
    position = snapshot.position
    if price is None or position is None:
        return snapshot
    now = position_json(
        Decimal(position["quantity"] or 0),
        Decimal(position["average"] or 0),
        price,
        leverage=Decimal(position["leverage"] or 1),
        sign=snapshot.settings.side.sign,
        liquidation=None,
    )
    return replace(snapshot, position={**now, "liquidation": position["liquidation"]})


def after_the_end(snapshot: BotSnapshot, now_ms: int) -> BotSnapshot:
    """A stopped bot's last picture, without claiming what nobody watches any more."""
    legs_rest = any(row["resting"] and _is_leg(row) for row in snapshot.orders)
    protection = ended(snapshot.protection, legs_rest=legs_rest, now_ms=now_ms)
    return replace(snapshot, protection=protection, orders=tuple(map(_put_off, snapshot.orders)))


def _put_off(row: Mapping[str, object]) -> Mapping[str, object]:
    """A leg that a stopped bot has not placed lacks nothing: it was pulled, and is placed at the next start."""
    return {**row, "state": "planned"} if _is_leg(row) and row["state"] == "missing" else row


def _is_leg(row: Mapping[str, object]) -> bool:
    return str(row["key"]).startswith("leg_")


def _status(memory: BotMemory, result: PassResult, before: BotSnapshot, *, stopping: bool) -> tuple[BotStatus, str]:
    if stopping:
        return BotStatus.STOPPING, MESSAGES[BotStatus.STOPPING]
    if memory.attention is not None:
        return BotStatus.NEEDS_ATTENTION, memory.attention.message
    if result.trouble and before.looked_ms is None:
        return BotStatus.STARTING, f"Waiting for the exchange: {result.trouble}"
    if result.trouble:
        return BotStatus.RUNNING, f"Bot is running; the exchange could not be read just now: {result.trouble}"
    return BotStatus.RUNNING, MESSAGES[BotStatus.RUNNING]
