"""What Bybit's handlers have in common: the category, the instrument asked for, the week of a history, a listing."""

from blitz.paper.engine import Instrument, VenueRefusal
from blitz.paper.wire.calls import Call
from blitz.paper.wire.params import invalid
from blitz.paper.wire.text import JsonObject

CATEGORIES = frozenset({"linear", "inverse", "spot", "option"})
WEEK_MS = 7 * 86_400_000


def is_linear(call: Call) -> bool:
    """Whether the request is about linear contracts, the only ones listed. Raises 10001 for another word."""
    category = call.params.required("category")
    if category not in CATEGORIES:
        raise invalid("category")
    return category == "linear"


def require_linear(call: Call) -> None:
    """Refuse a change in a category this venue does not trade."""
    if not is_linear(call):
        raise VenueRefusal(10001, "params error: only the category linear is listed on this paper exchange")


def instrument_of(call: Call) -> Instrument:
    """The instrument of the `symbol` parameter. Raises 10001 when it is not listed."""
    instrument = call.venue.instruments.get(call.params.required("symbol"))
    if instrument is None:
        raise VenueRefusal(10001, "params error: symbol invalid")
    return instrument


def week_of(call: Call) -> tuple[int, int]:
    """The time window of a history request: at most seven days, the last seven when not asked.

    Source: Bybit V5, order/history and execution/list. Raises 10001 beyond seven days.
    """
    start_ms, end_ms = call.params.integer("startTime"), call.params.integer("endTime")
    if start_ms is None:
        end_ms = call.now_ms if end_ms is None else end_ms
        return end_ms - WEEK_MS, end_ms
    if end_ms is None:
        return start_ms, start_ms + WEEK_MS
    if end_ms < start_ms:
        raise VenueRefusal(10001, "startTime should be less than endTime")
    if end_ms - start_ms > WEEK_MS:
        raise VenueRefusal(10001, "The time range between startTime and endTime cannot be larger than 7 days")
    return start_ms, end_ms


def listing(rows: list[JsonObject], cursor: str = "") -> JsonObject:
    """The result of a list endpoint. `nextPageCursor` is empty on the last page."""
    return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def empty_listing(call: Call) -> JsonObject:
    """The result for a category in which nothing is listed."""
    return {"category": call.params.text("category", "linear"), "list": [], "nextPageCursor": ""}
