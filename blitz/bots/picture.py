"""What a status shows of a cycle: its figures, its position, its ladder planned beside resting, how far things are.

Plain mappings for JSON, numbers as strings, percents to two places. Used by `status` after a pass, and by `told`
between passes.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from blitz.clock import iso_utc
from blitz.core.instrument import quantity_down_to_step
from blitz.core.ladder import HUNDRED, leg_prices, leg_quantity, stop_loss_price, take_profit_price
from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.ledger import Ledger
from blitz.core.look import Seen
from blitz.core.memory import BotMemory
from blitz.core.orders import STOP_LOSS, TAKE_PROFIT, ZERO, OpenOrder, OrderKey, leg
from blitz.core.records import Cycle, SlotState

PRICE_QUANTUM = Decimal("0.00000001")
MONEY_QUANTUM = Decimal("0.0001")
PERCENT_QUANTUM = Decimal("0.01")

Row = Mapping[str, object]
Planned = list[tuple[OrderKey, dict[str, str | None]]]


def cycle_json(cycle: Cycle, ledger: Ledger) -> dict[str, object]:
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


def position_json(
    quantity: Decimal, average: Decimal, mark: Decimal, *, leverage: Decimal, sign: int, liquidation: Decimal | None
) -> dict[str, str | None]:
    """The status' `position`. `margin` is what it took at its average; `roe_percent` is the unrealised part of that."""
    margin = average * quantity / leverage
    unrealised = (mark - average) * quantity * sign
    return {
        "quantity": plain(quantity),
        "average": plain(average.quantize(PRICE_QUANTUM)),
        "leverage": plain(leverage),
        "margin": plain(margin.quantize(MONEY_QUANTUM)),
        "unrealised": plain(unrealised.quantize(PRICE_QUANTUM)),
        "roe_percent": plain((unrealised / margin * HUNDRED).quantize(PERCENT_QUANTUM)) if margin else None,
        "liquidation": None if liquidation is None else plain(liquidation),
        "last_price": plain(mark),
    }


def position_of(memory: BotMemory, seen: Seen) -> dict[str, str | None] | None:
    """The position as the venue shows it, at our own average where the books agree with it."""
    ledger, position = memory.ledger, seen.position
    if position.quantity == 0:
        return None
    average = ledger.average if ledger.quantity == position.quantity else position.average
    return position_json(
        position.quantity,
        average,
        position.mark,
        leverage=position.leverage,
        sign=ledger.side.sign,
        liquidation=position.liquidation,
    )


def distances(orders: Sequence[Row], position: Mapping[str, str | None] | None) -> dict[str, dict[str, str]]:
    """How far the price is from what waits for it, in percent of the price; what is not there is left out."""
    price = Decimal((position or {}).get("last_price") or 0)
    if not price or position is None:
        return {}
    levels: dict[str, list[Decimal]] = {"take_profit": [], "stop_loss": [], "next_leg": [], "liquidation": []}
    for row in orders:
        level = _level(row)
        if level is not None:
            levels[EXIT_NAMES.get(str(row["key"]), "next_leg")].append(level)
    if position["liquidation"]:
        levels["liquidation"].append(Decimal(position["liquidation"]))
    nearest = {name: min(found, key=lambda level: abs(level - price)) for name, found in levels.items() if found}
    return {
        name: {
            "price": plain(level),
            "percent": plain((abs(level / price - 1) * HUNDRED).quantize(PERCENT_QUANTUM)),
        }
        for name, level in nearest.items()
    }


EXIT_NAMES = {str(TAKE_PROFIT): "take_profit", str(STOP_LOSS): "stop_loss"}


def _level(row: Row) -> Decimal | None:
    """Where an order rests; None for one that does not."""
    resting = row["resting"]
    if not isinstance(resting, Mapping):
        return None
    level = resting["price"] or resting["trigger"]
    return None if level is None else Decimal(level)


def order_rows(memory: BotMemory, seen: Seen, *, is_busy: bool) -> tuple[dict[str, object], ...]:
    """The ladder as it was planned, beside what really rests. While the bot is at work, what lacks is only planned."""
    planned = dict(_planned(memory))
    keys = [*planned, *(key for key in seen.own if key not in planned)]
    return tuple(_row(memory, key, planned.get(key), seen, is_busy=is_busy) for key in keys)


def _planned(memory: BotMemory) -> Planned:
    cycle, ledger = memory.cycle, memory.ledger
    if cycle is None or ledger.entry_price is None:
        return []
    return [*_planned_legs(cycle.settings, memory), *planned_exits(memory, ledger)]


def _planned_legs(settings: LadderSettings, memory: BotMemory) -> Planned:
    """Each leg with its margin, and the part of the whole ladder's margin that it is."""
    assert memory.ledger.entry_price is not None
    prices = leg_prices(settings, memory.ledger.entry_price, memory.instrument.tick)
    sizes = [leg_quantity(settings, index, price, memory.instrument.step) for index, price in enumerate(prices)]
    sizes[0] = memory.ledger.leg_filled.get(0, ZERO)
    margins = [price * size / settings.leverage for price, size in zip(prices, sizes, strict=True)]
    whole = sum(margins, ZERO)
    return [
        (
            leg(index),
            {
                "price": plain(price if index else price.quantize(PRICE_QUANTUM)),
                "quantity": plain(sizes[index]),
                "trigger": None,
                "margin": plain(margins[index].quantize(MONEY_QUANTUM)),
                "share_percent": plain((margins[index] / whole * HUNDRED).quantize(PERCENT_QUANTUM)),
            },
        )
        for index, price in enumerate(prices)
    ]


def planned_exits(memory: BotMemory, ledger: Ledger) -> Planned:
    """Where the exits of the position in these books belong."""
    cycle = memory.cycle
    if cycle is None or ledger.quantity <= 0:
        return []
    quantity = plain(quantity_down_to_step(ledger.quantity, memory.instrument.step))
    target = take_profit_price(cycle.settings, ledger.average, memory.instrument.tick)
    stop = stop_loss_price(cycle.settings, ledger.average, memory.instrument.tick)
    exits: Planned = []
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
        "resting": None if resting is None else order_json(resting),
        "filled": plain(filled),
        "state": state,
    }


def order_json(order: OpenOrder) -> dict[str, object]:
    """An order as the venue shows it."""
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
