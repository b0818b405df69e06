"""Rows of history for the API and the pages: plain names, numbers as strings, and one sentence in a trader's words.

The sentences stand here and nowhere else, other languages' in the catalogue. What a record does not say is left out of
its sentence, never invented.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from blitz.bots.protection import Cover
from blitz.clock import iso_utc
from blitz.core.ladder_settings import plain
from blitz.core.orders import BookedFill, FillKind
from blitz.core.records import BotEvent, Cycle, CycleEnd, EventKind, Slot
from blitz.storage.statistics import EquityPoint
from blitz.web.language import language, said
from blitz.web.remedies import REMEDIES

NUMBER = re.compile(r"-?\d+(\.\d+)?")
FOUR_PLACES = Decimal("0.0001")
ENDS = {
    "take_profit": "take-profit filled",
    "stop_loss": "stop-loss filled",
    "closed_by_trader": "closed by you",
    "closed_externally": "closed outside this server",
    "liquidated": "liquidated",
    "not_entered": "the entry did not fill",
    "given_up": "given up with the books as they were",
}
SENTENCES = {
    EventKind.STARTED: "Bot started.",
    EventKind.STOPPED: "{message}",
    EventKind.RESUMED: "Bot resumed after the server started again.",
    EventKind.CYCLE_STARTED: "Cycle {cycle} began.",
    EventKind.LEG_FILLED: "{order} filled: {quantity} at {price}.",
    EventKind.CYCLE_CLOSED: "Cycle {cycle} closed: {end}, {profit} USDT.",
    EventKind.TRADED_BY_HAND: "Somebody traded here outside this bot: {direction} {quantity} at {price}. "
    "Take-profit and stop-loss follow the position.",
    EventKind.LIQUIDATED: "The exchange LIQUIDATED {quantity} at {price}. No leg is added to this cycle any more.",
    EventKind.DELEVERAGED: "The exchange took {quantity} at {price} from the position by auto-deleveraging. "
    "Take-profit and stop-loss follow.",
    EventKind.FUNDING: "Funding {paid}: {amount} USDT.",
    EventKind.CYCLE_CORRECTED: "Cycle {cycle} corrected by {amount} USDT that the exchange listed late; "
    "its profit is {profit} USDT.",
    EventKind.ORDER_PLACED: "{order} placed: {quantity} at {level}.",
    EventKind.ORDER_MOVED: "{order} moved: {quantity} at {level}.",
    EventKind.ORDER_CANCELLED: "{order} cancelled.",
    EventKind.ORDER_REJECTED: "The exchange refused {order}: {reason}",
    EventKind.ORDER_UNKNOWN: "No answer for {order} yet; looking before acting. {reason}",
    EventKind.ORDER_GONE: "{order} was cancelled by somebody else. {reason}",
    EventKind.ORDER_ADOPTED: "{order} was found on the exchange and taken over.",
    EventKind.CYCLE_ADOPTED: "Cycle {cycle} was found running and taken over.",
    EventKind.RECOVERED: "Recovered: {actions}.",
    EventKind.RULES_CHANGED: "The exchange changed this market's rules: {changes}. The orders follow.",
    EventKind.ATTENTION: "Needs attention: {message}",
    EventKind.ATTENTION_OVER: "All clear again.",
    EventKind.UNPROTECTED: "{alarm} since {clock} UTC: {cause} {remedy}",
    EventKind.PROTECTED_AGAIN: "{outcome} after {seconds} seconds without certain protection.",
    EventKind.CYCLE_GIVEN_UP: "{message}",
    EventKind.ACCOUNT_CHANGED: "Cycle {cycle} on {before} is finished. From here on your settings count: {now}.",
    EventKind.FAILED: "The bot stopped with a fault: {message}",
    EventKind.WENT_LIVE: "LIVE: {who} allowed the bot to trade real money on {exchange} with the key {key}. {warned}",
}
ACTIONS = {
    "checked_positions": "looked at the position",
    "no_missing_orders": "nothing was missing",
    "created_tp": "created the take-profit",
    "created_sl": "created the stop-loss",
}
OUTCOMES = {"protected": "Protected again", "no_position": "The position is closed"}
OUTCOME = "The alarm is over"
TONES = {
    EventKind.LEG_FILLED: "fill",
    EventKind.TRADED_BY_HAND: "warn",
    EventKind.LIQUIDATED: "bad",
    EventKind.DELEVERAGED: "warn",
    EventKind.ORDER_REJECTED: "warn",
    EventKind.ORDER_UNKNOWN: "warn",
    EventKind.ORDER_GONE: "warn",
    EventKind.RULES_CHANGED: "warn",
    EventKind.ATTENTION: "bad",
    EventKind.UNPROTECTED: "bad",
    EventKind.PROTECTED_AGAIN: "good",
    EventKind.CYCLE_GIVEN_UP: "bad",
    EventKind.FAILED: "bad",
    EventKind.WENT_LIVE: "bad",
    EventKind.CYCLE_CLOSED: "good",
}


class FeedLine(Protocol):
    """A line of the feed as history hands it over."""

    @property
    def id(self) -> int:
        """Its place in the feed."""

    @property
    def event(self) -> BotEvent:
        """What happened."""


class BookedLine(Protocol):
    """A fill as history hands it over."""

    @property
    def id(self) -> int:
        """Its place in the list."""

    @property
    def booked(self) -> BookedFill:
        """The fill and the order it belongs to."""


class Words(dict[str, str]):
    """The words of one event; one that is not there leaves an empty place."""

    def __missing__(self, key: str) -> str:
        return ""


def tidy(text: str) -> str:
    """A number without trailing zeros and with its thousands apart; any other text as it is."""
    if not NUMBER.fullmatch(text):
        return text
    whole, point, places = plain(Decimal(text)).partition(".")
    return f"{int(whole):,}{point}{places}" if whole != "-0" else f"{whole}{point}{places}"


def small_sum(amount: Decimal) -> str:
    """A sum of USDT as people read it: four places, more only where four would say nothing."""
    rounded = amount.quantize(FOUR_PLACES)
    return tidy(plain(rounded or amount))


def did(actions: str, code: str) -> str:
    """What Recover did, in words: "checked_positions, created_leg_2" is two of them."""
    told = []
    for action in actions.split(", "):
        leg = action.removeprefix("created_leg_")
        words = f"created leg {leg}" if leg != action else ACTIONS.get(action, action)
        told.append(words if code == "en" else said(action, code))
    return ", ".join(told)


def order_name(key: str, *, at_market: bool = False) -> str:
    """The name of an order's place: leg_2 is "Leg 2", tp is "Take-profit". An exit at market closes the position."""
    if at_market and key == "tp":
        return "Closing order"
    if key.startswith("leg_"):
        return f"Leg {key.removeprefix('leg_')}"
    return {"tp": "Take-profit", "sl": "Stop-loss"}.get(key, key)


