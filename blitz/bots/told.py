"""The picture between a fill that a stream told of and the look that books it.

The exits have followed by then, and the look has a moment; a page that is watched should not wait for it. Computed by
whoever reads, never by the bot's thread: a thousand bots that are filled at once have better things to do.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from blitz.bots.picture import Row, cycle_json, planned_exits, position_json
from blitz.bots.status import BotSnapshot
from blitz.core.ladder_settings import plain
from blitz.core.ledger import Ledger
from blitz.core.look import attribute
from blitz.core.memory import BotMemory
from blitz.core.orders import ZERO, OrderKey, Role
from blitz.core.records import Slot, SlotState


def with_told(before: BotSnapshot, memory: BotMemory) -> BotSnapshot:
    """The last snapshot with the fills in it that were told of since. Reads the memory, and changes nothing of it."""
    cycle, position = memory.cycle, before.position
    if cycle is None or position is None:
        return before
    told = [booked for fill in list(memory.streamed.values()) if (booked := attribute(memory, fill)) is not None]
    ledger = Ledger(side=cycle.settings.side).with_all([*memory.ledger.booked, *told])
    if ledger.quantity <= 0:
        return before
    settings = cycle.settings
    now = position_json(
        ledger.quantity,
        ledger.average,
        Decimal(position["last_price"] or 0),
        leverage=Decimal(position["leverage"] or settings.leverage),
        sign=settings.side.sign,
        liquidation=None,  # where it lies now is the exchange's to say: the coming look shows it
    )
    exits: dict[str, Row] = {str(key): planned for key, planned in planned_exits(memory, ledger)}
    return replace(
        before,
        cycle=cycle_json(cycle, ledger),
        position=now,
        orders=tuple(_row(row, memory, ledger, exits) for row in before.orders),
    )


def _row(row: Row, memory: BotMemory, ledger: Ledger, exits: Mapping[str, Row]) -> Row:
    key = _key(str(row["key"]))
    if str(key) in exits:
        return {**row, "planned": exits[str(key)], "resting": _moved(row["resting"], memory.slot(key))}
    return _leg(row, ledger.leg_filled.get(key.leg, ZERO))


def _key(name: str) -> OrderKey:
    """The place that a row names."""
    role, _, index = name.partition("_")
    return OrderKey(role=Role(role), leg=int(index or 0))


def _moved(resting: object, slot: Slot) -> object:
    """An exit as it rests now: where it was seen, or where it has followed to."""
    if not isinstance(resting, Mapping) or slot.state is not SlotState.LIVE:
        return resting
    price, trigger = (None if level is None else plain(level) for level in (slot.price, slot.trigger))
    return {**resting, "price": price, "trigger": trigger, "quantity": plain(slot.quantity)}


def _leg(row: Row, filled: Decimal) -> Row:
    resting = row["resting"]
    if not isinstance(resting, Mapping) or plain(filled) == row["filled"]:
        return row
    if filled >= Decimal(str(resting["quantity"])):
        return {**row, "filled": plain(filled), "resting": None, "state": "filled"}
    return {**row, "filled": plain(filled), "resting": {**resting, "filled": plain(filled)}}
