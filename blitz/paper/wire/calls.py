"""One request to the venue as the handlers see it: who asks, with which parameters, at what venue time.

REST and the trade socket both make `Call`s; the modules `market`, `orders`, `positions` and `wallets` answer them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from blitz.paper.engine import Account, Instrument, Venue, VenueRefusal
from blitz.paper.wire.bybit.envelope import JsonObject
from blitz.paper.wire.params import Params, invalid
from blitz.paper.wire.views import AccountView

CATEGORIES = frozenset({"linear", "inverse", "spot", "option"})
WEEK_MS = 7 * 86_400_000
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request whose signature, time and rate were already checked."""

    venue: Venue
    params: Params
    now_ms: int
    key: str = ""
    view: AccountView | None = None
    """What reads may see; an older state than the present when a lag was injected."""

    @property
    def account(self) -> Account:
        """The signed account. Only handlers of signed routes ask."""
        account = self.venue.account(self.key)
        assert account is not None, "a signed route was called without an account"
        return account

    @property
    def seen(self) -> AccountView:
        """The account's lists as this request may see them."""
        assert self.view is not None, "a signed route was called without a view"
        return self.view


Handler = Callable[[Call], JsonObject]


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


def word_of(params: Params, name: str, words: type[Word], default: Word) -> Word:
    """A parameter that must be one of an enum's words."""
    text = params.text(name)
    if not text:
        return default
    try:
        return words(text)
    except ValueError:
        raise invalid(name) from None


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
