"""Core records to rows and back: exact opposites. Shared by the journal, which writes, and the history, which reads.

Values are checked by their own enums and by `parse_settings` on the way back: a row that does not read is a damaged
database and says so, it is never guessed at.
"""

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from blitz.core.ladder_settings import LadderSettings, parse_settings
from blitz.core.orders import BookedFill, Direction, Fill, FillKind, OrderKey, OrderType, Role
from blitz.core.records import BotEvent, Cycle, CycleEnd, EventKind, Slot, SlotState
from blitz.core.tags import base_tag
from blitz.errors import DatabaseProblem, SettingsProblem

Row = dict[str, Any]


def slot_to_row(slot: Slot, user_id: int, account: str) -> Row:
    """The row of a slot; its tag without a generation is the key."""
    return {
        "user_id": user_id,
        "account": account,
        "tag": base_tag(slot.key, user_id, slot.symbol),
        "symbol": slot.symbol,
        "role": slot.key.role.value,
        "leg": slot.key.leg,
        "state": slot.state.value,
        "generation": slot.generation,
        "used": slot.used,
        "burnt": slot.burnt,
        "client_id": slot.client_id,
        "order_id": slot.order_id,
        "last_order_id": slot.last_order_id,
        "cycle": slot.cycle,
        "type": slot.type.value,
        "direction": slot.direction.value,
        "quantity": slot.quantity,
        "price": slot.price,
        "trigger": slot.trigger,
        "sent_ms": slot.sent_ms,
        "doubted_until_ms": slot.doubted_until_ms,
    }


def slot_from_row(row: RowMapping) -> Slot:
    """The slot a row stands for."""
    return Slot(
        key=OrderKey(role=Role(row["role"]), leg=row["leg"]),
        symbol=row["symbol"],
        state=SlotState(row["state"]),
        generation=row["generation"],
        used=row["used"],
        burnt=row["burnt"],
        client_id=row["client_id"],
        order_id=row["order_id"],
        last_order_id=row["last_order_id"],
        cycle=row["cycle"],
        type=OrderType(row["type"]),
        direction=Direction(row["direction"]),
        quantity=row["quantity"],
        price=row["price"],
        trigger=row["trigger"],
        sent_ms=row["sent_ms"],
        doubted_until_ms=row["doubted_until_ms"],
    )


def cycle_to_row(cycle: Cycle, user_id: int, account: str) -> Row:
    """The row of a cycle, with its frozen settings as JSON."""
    return {
        "user_id": user_id,
        "account": account,
        "number": cycle.number,
        "settings": json.dumps(cycle.settings.to_json(), separators=(",", ":")),
        "started_ms": cycle.started_ms,
        "ended_ms": cycle.ended_ms,
        "end": None if cycle.end is None else cycle.end.value,
        "realised": cycle.realised,
        "fees": cycle.fees,
        "funding": cycle.funding,
        "legs_filled": cycle.legs_filled,
        "symbol": cycle.settings.symbol,
        "side": cycle.settings.side.value,
    }


def cycle_from_row(row: RowMapping) -> Cycle:
    """The cycle a row stands for. Raises `DatabaseProblem` when its settings do not read."""
    return Cycle(
        number=row["number"],
        settings=settings_from_json(row["settings"], f"cycle {row['number']} of user {row['user_id']}"),
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        end=None if row["end"] is None else CycleEnd(row["end"]),
        realised=row["realised"],
        fees=row["fees"],
        funding=row["funding"],
        legs_filled=row["legs_filled"],
    )


def settings_from_json(text: str, where: str) -> LadderSettings:
    """Read stored settings; `where` names the row for the sentence if they do not read."""
    try:
        return parse_settings(json.loads(text, parse_float=Decimal))
    except (ValueError, SettingsProblem) as problem:
        raise DatabaseProblem(f"The settings stored with {where} cannot be read: {problem}") from problem


def fill_to_row(booked: BookedFill, user_id: int, account: str) -> Row:
    """The row of a booked fill."""
    fill, key = booked.fill, booked.key
    return {
        "user_id": user_id,
        "account": account,
        "exec_id": fill.exec_id,
        "order_id": fill.order_id,
        "client_id": fill.client_id,
        "symbol": fill.symbol,
        "kind": fill.kind.value,
        "direction": fill.direction.value,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "is_maker": fill.is_maker,
        "at_ms": fill.at_ms,
        "sequence": fill.sequence,
        "cycle": booked.cycle,
        "role": None if key is None else key.role.value,
        "leg": None if key is None else key.leg,
    }


def fill_from_row(row: RowMapping) -> BookedFill:
    """The booked fill a row stands for."""
    fill = Fill(
        exec_id=row["exec_id"],
        order_id=row["order_id"],
        client_id=row["client_id"],
        symbol=row["symbol"],
        kind=FillKind(row["kind"]),
        direction=Direction(row["direction"]),
        quantity=row["quantity"],
        price=row["price"],
        fee=row["fee"],
        is_maker=row["is_maker"],
        at_ms=row["at_ms"],
        sequence=row["sequence"],
    )
    key = None if row["role"] is None else OrderKey(role=Role(row["role"]), leg=row["leg"])
    return BookedFill(fill=fill, cycle=row["cycle"], key=key)


def event_to_row(event: BotEvent, user_id: int, account: str) -> Row:
    """The row of a line in the trader's feed."""
    return {
        "user_id": user_id,
        "account": account,
        "at_ms": event.at_ms,
        "kind": event.kind.value,
        "cycle": event.cycle,
        "data": json.dumps(dict(event.data), ensure_ascii=False, separators=(",", ":")),
    }


def event_from_row(row: RowMapping) -> BotEvent:
    """The line of the trader's feed a row stands for."""
    return BotEvent(kind=EventKind(row["kind"]), at_ms=row["at_ms"], cycle=row["cycle"], data=json.loads(row["data"]))
