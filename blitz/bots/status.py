"""What a bot shows of itself: a frozen snapshot after each pass, and its JSON form.

The pages never ask a bot's thread for anything; they read the last snapshot. All numbers in JSON are strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from blitz.bots.protection import Protection, ended
from blitz.clock import iso_utc
from blitz.core.bot import PassResult
from blitz.core.instrument import quantity_down_to_step
from blitz.core.ladder import leg_prices, leg_quantity, stop_loss_price, take_profit_price
from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.ledger import Ledger
from blitz.core.look import Seen
from blitz.core.memory import Attention, BotMemory
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, OpenOrder, OrderKey, leg
from blitz.core.records import Cycle, Remembered, SlotState

PRICE_QUANTUM = Decimal("0.00000001")


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
        cycle=_cycle(memory),
        position=_position(memory, seen),
        orders=_orders(memory, seen, is_busy=bool(result.words) or not result.settled),
        foreign_orders=tuple(_order(order) for order in seen.foreign),
        looked_ms=now_ms,
    )


def before_a_look(before: BotSnapshot, settings: LadderSettings, known: Remembered | None = None) -> BotSnapshot:
    """What the journal alone can say. A picture of another account than that of `settings` is put away."""
    cycle = known.cycle if known else None
    cycle_now = _cycle_json(cycle, Ledger(side=cycle.settings.side).with_all(known.fills)) if known and cycle else None
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
    quantity, average = Decimal(position["quantity"] or 0), Decimal(position["average"] or 0)
    unrealised = (price - average) * quantity * snapshot.settings.side.sign
    now = {"last_price": plain(price), "unrealised": plain(unrealised.quantize(PRICE_QUANTUM))}
    return replace(snapshot, position={**position, **now})


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


def _cycle(memory: BotMemory) -> dict[str, object] | None:
    return None if memory.cycle is None else _cycle_json(memory.cycle, memory.ledger)


def _cycle_json(cycle: Cycle, ledger: Ledger) -> dict[str, object]:
    """The status' `cycle`: an open one, with the figures of its books so far."""
    return {
        "number": cycle.number,
        "started_at": iso_utc(cycle.started_ms),
        "legs_filled": len(ledger.leg_filled),
        "legs": len(cycle.settings.legs),
        "realised": plain(ledger.realised),
        "fees": plain(ledger.fees),
        "funding": plain(ledger.funding),
    }


def _position(memory: BotMemory, seen: Seen) -> dict[str, str | None] | None:
    ledger, position = memory.ledger, seen.position
    if position.quantity == 0:
        return None
    average = ledger.average if ledger.quantity == position.quantity else position.average
    unrealised = (position.mark - average) * position.quantity * ledger.side.sign
    return {
        "quantity": plain(position.quantity),
        "average": plain(average.quantize(PRICE_QUANTUM)),
        "leverage": plain(position.leverage),
        "unrealised": plain(unrealised.quantize(PRICE_QUANTUM)),
        "liquidation": None if position.liquidation is None else plain(position.liquidation),
        "last_price": plain(position.mark),
    }


def _orders(memory: BotMemory, seen: Seen, *, is_busy: bool) -> tuple[dict[str, object], ...]:
    """The ladder as it was planned, beside what really rests. While the bot is at work, what lacks is only planned."""
    planned = dict(_planned(memory))
    keys = [*planned, *(key for key in seen.own if key not in planned)]
    return tuple(_row(memory, key, planned.get(key), seen, is_busy=is_busy) for key in keys)


def _planned(memory: BotMemory) -> list[tuple[OrderKey, dict[str, str | None] | None]]:
    cycle, ledger = memory.cycle, memory.ledger
    if cycle is None or ledger.entry_price is None:
        return []
    settings, instrument = cycle.settings, memory.instrument
    prices = leg_prices(settings, ledger.entry_price, instrument.tick)
    planned: list[tuple[OrderKey, dict[str, str | None] | None]] = []
    for index, price in enumerate(prices):
        size = leg_quantity(settings, index, price, instrument.step) if index else ledger.leg_filled.get(0, ZERO)
        shown = price if index else price.quantize(PRICE_QUANTUM)
        planned.append((leg(index), {"price": plain(shown), "quantity": plain(size), "trigger": None}))
    return [*planned, *_planned_exits(memory)]


def _planned_exits(memory: BotMemory) -> list[tuple[OrderKey, dict[str, str | None] | None]]:
    cycle, ledger = memory.cycle, memory.ledger
    if cycle is None or ledger.quantity <= 0:
        return []
    quantity = plain(quantity_down_to_step(ledger.quantity, memory.instrument.step))
    target = take_profit_price(cycle.settings, ledger.average, memory.instrument.tick)
    stop = stop_loss_price(cycle.settings, ledger.average, memory.instrument.tick)
    exits: list[tuple[OrderKey, dict[str, str | None] | None]] = []
    if target is not None:
        exits.append((TAKE_PROFIT, {"price": plain(target), "quantity": quantity, "trigger": None}))
    if stop is not None:
        exits.append((STOP_LOSS, {"price": None, "quantity": quantity, "trigger": plain(stop)}))
    return exits


def _row(
    memory: BotMemory, key: OrderKey, planned: dict[str, str | None] | None, seen: Seen, *, is_busy: bool
) -> dict[str, object]:
    resting = seen.own.get(key)
    slot = memory.slot(key)
    is_leg = key.role.value == "leg"
    filled = memory.ledger.leg_filled.get(key.leg, ZERO) if is_leg else ZERO
    if resting is not None:
        state = "resting"
    elif slot.state in {SlotState.INTENT, SlotState.UNKNOWN}:
        state = "unknown"
    elif filled:
        state = "filled"
    else:
        state = "planned" if is_busy else "missing"
    return {
        "key": str(key),
        "planned": planned,
        "resting": None if resting is None else _order(resting),
        "filled": plain(filled),
        "state": state,
    }


def _order(order: OpenOrder) -> dict[str, object]:
    return {
        "client_id": order.client_id,
        "order_id": order.order_id,
        "direction": order.direction.value,
        "price": None if order.price is None else plain(order.price),
        "trigger": None if order.trigger is None else plain(order.trigger),
        "quantity": plain(order.quantity),
        "filled": plain(order.filled),
        "reduce_only": order.reduce_only,
    }