def sentence(kind: EventKind, cycle: int, data: Mapping[str, str], code: str | None = None) -> str:
    """One event in words, in the language `code`, the reader's without one."""
    code = code or language()
    words = Words({name: tidy(value) for name, value in data.items()})
    words["cycle"] = str(cycle)
    if kind is EventKind.STOPPED:
        words.setdefault("message", "Bot stopped.")
    if kind is EventKind.CYCLE_GIVEN_UP:
        words.setdefault("message", "A cycle was given up.")
    level = data.get("price") or data.get("trigger")
    is_placed = kind is EventKind.ORDER_PLACED
    if "order" in data:
        words["order"] = order_name(data["order"], at_market=is_placed and level is None)
    if kind is EventKind.UNPROTECTED:
        words["alarm"] = "PROTECTION UNKNOWN" if data.get("state") == Cover.UNKNOWN else "UNPROTECTED"
        words |= {"clock": data.get("since", "")[-8:], "remedy": REMEDIES.get(data.get("code", ""), "")}
    if kind is EventKind.PROTECTED_AGAIN:
        words["outcome"] = OUTCOMES.get(data.get("how", ""), OUTCOME)
    if "end" in data:
        words["end"] = ENDS.get(data["end"], data["end"])
    words["level"] = "market" if level is None else tidy(level)
    if "fee" in data:
        fee = Decimal(data["fee"])
        words["paid"], words["amount"] = "received" if fee < 0 else "paid", small_sum(abs(fee))
    if "profit" in data:
        words["profit"] = f"{Decimal(data['profit']):+,.2f}"
    if "actions" in data:
        words["actions"] = did(data["actions"], code)
    told = Words({name: said(value, code) for name, value in words.items()})
    return " ".join(said(SENTENCES[kind], code).format_map(told).split())


def tone(event: BotEvent) -> str:
    """How a line looks: a cycle that lost money, or was given up, is not good news."""
    is_bad_end = event.data.get("profit", "").startswith("-") or event.data.get("end") == CycleEnd.GIVEN_UP
    if event.kind is EventKind.CYCLE_CLOSED and is_bad_end:
        return "warn"
    return TONES.get(event.kind, "plain")


def feed_row(line: FeedLine, code: str | None = None) -> dict[str, Any]:
    """One line of the feed, in the language `code`, the reader's without one."""
    event = line.event
    return {
        "id": line.id,
        "at": iso_utc(event.at_ms),
        "kind": event.kind.value,
        "tone": tone(event),
        "cycle": event.cycle or None,
        "message": sentence(event.kind, event.cycle, event.data, code),
    }


def fill_row(line: BookedLine) -> dict[str, Any]:
    """One execution."""
    booked, fill = line.booked, line.booked.fill
    return {
        "id": line.id,
        "at": iso_utc(fill.at_ms),
        "cycle": booked.cycle or None,
        "order": str(booked.key) if booked.key else None,
        "kind": fill.kind.value,
        "symbol": fill.symbol,
        "direction": fill.direction.value,
        "quantity": plain(fill.quantity),
        "price": plain(fill.price),
        "value": plain(fill.quantity * fill.price) if fill.kind is not FillKind.FUNDING else None,
        "fee": plain(fill.fee),
        "maker": fill.is_maker,
        "tag": fill.client_id,
        "order_id": fill.order_id,
        "exec_id": fill.exec_id,
    }


def cycle_row(cycle: Cycle) -> dict[str, Any]:
    """One cycle; `id` is its number."""
    return {
        "id": cycle.number,
        "number": cycle.number,
        "symbol": cycle.settings.symbol,
        "side": cycle.settings.side.value,
        "mode": cycle.settings.mode.value,
        "started_at": iso_utc(cycle.started_ms),
        "ended_at": iso_utc(cycle.ended_ms) if cycle.ended_ms is not None else None,
        "end": cycle.end.value if cycle.end else None,
        "legs_filled": cycle.legs_filled,
        "realised": plain(cycle.realised),
        "fees": plain(cycle.fees),
        "funding": plain(cycle.funding),
        "profit": plain(cycle.profit),
    }


def equity_row(point: EquityPoint) -> dict[str, Any]:
    """One point of the curve."""
    return {
        "at": iso_utc(point.ended_ms),
        "profit": plain(point.profit),
        "cumulative": plain(point.cumulative),
    }


def order_rows(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ladder's orders, planned beside resting, then foreign ones."""
    rows = []
    for order in status.get("orders") or []:
        planned, resting = order.get("planned") or {}, order.get("resting") or {}
        rows.append(
            {
                "order": order["key"],
                "state": order["state"],
                "planned_price": planned.get("price"),
                "planned_quantity": planned.get("quantity"),
                "planned_trigger": planned.get("trigger"),
                "price": resting.get("price"),
                "quantity": resting.get("quantity"),
                "filled": resting.get("filled"),
                "trigger": resting.get("trigger"),
                "tag": resting.get("client_id"),
            }
        )
    for order in status.get("foreign_orders") or []:
        shown = {name: order.get(name) for name in ("price", "quantity", "filled", "trigger")}
        rows.append({"order": None, "state": "foreign", **shown, "tag": order.get("client_id")})
    return rows


def slot_row(slot: Slot) -> dict[str, Any]:
    """One order as it was last known, for a bot that does not run."""
    return {
        "order": str(slot.key),
        "state": slot.state.value,
        "price": None if slot.price is None else plain(slot.price),
        "quantity": plain(slot.quantity),
        "trigger": None if slot.trigger is None else plain(slot.trigger),
        "tag": slot.client_id,
    }
